"""An agent: a model with instructions and tools, in a loop until it has an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.agent.answer import Answer
from forgewright.agent.context.options import WindowOptions
from forgewright.agent.context.reader import NAME as READ_RESULT
from forgewright.agent.context.reader import ReadResult, read_result_spec
from forgewright.agent.context.window import Window
from forgewright.agent.middleware.base import (
    Middleware,
    around_agent,
    around_model,
    around_tool,
    hooks_tools,
    wraps_models,
)
from forgewright.agent.middleware.stuck import StuckDetection
from forgewright.core.errors import ContextOverflow, StuckError, UsageError
from forgewright.graph.graph import Graph
from forgewright.graph.state import State
from forgewright.graph.transition import END, Update
from forgewright.models.types import Message, Request, Response, ToolCall, ToolResult, ToolSpec, User
from forgewright.runtime.context import Context
from forgewright.runtime.execution import raise_first
from forgewright.tools.sharing import batches
from forgewright.tools.types import Tool

if TYPE_CHECKING:
    from forgewright.agent.subagents.subagent import Subagent
    from forgewright.runtime.engine import Engine
    from forgewright.runtime.execution import Outcome

TURNS_MAX = 200


class AgentState(State):
    """The state of an agent's own graph."""

    prompt: str
    answer: str = ""


class Agent:
    """A model in a loop with tools.

        @tool
        def add(a: int, b: int) -> int: ...

        agent = Agent("adder", "You add numbers.", tools=[add])
        outcome = await agent.run("What is 2 + 3?", engine)      # a run of its own
        answer = await agent.act(context, "What is 2 + 3?")      # inside a node

    `output`: a type (struct, dataclass, list …) that the last answer must fit; it is asked for again, with what
    was wrong, up to three times. `model` overrides the engine's choice for this agent's name. `window` says how the
    conversation is kept within the model's context. `subagents`: agents that it can give tasks to, with `background`
    also such as work while it goes on.
    """

    def __init__(
        self,
        name: str,
        instructions: str = "",
        *,
        tools: Sequence[Tool | Callable[..., Any]] = (),
        model: str | None = None,
        output: Any = None,
        turns_max: int = TURNS_MAX,
        middleware: Sequence[Middleware] = (),
        temperature: float | None = None,
        max_output_tokens: int | None = None,
        window: WindowOptions = WindowOptions(),
        subagents: Sequence[Subagent | Agent] = (),
        background: bool = False,
    ) -> None:
        from forgewright.tools import as_tool

        self.name = name
        self.instructions = instructions
        self.tools: dict[str, Tool] = {t.name: t for t in map(as_tool, tools)}
        self.model = model
        self.output = output
        self.turns_max = turns_max
        self.middleware = tuple(middleware)
        if not any(isinstance(one, StuckDetection) for one in self.middleware):
            self.middleware = (*self.middleware, StuckDetection())
        self.window = window
        self.temperature = temperature
        self.max_output_tokens = max_output_tokens
        self.subagents = tuple(subagents)
        self.background = background
        self._schema = None if output is None else _schema(output)
        if len(self.tools) != len(tools):
            raise UsageError(f"agent {name!r} has two tools of one name")
        self.offer(self.tools)
        self._graph: Graph[AgentState] | None = None

    def offer(self, tools: Mapping[str, Tool]) -> None:
        """From now on the model is offered these, and a way to read results that are set aside."""
        self.tools = dict(tools)
        self.specs = tuple(ToolSpec(t.name, t.description, t.parameters) for t in tools.values())
        if self.specs and READ_RESULT not in self.tools:
            self.specs = (*self.specs, read_result_spec())
        self._head_bytes = sum(len(spec.description) + len(spec.parameters) for spec in self.specs)
        self._head_bytes += len(self.instructions.encode()) + len(self._schema or b"")

    async def run(self, prompt: str, engine: Engine, **options: Any) -> Outcome[AgentState]:
        """A run of this agent alone; its answer is `outcome.state.answer`."""
        return await engine.run(self.graph, AgentState(prompt=prompt), goal=prompt, **options)

    @property
    def graph(self) -> Graph[AgentState]:
        """The agent as a graph of one node."""
        if self._graph is None:
            graph = Graph(self.name, AgentState)

            async def act(state: AgentState, context: Context) -> Update:
                answer = await self.act(context.acting_as(self.name), state.prompt)
                return Update(answer=answer.text)

            graph.add("act", act, to=[END])
            self._graph = graph
        return self._graph

    async def act(self, context: Context, prompt: str | Sequence[Message]) -> Answer:
        """Works on `prompt` inside a node, until the model answers without calling a tool.

        Raises `StuckError` (patterns, or too many turns), `ContextOverflow` (nothing left to leave out), and what
        middleware raises.
        """
        if self.subagents:
            from forgewright.agent.subagents.crew import Crew

            async with Crew(self, context) as crew:
                return await crew.lead.act(context, prompt)
        if isinstance(prompt, str):
            messages: tuple[Message, ...] = (User(prompt),)
        else:
            from forgewright.models.history import repair

            messages = tuple(repair(prompt))  # whatever was cut off somewhere, a provider accepts this
        work = _Work(self, context)
        return await around_agent(work.middleware, work.act, context)(messages)


