"""A sub-agent whose time is over leaves no process behind, and a history that can be gone on with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forgewright import END, Context, Engine, Graph, State, Update
from forgewright.journal import events as ev
from forgewright.policy.gate import CedarGate
from forgewright.runtime.effects.agent import Delegated, Work
from forgewright.sandbox.types import Command
from forgewright.wiring.sandboxes import RegisteredSandboxes


class Said(State):
    text: str = ""


def sleepers() -> list[str]:
    found = subprocess.run(
        ["pgrep", "-f", "sleep 4711"], capture_output=True, text=True, timeout=20, check=False
    )
    return found.stdout.split()


@pytest.mark.sandbox
async def test_a_command_of_a_sub_agent_ends_with_its_time(tmp_path: Path) -> None:
    async def work(context: Context) -> Work:
        ended = await context.exec(Command(("/bin/sh", "-c", "sleep 4711 & sleep 4711")), purpose="tests")
        return Work(str(ended.code))

    ended: list[Delegated] = []
    graph = Graph("one", Said)

    async def act(state: Said, context: Context) -> Update:
        ended.append(await context.delegate("worker", work, timeout_seconds=2))
        return Update()

    graph.add("act", act, to=[END])
    async with Engine(
        home=tmp_path, gate=CedarGate.load("default"), sandboxes=RegisteredSandboxes()
    ) as engine:
        outcome = await engine.run(graph, Said())
        events = [r.event for r in await engine.records(outcome.run)]
    assert ended[0].status == "timeout", ended
    assert sleepers() == []
    closed = next(e for e in events if isinstance(e, ev.EffectFailed))
    assert (closed.effect, closed.error) == ("1.1.1", "stopped")
    assert outcome.status == "finished"
