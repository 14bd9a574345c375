"""The plan as agents keep it: a short list of steps, visible while the run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from forgewright.models.types import Assistant, Message
from forgewright.runtime.context import Context
from forgewright.tools import tool


class Step(msgspec.Struct, frozen=True):
    """One step of a plan."""

    title: str
    status: Literal["pending", "in_progress", "completed"] = "pending"
    group: str = ""
    """Steps of one group touch different code, and may be done at the same time."""


class _Arguments(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...]


@tool(recovery="pure")
async def write_plan(steps: list[Step], context: Context) -> str:
    """Write the plan anew, whole, whenever a step begins or is done; exactly one step is in progress at a time.

    Args:
        steps: All steps, in order.
    """
    await context.note("plan", steps)
    done = sum(step.status == "completed" for step in steps)
    return f"the plan has {len(steps)} steps, {done} completed"


def latest_plan(messages: Sequence[Message], before: tuple[Step, ...] = ()) -> tuple[Step, ...]:
    """The last plan written in a conversation; `before` where none was.

    Read from the calls and not from what the tool did: on replay a call is answered without being made.
    """
    for message in reversed(messages):
        if isinstance(message, Assistant):
            for call in reversed(message.calls):
                if call.name == "write_plan":
                    try:
                        return msgspec.json.decode(call.arguments, type=_Arguments).steps
                    except msgspec.MsgspecError:
                        continue
    return before
