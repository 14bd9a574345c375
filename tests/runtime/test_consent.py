"""Consent is asked for when an effect happens, not when it was planned; what a policy takes out does not go there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.runtime.scripted import Scripted, results

from forgewright import END, Agent, Context, Engine, Graph, State, Update, tool
from forgewright.core.errors import PolicyDenied
from forgewright.journal import events as ev
from forgewright.journal.privacy import ledger
from forgewright.models.types import Request, ToolCall
from forgewright.policy.gate import CedarGate

REST = '@id("rest") permit (principal, action, resource) unless { action == Action::"tool" };\n'
WANTED = '@id("wanted") @consent("support") permit (principal, action == Action::"tool", resource);\n'


@pytest.fixture(autouse=True)
def erasures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))


class Told(State):
    said: str = ""


def graph_of(calls: list[str]) -> Graph[Told]:
    @tool(recovery="unsafe")
    def look() -> str:
        """Look at somebody's data."""
        calls.append("look")
        return "seen"

    graph = Graph("g", Told)

    @graph.node(to=[END])
    async def act(state: Told, context: Context) -> Update:
        result = await context.tool(look, ToolCall("1", "look", "{}"))
        return Update(said=result.text)

    return graph


async def engine_with(home: Path, policy: str) -> Engine:
    engine = Engine(home=home, gate=CedarGate({"p.cedar": REST + policy}))
    await engine.open()
    return engine


async def test_without_consent_nothing_happens_and_the_refusal_says_what_is_missing(tmp_path: Path) -> None:
    calls: list[str] = []
    graph = graph_of(calls)
    engine = await engine_with(tmp_path / "home", WANTED)
    privacy = await engine.journal.privacy()

    outcome = await engine.run(graph, Told(), subject="alice")
    assert "does not consent to support" in outcome.state.said
    refused = [r.event for r in await engine.records(outcome.run) if isinstance(r.event, ev.EffectRefused)]
    assert len(refused) == 1
    nobody = await engine.run(graph, Told())
    assert "names nobody" in nobody.state.said

    await privacy.consent("alice", "training")
    assert "does not consent" in (await engine.run(graph, Told(), subject="alice")).state.said
    await privacy.consent("alice", "support", expires=1)
    assert "does not consent" in (await engine.run(graph, Told(), subject="alice")).state.said
    assert calls == []

    await privacy.consent("alice", "support")
    outcome = await engine.run(graph, Told(), subject="alice")
    assert outcome.state.said == "seen"
    asked = [r.event for r in await engine.records(outcome.run) if isinstance(r.event, ev.ToolAsked)]
    assert asked[0].decision.consent == ("support",)
    assert "does not consent" in (await engine.run(graph, Told(), subject="bob")).state.said

    await privacy.withdraw("alice", "support")
    assert "does not consent" in (await engine.run(graph, Told(), subject="alice")).state.said
    assert calls == ["look"]
    await engine.close()


async def test_a_consent_withdrawn_while_a_person_is_asked_is_none(tmp_path: Path) -> None:
    calls: list[str] = []
    graph = graph_of(calls)
    policy = WANTED.replace("@consent", '@approval("owner") @consent')
    engine = await engine_with(tmp_path / "home", policy)
    privacy = await engine.journal.privacy()
    await privacy.consent("alice", "support")
    parked = await engine.run(graph, Told(), subject="alice")
    assert parked.reason == "approval"
    await privacy.withdraw("alice", "support")
    await engine.answer(parked.run, "yes", by="ada")
    outcome = await engine.execute(parked.run, graph)
    assert "does not consent to support" in outcome.state.said
    assert calls == []
    await engine.close()


