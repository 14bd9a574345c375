"""What happens when a module is imported, beside that its names are bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.refactor.imports import STATEMENTS
from forgewright.code.python.refactor.text import walk
from forgewright.code.python.values import ClassValue, External, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex, Scope

HARMLESS = frozenset(
    ("staticmethod", "classmethod", "property", "cached_property", "wraps", "lru_cache", "cache", "total_ordering",
     "contextmanager", "asynccontextmanager", "dataclass", "final", "overload", "override", "runtime_checkable",
     "abstractmethod", "unique", "singledispatch", "deprecated", "no_type_check", "coroutine", "define", "frozen",
     "mutable", "attrs", "s", "dataclass_transform", "python_2_unicode_compatible", "setter", "getter", "deleter",
     "fixture", "parametrize", "command", "group", "option", "argument", "skip", "skipif", "patch", "with_setup")
)  # fmt: skip
"""Last names of decorators that tell nobody of what they decorate."""
MUTATING = (b"append", b"add", b"setdefault", b"update", b"extend", b"insert", b"register", b"connect")
SPECIAL = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "NamedTuple", "TypedDict", "Protocol", "Generic",
                     "Structure", "Union", "BigEndianStructure", "LittleEndianStructure"))  # fmt: skip
"""Bases that make something of the class when it is made."""
PLAIN = frozenset(
    ("object", "ABC", "dict", "list", "tuple", "set", "frozenset", "str", "int", "float", "bytes")
)


def told(resolver: PythonResolver, file: FileIndex, node: Node) -> str | None:
    """What hears of a definition when it is made: a decorator that registers it, or a base class."""
    inner = node.child_by_field_name("definition") or node
    scope = next((s for s in file.scopes if s.node == inner), None)
    if scope is None:
        return None
    for decorator in scope.decorators:
        if registers(resolver, scope, decorator):
            return file.text(decorator).splitlines()[0][:60]
    if scope.kind == "class":
        return hook(resolver, scope, making=False)
    return None


def registers(resolver: PythonResolver, scope: Scope, decorator: Node) -> bool:
    """Whether a decorator may tell others of what it decorates."""
    text = (decorator.text or b"").decode("utf-8", "replace").lstrip("@ ").partition("(")[0].strip()
    if text.rpartition(".")[2] in HARMLESS:
        return False
    expression = decorator.named_children[0] if decorator.named_children else None
    if expression is not None and expression.type == "call":
        expression = expression.child_by_field_name("function")
    if expression is None:
        return True
    values = resolver.types.infer(expression, scope.parent or scope)
    for value in values:
        if isinstance(value, (Function, ClassValue)):
            if not _keeps(value.scope):
                continue
            return True
        if isinstance(value, External):
            if value.name.startswith(("atexit", "codecs", "signal")) or value.name.endswith("register"):
                return True
            continue
        return True
    return not values


def _keeps(scope: Scope) -> bool:
    """Whether the code of a function or class puts something into what is not its own."""
    if scope.globals:
        return True
    for node in walk(scope.node):
        if node.type == "call":
            function = node.child_by_field_name("function")
            attribute = function.child_by_field_name("attribute") if function is not None else None
            if attribute is not None and attribute.text in MUTATING:
                return True
        if node.type in ("assignment", "augmented_assignment"):
            left = node.child_by_field_name("left")
            if left is not None and left.type == "subscript":
                return True
    return False


def hook(resolver: PythonResolver, cls: Scope, *, making: bool = True, strict: bool = False) -> str | None:
    """Which base or metaclass is told of a class's making; `making`: or makes something of it; `strict`: or may be."""
    order, _ = resolver.types.mro(cls)
    for one in order:
        if one is not cls and "__init_subclass__" in one.bindings and (making or _keeps(one)):
            return f"__init_subclass__ of {one.name}"
        superclasses = one.node.child_by_field_name("superclasses")
        for child in superclasses.named_children if superclasses is not None else ():
            if child.type == "keyword_argument":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name is not None and name.text == b"metaclass" and value is not None:
                    if not (value.text or b"").endswith((b"ABCMeta", b"type")):
                        return f"the metaclass {one.file.text(value)}"
                continue
            if child.type == "comment":
                continue
            plain = child.child_by_field_name("value") if child.type == "subscript" else child
            last = one.file.text(plain or child).rpartition(".")[2].partition("(")[0]
            if last in SPECIAL and making:
                return last
            values = resolver.types.infer(child, one.parent or one)
            known = values and all(isinstance(value, (ClassValue, External)) for value in values)
            foreign = any(isinstance(v, External) and not _standard(v.name) for v in values)
            if strict and (not known or foreign):
                return f"{one.file.text(child)}, of which nothing is known"
    for one in order[1:]:
        for path in resolver.project.containing(b"__subclasses__", "python"):
            if one.name.encode() + b".__subclasses__" in resolver.project.source(path).data:
                return f"{one.name}.__subclasses__() in {path}"
    return None


