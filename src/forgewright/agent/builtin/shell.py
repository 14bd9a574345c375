"""The shell: commands in a sandbox over a copy of the tree, whose changes are taken over as far as the policy goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.agent.workspace.work import TREE, Taken, Worked, WorkEffect, take_over
from forgewright.runtime.context import Context
from forgewright.sandbox.types import Command, SandboxSpec
from forgewright.tools import FunctionTool, Tool, ToolOutput

if TYPE_CHECKING:
    from forgewright.sandbox.types import Exit

SECONDS_MAX = 3600
PURPOSE = "shell"
NAMED_MAX = 20
"""Paths that a result names; of the others it says how many there are."""
SCRIPT = 'command -v bash >/dev/null && exec bash -c "$1"; exec sh -c "$1"'


def shell_tool(root: Path, spec: SandboxSpec | None = None) -> Tool:
    """The tool over the tree at `root`. `spec`: limits, network and further mounts of its sandboxes; the policy
    chooses the tier, and what of the tree a command sees and may change."""

    async def shell(command: str, context: Context, seconds: int = 120) -> ToolOutput:
        """Run a shell command in a sandbox, in a copy of the project. What it changes there is taken over into the project
        when it ends, except what the policy refuses; everything else of the sandbox is gone, so start servers and use
        them in one command.

        Args:
            command: For bash, or sh where there is no bash; it starts in the project's folder
            seconds: After which it is ended, at most 3600
        """
        bounded = float(max(1, min(seconds, SECONDS_MAX)))
        argv = ("sh", "-c", f"exec 2>&1; {SCRIPT}", "sh", command)
        given = Command(argv, workdir=TREE, timeout_seconds=bounded)
        done = await context.perform(WorkEffect(given, PURPOSE, root, spec))
        assert isinstance(done, Worked)
        taken = await take_over(root, done, context)
        return ToolOutput(told(done, taken), error=not done.ok)

    # What it does is journaled by the effects in it: a call whose answer was lost is put together from theirs.
    return FunctionTool(shell, recovery="idempotent")


def told(done: Exit, taken: Taken) -> str:
    """How a command ended, as a model reads it."""
    said = (done.stdout + done.stderr).decode("utf-8", "replace").rstrip("\n")
    lines = [said] if said else []
    cut = done.stdout_bytes + done.stderr_bytes - len(done.stdout) - len(done.stderr)
    if cut:
        lines.append(f"[{cut:,} more bytes of output were not kept]")
    lines.append(f"[exit {done.code}{'' if done.reason == 'exit' else f', ended by: {done.reason}'}]")
    if taken.paths:
        lines.append(f"[changed: {_named(taken.paths, ', ')}]")
    if taken.refused:
        lines.append(f"[not taken over, these are as they were:\n{_named(taken.refused, chr(10))}]")
    if isinstance(done, Worked) and done.hidden:
        lines.append(f"[hidden from commands by the policy: {_named(done.hidden, ', ')}]")
    return "\n".join(lines)


def _named(items: tuple[str, ...], between: str) -> str:
    more = len(items) - NAMED_MAX
    return between.join(items[:NAMED_MAX]) + (f"{between}and {more} more" if more > 0 else "")
