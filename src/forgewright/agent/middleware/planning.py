"""Plan first, then act: until a plan is accepted, only tools that change nothing; and a reminder of the plan meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.builtin.plan import Step, latest_plan, write_plan
from forgewright.agent.middleware.base import CallTool, Middleware
from forgewright.core.ids import Digest, digest
from forgewright.models.types import Message, Request, Response, ToolCall, ToolResult
from forgewright.runtime.context import Context
from forgewright.tools import tool
from forgewright.tools.types import Tool

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPTED = "the plan is accepted; work on it"
TITLE_CHARS_MAX = 300


class _Proposed(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...]


class Planning(Middleware):
    """Plan and act modes, approval of plans, and reminders.

        planning = Planning(first=True, approval="owner")
        agent = Agent("coder", tools=[…, write_plan, *planning.tools], middleware=[planning])

    `first`: the agent begins in plan mode, in which calls of tools that are not `pure` are refused, until it calls
    `propose_plan`. `approval`: who has to accept the plan; without one it is accepted as it is. An acceptance is bound to
    the digest of the plan's steps: when the agent changes them, it is back in plan mode. That a step is begun or
    completed does not change the plan.

    `remind_turns`: after so many turns without `write_plan`, what is open is added to the last result of a turn. It stays
    there, so that the bytes before the end of the conversation never change and the provider's cache serves them.
    """

    def __init__(self, *, first: bool = False, approval: str | None = None, remind_turns: int = 10) -> None:
        self.first = first
        self.approval = approval
        self.remind_turns = remind_turns
        self.tools: Sequence[Tool] = (_propose_plan(approval),) if first else ()
        self._acting = not first
        self._accepted: Digest | None = None
        self._pure: frozenset[str] = frozenset()
        self._plan: tuple[Step, ...] = ()
        self._idle = 0
        self._reminder = ""
        self._refused: set[str] = set()

    def fresh(self) -> Planning:
        return Planning(first=self.first, approval=self.approval, remind_turns=self.remind_turns)

    def given(self, tools: Mapping[str, Tool]) -> None:
        self._pure = frozenset(name for name, one in tools.items() if one.recovery == "pure")

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        self._plan = latest_plan(messages)
        return messages

    async def after_model(self, request: Request, response: Response, context: Context) -> Response:
        calls = response.message.calls
        before = self._plan
        self._plan = latest_plan([response.message], before)
        wrote = any(call.name == write_plan.name for call in calls)
        if wrote and self.first and self._acting and plan_digest(self._plan) != self._accepted:
            self._acting = False
        # Decided here for all calls of the turn: those that run side by side could see it otherwise each time.
        self._refused = {c.id for c in calls if not self._acting and c.name not in self._pure}
        self._idle = 0 if wrote or not calls else self._idle + 1
        self._reminder = ""
        if self._idle >= self.remind_turns and any(step.status != "completed" for step in self._plan):
            self._reminder, self._idle = calls[-1].id, 0
        return response

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        name = tool_call.name
        if tool_call.id in self._refused:
            what = (
                "was changed since it was accepted" if self._accepted is not None else "is not accepted yet"
            )
            said = f"{name} was not called: the plan {what}; until then only tools that change nothing, and propose_plan"
            return ToolResult(tool_call.id, name, said, error=True)
        result = await call(tool_call)
        if name == PROPOSE and not result.error and result.text == ACCEPTED:
            # Read from the call and its result, not from what the tool did: on replay it is not called.
            steps = msgspec.json.decode(tool_call.arguments, type=_Proposed).steps
            self._plan, self._accepted, self._acting = steps, plan_digest(steps), True
        if tool_call.id == self._reminder:
            return msgspec.structs.replace(result, text=f"{result.text}\n\n{remind(self._plan)}")
        return result


PROPOSE = "propose_plan"


def _propose_plan(approval: str | None) -> Tool:
    @tool(name=PROPOSE, recovery="pure")
    async def propose_plan(steps: list[Step], context: Context) -> str:
        """Submit the plan before the work begins; what changes something can be called only once it is accepted.

        Args:
            steps: All steps, in order.
        """
        if not steps or any(len(step.title) > TITLE_CHARS_MAX for step in steps):
            return f"a plan has at least one step, and a step at most {TITLE_CHARS_MAX} characters"
        await context.note("plan", steps)
        if approval is None:
            return ACCEPTED
        listed = "\n".join(f"{n}. {step.title}" for n, step in enumerate(steps, 1))
        answer = await context.ask(
            f"{context.actor} wants to work by this plan:\n{listed}\nAccept it? (yes, or what is to be changed)",
            to=approval,
            about={"plan": plan_digest(tuple(steps)), "steps": [step.title for step in steps]},
            reason="approval",
        )
        if answer.strip().lower() == "yes":
            return ACCEPTED
        return f"{approval} did not accept the plan: {answer}"

    return propose_plan


def plan_digest(steps: Sequence[Step]) -> Digest:
    """What an acceptance is bound to: the titles of the steps and their order, byte for byte."""
    return digest(msgspec.json.encode([step.title for step in steps]))


def remind(steps: Sequence[Step]) -> str:
    """Where the plan stands, in a line."""
    done = sum(step.status == "completed" for step in steps)
    now = [step.title for step in steps if step.status == "in_progress"]
    later = [step.title for step in steps if step.status == "pending"]
    parts = [f"{done} of {len(steps)} steps are completed"]
    parts += [f"in progress: {now[0]}"] if now else []
    parts += [f"next: {later[0]}"] if later else []
    return f"[The plan: {'; '.join(parts)}. Keep it up to date with write_plan.]"
