"""Identifiers: types of their own, short enough to type, and sortable by time where that helps."""

from __future__ import annotations

import os
import time
from typing import NewType

RunId = NewType("RunId", str)
"""Sixteen characters of Crockford's base 32: ten of time (milliseconds), six random. Sorts by age."""

EffectId = NewType("EffectId", str)
"""Place of an effect in its run: `visit.ordinal`, or `visit.scope.ordinal` inside a scope."""

Digest = NewType("Digest", str)
"""`sha256:` and 64 hexadecimal digits."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def base32(value: int, width: int) -> str:
    """`value` as `width` characters of Crockford's base 32 in lower case."""
    out = []
    for _ in range(width):
        out.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(out))


def new_run_id() -> RunId:
    """A fresh run id; two made in the same millisecond collide with probability 2⁻³⁰."""
    return RunId(
        base32(time.time_ns() // 1_000_000, 10) + base32(int.from_bytes(os.urandom(4)) & (1 << 30) - 1, 6)
    )


def digest(data: bytes) -> Digest:
    """The SHA-256 digest of `data`, prefixed with the algorithm's name."""
    from hashlib import sha256

    return Digest("sha256:" + sha256(data).hexdigest())
