"""What stands at a place is inlined: a variable's value, or a function's body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.globs import matcher
from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.refactor.inline_calls import inline_function
from forgewright.code.javascript.refactor.inline_shapes import function_of
from forgewright.code.javascript.refactor.inline_variable import inline_variable
from forgewright.code.javascript.refactor.region import uses_of
from forgewright.core.errors import EditRefused

SHORTHANDS = ("shorthand_property_identifier", "shorthand_property_identifier_pattern")

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.refactor.uses import Uses
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.project import Splice


def inline(
    resolver: JavaScriptResolver, path: str, offset: int, *, only: bool, keep: bool, strings: bool, files: str
) -> tuple[str, list[Splice]]:
    """(name, splices). Raises `EditRefused`."""
    if strings:
        raise EditRefused("strings: is for Python only", hint="leave it out")
    uses = uses_of(resolver, path)
    node = name_at(uses.unit, offset)
    entity = resolver.meanings.at(node) if node is not None else None
    if node is not None and node.type in SHORTHANDS and (entity is None or entity.scope is None):
        entity = uses.meaning(node) or entity
    if node is None or entity is None:
        raise EditRefused("no symbol of this project is named there", hint="point at a name")
    entity = resolver.program.resolve(entity) or entity
    if entity.unit.path != path:
        raise EditRefused(
            f"{node.text} is defined in {entity.unit.path}", hint="point at its definition there"
        )
    remove = not (keep or only)
    place = offset if only else None
    function = function_of(entity)
    if function is not None and (entity.scope is None or _called(uses, entity)):
        made = inline_function(resolver, uses, entity, function, only=place, remove=remove)
    else:
        made = inline_variable(resolver, uses, entity, only=place, remove=remove)
    if files:
        wanted = matcher(files)
        made = [splice for splice in made if wanted(splice.path)]
    return entity.name, made


def _called(uses: Uses, entity: Entity) -> bool:
    """Whether a function is to be inlined call by call: one in a variable may also be a value like others."""
    if entity.kind == "function":
        return True
    reads = [use.node for use in uses.of(entity) if not use.declares]
    return all(node.up.type == "call_expression" and node.field == "function" for node in reads)
