"""All places in a project where a symbol's name stands for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence, Role
from forgewright.code.python.keys import NONE, Key, Keys
from forgewright.code.python.scopes import FileIndex
from forgewright.code.substitution import PROSE, standing

if TYPE_CHECKING:
    from forgewright.code.project import Project
    from forgewright.code.python.keys import Identity

LOCAL = frozenset({"function", "lambda", "comprehension", "typeparams"})
ROUNDS_MAX = 6


def only_called(data: bytes, name: bytes) -> bool:
    """Whether the name stands nowhere but as `.name(`: then nothing in the file binds it."""
    return all(
        data[at - 1 : at] == b"." and data[at + len(name) : at + len(name) + 1] == b"("
        for at in standing(data, name)
    )


class Finder:
    """Finds the places of a set of keys that share one name."""

    def __init__(self, project: Project, identity: Identity, file: Callable[[str], FileIndex]) -> None:
        self.project = project
        self.identity = identity
        self.file = file
        self.types = identity.types
        self.modules = identity.modules

    def find(
        self, keys: Keys, name: str, *, hierarchy: bool, release: Callable[[], None] = lambda: None
    ) -> tuple[Keys, list[Occurrence]]:
        """The places, and the keys after joining what must be renamed together.

        `release` is called where no scope is held: it may forget the facts of files, to bound the memory.
        """
        for _ in range(ROUNDS_MAX):
            if hierarchy:
                keys = self.family(keys, name, release)
            places: dict[tuple[str, int], Occurrence] = {}
            joined: set[Key] = set(keys)
            for path in self.candidates(keys, name):
                for place, found in self.in_file(self.file(path), keys, name):
                    joined |= found
                    at = (place.path, place.start)
                    if at not in places or (place.certain and not places[at].certain):
                        places[at] = place
                release()
            if joined == keys:
                break
            keys = frozenset(joined)
        return keys, sorted(places.values())

    def candidates(self, keys: Keys, name: str) -> list[str]:
        if all(not key.is_module and self.is_local(key) for key in keys):
            return sorted({key.path for key in keys})
        found = set(self.project.containing(name.encode(), "python"))
        found |= {key.path for key in keys if not key.is_module}
        return sorted(found)

    def is_local(self, key: Key) -> bool:
        scope = self.identity.scope(key)
        if scope.kind not in LOCAL:
            return False
        if scope.kind != "function" or scope.self_name == key.name:
            return True
        return all(p.name != key.name or p.kind in ("positional", "star", "kwargs") for p in scope.parameters)

    def family(self, keys: Keys, name: str, release: Callable[[], None] = lambda: None) -> Keys:
        """With a method also those that it overrides and that override it."""
        members = {key for key in keys if not key.is_module and self.identity.scope(key).kind == "class"}
        if not members or name.startswith("__"):
            return keys
        above = {key: self.above(key) for key in members}
        for path in self.project.containing(name.encode(), "python"):
            if only_called(self.project.source(path).data, name.encode()):
                continue
            for scope in self.file(path).scopes:
                if scope.kind == "class" and (
                    name in scope.bindings or name in scope.self_sites or name in scope.slots
                ):
                    home = self.identity.canonical(scope, name)
                    key = Key(home.file.path, home.index, name)
                    if key not in above:
                        above[key] = self.above(key)
            release()
        wanted = set(members)
        grown = True
        while grown:
            grown = False
            for key, classes in above.items():
                if key in wanted:
                    continue
                here = (key.path, key.scope)
                if any((other.path, other.scope) in classes or here in above[other] for other in wanted):
                    wanted.add(key)
                    grown = True
        return keys | frozenset(wanted)

    def above(self, key: Key) -> frozenset[tuple[str, int]]:
        """A class and those that it inherits from, as (file, number of the scope)."""
        order = self.types.mro(self.identity.scope(key))[0]
        return frozenset((scope.file.path, scope.index) for scope in order)

    # one file ---------------------------------------------------------------------------------

    def in_file(self, file: FileIndex, keys: Keys, name: str) -> Iterator[tuple[Occurrence, Keys]]:
        assert file.focus is None or name in file.focus, "the facts of this file leave this name out"
        path, identity = file.path, self.identity

        def place(start: int, end: int, role: Role, certain: bool = True, note: str = "") -> Occurrence:
            return Occurrence(path, start, end, role, certain, note)

        for scope in file.scopes:
            binding = scope.bindings.get(name)
            if binding is None:
                continue
            found = identity.of_binding(binding)
            if scope.kind == "class" and not found & keys:
                own = Key(path, scope.index, name)
                canonical = identity.canonical(scope, name)
                found |= {own} if canonical is scope else {Key(canonical.file.path, canonical.index, name)}
            if found & keys:
                for site in binding.sites:
                    role: Role = "definition"
                    if site.role == "import":
                        role = "import"
                    elif site.role == "write" or site is not binding.sites[0]:
                        role = "definition" if site.kind in ("function", "class") else "write"
                    yield place(site.start, site.end, role), found if scope.kind != "class" else NONE
        for ref in file.names.get(name, ()):
            found = identity.of_name(ref, name)
            if found & keys:
                yield place(ref.start, ref.end, "reference"), found
        yield from self.attributes(file, keys, name)
        yield from self.keywords(file, keys, name)
        for entry in file.imported.get(name, ()):
            if entry.alias is not None and (found := identity.of_link(entry.link, path)) & keys:
                yield place(entry.start, entry.end, "import"), found
        modules = {key.path for key in keys if key.is_module}
        for segment in file.segments.get(name, ()):
            module = self.modules.find(path, segment.level, segment.module)
            if module is not None and module in modules:
                yield place(segment.start, segment.end, "import"), NONE
        for text in file.texts.get(name, ()):
            if text.kind == "__all__":
                bound = self.types.lookup(file.module, name)
                if (bound is not None and identity.of_binding(bound) & keys) or (
                    bound is None and identity.of_module_member(self.modules.module_of(path), name) & keys
                ):
                    yield place(text.start, text.end, "export"), NONE
            else:
                key = identity.of_member(text.scope, name)
                if key is not None and key in keys:
                    yield place(text.start, text.end, "string"), NONE
        if file.root.has_error:
            for start, end in self.broken(file, keys, name):
                yield place(start, end, "reference", False, "the code around it cannot be parsed"), NONE

    def broken(self, file: FileIndex, keys: Keys, name: str) -> Iterator[tuple[int, int]]:
        """Where the name stands in code with an error: what binds it there is not known."""
        local = all(not key.is_module and self.is_local(key) for key in keys)
        homes = [self.identity.scope(key).node.start_byte for key in keys] if local else []
        for top in file.root.children:
            start, end = top.start_byte, top.end_byte
            if not top.has_error or (local and not any(start <= home < end for home in homes)):
                continue
            for at in standing(file.data, name.encode()):
                node = (
                    top.descendant_for_byte_range(at, at + len(name.encode())) if start <= at < end else None
                )
                if node is not None and node.type not in PROSE:
                    yield at, at + len(name.encode())

    def attributes(self, file: FileIndex, keys: Keys, name: str) -> Iterator[tuple[Occurrence, Keys]]:
        entries = file.attributes.get(name, ())
        if not entries:
            return
        members = any(not key.is_module and self.identity.scope(key).kind == "class" for key in keys)
        reachable = members or any(key.is_module or self.identity.scope(key).kind == "module" for key in keys)
        if not reachable:
            return
        for entry in entries:
            found, unsure = self.identity.of_attribute(entry, name)
            role: Role = "write" if entry.kind == "store" else "reference"
            if entry.kind in ("key", "getattr"):
                role = "string"
            if found & keys:
                certain, note = entry.kind != "getattr", ""
                if not certain:
                    note = "a name in a string"
                elif found - keys:
                    certain, note = False, "may also be another one of that name"
                yield Occurrence(file.path, entry.start, entry.end, role, certain, note), NONE
            elif unsure and members and not found and entry.kind != "key":
                note = "the object's type is not known"
                yield Occurrence(file.path, entry.start, entry.end, role, False, note), NONE

    def keywords(self, file: FileIndex, keys: Keys, name: str) -> Iterator[tuple[Occurrence, Keys]]:
        entries = file.keywords.get(name, ())
        if not entries:
            return
        callers: set[str] = set()
        for key in keys:
            if key.is_module:
                continue
            scope = self.identity.scope(key)
            if scope.kind == "function":
                owner = scope.method_of
                special = owner is not None and scope.name in ("__init__", "__new__", "__call__")
                callers.add(owner.name if special and owner is not None else scope.name)
            elif scope.kind == "class":
                callers.add(scope.name)
        if not callers:
            return
        for entry in entries:
            found, unsure = self.identity.of_keyword(entry, name)
            if found & keys:
                certain = not found - keys
                note = "" if certain else "may also be another one's parameter"
                yield Occurrence(file.path, entry.start, entry.end, "keyword", certain, note), NONE
            elif unsure and not found:
                function = entry.call.child_by_field_name("function")
                last = file.text(function).rpartition(".")[2] if function is not None else ""
                if last in callers:
                    note = "the function called is not known"
                    yield Occurrence(file.path, entry.start, entry.end, "keyword", False, note), NONE
