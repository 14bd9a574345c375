"""When members may change their class, and a class its face: who looks at what a class is made of, and who else has the name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.closed import check_fields, is_made
from forgewright.code.python.refactor.families import below, check_complete, gone_through, has
from forgewright.code.python.refactor.registering import HARMLESS, hook
from forgewright.code.python.values import ClassValue, External, Instance
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Scope

OWN = frozenset(
    ("__slots__", "__init_subclass__", "__module__", "__qualname__", "__doc__", "__set_name__", "__annotations__",
     "__match_args__", "__class_getitem__", "__new__")
)  # fmt: skip
"""Members that speak of the class that they stand in."""
UNTOUCHED = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "NamedTuple", "Generic"))
"""Bases that make nothing of another static method."""
PAIRED = {"__hash__": "__eq__", "__eq__": "__hash__"}


def is_docstring(node: Node) -> bool:
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    return inner is not None and inner.type in ("string", "concatenated_string")


def check_members(resolver: PythonResolver, cls: Scope, names: Sequence[str], nodes: list[Node]) -> None:
    """Refuse to move members that only mean something where they are. Of any class."""
    if any(is_docstring(node) for node in nodes):
        raise EditRefused(f"the docstring of {cls.name} is selected", hint="select methods and fields")
    check_complete(cls, names, nodes)
    check_fields(cls, nodes)
    for name in names:
        if name in OWN:
            raise EditRefused(f"{name} speaks of {cls.name} itself", hint="leave it in its class")
        if PAIRED.get(name) in cls.bindings and PAIRED[name] not in names:
            raise EditRefused(
                f"{name} and {PAIRED[name]} go together: Python takes one from the class of the other",
                hint="move both",
            )
        if name.startswith("__") and name.endswith("__") and is_made(cls):
            raise EditRefused(f"{cls.name} gets a {name} of its own where it has none", hint="leave it there")
    heard = hook(resolver, cls)
    if heard is not None:
        raise EditRefused(f"{heard} makes something of the members of {cls.name}", hint="leave them there")
    order = resolver.types.mro(cls)[0]
    seen = gone_through(resolver, order, objects=False)
    if seen is not None:
        raise EditRefused(f"{seen} goes through the members of a class", hint="leave them there")
    _check_decorators(resolver, cls)


def _check_decorators(resolver: PythonResolver, cls: Scope) -> None:
    for decorator in cls.decorators:
        name = cls.file.text(decorator).lstrip("@ ").partition("(")[0].strip()
        if name.rpartition(".")[2] not in HARMLESS:
            raise EditRefused(f"@{name} may look at the members of {cls.name}", hint="take it off first")


def check_superclass(resolver: PythonResolver, cls: Scope) -> None:
    """Refuse a new class between a class and bases that would hear of it, or of which nothing is known."""
    heard = hook(resolver, cls, strict=True)
    if heard is not None:
        raise EditRefused(
            f"{cls.name} inherits from {heard}: another class in between may not be the same",
            hint="write the superclass by hand",
        )
    bases = [cls.file.text(base) for base in cls.bases]
    if any("[" in base for base in bases) or cls.node.child_by_field_name("type_parameters") is not None:
        raise EditRefused(f"{cls.name} has type parameters", hint="write the superclass by hand")


def check_pull(
    resolver: PythonResolver, cls: Scope, base: Scope, names: Sequence[str], nodes: list[Node]
) -> None:
    """Refuse where those that inherit from the base, too, would get another member, or notice the new one."""
    heard = hook(resolver, base)
    if heard is not None or is_made(base):
        raise EditRefused(
            f"{heard or base.name} makes something of the members of {base.name}", hint="leave them there"
        )
    seen = gone_through(resolver, resolver.types.mro(base)[0], objects=False)
    if seen is not None:
        raise EditRefused(f"{seen} goes through the members of a class", hint="leave them there")
    for one in resolver.types.mro(base)[0]:
        if "__getattr__" in one.bindings:
            raise EditRefused(
                f"{one.name} has __getattr__, which is asked for what is not there", hint="leave it"
            )
    own = {cls, *below(resolver, cls)}
    others = [one for one in below(resolver, base) if one not in own]
    for other in others:
        order, _ = resolver.types.mro(other)
        at = order.index(base) if base in order else 0
        values = [v for b in other.bases for v in resolver.types.infer(b, other.parent or other)]
        unknown = not values or not all(isinstance(v, (ClassValue, External)) for v in values)
        foreign = [
            v for v in values if isinstance(v, External) and v.name not in ("builtins.object", "object")
        ]
        for name in names:
            if any(has(one, name) for one in order[at + 1 :]) or unknown or foreign:
                raise EditRefused(
                    f"{other.name} may have another {name} behind {base.name}", hint="leave it in its class"
                )
            if name in other.self_sites and name not in other.bindings and _guards(nodes):
                raise EditRefused(f"{other.name} sets its own {name}", hint="rename one of them first")
    for name in names:
        asked = _asked(resolver, name)
        if asked is not None and others:
            raise EditRefused(f"{asked} asks whether there is a {name}", hint="leave it in its class")
    if others and any(b"abstract" in (node.text or b"") for node in nodes):
        raise EditRefused(
            f"the other classes below {base.name} would become abstract", hint="leave it in its class"
        )


def _guards(nodes: list[Node]) -> bool:
    """Whether a member may be a property or another descriptor, which guards its name."""
    return any(
        node.type == "decorated_definition"
        or (node.type == "expression_statement" and b"(" in (node.text or b""))
        for node in nodes
    )


def _asked(resolver: PythonResolver, name: str) -> str | None:
    """`path:line` of `hasattr(x, "name")` or `getattr(x, "name", …)`."""
    asked = re.compile(rb"attr\([^\n]*[\"']" + re.escape(name.encode()) + rb"[\"']")
    for path in resolver.project.containing(name.encode(), "python"):
        if asked.search(resolver.project.source(path).data) is None:
            continue
        file = resolver.file(path)
        for entry in file.attributes.get(name, ()):
            if entry.kind == "getattr":
                return f"{path}:{file.data.count(bytes([10]), 0, entry.start) + 1}"
    return None


def check_push(
    resolver: PythonResolver, cls: Scope, targets: Sequence[Scope], names: Sequence[str], nodes: list[Node]
) -> None:
    """Refuse to take members from a class that uses them itself, or whose own objects are asked for them."""
    if any(b"abstractmethod" in (node.text or b"") for node in nodes):
        raise EditRefused(f"{cls.name} asks its subclasses for this by an abstract method", hint="leave it")
    shared = len(targets) > 1 and any(_made_once(node) for node in nodes)
    if shared:
        raise EditRefused(f"the classes below {cls.name} share one object", hint="make it in each by hand")
    for name in names:
        dotted = b"." + name.encode()
        for path in resolver.project.containing(name.encode(), "python"):
            if dotted not in resolver.project.source(path).data:
                continue
            file = resolver.file(path)
            for entry in file.attributes.get(name, ()):
                inside = path == cls.file.path and any(
                    n.start_byte <= entry.start < n.end_byte for n in nodes
                )
                if inside:
                    continue
                values = resolver.types.infer(entry.object, entry.scope)
                if any(isinstance(v, (ClassValue, Instance)) and v.scope is cls for v in values):
                    row = file.data.count(b"\n", 0, entry.start) + 1
                    raise EditRefused(
                        f"{path}:{row} takes {name} from {cls.name} itself", hint="change that place first"
                    )


def _made_once(node: Node) -> bool:
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    value = inner.child_by_field_name("right") if inner is not None and inner.type == "assignment" else None
    plain = (
        "integer",
        "float",
        "string",
        "none",
        "true",
        "false",
        "identifier",
        "attribute",
        "tuple",
        "lambda",
    )
    return value is not None and value.type not in plain


def check_factory(resolver: PythonResolver, cls: Scope, factory: str, *, module_level: bool) -> None:
    """Refuse a factory where the class is more than its constructor, or someone has the name below."""
    heard = hook(resolver, cls)
    if heard is not None and not module_level and heard not in UNTOUCHED:
        raise EditRefused(
            f"{heard} makes something of the members of {cls.name}", hint="use module_level: true"
        )
    seen = gone_through(resolver, resolver.types.mro(cls)[0], objects=False)
    if seen is not None and not module_level:
        raise EditRefused(f"{seen} goes through the members of a class", hint="use module_level: true")
    if cls.outer is not None and cls.outer.kind == "class":
        raise EditRefused(
            f"{cls.name} stands in another class, where its name is not seen", hint="move it out"
        )
    _check_decorators(resolver, cls)
    for other in below(resolver, cls):
        if has(other, factory) and not module_level:
            raise EditRefused(f"{other.name} already has a {factory}", hint="choose another name")
