"""What a range of bytes selects, whatever the language."""

from __future__ import annotations

from forgewright.core.errors import EditRefused


def trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The range without the space at its ends. Raises `EditRefused` where nothing is left."""
    while start < end and data[start : start + 1].isspace():
        start += 1
    while end > start and data[end - 1 : end].isspace():
        end -= 1
    if start >= end:
        raise EditRefused("nothing is selected", hint="select an expression or whole statements")
    return start, end
