"""Graphs: typed state, declared transitions; pure."""
