"""Who reads and writes the names of a file: what every refactoring asks before it moves code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from forgewright.code.javascript.bindings import references
from forgewright.code.javascript.entities import SPACE, TYPE, VALUE
from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity, Scope, Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node

FIELDS = kinds("public_field_definition field_definition")
_HOSTS = FUNCTIONS | FIELDS | kinds("class_static_block program")
_TARGETS = kinds(
    "object_pattern array_pattern pair_pattern rest_pattern assignment_pattern object_assignment_pattern "
    "parenthesized_expression non_null_expression"
)
_NAMES = kinds(
    "identifier type_identifier shorthand_property_identifier shorthand_property_identifier_pattern jsdoc_name"
)


class Use(NamedTuple):
    """One place where a name stands."""

    node: Node
    entity: Entity | None
    """What it means by the declarations of its own file; None for a global."""
    reads: bool
    writes: bool
    declares: bool


class Uses:
    """All uses of names in one file, in the order of the text."""

    def __init__(self, program: Program, unit: Unit) -> None:
        self.program = program
        self.unit = unit
        self.all: list[Use] = sorted(
            [*self._declared(), *self._referred()], key=lambda use: (use.node.start, use.node.end)
        )
        self._of: dict[Entity, list[Use]] = {}
        for use in self.all:
            if use.entity is not None:
                self._of.setdefault(use.entity, []).append(use)

    def _declared(self) -> Iterable[Use]:
        for node, entity in self.unit.decl.items():
            real = entity.real
            if node.path != self.unit.path or node.up.type == "export_specifier":
                continue
            if node.type in _NAMES and real.scope is not None:
                yield Use(node, real, False, _initialised(node), True)

    def _referred(self) -> Iterable[Use]:
        for node in references(self.unit):
            writes, reads = written(node)
            yield Use(node, self.meaning(node), reads, writes, False)
        for node in self.unit.root.walk():
            declared = node in self.unit.decl
            if node.type == "shorthand_property_identifier_pattern" and not declared:
                yield Use(node, self.meaning(node), False, True, False)
            elif declared and (node.type == "shorthand_property_identifier" or _exports(node)):
                yield Use(node, self.meaning(node), True, False, False)

    def meaning(self, node: Node) -> Entity | None:
        """What the name of a node means where it stands."""
        space = TYPE | SPACE if node.type == "type_identifier" else VALUE | SPACE
        return self.visible(self.unit.scope_at(node), node.text, space)

    def visible(self, scope: Scope, name: str, space: int = VALUE | SPACE) -> Entity | None:
        """What a name means in a scope by the declarations of the file."""
        for here in scope.chain():
            found = here.table.get(name) or self.program.declared(here, name)
            if found is not None and found.real.space & space:
                return found.real
        return None

    def of(self, entity: Entity) -> list[Use]:
        """All uses of an entity in its own file."""
        return self._of.get(entity.real, [])

    def within(self, start: int, end: int) -> list[Use]:
        return [use for use in self.all if start <= use.node.start and use.node.end <= end]

    def constant(self, entity: Entity | None) -> bool:
        """Whether a name is bound once and never again; names of the language and of other files count as such."""
        if entity is None:
            return True
        writes = [use for use in self.of(entity) if use.writes]
        if entity.kind == "var" and len(writes) == 1:
            return writes[0].declares and not entity_in_loop(writes[0].node)
        return all(use.declares for use in writes) and len(writes) <= 1

    def captured(self, entity: Entity) -> list[Use]:
        """The uses in other functions than the one that declares it."""
        home = {host_of(node) for node in entity.names}
        return [use for use in self.of(entity) if host_of(use.node) not in home]

    def taken(self, name: str, scope: Node) -> Node | None:
        """A place inside `scope` where a name stands or is declared, so that a new one would capture it."""
        for use in self.all:
            if use.node.text == name and scope.start <= use.node.start and use.node.end <= scope.end:
                return use.node
        return None

    def hidden(self, name: str, node: Node, above: Node) -> bool:
        """Whether a scope between `node` and `above` declares a name."""
        for scope in self.unit.scope_at(node).chain():
            if scope.node is above:
                return False
            if name in scope.table:
                return True
        return False


def written(node: Node) -> tuple[bool, bool]:
    """(is written, is read) of a name that refers."""
    below, parent = node, node.up
    while parent.type in _TARGETS:
        if parent.type in ("assignment_pattern", "object_assignment_pattern") and below.field == "right":
            return False, True
        if parent.type == "pair_pattern" and below.field != "value":
            return False, True
        below, parent = parent, parent.up
    if below.field == "left":
        if parent.type == "assignment_expression":
            return True, False
        if parent.type == "augmented_assignment_expression":
            return True, True
        if parent.type == "for_in_statement":
            return True, False
    if parent.type == "update_expression":
        return True, True
    return False, True


def _exports(node: Node) -> bool:
    """Whether a name stands for itself in `export { name }`, from no other file."""
    holder = node.up
    alone = node.field == "name" or holder.get("alias") is None
    return holder.type == "export_specifier" and alone and holder.up.up.get("source") is None


def _initialised(name: Node) -> bool:
    """Whether a declaration gives its name a value."""
    for above in name.above():
        if above.type == "variable_declarator":
            return above.get("value") is not None or above.up.up.type == "for_in_statement"
    return True


def host_of(node: Node) -> Node:
    """The function, field, static block or file that runs the code of a node."""
    below = node
    for above in node.above():
        if above.type in _HOSTS:
            outside = below.field in ("name", "property", "decorator") or below.type == "decorator"
            if not (outside and above.type != "program"):
                return above
        below = above
    return below


def this_of(node: Node) -> Node:
    """The function, field, static block or file whose `this` a node sees."""
    host = host_of(node)
    while host.type == "arrow_function":
        host = host_of(host)
    return host


def entity_in_loop(node: Node) -> bool:
    """Whether a loop of its own function stands around a node."""
    host = host_of(node)
    for above in node.above():
        if above is host:
            return False
        if above.type in LOOPS:
            return True
    return False


LOOPS = kinds("for_statement for_in_statement while_statement do_statement")
