"""A secret that a run meets is in no byte that it leaves: database, log, blobs, tiles, bundle, trace, error, screen;
and it never reached the model. A run resumed after a crash asks the model the very same."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import string
import sys
from pathlib import Path

import msgspec
import pytest
from tests.models.server import ModelServer, Step, answer
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import END, Agent, Engine, Graph, State, Update, tool
from forgewright.code.engine import CodeEngine
from forgewright.core.errors import NotFound, ToolError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.journal import open_journal
from forgewright.journal.traces.otlp import encode
from forgewright.journal.traces.spans import SpanBuilder
from forgewright.models.types import Assistant, Request, Response, Text, ToolCall
from forgewright.policy.gate import CedarGate
from forgewright.runtime.context import Context
from forgewright.sandbox.types import Command
from forgewright.store.drivers.sqlite.packing import unpack
from forgewright.tools.mcp import McpClient
from forgewright.wiring import open_engine
from forgewright.wiring.sandboxes import RegisteredSandboxes
from forgewright.wiring.secrets import machine_secrets

RNG = random.Random(20261121)


def rand(alphabet: str, n: int) -> str:
    return "".join(RNG.choices(alphabet, k=n))


ALNUM = string.ascii_letters + string.digits
AWS = "AKIA" + rand(string.ascii_uppercase + "234567", 16)
GITHUB = "ghp_" + rand(ALNUM, 36)
BODY = rand(ALNUM, 64)
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{rand(ALNUM, 64)}\n-----END RSA PRIVATE KEY-----\n"
OWN = "local-" + rand(ALNUM, 30)
"""Of no published form: known because it stands in the environment."""
SECRETS = {"aws": AWS, "github": GITHUB, "pem": BODY, "own": OWN}
PRINTED = {"aws": f"aws_access_key_id = {AWS}", "github": f"remote: https://x:{GITHUB}@github.com/a/b", "pem": PEM,
           "own": f"key is {OWN}!"}  # fmt: skip


def everything(home: Path, *more: bytes) -> bytes:
    """Every file, and every row as it is unpacked."""
    parts = [path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()]
    connection = sqlite3.connect(home / "journal.db")
    parts += [unpack(data, 0) for (data,) in connection.execute("SELECT data FROM records")]
    connection.close()
    return b"\n".join([*parts, *more])


def assert_clean(data: bytes) -> None:
    for name, secret in SECRETS.items():
        assert secret.encode() not in data, name
        assert secret[:20].encode() not in data, name


async def leftovers(home: Path, run: RunId, tmp_path: Path) -> bytes:
    journal = await open_journal(home)
    records = await journal.read(run)
    bundle = tmp_path / "bundle.tar"
    await export(journal, bundle)
    builder = SpanBuilder(run)
    trace = encode([span for record in records for span in builder.add(record)])
    shown = repr(records).encode()
    await journal.close()
    assert verify_home(home).ok
    return everything(home, bundle.read_bytes(), trace, shown)


@tool(recovery="pure")
def leak(kind: str) -> str:
    """Print something."""
    return f"output of {kind}:\n{PRINTED[kind]}\nthe end"


@tool(recovery="pure")
def fail(kind: str) -> str:
    """Fail."""
    raise ToolError(f"cannot connect: {PRINTED[kind]}", hint=f"is {PRINTED[kind]} right?")


@tool(recovery="pure")
def crash(kind: str) -> str:
    """Raise something unexpected."""
    raise RuntimeError(PRINTED[kind])


@tool(recovery="pure")
def structured(kind: str) -> dict[str, object]:
    """Give a value."""
    return {"config": [{"line": PRINTED[kind], "password": "correct-Horse-7-battery" + BODY[:8]}]}


CALLS = [(name, {"kind": kind}) for kind in SECRETS for name in ("leak", "fail", "crash", "structured")]


def script(request: Request) -> Reply:
    seen = len(results(request))
    return [CALLS[seen]] if seen < len(CALLS) else "done"


async def test_what_tools_give_reaches_neither_model_nor_home(tmp_path: Path) -> None:
    model = Scripted(script)
    agent = Agent("clerk", f"Be careful with {PRINTED['github']}", tools=[leak, fail, crash, structured])
    home = tmp_path / "home"
    async with Engine(home=home, model=model, secrets=[OWN]) as engine:
        outcome = await agent.run(f"Deploy with {PRINTED['aws']} and {PEM} and {OWN}", engine)
        assert outcome.status == "finished", outcome.detail
    assert len(model.requests) == len(CALLS) + 1
    assert_clean(msgspec.json.encode(model.requests))
    last = results(model.requests[-1])
    assert "[redacted:aws-access-key-id]" in last[0]
    assert last[0].endswith("the end")
    assert "[redacted:private-key]" in last[8]
    assert "[redacted:known]" in last[12]
    assert "correct-Horse" not in "".join(last)
    assert_clean(await leftovers(home, outcome.run, tmp_path))


async def test_the_model_server_never_sees_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP, with the keys of the environment taken up by the wiring; the provider's own key is only a header."""
    monkeypatch.setenv("OPENAI_API_KEY", OWN)
    assert OWN in machine_secrets({"OPENAI_API_KEY": OWN, "X_KEY": "short", "Y_TOKEN": "/run/secrets/token"})
    steps: list[Step] = [
        answer(Response(Assistant((ToolCall(f"c{i}", name, msgspec.json.encode(given).decode()),)), "tools"))
        for i, (name, given) in enumerate(CALLS)
    ]
    agent = Agent("clerk", tools=[leak, fail, crash, structured])
    policy = tmp_path / "all.cedar"
    policy.write_text('@id("all") permit (principal, action, resource);')
    async with ModelServer([*steps, answer(Response(Assistant((Text("done"),))))]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        async with open_engine(
            tmp_path / "home", policies=[policy], models={"default": "openai-chat:m"}
        ) as engine:
            outcome = await agent.run(f"The key is {OWN}, the other {AWS}", engine)
        assert outcome.status == "finished", outcome.detail
        assert len(server.asked) == len(CALLS) + 1
        assert_clean(b"".join(asked.body for asked in server.asked))
        assert all(OWN in asked.headers["authorization"] for asked in server.asked)
    assert_clean(await leftovers(tmp_path / "home", outcome.run, tmp_path))


class Work(State):
    goal: str
    seen: str = ""


async def test_goal_state_notes_artifacts_readings_and_errors(tmp_path: Path) -> None:
    graph = Graph("work", Work)
    caught: list[str] = []

    @graph.node(to=["boom"])
    async def act(state: Work, context: Context) -> Update:
        caught.append(state.goal)
        seen = await context.read("config", lambda: {"text": PEM, "raw": GITHUB.encode()}, dict)
        caught.append(str(seen))
        await context.note("plan", {"use": [AWS, {"token": GITHUB}]})
        await context.artifact("env.txt", f"KEY={AWS}\n{PEM}".encode())
        try:
            await context.tool(fail, ToolCall("x", "fail", '{"kind":"own"}'))
        finally:
            caught.append(str(seen))
        return Update(seen=f"{AWS} {PEM} {OWN}")

    @graph.node(to=[END])
    async def boom(state: Work, context: Context) -> Update:
        caught.append(state.seen)
        raise NotFound(f"no such thing: {GITHUB}", hint=PEM)

    home = tmp_path / "home"
    async with Engine(home=home, secrets=[OWN]) as engine:
        outcome = await engine.run(
            graph, Work(goal=f"use {AWS}"), goal=f"use {AWS} {PEM}", options={"token": GITHUB}
        )
        assert outcome.reason == "error:not_found"
        assert_clean(msgspec.json.encode(outcome))
        assert_clean(repr(caught).encode())
    assert_clean(await leftovers(home, outcome.run, tmp_path))


async def test_a_read_file(tmp_path: Path) -> None:
    """Through the tool that agents read code with, and through an edit whose diff shows the lines beside it."""
    from forgewright.agent.builtin.code import code_edit, code_query

    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "settings.py").write_text(f'AWS = "{AWS}"\nTOKEN = "{GITHUB}"\ndebug = True\nKEY = """{PEM}"""\n')
    calls: list[tuple[str, dict[str, object]]] = [
        ("code_query", {"program": "(read target: 'file:settings.py')"}),
        ("code_query", {"program": "(search text: 'AKIA' in: 'settings.py')"}),
        ("code_edit", {"program": "(rename-variable old: 'debug' new: 'verbose' scope: 'settings.py')"}),
    ]

    def ask(request: Request) -> Reply:
        seen = len(results(request))
        return [calls[seen]] if seen < len(calls) else "done"

    model = Scripted(ask)
    agent = Agent("coder", tools=[code_query, code_edit])
    home = tmp_path / "home"
    gate = CedarGate({"p.cedar": '@id("all") permit (principal, action, resource);'})
    async with Engine(home=home, model=model, gate=gate) as engine:
        outcome = await agent.run("look", engine, code=CodeEngine(tree))
        assert outcome.status == "finished", outcome.detail
    told = "\n".join(results(model.requests[-1]))
    assert "[redacted:" in told, told
    assert AWS in (tree / "settings.py").read_text()  # the file itself is as it was
    assert_clean(msgspec.json.encode(model.requests))
    assert_clean(await leftovers(home, outcome.run, tmp_path))


