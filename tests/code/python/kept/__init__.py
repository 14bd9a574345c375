"""Small programs that say what they mean: run before and after an operation, they print the same, or it is refused."""
