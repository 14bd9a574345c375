"""Makes any history one that every provider accepts, whatever a cancel or a crash left behind.

Providers demand: each tool call is answered, right after the turn that made it and before anything else is
said; nothing is answered that was not asked; ids are not used twice in a turn; no turn is empty.
"""

from __future__ import annotations

from collections.abc import Iterable

from forgewright.models.types import Assistant, Message, Reasoning, Text, ToolCall, ToolResult, User

INTERRUPTED = "The call was interrupted before its result was known. It may or may not have taken effect."
EMPTY = "(no answer)"


def repair(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The same messages where they are valid, by identity, so that cached encodings stay useful.

    A call without a result gets an error result; a result without a call is dropped, as is a second one;
    results move up to their calls; an assistant turn with nothing in it is given a placeholder text; a
    history that does not begin with a user's turn is given one.
    """
    given = tuple(messages)
    if _valid(given):
        return given
    repaired: list[Message] = []
    for index, message in enumerate(given):
        if isinstance(message, User):
            repaired.append(message)
        elif isinstance(message, Assistant):
            turn = _turn(message)
            repaired.append(turn)
            for call in turn.calls:
                repaired.append(_result_for(call, given, index))
    if repaired and not isinstance(repaired[0], User):
        repaired.insert(0, User("(the conversation goes on)"))
    return tuple(repaired)


def _result_for(call: ToolCall, messages: tuple[Message, ...], after: int) -> ToolResult:
    """The first answer after the call and before another turn calls by the same id."""
    for message in messages[after + 1 :]:
        if isinstance(message, ToolResult) and message.call == call.id:
            return message
        if isinstance(message, Assistant) and any(other.id == call.id for other in message.calls):
            break
    return ToolResult(call.id, call.name, INTERRUPTED, error=True)


def _turn(message: Assistant) -> Assistant:
    seen: set[str] = set()
    parts = []
    for part in message.parts:
        if isinstance(part, ToolCall):
            if part.id in seen:
                continue
            seen.add(part.id)
        parts.append(part)
    if not any(_says_something(part) for part in parts):
        parts.append(Text(EMPTY))
    return message if len(parts) == len(message.parts) else Assistant(tuple(parts))


def _says_something(part: Text | Reasoning | ToolCall) -> bool:
    return isinstance(part, ToolCall) or (isinstance(part, Text) and bool(part.text.strip()))


def _valid(messages: tuple[Message, ...]) -> bool:
    open_calls: dict[str, None] = {}
    if messages and not isinstance(messages[0], User):
        return False
    for message in messages:
        if isinstance(message, ToolResult):
            if message.call not in open_calls:
                return False
            del open_calls[message.call]
            continue
        if open_calls:
            return False
        if isinstance(message, Assistant):
            calls = message.calls
            open_calls = {call.id: None for call in calls}
            if len(open_calls) != len(calls) or not any(_says_something(part) for part in message.parts):
                return False
    return not open_calls
