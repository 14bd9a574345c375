"""An agent: a model with instructions and tools, in a loop until it has an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.agent.middleware import Middleware, around_model, around_tool
from forgewright.agent.stuck import StuckDetector
from forgewright.agent.window import clip, shrink
from forgewright.core.errors import ContextOverflow, StuckError, UsageError
from forgewright.graph.graph import Graph
from forgewright.graph.state import State
from forgewright.graph.transition import END, Update
from forgewright.models.types import Message, Request, Response, ToolCall, ToolResult, ToolSpec, User
from forgewright.runtime.context import Context
from forgewright.runtime.execution import raise_first
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


class Answer(msgspec.Struct, frozen=True):
    """What an agent came to."""

    text: str
    messages: tuple[Message, ...]
    """The whole conversation."""
    turns: int
    value: Any = None
    """The structured output, where the agent has an `output` type."""


class Agent:
    """A model in a loop with tools.

        @tool
        def add(a: int, b: int) -> int: ...

        agent = Agent("adder", "You add numbers.", tools=[add])
        outcome = await agent.run("What is 2 + 3?", engine)      # a run of its own
        answer = await agent.act(context, "What is 2 + 3?")      # inside a node

    `output`: a type (struct, dataclass, list …) that the last answer must fit; it is asked for again, with what
    was wrong, up to three times. `model` overrides the engine's choice for this agent's name. `subagents`: agents that
    it can give tasks to, with `background` also such as work while it goes on.
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
        subagents: Sequence[Subagent | Agent] = (),
        background: bool = False,
    ) -> None:
        from forgewright.tools import as_tool

        self.name = name
        self.instructions = instructions
        self.tools = {t.name: t for t in map(as_tool, tools)}
        self.model = model
        self.output = output
        self.turns_max = turns_max
        self.middleware = tuple(middleware)
        self.temperature = temperature
        self.max_output_tokens = max_output_tokens
        self.subagents = tuple(subagents)
        self.background = background
        self.specs = tuple(ToolSpec(t.name, t.description, t.parameters) for t in self.tools.values())
        if len(self.specs) != len(tools):
            raise UsageError(f"agent {name!r} has two tools of one name")
        self._schema = None if output is None else _schema(output)
        self._graph: Graph[AgentState] | None = None

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

        Raises `StuckError` (patterns, or too many turns), `ContextOverflow` (nothing left to shorten).
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
        stuck = StuckDetector()
        refused = 0
        for turn in range(1, self.turns_max + 1):
            response, messages = await self._ask(messages, context)
            message = response.message
            messages = (*messages, message)
            if message.calls:
                results = await self._call_all(message.calls, context)
                messages = (*messages, *results)
                stuck.turn(message, results)
                continue
            stuck.turn(message, ())
            if response.stop == "length":
                messages = (
                    *messages,
                    User("Your answer was cut off at the length limit. Go on where it ended."),
                )
                continue
            if not message.text.strip():
                messages = (*messages, User("Your answer was empty. Answer, or call a tool."))
                continue
            if self.output is None:
                return Answer(message.text, messages, turn)
            try:
                value = msgspec.json.decode(_json_text(message.text), type=self.output)
            except (msgspec.ValidationError, msgspec.DecodeError) as error:
                refused += 1
                if refused > 3:
                    raise StuckError(
                        f"{self.name} did not give the asked-for output in four tries: {error}",
                        hint="try a model that supports structured output",
                    ) from error
                messages = (*messages, User(f"That does not fit the schema: {error}. Answer with JSON only."))
                continue
            return Answer(message.text, messages, turn, value)
        raise StuckError(
            f"{self.name} took {self.turns_max} turns without coming to an answer",
            hint="raise turns_max, or give it a smaller goal",
        )

    async def _ask(
        self, messages: tuple[Message, ...], context: Context
    ) -> tuple[Response, tuple[Message, ...]]:
        async def plain(request: Request) -> Response:
            return await context.model(request, model=self.model)

        call = around_model(self.middleware, plain, context) if self.middleware else plain
        while True:
            request = Request(
                messages=messages,
                system=self.instructions,
                tools=self.specs,
                schema=self._schema,
                temperature=self.temperature,
                max_output_tokens=self.max_output_tokens,
            )
            try:
                return await call(request), messages
            except ContextOverflow:
                shorter = shrink(messages)
                if shorter is None:
                    raise
                messages = shorter

    async def _call_all(self, calls: Sequence[ToolCall], context: Context) -> list[ToolResult]:
        """Neighbouring calls that are pure, or made for it, run side by side; all others one after the other."""
        results: list[ToolResult] = []
        batch: list[ToolCall] = []
        for call in calls:
            if self._beside_others(call):
                batch.append(call)
                continue
            results += await self._side_by_side(batch, context)
            batch = []
            results.append(await self._call(call, context))
        return results + await self._side_by_side(batch, context)

    async def _side_by_side(self, calls: Sequence[ToolCall], context: Context) -> list[ToolResult]:
        if len(calls) < 2:
            return [await self._call(call, context) for call in calls]
        ended = await asyncio.gather(*(self._call(call, context) for call in calls), return_exceptions=True)
        raise_first(ended)
        return [result for result in ended if isinstance(result, ToolResult)]

    def _beside_others(self, call: ToolCall) -> bool:
        found = self.tools.get(call.name)
        return found is not None and (found.recovery == "pure" or getattr(found, "concurrent", False))

    async def _call(self, call: ToolCall, context: Context) -> ToolResult:
        async def plain(call: ToolCall) -> ToolResult:
            found = self.tools.get(call.name)
            if found is None:
                return ToolResult(call.id, call.name, unknown_tool(call.name, list(self.tools)), error=True)
            return clip(await context.tool(found, call))

        if not self.middleware:
            return await plain(call)
        return await around_tool(self.middleware, plain, context)(call)


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
