"""Fields of classes: reached by accessors, or made of a method's local variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from forgewright.code import layout
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, annotation, name_of
from forgewright.code.javascript.refactor.functions import name_node
from forgewright.code.javascript.refactor.parameters import literal_type, typed
from forgewright.code.javascript.search import Search
from forgewright.code.javascript.types import Instance, Static
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_FIELDS = ("public_field_definition", "field_definition")


def encapsulate_field(resolver: JavaScriptResolver, path: str, offset: int) -> tuple[list[Splice], str, str]:
    """The splices, the field's name, and the name of what holds its value now. Raises `EditRefused`."""
    name, entity = name_node(resolver, path, offset)
    owner = entity.container
    cls = next((node for node in (owner.nodes if owner is not None else []) if node.type in CLASSES), None)
    if entity.kind != "property" or owner is None or cls is None or name.text.startswith("#"):
        raise EditRefused(
            f"{name.text} at {place(name)} is no field of a class that can be reached from outside",
            hint="point at a field's name",
        )
    field = next((node for node in entity.nodes if node.type in _FIELDS), None)
    body = cls.get("body")
    assert body is not None
    if field is None and typed(cls):
        raise EditRefused(
            f"{name.text} is declared by a parameter of the constructor", hint="declare it as a field"
        )
    if field is not None:
        _check_field(field)
    storage = _storage(resolver, entity, cls, static=entity.static)
    found = list(_inside(resolver, name, entity, cls, field, storage))
    found += _accessors(resolver, entity, cls, field, storage)
    return found, entity.name, storage


def _check_field(field: Node) -> None:
    words = {child.type for child in field.children} | {
        child.text for child in field.children if not child.named
    }
    for word in ("decorator", "declare", "abstract", "override", "override_modifier", "accessor"):
        if word in words:
            raise EditRefused(
                f"the field at {place(field)} is declared with {word}", hint="take that off first"
            )
    before = field.up.children[field.up.children.index(field) - 1]
    if before.type == "decorator":
        raise EditRefused(f"the field at {place(field)} has a decorator", hint="take that off first")


def _storage(resolver: JavaScriptResolver, entity: Entity, cls: Node, *, static: bool) -> str:
    """`#x`; in TypeScript `_x`, unless the class uses the other already."""
    body = cls.get("body")
    hashes = body is not None and any(node.type == "private_property_identifier" for node in body.walk())
    name = f"_{entity.name}" if typed(cls) and not hashes else f"#{entity.name}"
    owner = entity.container
    assert owner is not None
    of = Static(owner) if static else Instance(owner)
    if resolver.checker.property(of, name) is not None or any(
        node.text == name for node in cls.walk() if node.type.endswith("property_identifier")
    ):
        raise EditRefused(f"{entity.name} has a member {name} beside it", hint="rename that one first")
    return name


def _inside(
    resolver: JavaScriptResolver, name: Node, entity: Entity, cls: Node, field: Node | None, storage: str
) -> Iterator[Splice]:
    """The declaration, and the uses by `this` inside of the class."""
    search = Search(resolver.meanings, renaming=False, shorthand=True, keep=False)
    search.run(name, entity)
    for node in sorted(search.hits, key=lambda n: (n.path, n.start)):
        unit = resolver.program.unit(node.path)
        if node.type == "shorthand_property_identifier_pattern":
            continue
        if unit is not None and node in unit.decl and node.up is not field:
            made = node.up.up if node.up.type == "member_expression" else None
            if node.up.type not in ("property_signature", "member_expression"):
                raise EditRefused(
                    f"{entity.name} is also declared at {place(node)}",
                    hint="a class with accessors would differ",
                )
            if made is None:
                continue
        if any(above.type == "unary_expression" and above.has("delete") for above in (node.up.up,)):
            raise EditRefused(f"{entity.name} is deleted at {place(node)}", hint="change that place first")
        holder = node.up.get("object") if node.up.type == "member_expression" else None
        if node.up is field:
            yield from _declared(node, field, storage)
        elif holder is not None and holder.type == "this" and _own(holder, cls, static=entity.static):
            yield Splice(node.path, node.start, node.end, storage.encode())


def _own(this: Node, cls: Node, *, static: bool) -> bool:
    """Whether `this` is an instance of the very class; for statics, the class itself and no subclass."""
    if static and not any(above.type == "class_static_block" for above in this.above()):
        return False
    return next((above for above in this.above() if above.type in CLASSES), None) is cls


def _declared(node: Node, field: Node, storage: str) -> Iterator[Splice]:
    yield Splice(node.path, node.start, node.end, storage.encode())
    access = field.first("accessibility_modifier")
    if storage.startswith("#"):
        if access is not None:
            yield Splice(node.path, access.start, access.end + 1, b"")
    elif access is None:
        yield Splice(node.path, field.start, field.start, b"private ")
    elif access.text != "private":
        yield Splice(node.path, access.start, access.end, b"private")


