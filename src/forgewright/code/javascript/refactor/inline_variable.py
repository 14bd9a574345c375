"""Inline a variable: its value stands where its name stood, and the declaration goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.deletion import delete
from forgewright.code.javascript.entities import SPACE, TYPE, VALUE
from forgewright.code.javascript.names import FUNCTIONS
from forgewright.code.javascript.refactor.precedence import fitted
from forgewright.code.javascript.refactor.purity import Doing, Effect, between, effect, postponed
from forgewright.code.javascript.refactor.region import line_of
from forgewright.code.javascript.refactor.text import anchor_of, following, joins, previous
from forgewright.code.javascript.refactor.uses import LOOPS, Use, Uses, host_of, this_of
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Source
    from forgewright.code.scopes.tree import Node

_TAGS = kinds("jsx_opening_element jsx_closing_element jsx_self_closing_element")
_BRANCHES = kinds(
    "if_statement else_clause switch_case switch_default try_statement catch_clause finally_clause"
)


def inline_variable(
    resolver: JavaScriptResolver, uses: Uses, entity: Entity, *, only: int | None = None, remove: bool = True
) -> list[Splice]:
    """Put the value where the name is read: at the byte `only`, else everywhere. Raises `EditRefused`."""
    declarator, value = definition(uses, entity)
    reads = [use for use in uses.of(entity) if not use.declares]
    if remove:
        check_private(resolver, entity, declarator)
    if only is not None:
        reads = [use for use in reads if use.node.start <= only <= use.node.end]
    if not reads:
        raise EditRefused(f"nothing reads {entity.name}", hint="delete the declaration instead")
    if any(use.node.within(value) for use in reads):
        raise EditRefused(f"the value of {entity.name} uses it itself", hint="leave it in its variable")
    check_order(uses, entity, declarator, value, reads, remove)
    found = [_put(uses, declarator, value, use) for use in reads]
    if remove:
        found += removed_declarator(resolver.project.source(uses.unit.path), declarator)
    return found


def definition(uses: Uses, entity: Entity) -> tuple[Node, Node]:
    """The declarator of a variable that is given a value once, and the value. Raises `EditRefused`."""
    name = entity.name
    hint = "inline a variable that is assigned once, where it is declared"
    if entity.kind not in ("const", "let", "var"):
        raise EditRefused(f"{name} is no variable but a {entity.kind}", hint=hint)
    if len(entity.names) != 1 or [use for use in uses.of(entity) if use.writes and not use.declares]:
        raise EditRefused(f"{name} is assigned more than once", hint=hint)
    declarator = entity.names[0].up
    value = declarator.get("value")
    if declarator.type != "variable_declarator" or declarator.get("name") is not entity.names[0]:
        raise EditRefused(f"{name} is declared by taking a value apart", hint=hint)
    if value is None:
        raise EditRefused(f"{name} has no value of its own", hint=hint)
    statement = declarator.up
    if statement.type not in ("lexical_declaration", "variable_declaration") or statement.has("using"):
        raise EditRefused(f"{name} is disposed of at the end of its block", hint=hint)
    if statement.up.type == "ambient_declaration":
        raise EditRefused(f"{name} is only declared here", hint=hint)
    return declarator, value


def check_private(resolver: JavaScriptResolver, entity: Entity, declarator: Node) -> None:
    """Refuse to take away what other files can use."""
    name = entity.name
    exported = any(above.type == "export_statement" for above in [declarator.up, declarator.up.up])
    specified = any(
        use.node.up.type == "export_specifier" for use in Uses(resolver.program, entity.unit).of(entity)
    )
    if exported or specified:
        raise EditRefused(f"{name} is exported", hint="keep the declaration with keep: true")
    if entity.scope in entity.unit.global_scopes:
        for path in resolver.program.containing(name):
            other = resolver.program.unit(path)
            if other is not None and other is not entity.unit and other.module is None:
                raise EditRefused(
                    f"{name} is global, and {path} may use it", hint="keep the declaration with keep: true"
                )


def check_order(
    uses: Uses, entity: Entity, declarator: Node, value: Node, reads: list[Use], remove: bool
) -> None:
    """Refuse where the value would be computed at another time, another number of times, or not be the same."""
    strength = effect(uses, value)
    block = declarator.up.up
    if strength >= Effect.MAKES and (len(reads) > 1 or not remove):
        raise EditRefused(
            f"the value of {entity.name} calls or makes something, and would be computed several times",
            hint="leave it in its variable",
        )
    own = Doing(uses, [value])
    special = any(n.type in ("this", "super", "meta_property") or n.text == "arguments" for n in value.walk())
    for use in reads:
        node = use.node
        if not node.within(block):
            raise EditRefused(f"{entity.name} is used outside the block that sets it", hint="leave it")
        if node.start < declarator.start and (host_of(node) is host_of(declarator) or entity.kind == "var"):
            raise EditRefused(f"{entity.name} is used before it has its value", hint="leave it")
        if strength <= Effect.STABLE:
            continue
        if special and this_of(node) is not this_of(declarator):
            raise EditRefused(f"{entity.name} is used in a function with another this", hint="leave it")
        if host_of(node) is not host_of(declarator):
            raise EditRefused(
                f"{entity.name} is used in another function, which may run when the value has changed",
                hint="leave it in its variable",
            )
        above = [a for a in node.above() if a.within(block) and a is not block]
        if any(a.type in LOOPS for a in above) or block.type in LOOPS:
            raise EditRefused(
                f"the value of {entity.name} would be computed again and again", hint="leave it"
            )
        if own.acts and (postponed(node, block) or any(a.type in _BRANCHES for a in above)):
            raise EditRefused(
                f"the value of {entity.name} does something, and would be computed under a condition",
                hint="leave it in its variable",
            )
        if Doing(uses, between(block, declarator.end, node.start)).disturbs(own) or (
            own.acts and own.disturbs(Doing(uses, between(block, declarator.end, node.start)))
        ):
            raise EditRefused(
                f"what happens before the use of {entity.name} in line {line_of(node)} may change its value",
                hint="leave it in its variable",
            )


def _put(uses: Uses, declarator: Node, value: Node, use: Use) -> Splice:
    """The splice at one use; checks that the value means the same there."""
    node, parent = use.node, use.node.up
    where = f"in line {line_of(node)}"
    check_names(uses, value, node)
    plain = value.type == "identifier"
    if parent.type in ("export_specifier", "import_specifier"):
        raise EditRefused(f"{node.text} is exported {where}", hint="export the value by another name first")
    if any(above.type in ("type_query", "nested_type_identifier") for above in node.above()) and not plain:
        raise EditRefused(f"{node.text} is part of a type {where}", hint="leave it in its variable")
    tag = parent if parent.type != "member_expression" else parent.up
    if tag.type in _TAGS and not plain:
        raise EditRefused(f"{node.text} names an element {where}", hint="leave it in its variable")
    if parent.type == "call_expression" and node.field == "function":
        if value.type in ("member_expression", "subscript_expression"):
            raise EditRefused(
                f"{node.text} is called {where}, and {value.text[:60]} would be called as a method",
                hint="leave it in its variable",
            )
    if node.type == "shorthand_property_identifier":
        text = value.text if value.type != "sequence_expression" else f"({value.text})"
        return Splice(node.path, node.start, node.end, f"{node.text}: {text}".encode())
    text = fitted(value, node)
    _check_line(declarator, node, text)
    return Splice(node.path, node.start, node.end, text.encode())


def check_names(uses: Uses, value: Node, place: Node, skip: Node | None = None) -> None:
    """Refuse where a name in the value would mean something else; names declared in `skip` go with it."""
    scope = uses.unit.scope_at(place)
    for use in uses.within(value.start, value.end):
        own = skip if skip is not None else value
        if use.declares or (use.entity is not None and any(name.within(own) for name in use.entity.names)):
            continue
        space = TYPE | SPACE if use.node.type == "type_identifier" else VALUE | SPACE
        if uses.visible(scope, use.node.text, space) is not use.entity:
            raise EditRefused(
                f"{use.node.text} means something else in line {line_of(place)}",
                hint="rename one of the two first",
            )


def _check_line(declarator: Node, place: Node, text: str) -> None:
    """Refuse what would be read as going on with the line above, in a file without semicolons."""
    if place.up.type in FUNCTIONS:
        return
    statement = anchor_of(place).node
    before = previous(statement)
    if before is not None and declarator.within(before):
        before = previous(before)
    if statement.start == place.start and joins(before, text.encode()):
        raise EditRefused(
            "the line above has no semicolon and would go on with the value",
            hint="end it with a semicolon first",
        )


def removed_declarator(source: Source, declarator: Node) -> list[Splice]:
    """Take a declarator out, or its statement if it is the only one."""
    statement = declarator.up
    items = [item for item in statement.items if item.type == "variable_declarator"]
    at = items.index(declarator)
    if len(items) > 1:
        start, end = (items[at - 1].end, declarator.end) if at else (declarator.start, items[1].start)
        return [Splice(source.path, start, end, b"")]
    if statement.up.type == "for_statement":
        return [Splice(source.path, statement.start, statement.end, b";")]
    after = following(statement)
    semicolon = statement.end - 1
    data = statement.data
    if after is not None and joins(previous(statement), data[after.start : after.start + 1]):
        if data[semicolon : statement.end] == b";" and data[semicolon - 1 : semicolon].isspace():
            return [Splice(source.path, statement.start, semicolon, b"")]
        raise EditRefused(
            "without the declaration, the line above would go on with the line below",
            hint="end it with a semicolon first",
        )
    return [delete_statement(source, statement)]


def delete_statement(source: Source, statement: Node) -> Splice:
    """Take a whole statement out with its line."""
    node = source.tree.root_node.descendant_for_byte_range(statement.start, statement.end)
    while node is not None and node.type != statement.type:
        node = node.parent
    assert node is not None
    return delete(source, node)
