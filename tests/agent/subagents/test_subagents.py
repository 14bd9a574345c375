"""Agents give tasks to agents: one, many at once, in the background; and each end is a result."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import END, Agent, Budget, Engine, Graph, State, Update, tool
from forgewright.agent.subagents import Subagent, Task, delegate, delegate_all
from forgewright.core.errors import ModelOverloaded
from forgewright.journal import events as ev
from forgewright.models.types import Request, Response, User
from forgewright.policy.gate import CedarGate
from forgewright.policy.types import Attempt
from forgewright.runtime.context import Context
from forgewright.runtime.effects.agent import Delegated
from forgewright.runtime.strand import DelegationLimits


class Said(State):
    text: str = ""


def prompt_of(request: Request) -> str:
    return next(m.text for m in request.messages if isinstance(m, User))


def role_of(request: Request) -> str:
    return request.role.partition("@")[0]


def node(act: Any) -> Graph[Said]:
    """A graph of one node."""
    graph = Graph("one", Said)
    graph.add("act", act, to=[END])
    return graph


async def run(act: Any, **options: Any) -> list[ev.Event]:
    """The events of a run of `act`, which finishes."""
    budget = options.pop("budget", None)
    async with Engine(raise_errors=True, **options) as engine:
        outcome = await engine.run(node(act), Said(), budget=budget)
        assert outcome.status == "finished", (outcome.reason, outcome.detail)
        return [r.event for r in await engine.records(outcome.run)]


def lead_and_workers(script: Any, *, tools: Any = (), **options: Any) -> Agent:
    return Agent("lead", "You lead.", subagents=[Agent("worker", "You work.\nHard.", tools=tools)], **options)


async def test_a_model_gives_tasks_that_run_side_by_side_and_sees_nothing_but_the_answers() -> None:
    at_once = most = 0

    class Slow(Scripted):
        async def respond(self, request: Request, **options: Any) -> Response:
            nonlocal at_once, most
            at_once += role_of(request) == "worker"
            most = max(most, at_once)
            await asyncio.sleep(0.01)
            at_once -= role_of(request) == "worker"
            return await super().respond(request)

    def script(request: Request) -> Reply:
        if role_of(request) == "worker":
            assert len(request.messages) == 1, "a sub-agent sees its prompt alone"
            return f"did {prompt_of(request)}"
        if not results(request):
            return [("task", {"agent": "worker", "prompt": f"part {n}"}) for n in range(5)]
        return " | ".join(results(request))

    agent = lead_and_workers(script)
    model = Slow(script)
    async with Engine(model=model) as engine:
        outcome = await agent.run("go", engine)
        assert outcome.state.answer == " | ".join(f"did part {n}" for n in range(5))
        records = await engine.records(outcome.run)
    assert most == 5
    assert [r.actor for r in records if isinstance(r.event, ev.AgentAsked)] == ["lead"] * 5
    request = next(r for r in model.requests if r.role == "lead")
    assert "- worker: You work." in next(t.description for t in request.tools if t.name == "task")


async def test_each_way_to_end_is_a_result_and_the_others_go_on() -> None:
    @tool(recovery="pure")
    async def hang() -> str:
        """Never ends."""
        await asyncio.Event().wait()
        return ""

    class Patchy(Scripted):
        async def respond(self, request: Request, **options: Any) -> Response:
            if prompt_of(request) == "down":
                raise ModelOverloaded("nobody answers")
            return await super().respond(request)

    def script(request: Request) -> Reply:
        match prompt_of(request):
            case "hang":
                return [("hang", {})]
            case "spend" if len(results(request)) < 9:
                return [("spend", {"n": len(results(request))})]
            case "silent":
                return " "
        return "fine"

    @tool(recovery="pure")
    def spend(n: int) -> int:
        """Spends."""
        return n

    worker = Agent("worker", tools=[hang, spend])
    ended: list[Delegated] = []

    async def act(state: Said, context: Context) -> Update:
        tasks = [
            Task(worker, "work"),
            Task(Subagent(worker, timeout_seconds=0.2), "hang"),
            Task(Subagent(worker, budget=Budget(tokens=300)), "spend"),
            Task(worker, "silent"),
            Task(worker, "down"),
            Task(worker, "work"),
        ]
        ended.extend(await delegate_all(context, tasks))
        return Update()

    events = await run(act, model=Patchy(script))
    assert [one.status for one in ended] == [
        "completed", "timeout", "budget", "failed", "failed", "completed",
    ]  # fmt: skip
    assert [one.error for one in ended] == ["", "", "budget_exhausted", "stuck", "model_overloaded", ""]
    assert ended[2].tokens == 330
    asked = {e.effect for e in events if isinstance(e, ev.Asked)}
    assert {e.effect for e in events if isinstance(e, ev.Answered)} == asked, "nothing stays open"


async def test_an_exception_ends_a_sub_agent_and_nothing_else() -> None:
    async def broken(context: Context) -> Any:
        await context.now()
        raise ZeroDivisionError("oh")

    ended: list[Delegated] = []

    async def act(state: Said, context: Context) -> Update:
        ended.append(await context.delegate("worker", broken))
        return Update()

    await run(act)
    assert (ended[0].status, ended[0].text) == ("failed", "ZeroDivisionError: oh")


async def test_depth_and_number_are_bounded() -> None:
    async def deeper(context: Context) -> Any:
        from forgewright.runtime.effects.agent import Work

        if context.strand.depth == 9:
            return Work("deep")
        below = await delegate(context, _Deeper(), "down")
        return Work(f"{below.status}: {below.text}")

    class _Deeper(Agent):
        def __init__(self) -> None:
            super().__init__("deeper")

        async def act(self, context: Context, prompt: Any) -> Any:
            return await deeper(context)

    ended: list[Delegated] = []

    async def act(state: Said, context: Context) -> Update:
        ended.append(await delegate(context, _Deeper(), "down"))
        ended.extend(await delegate_all(context, [Task(_Deeper(), "down")] * 3))
        return Update()

    await run(act, delegation=DelegationLimits(depth=2, agents=5))
    assert "2 deep" in ended[0].text
    assert sum("may start 5 sub-agents" in one.text for one in ended) >= 1


async def test_a_share_that_is_not_free_is_waited_for_and_one_that_never_will_be_is_a_result() -> None:
    worker = Agent("worker", max_output_tokens=10)
    ended: list[Delegated] = []

    async def act(state: Said, context: Context) -> Update:
        half = Subagent(worker, budget=Budget(tokens=600))
        ended.extend(await delegate_all(context, [Task(half, f"n{n}") for n in range(6)]))
        ended.append(await delegate(context, Subagent(worker, budget=Budget(tokens=5000)), "much"))
        return Update()

    await run(act, model=Scripted(lambda request: "fine"), budget=Budget(tokens=1300))
    assert [one.status for one in ended] == ["completed"] * 6 + ["budget"]


async def test_a_question_at_any_depth_parks_only_when_all_others_are_done(tmp_path: Path) -> None:
    """And goes on in another process, with what the others did recalled."""
    calls: list[str] = []

    @tool(recovery="pure")
    async def work(n: int, context: Context) -> str:
        """Work."""
        calls.append(f"work {n}")
        await asyncio.sleep(0.02)
        return "worked"

    @tool(recovery="pure")
    async def check(context: Context) -> str:
        """Ask."""
        answer = await context.ask("which way?", choices=["left", "right"])
        calls.append(f"went {answer}")
        return answer

    inner = Agent("inner", tools=[check])
    middle = Agent("middle", subagents=[inner])
    worker = Agent("worker", tools=[work])
    lead = Agent("lead", subagents=[middle, worker])

    def script(request: Request) -> Reply:
        seen = results(request)
        match role_of(request):
            case "lead" if not seen:
                return [
                    ("task", {"agent": "middle", "prompt": "m"}),
                    *(("task", {"agent": "worker", "prompt": "w"}) for n in range(3)),
                ]
            case "middle" if not seen:
                return [("task", {"agent": "inner", "prompt": "i"})]
            case "inner" if not seen:
                return [("check", {})]
            case "worker" if len(seen) < 3:
                return [("work", {"n": len(seen)})]
        return " ".join(seen)

    async with Engine(home=tmp_path, model=Scripted(script)) as engine:
        outcome = await lead.run("go", engine)
        assert (outcome.status, outcome.reason) == ("parked", "question")
    assert len(calls) == 9, "the others went on to their ends"
    async with Engine(home=tmp_path, model=Scripted(script)) as engine:
        await engine.answer(outcome.run, "left", by="ada")
        outcome = await engine.execute(outcome.run, lead.graph)
        assert outcome.status == "finished"
    assert calls[9:] == ["went left"]
    assert outcome.state.answer == "left " + " ".join(["worked worked worked"] * 3)


async def test_time_spent_waiting_for_a_person_is_not_the_sub_agents(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def person(run: str, to: str, question: str, choices: tuple[str, ...]) -> str:
        asked.set()
        await asyncio.sleep(0.6)
        return "go"

    @tool(recovery="pure")
    async def check(context: Context) -> str:
        """Ask."""
        return await context.ask("now?")

    agent = Agent("worker", tools=[check])
    ended: list[Delegated] = []

    async def act(state: Said, context: Context) -> Update:
        ended.append(await delegate(context, Subagent(agent, timeout_seconds=0.4), "x"))
        return Update()

    model = Scripted(lambda request: results(request)[0] if results(request) else [("check", {})])
    await run(act, model=model, on_question=person)
    assert (ended[0].status, ended[0].text) == ("completed", "go")


class _Background:
    """A lead that starts three tasks in the background, looks at them, waits for one and cancels another."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    def agent(self) -> Agent:
        started = self.started

        @tool(recovery="pure")
        async def work(n: int) -> str:
            """Work."""
            return f"worked {n}"

        @tool(recovery="pure")
        async def hang() -> str:
            """Never ends."""
            started.set()
            await asyncio.Event().wait()
            return ""

        worker = Agent("worker", tools=[work, hang])
        return Agent("lead", subagents=[Subagent(worker, timeout_seconds=60)], background=True)

    def script(self, request: Request) -> Reply:
        seen = results(request)
        if role_of(request) == "worker":
            if prompt_of(request) == "hang":
                return [("hang", {})]
            return (
                [("work", {"n": len(seen)})] if len(seen) < 2 else f"{prompt_of(request)}: {' '.join(seen)}"
            )
        turns: list[Reply] = [
            [("start_task", {"agent": "worker", "prompt": p}) for p in ("one", "hang", "two", "hang")],
            [("list_tasks", {})],
            [("wait_task", {"tasks": ["task-1", "task-3"]})],
            [("cancel_task", {"task": "task-2"})],
            [("check_task", {"task": "task-1"}), ("check_task", {"task": "task-2"}), ("check_task", {"task": "x"})],
            [("start_task", {"agent": "nobody", "prompt": "x"})],
        ]  # fmt: skip
        turn = sum(1 for m in request.messages if type(m).__name__ == "Assistant")
        return turns[turn] if turn < len(turns) else "\n".join(seen)


