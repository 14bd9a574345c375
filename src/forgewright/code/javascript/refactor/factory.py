"""A static method makes a class's instances; what constructed them calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import is_identifier, name_of
from forgewright.code.javascript.refactor.functions import name_node, own_constructors
from forgewright.code.javascript.refactor.mentions import Call, Escape, use_at
from forgewright.code.javascript.refactor.parameters import check_name, slots_of, typed
from forgewright.code.javascript.search import Search
from forgewright.code.javascript.types import Static
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_MODIFIERS = ("accessibility_modifier", "override_modifier", "readonly")


def introduce_factory(
    resolver: JavaScriptResolver, path: str, offset: int, name: str
) -> tuple[list[Splice], str]:
    """The splices, and the class's name. Raises `EditRefused`."""
    check_name(name)
    named, entity = name_node(resolver, path, offset)
    cls = next((node for node in entity.nodes if node.type in ("class_declaration", "class")), None)
    if entity.kind != "class" or cls is None or not entity.names:
        raise EditRefused(
            f"{named.text} at {place(named)} is no class that can be constructed", hint="name a class"
        )
    if resolver.checker.property(Static(entity), name) is not None:
        raise EditRefused(f"{entity.declared_name} has a static member {name}", hint="choose another name")
    own = entity.declared_name
    found = [_method(resolver, cls, own, name)]
    search = Search(resolver.meanings, renaming=False, shorthand=False, keep=False)
    search.run(entity.names[0], entity)
    for node in sorted(search.hits, key=lambda n: (n.path, n.start)):
        unit = resolver.program.unit(node.path)
        if unit is not None and node in unit.decl:
            continue
        use = use_at(node)
        if isinstance(use, Call) and use.node.type == "new_expression":
            found += _replaced(use, name)
        elif isinstance(use, Escape) and use.why.startswith("is a component"):
            raise EditRefused(
                f"{own} {use.why} at {place(node)}", hint="components are made by their framework"
            )
    return found, own


def _replaced(call: Call, name: str) -> list[Splice]:
    """`new A(x)` → `A.create(x)`; `new A` → `A.create()`."""
    made = call.node.get("constructor")
    assert made is not None
    path = call.path
    found = [Splice(path, call.node.start, made.start, b"")]
    tail = f".{name}" + ("" if call.arguments is not None else "()")
    return [*found, Splice(path, made.end, made.end, tail.encode())]


def _method(resolver: JavaScriptResolver, cls: Node, own: str, name: str) -> Splice:
    body = cls.get("body")
    assert body is not None
    source = resolver.project.source(cls.path)
    end = layout.line_end(source.data).decode()
    step = layout.indent_unit(source).decode()
    outer = layout.indentation(source.data, cls.start).decode()
    indent = layout.indentation(source.data, body.items[0].start).decode() if body.items else outer + step
    if body.items and b"\n" not in source.data[body.start : body.items[0].start]:
        indent = outer + step
    generic, arguments = _generic(cls)
    declared, passed = _parameters(cls, body)
    result = f": {own}{arguments}" if typed(cls) else ""
    lines = [
        f"{indent}static {name}{generic}({declared}){result} {{",
        f"{indent}{step}return new {own}{arguments}({passed});",
        f"{indent}}}",
    ]
    made = own_constructors([body])
    fields = [item for item in body.items if item.type in ("public_field_definition", "field_definition")]
    last = made[-1] if made else fields[-1] if fields else None
    text = end.join(lines)
    if last is None:
        empty = not body.items
        tail = end + outer if empty else end
        stop = body.end - 1 if empty else body.start + 1
        return Splice(cls.path, body.start + 1, stop, f"{end}{text}{tail}".encode())
    stop = last.end + (1 if source.data[last.end : last.end + 1] == b";" else 0)
    return Splice(cls.path, stop, stop, f"{end * 2}{text}".encode())


def _generic(cls: Node) -> tuple[str, str]:
    listed = cls.get("type_parameters")
    if listed is None:
        return "", ""
    names = [named.text for one in listed.items if (named := one.get("name")) is not None]
    return listed.text, f"<{', '.join(names)}>"


def _parameters(cls: Node, body: Node) -> tuple[str, str]:
    """The constructor's parameters as the factory declares them, and as it passes them on."""
    made = own_constructors([body])
    rest = f"...args: ConstructorParameters<typeof {cls_name(cls)}>" if typed(cls) else "...args"
    if not made:
        return (rest, "...args") if cls.first("class_heritage") is not None else ("", "")
    if len(made) > 1:
        return rest, "...args"
    slots = slots_of(made[0])
    if any(not slot.name or slot.node.first("decorator") is not None for slot in slots):
        return rest, "...args"
    own = cls_name(cls)
    declared = []
    for slot in slots:
        start = max((c.end for c in slot.node.children if c.type in _MODIFIERS), default=slot.node.start)
        declared.append(slot.node.data[start : slot.node.end].decode().strip())
        if slot.default is not None and any(
            n.type in ("this", "super") or n.text == own for n in slot.default.walk()
        ):
            return rest, "...args"
    return ", ".join(declared), ", ".join(f"...{slot.name}" if slot.rest else slot.name for slot in slots)


def cls_name(cls: Node) -> str:
    named = name_of(cls)
    return named.text if named is not None and is_identifier(named.text) else ""
