"""`restructure`: a rewrite whose metavariables are limited to given objects or types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code.binding import Symbol
from forgewright.code.operations.base import Example, Match, Outcome, Scene
from forgewright.code.operations.rewrite import Rewrite
from forgewright.code.operations.targets import python
from forgewright.code.syntax.diagnostics import SelectorError

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.values import Values


class Restructure(Rewrite, frozen=True, kw_only=True):
    """Rewrite a pattern in Python where its metavariables are certain objects, or of certain types."""

    objects: Annotated[
        Mapping[str, str],
        Meta(description="Metavariable → dotted name of the object that it must be, as app.util.load."),
    ] = {}
    types: Annotated[
        Mapping[str, str], Meta(description="Metavariable → dotted name of its type, as app.Cache or str.")
    ] = {}
    allow_none: Annotated[bool, Meta(description="Finding nothing is no error.")] = False
    uncertain: Annotated[bool, Meta(description="Also where the object or type is not known.")] = False

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(restructure pattern: '$S + $T' template: 'join($S, $T)' types: {S: 'str'})",
            before={"app.py": "a = 'x' + 'y'\nb = 1 + 2\n"},
            after={"app.py": "a = join('x', 'y')\nb = 1 + 2\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        try:
            return super().plan(scene)
        except SelectorError as error:
            if self.allow_none and "matches nothing" in error.message:
                return Outcome(text="nothing matches")
            raise

    def _symbol(self, scene: Scene) -> Symbol | None:
        if self.objects or self.types:
            return Symbol("", "", "", 0, 0)
        return super()._symbol(scene)

    def _binds(self, scene: Scene, match: Match, symbol: Symbol) -> bool:
        if symbol.name:
            return super()._binds(scene, match, symbol)
        resolver = python(scene, match.path)
        for name, wanted in self.objects.items():
            if not self._is(resolver, match, name, wanted, as_type=False):
                return False
        return all(
            self._is(resolver, match, name, wanted, as_type=True) for name, wanted in self.types.items()
        )

    def _is(self, resolver: PythonResolver, match: Match, name: str, wanted: str, *, as_type: bool) -> bool:
        taken = match.captures.get(name, ())
        if len(taken) != 1:
            return False
        values = inferred(resolver, match.path, taken[0])
        return fits(resolver, values, wanted, as_type=as_type, unknown=self.uncertain)


def inferred(resolver: PythonResolver, path: str, node: Node) -> Values:
    file = resolver.file(path)
    return resolver.types.infer(node, file.scope_at(node.start_byte))


def fits(resolver: PythonResolver, values: Values, wanted: str, *, as_type: bool, unknown: bool) -> bool:
    """Whether one of the alternatives is the object (or of the type) that a dotted name means."""
    from forgewright.code.python.values import UNKNOWN, ClassValue, External, ExternalInstance, Instance

    module, _, last = wanted.rpartition(".")
    builtin = module in ("", "builtins", "__builtins__")
    found = resolver.modules.find("", 0, tuple(module.split("."))) if not builtin else None
    targets = resolver.types.module_member(found, last) if found is not None else ()
    for value in values:
        if value is UNKNOWN:
            if unknown:
                return True
        elif as_type:
            if (
                isinstance(value, ExternalInstance)
                and value.name.rpartition(".")[2] == last
                and (builtin or value.name == wanted)
            ):
                return True
            if isinstance(value, Instance):
                order = resolver.types.mro(value.scope)[0]
                if any(isinstance(target, ClassValue) and target.scope in order for target in targets):
                    return True
        elif value in targets or (isinstance(value, External) and value.name in (wanted, f"builtins.{last}")):
            return True
    return unknown and not values
