"""Names that are reached by a text, by listing a module's names, or by putting something else in their place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.text import walk
from forgewright.code.python.values import ModuleValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex

LISTING = re.compile(
    rb"\b(?:dir|vars|getmembers|getattr|globals|locals|hasattr|delattr|setattr)\(|\.__dict__|sys\.modules\b"
)
PUT = rb"""\b(?:setattr|delattr|patch(?:\.object|\.multiple)?)\("""


def place(file: FileIndex, at: int) -> str:
    return f"{file.path}:{file.data.count(bytes([10]), 0, at) + 1}"


def spoken(resolver: PythonResolver, module: str, name: str = "") -> list[tuple[str, int, int]]:
    """(path, start, end) of a module's dotted name, or `module.name`, at the beginning of a string of code."""
    dotted = resolver.modules.dotted(module)
    text = re.escape(dotted.encode()) + (rb"[.:]" + re.escape(name.encode()) if name else b"")
    pattern = re.compile(rb"""(?<![\w"'])[rRuU]?(["'])(""" + text + rb""")(?=\1|[.:]\w)""")
    found: list[tuple[str, int, int]] = []
    for path in resolver.project.containing(dotted.rpartition(".")[2].encode(), "python"):
        data = resolver.project.source(path).data
        found += [(path, m.start(2), m.end(2)) for m in pattern.finditer(data)]
    return found


def doctested(file: FileIndex, name: str, node: Node | None = None) -> int | None:
    """Byte of a `>>>` line that has the name (within the node)."""
    pattern = re.compile(rb"^[ \t]*(?:>>>|\.\.\.) [^\n]*(?<![\w.])" + re.escape(name.encode()) + rb"\b", re.M)
    start, end = (node.start_byte, node.end_byte) if node is not None else (0, len(file.data))
    found = pattern.search(file.data, start, end)
    return found.start() if found is not None else None


def imported_by_doctest(resolver: PythonResolver, module: str, name: str) -> str | None:
    """`path:line` of a doctest that imports the name from the module."""
    dotted = resolver.modules.dotted(module)
    pattern = re.compile(
        rb"(?:>>>|\.\.\.) *from "
        + re.escape(dotted.encode())
        + rb" import [^\n]*\b"
        + re.escape(name.encode())
        + rb"\b"
    )
    for path in resolver.project.containing(b">>> from", "python"):
        data = resolver.project.source(path).data
        found = pattern.search(data)
        if found is not None:
            return f"{path}:{data.count(bytes([10]), 0, found.start()) + 1}"
    return None


def module_in_doctest(resolver: PythonResolver, module: str) -> str | None:
    """`path:line` of a doctest that imports the module."""
    dotted = re.escape(resolver.modules.dotted(module).encode())
    pattern = re.compile(rb"(?:>>>|\.\.\.) *(?:from|import) " + dotted + rb"\b")
    for path in resolver.project.containing(b">>> ", "python"):
        data = resolver.project.source(path).data
        found = pattern.search(data)
        if found is not None:
            return f"{path}:{data.count(bytes([10]), 0, found.start()) + 1}"
    return None


def put_elsewhere(resolver: PythonResolver, module: str, name: str) -> str | None:
    """`path:line` where something else is put in a module's name: `m.name = …`, `setattr`, `patch`, `global`."""
    home = resolver.modules.files(module)
    for path in home:
        file = resolver.file(path)
        for scope in file.scopes:
            if name in scope.globals and scope.kind == "function":
                binding = file.module.bindings.get(name)
                for site in binding.sites if binding is not None else ():
                    if site.where is scope:
                        return place(file, site.start)
    word = re.escape(name.encode())
    put = re.compile(PUT + rb"""[^\n]*["'](?:[\w.]*\.)?""" + word + rb"""["']""")
    stored = re.compile(
        rb"\." + word + rb"\s*(?:[-+*/|&^%@<>]{0,3}=(?!=)|:[^=\n]*=|,[^\n]*=)|\bdel\b[^\n]*\." + word
    )
    for path in resolver.project.containing(name.encode(), "python"):
        data = resolver.project.source(path).data
        found = put.search(data)
        if found is not None and (path not in home or b"setattr(self" not in found.group()):
            return f"{path}:{data.count(bytes([10]), 0, found.start()) + 1}"
        if stored.search(data) is None:
            continue
        file = resolver.file(path)
        for entry in file.attributes.get(name, ()):
            if entry.kind == "store" and is_module(resolver, entry.object, entry.scope, module):
                return place(file, entry.start)
    return None


def is_module(resolver: PythonResolver, node: Node, scope: object, module: str) -> bool:
    values = resolver.types.infer(node, scope)  # type: ignore[arg-type]  # a scope of the same file
    return any(isinstance(value, ModuleValue) and value.module == module for value in values)


def listed(resolver: PythonResolver, module: str) -> str | None:
    """`path:line` where a module's names are gone through, or asked for by a computed name."""
    last = module.rpartition("/")[2].encode()
    own = set(resolver.modules.files(module))
    for path in sorted({*resolver.project.containing(last, "python"), *own}):
        data = resolver.project.source(path).data
        if not any(_may_list(data, found.end(), last, path in own) for found in LISTING.finditer(data)):
            continue
        file = resolver.file(path)
        for at in _listings(resolver, file, module, path in own):
            return place(file, at)
    return None


def _may_list(data: bytes, at: int, last: bytes, own: bool) -> bool:
    """Whether what is gone through may be the module, as far as its text tells."""
    if own:
        return True
    if data.endswith(b".__dict__", 0, at):
        before = re.search(rb"(\w+)\.__dict__$", data[max(0, at - 80) : at])
    else:
        before = re.match(rb"\s*(?:\w+\.)*(\w+)", data[at : at + 120])
    if before is None:
        return False
    return before[1] == last or re.search(rb"\bas " + before[1] + rb"\b", data) is not None


def _listings(resolver: PythonResolver, file: FileIndex, module: str, own: bool) -> Iterator[int]:
    for found in LISTING.finditer(file.data):
        node = file.root.descendant_for_byte_range(found.start(), found.start() + 1)
        if node is None or node.type in ("comment", "string_content", "string"):
            continue
        if found.group().startswith(b"."):
            outer = node.parent if node.type == "." else node
            inner = outer.child_by_field_name("object") if outer is not None else None
            if inner is not None and is_module(resolver, inner, file.scope_at(inner.start_byte), module):
                yield found.start()
            continue
        if found.group().startswith(b"sys"):
            subscript = next((n for n in _above(node) if n.type in ("subscript", "call")), None)
            if own and subscript is not None and subscript.text == b"sys.modules[__name__]":
                yield found.start()
            continue
        call = next((n for n in _above(node) if n.type == "call"), None)
        given = call.child_by_field_name("arguments") if call is not None else None
        if call is None or given is None:
            continue
        word = found.group()[:-1]
        items = given.named_children
        if not items:
            scope = file.scope_at(call.start_byte)
            if own and (
                word == b"globals" or (word in (b"vars", b"dir", b"locals") and scope is file.module)
            ):
                yield found.start()
            continue
        literal = len(items) > 1 and items[1].type == "string" and not _interpolated(items[1])
        if word in (b"getattr", b"hasattr", b"setattr", b"delattr") and literal:
            continue
        this = own and items[0].text == b"sys.modules[__name__]"
        if this or is_module(resolver, items[0], file.scope_at(items[0].start_byte), module):
            yield found.start()


def _interpolated(node: Node) -> bool:
    return any(inner.type == "interpolation" for inner in walk(node))


def _above(node: Node) -> Iterator[Node]:
    current: Node | None = node
    for _ in range(4):
        if current is None:
            return
        yield current
        current = current.parent
