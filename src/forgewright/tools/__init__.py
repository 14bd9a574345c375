"""A typed Python function is a tool."""
