"""Graphs are checked when built, and positions move by transitions alone."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from forgewright import END, Branch, End, Goto, Graph, State, Update, append
from forgewright.core.errors import RunError, UsageError
from forgewright.graph.position import Position
from forgewright.graph.state import decode_update, encode_update


class Numbers(State):
    seen: Annotated[list[int], append] = []
    last: int = 0


async def nothing(state: Numbers, context: object) -> None:
    return None


def test_a_sound_graph_passes_and_is_drawn() -> None:
    graph = Graph("g", Numbers)
    graph.add("one", nothing, to=["two", END])
    graph.add("two", nothing, to=["one"])
    graph.check()
    assert graph.mermaid().splitlines() == [
        "flowchart TD",
        "    start_([start]) --> one",
        "    one --> two",
        "    one --> _end([end])",
        "    two --> one",
    ]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({}, "it has no node"),
        ({"one": []}, "node 'one' has no way out"),
        ({"one": ["gone"]}, "node 'one' leads to 'gone', which is not a node"),
        ({"one": [END], "two": [END]}, "node 'two' can't be reached from 'one'"),
        ({"one": ["two", END], "two": ["two"]}, "node 'two' never leads to the end"),
    ],
)
def test_an_unsound_graph_is_refused_with_the_reason(nodes: dict[str, list[str]], said: str) -> None:
    graph = Graph("g", Numbers)
    for name, to in nodes.items():
        graph.add(name, nothing, to=to)
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        graph.check()


def test_two_nodes_of_one_name_are_refused() -> None:
    graph = Graph("g", Numbers)
    graph.add("one", nothing, to=[END])
    with pytest.raises(UsageError, match="already"):
        graph.add("one", nothing, to=[END])


def test_a_node_goes_only_where_it_declared() -> None:
    graph = Graph("g", Numbers)
    graph.add("one", nothing, to=["two", END])
    graph.add("two", nothing, to=[END])
    one, two = graph.nodes["one"], graph.nodes["two"]
    assert [b.node for b in two.targets(None)] == [END]
    assert [b.node for b in one.targets(Goto("two"))] == ["two"]
    with pytest.raises(UsageError, match="declared 2 ways out and returned none"):
        one.targets(Update(last=1))
    with pytest.raises(UsageError, match="did not declare"):
        two.targets(Goto("one"))
    assert [b.node for b in one.targets(End(last=2))] == [END]


def test_branches_of_a_step_see_the_same_state_and_join_in_order() -> None:
    graph = Graph("g", Numbers)
    graph.add("fan", nothing, to=["work"])
    graph.add("work", nothing, to=["join"])
    graph.add("join", nothing, to=[END])
    position = Position(graph, Numbers())
    position.leave(1, {}, [Branch("work", last=7), Branch("work", last=8)])
    first, second = position.open_visits()
    assert (position.seen_by(first).last, position.seen_by(second).last) == (7, 8)
    position.leave(second.number, {"seen": [8]}, [Branch("join")])
    assert [v.number for v in position.open_visits()] == [first.number]
    position.leave(first.number, {"seen": [7]}, [Branch("join")])
    assert position.state == Numbers(seen=[7, 8])  # in the order of the branches, not of their ends
    assert [v.branch.node for v in position.open_visits()] == ["join"]


def test_two_branches_may_not_write_a_field_without_reducer() -> None:
    graph = Graph("g", Numbers)
    graph.add("fan", nothing, to=["a", "b"])
    graph.add("a", nothing, to=[END])
    graph.add("b", nothing, to=[END])
    position = Position(graph, Numbers())
    position.leave(1, {}, [Branch("a"), Branch("b")])
    position.leave(2, {"last": 1}, [Branch(END)])
    with pytest.raises(UsageError, match="both wrote 'last'"):
        position.leave(3, {"last": 2}, [Branch(END)])


def test_a_loop_has_a_bound() -> None:
    graph = Graph("g", Numbers)
    graph.add("again", nothing, to=["again", END], visits_max=3)
    position = Position(graph, Numbers())
    position.leave(1, {}, [Branch("again")])
    position.leave(2, {}, [Branch("again")])
    with pytest.raises(RunError, match="visited 3 times, which is its bound"):
        position.leave(3, {}, [Branch("again")])


def test_updates_survive_their_encoding() -> None:
    raw = encode_update(Numbers, {"seen": 3, "last": 4})
    assert decode_update(Numbers, raw) == {"seen": 3, "last": 4}
    raw = encode_update(Numbers, {"seen": [3, 4]})
    assert decode_update(Numbers, raw) == {"seen": [3, 4]}
    with pytest.raises(UsageError, match="unknown fields: typo"):
        encode_update(Numbers, {"typo": 1})
    with pytest.raises(msgspec.ValidationError):
        decode_update(Numbers, msgspec.Raw(b'{"last":"x"}'))
