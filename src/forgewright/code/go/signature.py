"""`func(i int, s string)` as the new name of a `func`: parameters reordered or dropped, with the calls."""

from __future__ import annotations

from forgewright.code.binding import Renaming
from forgewright.code.go.meaning import Meanings
from forgewright.code.go.search import Search
from forgewright.code.languages import parse
from forgewright.code.project import Splice
from forgewright.code.scopes.tree import Node, mirror
from forgewright.core.errors import EditRefused


def change(meanings: Meanings, function: Node, new: str) -> Renaming:
    """Raises `EditRefused` for anything but reordering and dropping of parameters that are not used."""
    name, listed = function.get("name"), function.get("parameters")
    thing = meanings.at(name) if name is not None else None
    if function.type not in ("function_declaration", "method_declaration") or thing is None or listed is None:
        raise EditRefused("expected a declared function", hint="point at the func of a declaration")
    wanted = _wanted(new)
    old = _parameters(listed)
    result = function.get("result")
    if wanted is None or (result.text if result is not None else "") != wanted[1]:
        raise _unsupported()
    order = []
    for parameter in wanted[0]:
        if parameter not in old or old.index(parameter) in order:
            raise _unsupported()
        order.append(old.index(parameter))
    if order == list(range(len(old))):
        return Renaming(())
    if any(item.type == "variadic_parameter_declaration" for item in listed.items):
        raise EditRefused("not yet supported: a variadic function", hint="edit the calls one by one")
    _check_unused(meanings, function, [old[i][0] for i in range(len(old)) if i not in order])
    text = ", ".join(f"{old[i][0]} {old[i][1]}" for i in order)
    splices = [Splice(listed.path, listed.start, listed.end, f"({text})".encode())]
    search = Search(meanings)
    search.run([thing])
    for node in search.hits:
        if node is not name:
            splices.append(_call(node, order, len(old)))
    return Renaming(tuple(sorted(splices)))


def _unsupported() -> EditRefused:
    return EditRefused(
        "not yet supported: only reordering and dropping of parameters with their names and types",
        hint="write the parameters as they are declared, in the new order",
    )


def _wanted(new: str) -> tuple[list[tuple[str, str]], str] | None:
    data = f"package p\n\ntype _ {new}\n".encode()
    tree = parse("go", data)
    root = mirror(tree, "", data)
    function = next((node for node in root.walk() if node.type == "function_type"), None)
    listed = function.get("parameters") if function is not None else None
    if tree.root_node.has_error or function is None or listed is None:
        return None
    result = function.get("result")
    return _parameters(listed), result.text if result is not None else ""


def _parameters(listed: Node) -> list[tuple[str, str]]:
    found = []
    for item in listed.items:
        type = item.get("type")
        found += [(name.text, type.text if type is not None else "") for name in item.all("name")]
    return found


def _check_unused(meanings: Meanings, function: Node, dropped: list[str]) -> None:
    body = function.get("body")
    for node in body.walk() if body is not None else ():
        if node.type == "identifier" and node.text in dropped:
            thing = meanings.at(node)
            if thing is not None and thing.kind == "parameter" and thing.names[0].within(function):
                raise EditRefused(
                    f"the parameter {node.text!r} is used in the function", hint="remove its uses first"
                )


def _call(name: Node, order: list[int], count: int) -> Splice:
    called = name.up if name.field == "field" else name
    arguments = (
        called.up.get("arguments")
        if called.up.type == "call_expression" and called.field == "function"
        else None
    )
    if arguments is None or len(arguments.items) != count:
        raise EditRefused(
            f"{name.path} uses the function at byte {name.start} other than by a plain call",
            hint="change that place by hand first",
        )
    items = arguments.items
    dropped = [items[i] for i in range(count) if i not in order]
    if any(
        inner.type in ("call_expression", "unary_expression") for item in dropped for inner in item.walk()
    ):
        raise EditRefused(
            f"an argument that {name.path} passes at byte {name.start} has effects of its own",
            hint="take it out of the call first",
        )
    text = b", ".join(name.data[items[i].start : items[i].end] for i in order)
    return Splice(name.path, arguments.start, arguments.end, b"(" + text + b")")
