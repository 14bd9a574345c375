"""The section of a system prompt that teaches the operations a run allows, made from their declarations."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from forgewright.code.operations import registry
from forgewright.code.operations.base import Operation
from forgewright.code.selectors.kinds import KINDS
from forgewright.code.syntax.program import describe

EXAMPLE_CHARS_MAX = 120

_HEAD = """\
## Editing code

Code is read and changed by programs: one operation per form, `(name key: value …)`. A program takes
effect as a whole or not at all. Text stands in '…' or "…" with \\n escapes, or raw in '''…''' blocks, whose
common indentation is taken off; lists in [ ]. Indentation of new code is fitted to its place.

A **selector** names a node: a kind, `#Name` or `#Class.member`, `[key=value]` tests, `>` for child, a space
for inside, `:has(…)`, `:not(…)`, `:first`; in front `glob::` for files. Or a place, `path:line:column`.
  function#fetch    app/util.py::class#Cache > method[name=get]    call[name=print]    parameter[name=timeout]
  class:has(method#save)    if:inside(function#main)    `open($PATH)`    app/util.py:42
Kinds: {kinds}. Node types of the grammar work too.
An edit needs exactly one match (or `every: true`); an error lists the candidates with their places.
"""


def prompt(allow: Collection[str] | None = None) -> str:
    """The section, with each allowed operation's arguments."""
    parts = [_HEAD.format(kinds=", ".join(KINDS))]
    for name in registry.names():
        if allow is None or name in allow:
            parts.append(_operation(name, registry.load(name)))
    return "\n".join(parts) + "\n"


def _operation(name: str, cls: type[Operation]) -> str:
    fields = msgspec.structs.fields(cls)
    arguments = " ".join(
        f"{f.encode_name}: …" if f.required else f"[{f.encode_name}: …]"
        for f in sorted(fields, key=lambda f: not f.required)
    )
    summary = (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")
    lines = [f"({name} {arguments})".replace(" )", ")"), f"  {summary}"]
    for field in fields:
        if field.encode_name not in ("target", "in", "every", "code"):
            lines.append(f"  {field.encode_name}: {describe(field)}")
    shown = next(
        (e.program for e in cls.examples if len(e.program) <= EXAMPLE_CHARS_MAX and not e.refused), ""
    )
    if shown and "\n" not in shown:
        lines.append(f"  e.g. {shown}")
    return "\n".join(lines)
