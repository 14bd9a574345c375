"""What every shipped middleware holds: alone and all together in the documented order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Agent, Context, Engine, Request, tool
from forgewright.agent.agent import AgentState
from forgewright.agent.middleware import (
    Fallback,
    Guardrail,
    Middleware,
    Planning,
    RateLimit,
    Redaction,
    ResponseCache,
    Retry,
    SpendLimit,
    StuckDetection,
    Tracing,
)
from forgewright.models.types import User


def all_in_order() -> list[Middleware]:
    """As the documentation composes them, outermost first."""
    return [
        Tracing(lambda span: None),
        SpendLimit(requests=100),
        Guardrail(input=[lambda text, context: None], results=[lambda text, context: None]),
        Redaction(),
        Planning(),
        ResponseCache(),
        RateLimit(requests_per_minute=10_000),
        Fallback(),
        Retry(tools={"echo"}),
        StuckDetection(),
    ]


MAKERS: dict[str, Callable[[], list[Middleware]]] = {
    type(one).__name__: (lambda at=at: [all_in_order()[at]])  # type: ignore[misc]
    for at, one in enumerate(all_in_order())
} | {"all": all_in_order, "all, turned round": lambda: all_in_order()[::-1]}
pytestmark = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@tool(recovery="pure")
def echo(text: str) -> str:
    """Say it back."""
    return text


@tool(recovery="pure")
async def ask_owner(question: str, context: Context) -> str:
    """Ask."""
    return await context.ask(question)


def script(request: Request) -> Reply:
    """Two calls side by side, a question, another call, then all results as the answer; named by the prompt."""
    told = results(request)
    name = request.messages[0].text
    turns: dict[int, Reply] = {
        0: [("echo", {"text": f"{name} 1"}), ("echo", {"text": f"{name} 2"})],
        2: [("ask_owner", {"question": f"{name}?"})],
        3: [("echo", {"text": f"{name} 3"})],
    }
    return turns.get(len(told), " | ".join(told))


def agent(make: Callable[[], list[Middleware]]) -> Agent:
    return Agent("a", "Be good.", tools=[echo, ask_owner], middleware=make())


async def yes(*_: object) -> str:
    return "yes"


async def test_it_changes_nothing_that_it_has_no_reason_to_change(
    make: Callable[[], list[Middleware]],
) -> None:
    plain, wrapped = Scripted(script), Scripted(script)
    answers = []
    for model, middleware in ((plain, list), (wrapped, make)):
        async with Engine(model=model, on_question=yes) as engine:
            answers.append((await agent(middleware).run("x", engine)).state.answer)
    assert answers == ["x 1 | x 2 | yes | x 3"] * 2
    assert [r.messages for r in plain.requests] == [r.messages for r in wrapped.requests]
    assert [r.system for r in plain.requests] == [r.system for r in wrapped.requests]
    assert [r.tools for r in plain.requests] == [r.tools for r in wrapped.requests]


async def test_a_run_goes_on_from_its_journal_in_another_process(
    make: Callable[[], list[Middleware]], tmp_path: Path
) -> None:
    model = Scripted(script)
    async with Engine(model=model, home=tmp_path) as engine:
        parked = await agent(make).run("x", engine)
        assert (parked.status, parked.reason) == ("parked", "question")
    asked = len(model.requests)
    async with Engine(model=model, home=tmp_path) as engine:
        await engine.answer(parked.run, "no", by="ada")
        outcome = await engine.execute(parked.run, agent(make).graph)
    assert outcome.state.answer == "x 1 | x 2 | no | x 3", outcome.detail
    assert len(model.requests) == asked + 2, "nothing that was answered is asked again"


async def test_one_instance_serves_many_agents_at_once_without_mixing_them(
    make: Callable[[], list[Middleware]],
) -> None:
    one = agent(make)
    async with Engine(model=Scripted(script), on_question=yes) as engine:
        outcomes = await asyncio.gather(*(one.run(f"n{n}", engine) for n in range(12)))
    assert [o.state.answer for o in outcomes] == [f"n{n} 1 | n{n} 2 | yes | n{n} 3" for n in range(12)]


async def test_a_failing_tool_stays_a_result(make: Callable[[], list[Middleware]]) -> None:
    @tool
    def broken() -> str:
        """Fails."""
        raise ValueError("no such thing")

    model = Scripted(lambda request: told[0] if (told := results(request)) else [("broken", {})])
    async with Engine(model=model) as engine:
        outcome = await Agent("a", tools=[broken], middleware=make()).run("x", engine)
    assert outcome.state.answer == "ValueError: no such thing"


async def test_a_model_that_is_not_to_be_had_parks_the_run(make: Callable[[], list[Middleware]]) -> None:
    from forgewright.core.errors import ModelAuthError

    class Down(Scripted):
        async def respond(self, request: Request, **options: object) -> object:  # type: ignore[override]
            raise ModelAuthError("the key is refused")

    async with Engine(model=Down(script)) as engine:
        outcome = await Agent("a", middleware=make()).run("x", engine)
    assert (outcome.status, outcome.reason) == ("parked", "model:model_auth")


async def test_a_conversation_handed_on_is_not_changed(make: Callable[[], list[Middleware]]) -> None:
    from forgewright import END, Graph, Update

    graph = Graph("g", AgentState)
    one = Agent("a", tools=[echo, ask_owner], middleware=make())

    @graph.node(to=[END])
    async def act(state: AgentState, context: Context) -> Update:
        first = await one.act(context, "x")
        second = await one.act(context.scope("again"), [*first.messages, User("and again")])
        assert second.messages[: len(first.messages)] == first.messages
        return Update(answer=second.text)

    async with Engine(model=Scripted(script), on_question=yes, raise_errors=True) as engine:
        assert (await engine.run(graph, AgentState(prompt=""))).state.answer == "x 1 | x 2 | yes | x 3"
