"""The public face of a Python class as a class of its own: a protocol, or an abstract base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from forgewright.code.project import Splice
from forgewright.code.python.refactor.imports import Imports
from forgewright.code.python.refactor.merging import merge
from forgewright.code.python.refactor.text import definition_of, gap_above, newline, unit
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver

Style = Literal["protocol", "abstract"]
IMPORTS = {"protocol": "from typing import Protocol", "abstract": "from abc import ABC, abstractmethod"}
BASES = {"protocol": "Protocol", "abstract": "ABC"}


def extract_interface(
    resolver: PythonResolver, cls: Scope, name: str, members: Sequence[str], style: Style
) -> list[Splice]:
    """`name` stands above the class, with the signatures; an abstract base is also inherited from."""
    check_name(name)
    file = cls.file
    if name in file.module.bindings:
        raise EditRefused(f"{name} is already defined in {file.path}", hint="choose another name")
    if cls.outer is not file.module:
        raise EditRefused(f"{cls.name} is not at the top of its module", hint="move it out first")
    methods = _methods(cls, members)
    end, step = newline(file.data).decode(), unit(file.data).decode()
    lines = [f"class {name}({BASES[style]}):"]
    for index, method in enumerate(methods):
        lines += [""] if index and style == "abstract" else []
        lines += [step + line for line in _signature(cls, method, style)]
    top = definition_of(cls.node)
    text = gap_above(file.data, top.start_byte) + (end.join(lines) + end * 3).encode()
    found = [Splice(file.path, top.start_byte, top.start_byte, text)]
    if style == "abstract":
        found.append(_inherit(cls, name))
    return merge([*found, *Imports(file).add(_wanted(resolver, cls, style))])


def _wanted(resolver: PythonResolver, cls: Scope, style: Style) -> list[str]:
    head, _, names = IMPORTS[style].partition(" import ")
    module = head.removeprefix("from ")
    wanted = []
    for name in names.split(", "):
        binding = cls.file.module.bindings.get(name)
        text = f"from {module} import {name}"
        if binding is not None and not Imports(cls.file).has(text):
            raise EditRefused(f"{name} means something in {cls.file.path} already", hint="rename that first")
        wanted.append(text)
    return wanted


def _methods(cls: Scope, members: Sequence[str]) -> list[Scope]:
    own: dict[str, Scope] = {}
    for name, binding in cls.bindings.items():
        site = binding.sites[-1]
        if site.kind == "function" and site.scope is not None:
            own[name] = site.scope
    missing = [name for name in members if name not in own]
    if missing:
        raise EditRefused(
            f"{cls.name} has no method {', '.join(missing)}", hint=f"it has: {', '.join(own) or 'none'}"
        )
    chosen = list(members) or [name for name in own if not name.startswith("_")]
    if not chosen:
        raise EditRefused(f"{cls.name} has no public method", hint="name its methods: members: ['…']")
    return sorted((own[name] for name in chosen), key=lambda scope: scope.node.start_byte)


def _signature(cls: Scope, method: Scope, style: Style) -> list[str]:
    """A method's decorators that are part of its face, its head, and a body without code."""
    file = method.file
    lines: list[str] = ["@abstractmethod"] if style == "abstract" else []
    kept = [file.text(d).strip() for d in method.decorators]
    lines = [
        *(
            f"@{text.lstrip('@')}"
            for text in kept
            if text.lstrip("@") in ("property", "classmethod", "staticmethod")
        ),
        *lines,
    ]
    body = method.node.child_by_field_name("body")
    assert body is not None
    head = file.data[method.node.start_byte : body.start_byte].decode("utf-8", "replace")
    head = head[: head.rindex(":")]
    text = (
        " ".join(part.strip() for part in head.splitlines())
        .replace("( ", "(")
        .replace(" )", ")")
        .replace(",)", ")")
    )
    if method.is_async and not text.startswith("async"):
        text = "async " + text
    return [*lines, f"{text}: ..."]


def _inherit(cls: Scope, name: str) -> Splice:
    """The new base, first among the others."""
    node = cls.node.child_by_field_name("superclasses")
    path = cls.file.path
    if node is not None:
        items = [child for child in node.named_children if child.type != "comment"]
        at = node.start_byte + 1
        return Splice(path, at, at, f"{name}{', ' if items else ''}".encode())
    title = cls.node.child_by_field_name("name")
    assert title is not None
    return Splice(path, title.end_byte, title.end_byte, f"({name})".encode())
