"""The language of code: programs of syntax-tree operations, exact, checked and undoable."""
