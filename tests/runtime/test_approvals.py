"""What people rule over effects: the bytes they saw are the bytes that are done, and nothing that they did not see."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.runtime.scripted import Scripted, results

from forgewright import END, Agent, Context, Engine, Graph, Outcome, State, Update, tool
from forgewright.agent.agent import AgentState
from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError, NotFound, UsageError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.policy.gate import CedarGate
from forgewright.runtime.questions import Question

FREE = """
@id("models") permit (principal, action == Action::"model", resource);
@id("asking") permit (principal, action == Action::"ask", resource);
"""
ASKED = '@id("asked") @approval("owner") permit (principal, action == Action::"tool", resource);'
STRICTER = ASKED + '@id("why") @approval("owner") permit (principal, action == Action::"tool", resource);'


def gate(text: str = ASKED) -> CedarGate:
    return CedarGate({"test.cedar": FREE + text})


class Post:
    """A letter box, and an agent that sends what its prompt lists: `TO=TEXT` per line."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

        @tool
        def send(to: str, text: str) -> str:
            """Send a letter."""
            self.sent.append((to, text))
            return f"sent to {to}"

        def script(request: Any) -> Any:
            lines = request.messages[0].text.splitlines()
            done = len(results(request))
            if done == len(lines):
                return " | ".join(results(request))
            to, _, text = lines[done].partition("=")
            return [("send", {"to": to, "text": text})]

        self.agent = Agent("clerk", tools=[send])
        self.model = Scripted(script)

    def engine(self, home: Path, policy: CedarGate | None = None, **options: Any) -> Engine:
        return Engine(home=home, model=self.model, gate=policy or gate(), **options)

    async def start(self, engine: Engine, *lines: str) -> Outcome[AgentState]:
        return await self.agent.run("\n".join(lines), engine)

    async def go_on(self, engine: Engine, run: RunId) -> Outcome[AgentState]:
        return await engine.execute(run, self.agent.graph)


async def events(engine: Engine, run: RunId, kind: type[Any]) -> list[Any]:
    return [r.event for r in await engine.records(run) if isinstance(r.event, kind)]


# ── the four rulings ─────────────────────────────────────────────────────────────────────────────────


