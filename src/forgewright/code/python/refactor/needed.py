"""What code needs when it goes to another file: imports of the names it uses, and names that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.imports import GUARD, Imports, Item
from forgewright.code.python.scopes import Binding, FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


class Needs:
    """The names that some nodes of a file use from the top of their module."""

    def __init__(
        self,
        resolver: PythonResolver,
        file: FileIndex,
        nodes: Sequence[Node],
        inner: Scope | None = None,
        moved: Iterable[str] = (),
    ) -> None:
        self.resolver = resolver
        self.file = file
        self.moved = set(moved)
        """Names that go along."""
        self.used: dict[str, tuple[Binding, list[tuple[int, int]]]] = {}
        spans = [(node.start_byte, node.end_byte) for node in nodes]
        for name, refs in file.names.items():
            for ref in refs:
                if not any(start <= ref.start < end for start, end in spans):
                    continue
                binding = resolver.types.lookup(ref.scope, name, ref.start)
                if binding is None or name in self.moved:
                    continue
                if binding.scope.kind == "module":
                    self.used.setdefault(name, (binding, []))[1].append((ref.start, ref.end))
        self._imports = Imports(file)

    def items(self, name: str) -> list[Item]:
        """The imports at home that bring in `name`; `import a.b` and `import a.c` both bring in `a`."""
        found = [item for item in self._imports.items if item.bound == name]
        top = [item for item in found if item.statement.parent == self.file.root]
        return top or [item for item in found if item.guard is not None]

    def _written_at(self, name: str) -> int:
        return min((item.node.start_byte for item in self.items(name)), default=1 << 60)

    def for_file(self, other: FileIndex) -> dict[int, tuple[int, str]]:
        """Byte → (end, text): the names that are written otherwise in `other`."""
        self._texts: list[str] = []
        changes: dict[int, tuple[int, str]] = {}
        if other is self.file:
            return changes
        here = self.resolver.modules.module_of(other.path)
        home = self.resolver.modules.dotted(self.resolver.modules.module_of(self.file.path))
        for name, (binding, places) in sorted(self.used.items(), key=lambda pair: self._written_at(pair[0])):
            items = self.items(name)
            if not items:
                self._check_free(other, name, binding)
                if binding.scope.file is self.file:
                    self._texts.append(f"from {home} import {name}")
                else:
                    found = self.resolver.modules.module_of(binding.scope.file.path)
                    if found != here:
                        self._texts.append(f"from {self.resolver.modules.dotted(found)} import {name}")
                continue
            for item in items:
                had = len(self._texts)
                changes.update(self._imported(item, name, binding, places, other, here))
                if item.guard is not None:
                    self._texts[had:] = [GUARD + text for text in self._texts[had:]]
        return changes

    def _imported(
        self,
        item: Item,
        name: str,
        binding: Binding,
        places: list[tuple[int, int]],
        other: FileIndex,
        here: str,
    ) -> dict[int, tuple[int, str]]:
        path = tuple(item.module.split(".")) if item.module else ()
        module = self.resolver.modules.find(self.file.path, item.level, path)
        changes: dict[int, tuple[int, str]] = {}
        if item.name is None:
            if module == here:
                return self._unqualified(item, places)
            dotted = self.resolver.modules.dotted(module) if module is not None else item.module
            alias = f" as {item.alias}" if item.alias else ""
            self._texts.append(f"import {dotted}{alias}")
            if dotted != item.module and not item.alias:
                prefix = dotted[: -len(item.module)]
                changes = {start: (end, prefix + name) for start, end in places}
            return changes
        if item.name == "*":
            return changes
        if module == here:
            if item.name != name:
                changes = {start: (end, item.name) for start, end in places}
            return changes
        inner = self.resolver.modules.submodule(module, item.name) if module is not None else None
        if inner is not None and inner == here:
            return self._unqualified(item, places)
        origin = (
            self.resolver.modules.dotted(module) if module is not None else "." * item.level + item.module
        )
        self._check_free(other, name, binding)
        alias = f" as {item.alias}" if item.alias else ""
        self._texts.append(f"from {origin} import {item.name}{alias}")
        return changes

    def _unqualified(self, item: Item, places: list[tuple[int, int]]) -> dict[int, tuple[int, str]]:
        """`module.x` becomes `x` in the module itself."""
        changes: dict[int, tuple[int, str]] = {}
        rest = [] if item.alias or item.name is not None else item.module.split(".")[1:]
        for start, _ in places:
            node = self.file.root.descendant_for_byte_range(start, start + 1)
            for part in [*rest, None]:
                parent = node.parent if node is not None else None
                attr = parent.child_by_field_name("attribute") if parent is not None else None
                if parent is None or parent.type != "attribute" or attr is None:
                    raise EditRefused("the module is used as a value", hint="change that by hand first")
                if part is not None and self.file.text(attr) != part:
                    raise EditRefused("the package is used as a value", hint="change that by hand first")
                node = parent
            assert node is not None
            attr = node.child_by_field_name("attribute")
            assert attr is not None
            changes[start] = (node.end_byte, self.file.text(attr))
        return changes

    def _check_free(self, other: FileIndex, name: str, binding: Binding) -> None:
        there = other.module.bindings.get(name)
        if there is None:
            return
        mine, theirs = self.resolver.identity.of_binding(binding), self.resolver.identity.of_binding(there)
        if mine & theirs:
            return
        if self._same_import(name, other):
            return
        raise EditRefused(f"{name} means something else in {other.path}", hint="rename one of them first")

    def _same_import(self, name: str, other: FileIndex) -> bool:
        texts = {item.text() for item in self.items(name)}
        return any(item.text() in texts for item in Imports(other).items if item.bound == name)

    def texts(self) -> list[str]:
        """The import statements that `for_file` found to be needed."""
        return list(dict.fromkeys(self._texts))

    def splices(self, other: FileIndex) -> list[Splice]:
        """The imports added to `other`, after `for_file`."""
        wanted = [text for text in self.texts() if not self._known(text, other)]
        return Imports(other).add(wanted) if wanted else []

    def _known(self, text: str, other: FileIndex) -> bool:
        return not text.startswith(GUARD) and Imports(other).has(text)
