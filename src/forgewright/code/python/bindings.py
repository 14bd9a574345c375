"""Which names an edit has taken the meaning from: lost ones mean nothing any more, captured ones something else.

Only what was there before is judged. A new name that is bound nowhere is the business of whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING

from forgewright.code.kept import Kept
from forgewright.code.python.known import BUILTINS
from forgewright.code.python.values import ModuleValue

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import FileIndex, Imported, Name, Scope

IMPLICIT = frozenset({"__file__", "__path__", "__class__", "__builtins__", "__annotations__", "reveal_type"})
DYNAMIC = frozenset({"exec", "globals", "vars", "locals"})
REMOVED_MAX = 100
"""Names taken from a module whose importers are looked at."""


class Bindings:
    """The project before and after an edit; `changed` maps each file after it to the one it was (None: new)."""

    def __init__(
        self, before: PythonResolver, after: PythonResolver, changed: Mapping[str, str | None], gone: set[str]
    ) -> None:
        self.before = before
        self.after = after
        self.changed = changed
        self.gone = gone
        """Files that are not there any more, or not under this path."""

    def lost(self) -> Iterator[str]:
        """`path:line name: why` of what does not mean anything any more."""
        meant = self._meant()
        for path, old in self.changed.items():
            file = self.after.file(path)
            was = self._unbound(self.before, self.before.file(old)) if old is not None else {}
            for name, ref in self._unbound(self.after, file).items():
                if name not in was and name in meant:
                    yield f"{at(file, ref.start)} {name}: bound nowhere any more"
            yield from self._imports(file, self.before.file(old) if old is not None else None)
        yield from self._taken()

    def captured(self, meant: Set[str] = frozenset()) -> Iterator[str]:
        """`path:line name: why` of what means something else than before, but for the names that are `meant` to."""
        for path, old in self.changed.items():
            if old is not None:
                yield from self._captured(self.before.file(old), self.after.file(path), meant)

    def was_bound(self, path: str, name: str) -> bool:
        """Whether a name of a file meant something before, or did not stand in it."""
        old = self.changed.get(path, path)
        return old is None or name not in self._unbound(self.before, self.before.file(old))

    # lost -------------------------------------------------------------------------------------

    def _meant(self) -> set[str]:
        """The names that meant something in the files that have changed."""
        found: set[str] = set()
        for old in {*self.changed.values(), *self.gone}:
            if old is None or not old.endswith((".py", ".pyi")):
                continue
            file = self.before.file(old)
            found |= set(file.names) - set(self._unbound(self.before, file))
        return found

    def _unbound(self, resolver: PythonResolver, file: FileIndex) -> dict[str, Name]:
        """Names that are read and bound nowhere, with one place of each."""
        if DYNAMIC & file.names.keys() or any(
            resolver.modules.find(file.path, link.level, link.module) is None for link, _ in file.stars
        ):
            return {}
        found: dict[str, Name] = {}
        for name, refs in file.names.items():
            if name in BUILTINS or name in IMPLICIT:
                continue
            for ref in refs:
                if resolver.types.lookup(ref.scope, name, ref.start) is None:
                    found[name] = ref
                    break
        return found

    def _imports(self, file: FileIndex, old: FileIndex | None) -> Iterator[str]:
        """Imports of what was there before the edit, and is not after it."""
        for name, entries in file.imported.items():
            for entry in entries:
                if self._found(self.after, file.path, entry, name):
                    continue
                origins = [f for f in (old, *self._others(file.path)) if f is not None]
                if any(
                    self._found(self.before, f.path, e, name) for f in origins for e in same(f, entry, name)
                ):
                    yield f"{at(file, entry.start)} {name}: not to be imported from there any more"

    def _others(self, path: str) -> Iterator[FileIndex]:
        for other, old in self.changed.items():
            if other != path and old is not None:
                yield self.before.file(old)
        for old in self.gone - set(self.changed.values()):
            if old.endswith((".py", ".pyi")):
                yield self.before.file(old)

    def _found(self, resolver: PythonResolver, path: str, entry: Imported, name: str) -> bool:
        """Whether an import brings something in (one from outside the project does)."""
        module = resolver.modules.find(path, entry.link.level, entry.link.module)
        if module is None:
            return not entry.link.level
        return self._has(resolver, module, name)

    def _has(self, resolver: PythonResolver, module: str, name: str) -> bool:
        if resolver.types.module_binding(module, name) is not None:
            return True
        if resolver.modules.submodule(module, name) is not None or not resolver.modules.files(module):
            return True
        for path in resolver.modules.files(module):
            file = resolver.file(path)
            if "__getattr__" in file.module.bindings or DYNAMIC & file.names.keys():
                return True
            if any(resolver.modules.find(path, k.level, k.module) is None for k, _ in file.stars):
                return True
        return False

    def _taken(self) -> Iterator[str]:
        """What other files take from modules that have it no more."""
        removed: dict[str, set[str]] = {}
        for old in {*self.gone, *(o for o in self.changed.values() if o is not None)}:
            if not old.endswith((".py", ".pyi")):
                continue
            module = self.before.modules.module_of(old)
            for name in self.before.file(old).module.bindings:
                if not self.after.modules.files(module) or not self._has(self.after, module, name):
                    removed.setdefault(name, set()).add(module)
        for name in sorted(removed)[:REMOVED_MAX]:
            for path in sorted(self.after.project.containing(name.encode(), "python")):
                if path in self.changed:
                    continue
                file = self.after.file(path)
                for entry in file.imported.get(name, ()):
                    origin = self.before.modules.find(path, entry.link.level, entry.link.module)
                    if origin in removed[name] and not self._found(self.after, path, entry, name):
                        yield f"{at(file, entry.start)} {name}: not to be imported from there any more"
                for attribute in file.attributes.get(name, ()):
                    values = self.after.types.infer(attribute.object, attribute.scope)
                    if any(isinstance(v, ModuleValue) and v.module in removed[name] for v in values):
                        yield f"{at(file, attribute.start)} {name}: its module has it no more"

    # captured ---------------------------------------------------------------------------------

    def _captured(self, old: FileIndex, new: FileIndex, meant: Set[str]) -> Iterator[str]:
        kept: Kept | None = None
        twins = twin_scopes(old, new)
        for scope, twin in twins.items():
            for name, binding in scope.bindings.items():
                if name in twin.bindings or name in scope.nonlocals or name in meant:
                    continue
                for ref in new.names.get(name, ()):
                    if new.lookup(ref.scope, name, ref.start) is not binding:
                        continue
                    kept = kept or Kept(old.data, new.data)
                    was = kept.before(ref.start)
                    place = next((r for r in old.names.get(name, ()) if r.start == was), None)
                    if place is None:
                        continue
                    there = old.lookup(place.scope, name, place.start)
                    outer = there is not None and there.scope in ancestors(twin)
                    if outer or (there is None and name in BUILTINS):
                        what = scope.dotted() or "the module"
                        yield f"{at(new, ref.start)} {name}: would mean the new {name} of {what}"
                        break


def same(file: FileIndex, entry: Imported, name: str) -> Iterator[Imported]:
    """The imports in `file` that are written like `entry`."""
    for other in file.imported.get(name, ()):
        if (other.link.level, other.link.module) == (entry.link.level, entry.link.module):
            yield other


def twin_scopes(old: FileIndex, new: FileIndex) -> dict[Scope, Scope]:
    """Scopes of `new` that `old` has too, by kind and dotted name, in order."""
    before: dict[tuple[str, str], list[Scope]] = {}
    for scope in old.scopes:
        if scope.kind in ("module", "class", "function"):
            before.setdefault((scope.kind, scope.dotted()), []).append(scope)
    after: dict[tuple[str, str], list[Scope]] = {}
    for scope in new.scopes:
        if scope.kind in ("module", "class", "function"):
            after.setdefault((scope.kind, scope.dotted()), []).append(scope)
    found: dict[Scope, Scope] = {}
    for key, scopes in after.items():
        others = before.get(key, [])
        if len(others) == len(scopes):
            found.update(zip(scopes, others, strict=True))
    return found


def ancestors(scope: Scope) -> list[Scope]:
    found: list[Scope] = []
    outer = scope.parent
    while outer is not None:
        found.append(outer)
        outer = outer.parent
    return found


def at(file: FileIndex, offset: int) -> str:
    row = file.data.count(b"\n", 0, offset) + 1
    return f"{file.path}:{row}"
