"""What the operations on parameters ask of Go, Rust and Java."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import RenameOptions
from forgewright.code.languages import language_of
from forgewright.code.operations.base import Outcome, plural
from forgewright.code.operations.targets import symbol_of
from forgewright.code.positional.change import Change, Signature, adding, probe, removing, reordering
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.operations.base import Scene
    from forgewright.code.operations.signature import AddParameter, RemoveParameter, ReorderParameters, Target


def add_parameter(scene: Scene, path: str, offset: int, asked: AddParameter) -> Outcome:
    if asked.default is not None or asked.keyword_only or asked.include or asked.exclude:
        raise EditRefused(
            "parameters have no defaults or names in calls in this language",
            hint="say value:, what every call passes",
        )
    if not asked.name.isidentifier():
        raise EditRefused(f"{asked.name!r} is no name", hint="choose letters, digits and _")
    return _changed(scene, path, offset, asked, adding(asked.name, asked.type, asked.value, asked.index))


def remove_parameter(scene: Scene, path: str, offset: int, asked: RemoveParameter) -> Outcome:
    which = asked.name or asked.index
    if which is None:
        raise EditRefused("expected name: or index:", hint="say which parameter")
    return _changed(scene, path, offset, asked, removing(which))


def reorder_parameters(scene: Scene, path: str, offset: int, asked: ReorderParameters) -> Outcome:
    if asked.default is not None:
        raise EditRefused("parameters have no defaults in this language", hint="leave default: out")
    return _changed(scene, path, offset, asked, reordering(asked.order))


def _changed(scene: Scene, path: str, offset: int, asked: Target, change: Change) -> Outcome:
    if getattr(asked, "calls", "keep") == "keywords":
        raise EditRefused("arguments have no names in this language", hint="leave calls: out")
    language = language_of(path)
    symbol = symbol_of(scene, path, offset)
    options = RenameOptions(hierarchy=asked.hierarchy)
    found = scene.resolver(language).rename(symbol, probe(symbol), options=options)
    found = scene.weigh(language, symbol, probe(symbol), found, options)
    splices = Signature(scene.project, symbol, found).plan(change)
    files = len({splice.path for splice in splices})
    return Outcome(
        splices=tuple(splices),
        text=f"{symbol.name}: {plural(len(splices), 'place')} in {plural(files, 'file')}",
    )
