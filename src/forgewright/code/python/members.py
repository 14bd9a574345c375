"""Whose attribute a name is: resolution orders, members of classes and modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.known import PROPERTIES
from forgewright.code.python.scopes import Binding, Link, Site
from forgewright.code.python.values import (
    UNKNOWN,
    UNSURE,
    ClassValue,
    External,
    ExternalInstance,
    Function,
    Instance,
    ModuleValue,
    Super,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from forgewright.code.python.infer import Inference
    from forgewright.code.python.scopes import Scope


def infer_link(types: Inference, link: Link, path: str) -> Values:
    module = types.modules.find(path, link.level, link.module)
    if link.name is None:
        return (ModuleValue(module),) if module is not None else (External(".".join(link.module)),)
    if module is None:
        if link.level:
            return UNSURE
        return (External(".".join((*link.module, link.name))),)
    return types.module_member(module, link.name)


def module_member(types: Inference, module: str, name: str) -> Values:
    binding = types.module_binding(module, name)
    if binding is not None:
        own = [site for site in binding.sites if site.kind in ("import", "from")]
        inner = types.modules.submodule(module, name)
        if inner is not None and own and len(own) == len(binding.sites):
            return union(types.infer_binding(binding), (ModuleValue(inner),))
        return types.infer_binding(binding)
    inner = types.modules.submodule(module, name)
    if inner is not None:
        return (ModuleValue(inner),)
    return UNSURE


def module_binding(types: Inference, module: str, name: str) -> Binding | None:
    for path in types.modules.files(module):
        file = types.file(path)
        found = file.module.bindings.get(name) or types.starred(file, name, frozenset({module}))
        if found is not None:
            return found
    return None


def mro(types: Inference, scope: Scope) -> tuple[list[Scope], bool]:
    """The class and those it inherits from, nearest first; and whether all of them are known."""
    if scope in types._mro:
        return types._mro[scope]
    types._mro[scope] = ([scope], True)
    order: list[Scope] = [scope]
    complete = True
    for base in scope.bases:
        values = types.infer(base, scope.parent or scope)
        complete &= bool(values)
        for value in values:
            if isinstance(value, ClassValue):
                inner, whole = types.mro(value.scope)
                order += inner
                complete &= whole
            elif not isinstance(value, External):
                complete = False
    unique = list(dict.fromkeys(reversed(order)))
    unique.reverse()
    types._mro[scope] = (unique, complete)
    return types._mro[scope]


def owner(types: Inference, scope: Scope, name: str, after: bool = False) -> Scope | None:
    """The nearest class in the resolution order that defines `name`."""
    order = types.mro(scope)[0]
    for cls in order[1:] if after else order:
        if name in cls.bindings or name in cls.self_sites or name in cls.slots:
            return cls
    return None


def sites(types: Inference, cls: Scope, name: str) -> list[Site]:
    binding = cls.bindings.get(name)
    return (binding.sites if binding is not None else []) + cls.self_sites.get(name, [])


def member(types: Inference, value: Value, name: str) -> Values:
    """What `value.name` can be."""
    if isinstance(value, ModuleValue):
        return types.module_member(value.module, name)
    if isinstance(value, (ClassValue, Instance, Super)):
        cls = types.owner(value.scope, name, isinstance(value, Super))
        if cls is None:
            if name == "__class__" and isinstance(value, Instance):
                return (ClassValue(value.scope),)
            return UNSURE
        return types.class_member(cls, name, value)
    if isinstance(value, External):
        return (External(f"{value.name}.{name}"),)
    if isinstance(value, ExternalInstance):
        return (ExternalInstance(f"{value.name}.{name}", value.args),)
    return UNSURE


def class_member(types: Inference, cls: Scope, name: str, value: Value) -> Values:
    found: list[Values] = []
    sites = [site for site in types.sites(cls, name) if site.kind not in ("del", "augmented")]
    declared = [site for site in sites if site.annotation is not None]
    if declared and all(site.kind in ("variable", "types") for site in sites):
        annotated = types.infer_site(declared[0])
        if annotated and UNKNOWN not in annotated:
            return annotated
    receiver = value.scope if isinstance(value, (ClassValue, Instance, Super)) else None
    for site in sites[:8]:
        if site.kind == "function" and site.scope is not None:
            names = {types.decorator_name(site.scope, d) for d in site.scope.decorators}
            if names & PROPERTIES and isinstance(value, (Instance, Super)):
                found.append(types.returned(site.scope, receiver))
            else:
                found.append((Function(site.scope, receiver),))
        else:
            found.append(types.infer_site(site))
    if types.is_enum(cls) and isinstance(value, ClassValue) and cls.bindings.get(name) is not None:
        if all(site.kind == "variable" for site in sites):
            return (Instance(cls),)
    return union(*found) if found else UNSURE


def is_enum(types: Inference, cls: Scope) -> bool:
    for scope in types.mro(cls)[0]:
        for base in scope.bases:
            if scope.file.text(base).rpartition(".")[2] in (
                "Enum",
                "IntEnum",
                "StrEnum",
                "Flag",
                "IntFlag",
            ):
                return True
    return False
