"""Modules, classes and functions whose names something enumerates: one more name there is noticed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.region import walk_here
from forgewright.code.python.refactor.text import walk
from forgewright.code.python.values import UNKNOWN, ExternalInstance, ModuleValue
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.infer import Inference
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex, Scope

_ASKED = re.compile(
    rb"\b(?:vars|dir|getmembers(?:_static)?)\(\s*((?:\w+\.)*\w+)|\b((?:\w+\.)*\w+)\.__dict__\b"
)
_STAR = re.compile(rb"\bimport[ \t]*\*")
_OWN = re.compile(rb"\b(?:globals|vars|dir|locals)\(\s*\)")
_MODULE = re.compile(r"(?:^|_)(?:mod|module|pkg|package)\d?$")
_CLASS = re.compile(
    rb"\b(?:dir|getmembers(?:_static)?)\(|\bvars\((?:type\(|cls|self\.__class__)|\b(?:cls|__class__|\))\.__dict__"
)
BODILESS = frozenset(("Protocol", "TypedDict"))
CLOSED = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "NamedTuple", "TypedDict", "Protocol", "Structure",
                    "EnumMeta", "EnumType", "Union"))  # fmt: skip
FRAMES = frozenset(("locals", "eval", "exec", "_getframe", "currentframe"))
"""Functions that see the names of the function that calls them."""


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def check_module(resolver: PythonResolver, file: FileIndex, name: str) -> None:
    """Refuse one more name in a module whose names are listed somewhere."""
    place = listed_module(resolver, file, name)
    if place is not None:
        raise EditRefused(
            f"{place} goes through the names of {file.path}, which would have one more",
            hint="extract a variable or function inside of what uses it, or choose another place",
        )


def listed_module(resolver: PythonResolver, file: FileIndex, name: str) -> str | None:
    """`path:line` where the names of a module are gone through (`vars(module)`, or a star import without `__all__`)."""
    found = _OWN.search(file.data)
    while found is not None:
        scope = file.scope_at(found.start())
        if found[0].startswith(b"globals") or scope is file.module:
            rest = file.data[found.end() : found.end() + 1]
            if rest not in (b"[", b".") or file.data[found.end() :].startswith(
                (b".items", b".copy", b".keys")
            ):
                return f"{file.path}:{_line(file.data, found.start())}"
        found = _OWN.search(file.data, found.end())
    module = resolver.modules.module_of(file.path)
    if not module:
        return None
    dotted = resolver.modules.dotted(module)
    last = dotted.rpartition(".")[2]
    for path in resolver.project.containing(last.encode(), "python"):
        data = resolver.project.source(path).data
        for asked in _ASKED.finditer(data):
            word = (asked[1] or asked[2]).decode().rpartition(".")[2]
            if word != last and not _MODULE.search(word):
                continue
            other = resolver.file(path)
            group = 1 if asked[1] else 2
            node = other.root.descendant_for_byte_range(asked.start(group), asked.end(group))
            if node is None:
                continue
            values = resolver.types.infer(node, other.scope_at(node.start_byte))
            known = [
                value for value in values if value != UNKNOWN and not isinstance(value, ExternalInstance)
            ]
            if any(isinstance(value, ModuleValue) and value.module == module for value in known) or not known:
                if word == last or known or _looped(other, node):
                    return f"{path}:{_line(data, asked.start())}"
    if name.startswith("_") or file.exports() is not None:
        return None
    for path in resolver.project.containing(last.encode(), "python"):
        if not _STAR.search(resolver.project.source(path).data):
            continue
        other = resolver.file(path)
        for link, _scope in other.stars:
            values = resolver.types.infer_link(link, path)
            if any(getattr(value, "module", None) == module for value in values):
                return path
    return None


def _looped(file: FileIndex, node: Node) -> bool:
    """Whether a name goes over several things in a loop."""
    binding = file.lookup(file.scope_at(node.start_byte), file.text(node), node.start_byte)
    return binding is not None and all(site.kind == "for" for site in binding.sites)


def check_class(types: Inference, cls: Scope, *, method: bool = False) -> None:
    """Refuse one more attribute (or `method`) in a class that is made of its attributes, or goes through them."""
    chain, _ = types.mro(cls)
    closed = BODILESS if method else CLOSED
    for one in dict.fromkeys((cls, *chain)):
        words = [one.file.text(base) for base in one.bases]
        special = next((w for w in words if w.partition("[")[0].rpartition(".")[2] in closed), None)
        if special is not None or (types.is_enum(one) and not method):
            raise EditRefused(
                f"{cls.name} is a {special or 'enumeration'}: an attribute more means something",
                hint="extract a constant or variable instead",
            )
        header = one.node.child_by_field_name("superclasses")
        if (
            not method
            and header is not None
            and re.search(r"\bmetaclass\s*=\s*(?!(?:abc\.)?ABCMeta\b)", one.file.text(header))
        ):
            raise EditRefused(
                f"the metaclass of {one.name} sees what stands in {cls.name}",
                hint="extract a constant or variable instead",
            )
        body = one.file.text(one.node).encode()
        found = _CLASS.search(body)
        if found is not None:
            raise EditRefused(
                f"{one.name} goes through names at {one.file.path}:{_line(one.file.data, one.node.start_byte + found.start())}",
                hint="extract a constant or variable instead",
            )
        if "__getattribute__" in one.bindings:
            raise EditRefused(
                f"{one.name} has a __getattribute__ of its own", hint="extract a constant or variable instead"
            )


def listed_class(resolver: PythonResolver, cls: Scope) -> str | None:
    """`path:line` where the names of a class are gone through by name (`dir(Class)`)."""
    for path in resolver.project.containing(cls.name.encode(), "python"):
        data = resolver.project.source(path).data
        for asked in _ASKED.finditer(data):
            if (asked[1] or asked[2]).decode().rpartition(".")[2] == cls.name:
                return f"{path}:{_line(data, asked.start())}"
    return None


def borrowed(resolver: PythonResolver, method: Scope) -> str | None:
    """`path:line` where a method is taken from its class, to be another's too (`name = Class.method`)."""
    cls = method.method_of
    if cls is None:
        return None
    taken = re.compile(rb"=[ \t]*(?:\w+\.)*" + f"{cls.name}.{method.name}".encode() + rb"\b(?![(.\[\w])")
    for path in resolver.project.containing(cls.name.encode(), "python"):
        data = resolver.project.source(path).data
        found = taken.search(data)
        if found is not None:
            return f"{path}:{_line(data, found.start())}"
    return None


