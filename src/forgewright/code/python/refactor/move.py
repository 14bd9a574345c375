"""Move a function, class or variable of a module to another one; every user follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Key, Keys
from forgewright.code.python.refactor.imports import Imports, Item, replaced, whole_block
from forgewright.code.python.refactor.inline_function import removal
from forgewright.code.python.refactor.mentions import listed
from forgewright.code.python.refactor.merging import attribute_at, empty, merge
from forgewright.code.python.refactor.move_checks import check_arrives, check_leaves, respoken, star_importers
from forgewright.code.python.refactor.needed import Needs
from forgewright.code.python.refactor.organise import exported, uses
from forgewright.code.python.refactor.text import (
    definition_of,
    line_end,
    line_start,
    newline,
    walk,
    with_comments,
)
from forgewright.code.python.scopes import FileIndex
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver

Style = Literal["keep", "module", "from-module"]


class MoveOptions(msgspec.Struct, frozen=True):
    style: Style = "keep"
    """How users name it: as they did, as `import m` and `m.x`, or as `from p import m` and `m.x`."""
    place: Literal["end", "start"] = "end"
    reexport: bool = False
    """The old module keeps the name by importing it; users stay as they are."""
    copy: bool = False
    """The old module keeps the definition; users stay as they are."""
    allow_cycle: bool = False
    together: tuple[str, ...] = ()
    """Names that go along in the same operation."""


class SymbolMove:
    """One symbol on its way to another module."""

    def __init__(
        self, resolver: PythonResolver, keys: Keys, name: str, to: str, options: MoveOptions
    ) -> None:
        self.resolver = resolver
        self.name = name
        self.to = to
        self.options = options
        self.keys = keys
        self.key = self._key(keys, name)
        self.file = resolver.file(self.key.path)
        self.node = self._node()
        self.span = self._span()
        self._check_destination()
        self.new_file = not resolver.project.exists(to)
        root = resolver.modules.module_of(to)
        self.here = root
        self.target = resolver.modules.dotted(root)
        self.home_module = resolver.modules.module_of(self.file.path)
        self.home = resolver.modules.dotted(self.home_module)
        self.splices: list[Splice] = []
        self.additions: dict[str, list[str]] = {}
        self.removals: dict[str, list[Item]] = {}

    def _key(self, keys: Keys, name: str) -> Key:
        own = [key for key in keys if not key.is_module]
        if len(own) != 1 or self.resolver.identity.scope(own[0]).kind != "module":
            raise EditRefused(
                f"{name} is not defined at the top of a module", hint="move a function, class or variable"
            )
        if name.startswith("__") and name.endswith("__"):
            raise EditRefused(f"{name} speaks of its own module", hint="move a function, class or variable")
        if self.resolver.identity.is_external(own[0]):
            raise EditRefused(f"{name} is defined outside the project", hint="move something of this project")
        return own[0]

    def _node(self) -> Node:
        sites = [site for site in self.resolver.identity.sites(self.key) if site.node is not None]
        first = sites[0]
        assert first.node is not None
        if first.kind in ("function", "class"):
            if len(sites) > 1:
                raise EditRefused(
                    f"{self.name} is defined more than once", hint="merge the definitions first"
                )
            node = definition_of(first.node)
        elif first.kind == "variable" and not first.unpack:
            if len(sites) > 1 and self.options.style == "keep":
                raise EditRefused(f"{self.name} is assigned more than once", hint="style: module")
            node = first.node
            while node.parent is not None and node.parent.type not in ("module", "block"):
                node = node.parent
        else:
            raise EditRefused(
                f"{self.name} cannot be moved: it is bound by a {first.kind}", hint="move a definition"
            )
        if node.parent is None or node.parent.type != "module":
            raise EditRefused(f"{self.name} is defined under a condition", hint="take it out first")
        return node

    def _span(self) -> tuple[int, int]:
        """The definition with the comments right above it."""
        data, start = self.file.data, with_comments(self.file, self.node)
        end = self.node.end_byte
        stop = line_end(data, end)
        rest = data[end:stop].strip()
        if rest.startswith(b"#"):
            end = stop
        elif rest:
            raise EditRefused(
                f"{self.name} shares its line with other code", hint="give it a line of its own"
            )
        return start, end

    def _check_destination(self) -> None:
        if not self.to.endswith((".py", ".pyi")):
            raise EditRefused(
                f"expected a Python file as destination, found {self.to!r}", hint="give a path ending in .py"
            )
        if self.to == self.file.path:
            raise EditRefused(f"{self.name} is in {self.to} already", hint="name another file")
        if self.resolver.project.exists(self.to):
            there = self.resolver.file(self.to).module.bindings.get(self.name)
            if there is not None and (
                self.options.copy or not self.resolver.identity.of_binding(there) & self.keys
            ):
                raise EditRefused(f"{self.to} already has a {self.name}", hint="rename one of them first")

    # the whole --------------------------------------------------------------------------------

    def plan(self) -> tuple[list[Splice], dict[str, bytes]]:
        """The splices, and the file to create if the destination is new."""
        _, places = self.resolver.finder.find(self.keys, self.name, hierarchy=False)
        by_path: dict[str, list[Occurrence]] = {}
        for place in places:
            if place.certain:
                by_path.setdefault(place.path, []).append(place)
        by_path.setdefault(self.file.path, [])
        stay = self.options.reexport or self.options.copy
        for path, found in by_path.items():
            if path == self.to:
                self._in_destination(found)
            elif path == self.file.path:
                self._at_home(found)
            elif not stay:
                self._in_user(path, found)
        self._hand_on()
        created = self._arrive()
        if not self.options.copy:
            self._leave()
        self._finish()
        return merge(self.splices), created

    def inside(self, start: int) -> bool:
        return self.span[0] <= start < self.span[1]

    def _hand_on(self) -> None:
        """What is there beside names: texts, stars, and who goes through the names of the two modules."""
        back = f"from {self.target} import {self.name}"
        kept = self.options.copy or back in self.additions.get(self.file.path, ())
        if not kept and listed(self.resolver, self.home_module) is not None:
            self._add(self.file.path, back)
            kept = True
        check_leaves(self, kept=kept)
        check_arrives(self)
        if kept:
            return
        for file in star_importers(self):
            if back not in self.additions.get(file.path, ()):
                star = next(
                    (i for i in Imports(file).items if i.name == "*" and self._imports_home(file, i)), None
                )
                origin = self._from(file, star) if star is not None else self.target
                self._add(file.path, f"from {origin} import {self.name}")
        self.splices += respoken(self)

    # the old module ---------------------------------------------------------------------------

    def _at_home(self, places: list[Occurrence]) -> None:
        if self.options.copy:
            return
        rest = [p for p in places if not self.inside(p.start)]
        needed = [p for p in rest if p.role in ("reference", "write", "definition")]
        kept = [p for p in rest if p.role in ("export", "string")]
        if self.options.reexport or kept or (needed and self.options.style == "keep"):
            self._add(self.file.path, f"from {self.target} import {self.name}")
            return
        if needed:
            text = self._module_import(self.file.path)
            for place in needed:
                self._replace_name(self.file, place, text)

    def _leave(self) -> None:
        self.splices.append(self._cut())
        needs = self.needs
        imports = Imports(self.file)
        for name in needs.used:
            own = uses(self.file, name)
            if all(self.inside(ref.start) for ref in own) and not exported(self.resolver, self.file, name):
                gone = [
                    item
                    for item in imports.items
                    if item.bound == name
                    and (item.statement.parent == self.file.root or item.guard is not None)
                ]
                self.removals.setdefault(self.file.path, []).extend(gone)

    def _cut(self) -> Splice:
        whole = removal(self.file, self.node)
        start = min(whole.start, line_start(self.file.data, self.span[0]))
        return Splice(self.file.path, start, max(whole.end, self.span[1]), b"")

    # the new module ---------------------------------------------------------------------------

    @property
    def needs(self) -> Needs:
        return Needs(self.resolver, self.file, [self.node], moved={self.name})

    def _arrive(self) -> dict[str, bytes]:
        data = self.file.data
        needs = self.needs
        end = newline(data)
        other = empty(self.resolver, self.to) if self.new_file else self.resolver.file(self.to)
        changes = needs.for_file(other)
        text = bytearray()
        at = self.span[0]
        for start, (stop, new) in sorted(changes.items()):
            text += data[at:start] + new.encode()
            at = stop
        text += data[at : self.span[1]]
        body = bytes(text).rstrip() + end
        wanted = needs.texts()
        back = [one for one in wanted if one.startswith(f"from {self.home} import ")]
        if back and self.options.style == "keep" and not self.options.allow_cycle:
            if self.additions.get(self.file.path):
                names = ", ".join(one.rpartition(" ")[2] for one in back)
                raise EditRefused(
                    f"{self.name} uses {names} of {self.file.path}, which uses {self.name}: they would import each other",
                    hint=f"move {names} too, or allow_cycle: true",
                )
        wanted = self._future(other) + wanted
        if self.new_file:
            lines = end.join(one.encode() for one in whole_block(wanted))
            return {self.to: (lines + end * 3 if wanted else b"") + body}
        for one in wanted:
            self._add(self.to, one)
        self.splices.append(self._insertion(other, body, bool(wanted)))
        return {}

    def _future(self, other: FileIndex) -> list[str]:
        """Annotations that are not evaluated at home must not be evaluated there."""
        text = "from __future__ import annotations"
        if not Imports(self.file).has(text) or Imports(other).has(text):
            return []
        needed = any(node.type == "type" for node in walk(self.node))
        if self.new_file or not other.data.strip():  # what comes along may need it too
            return [text] if needed or self.options.together else []
        if needed:
            raise EditRefused(
                f"{self.file.path} has {text}, and {self.to} has not", hint=f"add it to {self.to} first"
            )
        return []

    def _insertion(self, other: FileIndex, body: bytes, imports: bool) -> Splice:
        data, end = other.data, newline(other.data)
        early = self.options.place == "start" or self._used_at_import(other)
        if not early:
            gap = end * 2 if data.strip() or imports else b""
            if data and not data.endswith(b"\n"):
                gap = end + gap
            return Splice(self.to, len(data), len(data), gap + body)
        at, had = Imports(other).place()
        gap = end * 2 if had or imports or data[:at].strip() else b""
        tail = end * 2 if data[at:].strip() and not data[at:].startswith((b"\n\n", b"\r\n\r\n")) else b""
        return Splice(self.to, at, at, gap + body + tail)

    def _used_at_import(self, other: FileIndex) -> bool:
        """Whether the new module already uses the name while it is imported."""
        places = [*other.names.get(self.name, ()), *other.attributes.get(self.name, ())]
        return any(place.scope.kind in ("module", "class") for place in places)

    def _in_destination(self, places: list[Occurrence]) -> None:
        other = self.resolver.file(self.to)
        for item in self._imported(other):
            self.removals.setdefault(self.to, []).append(item)
            if item.alias:
                self.splices += [
                    Splice(self.to, r.start, r.end, self.name.encode()) for r in uses(other, item.alias)
                ]
        for place in places:
            outer = attribute_at(other, place)
            if outer is not None:
                self.splices.append(Splice(self.to, outer.start_byte, place.start, b""))
        self._drop_module_imports(other, places)

    # users ------------------------------------------------------------------------------------

    def _imported(self, file: FileIndex) -> list[Item]:
        """The imports of the symbol in a file."""
        found: list[Item] = []
        for entry in file.imported.get(self.name, ()):
            if self.resolver.identity.of_link(entry.link, file.path) & self.keys:
                for item in Imports(file).items:
                    if item.node.start_byte == entry.node.start_byte and item.name == self.name:
                        found.append(item)
        return found

    def _in_user(self, path: str, places: list[Occurrence]) -> None:
        file = self.resolver.file(path)
        if path.endswith(".pyi") and self.file.path.endswith(".py"):
            if self.resolver.modules.module_of(path) == self.resolver.modules.module_of(self.file.path):
                raise EditRefused(f"{self.name} also stands in the stub {path}", hint="move it there by hand")
        items = self._imported(file)
        direct = [i for i in items if self._imports_home(file, i)]
        for item in direct:
            alias = f" as {item.alias}" if item.alias else ""
            if self.options.style == "keep" and item.statement.parent != file.root:
                self.splices += replaced(Imports(file), item, self._from(file, item))
                continue
            self.removals.setdefault(path, []).append(item)
            if self.options.style == "keep":
                self._add(path, f"from {self._from(file, item)} import {self.name}{alias}")
            else:
                text = self._module_import(path)
                for ref in uses(file, item.bound):
                    self.splices.append(Splice(path, ref.start, ref.end, f"{text}.{self.name}".encode()))
                if any(t.kind == "__all__" for t in file.texts.get(item.bound, ())):
                    self._add(path, f"from {self.target} import {self.name}{alias}")
        starred = False
        for place in places:
            outer = attribute_at(file, place)
            if outer is not None:
                if self._through_home(file, outer):
                    text = self._module_import(path, outer)
                    self._check_shadow(file, text, place)
                    self.splices.append(Splice(path, outer.start_byte, place.start, f"{text}.".encode()))
            elif place.role in ("reference", "write") and not items:
                starred = True
        if starred:
            self._add(path, f"from {self.target} import {self.name}")
        self._drop_module_imports(file, places)

    def _imports_home(self, file: FileIndex, item: Item) -> bool:
        """Whether an import takes the name from its own module (and not from one that imports it too)."""
        path = tuple(item.module.split(".")) if item.module else ()
        module = self.resolver.modules.find(file.path, item.level, path)
        return module == self.resolver.modules.module_of(self.file.path)

    def _through_home(self, file: FileIndex, outer: Node) -> bool:
        obj = outer.child_by_field_name("object")
        scope = file.scope_at(outer.start_byte)
        values = self.resolver.types.infer(obj, scope) if obj is not None else ()
        home = self.resolver.modules.module_of(self.file.path)
        return any(getattr(value, "module", None) == home for value in values)

    def _from(self, file: FileIndex, item: Item) -> str:
        """The new module as this file writes modules: with dots if it did so, and where that is possible."""
        if not item.level:
            return self.target
        package = self.resolver.modules.package_of(file.path)
        root = self.resolver.modules.root_of(package)
        dots, base = 1, package
        while base and base != root and not self.here.startswith(base + "/"):
            base, dots = base.rpartition("/")[0], dots + 1
        if not base or base == root:
            return self.target
        return "." * dots + self.here[len(base) + 1 :].replace("/", ".")

    def _module_import(self, path: str, outer: Node | None = None) -> str:
        """Import the new module there; returns the text that names it."""
        package, _, last = self.target.rpartition(".")
        style = self.options.style
        if style == "keep" and outer is not None and package:
            obj = outer.child_by_field_name("object")
            style = (
                "from-module"
                if obj is not None and obj.type == "identifier" and "." in self.home
                else "module"
            )
        if style == "from-module" and package:
            self._add(path, f"from {package} import {last}")
            return last
        self._add(path, f"import {self.target}")
        return self.target

    def _check_shadow(self, file: FileIndex, text: str, place: Occurrence) -> None:
        first = text.partition(".")[0]
        found = file.lookup(file.scope_at(place.start), first, place.start)
        if found is not None and not all(site.kind in ("import", "from") for site in found.sites):
            raise EditRefused(f"{first} means something else in {file.path}", hint="rename that first")

    def _replace_name(self, file: FileIndex, place: Occurrence, text: str) -> None:
        self._check_shadow(file, text, place)
        self.splices.append(Splice(file.path, place.start, place.start, f"{text}.".encode()))

    def _drop_module_imports(self, file: FileIndex, places: list[Occurrence]) -> None:
        """Take out imports of the old module that nothing uses any more."""
        replaced = {splice.start for splice in self.splices if splice.path == file.path}
        home = self.resolver.modules.module_of(self.file.path)
        for item in Imports(file).items:
            if item.statement.parent != file.root or item.name == "*":
                continue
            path = tuple(item.module.split(".")) if item.module else ()
            module = self.resolver.modules.find(file.path, item.level, path)
            if item.name is not None:
                module = self.resolver.modules.submodule(module, item.name) if module is not None else None
            if module != home:
                continue
            here = uses(file, item.bound)
            if (
                here
                and all(ref.start in replaced for ref in here)
                and not exported(self.resolver, file, item.bound)
            ):
                self.removals.setdefault(file.path, []).append(item)

    # the end ----------------------------------------------------------------------------------

    def _add(self, path: str, text: str) -> None:
        found = self.additions.setdefault(path, [])
        if text not in found:
            found.append(text)

    def _finish(self) -> None:
        for path in sorted(set(self.additions) | set(self.removals)):
            file = self.resolver.file(path)
            gone = self.removals.get(path, [])
            imports = Imports(file)
            added = imports.add(self.additions.get(path, []), gone)
            self.splices += added
            if gone:
                self.splices += imports.remove(gone)
