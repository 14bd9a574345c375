"""Where a run stands in its graph: folded from transitions, without running anything.

Nodes run in steps: all branches of a step see the same state; when all have left, their updates are merged
in the order of the branches and the targets, each once, make the next step (the bulk-synchronous model of
Pregel, Malewicz et al. 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from forgewright.core.errors import RunError, UsageError
from forgewright.graph.graph import Graph
from forgewright.graph.state import State, apply_update, shape_of
from forgewright.graph.transition import END, Branch

S = TypeVar("S", bound=State)


class Visit:
    """One branch of the step under way."""

    __slots__ = ("branch", "fields", "left", "number", "to")

    def __init__(self, number: int, branch: Branch) -> None:
        self.number = number
        self.branch = branch
        self.left = False
        self.fields: Mapping[str, Any] = {}
        self.to: tuple[Branch, ...] = ()


class Position(Generic[S]):
    """The state and the step under way. `leave` is the only thing that changes it."""

    def __init__(self, graph: Graph[S], state: S) -> None:
        graph.check()
        self.graph = graph
        self.state = state
        self.visits = 0
        self.counts: dict[str, int] = {}
        self.step: list[Visit] = []
        self._begin([Branch(graph.start)])

    @property
    def done(self) -> bool:
        return not self.step

    def open_visits(self) -> list[Visit]:
        """Branches of the step that have not left yet."""
        return [visit for visit in self.step if not visit.left]

    def seen_by(self, visit: Visit) -> S:
        """The state as this branch sees it."""
        return replaced(self.state, visit.branch.fields)

    def leave(self, number: int, fields: Mapping[str, Any], to: Sequence[Branch]) -> None:
        """A branch ended with an update and its targets; the last one of a step begins the next."""
        visit = next((v for v in self.step if v.number == number and not v.left), None)
        if visit is None:
            raise RunError(f"visit {number} is not under way in graph {self.graph.name!r}")
        visit.left, visit.fields, visit.to = True, fields, tuple(to)
        if all(v.left for v in self.step):
            self._join()

    def _join(self) -> None:
        reducers = shape_of(self.graph.state).reducers
        written: dict[str, str] = {}
        for visit in self.step:
            for name in visit.fields:
                if name in written and name not in reducers:
                    raise UsageError(
                        f"nodes {written[name]!r} and {visit.branch.node!r} ran side by side and both wrote {name!r}",
                        hint=f"give the field a reducer: {name}: Annotated[…, append]",
                    )
                written[name] = visit.branch.node
            self.state = apply_update(self.state, visit.fields)
        targets: list[Branch] = []
        plain: set[str] = set()
        for visit in self.step:
            for branch in visit.to:
                if branch.node == END or (not branch.fields and branch.node in plain):
                    continue
                if not branch.fields:
                    plain.add(branch.node)
                targets.append(branch)
        self._begin(targets)

    def _begin(self, branches: Sequence[Branch]) -> None:
        self.step = []
        for branch in branches:
            self.visits += 1
            count = self.counts[branch.node] = self.counts.get(branch.node, 0) + 1
            if count > self.graph.nodes[branch.node].visits_max or self.visits > self.graph.steps_max:
                raise RunError(
                    f"node {branch.node!r} was visited {count - 1} times, which is its bound",
                    hint="raise visits_max of the node (or steps_max of the graph), or end the loop earlier",
                )
            self.step.append(Visit(self.visits, branch))


def replaced(state: S, fields: Mapping[str, Any]) -> S:
    """`state` with fields replaced, reducers aside."""
    if not fields:
        return state
    return msgspec.structs.replace(state, **fields)
