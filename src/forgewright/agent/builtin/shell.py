"""The shell: commands in a sandbox over a copy of the tree, whose changes are taken over as far as the policy goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.workspace.background import InsideEffect, StartEffect, look
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


def shell_tools(root: Path, spec: SandboxSpec | None = None) -> Sequence[Tool]:
    """`shell`, and commands in the background: `shell_start`, `shell_look`, `shell_stop`."""

    async def shell_start(name: str, command: str, context: Context, seconds: int = 1800) -> ToolOutput:
        """Start a command that goes on in the background, such as a server, in a sandbox of its own.

        Args:
            name: A name for it, by which the other tools know it
            command: As for shell
            seconds: After which it is ended, at most 3600
        """
        given = _command(command, seconds)
        started = await context.perform(StartEffect(name, given, PURPOSE, root, spec))
        assert isinstance(started, Worked)
        return await _looked(name, context, started.hidden)

    async def shell_look(name: str, context: Context) -> ToolOutput:
        """What a background command wrote since the last look, and whether it still runs.

        Args:
            name: Its name
        """
        return await _looked(name, context)

    async def shell_stop(name: str, context: Context) -> ToolOutput:
        """End a background command. What it changed in the project is lost; let it end by itself to keep that.

        Args:
            name: Its name
        """
        return await _looked(name, context, stop=True)

    async def _looked(
        name: str, context: Context, hidden: tuple[str, ...] = (), *, stop: bool = False
    ) -> ToolOutput:
        state = await look(name, context, stop=stop)
        lines = [state.output.decode("utf-8", "replace").rstrip("\n")] if state.output else []
        if state.dropped_bytes:
            lines.insert(0, f"[{state.dropped_bytes:,} bytes before this were not kept]")
        if state.status == "gone":
            return ToolOutput(
                f"[{name} is not there: it was never started, or the engine was restarted]", error=True
            )
        if state.ended is None:
            lines.append(f"[{name} {'is running' if state.status == 'running' else 'was ended'}]")
            if hidden:
                lines.append(f"[hidden from commands by the policy: {_named(hidden, ', ')}]")
            return ToolOutput("\n".join(lines))
        ended = msgspec.structs.replace(state.ended, stdout=b"", stderr=b"", stdout_bytes=0, stderr_bytes=0)
        taken = await take_over(root, ended, context)
        return ToolOutput("\n".join([*lines, told(ended, taken)]), error=not ended.ok)

    looking = [FunctionTool(f, recovery="idempotent") for f in (shell_start, shell_look, shell_stop)]
    return [shell_tool(root, spec), *looking]


def shell_tool(root: Path, spec: SandboxSpec | None = None) -> Tool:
    """The tool over the tree at `root`. `spec`: limits, network and further mounts of its sandboxes; the policy
    chooses the tier, and what of the tree a command sees and may change."""

    async def shell(
        command: str, context: Context, seconds: int = 120, inside: str | None = None
    ) -> ToolOutput:
        """Run a shell command in a sandbox, in a copy of the project. What it changes there is taken over into the project
        when it ends, except what the policy refuses; everything else of the sandbox is gone then.

        Args:
            command: For bash, or sh where there is no bash; it starts in the project's folder
            seconds: After which it is ended, at most 3600
            inside: Name of a background command, to run this one beside it, for example to call a server
        """
        given = _command(command, seconds)
        if inside is not None:
            return _beside(await context.perform(InsideEffect(inside, given, PURPOSE, context)))
        done = await context.perform(WorkEffect(given, PURPOSE, root, spec))
        assert isinstance(done, Worked)
        taken = await take_over(root, done, context)
        return ToolOutput(told(done, taken), error=not done.ok)

    # What it does is journaled by the effects in it: a call whose answer was lost is put together from theirs.
    return FunctionTool(shell, recovery="idempotent")


def _command(command: str, seconds: int) -> Command:
    argv = ("sh", "-c", f"exec 2>&1; {SCRIPT}", "sh", command)
    return Command(argv, workdir=TREE, timeout_seconds=float(max(1, min(seconds, SECONDS_MAX))))


def _beside(done: Exit) -> ToolOutput:
    return ToolOutput(told(done, Taken((), ())), error=not done.ok)


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
