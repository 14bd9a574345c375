"""Files of a run: they outlive the process, and a fork has them as they stood where it branched off."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright import END, Engine, Goto, Graph, State, Update, tool
from forgewright.agent.workspace import RunFiles
from forgewright.core.errors import NotFound
from forgewright.journal import events as ev
from forgewright.models.types import ToolCall
from forgewright.runtime.context import Context

BIG = b"x" * 100_000


class Seen(State):
    text: str = ""


@tool(recovery="idempotent")
async def keep(text: str, context: Context) -> str:
    """Adds a line to the log.

    Args:
        text: The line
    """
    files = RunFiles(context)
    try:
        before = await files.read("log")
    except NotFound:
        before = b""
    await files.write("log", before + text.encode())
    return "kept"


def graph(stop: set[str]) -> Graph[Seen]:
    made = Graph("files", Seen)

    @made.node(to=["second"])
    async def first(state: Seen, context: Context) -> Goto:
        files = RunFiles(context)
        await files.write("notes/a.md", b"one")
        await files.write("big", BIG)
        await files.write("gone/x", b"x")
        return Goto("second")

    @made.node(to=["third"])
    async def second(state: Seen, context: Context) -> Goto:
        files = RunFiles(context)
        await files.edit("notes/a.md", "one", "two")
        await files.delete("gone")
        for text in ("1", "2"):
            await context.tool(keep, ToolCall(text, "keep", f'{{"text": "{text}"}}'))
        if stop:
            raise RuntimeError("the engine dies here")
        return Goto("third")

    @made.node(to=[END])
    async def third(state: Seen, context: Context) -> Update:
        files = RunFiles(context)
        assert await files.read("big") == BIG
        with pytest.raises(NotFound):
            await files.ls("gone")
        assert await files.read("log") == b"12"
        return Update(text=(await files.read("notes/a.md")).decode())

    return made


async def test_they_are_there_in_the_next_process_and_in_forks(tmp_path: Path) -> None:
    stop = {"yes"}
    async with Engine(home=tmp_path) as engine:
        outcome = await engine.run(graph(stop), Seen())
        assert outcome.status == "parked"
    stop.clear()
    async with Engine(home=tmp_path) as engine:
        await engine.open()
        made = [
            r.event.name for r in await engine.records(outcome.run) if isinstance(r.event, ev.ArtifactMade)
        ]
        assert made == [
            "files/notes/a.md",
            "files/big",
            "files/gone/x",
            "files/notes/a.md",
            "files/log",
            "files/log",
        ]
        # The second node is run again, and does to the files what it did before.
        again = await engine.execute(outcome.run, graph(stop))
        assert (again.status, again.state.text) == ("finished", "two")
        left = next(r.sequence for r in await engine.records(outcome.run) if isinstance(r.event, ev.NodeLeft))
        fork = await engine.fork(outcome.run, left)
        forked = await engine.execute(fork, graph(stop))
        assert (forked.status, forked.state.text) == ("finished", "two")
