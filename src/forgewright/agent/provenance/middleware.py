"""Stands around an agent's calls: keeps what was said and read, and tells the gate of each tool call what is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.agent.middleware import CallModel, CallTool, Middleware
from forgewright.agent.provenance.origins import Origins
from forgewright.agent.provenance.outputs import UNKNOWN, Outputs
from forgewright.agent.provenance.plan import STEPS_MAX, Plan, PlannedCall
from forgewright.agent.provenance.trace import Trace
from forgewright.models.types import Request, Response, ToolCall, ToolResult, User
from forgewright.policy.types import Fact
from forgewright.tools import tool
from forgewright.tools.types import Tool, ToolOutput

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

STATE_PLAN = "state_plan"


class Provenance(Middleware):
    """Traces the values of tool calls, and holds the agent to its plan, as far as the policy asks for that.

        agent = Agent("clerk", tools=[search_mail, send_mail, state_plan],
                      middleware=[Provenance({"search_mail": Outputs(trusted=("id",), party=("sender",))})])

    `outputs`: tool → how far its output is believed; of a tool that is not named nothing is. The facts that the gate
    gets (`context has untrusted` …) stand in the vocabulary of policies. Sub-agents and tools inside are seen by the
    same book of origins, so that nothing becomes trusted by being handed on.
    """

    def __init__(self, outputs: Mapping[str, Outputs] | None = None) -> None:
        self.outputs = dict(outputs or {})

    async def model(self, request: Request, call: CallModel, context: Context) -> Response:
        book = self._book(context, request)
        book.turn()
        return await call(request)

    async def tool(self, tool_call: ToolCall, call: CallTool, context: Context) -> ToolResult:
        return await call(tool_call)

    def _book(self, context: Context, request: Request) -> Book:
        if isinstance(context.witness, Book):
            context.witness.outputs = {**self.outputs, **context.witness.outputs}
            return context.witness
        book = Book(self.outputs)
        for message in request.messages:
            if isinstance(message, User):
                book.origins.say("user", message.text)
            elif isinstance(
                message, ToolResult
            ):  # of an earlier conversation; nobody knows any more of which field
                book.take(message.name, message.text, None, UNKNOWN)
        context.witness = book
        return book


class Book:
    """One conversation's origins and plan: the `Witness` of its context."""

    def __init__(self, outputs: Mapping[str, Outputs]) -> None:
        self.outputs = dict(outputs)
        self.origins = Origins()
        self.plan: Plan | None = None
        self.tainted = False
        self._tainted_before = False

    def turn(self) -> None:
        """The model is asked: what it answers can have been moved by all that was read until now."""
        self._tainted_before = self.tainted

    def take(self, name: str, text: str, value: msgspec.Raw | None, outputs: Outputs) -> None:
        """Something was read."""
        self.origins.take(name, text, value, outputs)
        self.tainted = self.tainted or not outputs.clean

    # ── the witness ──────────────────────────────────────────────────────────────────────────────────

    def facts(self, tool: Tool, call: ToolCall, *, edited: bool = False) -> Mapping[str, Fact]:
        arguments = _arguments(call)
        trace = Trace(self.origins)
        trace.look(arguments)
        facts = trace.facts()
        tainted = self._tainted_before and not edited
        if not tainted:
            # Nothing that others wrote can have moved the model, or the person, to this call.
            facts |= {"untrusted": (), "parties": (), "composed": (), "addresses": ()}
        plan, unplanned = "none", set[str]()
        if self.plan is not None and tool.resource != STATE_PLAN:
            at, unplanned = self.plan.fit(call.name, arguments, self.origins)
            plan = "outside" if at is None else "partly" if unplanned else "inside"
        return {
            **facts,
            "tainted": tainted,
            "plan": plan,
            "unplanned": tuple(sorted(unplanned)),
        }

    def saw(self, tool: Tool, call: ToolCall, output: ToolOutput) -> None:
        if tool.resource == STATE_PLAN:
            if not output.error:
                self._lock(call)
            return
        if self.plan is not None and not output.error:
            at, unplanned = self.plan.fit(call.name, _arguments(call), self.origins)
            if at is not None and not unplanned:
                self.plan.made[at] += 1
        self.take(call.name, output.text, output.value, self.outputs.get(call.name, UNKNOWN))

    def _lock(self, call: ToolCall) -> None:
        calls = msgspec.json.decode(call.arguments, type=_Stated).calls
        self.plan = Plan(calls)
        for planned in calls:
            for sources in planned.arguments.values():
                for source in sources:
                    if source.startswith("="):
                        self.origins.say("plan", source[1:])


class _Stated(msgspec.Struct, frozen=True):
    calls: tuple[PlannedCall, ...]


@tool(name=STATE_PLAN, recovery="pure")
def state_plan(calls: list[PlannedCall]) -> str:
    """Say which tools you will call and where each argument will come from, before you read anything that others
    wrote. Calls outside the plan are refused, or a person is asked.

    Args:
        calls: Every call that will change something, and every one that will read, in any order.
    """
    if len(calls) > STEPS_MAX:
        from forgewright.core.errors import ToolError

        raise ToolError(f"expected at most {STEPS_MAX} planned calls; found {len(calls)}")
    return f"the plan is locked: {len(calls)} calls"


def _arguments(call: ToolCall) -> dict[str, Any]:
    """As the model wrote them; what can't be read is refused by the tool itself."""
    try:
        found = msgspec.json.decode(call.arguments or "{}")
    except msgspec.DecodeError:
        return {"": call.arguments}
    return found if isinstance(found, dict) else {"": found}
