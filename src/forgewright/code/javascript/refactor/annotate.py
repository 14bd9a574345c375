"""The types that TypeScript wants written at parameters: as they are declared, or plainly to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.names import annotation
from forgewright.code.javascript.types import Instance, Literal, Primitive, Type

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker
    from forgewright.code.javascript.entities import Entity, Scope
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.scopes.tree import Node

_WORDS = ("string", "number", "boolean", "bigint", "symbol")


class Annotations:
    """Types of variables, to be written in `scope`; `generics` collects the type parameters that they need."""

    def __init__(self, checker: Checker, uses: Uses, scope: Scope) -> None:
        self.checker = checker
        self.uses = uses
        self.known = set(scope.chain())
        self.generics: dict[Entity, str] = {}

    def of(self, entity: Entity) -> str:
        """The type of a variable as text; empty where it is not known, or has no name in the scope."""
        holder, written = declared(entity)
        if written is not None and holder is not None:
            if not self.sayable(written):
                return ""
            optional = holder.type == "optional_parameter" and holder.get("value") is None
            text = written.text
            return f"{text} | undefined" if optional and "undefined" not in text else text
        return self.said(self.checker.entity_type(entity))

    def said(self, type: Type | None) -> str:
        """A type as text; empty where it is not known, or has no name in the scope."""
        if isinstance(type, Literal):
            return "string"
        if isinstance(type, Primitive):
            return type.name if type.name in _WORDS else ""
        if (
            isinstance(type, Instance)
            and type.entity.names
            and type.entity.kind in ("class", "interface", "enum")
        ):
            if type.entity.name == "Array" and type.env:
                item = self.said(next(iter(type.env.values())))
                return f"{item}[]" if item else ""
            generic = any(node.get("type_parameters") is not None for node in type.entity.nodes)
            return type.entity.name if not generic and self._means(type.entity) else ""
        return ""

    def _means(self, entity: Entity) -> bool:
        """Whether the entity's name means it in the scope."""
        for scope in self.known:
            found = scope.table.get(entity.name) or self.uses.program.declared(scope, entity.name)
            if found is not None:
                return self.uses.program.resolve(found) is entity.real
        return entity.unit.path[:1] == "\0"

    def sayable(self, type: Node) -> bool:
        """Whether a written type means the same in the scope; type parameters of functions around are added."""
        needed: list[Entity] = []
        for use in self.uses.within(type.start, type.end):
            entity = use.entity
            if (
                entity is None
                or entity.scope in self.known
                or any(name.within(type) for name in entity.names)
            ):
                continue
            if entity.kind != "type parameter":
                return False
            needed.append(entity)
        if any(node.type in ("this_type", "this") for node in type.walk()):
            return False
        return all(self.generic(entity) for entity in needed)

    def generic(self, entity: Entity) -> bool:
        """Add a type parameter with its constraint; False where that cannot be said in the scope."""
        if entity in self.generics:
            return True
        node = entity.nodes[0]
        self.generics[entity] = node.text
        constraint = node.get("constraint")
        if node.type != "type_parameter" or (constraint is not None and not self.sayable(constraint)):
            del self.generics[entity]
            return False
        return True

    def type_parameters(self) -> str:
        return f"<{', '.join(self.generics.values())}>" if self.generics else ""


def declared(entity: Entity) -> tuple[Node | None, Node | None]:
    """(declaration, its written type) of a variable that is declared once, under its own name."""
    if len(entity.nodes) != 1 or len(entity.names) != 1:
        return None, None
    node, name = entity.nodes[0], entity.names[0]
    if name.up is not node:
        return None, None
    return node, annotation(node)
