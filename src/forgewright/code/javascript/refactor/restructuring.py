"""The operations on fields, booleans and classes of scripts, as outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.operations.base import Outcome
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.operations.classes import (
        EncapsulateField,
        IntroduceFactory,
        InvertBoolean,
        LocalToField,
    )


def encapsulate_field(
    resolver: JavaScriptResolver, path: str, offset: int, asked: EncapsulateField
) -> Outcome:
    from forgewright.code.javascript.refactor.fields import encapsulate_field as encapsulated

    if asked.getter or asked.setter or asked.files:
        raise EditRefused(
            "accessors have the name of the field, and leave its uses as they are",
            hint="leave getter:, setter: and files: out",
        )
    splices, name, storage = encapsulated(resolver, path, offset)
    note = f"{name} is no property of the objects themselves any more: JSON and Object.keys show {storage} or nothing"
    return Outcome(splices=tuple(splices), text=f"encapsulated {name}", notes=(note,))


def local_to_field(resolver: JavaScriptResolver, path: str, offset: int, asked: LocalToField) -> Outcome:
    from forgewright.code.javascript.refactor.fields import local_to_field as moved

    splices, name = moved(resolver, path, offset)
    return Outcome(splices=tuple(splices), text=f"{name} is a field now")


def invert_boolean(resolver: JavaScriptResolver, path: str, offset: int, asked: InvertBoolean) -> Outcome:
    from forgewright.code.javascript.refactor.invert import invert_boolean as inverted

    splices, name = inverted(resolver, path, offset, asked.new)
    captures = frozenset((asked.new,)) if asked.new else frozenset()
    return Outcome(splices=tuple(splices), text=f"inverted {name}", captures=captures)


def introduce_factory(
    resolver: JavaScriptResolver, path: str, offset: int, asked: IntroduceFactory
) -> Outcome:
    from forgewright.code.javascript.refactor.factory import introduce_factory as introduced

    if asked.module_level or asked.files:
        raise EditRefused(
            "in JavaScript the factory is a static method, and all constructions call it",
            hint="leave module_level: and files: out",
        )
    splices, name = introduced(resolver, path, offset, asked.name)
    return Outcome(splices=tuple(splices), text=f"{name} is made by {asked.name}")
