"""Runs are started, parked, answered, stopped, forked and bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import END, Agent, Branch, Budget, Engine, Goto, Graph, State, Update, append, tool
from forgewright.core.errors import ModelOverloaded, NotFound, UsageError
from forgewright.journal import events as ev
from forgewright.models.types import Request, Response
from forgewright.runtime.context import Context


class Work(State):
    items: Annotated[list[str], append] = []
    item: str = ""


def fan() -> Graph[Work]:
    graph = Graph("fan", Work)

    @graph.node(to=["work"])
    async def split(state: Work, context: Context) -> Goto:
        return Goto(*(Branch("work", item=f"i{n}") for n in range(5)))

    @graph.node(to=["join"])
    async def work(state: Work, context: Context) -> Update:
        at = await context.now()
        return Update(items=[f"{state.item}:{at > 0}"])

    @graph.node(to=[END])
    async def join(state: Work, context: Context) -> Update:
        return Update(item=str(len(state.items)))

    return graph


async def test_branches_run_side_by_side_and_join() -> None:
    async with Engine() as engine:
        outcome = await engine.run(fan(), Work())
    assert outcome.status == "finished"
    assert outcome.state.items == [f"i{n}:True" for n in range(5)]
    assert outcome.state.item == "5"


async def test_one_failing_branch_does_not_end_its_siblings(tmp_path: Path) -> None:
    broken = {"yes"}
    graph = Graph("fan", Work)

    @graph.node(to=["work"])
    async def split(state: Work, context: Context) -> Goto:
        return Goto(*(Branch("work", item=f"i{n}") for n in range(3)))

    @graph.node(to=[END])
    async def work(state: Work, context: Context) -> Update:
        await context.now()
        if state.item == "i1" and broken:
            raise RuntimeError("broken")
        return Update(items=[state.item])

    async with Engine(home=tmp_path) as engine:
        outcome = await engine.run(graph, Work())
        assert (outcome.status, outcome.reason) == ("parked", "error:exception")
        left = [r for r in await engine.records(outcome.run) if isinstance(r.event, ev.NodeLeft)]
        assert len(left) == 3  # the split and the two sound branches
        broken.clear()
        outcome = await engine.execute(outcome.run, graph)
    assert outcome.state.items == ["i0", "i1", "i2"]


async def test_a_question_parks_the_run_and_any_process_may_answer(tmp_path: Path) -> None:
    graph = Graph("ask", Work)

    @graph.node(to=[END])
    async def act(state: Work, context: Context) -> Update:
        return Update(item=await context.ask("which?", choices=["a", "b"]))

    async with Engine(home=tmp_path) as engine:
        parked = await engine.run(graph, Work())
    assert (parked.status, parked.reason, parked.detail) == ("parked", "question", "which? (a | b)")
    async with Engine(home=tmp_path) as other:
        with pytest.raises(UsageError, match="none of: a, b"):
            await other.answer(parked.run, "c", by="ada")
        await other.answer(parked.run, "b", by="ada")
        with pytest.raises(UsageError, match="there are 0"):
            await other.answer(parked.run, "a", by="bob")
    async with Engine(home=tmp_path) as third:
        outcome = await third.execute(parked.run, graph)
        assert outcome.state.item == "b"
        assert (await third.execute(parked.run, graph)).status == "finished"  # once more changes nothing


async def test_a_budget_parks_the_run_and_a_larger_one_lets_it_go_on(tmp_path: Path) -> None:
    @tool(recovery="pure")
    def step(n: int) -> int:
        """One step."""
        return n

    def script(request: Request) -> Reply:
        done = len(results(request))
        return [("step", {"n": done})] if done < 6 else "done"

    agent = Agent("walker", tools=[step])
    async with Engine(home=tmp_path, model=Scripted(script)) as engine:
        outcome = await agent.run("go", engine, budget=Budget(tokens=250))
        assert (outcome.status, outcome.reason) == ("parked", "budget")
        assert "330 of 250 tokens" in outcome.detail
        outcome = await engine.execute(outcome.run, agent.graph, budget=Budget(cost_microdollars=5000))
        assert "$0.0050 of $0.0050" in outcome.detail
        outcome = await engine.execute(outcome.run, agent.graph, budget=Budget(steps=12))
        assert "12 of 12 steps" in outcome.detail
        outcome = await engine.execute(outcome.run, agent.graph, budget=Budget(steps=100))
    assert outcome.state.answer == "done"


async def test_a_model_that_is_not_to_be_had_parks_the_run(tmp_path: Path) -> None:
    class Down(Scripted):
        down = True

        async def respond(self, request: Request, **options: object) -> Response:
            if self.down:
                raise ModelOverloaded("nobody answers at 127.0.0.1:9", hint="start the server")
            return await super().respond(request)

    model = Down(lambda request: "hello")
    agent = Agent("greeter")
    async with Engine(home=tmp_path, model=model) as engine:
        outcome = await agent.run("hi", engine)
        assert (outcome.status, outcome.reason) == ("parked", "model:model_overloaded")
        assert "start the server" in outcome.detail
        model.down = False
        assert (await engine.execute(outcome.run, agent.graph)).state.answer == "hello"


async def test_stop_from_another_process_parks_the_run_where_it_is_executed(tmp_path: Path) -> None:
    reached = asyncio.Event()

    @tool(recovery="pure")
    async def wait() -> str:
        """Wait."""
        reached.set()
        await asyncio.sleep(0.01)
        return "waited"

    agent = Agent("waiter", tools=[wait], turns_max=100_000)
    # Each call differs, so that the agent does not count as stuck.
    model = Scripted(lambda request: [("wait", {})] * (1 + len(results(request)) % 7))
    async with Engine(home=tmp_path, model=model) as engine, Engine(home=tmp_path) as other:
        run = await engine.start(agent.graph, agent.graph.state(prompt="go"))
        task = asyncio.create_task(engine.execute(run, agent.graph))
        await reached.wait()
        await other.stop(run, by="ada")
        outcome = await asyncio.wait_for(task, 20)
        assert (outcome.status, outcome.reason, outcome.detail) == ("parked", "stopped", "by ada")
        parked = [r for r in await other.records(run) if isinstance(r.event, ev.RunParked)]
        assert len(parked) == 1


async def test_cancelling_the_execution_parks_the_run(tmp_path: Path) -> None:
    started = asyncio.Event()

    @tool(recovery="pure")
    async def hang() -> str:
        """Never ends."""
        started.set()
        await asyncio.Event().wait()
        return ""

    def script(request: Request) -> Reply:
        return "enough" if any("given up" in text for text in results(request)) else [("hang", {})]

    agent = Agent("hanger", tools=[hang])
    async with Engine(home=tmp_path, model=Scripted(script)) as engine:
        run = await engine.start(agent.graph, agent.graph.state(prompt="go"))
        task = asyncio.create_task(engine.execute(run, agent.graph))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        last = (await engine.records(run))[-1].event
        assert isinstance(last, ev.RunParked)
        assert last.reason == "interrupted"


async def test_a_fork_shares_the_past_and_goes_its_own_way(tmp_path: Path) -> None:
    graph = Graph("ask", Work)

    @graph.node(to=["second"])
    async def first(state: Work, context: Context) -> Update:
        return Update(items=[str(await context.now())])

    @graph.node(to=[END])
    async def second(state: Work, context: Context) -> Update:
        return Update(items=[await context.ask("which?")])

    async with Engine(home=tmp_path) as engine:
        parked = await engine.run(graph, Work())
        fork = await engine.fork(parked.run)
        forked = await engine.execute(fork, graph)
        assert forked.reason == "question"
        await engine.answer(parked.run, "left", by="ada")
        await engine.answer(fork, "right", by="ada")
        one = await engine.execute(parked.run, graph)
        two = await engine.execute(fork, graph)
        assert one.state.items[0] == two.state.items[0]  # the same reading of the clock
        assert (one.state.items[1], two.state.items[1]) == ("left", "right")
        early = await engine.fork(parked.run, 1)
        third = await engine.execute(early, graph)
        assert third.state.items[0] != one.state.items[0]
        with pytest.raises(UsageError, match="no record 99"):
            await engine.fork(parked.run, 99)


async def test_unknown_runs_are_named(tmp_path: Path) -> None:
    async with Engine(home=tmp_path) as engine:
        with pytest.raises(NotFound, match="forgewright runs"):
            await engine.execute("nosuchrun", fan())


async def test_a_subgraph_runs_inside_a_node() -> None:
    inner = fan()
    outer = Graph("outer", Work)

    @outer.node(to=[END])
    async def act(state: Work, context: Context) -> Update:
        last = await context.call(inner, Work())
        return Update(item=last.item)

    async with Engine() as engine:
        assert (await engine.run(outer, Work())).state.item == "5"
