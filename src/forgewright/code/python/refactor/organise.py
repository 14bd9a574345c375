"""Cleaning imports: unused, double and self imports, order, stars, relative and absolute, from and plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.frames import sees_module
from forgewright.code.python.refactor.import_checks import (
    bound_between,
    open_to_texts,
    same_between,
    wanted_elsewhere,
)
from forgewright.code.python.refactor.imports import Imports, Item, items_of, remove_statement
from forgewright.code.python.refactor.registering import acts
from forgewright.code.python.refactor.text import line_end, newline
from forgewright.code.python.scopes import Binding, FileIndex, Name
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


# uses -----------------------------------------------------------------------------------------


def uses(file: FileIndex, name: str) -> list[Name]:
    """Where a name that is bound at the top of the module is read."""
    return [
        ref
        for ref in file.names.get(name, ())
        if (found := file.lookup(ref.scope, name, ref.start)) is None or found.scope is file.module
    ]


def uses_of(file: FileIndex, item: Item) -> list[Name]:
    """Where what an import statement binds is read, whatever scope the statement stands in."""
    name = item.bound
    for scope in file.scopes:
        binding = scope.bindings.get(name)
        if binding is None or scope.kind == "module":
            continue
        if any(item.node.start_byte <= site.start < item.node.end_byte for site in binding.sites):
            return [
                ref for ref in file.names.get(name, ()) if file.lookup(ref.scope, name, ref.start) is binding
            ]
    return uses(file, name)


def dynamic_exports(file: FileIndex) -> bool:
    """Whether `__all__` is more than literal strings."""
    binding = file.module.bindings.get("__all__")
    if binding is None:
        return False
    for site in binding.sites:
        if site.kind in ("from", "import"):
            return True
        value = site.value
        if site.kind == "augmented" and site.node is not None and site.node.parent is not None:
            value = site.node.parent.child_by_field_name("right")
        if value is None:
            return True
        stack = [value]
        while stack:
            node = stack.pop()
            if node.type in ("list", "tuple", "binary_operator", "parenthesized_expression"):
                stack.extend(node.named_children)
            elif node.type not in ("string", "comment", "concatenated_string"):
                return True
    return False


def exported(resolver: PythonResolver, file: FileIndex, name: str) -> bool:
    """Whether another file takes the name from this one, or `__all__` has it."""
    if any(text.kind == "__all__" for text in file.texts.get(name, ())):
        return True
    module = resolver.modules.module_of(file.path)
    for path in resolver.project.containing(name.encode(), "python"):
        if path == file.path:
            continue
        other = resolver.file(path)
        for entry in other.imported.get(name, ()):
            if resolver.modules.find(path, entry.link.level, entry.link.module) == module:
                return True
        for attribute in other.attributes.get(name, ()):
            for value in resolver.types.infer(attribute.object, attribute.scope):
                if getattr(value, "module", None) == module:
                    return True
    return any(
        resolver.modules.find(other.path, link.level, link.module) == module
        for other in _importers(resolver, module)
        for link, _ in other.stars
        if uses(other, name)
    )


def _importers(resolver: PythonResolver, module: str) -> list[FileIndex]:
    last = module.rpartition("/")[2]
    return [resolver.file(path) for path in resolver.project.containing(last.encode(), "python")]


def path_used(file: FileIndex, item: Item) -> bool:
    """Whether `a.b` of `import a.b` stands anywhere as written."""
    wanted = item.module
    for ref in uses(file, item.bound):
        node: Node | None = file.root.descendant_for_byte_range(ref.start, ref.end)
        while node is not None and node.parent is not None and node.parent.type == "attribute":
            node = node.parent
            if file.text(node).replace(" ", "").replace("\n", "").replace("\\", "") == wanted:
                return True
    return False


# removing -------------------------------------------------------------------------------------


def remove_unused(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """Take out the imports at the top of the module that nothing uses, here or by import from here."""
    imports = Imports(file)
    if dynamic_exports(file):
        return []
    open_at = open_to_texts(resolver, file)
    unused: list[Item] = []
    for statement in imports.top():
        row_end = line_end(file.data, statement.end_byte)
        if b"noqa" in file.data[statement.end_byte : row_end]:
            continue
        for item in items_of(file, statement):
            if (item.module == "__future__" and item.level == 0) or open_at is not None:
                continue
            if not is_used(resolver, file, item):
                unused.append(item)
    unused += [item for item in doubles(imports) if item not in unused]
    return imports.remove(unused)


def is_used(resolver: PythonResolver, file: FileIndex, item: Item) -> bool:
    if item.name == "*":
        module = resolver.modules.find(
            file.path, item.level, tuple(item.module.split(".")) if item.module else ()
        )
        if module is None or not resolver.modules.files(module) or acts(resolver, module) is not None:
            return True
        if unclear_star(resolver, module) is not None:
            return True
        return bool(star_names(resolver, file, module)) or file.exports() is not None
    if uses(file, item.bound):
        return True
    if exported(resolver, file, item.bound):
        return True
    binding = file.module.bindings.get(item.bound)
    if binding is not None and any(site.kind in ("augmented", "del") for site in binding.sites):
        return True
    return wanted_elsewhere(resolver, file, item)


def unclear_star(resolver: PythonResolver, module: str, seen: frozenset[str] = frozenset()) -> str | None:
    """`path` of a module of which it is not known which names a star takes from it."""
    if module in seen:
        return None
    for path in resolver.modules.files(module)[:1]:
        file = resolver.file(path)
        if dynamic_exports(file) or sees_module(file.root, ()) is not None:
            return path
        for link, _ in file.stars if file.exports() is None else ():
            inner = resolver.modules.find(path, link.level, link.module)
            unclear = path if inner is None else unclear_star(resolver, inner, seen | {module})
            if unclear is not None:
                return unclear
    return None


def star_names(resolver: PythonResolver, file: FileIndex, module: str) -> list[str]:
    """The names that `file`'s star import of `module` brings in and that are used, here or from here."""
    used = [
        name
        for name, refs in file.names.items()
        if any(file.lookup(ref.scope, name, ref.start) is None for ref in refs)
    ]
    found: list[str] = []
    early = [name for name, own in file.module.bindings.items() if _read_before(file, name, own)]
    listed_there = [resolver.file(path).exports() or set() for path in resolver.modules.files(module)[:1]]
    for name in dict.fromkeys([*used, *early, *sorted(taken(resolver, file))]):
        own = file.module.bindings.get(name)
        if own is not None and not _read_before(file, name, own):
            continue
        binding = resolver.types.starred(file, name)
        if binding is not None and resolver.types.module_binding(module, name) is binding:
            found.append(name)
        elif binding is None and any(name in names for names in listed_there):
            if resolver.modules.submodule(module, name) is not None:
                found.append(name)
    return found


