"""Looking at code: outlines, symbols, reading by name, and the map of a repository."""