@pytest.mark.sandbox
async def test_what_a_command_prints(tmp_path: Path) -> None:
    graph = Graph("shell", Work)

    @graph.node(to=[END])
    async def act(state: Work, context: Context) -> Update:
        text = f"{PRINTED['aws']}\n{PEM}{PRINTED['own']}"
        ended = await context.exec(Command(("/bin/sh", "-c", 'cat; printf "\\377 %s" "$T" >&2'), stdin=text.encode(),
                                           environment={"T": GITHUB}), purpose="tests")  # fmt: skip
        assert_clean(ended.stdout + ended.stderr)
        assert ended.stderr.startswith(b"\xff [redacted:")
        return Update(seen=ended.stdout.decode())

    gate = CedarGate({"p.cedar": '@id("all") @tier("container") permit (principal, action, resource);'})
    home = tmp_path / "home"
    async with Engine(home=home, gate=gate, sandboxes=RegisteredSandboxes(), secrets=[OWN]) as engine:
        outcome = await engine.run(graph, Work(goal=""))
        assert outcome.status == "finished", outcome.detail
        assert outcome.state.seen.count("[redacted:") == 3
    assert_clean(await leftovers(home, outcome.run, tmp_path))


@pytest.mark.sandbox
async def test_what_a_shell_prints_and_a_changed_file_shows(tmp_path: Path) -> None:
    """The agent's own shell: its output, a file that it wrote, and its command, which names a secret too."""
    from forgewright.agent.builtin.shell import shell_tool

    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".env").write_text(f"{PRINTED['aws']}\nTOKEN={GITHUB}\n{PEM}\n")
    calls = [
        "cat .env; cat .env >&2; false",
        f"echo '{GITHUB}' > token.txt; cat token.txt",
        "cat missing; exit 3",
    ]

    def ask(request: Request) -> Reply:
        seen = len(results(request))
        return [("shell", {"command": calls[seen]})] if seen < len(calls) else "done"

    model = Scripted(ask)
    shell = shell_tool(tree)
    agent = Agent("operator", tools=[shell])
    gate = CedarGate({"p.cedar": '@id("all") @tier("container") permit (principal, action, resource);'})
    home = tmp_path / "home"
    async with Engine(home=home, model=model, gate=gate, sandboxes=RegisteredSandboxes()) as engine:
        outcome = await agent.run("look", engine)
        assert outcome.status == "finished", outcome.detail
    told = "\n".join(results(model.requests[-1]))
    assert told.count("[redacted:") >= 7, told
    assert "No such file" in told
    assert_clean(msgspec.json.encode(model.requests))
    assert_clean(await leftovers(home, outcome.run, tmp_path))