def _standard(name: str) -> bool:
    import builtins
    import sys

    first = name.partition(".")[0]
    return first in sys.stdlib_module_names or hasattr(builtins, first)


def acts(resolver: PythonResolver, module: str) -> str | None:
    """`path:line` of what a module does to others when it is imported; None for one that only binds names."""
    for path in resolver.modules.files(module)[:1]:
        if path.endswith(".pyi"):
            return None
        file = resolver.file(path)
        for node in _acting(resolver, file, file.root):
            return f"{path}:{node.start_point[0] + 1}"
    return None


def _acting(resolver: PythonResolver, file: FileIndex, block: Node) -> Iterator[Node]:
    for node in block.named_children:
        if node.type in STATEMENTS or node.type == "comment":
            continue
        if node.type == "decorated_definition" or node.type == "class_definition":
            if told(resolver, file, node) is not None and _foreign_told(resolver, file, node):
                yield node
        elif node.type in (
            "if_statement",
            "try_statement",
            "with_statement",
            "for_statement",
            "while_statement",
        ):
            condition = node.child_by_field_name("condition")
            if condition is not None and b"__main__" in (condition.text or b""):
                continue
            for inner in walk(node):
                if inner.type == "block":
                    yield from _acting(resolver, file, inner)
        elif node.type == "expression_statement" and node.named_children:
            if _reaches_out(file, node.named_children[0]):
                yield node
        elif node.type == "delete_statement":
            if any(_foreign(file, inner) for inner in node.named_children if inner.type != "identifier"):
                yield node


def _foreign_told(resolver: PythonResolver, file: FileIndex, node: Node) -> bool:
    """Whether who hears of a definition stands in another file."""
    inner = node.child_by_field_name("definition") or node
    for child in [
        *(c for c in node.children if c.type == "decorator"),
        inner.child_by_field_name("superclasses"),
    ]:
        if child is not None and any(_foreign(file, one) for one in walk(child) if one.type == "identifier"):
            return True
    return False


def _reaches_out(file: FileIndex, node: Node) -> bool:
    if node.type in ("assignment", "augmented_assignment"):
        left = node.child_by_field_name("left")
        return left is not None and left.type in ("attribute", "subscript") and _foreign(file, left)
    if node.type in ("await", "call"):
        function = node.child_by_field_name("function") if node.type == "call" else node
        if function is None:
            return False
        text = (function.text or b"").decode("utf-8", "replace")
        return not text.endswith(("addHandler", "setLevel", "getLogger", "namedtuple"))
    return False


def _foreign(file: FileIndex, node: Node) -> bool:
    """Whether the first name of a dotted expression comes from an import (or is nobody's)."""
    while node.type in ("attribute", "subscript", "call"):
        following = (
            node.child_by_field_name("object")
            or node.child_by_field_name("value")
            or node.child_by_field_name("function")
        )
        if following is None:
            return False
        node = following
    if node.type != "identifier":
        return False
    binding = file.module.bindings.get(file.text(node))
    if binding is None:
        return file.text(node) == "setattr"
    return any(site.kind in ("import", "from") for site in binding.sites)