async def test_work_in_the_background_is_started_seen_waited_for_and_cancelled() -> None:
    case = _Background()
    agent = case.agent()
    async with Engine(model=Scripted(case.script)) as engine:
        outcome = await asyncio.wait_for(agent.run("go", engine), 30)
        assert outcome.status == "finished", (outcome.reason, outcome.detail)
        events = [r.event for r in await engine.records(outcome.run)]
    said = outcome.state.answer.split("\n")
    assert said[:4] == [f"worker works on it as task-{n}" for n in (1, 2, 3, 4)]
    assert "task-1: one: worked 0 worked 1" in said
    assert "task-3: two: worked 0 worked 1" in said
    assert "task-2 is cancelled" in said
    assert "one: worked 0 worked 1" in said
    assert "worker gave no answer (cancelled): lead asked for it" in said
    assert any("there is no task 'x'" in line for line in said)
    assert any("there is no agent 'nobody'" in line for line in said)
    ended = {e.effect: e.status for e in events if isinstance(e, ev.AgentAnswered)}
    assert sorted(ended.values()) == ["cancelled", "cancelled", "completed", "completed"]
    asked = {e.effect for e in events if isinstance(e, ev.Asked)}
    assert {e.effect for e in events if isinstance(e, ev.Answered)} == asked, "nothing stays open"


