"""What a rename would break: a name captured or shadowed, two members of one name, an invalid name."""

from __future__ import annotations

from collections.abc import Iterable

from forgewright.code.binding import Occurrence
from forgewright.code.javascript.entities import Entity, Scope
from forgewright.code.javascript.meaning import Meanings
from forgewright.code.javascript.names import NAMES, is_identifier
from forgewright.code.javascript.program import Program
from forgewright.code.javascript.search import Hit, Search
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

_WORDS = frozenset(("identifier", "type_identifier", "shorthand_property_identifier"))
_MEMBERS = frozenset(("class", "interface", "object", "object type", "enum", "namespace", "module"))


def check_name(new_name: str, *, quoted: bool) -> None:
    """Refuse what is no identifier; a property that only stands in quotes may be called anything."""
    if quoted or is_identifier(new_name):
        return
    raise EditRefused(
        f"expected an identifier as the new name, found {new_name!r}",
        hint="use letters, digits, _ and $, not starting with a digit, and no reserved word",
    )


def check(search: Search, hits: Iterable[Hit], new_name: str) -> None:
    """Refuse a rename after which any name would mean something else than before."""
    meanings = search.meanings
    scopes: dict[Scope, Entity] = {}
    for hit in hits:
        unit = meanings.program.unit(hit.node.path)
        if unit is None:
            continue
        declared = unit.decl.get(hit.node)
        if declared is not None:
            _members(declared.real, new_name, hit.node)
            scope = declared.scope
            if scope is not None and declared.kind not in ("property",):
                scopes[scope] = declared.real
                _taken(meanings, scope, declared.real, new_name, hit.node)
        elif hit.node.type in ("identifier", "type_identifier", "shorthand_property_identifier"):
            _captured_here(meanings, hit, new_name)
    for scope, entity in scopes.items():
        _captures_others(search, scope, entity, new_name)


def check_parsed(program: Program, leftover: Iterable[Occurrence]) -> None:
    """Refuse where the name stands in code that the grammar does not understand: what it means there is not known."""
    for occurrence in leftover:
        unit = program.unit(occurrence.path)
        node = unit.root.at(occurrence.start) if unit is not None else None
        if node is None or node.type not in _WORDS:
            continue
        if any(above.type == "ERROR" for above in node.above()):
            raise EditRefused(
                f"{node.text!r} at {place(node)} stands in code that does not parse",
                hint="mend the code around it first, or change it as text",
            )


def _members(entity: Entity, new_name: str, node: Node) -> None:
    owner = entity.container
    if owner is None or owner.kind not in _MEMBERS or entity.name == "default":
        return
    table = (
        owner.members
        if entity.name in owner.members and owner.members[entity.name].real is entity
        else owner.exports
    )
    other = table.get(new_name)
    if other is not None and other.real is not entity:
        name = owner.name or owner.kind
        raise EditRefused(
            f"{name} already has a member {new_name!r}, at {where(other)}",
            hint="choose another name, or rename that member first",
        )


def _taken(meanings: Meanings, scope: Scope, entity: Entity, new_name: str, node: Node) -> None:
    other = meanings.program.declared(scope, new_name)
    if other is not None and other is not entity and other.space & entity.space:
        raise EditRefused(
            f"{new_name!r} is already declared in the same scope as {node.text!r}, at {where(other)}",
            hint="choose another name, or rename that one first",
        )


def _captured_here(meanings: Meanings, hit: Hit, new_name: str) -> None:
    """A use of the renamed thing that would find a nearer declaration of the new name."""
    unit = meanings.program.unit(hit.node.path)
    assert unit is not None
    entity = meanings.shorthand_value(hit.node) or hit.entity
    for scope in unit.scope_at(hit.node).chain():
        other = scope.table.get(new_name)
        if other is not None and other.real is not entity and other.space & entity.space:
            raise EditRefused(
                f"a use of {hit.node.text!r} in {place(hit.node)} would then mean "
                f"the {new_name!r} that is declared at {where(other)}",
                hint="choose another name, or rename that one first",
            )
        if scope is entity.scope or any(found.real is entity for found in scope.table.values()):
            return


def _captures_others(search: Search, scope: Scope, entity: Entity, new_name: str) -> None:
    """A use of the new name, inside the scope, that means something from further out."""
    for node in search.nodes(scope.unit.path, new_name):
        if node.type not in NAMES or not node.within(scope.node) or node.type == "property_identifier":
            continue
        if node.type in ("statement_identifier", "private_property_identifier") or node in scope.unit.decl:
            continue
        if node.type == "jsdoc_name" or node.up.field == "key" or node.field == "key":
            continue
        for here in scope.unit.scope_at(node).chain():
            if here is scope:
                raise EditRefused(
                    f"{new_name!r} in {place(node)} would then mean the renamed {entity.declared_name!r}",
                    hint="choose another name: this one is used there for something else",
                )
            if new_name in here.table:
                break


def where(entity: Entity) -> str:
    return place(entity.names[0]) if entity.names else entity.unit.path


def place(node: Node) -> str:
    line = node.data.count(b"\n", 0, node.start) + 1
    return f"{node.path}:{line}"
