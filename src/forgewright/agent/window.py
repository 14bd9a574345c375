"""Fitting a conversation into what a model can take. The journal keeps the original of what is left out here."""

from __future__ import annotations

import msgspec

from forgewright.models.types import Message, ToolResult

RESULT_CHARS_MAX = 24_000
"""Of one tool result; the middle of a longer one is left out."""
PREVIEW_CHARS = 400
KEEP_LAST = 6
"""Messages at the end that are never shortened."""


def clip(result: ToolResult) -> ToolResult:
    """A tool result that fits; says what was left out."""
    text = result.text
    if len(text) <= RESULT_CHARS_MAX:
        return result
    half = RESULT_CHARS_MAX // 2
    cut = len(text) - 2 * half
    note = f"\n… {cut:,} characters left out; ask for a smaller part …\n"
    return msgspec.structs.replace(result, text=text[:half] + note + text[-half:])


def shrink(messages: tuple[Message, ...]) -> tuple[Message, ...] | None:
    """The conversation with its older, larger half of tool results cut to a preview; None if nothing is left to cut."""
    old = messages[:-KEEP_LAST] if len(messages) > KEEP_LAST else ()
    sizes = sorted(
        (len(m.text) for m in old if isinstance(m, ToolResult) and len(m.text) > 2 * PREVIEW_CHARS),
        reverse=True,
    )
    if not sizes:
        return None
    bound = sizes[len(sizes) // 2]
    out = []
    for place, message in enumerate(messages):
        if place < len(old) and isinstance(message, ToolResult) and len(message.text) >= bound:
            preview = message.text[:PREVIEW_CHARS]
            cut = len(message.text) - PREVIEW_CHARS
            message = msgspec.structs.replace(
                message,
                text=f"{preview}\n… {cut:,} characters were dropped to save room; call the tool again …",
            )
        out.append(message)
    return tuple(out)
