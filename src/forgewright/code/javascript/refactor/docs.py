"""The `@param` lines of a function's comment, which follow its parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.javascript.jsdoc import doc_before
from forgewright.code.javascript.refactor.parameters import Fresh, Order, Slot, literal_type, typed
from forgewright.code.project import Splice

if TYPE_CHECKING:
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node

_TAG = re.compile(r"^[ \t]*\*?[ \t]*@(\w+)")
_PARAM = re.compile(
    r"^[ \t]*\*?[ \t]*@(?:param|arg|argument)[ \t]+(?P<type>\{(?:[^{}]|\{[^{}]*\})*\}[ \t]+)?(?P<name>\[?[\w$.]+)"
)
_PREFIX = re.compile(r"^[ \t]*\*?[ \t]*")


class Block:
    """The lines of one tag."""

    def __init__(self, lines: list[str], name: str) -> None:
        self.lines = lines
        self.name = name
        """Of the parameter that it documents; empty for another tag."""


def follow(program: Program, function: Node, slots: Sequence[Slot], order: Order) -> Splice | None:
    """The comment of a function after its parameters were put into `order`."""
    unit = program.unit(function.path)
    doc = doc_before(unit, function) if unit is not None else None
    if doc is None:
        return None
    comment = doc.comment
    lines = comment.text.split("\n")
    blocks = _blocks(lines)
    known = {slot.name for slot in slots if slot.name}
    documented = [block for block in blocks if block.name in known]
    if not documented:
        return None
    wanted = _wanted(documented, slots, order, function)
    at = blocks.index(documented[0])
    out: list[str] = []
    placed = False
    in_place = len(wanted) == len(documented)
    queue = list(wanted)
    for index, block in enumerate(blocks):
        if block in documented:
            if in_place:
                out += queue.pop(0)
            elif not placed and index >= at:
                out += [line for lines_ in wanted for line in lines_]
                placed = True
            continue
        out += block.lines
    text = "\n".join(out)
    if text == comment.text:
        return None
    return Splice(function.path, comment.start, comment.end, text.encode())


def _blocks(lines: list[str]) -> list[Block]:
    """The comment's lines by tag; what stands before the first tag and in the last line is no tag's."""
    blocks = [Block([lines[0]], "")]
    for line in lines[1:-1]:
        found = _PARAM.match(line)
        if _TAG.match(line):
            name = found["name"].lstrip("[").partition(".")[0] if found is not None else ""
            blocks.append(Block([line], name))
        elif not line.strip(" \t\r*") and blocks[-1].name:
            blocks.append(Block([line], ""))
        else:
            blocks[-1].lines.append(line)
    if len(lines) > 1:
        blocks.append(Block([lines[-1]], ""))
    return blocks


def _wanted(documented: list[Block], slots: Sequence[Slot], order: Order, function: Node) -> list[list[str]]:
    """The lines of each parameter that is documented, in the new order; a new one gets a line."""
    found: list[list[str]] = []
    sample = documented[-1].lines[0]
    for at, entry in enumerate(order):
        if isinstance(entry, Fresh):
            required = any(
                isinstance(one, int) and not (slots[one].optional or slots[one].default or slots[one].rest)
                for one in order[at:]
            )
            lines = [_line(sample, entry, function, optional=not required)]
            for index, key in entry.packs:
                own = slots[index].name if index < len(slots) else ""
                for block in documented:
                    if own and block.name == own:
                        lines += _under(block.lines, own, f"{entry.name}.{key}")
            found.append(lines)
            continue
        found += [block.lines for block in documented if block.name == slots[entry].name]
    return found


def _under(lines: list[str], old: str, new: str) -> list[str]:
    """The lines of a parameter that is a member of another one now."""
    found = _PARAM.match(lines[0])
    if found is None:
        return lines
    at = found.start("name") + (1 if found["name"].startswith("[") else 0)
    return [lines[0][:at] + new + lines[0][at + len(old) :], *lines[1:]]


def _line(sample: str, fresh: Fresh, function: Node, *, optional: bool) -> str:
    """A line for a new parameter, written as the line of another one is."""
    prefix = _PREFIX.match(sample)
    like = _PARAM.match(sample)
    kind = (
        fresh.type
        or ("Object" if fresh.packs else "")
        or literal_type(fresh.default if fresh.default is not None else fresh.value)
        or "*"
    )
    shown = f"{{{kind}}} " if like is not None and like["type"] else ""
    name = fresh.name
    if not typed(function) and optional and not fresh.packs:
        if fresh.default is not None:
            name = f"[{name}={fresh.default}]"
        elif like is not None and like["name"].startswith("["):
            name = f"[{name}]"
    end = "\r" if sample.endswith("\r") else ""
    return f"{prefix.group() if prefix is not None else ' * '}@param {shown}{name}{end}"