def check_frames(file: FileIndex, function: Scope, what: str) -> None:
    """Refuse to change the local names of a function that looks at them itself."""
    if function.kind != "function":
        return
    body = function.node.child_by_field_name("body")
    for statement in body.named_children if body is not None else ():
        for node in walk_here(statement):
            if node.type != "call":
                continue
            called = node.child_by_field_name("function")
            arguments = node.child_by_field_name("arguments")
            word = file.text(called).rpartition(".")[2] if called is not None else ""
            bare = arguments is not None and not arguments.named_children
            if word in FRAMES or (word in ("vars", "dir") and bare):
                raise EditRefused(
                    f"{function.name} calls {word}(), which sees {what}", hint="do without that call first"
                )


def frames_in(file: FileIndex, nodes: list[Node]) -> str | None:
    """A call in some code that looks at the frames around it."""
    for top in nodes:
        for node in walk(top):
            if node.type == "call":
                called = node.child_by_field_name("function")
                arguments = node.child_by_field_name("arguments")
                word = file.text(called).rpartition(".")[2] if called is not None else ""
                bare = arguments is not None and not arguments.named_children
                if (
                    word in FRAMES
                    or (word in ("extract_stack", "stack") and bare)
                    or (word in ("vars", "dir") and bare)
                ):
                    return f"{word}()"
            elif node.type == "keyword_argument" and file.text(node).startswith("stacklevel"):
                return file.text(node)
            elif node.type == "identifier" and file.text(node) == "__class__" and not _member(node):
                return "__class__"
    return None


def _member(node: Node) -> bool:
    """Whether an identifier is the name behind a dot."""
    parent = node.parent
    return parent is not None and parent.type == "attribute" and parent.child_by_field_name("object") != node
