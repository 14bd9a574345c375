"""The agent loop, its tools and its context."""
