"""Selectors: which nodes an operation is about, by kind, name, predicate, relation, pattern or position."""
