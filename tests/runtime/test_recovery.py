"""A run that died is run again: recorded effects are answered from the journal, lost receipts as declared."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import END, Agent, Engine, Graph, State, Update, tool
from forgewright.core.errors import ForgewrightError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.models.types import Request, ToolCall
from forgewright.runtime.context import Context
from forgewright.tools import ToolOutput


class Died(BaseException):
    """Stands for the death of the process: nothing after it is executed or written."""


class Tally(State):
    total: int = 0


def once_then(*calls: str) -> Scripted:
    """A model that makes these calls one after the other, then says done."""

    def script(request: Request) -> Reply:
        seen = len(results(request))
        return [(calls[seen], {})] if seen < len(calls) else "done: " + " ".join(results(request))

    return Scripted(script)


class Mortal:
    """An engine whose journal fails from the n-th write on, as if the process had been killed there."""

    def __init__(self, engine: Engine, writes: int, *, after: bool) -> None:
        self.engine = engine
        self.left = writes
        self.after = after

    def arm(self) -> None:
        journal = self.engine.journal
        append = journal.append

        async def dying(*args: object, **options: object) -> object:
            self.left -= 1
            if self.left < 0:
                raise Died
            if self.left == 0 and not self.after:
                raise Died
            return await append(*args, **options)  # type: ignore[arg-type]

        journal.append = dying  # type: ignore[method-assign, assignment]


async def die_and_resume(home: Path, agent: Agent, model: Scripted, at: int, *, after: bool) -> str:
    """Runs `agent` until the journal's `at`-th write, then opens the home anew and resumes; its answer."""
    engine = Engine(home=home, model=model)
    await engine.open()
    run = await engine.start(agent.graph, agent.graph.state(prompt="go"))
    Mortal(engine, at, after=after).arm()
    try:
        outcome = await engine.execute(run, agent.graph)
        await engine.close()
        return outcome.state.answer
    except BaseException as error:
        assert isinstance(error, Died) or isinstance(error.__cause__, Died), error
    await engine.journal.store.close()
    async with Engine(home=home, model=model) as again:
        outcome = await again.execute(run, agent.graph)
        assert outcome.status == "finished", (outcome.reason, outcome.detail)
        await check_receipts(again, run)
        return outcome.state.answer


async def check_receipts(engine: Engine, run: RunId) -> None:
    """No effect was asked twice, none was answered twice, and each that was asked was answered."""
    records = await engine.records(run)
    asked = [r.event.effect for r in records if isinstance(r.event, ev.Asked)]
    answered = [r.event.effect for r in records if isinstance(r.event, ev.Answered)]
    assert len(asked) == len(set(asked))
    assert len(answered) == len(set(answered))
    assert set(asked) == set(answered)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
async def test_pure_and_idempotent_tools_give_the_undisturbed_answer(
    tmp_path: Path, at: int, after: bool
) -> None:
    charged: dict[str, int] = {}

    @tool(recovery="pure")
    def look() -> str:
        """Look."""
        return "seen"

    @tool(recovery="idempotent")
    def charge(context: Context) -> str:
        """Charge once per key."""
        charged[context.key] = 5
        return f"charged {sum(charged.values())}"

    agent = Agent("clerk", tools=[look, charge])
    answer = await die_and_resume(tmp_path, agent, once_then("look", "charge", "look"), at, after=after)
    assert answer == "done: seen charged 5 seen"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 10))
async def test_a_reconcilable_tool_is_asked_and_never_repeated(tmp_path: Path, at: int, after: bool) -> None:
    sent: list[str] = []

    def what_happened(context: Context) -> ToolOutput | None:
        return ToolOutput("sent") if context.key in sent else None

    @tool(recovery="reconcilable", reconcile=what_happened)
    def send(context: Context) -> str:
        """Send a letter."""
        sent.append(context.key)
        return "sent"

    agent = Agent("clerk", tools=[send])
    answer = await die_and_resume(tmp_path, agent, once_then("send"), at, after=after)
    assert answer == "done: sent"
    assert len(sent) == 1


