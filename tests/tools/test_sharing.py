"""Calls of one turn run side by side where they touch different things, and keep their order where they do not."""

from __future__ import annotations

import asyncio

import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Agent, Engine, tool
from forgewright.core.errors import UsageError
from forgewright.models.types import Request, ToolCall
from forgewright.tools import FunctionTool, Tool
from forgewright.tools.sharing import Touched, batches


def made(name: str, **options: object) -> FunctionTool[..., str]:
    def function(id: str = "", to: str = "") -> str:
        """Does something."""
        return id

    return FunctionTool(function, name=name, **options)  # type: ignore[arg-type]


TOOLS: dict[str, Tool] = {
    t.name: t
    for t in (
        made("look", recovery="pure"),
        made("look_order", recovery="pure", reads=["orders/{id}"]),
        made("look_orders", recovery="pure", reads=["orders"]),
        made("pay", recovery="idempotent", writes=["orders/{id}"]),
        made("ship", recovery="unsafe", reads=["orders/{id}"], writes=["parcels/{to}"]),
        made("ping", recovery="unsafe", reads=[]),
        made("anything", recovery="unsafe"),
    )
}


def cut(*calls: str) -> list[list[str]]:
    """`name id to` … → the batches, by position."""
    asked = []
    for position, text in enumerate(calls):
        name, id_, to = (*text.split(), "", "")[:3]
        asked.append(ToolCall(str(position), name, f'{{"id": "{id_}", "to": "{to}"}}'))
    return [[call.id for call in batch] for batch in batches(asked, TOOLS.get)]


@pytest.mark.parametrize(
    ("calls", "wanted"),
    [
        (["look", "look", "look_order 1"], "012"),
        (["pay 1", "pay 2", "look_order 3"], "012"),
        (["pay 1", "pay 1"], "0|1"),
        (["pay 1", "look_order 1"], "0|1"),
        (["pay 1", "look_orders"], "0|1"),
        (["pay 10", "look_order 1"], "01"),
        (["pay 1", "look"], "0|1"),
        (["ship 1 a", "ship 1 b", "look_order 1"], "012"),
        (["ship 1 a", "ship 2 a"], "0|1"),
        (["ship 1 a", "pay 1", "pay 2"], "0|12"),
        (["anything", "anything"], "0|1"),
        (["anything", "ping", "anything"], "01|2"),
        (["ping", "look", "pay 1"], "01|2"),
        (["no_such", "pay 1"], "01"),
        (["pay 1/../2", "pay 2"], "0|1"),
        (["pay ../../orders", "pay 2"], "0|1"),
        ([], ""),
    ],
)
def test_where_a_turn_is_cut(calls: list[str], wanted: str) -> None:
    assert "|".join("".join(batch) for batch in cut(*calls)) == wanted


def test_a_thing_is_a_part_of_another_by_whole_names() -> None:
    assert Touched(writes=("a/b",)).clashes(Touched(reads=("a",)))
    assert not Touched(writes=("a/b",)).clashes(Touched(writes=("a/bc",)))
    assert not Touched(reads=("a",)).clashes(Touched(reads=("a",)))
    assert Touched(writes=("",)).clashes(Touched(reads=("a",)))


def test_a_parameter_that_is_not_there_is_said_when_the_tool_is_made() -> None:
    with pytest.raises(UsageError, match="no parameter 'nope'"):
        made("x", writes=["orders/{nope}"])


async def test_an_agent_makes_them_side_by_side() -> None:
    meeting = asyncio.Barrier(3)

    @tool(recovery="idempotent", writes=["rooms/{room}"])
    async def book(room: str) -> str:
        """Books a room."""
        async with asyncio.timeout(20):
            await meeting.wait()  # nobody gets on before all three are here
        return room

    def script(request: Request) -> Reply:
        said = results(request)
        return ",".join(said) if said else [("book", {"room": room}) for room in "abc"]

    async with Engine(model=Scripted(script)) as engine:
        outcome = await Agent("booker", tools=[book]).run("Book three rooms", engine)
    assert outcome.state.answer == "a,b,c"
