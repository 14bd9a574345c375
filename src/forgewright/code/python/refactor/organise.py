"""Cleaning imports: unused, double and self imports, order, stars, relative and absolute, from and plain."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.infer import BUILTINS
from forgewright.code.python.refactor.imports import Imports, Item, items_of, remove_statement
from forgewright.code.python.refactor.text import line_end, line_start, newline
from forgewright.code.python.scopes import FileIndex, Name
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    unused: list[Item] = []
    for statement in imports.top():
        row_end = line_end(file.data, statement.end_byte)
        if b"noqa" in file.data[statement.end_byte : row_end]:
            continue
        for item in items_of(file, statement):
            if item.module == "__future__" and item.level == 0:
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
        if module is None or not resolver.modules.files(module):
            return True
        return bool(star_names(resolver, file, module)) or file.exports() is not None
    if uses(file, item.bound):
        return True
    if exported(resolver, file, item.bound):
        return True
    binding = file.module.bindings.get(item.bound)
    return binding is not None and any(site.kind in ("augmented", "del") for site in binding.sites)


def star_names(resolver: PythonResolver, file: FileIndex, module: str) -> list[str]:
    """The names used in `file` that its star import of `module` brings in."""
    found: list[str] = []
    for name in file.names:
        if any(file.lookup(ref.scope, name, ref.start) is None for ref in file.names[name]):
            binding = resolver.types.starred(file, name)
            if binding is not None and resolver.types.module_binding(module, name) is binding:
                found.append(name)
    return found


def doubles(imports: Imports) -> list[Item]:
    """Items that another one at the top of the module makes superfluous."""
    found: list[Item] = []
    seen: dict[str, Item] = {}
    tops = {node.start_byte for node in imports.top()}
    items = [item for item in imports.items if item.statement.start_byte in tops]
    for item in items:
        text = item.text()
        if text in seen:
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
        own = {statement.start_byte, *(i.node.start_byte for i in items)}
        found = [
            s for s in found if not statement.start_byte <= s.start <= statement.end_byte or s.start in set()
        ]
        found.append(remove_statement(file, statement))
        at = max(i.node.end_byte for i in items_of(file, home))
        found.append(Splice(file.path, at, at, "".join(f", {i.part()}" for i in left).encode()))
        del own
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


def sort_imports(resolver: PythonResolver, file: FileIndex, *, to_top: bool = False) -> list[Splice]:
    """Sort the leading imports in groups: future, standard library, others, this project; `to_top` moves all."""
    imports = Imports(file)
    tops = imports.top()
    if not tops:
        return []
    block = leading_block(file, tops)
    chosen = tops if to_top else block
    if not chosen:
        return []
    entries = sorted(
        ((group(resolver, file, node), _order(file, node), _lines(file, node)) for node in chosen),
        key=lambda entry: (entry[0], entry[1]),
    )
    end = newline(file.data)
    text = b""
    previous = None
    for number, _, lines in entries:
        if previous is not None and number != previous:
            text += end
        text += lines.rstrip() + end
        previous = number
    found: list[Splice] = []
    if block:
        start = block_start(file, block[0])
        stop = line_end(file.data, block[-1].end_byte)
        if file.data[start:stop].rstrip() == text.rstrip() and len(chosen) == len(block):
            return []
        found.append(Splice(file.path, start, stop, text))
    else:
        at, _ = imports.place()
        found.append(Splice(file.path, at, at, text + end * 2))
    if to_top:
        found += [remove_statement(file, node) for node in tops if node not in block]
        if block and len(tops) > len(block):
            rest = file.data[line_end(file.data, block[-1].end_byte) :]
            blank = len(rest) - len(rest.lstrip(b"\r\n"))
            if not blank:
                found[0] = Splice(file.path, found[0].start, found[0].end, text + end * 2)
    return found


def leading_block(file: FileIndex, tops: list[Node]) -> list[Node]:
    """The imports from the first on, until something else comes."""
    found: list[Node] = []
    for child in file.root.named_children:
        if child in tops:
            found.append(child)
        elif child.type == "comment" or (not found and child.type == "expression_statement"):
            continue
        elif found or child.type != "comment":
            break
    return found


def block_start(file: FileIndex, node: Node) -> int:
    begin = line_start(file.data, node.start_byte)
    previous = node.prev_named_sibling
    while previous is not None and previous.type == "comment" and _attached(file, previous):
        begin = line_start(file.data, previous.start_byte)
        previous = previous.prev_named_sibling
    return begin


def _attached(file: FileIndex, comment: Node) -> bool:
    """Whether a comment on a line of its own belongs to the line that follows."""
    begin = line_start(file.data, comment.start_byte)
    if file.data[begin : comment.start_byte].strip() or comment.start_point[0] < 2:
        return False
    following = file.data[line_end(file.data, comment.end_byte) :]
    return bool(following) and not following.startswith((b"\n", b"\r\n"))


def _lines(file: FileIndex, node: Node) -> bytes:
    return file.data[block_start(file, node) : line_end(file.data, node.end_byte)]


def _order(file: FileIndex, node: Node) -> tuple[bool, str]:
    text = file.text(node)
    return text.startswith("from "), text


def group(resolver: PythonResolver, file: FileIndex, node: Node) -> int:
    """0 future, 1 standard library, 2 other distributions, 3 this project."""
    if node.type == "future_import_statement":
        return 0
    items = items_of(file, node)
    if not items:
        return 2
    first = items[0]
    if first.level:
        return 4
    path = tuple(first.module.split("."))
    if resolver.modules.find(file.path, 0, path) is not None:
        return 3
    return 1 if path[0] in sys.stdlib_module_names else 2


# shapes ---------------------------------------------------------------------------------------


def expand_stars(resolver: PythonResolver, file: FileIndex, *, every: bool = False) -> list[Splice]:
    """`from m import *` names what is used (or `every` public name)."""
    found: list[Splice] = []
    for item in Imports(file).items:
        if item.name != "*":
            continue
        path = tuple(item.module.split(".")) if item.module else ()
        module = resolver.modules.find(file.path, item.level, path)
        if module is None or not resolver.modules.files(module):
            continue
        names = public_names(resolver, module) if every else star_names(resolver, file, module)
        if not names:
            if not every:
                found.append(remove_statement(file, item.statement))
            continue
        found.append(Splice(file.path, item.node.start_byte, item.node.end_byte, ", ".join(names).encode()))
    return found


def public_names(resolver: PythonResolver, module: str) -> list[str]:
    for path in resolver.modules.files(module):
        file = resolver.file(path)
        exports = file.exports()
        if exports is not None:
            return sorted(exports)
        return [name for name in file.module.bindings if not name.startswith("_")]
    return []


def absolute(resolver: PythonResolver, file: FileIndex, only: str = "") -> list[Splice]:
    """Relative imports by the full name of their module (implicit relative ones too)."""
    found: list[Splice] = []
    for statement in Imports(file).statements:
        items = items_of(file, statement)
        if not items:
            continue
        first = items[0]
        path = tuple(first.module.split(".")) if first.module else ()
        module = resolver.modules.find(file.path, first.level, path)
        if module is None:
            continue
        dotted = resolver.modules.dotted(module)
        if first.name is None:
            for item in items:
                target = resolver.modules.find(file.path, 0, tuple(item.module.split(".")))
                full = resolver.modules.dotted(target) if target is not None else item.module
                if target is not None and full != item.module:
                    name = item.node.child_by_field_name("name") or item.node
                    found.append(Splice(file.path, name.start_byte, name.end_byte, full.encode()))
                    if item.alias is None:
                        prefix = full[: -len(item.module)]
                        found += [
                            Splice(file.path, r.start, r.start, prefix.encode())
                            for r in uses(file, item.bound)
                        ]
            continue
        origin = statement.child_by_field_name("module_name")
        if origin is not None and dotted and file.text(origin) != dotted:
            found.append(Splice(file.path, origin.start_byte, origin.end_byte, dotted.encode()))
    return found


def relative(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """`from package.module import x` of the same package with dots."""
    package = resolver.modules.package_of(file.path)
    root = resolver.modules.root_of(package)
    found: list[Splice] = []
    for statement in Imports(file).statements:
        items = items_of(file, statement)
        origin = statement.child_by_field_name("module_name")
        if not items or items[0].name is None or items[0].level or origin is None:
            continue
        module = resolver.modules.find(file.path, 0, tuple(items[0].module.split(".")))
        if module is None or package == root:
            continue
        dots, base = 1, package
        while base != root and module != base and not module.startswith(base + "/"):
            base, dots = base.rpartition("/")[0], dots + 1
        if base == root:
            continue
        rest = module[len(base) + 1 :].replace("/", ".")
        found.append(Splice(file.path, origin.start_byte, origin.end_byte, ("." * dots + rest).encode()))
    return found


def froms_to_imports(resolver: PythonResolver, file: FileIndex) -> list[Splice]:
    """`from a.b import c` and `c` become `import a.b` and `a.b.c`; unused names are dropped."""
    imports = Imports(file)
    found: list[Splice] = []
    known = {item.module for item in imports.items if item.name is None and item.alias is None}
    for statement in imports.top():
        items = items_of(file, statement)
        if statement.type != "import_from_statement" or not items:
            continue
        first = items[0]
        path = tuple(first.module.split(".")) if first.module else ()
        module = resolver.modules.find(file.path, first.level, path)
        dotted = resolver.modules.dotted(module) if module is not None else first.module
        if not dotted or (module is None and first.level):
            continue
        needed: list[str] = []
        edits: list[Splice] = []
        for item in items:
            names = (
                star_names(resolver, file, module)
                if item.name == "*" and module is not None
                else [item.bound]
            )
            if item.name == "*" and module is None:
                break
            for name in names:
                inner = resolver.modules.submodule(module, item.name or "") if module is not None else None
                plain = (
                    inner is not None and resolver.types.module_binding(module or "", item.name or "") is None
                )
                where = f"{dotted}.{item.name}" if plain else dotted
                target = where if plain else f"{dotted}.{name if item.name == '*' else item.name}"
                if exported(resolver, file, name):
                    raise EditRefused(f"{name} is used by others from {file.path}", hint="leave this import")
                here = uses(file, name)
                if here:
                    needed.append(where)
                edits += [Splice(file.path, r.start, r.end, target.encode()) for r in here]
        else:
            top = dotted.partition(".")[0]
            if top in file.module.bindings and not _binds_module(file, top):
                raise EditRefused(f"{top} already means something in {file.path}", hint="rename that first")
            found += edits
            fresh = [name for name in dict.fromkeys(needed) if name not in known]
            known |= set(fresh)
            if fresh:
                text = newline(file.data).decode().join(f"import {name}" for name in fresh)
                found.append(Splice(file.path, statement.start_byte, statement.end_byte, text.encode()))
            else:
                found.append(remove_statement(file, statement))
    return found


def _binds_module(file: FileIndex, name: str) -> bool:
    return all(site.kind in ("import", "from") for site in file.module.bindings[name].sites)


def shorten(
    resolver: PythonResolver, file: FileIndex, *, dots_max: int, length_max: int, only: Iterable[str] = ()
) -> list[Splice]:
    """`import a.b.c.d` with a long path becomes `from a.b.c import d`."""
    found: list[Splice] = []
    wanted = set(only)
    for item in Imports(file).items:
        if item.name is not None or item.alias is not None or "." not in item.module:
            continue
        if item.module.count(".") <= dots_max and len(item.module) <= length_max:
            continue
        if wanted and item.module not in wanted:
            continue
        if len(items_of(file, item.statement)) > 1 or item.statement.parent != file.root:
            continue
        head, _, last = item.module.rpartition(".")
        if last in file.module.bindings or last in BUILTINS:
            continue
        places = [
            place for r in uses(file, item.bound) if (place := _path_at(file, r, item.module)) is not None
        ]
        if len(places) != len(uses(file, item.bound)):
            continue
        found.append(
            Splice(
                file.path,
                item.statement.start_byte,
                item.statement.end_byte,
                f"from {head} import {last}".encode(),
            )
        )
        found += [Splice(file.path, start, end, last.encode()) for start, end in places]
    return found


def _path_at(file: FileIndex, ref: Name, module: str) -> tuple[int, int] | None:
    """The span of the dotted path that begins with this name."""
    node: Node | None = file.root.descendant_for_byte_range(ref.start, ref.end)
    while node is not None:
        if file.text(node) == module:
            return node.start_byte, node.end_byte
        if node.parent is None or node.parent.type != "attribute":
            return None
        node = node.parent
    return None
