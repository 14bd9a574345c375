"""What a node is given: its only way to have an effect on the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from forgewright.core.ids import EffectId, RunId
from forgewright.graph.graph import Graph
from forgewright.graph.state import State
from forgewright.models.types import Request, Response, ToolCall, ToolResult
from forgewright.runtime import door
from forgewright.runtime.budget import Budget
from forgewright.runtime.effect import Effect

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine
    from forgewright.runtime.effects.agent import Delegated, Worker
    from forgewright.runtime.effects.edit import Edited
    from forgewright.runtime.effects.model import Conversation
    from forgewright.runtime.execution import Execution
    from forgewright.runtime.ledger import Ledger
    from forgewright.runtime.strand import Strand
    from forgewright.runtime.witness import Witness
    from forgewright.sandbox.types import Command, Exit, SandboxSpec
    from forgewright.tools.types import Tool

A = TypeVar("A")
T = TypeVar("T")
S = TypeVar("S", bound=State)
NO_BUDGET = Budget()


class Context:
    """The effects of one node visit, or of one scope inside it.

    Effects are numbered in the order in which they are asked for, and answered from the journal under the same
    number when the node is run again after a crash. So a node must ask in the same order each time: what runs side by
    side inside a node takes a `scope` of its own, and time and randomness come from here.
    """

    __slots__ = ("_count", "_prefix", "actor", "conversation", "execution", "node", "strand", "witness")

    def __init__(
        self, execution: Execution[Any], node: str, prefix: str, actor: str, strand: Strand | None = None
    ) -> None:
        self.execution = execution
        self.strand: Strand = execution.strand if strand is None else strand
        """The line of work that this belongs to: the run itself, or a sub-agent."""
        self.node = node
        self.actor = actor
        """The principal that the policy sees, and who the journal says it was."""
        self.conversation: Conversation | None = None
        self.witness: Witness | None = None
        """Tells the gate where the arguments of tool calls come from; scopes have the same."""
        self._prefix = prefix
        self._count = 0

    # ── who and where ────────────────────────────────────────────────────────────────────────────────

    @property
    def run(self) -> RunId:
        return self.execution.run

    @property
    def ledger(self) -> Ledger:
        return self.execution.ledger

    @property
    def key(self) -> str:
        """Idempotency key of the tool call that this scope belongs to: the same when it is repeated."""
        return f"{self.run}/{self._prefix}"

    @property
    def prefix(self) -> str:
        """What the numbers of this scope's effects begin with."""
        return self._prefix

    @property
    def label(self) -> str:
        """The actor, and of a sub-agent also which one it is: `reviewer@2.4`."""
        return f"{self.actor}@{self.strand.effect}" if self.strand.depth else self.actor

    @property
    def code(self) -> CodeEngine | None:
        """The language of code over the work tree that this line of work changes."""
        return self.strand.code or self.execution.code

    def next_effect(self) -> EffectId:
        """Claims the next number."""
        self._count += 1
        return EffectId(f"{self._prefix}.{self._count}")

    def scope(self, name: str, *, actor: str | None = None) -> Context:
        """A context with a numbering of its own, for what runs side by side; `name` is unique in this one."""
        inner = Context(self.execution, self.node, f"{self._prefix}.{name}", actor or self.actor, self.strand)
        inner.witness = self.witness
        return inner

    def acting_as(self, actor: str) -> Context:
        """This context from here on with another principal; use it instead of this one, not beside it."""
        self.actor = actor
        return self

    # ── effects ──────────────────────────────────────────────────────────────────────────────────────

    async def perform(self, effect: Effect[A]) -> A:
        """Any effect, also one of your own making."""
        return await door.perform(effect, self)

    async def model(self, request: Request, *, model: str | None = None) -> Response:
        """Asks a model: the one named, or the one that the engine has for this actor."""
        from forgewright.runtime.effects.model import ModelEffect

        return await door.perform(
            ModelEffect(self.execution.engine.model_for(self.actor, model), request), self
        )

    async def tool(self, tool: Tool, call: ToolCall) -> ToolResult:
        """Calls a tool as a model asked for it. A failing or refused call is a result, not an exception."""
        from forgewright.runtime.effects.tool import call_tool

        return await call_tool(tool, call, self)

    async def edit(self, program: str) -> Edited:
        """Applies a program of the language of code to the run's work tree, whole or not at all."""
        from forgewright.runtime.effects.edit import edit

        return await edit(program, self)

    async def exec(
        self,
        command: Command,
        *,
        purpose: str,
        spec: SandboxSpec | None = None,
    ) -> Exit:
        """Runs a command in a sandbox whose tier the policy chooses for `purpose`."""
        from forgewright.runtime.effects.exec import ExecEffect

        return await door.perform(ExecEffect(command, purpose, spec), self)

    @overload
    async def ask(
        self,
        question: str,
        *,
        to: str = "owner",
        choices: Sequence[str] = (),
        about: Mapping[str, Any] | None = None,
        reason: str = "question",
    ) -> str: ...

    @overload
    async def ask(
        self,
        question: str,
        *,
        answer: type[T],
        to: str = "owner",
        about: Mapping[str, Any] | None = None,
        reason: str = "question",
    ) -> T: ...

    async def ask(
        self,
        question: str,
        *,
        to: str = "owner",
        choices: Sequence[str] = (),
        about: Mapping[str, Any] | None = None,
        reason: str = "question",
        answer: Any = str,
    ) -> Any:
        """Asks a person. Without an answer yet, the run is parked and goes on here when the answer came.

        `answer` is the type of the answer: `str` (or one of `choices`), `bool`, `int`, `float`, an enum, a struct (a
        form). What does not fit it is not taken for an answer.
        """
        from forgewright.runtime.effects.question import QuestionEffect

        effect: QuestionEffect[Any] = QuestionEffect(question, to, tuple(choices), about, reason, answer)
        return await door.perform(effect, self)

    async def ask_ruling(self, question: str, *, to: str, about: Mapping[str, Any]) -> Any:
        """Asks for a ruling over an effect: `yes`, `no`, or one of `runtime.approvals` as a mapping."""
        from forgewright.runtime.effects.question import QuestionEffect

        effect: QuestionEffect[Any] = QuestionEffect(question, to, ("yes", "no"), about, "approval", Any)
        return await door.perform(effect, self)

    async def delegate(
        self,
        agent: str,
        work: Worker,
        *,
        task: Any = None,
        budget: Budget | None = None,
        timeout_seconds: float | None = None,
        code: CodeEngine | None = None,
        background: bool = False,
    ) -> Delegated:
        """Lets a sub-agent `work` in a line of its own, and returns what it came to, however it ended.

        `work` is given a context with `agent` as its principal. `task` is journaled as what it was asked for.
        `budget` is set aside for it (without one it draws on its parent's); `timeout_seconds` is its own time,
        without the time in which it waits for a person; `code` is a work tree of its own.
        """
        from forgewright.runtime.effects.agent import AgentEffect

        effect = AgentEffect(agent, work, task, budget or NO_BUDGET, timeout_seconds, code, background)
        return await door.perform(effect, self)

    async def now(self) -> int:
        """Milliseconds since 1970, the same on replay."""
        from forgewright.runtime.effects.read import read_clock

        return await read_clock(self)

    async def random(self) -> float:
        """A number in [0, 1), the same on replay."""
        from forgewright.runtime.effects.read import read_random

        return await read_random(self)

    async def read(self, what: str, look: Callable[[], T | Awaitable[T]], cls: type[T]) -> T:
        """Any other reading of the world outside: what `look` returns, the same on replay. `cls` decodes it."""
        from forgewright.runtime.effects.read import read

        return await read(what, look, cls, self)

    async def call(self, graph: Graph[S], state: S, *, name: str | None = None) -> S:
        """Runs another graph inside this node, to its end, and returns its last state."""
        from forgewright.runtime.subgraph import run_inside

        return await run_inside(graph, state, self.scope(name or graph.name))

    # ── beside the effects ───────────────────────────────────────────────────────────────────────────

    async def note(self, topic: str, value: Any) -> None:
        """Journals something that people should see: a plan, a summary. On replay it is not written again."""
        from forgewright.runtime.effects.read import write_note

        await write_note(topic, msgspec.Raw(msgspec.json.encode(value)), self)

    async def artifact(self, name: str, data: bytes, *, media: str = "application/octet-stream") -> None:
        """Keeps bytes that the run made, under their digest."""
        from forgewright.runtime.effects.read import keep_artifact

        await keep_artifact(name, data, media, self)
