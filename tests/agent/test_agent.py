"""The agent loop: tools, structured output, long conversations, and knowing when it gets nowhere."""

from __future__ import annotations

import asyncio

import msgspec
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import (
    Agent,
    Context,
    Engine,
    Middleware,
    Outcome,
    Request,
    Response,
    ToolCall,
    ToolResult,
    tool,
)
from forgewright.agent.agent import AgentState
from forgewright.agent.middleware import CallModel, CallTool


@tool(recovery="pure")
def echo(text: str) -> str:
    """Say it back."""
    return text


async def run(agent: Agent, model: Scripted, prompt: str = "go") -> Outcome[AgentState]:
    async with Engine(model=model) as engine:
        return await agent.run(prompt, engine)


async def test_a_wrong_call_is_told_to_the_model_and_not_the_end() -> None:
    @tool
    def broken() -> str:
        """Fails."""
        raise ValueError("no such thing")

    calls: list[Reply] = [
        [("ehco", {"text": "a"})],
        [("echo", {"txt": "a"})],
        [("broken", {})],
        [("echo", {"text": "ok"})],
    ]
    model = Scripted(lambda request: calls[n] if (n := len(results(request))) < 4 else "end")
    outcome = await run(Agent("a", tools=[echo, broken]), model)
    assert outcome.state.answer == "end"
    told = results(model.requests[-1])
    assert told[0] == "there is no tool 'ehco'; did you mean 'echo'?"
    assert "txt" in told[1]
    assert told[2] == "ValueError: no such thing"
    assert told[3] == "ok"


async def test_pure_calls_of_one_turn_run_side_by_side_and_keep_their_order() -> None:
    running = 0
    most = 0
    both = asyncio.Event()

    @tool(recovery="pure")
    async def meet(name: str) -> str:
        """Waits for the others."""
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            both.set()
        await asyncio.wait_for(both.wait(), 10)
        return name

    model = Scripted(
        lambda request: (
            " ".join(results(request)) if results(request) else [("meet", {"name": n}) for n in "abc"]
        )
    )
    outcome = await run(Agent("a", tools=[meet]), model)
    assert (most, outcome.state.answer) == (3, "a b c")


async def test_a_tool_that_takes_too_long_is_a_result() -> None:
    @tool(recovery="pure", timeout_seconds=0.01)
    async def slow() -> str:
        """Slow."""
        await asyncio.Event().wait()
        return ""

    model = Scripted(lambda request: results(request)[0] if results(request) else [("slow", {})])
    outcome = await run(Agent("a", tools=[slow]), model)
    assert "0.01 seconds" in outcome.state.answer


class City(msgspec.Struct):
    name: str
    people: int


async def test_structured_output_is_asked_for_again_with_what_was_wrong() -> None:
    answers = ['{"name": "Bern"}', '```json\n{"name": "Bern", "people": 130000}\n```']
    model = Scripted(lambda request: answers[len(model.requests) - 1])
    agent = Agent("a", output=City)
    outcome = await run(agent, model)
    assert outcome.status == "finished"
    assert "missing required field `people`" in model.requests[1].messages[-1].text
    assert model.requests[0].schema is not None


async def test_turns_are_bounded() -> None:
    model = Scripted(lambda request: [("echo", {"text": str(len(model.requests))})])
    outcome = await run(Agent("a", tools=[echo], turns_max=12), model)
    assert "12 turns without coming to an answer" in outcome.detail
    assert len(model.requests) == 12


async def test_middleware_stands_around_models_and_tools_in_order() -> None:
    class Loud(Middleware):
        def __init__(self, name: str, log: list[str]) -> None:
            self.name, self.log = name, log

        async def model(self, request: Request, call: CallModel, context: Context) -> Response:
            self.log.append(f"{self.name} model")
            return await call(msgspec.structs.replace(request, system=request.system + self.name))

        async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
            self.log.append(f"{self.name} {tool_call.name}")
            return await call(tool_call)

    log: list[str] = []
    model = Scripted(lambda request: "end" if results(request) else [("echo", {"text": "x"})])
    await run(Agent("a", "s", tools=[echo], middleware=[Loud("1", log), Loud("2", log)]), model)
    assert log == ["1 model", "2 model", "1 echo", "2 echo", "1 model", "2 model"]
    assert model.requests[0].system == "s12"


async def test_a_conversation_that_was_cut_off_is_made_valid_before_it_goes_on() -> None:
    from forgewright.models.types import Assistant, User

    cut = (User("go"), Assistant((ToolCall("c1", "echo", '{"text": "a"}'),)), User("are you there?"))
    model = Scripted(lambda request: "here")
    agent = Agent("a", tools=[echo])
    from forgewright import END, Graph, Update

    graph = Graph("g", AgentState)

    @graph.node(to=[END])
    async def act(state: AgentState, context: Context) -> Update:
        return Update(answer=(await agent.act(context, cut)).text)

    async with Engine(model=model) as engine:
        assert (await engine.run(graph, AgentState(prompt=""))).state.answer == "here"
    told = model.requests[0].messages
    assert isinstance(told[2], ToolResult)
    assert told[2].call == "c1"
    assert told[2].error


async def test_a_structured_result_is_recalled_with_its_value() -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from forgewright import END, Graph, Update

    @tool(recovery="pure")
    def find() -> dict[str, int]:
        """Find."""
        return {"a": 1}

    seen: list[str] = []
    graph = Graph("g", AgentState)

    @graph.node(to=[END])
    async def act(state: AgentState, context: Context) -> Update:
        seen.append((await context.tool(find, ToolCall("c", "find", "{}"))).text)
        return Update(answer=await context.ask("well?"))

    with TemporaryDirectory() as home:
        async with Engine(home=Path(home)) as engine:
            parked = await engine.run(graph, AgentState(prompt=""))
            await engine.answer(parked.run, "yes", by="ada")
            assert (await engine.execute(parked.run, graph)).state.answer == "yes"
    assert seen == ['{"a":1}', '{"a":1}']


async def test_media_of_an_output_are_recalled() -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from forgewright import END, Graph, ToolOutput, Update
    from forgewright.runtime.effects.tool import ToolEffect
    from forgewright.tools import Media

    @tool(recovery="pure")
    def draw() -> ToolOutput:
        """Draw."""
        return ToolOutput("a picture", media=(Media("image/png", b"\x89PNG", uri="file:p.png"),))

    seen: list[object] = []
    graph = Graph("g", AgentState)

    @graph.node(to=[END])
    async def act(state: AgentState, context: Context) -> Update:
        output = await context.perform(ToolEffect(draw, ToolCall("c", "draw", "{}")))
        seen.append(output.media)
        return Update(answer=await context.ask("well?"))

    with TemporaryDirectory() as home:
        async with Engine(home=Path(home)) as engine:
            parked = await engine.run(graph, AgentState(prompt=""))
            await engine.answer(parked.run, "yes", by="ada")
            await engine.execute(parked.run, graph)
    assert seen[0] == seen[1] == (Media("image/png", b"\x89PNG", uri="file:p.png"),)
