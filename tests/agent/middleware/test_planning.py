"""Plan and act: nothing is changed before the plan is accepted, an acceptance is for the very plan, and reminders stay put."""

from __future__ import annotations

from pathlib import Path

import msgspec
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Agent, Engine, Outcome, Request, tool
from forgewright.agent.agent import AgentState
from forgewright.agent.builtin.plan import Step, write_plan
from forgewright.agent.middleware import Planning
from forgewright.agent.middleware.planning import plan_digest
from forgewright.journal import events as ev
from forgewright.models.types import Message

STEPS = [{"title": "read", "status": "in_progress"}, {"title": "write", "status": "pending"}]
LATER = [{"title": "read", "status": "completed"}, {"title": "write", "status": "in_progress"}]
OTHER = [{"title": "read", "status": "completed"}, {"title": "delete all", "status": "in_progress"}]

Calls = list[tuple[str, dict[str, object]]]


def turns(*script: Calls) -> Scripted:
    model: Scripted

    def answer(request: Request) -> Reply:
        n = len(model.requests) - 1
        return script[n] if n < len(script) else "end"

    model = Scripted(answer)
    return model


class Place:
    """What the tools touch."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        changes = self.changes

        @tool(recovery="pure")
        def look(where: str) -> str:
            """Look."""
            return f"at {where}"

        @tool(recovery="idempotent")
        def change(what: str) -> str:
            """Change."""
            changes.append(what)
            return f"changed {what}"

        self.tools = [look, change, write_plan]

    def agent(self, planning: Planning) -> Agent:
        return Agent("coder", tools=[*self.tools, *planning.tools], middleware=[planning])


async def run(planning: Planning, model: Scripted, place: Place, **options: object) -> Outcome[AgentState]:
    async with Engine(model=model, **options) as engine:  # type: ignore[arg-type]
        return await place.agent(planning).run("go", engine)


async def test_before_a_plan_only_pure_tools_are_called() -> None:
    place = Place()
    model = turns(
        [("look", {"where": "a"}), ("change", {"what": "1"})],
        [("propose_plan", {"steps": STEPS}), ("change", {"what": "2"})],
        [("change", {"what": "3"}), ("write_plan", {"steps": LATER})],
        [("change", {"what": "4"})],
    )
    await run(Planning(first=True), model, place)
    assert place.changes == ["3", "4"], "a step that is done does not change the plan"
    told = results(model.requests[-1])
    assert told[0] == "at a"
    assert told[1].startswith("change was not called: the plan is not accepted yet; until then only tools")
    assert told[2] == "the plan is accepted; work on it"
    assert told[3].startswith("change was not called"), "the turn began in plan mode"


async def test_another_plan_is_another_question() -> None:
    asked: list[str] = []

    async def owner(run: object, to: str, question: str, choices: object) -> str:
        asked.append(question)
        return "yes" if "delete all" not in question else "no, keep them"

    place = Place()
    model = turns(
        [("propose_plan", {"steps": STEPS})],
        [("change", {"what": "1"})],
        [("write_plan", {"steps": OTHER}), ("change", {"what": "2"})],
        [("propose_plan", {"steps": OTHER})],
        [("change", {"what": "3"})],
        [("propose_plan", {"steps": LATER})],
        [("change", {"what": "4"})],
    )
    await run(Planning(first=True, approval="owner"), model, place, on_question=owner)
    assert place.changes == ["1", "4"]
    told = results(model.requests[-1])
    assert "the plan was changed since it was accepted" in told[3]
    assert told[4] == "owner did not accept the plan: no, keep them"
    assert len(asked) == 3
    assert asked[0].startswith("coder wants to work by this plan:\n1. read\n2. write\nAccept it?")


async def test_an_acceptance_waits_for_a_person_and_is_bound_to_the_plan_s_bytes(tmp_path: Path) -> None:
    place = Place()
    planning = Planning(first=True, approval="owner")
    model = turns([("propose_plan", {"steps": STEPS})], [("change", {"what": "1"})])
    async with Engine(model=model, home=tmp_path) as engine:
        parked = await place.agent(planning).run("go", engine)
        assert (parked.reason, place.changes) == ("approval", [])
        question = next(
            r.event for r in await engine.records(parked.run) if isinstance(r.event, ev.QuestionAsked)
        )
        about = msgspec.json.decode(question.about)
        assert about == {"plan": plan_digest([Step("read"), Step("write")]), "steps": ["read", "write"]}
        await engine.answer(parked.run, "yes", by="ada")
    async with Engine(model=model, home=tmp_path) as engine:
        outcome = await engine.execute(parked.run, place.agent(planning).graph)
    assert (outcome.state.answer, place.changes) == ("end", ["1"]), outcome.detail


async def test_a_reminder_is_added_at_the_end_and_no_earlier_byte_changes() -> None:
    place = Place()
    looks: list[Calls] = [[("look", {"where": str(n)})] for n in range(12)]
    model = turns([("write_plan", {"steps": STEPS})], *looks)
    await run(Planning(remind_turns=4), model, place)
    bodies = [encoded(request.messages) for request in model.requests]
    for before, after in zip(bodies, bodies[1:], strict=False):
        assert after.startswith(before), "the provider's cache serves all that was sent before"
    reminded = [n for n, text in enumerate(results(model.requests[-1])) if "[The plan: " in text]
    assert reminded == [4, 8, 12]
    assert results(model.requests[-1])[4] == (
        "at 3\n\n[The plan: 0 of 2 steps are completed; in progress: read; next: write."
        " Keep it up to date with write_plan.]"
    )
    assert {r.system for r in model.requests} == {""}
    assert len({msgspec.json.encode(r.tools) for r in model.requests}) == 1


async def test_no_reminder_where_nothing_is_open() -> None:
    place = Place()
    done = [{"title": "read", "status": "completed"}]
    for first in ([("write_plan", {"steps": done})], [("look", {"where": "x"})]):
        model = turns(first, *[[("look", {"where": str(n)})] for n in range(8)])
        await run(Planning(remind_turns=2), model, place)
        assert not any("[The plan" in text for text in results(model.requests[-1]))


async def test_the_plan_is_shown_while_it_is_made_and_worked_on() -> None:
    from forgewright.cli.progress import Progress

    progress, seen = Progress(), []

    def on_record(record: ev.Record) -> None:
        progress.observe(record)
        seen.append([(step.title, step.status) for step in progress.plan])

    place = Place()
    model = turns([("propose_plan", {"steps": STEPS})], [("write_plan", {"steps": LATER})])
    await run(Planning(first=True), model, place, on_record=on_record)
    shown = [plan for n, plan in enumerate(seen) if plan and plan != seen[n - 1]]
    assert shown == [
        [("read", "in_progress"), ("write", "pending")],
        [("read", "completed"), ("write", "in_progress")],
    ]


def encoded(messages: tuple[Message, ...]) -> bytes:
    return b"".join(msgspec.json.encode(message) for message in messages)
