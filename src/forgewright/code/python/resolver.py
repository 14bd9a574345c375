"""The Python resolver: from a place to a symbol, from a symbol to all its places."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

from forgewright.code.binding import DEFAULTS, Occurrence, RenameOptions, Renaming, Symbol
from forgewright.code.deadline import check as check_time
from forgewright.code.project import Project
from forgewright.code.python.facts import facts, forget, held
from forgewright.code.python.infer import Inference
from forgewright.code.python.keys import NONE, Identity, Key, Keys
from forgewright.code.python.modules import Modules, modules_of
from forgewright.code.python.occurrences import Finder
from forgewright.code.python.scopes import FileIndex, Scope, Site
from forgewright.core.errors import EditRefused, NotFound

WORD = re.compile(rb"[\w\x80-\xff]+")
KINDS = {
    "function": "function",
    "class": "class",
    "parameter": "parameter",
    "import": "import",
    "from": "import",
    "typeparam": "type-parameter",
    "type": "type",
}

HELD_BYTES_MAX = 2 << 20
"""Source whose facts are held at once where they may be forgotten; with its tree it takes forty times as much."""
FOLLOWED_BYTES_MAX = 1 << 20
"""Of these, source of files that others import from: kept when the rest is forgotten, since they are asked again."""
HELD_BYTES_REFUSED = 7 << 19
"""More than this is held for no operation."""


class PythonResolver:
    """Implements `Resolver` for Python. Facts of files are kept as long as their source is the same."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._held = 0
        self._followed: set[str] = set()
        self._focus: frozenset[str] | None = None

    @cached_property
    def modules(self) -> Modules:
        return modules_of(self.project)

    @cached_property
    def types(self) -> Inference:
        return Inference(self.modules, self._follow)

    @cached_property
    def identity(self) -> Identity:
        return Identity(self.types, self.modules)

    @cached_property
    def finder(self) -> Finder:
        return Finder(self.project, self.identity, self.file)

    @cached_property
    def _files(self) -> dict[str, FileIndex]:
        return {}

    def _follow(self, path: str) -> FileIndex:
        """The facts of a file that another one speaks of."""
        self._followed.add(path)
        return self.file(path)

    @contextmanager
    def focused(self, *words: str) -> Iterator[None]:
        """Meanwhile only places of these words are asked for: the facts of files are found faster.

        No scope may be held from before to within, or from within to after.
        """
        before = self._focus
        self._focus = frozenset(words) | (before or frozenset())
        self._drop(lambda file: file.focus is None)
        try:
            yield
        finally:
            self._focus = before
            self._drop(lambda file: file.focus is None)

    def file(self, path: str) -> FileIndex:
        """The facts of a file."""
        check_time()
        found = self._files.get(path)
        if found is None:
            found = self._files[path] = facts(self.project.source(path), self._focus)
            self._held += held(found)
            if self._held > HELD_BYTES_REFUSED:
                self._held = HELD_BYTES_MAX + 1
                self.release()
                raise EditRefused(
                    f"more than {HELD_BYTES_REFUSED / (1 << 20):.1f} MiB of code would have to be looked through at once",
                    hint="the name stands in too many files: choose a symbol with a rarer one",
                )
        return found

    def release(self) -> None:
        """Forget the facts of files if they have become many: scopes from before are not those from after."""
        if self._held <= HELD_BYTES_MAX:
            return
        followed = self._followed & self._files.keys()
        if sum(held(self._files[path]) for path in followed) > FOLLOWED_BYTES_MAX:
            followed.clear()
        for file in self._drop(lambda file: file.path in followed):
            file.source.forget_tree()
            forget(file)
        gc.collect()

    def _drop(self, kept: Callable[[FileIndex], bool]) -> list[FileIndex]:
        """Let go the facts of all files but some, and what was concluded from them."""
        dropped = [file for file in self._files.values() if not kept(file)]
        if not dropped:
            return dropped
        for file in dropped:
            del self._files[file.path]
        self._followed &= self._files.keys()
        self._held = sum(held(file) for file in self._files.values())
        self.types.forget()
        self.identity.forget()
        return dropped

    # Resolver ---------------------------------------------------------------------------------

    def symbol_at(self, path: str, offset: int) -> Symbol | None:
        keys, name = self.keys_at(path, offset)
        return self.symbol(keys, name, path) if keys else None

    def definitions(self, path: str) -> Sequence[Symbol]:
        file = self.file(path)
        found: list[Symbol] = []
        for scope in file.scopes:
            if scope.kind not in ("module", "class"):
                continue
            names = {**{n: b.sites for n, b in scope.bindings.items()}}
            for name, sites in scope.self_sites.items():
                names.setdefault(name, sites)
            for name, sites in names.items():
                own = [site for site in sites if site.role != "import" and site.kind != "del"]
                if own:
                    found.append(self._symbol_of(file, scope, name, own[0]))
        return sorted(found, key=lambda symbol: (symbol.start, symbol.end))

    def occurrences(self, symbol: Symbol) -> Sequence[Occurrence]:
        with self.focused(symbol.name):
            keys = self.keys_of(symbol)
            return self.finder.find(keys, symbol.name, hierarchy=False, release=self.release)[1]

    def names_at(self, path: str, offset: int) -> Mapping[str, Symbol | None]:
        file = self.file(path)
        scope: Scope | None = file.scope_at(offset)
        found: dict[str, Symbol | None] = {}
        direct = True
        while scope is not None:
            if scope.kind != "class" or direct:
                for name, binding in scope.bindings.items():
                    if name not in found and name not in scope.nonlocals:
                        found[name] = self.symbol(self.identity.of_binding(binding), name, path)
            direct = direct and scope.kind == "typeparams"
            scope = scope.parent
        for link, _ in file.stars:
            module = self.modules.find(path, link.level, link.module)
            for other in self.modules.files(module) if module is not None else ():
                for name in self.file(other).module.bindings:
                    if name not in found and self.types.starred(file, name) is not None:
                        found[name] = self.symbol(
                            self.identity.of_module_member(module or "", name), name, path
                        )
        return found

    def rename(self, symbol: Symbol, new_name: str, *, options: RenameOptions = DEFAULTS) -> Renaming:
        from forgewright.code.python.rename import rename

        with self.focused(symbol.name, new_name):
            return rename(self, symbol, new_name, options)

    # keys -------------------------------------------------------------------------------------

    def keys_at(self, path: str, offset: int) -> tuple[Keys, str]:
        """The keys of the identifier at (or ending at) a byte, and its text."""
        file = self.file(path)
        word = word_at(file.data, offset)
        if word is None:
            return NONE, ""
        start, end = word
        name = file.data[start:end].decode("utf-8", "replace")
        identity = self.identity
        for scope in file.scopes:
            binding = scope.bindings.get(name)
            if binding is not None and any(site.start == start for site in binding.sites):
                return identity.of_binding(binding), name
        for ref in file.names.get(name, ()):
            if ref.start == start:
                return identity.of_name(ref, name), name
        for attribute in file.attributes.get(name, ()):
            if attribute.start == start:
                if attribute.kind in ("pattern", "getattr"):
                    return NONE, name
                return identity.of_attribute(attribute, name)[0], name
        for keyword in file.keywords.get(name, ()):
            if keyword.start == start:
                return identity.of_keyword(keyword, name)[0], name
        for imported in file.imported.get(name, ()):
            if imported.start == start:
                return identity.of_link(imported.link, path), name
        for segment in file.segments.get(name, ()):
            if segment.start == start and segment.statement.type == "import_statement":
                module = self.modules.find(path, segment.level, segment.module)
                return (frozenset({Key(module, -1, "")}) if module is not None else NONE), name
        for text in file.texts.get(name, ()):
            if text.start == start and text.kind == "__all__":
                bound = self.types.lookup(file.module, name)
                return (identity.of_binding(bound) if bound is not None else NONE), name
        return NONE, name

    def keys_of(self, symbol: Symbol) -> Keys:
        """Raises `NotFound` if nothing is defined at the symbol's place."""
        if symbol.kind == "module":
            module = (
                symbol.path if symbol.path in self.modules.folders else self.modules.module_of(symbol.path)
            )
            return frozenset({Key(module, -1, "")})
        keys, name = self.keys_at(symbol.path, symbol.start)
        for text in self.file(symbol.path).texts.get(symbol.name, ()):
            if text.start == symbol.start and text.kind == "__slots__":
                key = self.identity.of_member(text.scope, symbol.name)
                keys, name = frozenset({key} if key is not None else ()), symbol.name
        if not keys or name != symbol.name:
            raise NotFound(
                f"no definition of {symbol.name} at {symbol.path}:{symbol.start}",
                hint="the file may have changed; look the symbol up again",
            )
        return keys

    # symbols ----------------------------------------------------------------------------------

    def symbol(self, keys: Keys, name: str, path: str) -> Symbol | None:
        """The definition that the keys stand for; in `path` if there is one there."""
        ordered = sorted(keys, key=lambda key: (key.is_module, key.path != path, key))
        for key in ordered:
            if key.is_module:
                files = self.modules.files(key.path)
                last = key.path.rpartition("/")[2]
                return Symbol(last, "module", files[0] if files else key.path, 0, 0)
            sites = self.identity.sites(key)
            if sites:
                return self._symbol_of(self.file(key.path), self.identity.scope(key), key.name, sites[0])
            for text in self.file(key.path).texts.get(key.name, ()):
                if text.kind == "__slots__":
                    where = self.identity.scope(key).dotted()
                    return Symbol(key.name, "field", key.path, text.start, text.end, where)
        return None

    def _symbol_of(self, file: FileIndex, scope: Scope, name: str, site: Site) -> Symbol:
        kind = KINDS.get(site.kind, "variable")
        if scope.kind == "class":
            kind = {"function": "method", "variable": "field"}.get(kind, kind)
        return Symbol(name, kind, file.path, site.start, site.end, scope.dotted())


def word_at(data: bytes, offset: int) -> tuple[int, int] | None:
    """The identifier around or ending at a byte."""
    start = offset
    while start > 0 and WORD.match(data, start - 1):
        start -= 1
    found = WORD.match(data, start)
    if found is None or found.end() < offset or data[start : start + 1].isdigit():
        return None
    return start, found.end()


def resolver_of(resolver: object) -> PythonResolver:
    """The Python resolver behind the protocol. Raises `EditRefused` for another language's."""
    if not isinstance(resolver, PythonResolver):
        raise EditRefused(
            "this operation is not known for this file's language",
            hint="its help (forgewright edit --explain NAME) says for which it is; structural edits are for all",
        )
    return resolver
