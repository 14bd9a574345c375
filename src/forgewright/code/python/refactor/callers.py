"""Who calls a function without a call that is seen: decorators, base classes of others, `cls(…)`, a class handed on."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.code.python.known import BUILTINS
from forgewright.code.python.refactor.calls import CONSTRUCTORS, constructed_by
from forgewright.code.python.refactor.text import ancestors
from forgewright.code.python.values import External
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.binding import Occurrence
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex, Scope

CLEAR = frozenset(
    ("staticmethod", "classmethod", "abstractmethod", "overload", "override", "final", "contextmanager",
     "asynccontextmanager", "lru_cache", "cache", "property", "cached_property", "abstractproperty", "no_type_check",
     "profile", "deprecated", "setter", "getter", "deleter")
)  # fmt: skip
"""Decorators that hand on what they are given, by position and by name, and call nothing themselves."""
ABOUT = frozenset(
    ("isinstance", "issubclass", "cast", "raises", "super", "type", "hasattr", "TypeVar", "repr", "str", "id", "hash",
     "suppress", "assertRaises", "warns", "simplefilter", "filterwarnings", "warn", "print", "fields", "get_type_hints")
)  # fmt: skip
"""Functions that are about a class that they are handed, and make no object of it."""
_MAKING = re.compile(rb"\bcls\(|\btype\(self\)\(|\bself\.__class__\(|\b__class__\(")
PLAIN = frozenset(("object", "ABC", "Generic", "Protocol", "dict", "list", "tuple", "set", "frozenset", "int", "str",
                   "bytes", "float", "type", "NamedTuple", "Enum", "IntEnum", "TypedDict"))  # fmt: skip
VISITING = ("visit_", "do_", "handle_", "on_", "test", "process_", "depart_", "leave_", "generic_")


def check_decorated(resolver: PythonResolver, function: Scope) -> None:
    """Refuse where a decorator may call a function in its own way, or look at its parameters."""
    for decorator in function.decorators:
        name = resolver.types.decorator_name(function, decorator)
        if name not in CLEAR:
            raise EditRefused(
                f"{function.name} is decorated with {name}, which may call it in its own way",
                hint="take the decorator off first, or change the calls by hand",
            )


def inherited(resolver: PythonResolver, function: Scope) -> str | None:
    """A class outside of the project that may call a method by its name."""
    cls = function.method_of
    if cls is None or function.name in CONSTRUCTORS or function.name.startswith("__"):
        return None
    for one in resolver.types.mro(cls)[0]:
        for base in one.bases:
            text = one.file.text(base).partition("[")[0]
            word = text.rpartition(".")[2]
            if word in PLAIN or word in BUILTINS or "=" in text:
                continue
            values = resolver.types.infer(base, one.parent or one)
            for value in values:
                if isinstance(value, External) and (
                    _mentions(value.name, function.name) or _goes_on_above(function)
                ):
                    return value.name
    return None


_WRITTEN_IN = {
    "collections.abc": "_collections_abc",
    "typing": "_collections_abc",
    "io": "_pyio",
    "decimal": "_pydecimal",
}
"""Modules of the standard library whose classes are defined in another."""


@cache
def _source(module: str) -> bytes | None:
    folder = Path(sys.modules["re"].__file__ or "").parents[1]
    parts = module.split(".")
    while parts:
        for path in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
            if path.is_file():
                return path.read_bytes()
        parts.pop()
    return None


def _mentions(base: str, name: str) -> bool:
    """Whether the source of a class of the standard library names a method; of others it is not known."""
    module = base.rpartition(".")[0]
    source = _source(_WRITTEN_IN.get(module, module)) if module else None
    if source is None:
        return False
    return re.search(rb"(?:\bdef |\.)" + name.encode() + rb"\b", source) is not None or (
        name.startswith(VISITING) and b"getattr(self" in source
    )


def _goes_on_above(function: Scope) -> bool:
    """Whether a method calls the one that it overrides."""
    return f"super().{function.name}(" in function.file.text(function.node)


def check_made(resolver: PythonResolver, function: Scope) -> None:
    """Refuse to change how objects are made where a call of it is not seen."""
    owner = function.method_of
    if owner is None or function.name not in CONSTRUCTORS:
        return
    both = [name for name in CONSTRUCTORS if name in owner.bindings]
    if len(both) > 1:
        raise EditRefused(
            f"{owner.name} has both __new__ and __init__, which take the same arguments",
            hint="change them by hand",
        )
    below = constructed_by(resolver, owner, function.name)
    for cls in dict.fromkeys([*below, *resolver.types.mro(owner)[0]]):
        node = cls.node
        found = _MAKING.search(cls.file.data, node.start_byte, node.end_byte)
        if found is not None:
            row = cls.file.data.count(b"\n", 0, found.start()) + 1
            raise EditRefused(
                f"{cls.file.path}:{row} makes an object of {owner.name} by {found[0].decode()}…)",
                hint="give a new parameter a default and the last place, or name the class there",
            )


def is_exception(resolver: PythonResolver, cls: Scope) -> bool:
    words = [
        one.file.text(base).rpartition(".")[2] for one in resolver.types.mro(cls)[0] for base in one.bases
    ]
    return any(word.endswith(("Error", "Exception", "Warning")) for word in words)


def made_elsewhere(file: FileIndex, place: Occurrence) -> bool:
    """Whether a class is handed on at a place, so that something else may make objects of it."""
    node = file.root.descendant_for_byte_range(place.start, place.end)
    if node is None or node.type != "identifier" or place.role != "reference":
        return False
    parent = node.parent
    while (
        parent is not None and parent.type == "attribute" and node == parent.child_by_field_name("attribute")
    ):
        node, parent = parent, parent.parent
    return parent is not None and _handed(file, node, parent)


def _handed(file: FileIndex, node: Node, parent: Node) -> bool:
    while parent.type in ("tuple", "parenthesized_expression", "conditional_expression", "boolean_operator"):
        above = parent.parent
        if above is None:
            return False
        if parent.type == "conditional_expression" and node == parent.named_children[1]:
            return False
        node, parent = parent, above
    if parent.type in (
        "list",
        "set",
        "pair",
        "return_statement",
        "keyword_argument",
        "list_splat",
        "default_parameter",
    ):
        if parent.type == "pair" and node == parent.child_by_field_name("key"):
            return False
        return not any(
            a.type in ("type", "subscript") for a in ancestors(node) if not a.type.endswith("_statement")
        )
    if parent.type == "assignment":
        return node == parent.child_by_field_name("right")
    if parent.type == "argument_list" and parent.parent is not None:
        call = parent.parent
        function = call.child_by_field_name("function") if call.type == "call" else None
        if function is None:
            return False
        return file.text(function).rpartition(".")[2] not in ABOUT
    return False
