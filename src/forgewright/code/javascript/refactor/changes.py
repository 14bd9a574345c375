"""The operations on parameters, as changes of one signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.globs import matcher
from forgewright.code.javascript.refactor.calls import Family, family_at
from forgewright.code.javascript.refactor.mentions import Call
from forgewright.code.javascript.refactor.parameters import (
    Fresh,
    adding,
    check_name,
    check_type,
    expression,
    place_of,
    reordering,
    slots_of,
    typed,
)
from forgewright.code.javascript.refactor.signature import Changed, change_signature
from forgewright.code.operations.base import Outcome, plural
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.operations.parameters import (
        InlineDefault,
        InlineParameter,
        IntroduceParameterObject,
        SetTypes,
    )
    from forgewright.code.operations.signature import (
        AddParameter,
        RemoveParameter,
        ReorderParameters,
        Target,
    )


def outcome(changed: Changed, text: str, names: Sequence[str] = ()) -> Outcome:
    """What was done, in the form in which an operation says it."""
    files = {splice.path for splice in changed.splices}
    unsure = [
        Occurrence(node.path, node.start, node.end, "reference", False, "what it belongs to is not known")
        for node in changed.uncertain
    ]
    return Outcome(
        splices=tuple(sorted(changed.splices)),
        text=f"{text}: {plural(len(changed.splices), 'place')} in {plural(len(files), 'file')}",
        uncertain=tuple(sorted(unsure)),
        notes=tuple(dict.fromkeys(changed.notes)),
        captures=frozenset(names),
    )


def _family(
    resolver: JavaScriptResolver, path: str, offset: int, asked: Target, calls: str = "keep"
) -> Family:
    if calls == "keywords":
        raise EditRefused("JavaScript passes arguments by position only", hint="leave calls: out")
    return family_at(resolver, path, offset, hierarchy=asked.hierarchy)


def add_parameter(resolver: JavaScriptResolver, path: str, offset: int, asked: AddParameter) -> Outcome:
    check_name(asked.name)
    if asked.keyword_only:
        raise EditRefused(
            "JavaScript has no keyword-only parameters", hint="use (introduce-parameter-object …) for names"
        )
    family = _family(resolver, path, offset, asked, asked.calls)
    for text, what in ((asked.default, "default:"), (asked.value, "value:")):
        if text is not None:
            expression(text, what, path)
    if asked.type:
        check_type(asked.type, path)
        if not typed(family.first) and not _documented(resolver, family):
            raise EditRefused(
                "JavaScript has no annotations",
                hint="leave type: out, or describe the parameters in a comment first",
            )
    wanted = matcher(asked.include) if asked.include else None
    unwanted = matcher(asked.exclude) if asked.exclude else None
    if (wanted or unwanted) and asked.default is None:
        raise EditRefused("calls that do not pass the value need a default", hint="give default: too")

    def chosen(call: Call) -> bool:
        return (wanted is None or wanted(call.path)) and (unwanted is None or not unwanted(call.path))

    fresh = Fresh(asked.name, asked.type, asked.default, asked.value)
    order = adding(slots_of(family.first), fresh, asked.index, family.name)
    done = change_signature(resolver, family, order, chosen=chosen)
    return outcome(done, f"{family.name} takes {asked.name}")


def _documented(resolver: JavaScriptResolver, family: Family) -> bool:
    """Whether a comment says what the parameters are."""
    from forgewright.code.javascript.jsdoc import doc_before

    unit = resolver.program.unit(family.first.path)
    doc = doc_before(unit, family.first) if unit is not None else None
    return doc is not None and doc.first("param", "arg", "argument") is not None


def remove_parameter(resolver: JavaScriptResolver, path: str, offset: int, asked: RemoveParameter) -> Outcome:
    family = _family(resolver, path, offset, asked, asked.calls)
    slots = slots_of(family.first)
    which = asked.name or asked.index
    if which is None:
        raise EditRefused("expected name: or index:", hint="say which parameter")
    gone = place_of(slots, which, family.name)
    order = [index for index in range(len(slots)) if index != gone]
    done = change_signature(resolver, family, order)
    return outcome(done, f"{family.name} takes {slots[gone].name or slots[gone].pattern.text} no more")


def reorder_parameters(
    resolver: JavaScriptResolver, path: str, offset: int, asked: ReorderParameters
) -> Outcome:
    family = _family(resolver, path, offset, asked, asked.calls)
    if asked.default is not None:
        raise EditRefused(
            "in JavaScript a parameter without a default may follow one that has one",
            hint="leave default: out",
        )
    done = change_signature(resolver, family, reordering(slots_of(family.first), asked.order, family.name))
    return outcome(done, f"{family.name} has its parameters in another order")


def parameter_object(
    resolver: JavaScriptResolver, path: str, offset: int, asked: IntroduceParameterObject
) -> Outcome:
    from forgewright.code.javascript.refactor.parameter_object import introduce_parameter_object

    family = _family(resolver, path, offset, asked)
    done = introduce_parameter_object(resolver, family, asked.parameters, asked.name, asked.parameter)
    return outcome(done, f"{family.name} takes {asked.name}")


def inlined_default(resolver: JavaScriptResolver, path: str, offset: int, asked: InlineDefault) -> Outcome:
    from forgewright.code.javascript.refactor.inline_parameter import inline_default

    which = asked.name or asked.index
    if which is None:
        raise EditRefused("expected name: or index:", hint="say which parameter")
    family = _family(resolver, path, offset, asked)
    return outcome(
        inline_default(resolver, family, which, remove=asked.remove), f"{which} is passed by the calls"
    )


def inlined_parameter(
    resolver: JavaScriptResolver, path: str, offset: int, asked: InlineParameter
) -> Outcome:
    from forgewright.code.javascript.refactor.inline_parameter import inline_parameter

    family = family_at(resolver, path, offset)
    return outcome(inline_parameter(resolver, family, asked.name), f"inlined {asked.name}")


def set_types(resolver: JavaScriptResolver, path: str, offset: int, asked: SetTypes) -> Outcome:
    from forgewright.code.javascript.refactor.set_types import set_types as types_set

    done, name = types_set(resolver, path, offset, dict(asked.types), asked.returns)
    return Outcome(splices=tuple(done), text=f"{name}: {len(done)} annotations changed")
