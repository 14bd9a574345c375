"""What calls give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.known import MAPPINGS, PROPERTIES, TRANSPARENT
from forgewright.code.python.values import (
    NOTHING,
    UNKNOWN,
    UNSURE,
    ClassValue,
    External,
    ExternalInstance,
    Function,
    Instance,
    Super,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.infer import Inference
    from forgewright.code.python.scopes import Scope


def infer_call(types: Inference, node: Node, scope: Scope) -> Values:
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if function is None:
        return UNSURE
    args = [c for c in arguments.named_children if c.type != "comment"] if arguments is not None else []
    if function.type == "identifier":
        name = scope.file.text(function)
        special = types.builtin_call(name, args, scope)
        if special is not None and types.lookup(scope, name) is None:
            return special
    elif function.type == "attribute" and scope.file.data.endswith(b"._replace", 0, function.end_byte):
        obj = function.child_by_field_name("object")
        same = tuple(v for v in types.infer(obj, scope) if isinstance(v, Instance)) if obj is not None else ()
        if same:
            return same
    return union(*(types.called(value, args, scope) for value in types.infer(function, scope) or UNSURE))


def called(types: Inference, value: Value, args: list[Node], scope: Scope) -> Values:
    if isinstance(value, ClassValue):
        return (Instance(value.scope),)
    if isinstance(value, Function):
        return types.returned(value.scope, value.receiver)
    if isinstance(value, Instance):
        cls = types.owner(value.scope, "__call__")
        if cls is None:
            return UNSURE
        return union(*(types.called(one, args, scope) for one in types.class_member(cls, "__call__", value)))
    if isinstance(value, External):
        short = value.name.rpartition(".")[2]
        if short in ("cast",) and args:
            return types.annotation(args[0], scope)
        if short in ("copy", "deepcopy", "replace") and args:
            return types.infer(args[0], scope)
        if value.name.startswith("builtins."):
            return (ExternalInstance(short),) if short[:1].islower() or short.endswith("Error") else UNSURE
        return (ExternalInstance(value.name),)
    if isinstance(value, ExternalInstance):
        return types.external_method(value)
    return UNSURE


def external_method(types: Inference, value: ExternalInstance) -> Values:
    base, _, method = value.name.rpartition(".")
    kind = base.rpartition(".")[2]
    if kind in MAPPINGS and len(value.args) == 2:
        if method in ("get", "pop", "setdefault"):
            return value.args[1]
        if method == "items":
            return (ExternalInstance("list", ((ExternalInstance("tuple", value.args),),)),)
        if method == "values":
            return (ExternalInstance("list", (value.args[1],)),)
        if method == "keys":
            return (ExternalInstance("list", (value.args[0],)),)
    if method in ("pop", "popleft") and value.args:
        return value.args[0]
    if method in ("copy", "union", "difference") and value.args:
        return (ExternalInstance(base, value.args),)
    if kind == "str":
        return (ExternalInstance("list", ((ExternalInstance("str"),),) if method == "split" else ()),)
    return UNSURE


def builtin_call(types: Inference, name: str, args: list[Node], scope: Scope) -> Values | None:
    if name == "super":
        method: Scope | None = scope
        while method is not None and method.method_of is None:
            method = method.parent
        if args:
            classes = [v for v in types.infer(args[0], scope) if isinstance(v, ClassValue)]
            return tuple(Super(v.scope) for v in classes) or UNSURE
        return (Super(method.method_of),) if method is not None and method.method_of is not None else UNSURE
    if name == "type" and len(args) == 1:
        values = types.infer(args[0], scope)
        return tuple(ClassValue(v.scope) if isinstance(v, Instance) else UNKNOWN for v in values) or UNSURE
    if not args:
        return None
    if name in ("list", "set", "tuple", "frozenset", "sorted", "reversed", "iter"):
        return (ExternalInstance("list", (types.elements(types.infer(args[0], scope)),)),)
    if name in ("next", "min", "max") and len(args) == 1:
        return types.elements(types.infer(args[0], scope))
    if name == "enumerate":
        element = types.elements(types.infer(args[0], scope))
        pair = ExternalInstance("tuple", ((ExternalInstance("int"),), element))
        return (ExternalInstance("list", ((pair,),)),)
    if name == "zip":
        row = ExternalInstance("tuple", tuple(types.elements(types.infer(a, scope)) for a in args))
        return (ExternalInstance("list", ((row,),)),)
    if name == "filter" and len(args) == 2:
        return (ExternalInstance("list", (types.elements(types.infer(args[1], scope)),)),)
    return None


def returned(types: Inference, scope: Scope, receiver: Scope | None = None) -> Values:
    """What a call of this function gives."""
    names = {types.decorator_name(scope, d) for d in scope.decorators}
    if names - TRANSPARENT - PROPERTIES:
        return UNSURE
    declared = scope.node.child_by_field_name("return_type")
    if declared is not None:
        found = types.annotation(declared, scope, receiver or scope.method_of)
        if {"contextmanager", "asynccontextmanager"} & names:
            return (ExternalInstance("contextmanager", (types.elements(found),)),)
        return found
    if scope.kind == "lambda":
        body = scope.node.child_by_field_name("body")
        return types.infer(body, scope) if body is not None else UNSURE
    if scope in types._active:
        return NOTHING
    types._active.add(scope)
    try:
        if scope.yields:
            parts = [types.infer(y.named_children[0], scope) for y in scope.yields[:6] if y.named_children]
            kind = "contextmanager" if {"contextmanager", "asynccontextmanager"} & names else "Generator"
            return (ExternalInstance(kind, (union(*parts) if parts else UNSURE,)),)
        parts = []
        for one in scope.returns[:12]:
            children = [c for c in one.named_children if c.type != "comment"]
            if not children:
                continue
            found = types.infer(children[0], scope)
            if receiver is not None and scope.method_of is not None:
                found = tuple(
                    Instance(receiver)
                    if isinstance(v, Instance) and v.scope is scope.method_of and _is_self(children[0], scope)
                    else v
                    for v in found
                )
            parts.append(found)
        return union(*parts) if parts else NOTHING
    finally:
        types._active.discard(scope)


def _is_self(node: Node, scope: Scope) -> bool:
    return node.type == "identifier" and scope.file.text(node) == scope.self_name
