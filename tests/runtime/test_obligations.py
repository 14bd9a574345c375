"""What a policy obliges is done: a tier at least that strong, limits no higher, a person's yes, or no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright import END, Context, Engine, Graph, State, Update
from forgewright.core.errors import PolicyDenied
from forgewright.journal import events as ev
from forgewright.policy.gate import CedarGate
from forgewright.sandbox.types import Command, Network, Sandbox, SandboxSpec, Tier
from forgewright.wiring.sandboxes import RegisteredSandboxes


class Result(State):
    said: str = ""


def shell(*argv: str) -> Graph[Result]:
    graph = Graph("shell", Result)

    @graph.node(to=[END])
    async def act(state: Result, context: Context) -> Update:
        try:
            ended = await context.exec(Command(argv), purpose="tests")
        except PolicyDenied as error:
            return Update(said=f"denied: {error.message}")
        return Update(said=f"{ended.reason} {ended.code} {ended.stdout.decode().strip()}")

    return graph


def gate(text: str) -> CedarGate:
    asking = '@id("asking") permit (principal, action == Action::"ask", resource);\n'
    return CedarGate({"test.cedar": asking + text})


PERMIT = 'permit (principal, action == Action::"exec", resource);'


@pytest.mark.sandbox
async def test_limits_that_a_policy_names_hold(tmp_path: Path) -> None:
    policy = gate(f'@id("small") @tier("container") @limits("memory_mb=64,seconds=2") {PERMIT}')
    async with Engine(home=tmp_path, gate=policy, sandboxes=RegisteredSandboxes()) as engine:
        greedy = shell("/usr/bin/python3", "-c", "x = bytearray(512 << 20); print(len(x))")
        outcome = await engine.run(greedy, Result())
        assert outcome.status == "finished", outcome.detail
        assert outcome.state.said.split()[0] in ("oom", "signal"), outcome.state.said
        outcome = await engine.run(shell("/bin/sleep", "30"), Result())
        assert outcome.state.said.startswith("timeout")


async def test_a_limit_that_nobody_enforces_is_no_permission(tmp_path: Path) -> None:
    policy = gate(f'@id("odd") @tier("container") @limits("fingers=5") {PERMIT}')
    async with Engine(home=tmp_path, gate=policy, sandboxes=RegisteredSandboxes()) as engine:
        outcome = await engine.run(shell("/bin/true"), Result())
        assert outcome.reason == "error:refused"
        assert "fingers" in outcome.detail


async def test_a_permission_without_a_tier_runs_nothing(tmp_path: Path) -> None:
    policy = gate(f'@id("tierless") {PERMIT}')
    async with Engine(home=tmp_path, gate=policy, sandboxes=RegisteredSandboxes()) as engine:
        outcome = await engine.run(shell("/bin/true"), Result())
        assert outcome.reason == "error:refused"
        assert "names no tier" in outcome.detail


@pytest.mark.sandbox
async def test_an_approval_is_asked_for_once_and_bound_to_what_it_approves(tmp_path: Path) -> None:
    policy = gate(f'@id("asked") @tier("container") @approval("owner") {PERMIT}')
    async with Engine(home=tmp_path, gate=policy, sandboxes=RegisteredSandboxes()) as engine:
        graph = shell("/bin/echo", "hello")
        parked = await engine.run(graph, Result())
        assert parked.reason == "approval"
        question = next(
            r.event for r in await engine.records(parked.run) if isinstance(r.event, ev.QuestionAsked)
        )
        assert b'"intent":"sha256:' in bytes(question.about)
        await engine.answer(parked.run, "yes", by="ada")
        assert (await engine.execute(parked.run, graph)).state.said == "exit 0 hello"

        parked = await engine.run(graph, Result())
        await engine.answer(parked.run, "no", by="ada")
        outcome = await engine.execute(parked.run, graph)
        assert outcome.state.said == "denied: owner did not approve exec on 'tests'"


@pytest.mark.sandbox
async def test_what_was_decided_about_an_image_is_what_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest stands in the intent, and a name that means another image by then changes nothing."""
    from forgewright.sandbox.images import Image, fetch

    monkeypatch.setenv("FORGEWRIGHT_IMAGES", str(tmp_path / "images"))
    (tmp_path / "root" / "opt").mkdir(parents=True)
    name = f"dir:{tmp_path}/root"

    def version(text: str) -> Image:
        (tmp_path / "root" / "opt" / "version").write_text(text)
        made = fetch(name)
        assert made is not None
        return made

    first = version("first")

    class Sneaky(RegisteredSandboxes):
        async def driver_for(self, tier: Tier) -> str:
            version("second")  # after the gate has decided
            return await super().driver_for(tier)

        async def open(self, spec: SandboxSpec) -> Sandbox:
            opened.append(spec.image)
            return await super().open(spec)

    opened: list[str] = []
    graph = Graph("image", Result)

    @graph.node(to=[END])
    async def only(state: Result, context: Context) -> Update:
        spec = SandboxSpec(image=name)
        ended = await context.exec(Command(argv=("/no/such/program",)), purpose="tests", spec=spec)
        return Update(said=str(ended.code))

    policy = gate(f'@id("here") @tier("container") {PERMIT}')
    async with Engine(home=tmp_path / "home", gate=policy, sandboxes=Sneaky()) as engine:
        outcome = await engine.run(graph, Result())
        assert outcome.state.said == "127"
        [asked] = [r.event for r in await engine.records(outcome.run) if isinstance(r.event, ev.ExecAsked)]
        assert (asked.image, asked.image_digest) == (name, first.digest)
        assert opened == [first.digest]


