"""How text is fitted into a file: its indentation, its line ends, the blank lines around definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from forgewright.code.languages import GRAMMARS, parse

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

_LEADING = re.compile(rb"[ \t]*")
_MULTILINE = frozenset(
    ("string", "concatenated_string", "template_string", "raw_string_literal", "string_literal", "text_block")
)


def line_end(data: bytes) -> bytes:
    """The file's line end: CRLF if its first line has one."""
    at = data.find(b"\n")
    return b"\r\n" if at > 0 and data[at - 1 : at] == b"\r" else b"\n"


def line_start(data: bytes, offset: int) -> int:
    """Offset of the first byte of the line."""
    return data.rfind(b"\n", 0, offset) + 1


def line_stop(data: bytes, offset: int) -> int:
    """Offset of the line's end, before CR and LF."""
    at = data.find(b"\n", offset)
    at = len(data) if at < 0 else at
    return at - 1 if at > offset and data[at - 1 : at] == b"\r" else at


def after_line(data: bytes, offset: int) -> int:
    """Offset of the next line's first byte, or the end of the file."""
    at = data.find(b"\n", offset)
    return len(data) if at < 0 else at + 1


def indentation(data: bytes, offset: int) -> bytes:
    """The white space that the line of `offset` begins with."""
    found = _LEADING.match(data, line_start(data, offset))
    assert found is not None
    return found.group()


def only_space(data: bytes) -> bool:
    return not data.strip(b" \t\r\n\f")


def indent_unit(source: Source) -> bytes:
    """One level of the file's indentation: a tab, or its usual step of spaces (default 4; JS and TS 2)."""
    steps: dict[int, int] = {}
    previous = 0
    for line in source.data.split(b"\n")[:3000]:
        stripped = line.lstrip(b" \t")
        if not stripped.strip() or stripped[:1] in (b"*", b"#"):
            continue
        if line[:1] == b"\t":
            return b"\t"
        width = len(line) - len(stripped)
        step = width - previous
        if step in (2, 3, 4, 8):
            steps[step] = steps.get(step, 0) + 1
        previous = width
    if steps:
        return b" " * max(steps, key=lambda step: steps[step])
    if source.language == "go":
        return b"\t"
    return b"  " if source.language in ("javascript", "typescript", "tsx") else b"    "


class Line(NamedTuple):
    """A line of a piece of code, without the common indentation."""

    text: str
    role: Literal["code", "string", "docstring"]
    """`string`: it lies in a value and must not move; `docstring`: it moves with its first line."""
    base: str = ""
    """Of a docstring's line: the indentation of its first line."""


def fragment_lines(text: str, language: str, indent: str = "") -> list[Line]:
    """The lines of a piece of code that will stand at `indent`."""
    lines = text.replace("\r\n", "\n").strip("\n").rstrip().split("\n")
    roles = _string_lines("\n".join(lines), language)
    margins = [_margin(line) for at, line in enumerate(lines) if line.strip() and roles.get(at, -1) < 0]
    margin = min(margins, default=0)
    if margin == 0 and indent and _cut_out(lines, margins[1:], indent, language):
        lines = [
            lines[0],
            *(
                line[len(indent) :] if roles.get(at, -1) != 0 else line
                for at, line in enumerate(lines[1:], 1)
            ),
        ]
    shifted: list[Line] = []
    for at, line in enumerate(lines):
        role = roles.get(at, -1)
        if role == 0:
            shifted.append(Line(line, "string"))
        elif role > 0:
            first = lines[role - 1]
            shifted.append(
                Line(line[margin:] if line.strip() else "", "docstring", first[margin : _margin(first)])
            )
        else:
            shifted.append(Line(line[margin:] if line.strip() else "", "code"))
    return shifted


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _cut_out(lines: list[str], rest: list[int], indent: str, language: str) -> bool:
    """Whether the first line lost the indentation that the others still have, as in text cut out of a file."""
    if not rest or min(rest) < len(indent):
        return False
    head = lines[0].split("#")[0].split("//")[0].rstrip()
    if head.startswith("@") and min(rest) == len(indent):
        return True
    return (
        head.endswith((":", "{", "(", "[", "=>"))
        and min(rest) > len(indent)
        and (min(rest) >= len(indent) + 2 and not _regular(lines, language))
    )


