"""Functions that are reached by a text: `getattr(self, "visit_" + kind)`, `monkeypatch.setattr(module, "name", …)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.callers import inherited

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Scope

_TEXT = re.compile(
    rb"""[fF](?P<quote>["'])(?P<formatted>\w*)\{"""
    rb"""|(?P<plain>["'])(?P<start>\w+)(?:%s|\{\w*\}|(?P=plain)\s*[+%])"""
)
"""A string that goes on with something computed."""
_ASKED = re.compile(
    rb"""\b(?:getattr\(\s*(?:self|cls)|__getattribute__\(\s*(?:self|cls))\s*,\s*(?![rbufRBUF]*["'])"""
)
"""An attribute of the object itself, by a name that is computed."""
PROTOCOLS = frozenset(
    ("find_spec", "find_module", "create_module", "exec_module", "load_module", "invalidate_caches",
     "setUp", "tearDown", "setUpClass", "tearDownClass", "setup_method", "teardown_method", "emit", "handleError",
     "connection_made", "connection_lost", "data_received", "eof_received", "persistent_id", "persistent_load",
     "find_class", "do_GET", "do_POST", "do_PUT", "do_DELETE", "do_HEAD", "log_message")
)  # fmt: skip
"""Methods that the standard library calls by their name on whatever it is handed."""
SHORT = 3
"""Characters of a beginning that any name might have."""


def dispatched(resolver: PythonResolver, function: Scope) -> str | None:
    """`path:line` of a `getattr` in the function's family of classes that may reach it by a computed name."""
    owner = function.method_of
    if owner is None:
        return None
    for path in sorted({scope.file.path for scope in (owner, *resolver.types.mro(owner)[0])}):
        data = resolver.file(path).data
        if b"getattr" not in data:
            continue
        for found in _TEXT.finditer(data):
            start = (found["formatted"] or found["start"] or b"").decode()
            if len(start) >= SHORT and function.name.startswith(start) and function.name != start:
                return f"{path}:{data.count(bytes([10]), 0, found.start()) + 1}"
    return None


def asked(resolver: PythonResolver, function: Scope) -> str | None:
    """`path:line` where a class of the function's family looks its own members up by a computed name."""
    owner = function.method_of
    if owner is None:
        return None
    for cls in dict.fromkeys((owner, *resolver.types.mro(owner)[0])):
        found = _ASKED.search(cls.file.data, cls.node.start_byte, cls.node.end_byte)
        if found is not None:
            return f"{cls.file.path}:{cls.file.data.count(bytes([10]), 0, found.start()) + 1}"
    return None


def replaced(resolver: PythonResolver, function: Scope) -> str | None:
    """`path:line` where something else is put in a function's place by its name, as tests do."""
    name = function.name.encode()
    put = re.compile(
        rb"""\b(?:setattr|patch(?:\.object)?)\([^\n]*["'](?:[\w.]*\.)?""" + re.escape(name) + rb"""["']"""
    )
    for path in resolver.project.containing(name, "python"):
        data = resolver.file(path).data
        found = put.search(data)
        if found is not None:
            return f"{path}:{data.count(bytes([10]), 0, found.start()) + 1}"
    return None


def from_outside(resolver: PythonResolver, function: Scope) -> str | None:
    """Who calls a method by its name without standing in the project's code, or nobody that is known."""
    if function.method_of is None:
        return None
    name = function.name
    special = (
        name.startswith("__") and name.endswith("__") and name not in ("__init__", "__new__", "__call__")
    )
    if name in PROTOCOLS or special:
        return "Python itself"
    place = dispatched(resolver, function)
    if place is not None:
        return f"what is put together at {place}"
    place = asked(resolver, function)
    if place is not None:
        return f"what is looked up at {place}, perhaps"
    base = inherited(resolver, function)
    return f"{base}, which it inherits from" if base is not None else None


def spoken(function: Scope) -> str | None:
    """`path:line` of a string in the function's own file that is its name: a table by which it may be reached."""
    file = function.file
    found = re.search(
        rb"""(?<![\w"'])["']""" + re.escape(function.name.encode()) + rb"""["'](?!["'])""", file.data
    )
    return f"{file.path}:{file.data.count(bytes([10]), 0, found.start()) + 1}" if found is not None else None
