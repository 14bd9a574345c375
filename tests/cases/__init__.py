"""Before/after cases of other refactoring tools, run on our operations."""
