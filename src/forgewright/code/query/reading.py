"""Reading by name: the source of a symbol with line numbers, its signature, members and callers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import dedent
from typing import TYPE_CHECKING

from forgewright.code.languages import RESOLVERS
from forgewright.code.operations.base import Match, Scene, plural
from forgewright.code.query.outline import outline, render, signature
from forgewright.code.selectors import nodes
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from forgewright.code.project import Source

SHOWS = ("signature", "body", "callers", "members")
LINE_CHARS_MAX = 400

_LINES = re.compile(r"(?P<path>[^\s\[\]`#]+?)(?::(?P<first>\d+)-(?P<last>\d+))?\Z")


def read_path(scene: Scene, target: str, limit: int) -> str | None:
    """The lines of `path` or `path:line-line`; None if the target is no such thing."""
    found = _LINES.match(target.strip())
    if found is None or not ("." in found["path"] or "/" in found["path"]):
        return None
    if not found["first"] and (":" in target or not scene.project.exists(found["path"])):
        return None
    source = scene.project.source(found["path"])
    first = int(found["first"] or 1)
    last = int(found["last"] or source.data.count(b"\n") + 1)
    return f"{source.path}\n" + numbered(source, first, last, limit)


def numbered(source: Source, first: int, last: int, limit: int) -> str:
    """The lines `first` to `last`, each with its number."""
    lines = source.data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    last = min(last, len(lines))
    shown = min(last, first + limit - 1)
    width = len(str(shown))
    out = [
        f"{number:>{width}} {lines[number - 1].decode('utf-8', 'replace').rstrip()[:LINE_CHARS_MAX]}"
        for number in range(max(first, 1), shown + 1)
    ]
    if shown < last:
        out.append(f"… {last - shown} more lines: read {source.path}:{shown + 1}-{last}")
    return "\n".join(out)


def read_match(scene: Scene, match: Match, show: Sequence[str], limit: int) -> str:
    """What `show` asks for, of one match."""
    unknown = [word for word in show if word not in SHOWS]
    if unknown:
        raise SelectorError(f"show: expected some of {', '.join(SHOWS)}, found {', '.join(unknown)}")
    source = match.source
    node = nodes.whole(match.node)
    first, last = node.start_point.row + 1, node.end_point.row + 1
    name = nodes.qualified(match.node, source.language)
    parts = [f"{source.path}:{first}-{last} {match.kind} {name}".rstrip()]
    wanted = show or ("body",)
    if "signature" in wanted:
        parts.append(signature(source, match.node))
        doc = _docstring(match)
        if doc:
            parts.append(doc)
    if "members" in wanted:
        inner = [e for e in outline(source, 20) if e.name.startswith(name + ".")]
        parts.append(render(inner) if inner else "no members")
    if "body" in wanted:
        parts.append(numbered(source, first, last, limit))
    if "callers" in wanted:
        parts.append(_callers(scene, match))
    return "\n".join(parts)


def _docstring(match: Match) -> str:
    body = nodes.body_of(match.node)
    if body is None or match.source.language != "python" or not body.named_child_count:
        return ""
    first = body.named_children[0]
    if first.named_child_count == 1 and nodes.is_docstring(first.named_children[0]):
        return dedent(" " * first.start_point.column + nodes.text(first)[:1000])
    return ""


def _callers(scene: Scene, match: Match) -> str:
    from forgewright.code.query.symbols import symbol_of
    from forgewright.code.query.uses import text, uses

    if match.source.language not in RESOLVERS:
        return "callers are not known for this language"
    resolver = scene.resolver(match.source.language)
    found = uses(scene.project, resolver, symbol_of(resolver, match))
    places = [place for place in found if place.role not in ("definition", "import", "export")]
    if not places:
        return "no callers found"
    files = len({place.path for place in places})
    return f"used in {plural(len(places), 'place')} of {plural(files, 'file')}\n" + text(
        scene.project, places, 40
    )
