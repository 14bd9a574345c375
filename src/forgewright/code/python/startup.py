"""Whether modules can still be imported: names that are read before they are bound, and imports that go in circles.

A module's import is played through, statement by statement, as far as syntax tells; functions are not entered.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from forgewright.code.python.startup_events import Event, events

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver

MODULES_MAX = 300
"""Modules that one import is followed through."""
BUILTINS = frozenset(dir(builtins)) | {
    "__file__",
    "__path__",
    "__annotations__",
    "__builtins__",
    "__package__",
}


class Failure(msgspec.Struct, frozen=True):
    """One thing that is not there yet when a module needs it."""

    path: str
    line: int
    name: str
    why: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.path, self.name, self.why


class Startup:
    """The modules of one state of a project; what they do at import is read once."""

    def __init__(self, resolver: PythonResolver) -> None:
        self.resolver = resolver
        self._events: dict[str, list[Event] | None] = {}

    def events(self, path: str) -> list[Event] | None:
        if path not in self._events:
            self._events[path] = events(self.resolver.project.source(path).data)
        return self._events[path]

    def imports(self, path: str) -> set[tuple[int, tuple[str, ...], str]]:
        """What a module imports when it is imported."""
        return {(e.level, e.module, e.member) for e in self.events(path) or () if e.module or e.level}

    def targets(self, path: str) -> set[str]:
        """The modules of the project that it imports directly."""
        found = set()
        for level, module, _ in self.imports(path):
            target = self.resolver.modules.find(path, level, module)
            if target is not None:
                found.add(target)
        return found

    def sequence(self, path: str) -> list[str]:
        """Those modules in the order in which they are imported first."""
        found: dict[str, None] = {}
        for event in self.events(path) or ():
            if not event.module and not event.level:
                continue
            target = self.resolver.modules.find(path, event.level, event.module)
            inner = self.resolver.modules.submodule(target, event.member) if target and event.member else None
            if target is not None:
                found.setdefault(inner or target)
        return list(found)

    def play(self, path: str, *, alone: bool = False) -> list[Failure]:
        """What fails when the program begins by importing the module `path`; `alone`: without what it imports."""
        run = _Run(self, alone)
        run.enter(self.resolver.modules.module_of(path))
        return run.failures


class _Run:
    """One beginning of a program."""

    def __init__(self, startup: Startup, alone: bool) -> None:
        self.startup = startup
        self.modules = startup.resolver.modules
        self.alone = alone
        self.first = True
        self.bound: dict[str, set[str]] = {}
        """Module → the names that it has so far."""
        self.open: set[str] = set()
        """Those that are being imported."""
        self.unknown: set[str] = set()
        """Those whose names cannot be told."""
        self.failures: list[Failure] = []

    def enter(self, module: str) -> None:
        """Import a module of the project, the packages around it first."""
        if self.alone and not self.first:
            return
        parent = module.rpartition("/")[0]
        if parent and not self.alone and self.modules.files(parent) and parent not in self.bound:
            self.enter(parent)
        files = self.modules.files(module)
        if module in self.bound or not files or len(self.bound) >= MODULES_MAX:
            return
        self.first = False
        names = self.bound.setdefault(module, set())
        if files[0].endswith(".pyi"):
            self.unknown.add(module)
            return
        happening = self.startup.events(files[0])
        if happening is None:
            self.unknown.add(module)
            return
        self.open.add(module)
        later = {e.name for e in happening if e.kind in ("bind", "import", "from")}
        unsure = 0
        aliases: dict[str, str] = {}
        for event in happening:
            unsure += {"unsure": 1, "sure": -1}.get(event.kind, 0)
            before = len(self.failures)
            for failure in self._step(module, files[0], event, names, later, aliases):
                self.failures.append(failure)
            if unsure:
                # What is imported there begins, but whether it has to work is not known.
                del self.failures[before:]
        self.open.discard(module)

    def _step(
        self, module: str, path: str, event: Event, names: set[str], later: set[str], aliases: dict[str, str]
    ) -> Iterator[Failure]:
        if event.kind == "bind":
            names.add(event.name)
            aliases.pop(event.name, None)
        elif event.kind in ("load", "member"):
            if event.name in later and event.name not in names and event.name not in BUILTINS:
                if module not in self.unknown:
                    yield Failure(path, event.line, event.name, "read before it is bound")
            target = aliases.get(event.name)
            if event.kind == "member" and target is not None and not self._ready(target, event.member):
                yield Failure(path, event.line, event.member, f"not yet in {self.modules.dotted(target)}")
        elif event.kind == "import":
            yield from self._import(path, event, names, aliases)
        elif event.kind in ("from", "star"):
            yield from self._from(module, path, event, names, aliases)

    def _import(self, path: str, event: Event, names: set[str], aliases: dict[str, str]) -> Iterator[Failure]:
        target = None
        for stop in range(1, len(event.module) + 1):
            target = self.modules.find(path, 0, event.module[:stop])
            if target is not None:
                self.enter(target)
        names.add(event.name)
        if target is not None and (len(event.module) == 1 or event.name != event.module[0]):
            aliases[event.name] = target
        yield from ()

    def _from(
        self, module: str, path: str, event: Event, names: set[str], aliases: dict[str, str]
    ) -> Iterator[Failure]:
        target = self.modules.find(path, event.level, event.module)
        if target is None:
            if event.kind == "star":
                self.unknown.add(module)
        else:
            self.enter(target)
            if event.kind == "star":
                if self.alone or target in self.unknown:
                    self.unknown.add(module)
                names |= self.bound.get(target, set())
                return
            inner = self.modules.submodule(target, event.member)
            if event.member not in self.bound.get(target, ()) and inner is not None:
                self.enter(inner)
                aliases[event.name] = inner
            elif not self._ready(target, event.member):
                yield Failure(path, event.line, event.member, f"not yet in {self.modules.dotted(target)}")
        names.add(event.name)

    def _ready(self, target: str, name: str) -> bool:
        """Whether a module has a name by now; only of one that is being imported can it be told that it has not."""
        if target not in self.open or target in self.unknown:
            return True
        names = self.bound[target]
        return (
            name in names
            or "__getattr__" in names
            or name.startswith("__")
            or self.modules.submodule(target, name) is not None
        )