def _accessors(
    resolver: JavaScriptResolver, entity: Entity, cls: Node, field: Node | None, storage: str
) -> Iterator[Splice]:
    """`get x()` and, unless it is readonly, `set x(value)`, behind the constructor or the last field."""
    body = cls.get("body")
    assert body is not None
    source = resolver.project.source(cls.path)
    end = layout.line_end(source.data).decode()
    step = layout.indent_unit(source).decode()
    items = body.items
    at = next((item for item in items if (n := name_of(item)) is not None and n.text == "constructor"), None)
    at = at or next((item for item in reversed(items) if item.type in _FIELDS), None)
    first = items[0] if items else None
    base = layout.indentation(source.data, (first or body).start).decode()
    indent = base if first is not None else base + step
    kind = annotation(field) if field is not None else None
    value = field.get("value") if field is not None else None
    written = kind.text if kind is not None else literal_type(value.text if value is not None else "")
    if field is not None and field.has("?") and written:
        written += " | undefined"
    shown = f": {written}" if written and typed(cls) else ""
    access = field.first("accessibility_modifier") if field is not None else None
    named = cls.get("name")
    if entity.static and named is None:
        raise EditRefused("the class has no name", hint="give it one first")
    holder = named.text if entity.static and named is not None else "this"
    words = f"{access.text} " if access is not None and access.text != "public" else ""
    words += "static " if entity.static else ""
    lines = [
        f"{indent}{words}get {entity.name}(){shown} {{",
        f"{indent}{step}return {holder}.{storage};",
        f"{indent}}}",
    ]
    if field is None or not field.has("readonly"):
        lines += [
            "",
            f"{indent}{words}set {entity.name}(value{shown}) {{",
            f"{indent}{step}{holder}.{storage} = value;",
            f"{indent}}}",
        ]
    if field is None:
        yield Splice(cls.path, body.start + 1, body.start + 1, f"{end}{indent}{storage};".encode())
    if at is None:
        yield Splice(cls.path, body.start + 1, body.start + 1, (end * 2 + end.join(lines)).encode())
        return
    stop = at.end
    if source.data[stop : stop + 1] == b";":
        stop += 1
    yield Splice(cls.path, stop, stop, (end * 2 + end.join(lines)).encode())


def local_to_field(resolver: JavaScriptResolver, path: str, offset: int) -> tuple[list[Splice], str]:
    """A variable of a method becomes a field of its object. Raises `EditRefused`."""
    name, entity = name_node(resolver, path, offset)
    declarator = name.up
    statement = declarator.up
    method = next((above for above in name.above() if above.type in FUNCTIONS), None)
    plain = (
        declarator.type == "variable_declarator"
        and declarator.get("name") is name
        and statement.type in ("lexical_declaration", "variable_declaration")
        and len(statement.items) == 1
        and statement.up.type == "statement_block"
        and len(entity.names) == 1
    )
    if not plain or method is None or method.type != "method_definition" or method.up.type != "class_body":
        raise EditRefused(
            f"{name.text} at {place(name)} is no variable that a method declares alone",
            hint="point at a variable of a method, declared by a statement of its own",
        )
    cls, static = method.up.up, method.has("static")
    owner = resolver.checker.own(cls)
    assert owner is not None
    of = Static(owner) if static else Instance(owner)
    if resolver.checker.property(of, name.text) is not None:
        raise EditRefused(f"{owner.declared_name} has a member {name.text}", hint="rename the variable first")
    key = name_of(method)
    if key is not None and key.text == "constructor" and cls.first("class_heritage") is not None:
        raise EditRefused("before super(…) there is no object", hint="move it out of the constructor first")
    unit = resolver.program.unit(path)
    assert unit is not None
    value = declarator.get("value")
    found = [Splice(path, statement.start, name.end, f"this.{name.text}".encode())]
    kind = declarator.get("type")
    if kind is not None:
        found.append(Splice(path, kind.start, kind.end, b""))
    if value is None:
        found.append(Splice(path, declarator.end, declarator.end, b" = undefined"))
    search = Search(resolver.meanings, renaming=False, shorthand=True, keep=False)
    search.run(name, entity)
    for node in search.hits:
        if node is name:
            continue
        inner = next((above for above in node.above() if above.type in FUNCTIONS), None)
        if inner is not method or node.up.type == "type_query":
            raise EditRefused(
                f"{name.text} is used inside another function at {place(node)}",
                hint="a field would outlive the call",
            )
        short = node.type.startswith("shorthand_property")
        text = f"{name.text}: this.{name.text}" if short else f"this.{name.text}"
        found.append(Splice(path, node.start, node.end, text.encode()))
    if typed(cls):
        found.append(_field(resolver, cls, declarator, name.text, static=static))
    return found, name.text


def _field(resolver: JavaScriptResolver, cls: Node, declarator: Node, name: str, *, static: bool) -> Splice:
    body = cls.get("body")
    assert body is not None
    source = resolver.project.source(cls.path)
    kind, value = annotation(declarator), declarator.get("value")
    written = kind.text if kind is not None else literal_type(value.text if value is not None else "")
    indent = layout.indentation(source.data, body.items[0].start).decode()
    end = layout.line_end(source.data).decode()
    word = "static " if static else ""
    text = f"private {word}{name}{'!: ' + written if written else ''};"
    last = next((item for item in reversed(body.items) if item.type in _FIELDS), None)
    if last is not None:
        stop = last.end + (1 if source.data[last.end : last.end + 1] == b";" else 0)
        return Splice(cls.path, stop, stop, f"{end}{indent}{text}".encode())
    first = body.items[0]
    at = body.start + 1
    if b"\n" not in source.data[body.start : first.start]:
        return Splice(cls.path, at, at, f" {text}".encode())
    return Splice(cls.path, at, at, f"{end}{indent}{text}{end}".encode())