def _read_before(file: FileIndex, name: str, own: Binding) -> bool:
    """Whether a name is read at the top before the module binds it itself."""
    first = min(site.live for site in own.sites)
    return any(
        ref.start < first and ref.scope.kind in ("module", "class") for ref in file.names.get(name, ())
    )


def taken(resolver: PythonResolver, file: FileIndex) -> set[str]:
    """The names that other files take from this one: by import, as its attribute, or by a star."""
    module = resolver.modules.module_of(file.path)
    found: set[str] = set()
    for other in _importers(resolver, module):
        if other.path == file.path:
            continue
        for name, entries in other.imported.items():
            if any(resolver.modules.find(other.path, e.link.level, e.link.module) == module for e in entries):
                found.add(name)
        if any(resolver.modules.find(other.path, k.level, k.module) == module for k, _ in other.stars):
            found |= {
                name
                for name, refs in other.names.items()
                if any(other.lookup(ref.scope, name, ref.start) is None for ref in refs)
            }
        for name, attributes in other.attributes.items():
            if name not in found and any(
                getattr(value, "module", None) == module
                for attribute in attributes
                if attribute.object.type in ("identifier", "attribute", "dotted_name")
                for value in resolver.types.infer(attribute.object, attribute.scope)
            ):
                found.add(name)
    return found | (file.exports() or set())


