"""Which names of JavaScript or TypeScript an edit has taken the meaning from: lost ones, and captured ones.

Only what was there before is judged, and only names that scopes decide; members are a matter of types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import ANY
from forgewright.code.javascript.names import name_of, string_text
from forgewright.code.kept import Kept
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity, Scope, Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.scopes.tree import Node

REFERENCES = frozenset(("identifier", "type_identifier", "shorthand_property_identifier"))
_TAGS = frozenset(("jsx_opening_element", "jsx_closing_element", "jsx_self_closing_element"))
_NAMED = frozenset(("import_specifier", "namespace_import", "namespace_export", "meta_property"))
GLOBALS = kinds(
    "AbortController Array ArrayBuffer BigInt Boolean Buffer Date Error Function Infinity Intl JSON Map Math NaN "
    "Number Object Promise Proxy Reflect RegExp Set String Symbol TypeError URL URLSearchParams WeakMap WeakSet "
    "clearInterval clearTimeout console document exports fetch globalThis isNaN localStorage module navigator "
    "parseFloat parseInt process queueMicrotask require self setInterval setTimeout structuredClone window"
)
_CLAUSE = re.compile(rb"""\b(import|export)\b([^;'"]*?)\bfrom\s*['"]([^'"\n]+)['"]""")
_DECLARED = re.compile(
    r"export\s+(?:(?:default|declare|abstract|async|interface|type|function|class|const|let|var|enum)\s+)+([\w$]+)"
)
BARRELS_MAX = 200
"""Files through which an export is followed on."""
REMOVED_MAX = 100
"""Exports taken away whose importers are looked at."""


class ScriptBindings:
    """The project before and after an edit; `changed` maps each file after it to the one it was (None: new)."""

    def __init__(
        self, before: Program, after: Program, changed: Mapping[str, str | None], gone: set[str]
    ) -> None:
        self.before = before
        self.after = after
        self.changed = changed
        self.gone = gone
        """Files that are not there any more, or not under this path."""
        self.removed: dict[str, set[str]] = {}
        self.barrels: set[str] = set()

    def lost(self) -> Iterator[str]:
        """`path:line name: why` of what does not mean anything any more."""
        yield from dict.fromkeys(self._lost())

    def _lost(self) -> Iterator[str]:
        self.removed = self._removed()
        self.barrels = self._through({home for homes in self.removed.values() for home in homes})
        meant: set[str] = set()
        for old in self._old():
            unit = self.before.unit(old)
            if unit is not None:
                meant |= {n.text for n in named(unit)} - self._unbound(unit).keys()
        for path, was in self.changed.items():
            unit, other = self.after.unit(path), self.before.unit(was) if was is not None else None
            if unit is None:
                continue
            unbound = self._unbound(other) if other is not None else {}
            for name, node in self._unbound(unit).items():
                if name not in unbound and name in meant and self.after.lookup(node, ANY) is None:
                    yield f"{at(node)} {name}: bound nowhere any more"
            yield from self._imports(path, unit)
        yield from self._taken()

    def captured(self) -> Iterator[str]:
        """`path:line name: why` of what means something else than before."""
        for path, old in self.changed.items():
            was, now = self.before.unit(old) if old is not None else None, self.after.unit(path)
            if was is not None and now is not None:
                yield from self._captured(was, now)

    def _old(self) -> set[str]:
        return {old for old in (*self.changed.values(), *self.gone) if old is not None}

    @staticmethod
    def _unbound(unit: Unit) -> dict[str, Node]:
        """Names that the file itself does not declare, with one place of each."""
        found: dict[str, Node] = {}
        for node in named(unit):
            if node.text not in found and nearest(unit, node) is None:
                found[node.text] = node
        return found

    # imports

    def _imports(self, path: str, unit: Unit) -> Iterator[str]:
        """Imports of what was there before the edit, and is not after it."""
        old = self.changed[path]
        was = self.before.unit(old) if old is not None else None
        written = {(name, source) for _, name, source in imports(was)} if was is not None else set()
        for node, name, source in imports(unit):
            if old is not None and (name, source) in written and self._same(old, path, source):
                continue
            if self._leads(self.after, path, source, name):
                continue
            if any(self._had(old, source, name) for old in sorted(self._old())):
                yield f"{at(node)} {name}: not to be imported from there any more"

    def _same(self, old: str, path: str, source: str) -> bool:
        """Whether an import leads to the same file as before, behind which nothing has changed."""
        target = self.after.modules.resolve(path, source)
        if target in self.changed or target in self.gone or target in self.barrels:
            return False
        return target == self.before.modules.resolve(old, source)

    def _had(self, old: str, source: str, name: str) -> bool:
        unit = self.before.unit(old)
        if unit is None:
            return False
        written = any((n, s) == (name, source) for _, n, s in imports(unit))
        return written and self._leads(self.before, old, source, name)

    def _leads(self, program: Program, path: str, source: str, name: str) -> bool:
        """Whether an import brings something in; one from outside the project does."""
        target = program.modules.resolve(path, source)
        if target is None:
            return not source.startswith(".") or program.module(path, source) is not None
        unit = program.unit(target)
        if unit is None or unit.module is None:
            return unit is None
        return _exported(program, unit.module, name)

    def _removed(self) -> dict[str, set[str]]:
        """Names that files have exported and export no more → these files as they were."""
        found: dict[str, set[str]] = {}
        for old in sorted(self._old()):
            was = self.before.unit(old)
            if was is None or was.module is None:
                continue
            now = self.after.unit(old)
            for name in was.module.exports:
                if now is None or now.module is None or not _exported(self.after, now.module, name):
                    found.setdefault(name, set()).add(old)
        return found

    def _through(self, homes: set[str]) -> set[str]:
        """These files and those that export from them in turn."""
        found, fresh = set(homes), sorted(homes)
        while fresh and len(found) < BARRELS_MAX:
            current = fresh.pop()
            for path in self.before.naming(_stem(current), b"export"):
                if path not in found and current in self._sources(path, b"export"):
                    found.add(path)
                    fresh.append(path)
        return found

    def _sources(self, path: str, word: bytes, name: bytes = b"") -> set[str | None]:
        """The files from which a file imports or exports `name`, read without binding it."""
        data = self.before.project.source(path).data
        return {
            self.before.modules.resolve(path, found[3].decode("utf-8", "replace"))
            for found in _CLAUSE.finditer(data)
            if found[1] in (word, b"export") and name in found[2]
        }

    def _taken(self) -> Iterator[str]:
        """What files that have not changed import from modules that have it no more."""
        for name, homes in sorted(self.removed.items())[:REMOVED_MAX]:
            reach = self._through(homes)
            word = b"" if name in ("default", "export=") else name.encode()
            near = {p for home in reach for p in self.before.naming(_stem(home))}
            for path in sorted(near if not word else near & set(self.before.containing(name))):
                if path in self.changed or path in self.gone:
                    continue
                if not reach & self._sources(path, b"import", word):
                    continue
                unit = self.after.unit(path)
                for node, imported, source in imports(unit) if unit is not None else ():
                    if imported != name or not self._leads(self.before, path, source, name):
                        continue
                    if not self._leads(self.after, path, source, name):
                        yield f"{at(node)} {name}: not to be imported from there any more"

    # captured

    def _captured(self, was: Unit, now: Unit) -> Iterator[str]:
        kept = Kept(was.data, now.data)
        seen: set[str] = set()
        for node in named(now):
            name, before = node.text, kept.before(node.start)
            if name in seen or before is None:
                continue
            place = was.root.at(before)
            if place.start != before or place.type != node.type or place.text != name:
                continue
            meant, means = nearest(was, place), nearest(now, node)
            if means is None or not means.names or means.names[0].path != now.path or means.scope is None:
                continue
            if meant is None:
                if name not in GLOBALS:
                    continue
            elif meant.scope is None or not _inside(means.scope, meant.scope):
                continue
            if self._was_there(kept, means):
                continue
            seen.add(name)
            yield f"{at(node)} {name}: would mean the new {name} at {at(means.names[0])}"

    @staticmethod
    def _was_there(kept: Kept, entity: Entity) -> bool:
        """Whether one of its declarations stands on a line that did not change."""
        return any(kept.before(node.start) is not None for node in entity.names)


def nearest(unit: Unit, node: Node) -> Entity | None:
    """What a name means by the declarations of its own file."""
    name = node.text
    for scope in unit.scope_at(node).chain():
        found = scope.table.get(name)
        if found is None and scope.entity is not None:
            found = scope.entity.real.exports.get(name)
        if found is not None:
            return found.real
    return None


def references(unit: Unit) -> Iterator[Node]:
    """The names of a file that scopes give a meaning."""
    for node in unit.root.walk():
        if node.type not in REFERENCES or node in unit.decl or node.text == "arguments":
            continue
        parent = node.up
        if parent.type in _NAMED or (parent.type in _TAGS and node.text[:1].islower()):
            continue
        if parent.type == "export_specifier" and (
            node.field == "alias" or parent.up.up.get("source") is not None
        ):
            continue
        if parent.type == "nested_type_identifier" and node.field == "name":
            continue
        yield node


def named(unit: Unit) -> Iterator[Node]:
    """The references, and the `x` of `{ x }` in an object literal, which declares a property and reads a variable."""
    yield from references(unit)
    for node in unit.decl:
        if node.type == "shorthand_property_identifier" and node.path == unit.path:
            yield node


def imports(unit: Unit) -> Iterator[tuple[Node, str, str]]:
    """(where it is named, exported name, module) of what a file imports or exports from elsewhere by name."""
    for _, source, statement in unit.edges:
        text = string_text(source)
        clause = statement.first("import_clause", "export_clause")
        if not text or clause is None:
            continue
        for node in clause.walk():
            if node.type in ("import_specifier", "export_specifier"):
                name = node.get("name")
                if name is not None:
                    yield name, name.text, text
            elif node.type == "identifier" and node.up.type == "import_clause":
                yield node, "default", text


def _exported(program: Program, module: Entity, name: str) -> bool:
    """Whether a module exports a name, or may."""
    real = module.real
    if program.export(real, name) is not None or "export=" in real.exports:
        return True
    unit = program.unit(real.unit.path)
    if unit is None or any(_broken_export(unit, node, name) for node in unit.root.children):
        return True
    commonjs = unit.javascript and b"exports" in unit.data
    unknown = any(program.module_of(source) is None for source in program.stars(real))
    return commonjs or unknown or name == "default"


def _broken_export(unit: Unit, node: Node, name: str) -> bool:
    """Whether a piece of the top level that was not understood may export the name."""
    if node.type not in ("export", "ERROR"):
        return False
    end = unit.data.find(b"\n", node.end)
    text = unit.data[node.start : end if end >= 0 else len(unit.data)].decode("utf-8", "replace")
    lines = [line[line.index("export") :] for line in text.split("\n") if "export" in line]
    return any((found := _DECLARED.match(line)) is None or found[1] == name for line in lines)


def _inside(inner: Scope, outer: Scope) -> bool:
    """Whether a scope of the file after an edit lies within one of the file before it."""
    mine, theirs = _path(inner), _path(outer)
    return len(mine) > len(theirs) and mine[: len(theirs)] == theirs


def _path(scope: Scope) -> list[tuple[str, str]]:
    found = []
    for here in scope.chain():
        name = name_of(here.node)
        found.append((here.kind, name.text if name is not None else ""))
    return found[::-1]


def _stem(path: str) -> str:
    stem = path.rpartition("/")[2].split(".")[0]
    return stem if stem != "index" else path.rpartition("/")[0].rpartition("/")[2] or stem


def at(node: Node) -> str:
    return f"{node.path}:{node.data.count(bytes([10]), 0, node.start) + 1}"
