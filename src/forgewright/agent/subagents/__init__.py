"""Sub-agents: agents that an agent, or a node, gives tasks to. One, many side by side, or in the background."""

from forgewright.agent.subagents.subagent import Subagent, Task, delegate, delegate_all

__all__ = ["Subagent", "Task", "delegate", "delegate_all"]
