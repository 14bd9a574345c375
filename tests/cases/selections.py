"""Where a case points: as rope, jedi and pyrefly say it, turned into our positions and ranges."""

from __future__ import annotations

import re
from typing import Any

from forgewright.code.languages import parse

Case = dict[str, Any]


def at(case: Case, args: Case, line: str = "line", column: str = "column") -> str:
    """The case's position, as `path:line:column` from 1."""
    text = case["files"][args["path"]]
    if "offset" in args and line == "line":
        before = text[: args["offset"]]
        row = before.count("\n")
        return f"{args['path']}:{row + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"
    return f"{args['path']}:{args[line]}:{args[column] + 1}"


def globs(args: Case) -> str:
    """The files that rope was told to look at."""
    return ",".join(resource["resource"] for resource in args.get("resources", ()))


def place(text: str, offset: int) -> str:
    """`line:column` from 1 of a character offset."""
    before = text[:offset]
    return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"


def selection(case: Case, args: Case) -> tuple[str, str]:
    """The selected range, and how to read it: as rope, jedi and pyrefly say what is selected."""
    if "start" in args:
        text = case["files"][args["path"]]
        return f"{args['path']}:{place(text, args['start'])}-{place(text, args['end'])}", "auto"
    if "path" in args:
        return jedi_selection(case, args)
    path, text = next((p, t) for p, t in case["files"].items() if "EXTRACT-START" in t)
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if "# EXTRACT-START" in line) + 1
    last = next(i for i, line in enumerate(lines) if "# EXTRACT-END" in line)
    return f"{path}:{first + 1}:1-{last + 1}:1", "auto"


def jedi_selection(case: Case, args: Case) -> tuple[str, str]:
    """jedi widens a position or a range to the code around it; so does this, by its rules."""
    path = args["path"]
    data = case["files"][path].encode()
    lines = data.split(b"\n")

    def offset(line: int, column: int) -> int:
        return sum(len(one) + 1 for one in lines[: line - 1]) + min(column, len(lines[line - 1]))

    root = parse("python", data).root_node
    every = list(leaves(root))
    start = offset(args["line"], args["column"])
    index = next((i for i, n in enumerate(every) if n.end_byte >= start), len(every) - 1)
    node = every[index]
    if "until_line" not in args and "until_column" not in args:
        if not node.is_named and index + 1 < len(every) and every[index + 1].start_byte == start:
            node = every[index + 1]
        if is_syntax(node):
            node = node.parent
        if node.type == "argument_list" or (
            node.parent.type == "argument_list" and node.parent.named_child_count == 1
        ):
            node = node.parent if node.type == "argument_list" else node.parent.parent
        while node.parent is not None and node.parent.type in WIDENED:
            node = node.parent
        if node.type == "return_statement":
            node = node.named_children[0]
        return spanned(case, path, node.start_byte, node.end_byte), "expression"
    until = offset(args.get("until_line", args["line"]), args.get("until_column", 10**6))
    at_line_end = start == offset(args["line"], 10**6)
    if node.end_byte == start and not at_line_end and index + 1 < len(every):
        node = every[index + 1]
    first = node.start_byte
    last = next((n for n in reversed(every) if n.start_byte < until), every[-1])
    whole = root.descendant_for_byte_range(first, max(first, last.end_byte - 1)) or root
    if is_syntax(whole) and whole.parent is not None:
        whole = whole.parent
    if whole.type in ("module", "block", "function_definition", "class_definition"):
        if whole.type.endswith("definition"):
            body = whole.child_by_field_name("body")
            assert body is not None
            whole = body if first >= body.start_byte else whole
        inside = [c for c in whole.named_children if c.end_byte > first and c.start_byte < until]
        return spanned(case, path, min(inside[0].start_byte, first), inside[-1].end_byte), "statements"
    if whole.type == "return_statement":
        whole = whole.named_children[0]
    if whole.type.endswith("_statement") and whole.type != "expression_statement":
        return spanned(case, path, whole.start_byte, whole.end_byte), "statements"
    return spanned(case, path, whole.start_byte, whole.end_byte), "expression"


def is_syntax(node: Any) -> bool:
    """An operator or a keyword that is no value."""
    return not node.is_named and not node.children


WIDENED = frozenset(
    [
        "binary_operator",
        "boolean_operator",
        "comparison_operator",
        "not_operator",
        "unary_operator",
        "attribute",
        "call",
        "subscript",
        "await",
    ]
)


def leaves(root: Any) -> Any:
    stack = [root]
    while stack:
        node = stack.pop()
        if not node.children:
            if node.type != "comment":
                yield node
        elif node.type == "string":
            yield node
        stack.extend(reversed(node.children))


def spanned(case: Case, path: str, start: int, end: int) -> str:
    data = case["files"][path].encode()
    text = case["files"][path]
    return f"{path}:{place(text, len(data[:start].decode()))}-{place(text, len(data[:end].decode()))}"


def in_method(case: Case, args: Case) -> bool:
    """Whether the function around the position is a method."""
    lines = case["files"][args["path"]].encode().split(b"\n")
    at = sum(len(one) + 1 for one in lines[: args["line"] - 1]) + args["column"]
    root = parse("python", case["files"][args["path"]].encode()).root_node
    node = root.descendant_for_byte_range(at, at)
    while node is not None and node.type != "function_definition":
        node = node.parent
    while (
        node is not None and node.parent is not None and node.parent.type in ("decorated_definition", "block")
    ):
        node = node.parent
    return node is not None and node.parent is not None and node.parent.type == "class_definition"


def fresh(text: str, name: str) -> str:
    """The first of `name`, `name_1`, `name_2` … that the text does not have."""
    found, number = name, 0
    while found in text:
        number += 1
        found = f"{name}_{number}"
    return found


def caret(case: Case) -> str:
    """The position that a `^` in a comment line points at (pyrefly)."""
    for path, text in case["files"].items():
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if re.fullmatch(r"\s*#\s*\^\s*", line):
                return f"{path}:{number}:{line.index('^') + 1}"
            target = re.match(r"\s+(\w+) = ", line)
            if target and case["op"] == "invert_boolean":
                return f"{path}:{number + 1}:{target.start(1) + 1}"
    raise AssertionError("no ^ in the case")


def marked(case: Case, word: str) -> str:
    """The lines between `# WORD-START` and `# WORD-END` (pyrefly)."""
    path, text = next((p, t) for p, t in case["files"].items() if f"{word}-START" in t)
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if f"# {word}-START" in line) + 2
    last = next(i for i, line in enumerate(lines) if f"# {word}-END" in line) + 1
    return f"{path}:{first}:1-{last}:1"
