"""Where an agent works: files of its run and of its sandbox, and what the policy leaves of them to a shell."""

from __future__ import annotations

from forgewright.agent.workspace.run_files import RunFiles
from forgewright.agent.workspace.sandbox_files import SandboxFiles

__all__ = ["RunFiles", "SandboxFiles"]