SERVER = """
import os, sys
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
printed = os.environ["PRINTED"]
server = MCPServer("leaky")

@server.tool()
def say() -> str:
    return printed

@server.tool()
def value() -> dict[str, str]:
    return {"line": printed}

@server.tool()
def fail() -> str:
    raise ToolError(printed)

print(printed, file=sys.stderr)
server.run("stdio")
"""


async def test_what_another_mcp_server_says(tmp_path: Path) -> None:
    """A real one, a process of its own: text, a structured value, an error, and what it writes to standard error."""
    script = tmp_path / "leaky.py"
    script.write_text(SERVER)
    printed = {"PRINTED": "\n".join(PRINTED.values())}
    names = ["leaky_say", "leaky_value", "leaky_fail"]
    model = Scripted(lambda r: [(names[len(results(r))], {})] if len(results(r)) < len(names) else "done")
    home = tmp_path / "home"
    async with (
        McpClient("leaky", [sys.executable, str(script)], environment=printed) as client,
        Engine(home=home, model=model, secrets=[OWN]) as engine,
    ):
        outcome = await Agent("clerk", tools=client.tools).run("ask them", engine)
        assert outcome.status == "finished", outcome.detail
    told = results(model.requests[-1])
    assert [text.count("[redacted:") >= 4 for text in told] == [True, True, True], told
    assert_clean(msgspec.json.encode(model.requests))
    assert_clean(await leftovers(home, outcome.run, tmp_path))


async def test_a_resumed_run_asks_the_model_the_same(tmp_path: Path) -> None:
    """Cut off after each record in turn, then resumed from the journal: what the model is asked, and the digests of
    it, are those of the undisturbed run. A digest that differs would park the run."""
    agent = Agent("clerk", PRINTED["github"], tools=[leak, fail, crash, structured])
    whole = Scripted(script)
    home = tmp_path / "home"
    async with Engine(home=home, model=whole, secrets=[OWN]) as engine:
        first = await agent.run(f"Deploy with {PEM}", engine)
        records = await engine.records(first.run)
        places = [r.sequence for r in records if isinstance(r.event, (ev.ToolAnswered, ev.ModelAnswered))]
        for at in places[:: len(places) // 8]:
            again = Scripted(script)
            engine._model = again
            fork = await engine.fork(first.run, at)
            outcome = await engine.execute(fork, agent.graph)
            assert (outcome.status, outcome.state) == ("finished", first.state), outcome.detail
            assert [r.messages for r in again.requests] == [
                r.messages for r in whole.requests[len(whole.requests) - len(again.requests) :]
            ]
            asked = [
                r.event.request for r in await engine.records(fork) if isinstance(r.event, ev.ModelAsked)
            ]
            assert asked == [r.event.request for r in records if isinstance(r.event, ev.ModelAsked)]


async def test_two_agents_side_by_side_share_no_conversation(tmp_path: Path) -> None:
    agents = [Agent(f"a{i}", f"i {AWS}", tools=[leak]) for i in range(8)]
    model = Scripted(lambda request: "done" if results(request) else [("leak", {"kind": "pem"})])
    async with Engine(home=tmp_path / "home", model=model) as engine:
        ended = await asyncio.gather(*(agent.run("go", engine) for agent in agents))
    assert {outcome.status for outcome in ended} == {"finished"}
    assert_clean(msgspec.json.encode(model.requests))
