"""Parameters that become `self`, and `self` that becomes a parameter: declaration, body and calls."""

from __future__ import annotations

from forgewright.code.binding import Renaming
from forgewright.code.project import Splice
from forgewright.code.rust.items import Item
from forgewright.code.rust.meaning import Meanings
from forgewright.code.rust.search import Search
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused


def to_self(meanings: Meanings, item: Item) -> Renaming:
    """Raises `EditRefused` unless `item` is the first parameter of an impl's function, of the impl's type."""
    parameter = item.node
    function = next((above for above in parameter.above() if above.type == "function_item"), None)
    impl = next((above for above in parameter.above() if above.type in ("impl_item", "trait_item")), None)
    if item.kind != "parameter" or function is None:
        raise _refused("Cannot rename local to self outside of a function's parameters")
    if impl is None or function.up.up is not impl:
        raise _refused("Cannot rename parameter to self for free function")
    listed = function.get("parameters")
    own, type = impl.get("type"), parameter.get("type")
    if listed is None or not listed.items or listed.items[0] is not parameter:
        raise _refused("Only the first parameter may be renamed to self")
    if type is None or own is None:
        raise _refused("Parameter type differs from impl block type")
    text = _receiver(type.text, own.text)
    if text is None:
        raise _refused("Parameter type differs from impl block type")
    pattern = parameter.get("pattern")
    mutable = "mut " if pattern is not None and pattern.type == "mut_pattern" and text == "self" else ""
    splices = [Splice(parameter.path, parameter.start, parameter.end, (mutable + text).encode())]
    search = Search(meanings)
    search.run([item])
    splices += [
        Splice(node.path, node.start, node.end, b"self") for node in search.hits if not node.within(parameter)
    ]
    splices += _calls(meanings, function, as_method=True)
    return Renaming(tuple(sorted(splices)))


def _receiver(written: str, own: str) -> str | None:
    if written in (own, "Self"):
        return "self"
    for prefix in ("&mut ", "&"):
        inner = written.removeprefix(prefix).strip()
        if written.startswith(prefix) and inner in (own, "Self"):
            return f"{prefix}self"
        if written.startswith("&'") and " " in written:
            lifetime, _, rest = written.partition(" ")
            mutable = "mut " if rest.startswith("mut ") else ""
            if rest.removeprefix("mut ").strip() in (own, "Self"):
                return f"{lifetime} {mutable}self"
    return None


def from_self(meanings: Meanings, item: Item, new: str) -> Renaming:
    """`&self` becomes `new: &Self`; method calls become calls by path."""
    parameter = item.node
    own = item.names[0]
    before = parameter.data[parameter.start : own.start].decode()
    if parameter.type == "self_parameter":
        borrowed = before.startswith("&")
        text = f"{new}: {before}Self" if borrowed else f"{before}{new}: Self"
        splices = [Splice(parameter.path, parameter.start, parameter.end, text.encode())]
    else:
        splices = [Splice(own.path, own.start, own.end, new.encode())]
    function = next(
        above for above in parameter.above() if above.type in ("function_item", "function_signature_item")
    )
    body = function.get("body")
    for node in body.walk() if body is not None else ():
        if node.type == "self" and meanings.at(node) is item:
            splices.append(Splice(node.path, node.start, node.end, new.encode()))
    splices += _calls(meanings, function, as_method=False)
    return Renaming(tuple(sorted(splices)))


def _calls(meanings: Meanings, function: Node, *, as_method: bool) -> list[Splice]:
    name = function.get("name")
    method = meanings.at(name) if name is not None else None
    if method is None or method.owner is None:
        return []
    search = Search(meanings)
    search.run([method])
    found: list[Splice] = []
    for node in search.hits:
        if node is name:
            continue
        made = _as_method(node) if as_method else _as_path(meanings, node, function)
        if made is not None:
            found.append(made)
    return found


def _as_method(node: Node) -> Splice | None:
    """`Foo::foo(&v, 1)` becomes `v.foo(1)`."""
    path = node.up
    call = path.up
    if path.type == "scoped_identifier" and call.type == "call_expression":
        arguments = call.get("arguments")
        items = arguments.items if arguments is not None else []
        if not items:
            return None
        receiver = _receiver_text(items[0])
        rest = ", ".join(item.text for item in items[1:])
        return Splice(node.path, call.start, call.end, f"{receiver}.{node.text}({rest})".encode())
    siblings = node.up.children
    index = siblings.index(node)
    if node.up.type == "token_tree" and index >= 2 and index + 1 < len(siblings):
        return _as_method_in_macro(node, siblings, index)
    return None


def _as_method_in_macro(node: Node, siblings: list[Node], index: int) -> Splice | None:
    start = index
    while start >= 2 and siblings[start - 1].text == "::":
        start -= 2
    tree = siblings[index + 1]
    if tree.type != "token_tree" or start == index:
        return None
    inner = tree.children[1:-1]
    comma = next((i for i, token in enumerate(inner) if token.text == ","), len(inner))
    if not inner:
        return None
    first = node.data[inner[0].start : inner[comma - 1].end].decode().lstrip("&").removeprefix("mut ").strip()
    rest = node.data[inner[comma].end : inner[-1].end].decode().lstrip() if comma < len(inner) else ""
    text = f"{first}.{node.text}({rest})"
    return Splice(node.path, siblings[start].start, tree.end, text.encode())


def _receiver_text(argument: Node) -> str:
    inner = argument.get("value") if argument.type == "reference_expression" else argument
    inner = inner or argument
    plain = inner.type in (
        "identifier",
        "self",
        "field_expression",
        "call_expression",
        "scoped_identifier",
        "index_expression",
    )
    return inner.text if plain else f"({inner.text})"


def _as_path(meanings: Meanings, node: Node, function: Node) -> Splice | None:
    """`Foo.foo(1)` becomes `Foo::foo(&Foo, 1)`."""
    access = node.up
    call = access.up
    value = access.get("value")
    if access.type != "field_expression" or call.type != "call_expression" or value is None:
        return None
    arguments, listed = call.get("arguments"), function.get("parameters")
    impl = next((above for above in function.above() if above.type in ("impl_item", "trait_item")), None)
    owner = (impl.get("type") or impl.get("name")) if impl is not None else None
    if arguments is None or listed is None or owner is None:
        return None
    parameter = listed.items[0].text
    borrow = (
        "&mut "
        if parameter.startswith("&") and "mut" in parameter
        else "&"
        if parameter.startswith("&")
        else ""
    )
    base = owner.text.partition("<")[0]
    given = ", ".join([f"{borrow}{value.text}", *(item.text for item in arguments.items)])
    return Splice(node.path, call.start, call.end, f"{base}::{node.text}({given})".encode())


def _refused(message: str) -> EditRefused:
    return EditRefused(message, hint="self is the first parameter of a method, of the impl's own type")
