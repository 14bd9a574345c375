"""A superclass made of members of a class, and functions out of functions to the top of their module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.entities import ANY
from forgewright.code.javascript.names import is_identifier
from forgewright.code.javascript.refactor.imports import cut
from forgewright.code.javascript.refactor.members import Group, all_names, extended
from forgewright.code.javascript.refactor.pieces import at_top, meaning, row, spoken, top_of
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_NESTED = ("function_declaration", "generator_function_declaration")


def extract_superclass(
    resolver: JavaScriptResolver, path: str, start: int, end: int, name: str
) -> tuple[str, list[Splice]]:
    """Members go to a new class above theirs, which extends it. Raises `EditRefused`."""
    group = Group(resolver, path, start, end)
    unit, cls = group.unit, group.cls
    name = name or f"Base{group.entity.declared_name}"
    if not is_identifier(name):
        raise EditRefused(f"{name!r} is no name", hint="give an identifier")
    if (
        cls.type not in ("class_declaration", "abstract_class_declaration")
        or cls.first("decorator") is not None
    ):
        raise EditRefused("this class is no plain declaration", hint="declare it with class NAME first")
    for node in unit.root.walk():
        if node.type in ("identifier", "type_identifier") and node.text == name:
            group.refuse(node, f"{name} stands for something already", "choose another name")
    heritage = cls.first("class_heritage")
    clause = heritage.first("extends_clause") if heritage is not None else None
    if (
        clause is None
        and heritage is not None
        and heritage.items
        and heritage.items[0].type != "implements_clause"
    ):
        clause = heritage
    above = extended(group.program, cls)
    if clause is not None and above is None:
        group.refuse(clause, "what it extends is not known", "")
    if clause is not None and clause.get("type_arguments") is not None:
        group.refuse(clause, "what it extends takes types", "")
    if cls.get("type_parameters") is not None:
        group.refuse(cls, "it has type parameters", "")
    inherited = all_names(group.program, above) if above is not None else set()
    for key in group.asked():
        if key.text not in inherited | group.names:
            group.refuse(key, f"`this` has no {key.text} in {name}", "select it too")
    data, eol = unit.data, layout.line_end(unit.data)
    statement = cls.up if cls.up.type == "export_statement" else cls
    indent = layout.indentation(data, statement.start)
    inner = layout.indentation(data, group.members[0].node.start)
    texts = [group.indented(member, inner, eol) for member in group.members]
    text = (eol + eol).join(texts)
    base = data[clause.start : clause.end] + b" " if clause is not None else b""
    found = group.cuts()
    start_of = _with_comments(data, statement)
    made = f"class {name} ".encode() + base + b"{" + eol + text + eol + indent + b"}" + eol + eol + indent
    found.append(Splice(path, start_of, start_of, made))
    if clause is not None:
        value = clause.get("value") or clause.items[0]
        found.append(Splice(path, value.start, value.end, name.encode()))
        return name, found
    named = cls.get("name")
    assert named is not None
    found.append(Splice(path, named.end, named.end, f" extends {name}".encode()))
    body = cls.get("body")
    for item in body.items if body is not None else []:
        named, block = item.get("name"), item.get("body")
        if item.type == "method_definition" and named is not None and block is not None:
            if named.text != "constructor":
                continue
            deeper = eol + layout.indentation(data, item.start) + (inner.removeprefix(indent) or b"  ")
            one_line = b"\n" not in data[block.start : block.end]
            found.append(
                Splice(
                    path, block.start + 1, block.start + 1, b" super();" if one_line else deeper + b"super();"
                )
            )
    return name, found


def _with_comments(data: bytes, node: Node) -> int:
    start = node.start
    siblings = node.up.children
    index = siblings.index(node) - 1
    while (
        index >= 0
        and siblings[index].type == "comment"
        and data[siblings[index].end : start].count(b"\n") == 1
    ):
        start = siblings[index].start
        index -= 1
    return start


def make_top_level(resolver: JavaScriptResolver, path: str, start: int, end: int) -> tuple[str, list[Splice]]:
    """A function that uses nothing of the one it is in goes behind it. Raises `EditRefused`."""
    program = resolver.program
    unit = program.unit(path)
    node: Node | None = None
    if unit is not None:
        start += len(unit.data[start:end]) - len(unit.data[start:end].lstrip())
        around = [unit.root.at(start), *unit.root.at(start).above()]
        node = next((one for one in around if one.type in _NESTED and one.start == start), None)
    if unit is None or node is None or node.end > end + 1:
        raise EditRefused(
            "expected one function declared in a function",
            hint="select it whole, from `function` to its brace",
        )
    entity = unit.own.get(node)
    top = top_of(node)
    if entity is None or top is node or top.get("declaration") is node:
        raise EditRefused(
            f"{path}:{row(node)} it is at the top already", hint="move-symbol moves it elsewhere"
        )
    name = entity.declared_name
    if any(above.type == "internal_module" for above in node.above()):
        raise EditRefused(f"{path}:{row(node)} {name} is in a namespace", hint="move it by hand")
    if len(entity.nodes) != 1:
        raise EditRefused(
            f"{path}:{row(node)} {name} is declared more than once", hint="leave it where it is"
        )
    for one in spoken(unit):
        inside = node.start <= one.start < node.end
        if not inside:
            if one.text == name and program.visible(unit.scope_at(one), name, ANY) is not entity:
                raise EditRefused(
                    f"{path}:{row(one)} {name} means something else here", hint="rename one of them first"
                )
            continue
        meant, _ = meaning(program, unit, one)
        if meant is None or meant is entity or meant.unit is not unit or at_top(unit, meant):
            continue
        if not all(node.start <= declared.start < node.end for declared in meant.names):
            raise EditRefused(
                f"{path}:{row(one)} {name} uses {one.text} of the function it is in",
                hint="make it a parameter first",
            )
    if any(name in scope.table for scope in unit.scope_at(node.up).chain() if scope is not entity.scope):
        raise EditRefused(f"{path} has another {name}", hint="rename one of them first")
    for inner in node.walk():
        if inner.type == "super":
            raise EditRefused(
                f"{path}:{row(inner)} `super` would mean nothing there", hint="leave it where it is"
            )
    data, eol = unit.data, layout.line_end(unit.data)
    was = layout.indentation(data, node.start)
    begin = _with_comments(data, node)
    lines: list[bytes] = []
    at = begin
    for line in data[begin : node.end].split(b"\n"):
        text = line.removesuffix(b"\r")
        deep = any(
            n.type == "template_string" and n.start < at
            for n in [unit.root.at(at), *unit.root.at(at).above()]
        )
        lines.append(text if deep else text.removeprefix(was))
        at += len(line) + 1
    stop = layout.line_stop(data, top.end)
    behind = stop if layout.only_space(data[top.end : stop].strip(b";")) else top.end
    gone = cut(unit, begin, node.end)
    if data[: gone.start].rstrip().endswith(b"{"):
        tail = gone.end
        for _ in range(layout.blank_lines_after(data, tail)):
            tail = layout.after_line(data, tail)
        gone = Splice(gone.path, gone.start, tail, b"")
    return name, [gone, Splice(path, behind, behind, eol + eol + eol.join(lines))]