@pytest.mark.parametrize("after", [False, True])
async def test_work_in_the_background_survives_a_crash_at_every_write(tmp_path: Path, after: bool) -> None:
    from tests.runtime.test_recovery import die_and_resume

    whole = ""
    for at in range(1, 200):
        case = _Background()
        agent = case.agent()
        answer = await asyncio.wait_for(
            die_and_resume(tmp_path / str(at), agent, Scripted(case.script), at, after=after), 60
        )
        lines = [
            line for line in answer.split("\n") if "(worker):" not in line
        ]  # how far they were may differ
        whole = whole or "\n".join(lines)
        assert "\n".join(lines) == whole, at
        if at > 5 and not (tmp_path / str(at)).exists():
            break
        if at >= 60:
            break


def test_policies_see_who_gave_the_task() -> None:
    gate = CedarGate.load("default")
    facts = {"paths": ("a.py",)}
    assert gate.decide(Attempt("helper", "edit", "worktree", facts)).permit
    below = {"parent": "planner", "ancestors": ("planner",), "depth": 1}
    assert not gate.decide(Attempt("helper", "edit", "worktree", {**facts, **below})).permit
    deep = {"parent": "x", "ancestors": ("x", "planner"), "depth": 2}
    assert not gate.decide(Attempt("helper", "edit", "worktree", {**facts, **deep})).permit
    strict = CedarGate.load("strict")
    assert strict.decide(Attempt("x", "delegate", "y", {"depth": 1})).permit
    assert not strict.decide(Attempt("x", "delegate", "y", {"depth": 2})).permit


