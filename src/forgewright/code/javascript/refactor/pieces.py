"""The statements that declare what is moved, and the names that they take from their module."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code import layout
from forgewright.code.javascript.bindings import references
from forgewright.code.javascript.entities import SPACE, TYPE, VALUE, Entity
from forgewright.code.javascript.jsdoc import doc_of, is_doc
from forgewright.code.javascript.names import FUNCTIONS, PATTERNS
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node

KINDS = frozenset(("function", "class", "const", "let", "var", "interface", "type", "enum", "namespace"))
TYPES = frozenset(("interface", "type"))
"""What is there for the compiler only."""
_DECLARATIONS = kinds(
    "function_declaration generator_function_declaration class_declaration abstract_class_declaration "
    "interface_declaration type_alias_declaration enum_declaration function_signature lexical_declaration "
    "variable_declaration internal_module ambient_declaration"
)
_HEADERS = (
    "@license",
    "Copyright",
    "@fileoverview",
    "@file",
    "eslint-disable ",
    "@ts-nocheck",
    "@ts-check",
    "@jsx",
)
_BOUND_TO_FILE = frozenset(("__filename", "__dirname", "module", "exports", "require"))
_TYPED = kinds(
    "type_annotation type_query generic_type type_arguments literal_type implements_clause extends_type_clause "
    "type_alias_declaration interface_declaration union_type intersection_type array_type tuple_type "
    "lookup_type index_type_query conditional_type constraint default_type satisfies_expression as_expression"
)


class Piece(msgspec.Struct, frozen=True, eq=False):
    """One statement at the top of a file with the comments that belong to it."""

    node: Node
    start: int
    """With the comments right above it."""
    end: int
    """With a comment behind it on its line."""

    @property
    def declaration(self) -> Node:
        """What is declared, without `export`."""
        if self.node.type == "export_statement":
            return self.node.get("declaration") or self.node
        return self.node

    def holds(self, node: Node) -> bool:
        return self.start <= node.start < self.end


class Reference(msgspec.Struct, frozen=True, eq=False):
    """A name in a piece, and what it means at the top of its file; None for what the file does not declare."""

    node: Node
    entity: Entity | None
    typed: bool
    """Only as a type."""
    eager: bool
    """Needed as soon as the statement runs, and not later, in a function."""


def top_of(node: Node) -> Node:
    """The statement at the top of the file in which a node stands."""
    while node.parent is not None and node.parent.parent is not None:
        node = node.parent
    return node


def pieces_of(unit: Unit, entities: Collection[Entity]) -> list[Piece]:
    """The statements that declare these, and those that only add to them. Raises `EditRefused`."""
    found: dict[Node, None] = {}
    for entity in entities:
        for node in [*entity.nodes]:
            if node.path != unit.path:
                raise EditRefused(
                    f"{entity.declared_name} is declared in {node.path} too",
                    hint="declarations of one name in several files are not moved",
                )
            top = top_of(node)
            if _inner(top).type in _DECLARATIONS and _declares(top, node):
                found[top] = None
    for top in found:
        others = [e.declared_name for e in declared_by(unit, top) if e.real not in entities]
        if others:
            raise EditRefused(
                f"{unit.path}:{row(top)} declares {', '.join(dict.fromkeys(others))} in the same statement",
                hint="move them together with move-symbols, or give each a statement of its own",
            )
    for node in unit.root.children:
        if node not in found and any(_adds_to(unit, node, entity) for entity in entities):
            found[node] = None
    return [_piece(unit, node) for node in sorted(found, key=lambda node: node.start)]


def _inner(top: Node) -> Node:
    """What a statement declares, without `export` and the statement around a namespace."""
    if top.type == "export_statement":
        top = top.get("declaration") or top
    if top.type == "expression_statement" and top.items and top.items[0].type == "internal_module":
        return top.items[0]
    return top


def _declares(top: Node, node: Node) -> bool:
    if node.type == "variable_declarator":
        holder = node.up.up
        if holder.type == "ambient_declaration":
            holder = holder.up
        return holder is top or holder.up is top or holder.parent is None
    return node is top or node.up is top or node.up.up is top


def declared_by(unit: Unit, top: Node) -> list[Entity]:
    """The entities that a statement at the top of a file declares there."""
    return [
        entity.real
        for name, entity in unit.decl.items()
        if top.start <= name.start < top.end
        and (entity.scope is unit.top or entity.real.container is unit.module)
        and (unit.module is None or entity.real.kind in KINDS)
    ]


def _adds_to(unit: Unit, node: Node, entity: Entity) -> bool:
    """`name.property = …` at the top of the file."""
    if node.type != "expression_statement" or not node.items:
        return False
    assignment = node.items[0]
    left = assignment.get("left") if assignment.type == "assignment_expression" else None
    if left is None or left.type != "member_expression":
        return False
    while left.type == "member_expression":
        left = left.get("object") or left.children[0]
    if left.type != "identifier" or left.text != entity.declared_name:
        return False
    return unit.scope_at(left) is unit.top


def _piece(unit: Unit, node: Node) -> Piece:
    data = unit.data
    start, end = node.start, node.end
    siblings = node.up.children
    number = siblings.index(node)
    if number + 1 < len(siblings) and siblings[number + 1].type == ";" and siblings[number + 1].start == end:
        end = siblings[number + 1].end
    number -= 1
    while number >= 0 and siblings[number].type == "comment":
        above = siblings[number]
        line = data[layout.line_start(data, above.start) : above.start]
        header = number == 0 and (
            above.text.startswith("/*!") or any(word in above.text for word in _HEADERS)
        )
        if header or data[above.end : start].count(b"\n") > 1 or not layout.only_space(line):
            break
        start = above.start
        number -= 1
    stop = layout.line_stop(data, end)
    rest = data[end:stop].strip()
    if rest.startswith(b"//") or (rest.startswith(b"/*") and rest.endswith(b"*/") and rest.count(b"/*") == 1):
        end = stop - (len(data[end:stop]) - len(data[end:stop].rstrip()))
    return Piece(node, start, end)


def names_in(program: Program, unit: Unit, pieces: Sequence[Piece]) -> Iterator[Reference]:
    """The names in the pieces that the scopes within them do not explain."""
    for node in spoken(unit):
        if not any(piece.holds(node) for piece in pieces):
            continue
        meant, typed = meaning(program, unit, node)
        if meant is not None and meant.unit is unit and not at_top(unit, meant):
            continue
        own = meant if meant is not None and meant.unit is unit else None
        yield Reference(node, own, typed, eager(node))


def spoken(unit: Unit) -> Iterator[Node]:
    """All names of a file that scopes give a meaning: also `a` in `{ a }`, `export { a }` and `({ a } = b)`."""
    yield from references(unit)
    for node in unit.root.walk():
        if node.type == "shorthand_property_identifier_pattern":
            if node not in unit.decl:
                yield node
        elif node.type == "shorthand_property_identifier" or (
            node.field == "name"
            and node.up.type == "export_specifier"
            and node.up.up.up.get("source") is None
        ):
            if node in unit.decl:
                yield node


def documented(unit: Unit) -> Iterator[Node]:
    """The names in the types of a JavaScript file's documentation comments."""
    if not unit.javascript:
        return
    for node in unit.root.walk():
        if node.type == "comment" and is_doc(node):
            for root in doc_of(unit, node).nodes():
                for name in root.walk():
                    if not name.children and name.type in ("type_identifier", "identifier", "jsdoc_name"):
                        if name.up.type not in ("import_specifier", "property_signature"):
                            yield name


