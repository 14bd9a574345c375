"""The standard library's types, as far as names are reached through them (`items.map(item => item.name)`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from forgewright.code.javascript.binder import bind
from forgewright.code.javascript.entities import Unit
from forgewright.code.languages import parse
from forgewright.code.scopes.tree import mirror

PATH = "library.d.ts"
"""Not a path of any project: nothing in it can be renamed."""


@cache
def library() -> Unit:
    """The declarations of `library.d.ts` beside this file, bound once per process."""
    data = (Path(__file__).parent / PATH).read_bytes()
    return bind(Unit("\0" + PATH, "typescript", mirror(parse("typescript", data), "\0" + PATH, data)))
