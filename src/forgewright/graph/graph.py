"""A graph: nodes with declared ways out, checked when it is built, drawn when it is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from forgewright.core.errors import UsageError
from forgewright.graph.state import State, shape_of
from forgewright.graph.transition import END, Branch, Goto, Transition

S = TypeVar("S", bound=State)
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Node:
    """A named async function of (state, context) with its declared targets."""

    __slots__ = ("function", "name", "to", "visits_max")

    def __init__(
        self,
        name: str,
        function: Callable[[Any, Any], Awaitable[Transition]],
        to: Sequence[str],
        visits_max: int,
    ) -> None:
        self.name = name
        self.function = function
        self.to = tuple(to)
        self.visits_max = visits_max

    def targets(self, transition: Transition) -> tuple[Branch, ...]:
        """Where a transition leads; raises `UsageError` for a target that was not declared."""
        if isinstance(transition, Goto):
            branches = tuple(t if isinstance(t, Branch) else Branch(t) for t in transition.to)
        elif len(self.to) == 1:
            branches = (Branch(self.to[0]),)
        else:
            raise UsageError(
                f"node {self.name!r} declared {len(self.to)} ways out and returned none of them",
                hint=f"return Goto(…) with one of: {', '.join(self.to)}",
            )
        for branch in branches:
            if branch.node not in self.to:
                raise UsageError(
                    f"node {self.name!r} went to {branch.node!r}, which it did not declare",
                    hint=f"declared are: {', '.join(self.to)}",
                )
        return branches


class Graph(Generic[S]):
    """An explicit state machine.

        graph = Graph("review", Review)

        @graph.node(to=["test"])
        async def code(state: Review, context: Context) -> Update: ...

    The first node is the start unless another says `start=True`. `check()` is called before a run and
    refuses unknown targets, nodes that can't be reached and nodes with no way out.
    """

    def __init__(self, name: str, state: type[S], *, steps_max: int = 1000) -> None:
        self.name = name
        self.state = state
        self.steps_max = steps_max
        self.nodes: dict[str, Node] = {}
        self.start = ""
        self._checked = False

    def node(
        self, *, to: Sequence[str], name: str | None = None, start: bool = False, visits_max: int = 1000
    ) -> Callable[[F], F]:
        """Declares the decorated function a node; `to` names all its ways out (`END` among them)."""

        def declare(function: F) -> F:
            self.add(name or function.__name__, function, to=to, start=start, visits_max=visits_max)
            return function

        return declare

    def add(
        self,
        name: str,
        function: Callable[[Any, Any], Awaitable[Transition]],
        *,
        to: Sequence[str],
        start: bool = False,
        visits_max: int = 1000,
    ) -> None:
        """The same without a decorator."""
        if name in self.nodes or name == END:
            raise UsageError(f"graph {self.name!r} has a node {name!r} already")
        if not name.isidentifier():
            raise UsageError(f"a node's name is an identifier, not {name!r}")
        self.nodes[name] = Node(name, function, to, visits_max)
        if start or not self.start:
            self.start = name
        self._checked = False

    def check(self) -> None:
        """Raises `UsageError` with all that is wrong with the graph."""
        if self._checked:
            return
        shape_of(self.state)
        wrong = []
        if not self.nodes:
            wrong.append("it has no node")
        for node in self.nodes.values():
            if not node.to:
                wrong.append(f"node {node.name!r} has no way out; say to=[END] if it ends there")
            wrong += [
                f"node {node.name!r} leads to {target!r}, which is not a node"
                for target in node.to
                if target != END and target not in self.nodes
            ]
        reached = self._reachable(self.start)
        wrong += [
            f"node {name!r} can't be reached from {self.start!r}"
            for name in self.nodes
            if name not in reached
        ]
        wrong += [
            f"node {name!r} never leads to the end"
            for name in self.nodes
            if name in reached and END not in self._reachable(name)
        ]
        if wrong:
            raise UsageError(f"graph {self.name!r} can't run: " + "; ".join(wrong))
        self._checked = True

    def _reachable(self, start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                if name in self.nodes:
                    todo.extend(self.nodes[name].to)
        return seen

    def mermaid(self) -> str:
        """The graph as a Mermaid flowchart."""
        lines = ["flowchart TD", f"    start_([start]) --> {self.start}"]
        for node in self.nodes.values():
            for target in node.to:
                style = "_end([end])" if target == END else target
                lines.append(f"    {node.name} --> {style}")
        return "\n".join(lines)
