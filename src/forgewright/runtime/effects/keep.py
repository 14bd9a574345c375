"""Values on their way into events and back: inline while small, as blobs when large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from forgewright.journal.events import Value

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

T = TypeVar("T")


async def keep(value: Any, context: Context) -> Value:
    """`value` without secrets, encoded, or the digest of its blob where it is large."""
    return await keep_clean(context.execution.cleaner.value(value), context)


async def keep_clean(value: Any, context: Context) -> Value:
    """The same for a value that holds no secrets any more, as answers have none once the door let them in."""
    return await keep_encoded(msgspec.json.encode(value), context)


async def keep_encoded(data: bytes, context: Context) -> Value:
    """The same for one that is JSON already."""
    return await context.execution.journal.keep(data, subject=context.execution.subject)


async def load(value: Value, cls: type[T], context: Context) -> T:
    """The value again, as `cls`."""
    return msgspec.json.decode(await context.execution.journal.load(value), type=cls)
