"""Keeping a conversation within what a model can take, without losing any of it."""
