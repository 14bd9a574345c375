"""The state of a graph: a frozen struct whose fields say how updates are merged into them.

class Review(State):
    goal: str
    messages: Annotated[list[Message], append] = []
    verdict: Literal["pass", "fail"] | None = None
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

import msgspec

from forgewright.core.errors import UsageError

Reducer = Callable[[Any, Any], Any]
"""(value so far, value of the update) → new value."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class State(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all states. A field without a reducer is replaced, and only one parallel branch may write it."""


S = TypeVar("S", bound=State)


def append(old: list[Any] | tuple[Any, ...], new: Any) -> list[Any] | tuple[Any, ...]:
    """Reducer: add one element at the end; a list or tuple is added element by element."""
    more = list(new) if isinstance(new, (list, tuple)) else [new]
    return (*old, *more) if isinstance(old, tuple) else [*old, *more]


extend = append
"""Reducer: the same, under the name that reads better for lists."""


def merge(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> dict[Any, Any]:
    """Reducer: update a mapping key by key."""
    return {**old, **new}


class Shape(msgspec.Struct, frozen=True):
    """What is known of a state class: its fields' types and reducers."""

    types: Mapping[str, Any]
    reducers: Mapping[str, Reducer]


@functools.lru_cache(maxsize=256)
def shape_of(cls: type[State]) -> Shape:
    """The shape of a state class; raises `UsageError` where a field's annotation can't be read."""
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise UsageError(
            f"the state {cls.__name__} has an annotation that can't be resolved: {error}",
            hint="define or import that name at module level, before the graph is built",
        ) from error
    reducers = {}
    for name in cls.__struct_fields__:
        hint = hints[name]
        if get_origin(hint) is Annotated:
            found = [extra for extra in get_args(hint)[1:] if callable(extra)]
            if len(found) > 1:
                raise UsageError(f"field {cls.__name__}.{name} has {len(found)} reducers; one was expected")
            if found:
                reducers[name] = found[0]
    return Shape({name: hints[name] for name in cls.__struct_fields__}, reducers)


def apply_update(state: S, fields: Mapping[str, Any]) -> S:
    """`state` with an update merged in by its reducers."""
    if not fields:
        return state
    reducers = shape_of(type(state)).reducers
    new = {
        name: reducers[name](getattr(state, name), value) if name in reducers else value
        for name, value in fields.items()
    }
    return msgspec.structs.replace(state, **new)


def encode_update(cls: type[State], fields: Mapping[str, Any]) -> msgspec.Raw:
    """The update as JSON, as it is journaled."""
    unknown = [name for name in fields if name not in cls.__struct_fields__]
    if unknown:
        raise UsageError(
            f"an update of {cls.__name__} names unknown fields: {', '.join(unknown)}",
            hint=f"its fields are: {', '.join(cls.__struct_fields__)}",
        )
    return msgspec.Raw(msgspec.json.encode(fields))


def decode_update(cls: type[State], update: msgspec.Raw) -> dict[str, Any]:
    """A journaled update, each field converted to its declared type (a reducer may also take one element)."""
    raw: dict[str, msgspec.Raw] = msgspec.json.decode(update, type=dict[str, msgspec.Raw])
    shape = shape_of(cls)
    out: dict[str, Any] = {}
    for name, value in raw.items():
        hint = shape.types[name]
        try:
            out[name] = msgspec.json.decode(value, type=hint)
        except msgspec.ValidationError:
            element = _element(hint)
            if name not in shape.reducers or element is None:
                raise
            out[name] = msgspec.json.decode(value, type=element)
    return out


def _element(hint: Any) -> Any:
    """The type of the elements of a list or tuple annotation, if it is one."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    args = get_args(hint)
    return args[0] if get_origin(hint) in (list, tuple) and args else None