def _regular(lines: list[str], language: str) -> bool:
    """Whether the second line is indented by one usual step, so that nothing was lost."""
    widths = [_margin(line) for line in lines[1:] if line.strip()]
    return bool(widths) and widths[0] in ((4,) if language == "python" else (2, 4))


def _string_lines(text: str, language: str) -> dict[int, int]:
    """Numbers of the lines that begin inside a string → 0, or for a docstring the number of its first line + 1."""
    if language not in GRAMMARS or "\n" not in text:
        return {}
    found: dict[int, int] = {}
    stack = [parse(language, text.encode("utf-8", "surrogatepass")).root_node]
    while stack:
        node = stack.pop()
        if node.end_point.row == node.start_point.row:
            continue
        if node.type in _MULTILINE:
            role = node.start_point.row + 1 if _documents(node) else 0
            found.update(dict.fromkeys(range(node.start_point.row + 1, node.end_point.row + 1), role))
            continue
        stack.extend(node.children)
    return found


def _documents(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "expression_statement" and parent.child_count == 1


def fit(text: str, source: Source, indent: bytes) -> bytes:
    """A piece of code at `indent` (also its first line), with the file's indentation unit and line ends.

    Values of strings over several lines stay as they are; docstrings move with the code.
    """
    unit = indent_unit(source)
    lines = fragment_lines(text, source.language, indent.decode())
    own = _unit_of([line.text for line in lines if line.role == "code"])
    out: list[bytes] = []
    for line in lines:
        data = line.text.encode("utf-8", "surrogateescape")
        stripped = data.lstrip(b" \t")
        leading = data[: len(data) - len(stripped)]
        if line.role == "string" or not data:
            out.append(data)
        elif line.role == "docstring":
            base = line.base.encode()
            out.append(indent + _rescaled(base, own, unit) + leading[len(base) :] + stripped)
        else:
            out.append(indent + _rescaled(leading, own, unit) + stripped)
    return line_end(source.data).join(out)


def _unit_of(lines: list[str]) -> int:
    """Spaces of one level in a fragment; 0 if it is indented by tabs, or not at all."""
    widths = {len(line) - len(line.lstrip(" ")) for line in lines if line.strip()}
    widths.discard(0)
    if not widths or any(line.startswith("\t") for line in lines):
        return 0
    smallest = min(widths)
    return smallest if smallest in (2, 4) and all(width % smallest == 0 for width in widths) else 0


def _rescaled(leading: bytes, own: int, unit: bytes) -> bytes:
    if not leading:
        return leading
    if leading.startswith(b"\t"):
        tabs = len(leading) - len(leading.lstrip(b"\t"))
        return unit * tabs + leading[tabs:]
    if own and unit != b" " * own:
        return unit * (len(leading) // own)
    return leading


def definition_gap(language: str, indent: bytes) -> int:
    """Blank lines between definitions: two at the top of a Python file, else one."""
    return 2 if language == "python" and not indent else 1


def blank_lines_before(data: bytes, offset: int) -> int:
    """How many blank lines stand right above the line of `offset`."""
    count = 0
    at = line_start(data, offset)
    while at > 0:
        previous = line_start(data, at - 1)
        if not only_space(data[previous:at]):
            break
        count += 1
        at = previous
    return count


def blank_lines_after(data: bytes, offset: int) -> int:
    """How many blank lines stand right below, `offset` being the first byte of a line."""
    count = 0
    at = offset
    while at < len(data):
        following = after_line(data, at)
        if not only_space(data[at:following]):
            break
        count += 1
        at = following
    return count


def walk(node: Node) -> Iterator[Node]:
    """All nodes below and including `node`."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))
