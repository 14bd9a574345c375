"""The text of programs: s-expressions and the same as JSON, read with all mistakes at once, printed back."""