def meaning(program: Program, unit: Unit, node: Node) -> tuple[Entity | None, bool]:
    """What a name means, imports not followed, and whether it stands where a type is meant."""
    if node.up.type in ("export_specifier", "import_alias") or (
        node.up.type == "export_statement" and node.up.has("default")
    ):
        return program.lookup(node, VALUE) or program.lookup(node, TYPE) or program.lookup(node, SPACE), False
    if node.type == "type_identifier":
        return program.lookup(node, TYPE), True
    typed = typed_place(node)
    found = program.lookup(node, SPACE | VALUE if typed else VALUE) or program.lookup(node, SPACE)
    return found, typed


def typed_place(node: Node) -> bool:
    """Whether a name is only part of a type: `a` in `a.B` after a colon, `typeof a` in a type."""
    if node.type == "type_identifier":
        return True
    up = node.up
    while up.type in ("nested_type_identifier", "nested_identifier", "member_expression"):
        if up.type == "nested_type_identifier":
            return True
        node, up = up, up.up
    if up.type == "as_expression" or up.type == "satisfies_expression":
        return up.children[0] is not node
    return up.type in _TYPED


def at_top(unit: Unit, entity: Entity) -> bool:
    """Whether something is declared at the top of a file."""
    return entity.scope is unit.top or (unit.module is not None and entity.container is unit.module)


