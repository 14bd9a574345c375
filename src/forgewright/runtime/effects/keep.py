"""Values on their way into events and back: inline while small, as blobs when large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from forgewright.core.limits import INLINE_BYTES_MAX
from forgewright.journal.events import Stored

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

T = TypeVar("T")


async def keep(value: Any, context: Context) -> msgspec.Raw | Stored:
    """`value` encoded, or the digest of its blob where it is large."""
    return await keep_encoded(msgspec.json.encode(value), context)


async def keep_encoded(data: bytes, context: Context) -> msgspec.Raw | Stored:
    """The same for a value that is JSON already."""
    if len(data) <= INLINE_BYTES_MAX:
        return msgspec.Raw(data)
    return await context.execution.journal.keep(data)


async def load(value: msgspec.Raw | Stored, cls: type[T], context: Context) -> T:
    """The value again, as `cls`."""
    data = await context.execution.journal.load(value) if isinstance(value, Stored) else value
    return msgspec.json.decode(data, type=cls)
