"""A graph inside a node: its effects are journaled under the node's, its steps are run again on replay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from forgewright.graph.graph import Graph
from forgewright.graph.position import Position, Visit
from forgewright.graph.state import State

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

S = TypeVar("S", bound=State)


async def run_inside(graph: Graph[S], state: S, context: Context) -> S:
    """The last state of `graph`, started with `state`."""
    from forgewright.runtime.execution import raise_first

    position = Position(graph, state)

    async def visit(one: Visit) -> None:
        node = graph.nodes[one.branch.node]
        inner = context.scope(str(one.number), actor=node.name)
        transition = await node.function(position.seen_by(one), inner)
        one_fields = dict(transition.fields) if transition is not None else {}
        position.leave(one.number, one_fields, node.targets(transition))

    while not position.done:
        visits = position.open_visits()
        if len(visits) == 1:
            await visit(visits[0])
        else:
            raise_first(await asyncio.gather(*map(visit, visits), return_exceptions=True))
    return position.state
