"""What iterating, indexing, unpacking and entering give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.known import ITERABLES, MAPPINGS
from forgewright.code.python.values import (
    UNSURE,
    ClassValue,
    ExternalInstance,
    Instance,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.infer import Inference
    from forgewright.code.python.scopes import Scope


def elements(types: Inference, values: Values) -> Values:
    """What iterating gives."""
    found: list[Values] = []
    for value in values:
        if isinstance(value, ExternalInstance) and value.args:
            short = value.name.rpartition(".")[2]
            if short in MAPPINGS:
                found.append(value.args[0])
            elif short == "tuple":
                found.append(union(*value.args))
            elif short in ITERABLES:
                found.append(value.args[0])
            else:
                found.append(UNSURE)
        elif isinstance(value, ClassValue) and types.is_enum(value.scope):
            found.append((Instance(value.scope),))
        elif isinstance(value, Instance):
            found.append(types.iterated(value))
        else:
            found.append(UNSURE)
    return union(*found) if found else UNSURE


def iterated(types: Inference, value: Instance) -> Values:
    for method, deeper in (
        ("__iter__", True),
        ("__next__", False),
        ("__aiter__", True),
        ("__anext__", False),
    ):
        cls = types.owner(value.scope, method)
        if cls is None:
            continue
        given = union(*(types.called(v, [], cls) for v in types.class_member(cls, method, value)))
        if not deeper:
            return given
        if given == (value,):
            continue
        return types.elements(given)
    return UNSURE


def unpacked(types: Inference, values: Values, index: int) -> Values:
    found: list[Values] = []
    for value in values:
        if isinstance(value, ExternalInstance) and value.name.rpartition(".")[2] == "tuple" and value.args:
            if index < 0:
                found.append((ExternalInstance("list", (union(*value.args),)),))
            elif index < len(value.args):
                found.append(value.args[index])
            else:
                found.append(UNSURE)
        else:
            found.append(types.elements((value,)))
    return union(*found) if found else UNSURE


def infer_subscript(types: Inference, node: Node, scope: Scope) -> Values:
    value, index = node.child_by_field_name("value"), node.child_by_field_name("subscript")
    if value is None:
        return UNSURE
    found: list[Values] = []
    for one in types.infer(value, scope):
        if isinstance(one, ExternalInstance) and one.args:
            short = one.name.rpartition(".")[2]
            if index is not None and index.type == "slice":
                found.append((one,))
            elif short in MAPPINGS and len(one.args) == 2:
                found.append(one.args[1])
            elif short == "tuple" and index is not None and index.type == "integer":
                found.append(types.unpacked((one,), int(scope.file.text(index), 0)))
            else:
                found.append(types.elements((one,)))
        elif isinstance(one, Instance) and (cls := types.owner(one.scope, "__getitem__")) is not None:
            found += [types.called(v, [], cls) for v in types.class_member(cls, "__getitem__", one)]
        elif isinstance(one, ClassValue):
            found.append((one,))
        else:
            found.append(UNSURE)
    return union(*found) if found else UNSURE


def entered(types: Inference, value: Value) -> Values:
    """What `with value as x` gives."""
    if isinstance(value, ExternalInstance) and value.name == "contextmanager" and value.args:
        return value.args[0]
    if isinstance(value, Instance):
        for method in ("__enter__", "__aenter__"):
            cls = types.owner(value.scope, method)
            if cls is not None:
                return union(*(types.called(v, [], cls) for v in types.class_member(cls, method, value)))
    if isinstance(value, ExternalInstance):
        return (value,)
    return UNSURE
