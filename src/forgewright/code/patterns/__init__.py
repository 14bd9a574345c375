"""Code patterns: code in the language itself, with `$NAME` for one node and `$$$NAME` for any number."""
