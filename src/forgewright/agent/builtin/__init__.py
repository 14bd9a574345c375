"""Tools that the engine brings along: those that join a capability with the agent loop."""