@pytest.mark.sandbox
async def test_each_way_out_of_a_sandbox_is_on_record(tmp_path: Path) -> None:
    """Before its first byte, with the address it goes to; what was refused too, and what went over it."""
    import asyncio

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    script = """
import os, sys, urllib.request
os.environ.pop('no_proxy'), os.environ.pop('NO_PROXY')  # the server of this test is on a loopback
opener = urllib.request.build_opener(urllib.request.ProxyHandler({'http': 'http://127.0.0.1:3128'}))
for url in sys.argv[1:]:
    try: print(opener.open(url).read().decode())
    except OSError as error: print(error.code)
"""
    urls = (f"http://127.0.0.1:{port}/", "http://169.254.169.254/")
    graph = Graph("network", Result)

    @graph.node(to=[END])
    async def act(state: Result, context: Context) -> Update:
        spec = SandboxSpec(network=Network((f"127.0.0.1:{port}",)))
        command = Command(argv=("/usr/bin/python3", "-c", script, *urls))
        ended = await context.exec(command, purpose="tests", spec=spec)
        return Update(said=ended.stdout.decode())

    policy = gate(f'@id("here") @tier("container") {PERMIT}')
    async with server, Engine(home=tmp_path, gate=policy, sandboxes=RegisteredSandboxes()) as engine:
        outcome = await engine.run(graph, Result())
        assert outcome.state.said == "ok\n403\n"
        events = [record.event for record in await engine.records(outcome.run)]
    [asked] = [event for event in events if isinstance(event, ev.ExecAsked)]
    mine = [event for event in events if isinstance(event, ev.ConnectionOpened | ev.ConnectionClosed)]
    assert mine[0] == ev.ConnectionOpened(asked.effect, "127.0.0.1", port, True, "127.0.0.1")
    closed = next(event for event in mine if isinstance(event, ev.ConnectionClosed))
    assert (closed.port, closed.received_bytes) == (port, 40)
    assert ("169.254.169.254", 80, False) in [
        (event.host, event.port, event.allowed) for event in mine if isinstance(event, ev.ConnectionOpened)
    ]
    receipt = next(n for n, event in enumerate(events) if isinstance(event, ev.ExecAnswered))
    assert all(events.index(event) < receipt for event in mine)
