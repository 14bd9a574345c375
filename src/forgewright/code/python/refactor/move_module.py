"""Move a module or package to another folder; imports everywhere follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.imports import Imports, Item, items_of
from forgewright.code.python.refactor.mentions import module_in_doctest
from forgewright.code.python.refactor.merging import merge
from forgewright.code.python.refactor.module_checks import (
    check_asked,
    check_found,
    check_new_name,
    check_place,
    respoken,
)
from forgewright.code.python.refactor.organise import uses_of
from forgewright.code.python.scopes import FileIndex, Name
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


class ModuleMove:
    """One module (or package) on its way to another folder."""

    def __init__(
        self, resolver: PythonResolver, module: str, folder: str, name: str = "", *, new_folder: bool = False
    ) -> None:
        self.resolver = resolver
        self.modules = resolver.modules
        self.module = module
        last = name or module.rpartition("/")[2]
        self.target = f"{folder}/{last}" if folder else last
        if not self.modules.exists(module):
            raise EditRefused(f"there is no module {module}", hint="name a Python file or a package's folder")
        if self.modules.exists(self.target):
            raise EditRefused(
                f"there is already a module {self.target}", hint="choose another folder or name"
            )
        known = not folder or any(p.startswith(folder + "/") for p in resolver.project.paths())
        if not known and not new_folder:
            raise EditRefused(f"there is no folder {folder}", hint="create its __init__.py first")
        if (self.target + "/").startswith(module + "/"):
            raise EditRefused("a package cannot move into itself", hint="choose another folder")
        self.old = self.modules.dotted(module)
        above = folder
        while above and above not in self.modules.folders:
            above = above.rpartition("/")[0]
        root = self.modules.root_of(above)
        self.new = (self.target[len(root) + 1 :] if root else self.target).replace("/", ".")
        self.splices: list[Splice] = []

    def moves(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        files = self.modules.files(self.module)
        for path in self.resolver.project.paths():
            if path.startswith(self.module + "/") or path in files:
                found.append((path, self.target + path[len(self.module) :]))
        return found

    def plan(self) -> tuple[list[Splice], list[tuple[str, str]]]:
        moves = self.moves()
        moving = {old for old, _ in moves}
        self._check()
        last = self.module.rpartition("/")[2]
        paths = set(self.resolver.project.containing(last.encode(), "python"))
        paths |= {path for path in moving if path.endswith((".py", ".pyi"))}
        for path in sorted(paths):
            self._file(self.resolver.file(path), path in moving)
        self.splices += [
            splice
            for splice in respoken(self.resolver, self.module, self.old, self.new)
            if not any(
                s.path == splice.path and s.start < splice.end and splice.start < s.end for s in self.splices
            )
        ]
        return merge(self.splices), moves

    def _check(self) -> None:
        same = self.module.rpartition("/")[0] == self.target.rpartition("/")[0]
        check_new_name(self.resolver, self.new)
        if same:
            return
        check_found(self.resolver, self.module, self.target)
        tested = module_in_doctest(self.resolver, self.module)
        if tested is not None:
            raise EditRefused(f"the doctest at {tested} imports {self.old}", hint="change it first")
        package, _, last = self.module.rpartition("/")
        for path in self.modules.files(package) if package else ():
            if last in (self.resolver.file(path).exports() or ()):
                raise EditRefused(f"the __all__ of {path} names {last}", hint="take it out there first")
        check_asked(self.resolver, self.module, "__package__", "__path__", "__spec__", "__file__")
        if not self.modules.is_package(self.module):
            for path in self.modules.files(self.module):
                check_place(self.resolver.file(path), "__file__", "__package__", "__path__")

    # one file ---------------------------------------------------------------------------------

    def _file(self, file: FileIndex, moving: bool) -> None:
        imports = Imports(file)
        gone: list[Item] = []
        added: list[str] = []
        for statement in imports.statements:
            items = items_of(file, statement)
            if not items or statement.type == "future_import_statement":
                continue
            if items[0].name is None:
                for item in items:
                    self._plain(file, item, moving)
            else:
                self._from(file, statement, items, moving, gone, added)
        self._attributes(file)
        self.splices += imports.add(added, gone) if added else []
        self.splices += imports.remove(gone) if gone else []

    def _attributes(self, file: FileIndex) -> None:
        """The module as an attribute of its package, where no import of its own names it."""
        identity = self.resolver.identity
        done = [(s.start, s.end) for s in self.splices if s.path == file.path]
        last = self.module.rpartition("/")[2]
        for entry in file.attributes.get(last, ()):
            if any(start <= entry.start < end for start, end in done):
                continue
            if any(
                key.is_module and key.path == self.module for key in identity.of_attribute(entry, last)[0]
            ):
                row = file.data.count(b"\n", 0, entry.start) + 1
                raise EditRefused(
                    f"{file.path}:{row} reaches {self.old} through its package, without an import of its own",
                    hint=f"write import {self.old} there first",
                )

    def _renamed(self, module: str) -> str | None:
        """The new dotted name of a module that moves; None for others."""
        if module == self.module:
            return self.new
        if module.startswith(self.module + "/"):
            return self.new + module[len(self.module) :].replace("/", ".")
        return None

    def _plain(self, file: FileIndex, item: Item, moving: bool) -> None:
        """`import a.b.c`, and what is written with it."""
        path = tuple(item.module.split("."))
        module = self.modules.find(file.path, 0, path)
        if module is None:
            return
        new = self._renamed(module)
        if new is None:
            if not moving:
                return
            new = self.modules.dotted(module)
        if new == item.module:
            return
        node = item.node.child_by_field_name("name") or item.node
        self.splices.append(Splice(file.path, node.start_byte, node.end_byte, new.encode()))
        if item.alias is not None:
            return
        self._check_free(file, item, new.partition(".")[0])
        others = [
            other
            for other in Imports(file).items
            if other.bound == item.bound and other.node.start_byte != item.node.start_byte
        ]
        for ref in uses_of(file, item):
            place = path_at(file, ref, item.module)
            if place is not None:
                self.splices.append(Splice(file.path, place.start_byte, place.end_byte, new.encode()))
            elif not others and new.partition(".")[0] != item.bound:
                raise EditRefused(
                    f"{item.bound} is used in {file.path} beside {item.module}",
                    hint=f"import {item.bound} there first",
                )

    def _check_free(self, file: FileIndex, item: Item, top: str) -> None:
        """Refuse where the first part of the new name means something else."""
        if top == item.bound:
            return
        for scope, start in [(file.module, 0), *((ref.scope, ref.start) for ref in uses_of(file, item))]:
            found = file.lookup(scope, top, start)
            if found is not None and any(site.kind != "import" for site in found.sites):
                raise EditRefused(f"{top} means something else in {file.path}", hint="rename that first")

    def _from(
        self,
        file: FileIndex,
        statement: Node,
        items: list[Item],
        moving: bool,
        gone: list[Item],
        added: list[str],
    ) -> None:
        """`from a.b import c`: the module itself, or one of its names, may be what moves."""
        first = items[0]
        path = tuple(first.module.split(".")) if first.module else ()
        module = self.modules.find(file.path, first.level, path)
        if module is None:
            if moving and first.level:
                raise EditRefused(
                    f"a relative import in {file.path} names nothing that is known",
                    hint="repair or remove it first",
                )
            return
        origin = statement.child_by_field_name("module_name")
        if origin is None:
            return
        inside = moving and self._inside(module) and first.level
        new = self._renamed(module)
        if new is not None and not inside:
            self.splices.append(Splice(file.path, origin.start_byte, origin.end_byte, new.encode()))
            return
        if new is None and moving and (first.level or self.modules.dotted(module) != first.module):
            self.splices.append(
                Splice(file.path, origin.start_byte, origin.end_byte, self.modules.dotted(module).encode())
            )
        for item in items:
            if item.name is None or item.name == "*" or inside:
                continue
            inner = self.modules.submodule(module, item.name)
            if inner != self.module or self._own(module, item.name):
                continue
            gone.append(item)
            package, _, last = self.new.rpartition(".")
            alias = f" as {item.alias}" if item.alias else (f" as {item.name}" if last != item.name else "")
            added.append(f"from {package} import {last}{alias}" if package else f"import {last}{alias}")

    def _own(self, package: str, name: str) -> bool:
        """Whether a package gives `name` to something else than its module of that name."""
        binding = self.resolver.types.module_binding(package, name)
        keys = self.resolver.identity.of_binding(binding) if binding is not None else frozenset()
        return any(key.path != self.module or not key.is_module for key in keys)

    def _inside(self, module: str) -> bool:
        return module == self.module or module.startswith(self.module + "/")


def path_at(file: FileIndex, ref: Name, module: str) -> Node | None:
    """The expression `a.b.c` that begins with a name, as written."""
    node: Node | None = file.root.descendant_for_byte_range(ref.start, ref.end)
    while node is not None:
        if "".join(file.text(node).replace("\\", "").split()) == module:
            return node
        if node.parent is None or node.parent.type != "attribute":
            return None
        node = node.parent
    return None