async def test_yes_does_what_was_asked_and_once(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        assert (parked.reason, post.sent) == ("approval", [])
        (question,) = await engine.questions(parked.run)
        assert question.about["arguments"] == {"to": "ada", "text": "hello"}
        await engine.answer(parked.run, "yes", by="olga")
        outcome = await post.go_on(engine, parked.run)
    assert outcome.state.answer == "sent to ada"
    assert post.sent == [("ada", "hello")]


async def test_no_with_its_reason_is_told_to_the_model(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        await engine.answer(parked.run, "no: she is on leave", by="olga")
        outcome = await post.go_on(engine, parked.run)
    assert outcome.state.answer == "owner did not approve tool on 'send': she is on leave"
    assert post.sent == []


async def test_edited_arguments_are_what_is_done_and_journaled_and_the_gate_decides_over_them(
    tmp_path: Path,
) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        ruling = {"do": "edit", "arguments": {"to": "bob", "text": "good day"}}
        await engine.answer(parked.run, ruling, by="olga")
        outcome = await post.go_on(engine, parked.run)
        asked = await events(engine, parked.run, ev.ToolAsked)
        (question,) = await events(engine, parked.run, ev.QuestionAsked)
    assert post.sent == [("bob", "good day")]
    assert outcome.state.answer.endswith('{"to":"bob","text":"good day"})\nsent to bob')
    assert len(asked) == 2, "the edited call is an effect of its own, with a decision of its own"
    assert msgspec.json.decode(msgspec.json.decode(asked[1].arguments)) == {"to": "bob", "text": "good day"}
    assert asked[1].decision.by == ("asked",)
    assert asked[1].decision.standing == question.effect


async def test_an_edit_that_the_policy_denies_is_not_done(tmp_path: Path) -> None:
    text = ASKED + '@id("never") forbid (principal, action == Action::"tool", resource == Tool::"send") '
    text += 'when { context has untrusted && context.untrusted.contains("to") };'
    post = Post()
    async with post.engine(tmp_path, gate(text)) as engine:
        parked = await post.start(engine, "ada=hello")
        await engine.answer(parked.run, {"do": "edit", "arguments": {"to": "bob", "text": "x"}}, by="olga")
    stricter = gate('@id("no") forbid (principal, action == Action::"tool", resource);' + ASKED)
    async with post.engine(tmp_path, stricter) as engine:
        outcome = await post.go_on(engine, parked.run)
    assert post.sent == []
    assert "policy denied" in outcome.state.answer


async def test_arguments_that_do_not_fit_are_asked_for_again(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        await engine.answer(parked.run, {"do": "edit", "arguments": {"too": "bob"}}, by="olga")
        parked = await post.go_on(engine, parked.run)
        assert parked.reason == "approval"
        assert "do not fit" in parked.detail
        await engine.answer(parked.run, {"do": "edit", "arguments": {"to": "bob", "text": "x"}}, by="olga")
        outcome = await post.go_on(engine, parked.run)
    assert outcome.status == "finished"
    assert post.sent == [("bob", "x")]


async def test_an_answer_stands_in_the_tools_place(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        await engine.answer(parked.run, {"do": "answer", "result": "I told her myself"}, by="olga")
        outcome = await post.go_on(engine, parked.run)
        again = await post.go_on(engine, parked.run)
    assert outcome.state.answer == again.state.answer == "I told her myself"
    assert post.sent == []


@pytest.mark.parametrize("ruling", [{"do": "approve", "and": 1}, {"do": "fly"}, 7, {"do": "edit"}])
async def test_a_ruling_that_is_none_is_not_taken(tmp_path: Path, ruling: Any) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        with pytest.raises(UsageError, match="can't be read"):
            await engine.answer(parked.run, ruling, by="olga")
        assert not await events(engine, parked.run, ev.QuestionAnswered)


async def test_a_person_at_hand_rules_without_a_pause(tmp_path: Path) -> None:
    asked: list[Question] = []

    async def person(question: Question) -> Any:
        asked.append(question)
        return {"do": "edit", "arguments": {"to": "bob", "text": "x"}}

    post = Post()
    async with post.engine(tmp_path, on_ask=person) as engine:
        outcome = await post.start(engine, "ada=hello")
    assert outcome.status == "finished"
    assert post.sent == [("bob", "x")]
    assert len(asked) == 1


# ── void, stale, replayed ────────────────────────────────────────────────────────────────────────────


async def test_a_yes_under_another_policy_is_void_and_asked_for_again(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
        (first,) = await engine.questions(parked.run)
        await engine.answer(parked.run, "yes", by="olga")
    async with post.engine(tmp_path, gate(STRICTER)) as engine:
        parked = await post.go_on(engine, parked.run)
        assert parked.reason == "approval"
        assert "void" in parked.detail
        assert post.sent == []
        (second,) = await engine.questions(parked.run)
        assert second.effect != first.effect
        with pytest.raises(UsageError, match="there are 0"):
            await engine.answer(parked.run, "yes", by="olga", effect=first.effect)
        await engine.answer(parked.run, "yes", by="olga", effect=second.effect)
        outcome = await post.go_on(engine, parked.run)
    assert outcome.status == "finished"
    assert post.sent == [("ada", "hello")]


async def test_an_open_question_is_closed_where_the_policy_needs_no_yes_any_more(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello")
    freely = gate('@id("free") permit (principal, action == Action::"tool", resource);')
    async with post.engine(tmp_path, freely) as engine:
        outcome = await post.go_on(engine, parked.run)
        assert outcome.status == "finished"
        assert await engine.questions(parked.run) == ()
        (begun,) = await events(engine, parked.run, ev.EffectBegun)
    assert begun.decision == ev.Decision(True, ("free",))
    assert post.sent == [("ada", "hello")]


async def test_a_yes_said_twice_counts_once_and_a_later_no_changes_nothing(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=hello", "bob=hello")
        (question,) = await engine.questions(parked.run)
        await engine.answer(parked.run, "yes", by="olga")
        with pytest.raises(UsageError, match="there are 0"):
            await engine.answer(parked.run, "no", by="mallory", effect=question.effect)
        # the same answer, put into the journal again by whoever can write to it
        records = await engine.records(parked.run)
        replayed = next(r.event for r in records if isinstance(r.event, ev.QuestionAnswered))
        await engine.journal.append(parked.run, [replayed], expected=records[-1].sequence, actor="mallory")
        parked = await post.go_on(engine, parked.run)
        assert parked.reason == "approval", "the second letter has a question of its own"
    assert post.sent == [("ada", "hello")]


class Edited(State):
    said: str = ""


def editing(program: str) -> Graph[Edited]:
    graph = Graph("editing", Edited)

    @graph.node(to=[END])
    async def edit(state: Edited, context: Context) -> Update:
        try:
            return Update(said=(await context.edit(program)).text)
        except ForgewrightError as error:
            return Update(said=f"{error.code}: {error.message}")

    return graph


EDITS = gate('@id("edits") @approval("owner") permit (principal, action == Action::"edit", resource);')
RENAME = "(rename at: 'm.py:2:5' new: 'b')"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "m.py").write_text("def f():\n    a = 1\n    return a\n")
    return root


async def test_an_approved_edit_is_done_on_the_files_it_was_approved_for(tmp_path: Path, tree: Path) -> None:
    graph = editing(RENAME)
    async with Engine(home=tmp_path / "home", gate=EDITS) as engine:
        parked = await engine.run(graph, Edited(), code=CodeEngine(tree))
        assert parked.reason == "approval"
        (question,) = await engine.questions(parked.run)
        assert question.about["arguments"]["path"] == ["m.py"]
        await engine.answer(parked.run, "yes", by="olga")
        outcome = await engine.execute(parked.run, graph, code=CodeEngine(tree))
    assert outcome.status == "finished"
    assert (tree / "m.py").read_text() == "def f():\n    b = 1\n    return b\n"


async def test_an_approved_edit_of_files_that_changed_since_is_not_done(tmp_path: Path, tree: Path) -> None:
    graph = editing(RENAME)
    async with Engine(home=tmp_path / "home", gate=EDITS) as engine:
        parked = await engine.run(graph, Edited(), code=CodeEngine(tree))
        await engine.answer(parked.run, "yes", by="olga")
        other = "def f():\n    a = 1\n    steal(a)\n    return a\n"
        (tree / "m.py").write_text(other)
        outcome = await engine.execute(parked.run, graph, code=CodeEngine(tree))
        assert (tree / "m.py").read_text() == other
        assert outcome.state.said.startswith("conflict")
        assert (await engine.execute(parked.run, graph)).state.said == outcome.state.said


async def test_files_that_change_while_the_person_thinks_make_the_answer_void(
    tmp_path: Path, tree: Path
) -> None:
    async def person(question: Question) -> str:
        (tree / "m.py").write_text("def f():\n    a = 2\n    return a\n")
        return "yes"

    async with Engine(home=tmp_path / "home", gate=EDITS, on_ask=person) as engine:
        outcome = await engine.run(editing(RENAME), Edited(), code=CodeEngine(tree))
    assert outcome.state.said.startswith("conflict")
    assert "a = 2" in (tree / "m.py").read_text()


# ── approvals that stand ─────────────────────────────────────────────────────────────────────────────


def standing(**remember: Any) -> dict[str, Any]:
    return {"do": "approve", "remember": remember}


async def test_a_standing_approval_covers_what_fits_its_constraints_and_is_journaled(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada@x.example=1", "bob@x.example=2", "eve@y.example=3")
        await engine.answer(parked.run, standing(where={"to": "*@x.example"}), by="olga")
        parked = await post.go_on(engine, parked.run)
        assert post.sent == [("ada@x.example", "1"), ("bob@x.example", "2")]
        assert parked.reason == "approval", "the third is not covered"
        (held,) = await engine.approvals(parked.run)
        assert (held.by, held.used) == ("olga", 1)
        asked = await events(engine, parked.run, ev.ToolAsked)
        assert [event.decision.standing for event in asked] == [None, held.approval, None]


async def test_it_ends_with_its_time(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=1", "ada=2")
        await engine.answer(parked.run, standing(until=int(time.time() * 1000) - 1), by="olga")
        parked = await post.go_on(engine, parked.run)
    assert parked.reason == "approval"
    assert post.sent == [("ada", "1")]


async def test_it_ends_with_its_number(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=1", "ada=2", "ada=3", "ada=4")
        await engine.answer(parked.run, standing(times=2), by="olga")
        parked = await post.go_on(engine, parked.run)
    assert parked.reason == "approval"
    assert [text for _, text in post.sent] == ["1", "2", "3"], "the one that was asked about, and two more"


async def test_it_ends_when_it_is_revoked_also_from_another_process(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=1", "ada=2")
        await engine.answer(parked.run, standing(), by="olga")
    async with Engine(home=tmp_path) as other:
        (held,) = await other.approvals(parked.run)
        await other.revoke(parked.run, held.approval, by="olga", reason="enough")
        with pytest.raises(NotFound, match="no standing approval"):
            await other.revoke(parked.run, held.approval, by="olga")
    async with post.engine(tmp_path) as engine:
        parked = await post.go_on(engine, parked.run)
    assert parked.reason == "approval"
    assert post.sent == [("ada", "1")]


async def test_it_ends_with_the_policy_and_is_not_inherited_by_forks_or_other_runs(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=1", "ada=2", "ada=3")
        await engine.answer(parked.run, standing(times=1), by="olga")
        parked = await post.go_on(engine, parked.run)
        assert len(post.sent) == 2
        fork = await engine.fork(parked.run)
        assert await engine.approvals(fork) == ()
        other = await post.start(engine, "ada=1")
        assert other.reason == "approval"
        await engine.answer(parked.run, standing(), by="olga")
    async with post.engine(tmp_path, gate(STRICTER)) as engine:
        parked = await post.go_on(engine, parked.run)
    assert parked.reason == "approval"
    assert len(post.sent) == 2


async def test_it_does_not_cover_another_tool_of_the_same_name(tmp_path: Path) -> None:
    post = Post()
    async with post.engine(tmp_path) as engine:
        parked = await post.start(engine, "ada=1", "ada=2")
        await engine.answer(parked.run, standing(), by="olga")

    changed = Post()
    changed.agent.tools["send"].description = "Send a letter, and a copy to everybody."
    async with changed.engine(tmp_path) as engine:
        parked = await changed.go_on(engine, parked.run)
        assert parked.reason == "approval"
    assert changed.sent == []


# ── typed questions ──────────────────────────────────────────────────────────────────────────────────


class Order(msgspec.Struct, frozen=True):
    item: str
    count: int


class Asked(State):
    got: str = ""


def asking(kind: Any) -> Graph[Asked]:
    graph = Graph("asking", Asked)

    @graph.node(to=[END])
    async def ask(state: Asked, context: Context) -> Update:
        answer = await context.ask("well?", answer=kind)
        return Update(got=f"{type(answer).__name__} {answer}")

    return graph


@pytest.mark.parametrize(
    ("kind", "answer", "got"),
    [
        (bool, "yes", "bool True"),
        (bool, False, "bool False"),
        (int, "12", "int 12"),
        (float, "1.5", "float 1.5"),
        (str, "12", "str 12"),
        (Order, {"item": "tea", "count": 2}, "Order Order(item='tea', count=2)"),
        (Order, '{"item": "tea", "count": 2}', "Order Order(item='tea', count=2)"),
    ],
)
async def test_a_typed_question_gets_a_typed_answer(kind: Any, answer: Any, got: str) -> None:
    async with Engine() as engine:
        graph = asking(kind)
        parked = await engine.run(graph, Asked())
        await engine.answer(parked.run, answer, by="olga")
        assert (await engine.execute(parked.run, graph)).state.got == got


@pytest.mark.parametrize(
    ("kind", "answer"),
    [(bool, "perhaps"), (int, "1.5"), (int, "many"), (Order, '{"item": "tea"}'), (Order, "tea")],
)
async def test_what_does_not_fit_is_no_answer(kind: Any, answer: str) -> None:
    async with Engine() as engine:
        parked = await engine.run(asking(kind), Asked())
        with pytest.raises(UsageError, match="does not fit"):
            await engine.answer(parked.run, answer, by="olga")
        assert len(await engine.questions(parked.run)) == 1
