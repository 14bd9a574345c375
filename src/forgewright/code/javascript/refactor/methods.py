"""A method that stands alone, and what it takes to make it static."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.names import name_of
from forgewright.code.javascript.refactor.arguments import acts
from forgewright.code.javascript.refactor.calls import Family, family_at
from forgewright.code.javascript.refactor.signature import own_nodes
from forgewright.code.javascript.types import Static
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.mentions import Call
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_CALLING = frozenset(
    ("call_expression", "new_expression", "await_expression", "yield_expression", "assignment_expression")
)


class Method:
    """A method that is alone: it overrides nothing, and every use of it is a call that is known."""

    def __init__(self, resolver: JavaScriptResolver, path: str, offset: int) -> None:
        self.resolver = resolver
        self.family: Family = family_at(resolver, path, offset)
        self.node = self.family.first
        name = name_of(self.node)
        if self.node.type != "method_definition" or self.node.up.type != "class_body" or name is None:
            raise EditRefused(f"{self.family.name} is no method of a class", hint="name a method")
        self.name = name
        self.cls = self.node.up.up
        own = resolver.checker.own(self.cls)
        named = self.cls.get("name")
        if own is None or named is None:
            raise EditRefused("the class has no name", hint="give it one first")
        self.owner: Entity = own
        self.class_name = named.text
        for word in ("get", "set", "static", "override_modifier", "decorator"):
            if self.node.has(word) or self.node.first(word) is not None:
                raise EditRefused(
                    f"{name.text} is declared with {word.split('_')[0]}", hint="name a plain method"
                )
        before = self.node.up.children[self.node.up.children.index(self.node) - 1]
        if before.type == "decorator":
            raise EditRefused(f"{name.text} has a decorator", hint="name a plain method")
        if name.text == "constructor" or name.type != "property_identifier":
            raise EditRefused(f"{name.text} is no plain method", hint="name a method that has a plain name")
        if len(self.family.functions) > 1:
            other = next(one for one in self.family.functions if one is not self.node)
            raise EditRefused(
                f"{name.text} is also declared at {place(other)}",
                hint="a method that overrides or implements stays one",
            )
        self.calls = self.family.only_calls()

    def receiver(self, call: Call) -> Node:
        """What stands before the dot of a call. Raises `EditRefused`."""
        access = call.node.get("function")
        held = access.get("object") if access is not None and access.type == "member_expression" else None
        chained = access is not None and (access.first("optional_chain") is not None or access.has("?."))
        if call.skip or held is None or held.type == "super" or chained or call.node.first("optional_chain"):
            raise EditRefused(
                f"{self.name.text} is called otherwise than by a dot at {place(call.node)}",
                hint="change that first",
            )
        return held


def make_static(resolver: JavaScriptResolver, path: str, offset: int) -> list[Splice]:
    """The splices; calls name the class instead of an object. Raises `EditRefused`."""
    method = Method(resolver, path, offset)
    for node in own_nodes(method.node):
        if node.type in ("this", "super"):
            raise EditRefused(
                f"{method.name.text} uses {node.text} at {place(node)}",
                hint="pass what it needs as a parameter first",
            )
    _check_generic(method)
    if resolver.checker.property(Static(method.owner), method.name.text) is not None:
        raise EditRefused(f"{method.class_name} has a static {method.name.text}", hint="rename one of them")
    access = method.node.first("accessibility_modifier")
    at = access.end + 1 if access is not None else method.node.start
    found = [Splice(method.node.path, at, at, b"static ")]
    for call in method.calls:
        held = method.receiver(call)
        if acts(held, _CALLING):
            raise EditRefused(
                f"{held.text} at {place(held)} is made for the call only", hint="put it into a variable first"
            )
        found.append(Splice(call.path, held.start, held.end, _class_at(resolver, method, call.node).encode()))
    return found


def _check_generic(method: Method) -> None:
    """A static method cannot name the type parameters of its class."""
    listed = method.cls.get("type_parameters")
    names = (
        {named.text for one in listed.items if (named := one.get("name")) is not None}
        if listed is not None
        else set()
    )
    for node in method.node.walk():
        if node.type == "type_identifier" and node.text in names:
            raise EditRefused(
                f"{method.name.text} names the type {node.text} of its class", hint="give it its own first"
            )


def _class_at(resolver: JavaScriptResolver, method: Method, node: Node) -> str:
    """The name by which a place can reach the class. Raises `EditRefused`."""
    unit = resolver.program.unit(node.path)
    assert unit is not None
    for name, entity in resolver.program.names(unit.scope_at(node)).items():
        if resolver.program.resolve(entity) is method.owner.real and not _typed_only(entity):
            return name
    raise EditRefused(f"{method.class_name} is not known at {place(node)}", hint="import it there first")


def _typed_only(entity: Entity) -> bool:
    return any(
        node.has("type")
        or any(above.has("type") for above in node.above() if above.type == "import_statement")
        for node in entity.nodes
        if node.type in ("import_specifier", "identifier")
    )


def spliced(data: bytes, start: int, end: int, splices: list[Splice]) -> str:
    out, at = [], start
    for splice in sorted(splices):
        if splice.start < start:
            continue
        out += [data[at : splice.start], splice.text]
        at = splice.end
    return b"".join([*out, data[at:end]]).decode()