class _Work:
    """One `Agent.act` under way: the agent's parts as its middleware makes them, and the conversation."""

    def __init__(self, agent: Agent, context: Context) -> None:
        self.agent = agent
        self.context = context
        self.middleware = tuple(one.fresh() for one in agent.middleware)
        self.tools: dict[str, Tool] = dict(agent.tools)
        self._ask_model = around_model(self.middleware, self._model, context)
        self._plain_tool = around_tool(self.middleware, lambda call: self._tool(call, context), context)
        self._calls = 0
        self._window: Window | None = None
        own_effects = any(hooks_tools(one) for one in self.middleware if not isinstance(one, StuckDetection))
        self._place = context.next_effect().rpartition(".")[2] if own_effects else ""

    async def act(self, messages: tuple[Message, ...]) -> Answer:
        """The loop."""
        agent = self.agent
        window = Window(
            messages,
            self.context,
            options=agent.window,
            head_bytes=agent._head_bytes,
            model=agent.model,
            output_tokens=agent.max_output_tokens,
        )
        self._window = window
        if self.tools and READ_RESULT not in self.tools:
            self.tools[READ_RESULT] = ReadResult(window.aside)
        for one in self.middleware:
            one.given(self.tools)
        refused = 0
        for turn in range(1, agent.turns_max + 1):
            response = await self._ask(window)
            message = response.message
            if message.calls:
                results = await self._call_all(message.calls)
                window.add(*[await window.admit(result) for result in results])
                continue
            if response.stop == "length":
                window.add(User("Your answer was cut off at the length limit. Go on where it ended."))
                continue
            if not message.text.strip():
                window.add(User("Your answer was empty. Answer, or call a tool."))
                continue
            if agent.output is None:
                return Answer(message.text, tuple(window.transcript), turn)
            try:
                value = msgspec.json.decode(_json_text(message.text), type=agent.output)
            except (msgspec.ValidationError, msgspec.DecodeError) as error:
                refused += 1
                if refused > 3:
                    raise StuckError(
                        f"{agent.name} did not give the asked-for output in four tries: {error}",
                        hint="try a model that supports structured output",
                    ) from error
                window.add(User(f"That does not fit the schema: {error}. Answer with JSON only."))
                continue
            return Answer(message.text, tuple(window.transcript), turn, value)
        raise StuckError(
            f"{agent.name} took {agent.turns_max} turns without coming to an answer",
            hint="raise turns_max, or give it a smaller goal",
        )

    async def _ask(self, window: Window) -> Response:
        """One answer; where the conversation does not fit, it is made to."""
        agent = self.agent
        await window.fit()
        while True:
            request = Request(
                messages=window.messages,
                system=agent.instructions,
                tools=agent.specs,
                schema=agent._schema,
                temperature=agent.temperature,
                max_output_tokens=agent.max_output_tokens,
            )
            try:
                response = await self._ask_model(request)
            except ContextOverflow as error:
                await window.overflowed(error)
                continue
            window.answered(response)
            return response

    async def _model(self, request: Request) -> Response:
        context = self.context
        if request.system is not self.agent.instructions and self._window is not None:
            self._window.meter.head(
                self.agent._head_bytes + len(request.system) - len(self.agent.instructions)
            )
        if not wraps_models(self.middleware):
            return await context.model(request, model=self.agent.model)
        from forgewright.runtime.effects.model import ModelEffect

        model = context.execution.engine.model_for(context.actor, self.agent.model)
        for one in reversed(self.middleware):
            model = one.wrap_model(model, context)
        return await context.perform(ModelEffect(model, request))

    def _call_tool(self, call: ToolCall) -> Awaitable[ToolResult]:
        """One call with what stands around it. Calls may run side by side, so the hooks of each have a scope."""
        if not self._place:
            return self._plain_tool(call)
        self._calls += 1
        scope = self.context.scope(f"hooks-{self._place}-{self._calls}")
        inner = scope.scope("call")
        inner.conversation = self.context.conversation
        return around_tool(self.middleware, lambda call: self._tool(call, inner), scope)(call)

    async def _call_all(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        """Neighbouring calls that touch different things run side by side; all others one after the other."""
        results: list[ToolResult] = []
        for batch in batches(calls, self.tools.get):
            results += await self._side_by_side(batch)
        return results

    async def _side_by_side(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        if len(calls) < 2:
            return [await self._call_tool(call) for call in calls]
        ended = await asyncio.gather(*(self._call_tool(call) for call in calls), return_exceptions=True)
        raise_first(ended)
        return [result for result in ended if isinstance(result, ToolResult)]

    async def _tool(self, call: ToolCall, context: Context) -> ToolResult:
        found = self.tools.get(call.name)
        if found is None:
            return ToolResult(call.id, call.name, unknown_tool(call.name, list(self.tools)), error=True)
        for one in reversed(self.middleware):
            found = one.wrap_tool(found, context)
        return await context.tool(found, call)


def unknown_tool(name: str, known: Sequence[str]) -> str:
    """What a model is told that called a tool which is not there."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"there is no tool {name!r}" + (
        f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"
    )


def _schema(output: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(msgspec.json.schema(output)))


def _json_text(text: str) -> str:
    """The JSON in an answer, also where the model put it into a fenced block."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].strip()
        if text.startswith("json"):
            text = text[4:]
    return text
