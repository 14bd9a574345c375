"""Whether a name is free for a new member of a class: in what it extends, and in what extends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import CLASSES
from forgewright.code.javascript.types import Instance, Static
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

BASES_MAX = 20


def check_member(resolver: JavaScriptResolver, owner: Node, name: str) -> None:
    """Raises `EditRefused` where a class node, or a class above or below it, has the member."""
    entity = resolver.checker.own(owner)
    if entity is None:
        return
    for type in (Instance(entity), Static(entity)):
        if resolver.checker.property(type, name) is not None:
            raise EditRefused(f"{name} is already a member of its class", hint="choose another name")
    for path in resolver.program.containing(name):
        unit = resolver.program.unit(path)
        for node, other in unit.own.items() if unit is not None else ():
            if node.type not in CLASSES or other is entity or node.first("class_heritage") is None:
                continue
            if (name in other.members or name in other.exports) and _inherits(resolver, other, entity):
                raise EditRefused(
                    f"{name} is a member of {other.name or 'a class'} in {path}, which extends this class",
                    hint="choose another name",
                )


def _inherits(resolver: JavaScriptResolver, entity: Entity, base: Entity, depth: int = 0) -> bool:
    bases = [t.entity.real for t in resolver.checker.bases(Instance(entity)) if isinstance(t, Instance)]
    return any(
        one is base.real or (depth < BASES_MAX and _inherits(resolver, one, base, depth + 1)) for one in bases
    )