async def test_a_sub_agent_is_its_own_principal_and_a_refusal_is_a_result() -> None:
    text = """
    @id("models") permit (principal, action == Action::"model", resource);
    @id("tools") permit (principal == Agent::"writer", action == Action::"tool", resource)
        when { context.parent == "lead" && context.depth == 1 };
    @id("delegating") permit (principal == Agent::"lead", action == Action::"delegate", resource == Agent::"writer");
    """

    @tool(recovery="pure")
    def write() -> str:
        """Write."""
        return "written"

    def script(request: Request) -> Reply:
        return results(request)[0] if results(request) else [("write", {})]

    writer, reader = Agent("writer", tools=[write]), Agent("reader", tools=[write])
    ended: list[Delegated] = []

    async def act(state: Said, context: Context) -> Update:
        lead = context.acting_as("lead")
        ended.extend([await delegate(lead, writer, "a"), await delegate(lead, reader, "b")])
        ended.append(await delegate(context.scope("other", actor="other"), writer, "c"))
        return Update()

    await run(act, model=Scripted(script), gate=CedarGate({"p.cedar": text}))
    assert [one.status for one in ended] == ["completed", "failed", "failed"]
    assert ended[0].text == "written"
    assert [one.error for one in ended[1:]] == ["policy_denied", "policy_denied"]


async def test_text_and_calls_of_sub_agents_are_streamed_under_their_own_names() -> None:
    heard: set[str] = set()

    class Telling(Scripted):
        async def respond(self, request: Request, *, on_delta: Any = None) -> Response:
            response = await super().respond(request)
            if on_delta is not None:
                from forgewright.models.deltas import tell_whole

                tell_whole(response, on_delta)
            return response

    async def act(state: Said, context: Context) -> Update:
        await delegate_all(context, [Task(Agent("worker"), "x")] * 2)
        return Update()

    await run(act, model=Telling(lambda r: "fine"), on_delta=lambda run, who, delta: heard.add(who))
    assert heard == {"worker@1.1", "worker@1.2"}
