"""Strategies for programs of the language: values, operations of every kind, and their text."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from forgewright.code.operations import registry
from forgewright.code.operations.base import Operation

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60) | st.sampled_from(
    [
        "",
        "a\nb",
        "  x\n    y\n",
        "'''",
        '"""',
        "\\",
        "it's\n\t'''",
        "\n",
        "\r\n",
        "\x00",
        "\ufeff",
        "a\n\n",
        " \n b",
    ]
)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | texts, inner, max_size=4),
    max_leaves=10,
)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, bounds of its `Meta` kept."""
    if typing.get_origin(kind) is typing.Annotated:
        inner, *metas = typing.get_args(kind)
        low = max((m.ge for m in metas if isinstance(m, msgspec.Meta) and m.ge is not None), default=None)
        high = min((m.le for m in metas if isinstance(m, msgspec.Meta) and m.le is not None), default=None)
        if inner is int:
            return st.integers(low if low is not None else -1000, high if high is not None else 1000)
        found = of_type(inner)
        for meta in metas:
            if isinstance(meta, msgspec.Meta):
                if meta.min_length:
                    found = found.filter(lambda value, least=meta.min_length: len(value) >= least)
                if meta.max_length:
                    found = found.map(lambda value, most=meta.max_length: value[:most])
                if meta.pattern:
                    found = found.map(lambda value: value + "$BODY")
        return found
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return st.sampled_from(typing.get_args(kind))
    if origin is tuple:
        return st.lists(of_type(typing.get_args(kind)[0]), max_size=3).map(tuple)
    if origin is not None and type(None) in typing.get_args(kind):
        return st.one_of(*(st.none() if arg is type(None) else of_type(arg) for arg in typing.get_args(kind)))
    if origin is not None and typing.get_args(kind) and origin not in (dict, list, Mapping):
        return st.one_of(*(of_type(arg) for arg in typing.get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    by_type: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        bool: st.booleans(),
        int: st.integers(-1000, 1000),
        float: st.floats(allow_nan=False, allow_infinity=False),
    }
    if origin in (dict, Mapping):
        return st.dictionaries(keys | texts, of_type(typing.get_args(kind)[1]), max_size=3)
    if origin is list:
        return st.lists(of_type(typing.get_args(kind)[0]), max_size=3)
    return by_type[kind]


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Instances of a struct."""
    fields = {field.name: of_type(field.type) for field in msgspec.structs.fields(kind)}

    def build(arguments: dict[str, Any]) -> Any:
        try:
            return kind(**arguments)
        except ValueError:
            return None

    return st.fixed_dictionaries(fields).map(build).filter(lambda made: made is not None)


def operations() -> st.SearchStrategy[Operation]:
    """Any operation of the registry."""
    return st.sampled_from(registry.names()).flatmap(lambda name: structs(registry.load(name)))