def doubles(imports: Imports) -> list[Item]:
    """Items that another one at the top of the module makes superfluous."""
    found: list[Item] = []
    seen: dict[str, Item] = {}
    tops = {node.start_byte for node in imports.top()}
    items = [item for item in imports.items if item.statement.start_byte in tops]
    for item in items:
        text = item.text()
        if text in seen and not bound_between(imports.file, seen[text].statement, item.statement, item.bound):
            found.append(item)
            continue
        seen[text] = item
    for item in items:
        if item.name is None and item.alias is None:
            if any(
                other.name is None and other.alias is None and other.module.startswith(item.module + ".")
                for other in items
            ):
                found.append(item)
    return found


def remove_duplicates(resolver: PythonResolver, file: FileIndex, *, split: bool = False) -> list[Splice]:
    """Take out imports that stand twice; `from` statements of one module become one (unless `split`)."""
    imports = Imports(file)
    gone = doubles(imports)
    found = imports.remove(gone)
    if split:
        return found
    first: dict[tuple[int, str], Node] = {}
    for statement in imports.top():
        items = list(items_of(file, statement))
        left = [i for i in items if not any(g.node.start_byte == i.node.start_byte for g in gone)]
        if (
            not items
            or items[0].name in (None, "*")
            or statement.type == "future_import_statement"
            or not left
        ):
            continue
        key = (items[0].level, items[0].module)
        if key not in first:
            first[key] = statement
            continue
        home = first[key]
        if not same_between(file, home, statement, {i.bound for i in left}):
            first[key] = statement
            continue
        found = [s for s in found if not statement.start_byte <= s.start <= statement.end_byte]
        found.append(remove_statement(file, statement))
        at = max(i.node.end_byte for i in items_of(file, home))
        found.append(Splice(file.path, at, at, "".join(f", {i.part()}" for i in left).encode()))
    return found


def split_imports(file: FileIndex) -> list[Splice]:
    """One statement for each name."""
    found: list[Splice] = []
    end = newline(file.data).decode()
    for statement in Imports(file).top():
        items = items_of(file, statement)
        if len(items) > 1:
            text = end.join(item.text() for item in items)
            found.append(Splice(file.path, statement.start_byte, statement.end_byte, text.encode()))
    return found


def remove_self(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """Take out imports of the module itself; what was reached through them is named directly."""
    module = resolver.modules.module_of(file.path)
    imports = Imports(file)
    gone: list[Item] = []
    found: list[Splice] = []
    for item in imports.items:
        path = tuple(item.module.split(".")) if item.module else ()
        target = resolver.modules.find(file.path, item.level, path)
        if item.name is not None and item.name != "*" and target != module:
            inner = resolver.modules.submodule(target, item.name) if target is not None else None
            if inner == module:
                gone.append(item)
                found += unqualified(file, item.bound, [])
        elif item.name is not None and target == module:
            if resolver.modules.submodule(module, item.name) is not None:
                continue
            gone.append(item)
            if item.alias:
                found += [
                    Splice(file.path, ref.start, ref.end, item.name.encode())
                    for ref in uses(file, item.alias)
                ]
        elif item.name is None and target == module:
            gone.append(item)
            parts = item.module.split(".") if not item.alias else [item.alias]
            found += unqualified(file, parts[0], parts[1:])
    return found + imports.remove(gone)


def unqualified(file: FileIndex, name: str, rest: list[str]) -> list[Splice]:
    """`name.rest.x` becomes `x`."""
    found: list[Splice] = []
    for ref in uses(file, name):
        node = file.root.descendant_for_byte_range(ref.start, ref.end)
        for part in rest:
            parent = node.parent if node is not None else None
            attr = parent.child_by_field_name("attribute") if parent is not None else None
            if parent is None or parent.type != "attribute" or attr is None or file.text(attr) != part:
                node = None
                break
            node = parent
        outer = node.parent if node is not None else None
        if outer is None or outer.type != "attribute":
            raise EditRefused(
                f"{name} is used as a value in {file.path}", hint="the module's own import is needed there"
            )
        attr = outer.child_by_field_name("attribute")
        assert attr is not None
        found.append(Splice(file.path, outer.start_byte, outer.end_byte, file.text(attr).encode()))
    return found


# order ----------------------------------------------------------------------------------------


# shapes ---------------------------------------------------------------------------------------
