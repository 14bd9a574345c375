"""A class among those that inherit from it, and who looks at what it is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.values import ClassValue
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Scope

_LISTED = re.compile(
    rb"\b(?:vars|dir|getmembers)\(\s*(\w+)|(\w+)\.__dict__|\b(?:setattr|getattr|hasattr)\(\s*(\w+)\s*,\s*(?![\"'])"
)


def below(resolver: PythonResolver, cls: Scope) -> list[Scope]:
    """The classes of the project that inherit from this one, directly or not."""
    found: dict[Scope, None] = {}
    todo = [cls]
    while todo:
        one = todo.pop()
        name = re.escape(one.name.encode())
        pattern = re.compile(
            rb"\bclass\s+\w+\s*(?:\[[^]]*\])?\([^)]*\b" + name + rb"\b|\b" + name + rb"\s+as\s"
        )
        for path in resolver.project.containing(one.name.encode(), "python"):
            if pattern.search(resolver.project.source(path).data) is None:
                continue
            for scope in resolver.file(path).scopes:
                if scope.kind != "class" or scope in found or scope is cls:
                    continue
                for base in scope.bases:
                    if ClassValue(one) in resolver.types.infer(base, scope.parent or scope):
                        found[scope] = None
                        todo.append(scope)
                        break
    return list(found)


def has(cls: Scope, name: str) -> bool:
    """Whether a class itself has a member, of its own or of its objects."""
    return name in cls.bindings or name in cls.self_sites or name in cls.slots


def gone_through(resolver: PythonResolver, classes: Iterable[Scope], *, objects: bool) -> str | None:
    """`path:line` where the names of a class (or of its `objects`) are gone through, in the classes' own files.

    `vars(cls)`, `cls.__dict__`, `getattr(cls, computed)`; of objects with `self` in the place of `cls`.
    """
    seen = set()
    for cls in classes:
        if cls.file.path in seen:
            continue
        seen.add(cls.file.path)
        names = {c.name for c in classes if c.file is cls.file} | {"cls", "klass", "type"}
        names |= {"self", "other", "obj", "o", "instance"} if objects else set()
        for found in _LISTED.finditer(cls.file.data):
            word = (found[1] or found[2] or found[3]).decode()
            if word in names:
                return f"{cls.file.path}:{cls.file.data.count(bytes([10]), 0, found.start()) + 1}"
    return None


def check_complete(cls: Scope, names: Iterable[str], nodes: list[Node]) -> None:
    """Refuse to take a part of a member away: a property without its setter, one of several overloads."""
    for name in names:
        binding = cls.bindings.get(name)
        for site in binding.sites if binding is not None else ():
            if not any(node.start_byte <= site.start < node.end_byte for node in nodes):
                raise EditRefused(
                    f"{cls.name}.{name} is made of several statements", hint="select all of them"
                )
