"""What line by line looks like a conflict and is none: both sides add imports, or both add definitions.

Whatever is done here is checked on the whole file afterwards; where that fails, it is a conflict again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.languages import language_of
from forgewright.code.sources import SourceFile
from forgewright.code.validity import mistake
from forgewright.core.errors import ForgewrightError
from forgewright.swarm.merge.text import Sides, ended

if TYPE_CHECKING:
    from tree_sitter import Node

IMPORT = {
    "python": re.compile(
        rb"(?:import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,[\s\w.,]+)?"
        rb"|from\s+[\w.]+\s+import\s+[^()\\]+)\s*(?:#.*)?"
    ),
    "go": re.compile(rb"(?:import\s+)?(?:[\w.]+\s+)?\"[^\"]+\""),
    "rust": re.compile(rb"(?:pub(?:\([\w: ]+\))?\s+)?(?:use|mod)\s+[^;]+;|extern\s+crate\s+[^;]+;"),
    "javascript": re.compile(rb"import\s[^;]*?['\"][^'\"]+['\"];?|import\s+['\"][^'\"]+['\"];?"),
}  # fmt: skip
"""Statements that stand on a line of their own and may stand in any order."""
FAMILY = {"typescript": "javascript", "tsx": "javascript"}


def resolve(path: str, sides: Sides) -> Sequence[bytes] | None:
    """Lines that hold what both sides added, in an order that does not depend on which side is which."""
    return _imports(path, sides) or _additions(path, sides)


def _imports(path: str, sides: Sides) -> list[bytes] | None:
    language = language_of(path)
    statement = IMPORT.get(FAMILY.get(language, language))
    base, ours, theirs = ([ended(line) for line in side] for side in sides)
    if statement is None or any(
        line.strip() and not statement.fullmatch(line.strip()) for line in [*base, *ours, *theirs]
    ):
        return None
    gone = {line for line in base if line.strip()} - (set(ours) & set(theirs))
    both_changed = gone - set(ours) - set(theirs)
    if both_changed and language != "python":
        return None  # two forms of one import may name a thing twice
    kept = [line for line in base if line not in gone]
    added = sorted({line for line in [*ours, *theirs] if line.strip() and line not in base})
    merged = kept + added
    plain = [line for line in merged if line.strip()]
    if len(plain) == len(merged) and all(side == sorted(side) for side in (base, ours, theirs)):
        return sorted(merged)
    return merged


def _additions(path: str, sides: Sides) -> list[bytes] | None:
    """Whole definitions that both added at one place, one after the other."""
    base, ours, theirs = sides
    if language_of(path) == "text" or any(line.strip() for line in base):
        return None
    blocks = [_stripped(side) for side in (ours, theirs)]
    if not all(inner for inner, _ in blocks):
        return None
    (first, blank_first), (second, blank_second) = sorted(blocks)
    if not (_definitions(path, first) and _definitions(path, second)):
        return None
    if _definitions(path, first) & _definitions(path, second):
        return None
    blank = max(blank_first, blank_second, key=len)
    lead = min((_lead(ours), _lead(theirs)), key=len)
    between = blank or lead or [b"\n"]
    return [*lead, *map(ended, first), *between, *map(ended, second), *blank]


def _lead(side: Sequence[bytes]) -> list[bytes]:
    count = next(i for i, line in enumerate(side) if line.strip())
    return list(side[:count])


def _stripped(side: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The lines without blank ones around them, and the blank ones behind."""
    lines = list(side)
    while lines and not lines[0].strip():
        lines.pop(0)
    blank: list[bytes] = []
    while lines and not lines[-1].strip():
        blank.insert(0, lines.pop())
    return lines, blank


def _definitions(path: str, lines: Sequence[bytes]) -> frozenset[str]:
    """Names that a block defines, if it consists of definitions and comments alone; else nothing."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    if any(line.strip() and line[:indent].strip() for line in lines):
        return frozenset()
    text = b"".join(ended(line[indent:] if line.strip() else b"\n") for line in lines)
    language = language_of(path)
    tries = [text] if language in ("python", "go") else [text, b"class C {\n" + text + b"}\n"]
    if language == "rust":
        tries = [text, b"impl C {\n" + text + b"}\n"]
    for number, data in enumerate(tries):
        source = SourceFile(path, data)
        if mistake(None, source):
            continue
        root = source.tree.root_node
        if number:
            body = root.named_children[0].child_by_field_name("body")
            if body is None:
                continue
            root = body
        names = [_name(node) for node in root.named_children if "comment" not in node.type]
        if names and all(names) and len(set(names)) == len(names):
            return frozenset(names)
    return frozenset()


CARRIES = ("definition", "declaration", "declarator")


def _name(node: Node) -> str:
    """What a definition defines; empty for what is none."""
    found = node.child_by_field_name("name")
    if found is not None and found.text is not None:
        receiver = node.child_by_field_name("receiver")
        of = receiver.text.decode(errors="replace") if receiver is not None and receiver.text else ""
        return of + found.text.decode(errors="replace")
    for field in CARRIES:
        inner = node.child_by_field_name(field)
        if inner is not None:
            return _name(inner)
    children = [child for child in node.named_children if "comment" not in child.type]
    return _name(children[0]) if len(children) == 1 and node.type.endswith("_declaration") else ""


def wrong(path: str, base: bytes | None, ours: bytes, theirs: bytes, merged: bytes) -> str:
    """Why a merged file can't be right although each side is; empty if nothing is found."""
    if language_of(path) == "text":
        return ""
    try:
        if any(mistake(None, SourceFile(path, side)) for side in (ours, theirs)):
            return ""  # what was broken before is not the merge's fault
        result = SourceFile(path, merged)
        found = mistake(None, result)
        if found:
            return f"it does not parse: {found}"
        counts = [_count(SourceFile(path, side)) for side in (ours, theirs)]
        for name, count in _count(result).items():
            if count > max(1, *(side[name] for side in counts)):
                return f"{name} is defined twice"
    except ForgewrightError:
        return ""
    return ""


def _count(source: SourceFile) -> Counter[str]:
    nodes = (
        n
        for n in source.tree.root_node.named_children
        if "import" not in n.type and n.type != "use_declaration"
    )
    return Counter(filter(None, map(_name, nodes)))