async def test_a_policy_can_ask_in_its_condition(tmp_path: Path) -> None:
    calls: list[str] = []
    graph = graph_of(calls)
    policy = (
        '@id("nobody") permit (principal, action == Action::"tool", resource) when { !context.subject };\n'
        '@id("agreed") permit (principal, action == Action::"tool", resource)'
        ' when { context.consents.contains("support") };\n'
    )
    engine = await engine_with(tmp_path / "home", policy)
    assert (await engine.run(graph, Told())).state.said == "seen"
    assert "policy denied" in (await engine.run(graph, Told(), subject="alice")).state.said
    await (await engine.journal.privacy()).consent("alice", "support")
    assert (await engine.run(graph, Told(), subject="alice")).state.said == "seen"
    await engine.close()


async def test_after_an_erasure_there_is_no_consent(tmp_path: Path) -> None:
    engine = await engine_with(tmp_path / "home", WANTED)
    privacy = await engine.journal.privacy()
    alice = await privacy.subject("alice")
    await privacy.consent("alice", "support")
    assert list(await privacy.consents(alice)) == ["support"]
    await privacy.erase("alice", reason="asked")
    assert await privacy.consents(alice) == {}
    await engine.close()


MAIL = "ada.lovelace@example.com"


async def test_what_a_policy_takes_out_goes_neither_to_model_nor_tool(tmp_path: Path) -> None:
    """`@redact("email")` on the model: not in the prompt, not in a tool's result, not on a replay; the state keeps it."""
    seen: list[str] = []

    @tool(recovery="pure")
    def find(name: str) -> str:
        """Find somebody."""
        seen.append(name)
        return f"{name} is {MAIL}"

    def script(request: Request) -> str | list[tuple[str, dict[str, object]]]:
        return "done" if results(request) else [("find", {"name": f"who has {MAIL}?"})]

    gate = CedarGate(
        {
            "p.cedar": '@id("model") @redact("email") permit (principal, action == Action::"model", resource);\n'
            '@id("tool") @redact("email,phone") permit (principal, action == Action::"tool", resource);\n'
        }
    )
    agent = Agent("clerk", f"You work for {MAIL}.", tools=[find])
    model = Scripted(script)
    async with Engine(home=tmp_path / "home", model=model, gate=gate) as engine:
        outcome = await agent.run(f"Write to {MAIL}", engine)
        assert outcome.status == "finished", outcome.detail
        sent = msgspec.json.encode(model.requests).decode()
        assert MAIL not in sent
        assert sent.count("[redacted:email]") >= 3
        assert seen == ["who has [redacted:email]?"]
        answered = [r for r in await engine.records(outcome.run) if isinstance(r.event, ev.ToolAnswered)]
        again = Scripted(script)
        engine._model = again
        fork = await engine.fork(outcome.run, answered[0].sequence)
        assert (await engine.execute(fork, agent.graph)).status == "finished"
        assert [r.messages for r in again.requests] == [r.messages for r in model.requests[1:]]


async def test_what_nobody_can_take_out_is_no_permission(tmp_path: Path) -> None:
    policy = '@id("odd") @redact("fingerprints") permit (principal, action == Action::"tool", resource);\n'
    engine = await engine_with(tmp_path / "home", policy)
    calls: list[str] = []
    assert "fingerprints" in (await engine.run(graph_of(calls), Told())).state.said
    assert calls == []
    await engine.close()


async def test_what_an_effect_cannot_take_out_is_no_permission(tmp_path: Path) -> None:
    from forgewright.code.engine import CodeEngine

    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.py").write_text("x = 1\n")
    graph = Graph("g", Told)

    @graph.node(to=[END])
    async def act(state: Told, context: Context) -> Update:
        try:
            await context.edit("(rename-variable old: 'x' new: 'y' scope: 'a.py')")
        except PolicyDenied as error:
            return Update(said=str(error))
        return Update(said="done")

    gate = CedarGate({"p.cedar": '@id("edits") @redact("email") permit (principal, action, resource);'})
    async with Engine(home=tmp_path / "home", gate=gate) as engine:
        outcome = await engine.run(graph, Told(), code=CodeEngine(tmp_path / "tree"))
    assert "does not know how to do" in outcome.detail + outcome.state.said
    assert (tmp_path / "tree" / "a.py").read_text() == "x = 1\n"
