"""What a server asks for in the middle of a call goes through the run: its people, its models, its policy, its journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.agent.workspace.trees import Said, calling, gate
from tests.runtime.scripted import Scripted

from forgewright import END, Context, Engine, Graph, Update
from forgewright.agent.mcp import GatedServer
from forgewright.journal import events as ev
from forgewright.models.types import ToolCall
from forgewright.tools import Tool, tool
from forgewright.tools.mcp import McpClient, ServedCall, ToolServer

ERAS = ["legacy", "2026-07-28"]
POLICY = """
@id("asking") permit (principal, action == Action::"ask", resource);
@id("tools") permit (principal, action == Action::"tool", resource);
"""
SAMPLING = '@id("sampling") permit (principal == Agent::"mcp:shop", action == Action::"model", resource);'
calls: list[str] = []


@tool(recovery="idempotent")
async def order(item: str, call: ServedCall) -> str:
    """Orders something, and asks for what is missing"""
    calls.append(item)
    properties = {
        "size": {"type": "string", "enum": ["small", "large"], "description": "Which size"},
        "count": {"type": "integer", "description": "How many"},
        "gift": {"type": "boolean"},
        "note": {"type": "string", "default": "none"},
    }
    schema = {"type": "object", "properties": properties, "required": ["size", "count", "gift"]}
    answer = await call.ask("details", f"Details for {item}", schema)
    return f"{answer['action']}: {sorted((answer.get('content') or {}).items())}"


@tool(recovery="idempotent")
async def describe(item: str, call: ServedCall) -> str:
    """Has the client's model describe something"""
    answer = await call.sample("words", f"Describe {item}", max_tokens=50)
    return f"described: {answer['content'].get('text', '')}"


def server() -> ToolServer:
    calls.clear()
    return ToolServer([order, describe])


def client(gated: GatedServer, era: str) -> McpClient:
    recovery: Any = {"order": "idempotent", "describe": "idempotent"}
    return McpClient("shop", server(), ask=gated.ask, sample=gated.sample, recovery=recovery, mode=era)  # type: ignore[arg-type]


def named(tools: list[Tool], name: str) -> Tool:
    return next(one for one in tools if one.name == name)


async def answered(era: str, answers: list[str], home: Path) -> tuple[str, list[str]]:
    """The tool's result, and the questions, when the owner answers so."""
    gated = GatedServer("shop")
    asked = []
    async with client(gated, era) as shop, Engine(home=home, gate=gate(POLICY)) as engine:
        graph = calling(named(gated.tools(shop.tools), "shop_order"), {"item": "tea"})
        outcome = await engine.run(graph, Said())
        for answer in answers:
            assert outcome.reason == "question", outcome
            asked.append(outcome.detail)
            await engine.answer(outcome.run, answer, by="ada")
            outcome = await engine.execute(outcome.run, graph)
    assert outcome.status == "finished", outcome
    return outcome.state.text, asked


@pytest.mark.parametrize("era", ERAS)
async def test_a_servers_question_is_a_question_of_the_run(era: str, tmp_path: Path) -> None:
    text, asked = await answered(era, ["large", "many", "3", "yes"], tmp_path)
    assert text == "accept: [('count', 3), ('gift', True), ('note', 'none'), ('size', 'large')]"
    assert asked[0] == "shop asks: Details for tea\nsize: Which size (or: decline) (small | large | decline)"
    assert asked[2].endswith("('many' is no integer)")


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_may_decline(era: str, tmp_path: Path) -> None:
    text, _ = await answered(era, ["small", "decline"], tmp_path)
    assert "accept" not in text


@pytest.mark.parametrize("era", ERAS)
async def test_a_policy_may_forbid_the_question(era: str) -> None:
    gated = GatedServer("shop", to="stranger")
    nobody = '@id("tools") permit (principal, action == Action::"tool", resource);'
    async with client(gated, era) as shop, Engine(gate=gate(nobody)) as engine:
        outcome = await engine.run(
            calling(named(gated.tools(shop.tools), "shop_order"), {"item": "tea"}), Said()
        )
    assert outcome.status == "finished"
    assert "accept" not in outcome.state.text


@pytest.mark.parametrize("era", ERAS)
async def test_a_completion_is_a_model_call_of_the_run(era: str) -> None:
    gated = GatedServer("shop")
    model = Scripted(lambda request: f"lovely ({request.max_output_tokens})")
    async with client(gated, era) as shop:
        graph = calling(named(gated.tools(shop.tools), "shop_describe"), {"item": "tea"})
        async with Engine(model=model, gate=gate(POLICY + SAMPLING)) as engine:
            outcome = await engine.run(graph, Said())
            records = await engine.records(outcome.run)
        async with Engine(model=model, gate=gate(POLICY)) as engine:
            refused = await engine.run(graph, Said())
    assert outcome.state.text == "described: lovely (50)"
    assert [r.actor for r in records if isinstance(r.event, ev.ModelAsked)] == ["mcp:shop"]
    assert "described" not in refused.state.text
    assert len(model.requests) == 1


async def test_outside_of_a_run_everything_is_declined() -> None:
    gated = GatedServer("shop")
    async with client(gated, "legacy") as shop:
        output = await shop.call("order", {"item": "tea"})
    assert "accept" not in output.text


async def test_calls_with_questions_go_one_after_the_other() -> None:
    """Two calls side by side: each question is put by the call that it belongs to."""
    gated = GatedServer("shop")
    graph = Graph("two", Said)

    async with client(gated, "legacy") as shop:
        describe_it = named(gated.tools(shop.tools), "shop_describe")

        @graph.node(to=[END])
        async def both(state: Said, context: Context) -> Update:
            import asyncio

            made = [ToolCall(item, "shop_describe", f'{{"item": "{item}"}}') for item in ("tea", "milk")]
            scopes = [context.scope(item) for item in ("tea", "milk")]
            done = await asyncio.gather(
                *(scope.tool(describe_it, one) for scope, one in zip(scopes, made, strict=True))
            )
            return Update(text=" | ".join(result.text for result in done))

        model = Scripted(lambda request: str(request.messages[-1].text))  # type: ignore[union-attr]
        async with Engine(model=model, gate=gate(POLICY + SAMPLING)) as engine:
            outcome = await engine.run(graph, Said())
    assert outcome.state.text == "described: Describe tea | described: Describe milk"
