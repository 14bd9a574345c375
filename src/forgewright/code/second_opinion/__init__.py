"""A second opinion where types decide: a language server is asked for the same rename, and never writes."""