async def test_an_unsafe_tool_without_receipt_is_put_to_a_person(tmp_path: Path) -> None:
    rung: list[int] = []

    @tool
    def ring() -> str:
        """Ring a bell that can't be unrung."""
        rung.append(1)
        return f"rung {len(rung)}"

    agent = Agent("clerk", tools=[ring])
    model = once_then("ring")
    engine = Engine(home=tmp_path, model=model)
    await engine.open()
    run = await engine.start(agent.graph, agent.graph.state(prompt="go"))
    append = engine.journal.append

    async def dying(run: RunId, events: list[ev.Event], **options: object) -> object:
        if any(isinstance(e, ev.ToolAnswered) for e in events):
            raise Died
        return await append(run, events, **options)  # type: ignore[arg-type]

    engine.journal.append = dying  # type: ignore[method-assign, assignment]
    with pytest.raises(BaseException):  # noqa: B017
        await engine.execute(run, agent.graph)
    await engine.journal.store.close()
    assert rung == [1]

    async with Engine(home=tmp_path, model=model) as again:
        parked = await again.execute(run, agent.graph)
        assert (parked.status, parked.reason) == ("parked", "unsafe")
        assert rung == [1]
        parked = await again.execute(run, agent.graph)  # resuming alone answers nothing
        assert parked.status == "parked"
        await again.answer(run, "skip", by="ada")
        outcome = await again.execute(run, agent.graph)
        assert outcome.status == "finished"
        assert "a person said not to repeat" in outcome.state.answer
    assert rung == [1]


async def test_each_loss_of_an_unsafe_effect_is_a_question_of_its_own(tmp_path: Path) -> None:
    rung: list[int] = []

    @tool
    def ring() -> str:
        """Ring."""
        rung.append(1)
        return f"rung {len(rung)}"

    agent = Agent("clerk", tools=[ring])
    model = once_then("ring")
    run: RunId | None = None
    for expected in (1, 2):
        engine = Engine(home=tmp_path, model=model)
        await engine.open()
        run = run or await engine.start(agent.graph, agent.graph.state(prompt="go"))
        append = engine.journal.append

        async def dying(
            run: RunId, events: list[ev.Event], append: object = append, **options: object
        ) -> object:
            if any(isinstance(e, ev.ToolAnswered) for e in events):
                raise Died
            return await append(run, events, **options)  # type: ignore[operator]

        engine.journal.append = dying  # type: ignore[method-assign, assignment]
        with pytest.raises(BaseException):  # noqa: B017
            await engine.execute(run, agent.graph)
        await engine.journal.store.close()
        assert len(rung) == expected
        async with Engine(home=tmp_path, model=model) as again:
            assert (await again.execute(run, agent.graph)).reason == "unsafe"
            await again.answer(run, "repeat", by="ada")
    async with Engine(home=tmp_path, model=model) as last:
        outcome = await last.execute(run, agent.graph)
        assert outcome.state.answer == "done: rung 3"


async def test_a_node_that_asks_for_something_else_on_replay_is_refused(tmp_path: Path) -> None:
    calls: list[int] = []

    @tool(recovery="pure")
    def look(n: int) -> int:
        """Look."""
        return n

    graph = Graph("fickle", Tally)

    @graph.node(to=[END])
    async def act(state: Tally, context: Context) -> Update:
        calls.append(1)
        await context.tool(look, ToolCall(f"c{len(calls)}", "look", '{"n": 1}'))
        await context.ask("go on?")
        return Update(total=1)

    async with Engine(home=tmp_path) as engine:
        parked = await engine.run(graph, Tally())
        assert parked.reason == "question"
        await engine.answer(parked.run, "yes", by="ada")
        again = await engine.execute(parked.run, graph)
        assert again.reason == "error:nondeterminism"
        assert "context.now()" in again.detail


async def test_clock_and_randomness_are_the_same_on_replay(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    graph = Graph("clock", Tally)

    @graph.node(to=[END])
    async def act(state: Tally, context: Context) -> Update:
        seen.append((await context.now(), await context.random()))
        await context.ask("go on?")
        return Update(total=1)

    async with Engine(home=tmp_path) as engine:
        parked = await engine.run(graph, Tally())
        await engine.answer(parked.run, "yes", by="ada")
        assert (await engine.execute(parked.run, graph)).state.total == 1
    assert seen[0] == seen[1]


async def test_an_error_of_an_effect_is_the_same_error_on_replay(tmp_path: Path) -> None:
    from forgewright.core.errors import PolicyDenied

    told: list[str] = []
    graph = Graph("denied", Tally)

    @graph.node(to=[END])
    async def act(state: Tally, context: Context) -> Update:
        from forgewright.sandbox.types import Command

        try:
            await context.exec(Command(("true",)), purpose="tests")
        except ForgewrightError as error:
            assert isinstance(error, PolicyDenied)
            told.append(error.message)
        await context.ask("go on?")
        return Update(total=1)

    async with Engine(home=tmp_path) as engine:
        parked = await engine.run(graph, Tally())
        await engine.answer(parked.run, "yes", by="ada")
        assert (await engine.execute(parked.run, graph)).status == "finished"
    assert told[0] == told[1]
    assert "no policy set is loaded" in told[0]
