"""Whether a file is still well-formed after an edit: no new error node, and the language's own word on it."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from forgewright.code.languages import Unparsable
from forgewright.code.sources import SourceFile
from forgewright.code.substitution import substituted

if TYPE_CHECKING:
    from tree_sitter import Node

ERRORS_MAX = 1000


def mistake(before: SourceFile | None, after: SourceFile) -> str:
    """Empty if `after` is no worse than `before`; else what is wrong, as `path:line: …`."""
    if after.language == "text":
        return ""
    try:
        return _mistake(before, after)
    except Unparsable as error:
        return "" if before is not None and before.data == after.data else error.message


def _mistake(before: SourceFile | None, after: SourceFile) -> str:
    if after.language == "python":
        return _python(before, after)
    errors = broken(after)
    if errors and (before is None or len(errors) > len(broken(before))):
        return _describe(after, errors[0])
    return ""


def broken(source: SourceFile) -> list[Node]:
    """The error and missing nodes of a tree, at most `ERRORS_MAX`."""
    root = source.tree.root_node
    found: list[Node] = []
    if not root.has_error:
        return found
    stack = [root]
    while stack and len(found) < ERRORS_MAX:
        node = stack.pop()
        if node.is_error or node.is_missing:
            found.append(node)
        stack.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)
    return found


def _python(before: SourceFile | None, after: SourceFile) -> str:
    """Python's own compiler decides; a file that it did not take before is judged by its tree."""
    if before is not None and substituted(before, after):
        return ""
    wrong = compiled(after)
    if not wrong:
        return _only_new(before, after) if sys.version_info >= (3, 12) else ""
    if before is not None and compiled(before):
        errors = broken(after)
        return _describe(after, errors[0]) if len(errors) > len(broken(before)) else ""
    return f"{after.path}:{wrong}"


def _only_new(before: SourceFile | None, after: SourceFile) -> str:
    """Python from 3.12 on takes what may not stand inside an f-string before (PEP 701); a project may run on both."""
    found = nested_strings(after)
    if not found or (before is not None and nested_strings(before)):
        return ""
    return f"{after.path}:{found[0]}: this f-string is one for Python 3.12 and newer only"


def nested_strings(source: SourceFile) -> list[int]:
    """The lines of f-strings that have their own quotes, a backslash or a line's end inside an expression."""
    if b"{" not in source.data:
        return []
    found: list[int] = []
    stack = [source.tree.root_node]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if node.type != "interpolation" or node.parent is None or node.parent.type != "string":
            continue
        opening = (node.parent.children[0].text or b"").lstrip(b"rRbBfFuUtT")
        text, literal = node.text or b"", node.child_by_field_name("format_specifier")
        inside = text if literal is None else text[: literal.start_byte - node.start_byte]
        if opening in text or b"\\" in inside or (b"\n" in text and len(opening) == 1):
            found.append(node.start_point.row + 1)
    return sorted(found)


def compiled(source: SourceFile) -> str:
    """Empty if Python compiles it; else `line: message`."""
    data = source.data
    if len(data) > 1 << 20:
        return "1: too large to compile" if source.tree.root_node.has_error else ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, source.path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{error.lineno or 1}: {error.msg}"
    except (ValueError, RecursionError, MemoryError, OverflowError, LookupError) as error:
        return f"1: {error}"
    return ""


def _describe(source: SourceFile, node: Node) -> str:
    row, column = node.start_point.row + 1, node.start_point.column + 1
    if node.is_missing:
        return f"{source.path}:{row}:{column}: {node.type!r} is missing"
    lines = source.data.split(b"\n")
    line = lines[row - 1].decode("utf-8", "replace").strip() if row <= len(lines) else ""
    return f"{source.path}:{row}:{column}: syntax error near {line[:100]!r}"