def eager(node: Node) -> bool:
    """Whether a name's value is needed when its statement runs: outside of functions and instance members."""
    below = node
    for above in node.above():
        if above.type in FUNCTIONS and below.type != "decorator" and below.field not in ("decorator", "name"):
            if not _runs_at_once(above):
                return False
        if above.type in ("public_field_definition", "field_definition") and below.field == "value":
            if not above.has("static"):
                return False
        below = above
    return not typed_place(node)


def _runs_at_once(function: Node) -> bool:
    """Whether a function is called where it stands, or handed to something that may call it."""
    if function.type not in ("arrow_function", "function_expression"):
        return False
    node = function
    while node.up.type == "parenthesized_expression":
        node = node.up
    return node.up.type == "arguments" or (node.up.type == "call_expression" and node.field == "function")


def written(node: Node) -> bool:
    """Whether a name is assigned to."""
    up = node.up
    while (
        up.type in PATTERNS
        or up.type in ("rest_pattern", "parenthesized_expression", "non_null_expression")
        or (up.type == "pair_pattern" and node.field == "value")
        or (up.type in ("assignment_pattern", "object_assignment_pattern") and node.field == "left")
    ):
        node, up = up, up.up
    if up.type in ("assignment_expression", "augmented_assignment_expression"):
        return node.field == "left"
    if up.type == "for_in_statement":
        return node.field == "left" and up.get("kind") is None
    return up.type == "update_expression"


def check_place(unit: Unit, pieces: Sequence[Piece], other: str) -> None:
    """Refuse what means another thing in another file: `import.meta`, `this` at the top, `__filename`."""
    for piece in pieces:
        for node in piece.node.walk():
            bound = node.type == "meta_property" or (
                node.type == "identifier"
                and node.text in _BOUND_TO_FILE
                and node not in unit.decl
                and (node.text != "require" or not _requires(node))
            )
            if bound and not (node.type == "meta_property" and node.text.startswith("new")):
                raise EditRefused(
                    f"{unit.path}:{row(node)} {node.text} would mean something else in {other}",
                    hint="pass what it gives as a parameter first",
                )
            if node.type == "this" and _outside(node):
                raise EditRefused(
                    f"{unit.path}:{row(node)} `this` at the top of a file means the file's own",
                    hint="name what is meant first",
                )


def _requires(node: Node) -> bool:
    return node.up.type == "call_expression" and node.field == "function"


def _outside(node: Node) -> bool:
    """Whether `this` stands outside of functions and classes."""
    for above in node.above():
        if above.type == "class_body" or (above.type in FUNCTIONS and above.type != "arrow_function"):
            return False
        if above.type in ("object_type", "interface_body", "interface_declaration", "type_annotation"):
            return False
    return True


def row(node: Node) -> int:
    return node.data.count(b"\n", 0, node.start) + 1
