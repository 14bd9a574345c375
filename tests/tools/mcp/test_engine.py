"""MCP calls through a real engine: gate and journal in their path, approvals, keys; and the command."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from forgewright.cli.main import main
from forgewright.core.errors import ToolError
from forgewright.journal import events as ev
from forgewright.policy import CedarGate
from forgewright.runtime.engine import Engine
from forgewright.tools import tool
from forgewright.tools.mcp import McpClient, ServedCall, ToolServer
from forgewright.wiring.mcp import EngineCalls

POLICY = """
@id("all") permit (principal == Agent::"mcp", action in [Action::"tool", Action::"ask"], resource);
@id("never") forbid (principal, action == Action::"tool", resource == Tool::"forbidden");
@id("asked") @approval("owner") permit (principal, action == Action::"tool", resource == Tool::"delicate");
"""

calls: list[str] = []


@tool(recovery="idempotent")
def count(by: int) -> int:
    """Counts."""
    calls.append("count")
    return len(calls) * by


@tool
def forbidden() -> str:
    """Never runs."""
    calls.append("forbidden")
    return "ran"


@tool
def delicate() -> str:
    """Needs a yes."""
    calls.append("delicate")
    return "done"


@tool
async def ask_name(call: ServedCall) -> str:
    """Asks."""
    answer = await call.ask("name", "Name?", {"type": "object", "properties": {"name": {"type": "string"}}})
    return f"hello {answer['content']['name']}"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    calls.clear()
    async with Engine(home=tmp_path / "home", gate=CedarGate({"t.cedar": POLICY})) as made:
        yield made


def server(engine: Engine) -> ToolServer:
    return ToolServer([count, forbidden, delicate, ask_name], call=EngineCalls(engine))


async def ada(message: str, schema: object) -> dict[str, str]:
    return {"name": "Ada"}


async def test_each_call_passes_the_gate_and_stands_in_the_journal(engine: Engine) -> None:
    async with McpClient("x", server(engine)) as client:
        assert (await client.call("count", {"by": 2})).text == "2"
        denied = await client.call("forbidden", {})
        wrong = await client.call("count", {"by": "two"})
    assert denied.error
    assert "forbidden by the policy never" in denied.text
    assert "by: expected an integer" in wrong.text
    assert calls == ["count"]
    events = [record.event for record in await engine.journal.scan()]
    asked = [(e.tool, e.decision.by) for e in events if isinstance(e, ev.ToolAsked)]
    assert asked == [("count", ("all",)), ("forbidden", ("never",))]
    assert any(isinstance(e, ev.EffectRefused) for e in events)


async def test_a_repeated_key_is_answered_from_the_journal(engine: Engine) -> None:
    async with McpClient("x", server(engine)) as client:
        first = await client.call("count", {"by": 5}, key="k1")
        again = await client.call("count", {"by": 5}, key="k1")
        other = await client.call("count", {"by": 6}, key="k1")
    assert first.text == again.text == "5"
    assert "used for another call" in other.text
    assert calls == ["count"]


async def test_an_approval_is_waited_for_and_then_used_once(engine: Engine) -> None:
    async with McpClient("x", server(engine)) as client:
        waiting = await client.call("delicate", {}, key="k2")
        assert waiting.error
        assert "waits for a person" in waiting.text
        assert calls == []
        [row] = await engine.journal.runs()
        await engine.answer(row.run, "yes", by="owner")
        assert (await client.call("delicate", {}, key="k2")).text == "done"
        assert (await client.call("delicate", {}, key="k2")).text == "done"
        assert (await client.call("delicate", {}, key="k3")).error
    assert calls == ["delicate"]


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_a_tool_asks_the_client_through_the_engine(engine: Engine, era: str) -> None:
    async with McpClient("x", server(engine), ask=ada, mode=era) as client:
        assert (await client.call("ask_name", {})).text == "hello Ada"
    async with McpClient("x", server(engine), mode=era) as client:
        try:
            said = (await client.call("ask_name", {})).text
        except ToolError as error:
            said = str(error)
        assert "elicitation" in said


async def test_the_command_serves_a_projects_tools(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("def load():\n    return 1\n\n\nprint(load())\n")
    command = [sys.executable, "-m", "forgewright.cli.main", "mcp", "serve", "--root", str(project)]
    environment = {"FORGEWRIGHT_HOME": str(tmp_path / "home")}
    async with McpClient("fw", command, environment=environment) as client:
        names = [item.remote_name for item in client.tools]
        assert names == ["code_query", "code_edit", "run_command"]
        outline = await client.call("code_query", {"program": "(outline)"})
        assert "load" in outline.text
        edited = await client.call("code_edit", {"program": "(rename symbol: 'function#load' new: 'fetch')"})
        assert not edited.error, edited.text
        refused = await client.call(
            "code_edit", {"program": "(create-file path: '.git/hooks/x' content: 'x')"}
        )
        assert refused.error, refused.text
    assert "def fetch():" in (project / "app.py").read_text()
    assert not (project / ".git").exists()


@pytest.mark.sandbox
async def test_commands_run_in_a_sandbox_on_a_copy(tmp_path: Path) -> None:
    if shutil.which("crun") is None:
        pytest.skip("crun is missing: apt-get install crun")
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.txt").write_text("inside\n")
    command = [sys.executable, "-m", "forgewright.cli.main", "mcp", "serve", "--root", str(project)]
    async with McpClient("fw", command, environment={"FORGEWRIGHT_HOME": str(tmp_path / "home")}) as client:
        said = await client.call("run_command", {"argv": ["sh", "-c", "cat a.txt; echo x > b.txt; ls"]})
        assert said.text == "exit 0\ninside\na.txt\nb.txt\n", said.text
    assert not (project / "b.txt").exists()


def test_another_servers_tools_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    everything = str(Path(__file__).with_name("everything.py"))
    assert main(["mcp", "list", sys.executable, everything]) == 0
    said = capsys.readouterr().out
    assert "test_simple_text  sha256:" in said
