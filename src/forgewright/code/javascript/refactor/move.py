"""Declarations of one module to another, verbatim: what they need is imported there, what used them follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NoReturn

import msgspec

from forgewright.code import layout
from forgewright.code.javascript.entities import ANY, Entity
from forgewright.code.javascript.modules import Modules
from forgewright.code.javascript.program import Program
from forgewright.code.javascript.refactor import exports
from forgewright.code.javascript.refactor.followers import Follower, Followers, Public
from forgewright.code.javascript.refactor.graph import circle, targets
from forgewright.code.javascript.refactor.imports import Wanted, cut, edit, head, lines, style, trimmed
from forgewright.code.javascript.refactor.needs import Needs
from forgewright.code.javascript.refactor.pieces import (
    KINDS,
    TYPES,
    Piece,
    at_top,
    check_place,
    documented,
    eager,
    meaning,
    pieces_of,
    row,
    spoken,
    typed_place,
    written,
)
from forgewright.code.javascript.refactor.specifiers import named_like
from forgewright.code.javascript.refactor.unused import Uses
from forgewright.code.project import Splice
from forgewright.code.sources import Overlay
from forgewright.code.staging import Staging, spliced
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.project import Project
    from forgewright.code.scopes.tree import Node

_ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs")


class MoveOptions(msgspec.Struct, frozen=True):
    """The same as in Python; see `move-symbol`."""

    style: str = "keep"
    place: str = "end"
    reexport: bool = False
    allow_cycle: bool = False
    copy: bool = False


class Move:
    """One move of some declarations, planned over one project."""

    def __init__(
        self,
        project: Project,
        origin: str,
        entities: Sequence[Entity],
        program: Program,
        to: str,
        options: MoveOptions,
    ) -> None:
        self.project = project
        self.program = program
        self.origin = origin
        self.to = to
        self.options = options
        self.entities = [entity.real for entity in entities]
        unit = program.unit(origin)
        assert unit is not None
        self.unit = unit
        self.notes: list[str] = []
        self.valued: set[tuple[str, str]] = set()
        """Imports of values that the move adds: (file, file that it imports)."""
        self.elided: set[tuple[str, str]] = set()
        """Imports that it adds, and that are gone with the types."""
        self._check()
        self.fresh = not project.exists(to)
        self.overlay = Overlay(project)
        if self.fresh:
            self.overlay.put(to, b"")
        self.after = Modules(self.overlay)
        other = program.unit(to) if not self.fresh else Program(self.overlay).unit(to)
        assert other is not None
        self.other = other
        self.blank = exports.is_blank(other)
        if not self.blank and not exports.is_es_module(other):
            raise EditRefused(
                f"{to} is no module: it neither imports nor exports", hint="name another file, or a new one"
            )
        for one in (unit, other):
            _parsed(one)
        self.pieces = pieces_of(unit, self.entities)
        self.verbatim = _verbatim(program, unit) or _verbatim(program, other)

    def _check(self) -> None:
        if self.origin == self.to:
            raise EditRefused(f"it is in {self.to} already", hint="name another file")
        if not self.to.endswith(_ENDINGS):
            raise EditRefused(
                f"{self.to} is no file of JavaScript or TypeScript", hint="name one, as util.ts"
            )
        if not exports.is_es_module(self.unit):
            raise EditRefused(
                f"{self.origin} is no ES module: it neither imports nor exports by statements",
                hint="definitions are moved between ES modules",
            )
        declared = self.origin.endswith((".d.ts", ".d.mts", ".d.cts"))
        if declared != self.to.endswith((".d.ts", ".d.mts", ".d.cts")):
            raise EditRefused(
                "declaration files hold declarations only", hint="move between files of one kind"
            )
        if not self.unit.javascript and self.to.endswith((".js", ".jsx", ".mjs", ".cjs")):
            raise EditRefused("TypeScript cannot go to a JavaScript file", hint="name a .ts file")
        for entity in self.entities:
            if entity.kind not in KINDS or not at_top(self.unit, entity):
                raise EditRefused(
                    f"{entity.declared_name or 'this'} is no definition at the top of {self.origin}",
                    hint="functions, classes, variables, interfaces, types, enums and namespaces are moved",
                )

    # the plan

    def plan(self) -> tuple[list[Splice], dict[str, bytes]]:
        """Splices of files that are there, and the new file. Raises `EditRefused`."""
        check_place(self.unit, self.pieces, self.to)
        for path in (self.origin, self.to):
            stem, dot, ending = path.rpartition(".")
            beside = f"{stem}.d.{ending.replace('js', 'ts')}"
            if dot and ending in ("js", "mjs") and self.project.exists(beside):
                self.notes.append(f"{beside} declares what {path} exports, and is as it was")
        self._collisions()
        names = {e: exports.publics(self.program, self.unit, e) for e in self.entities}
        left = [] if self.options.copy else self._left()
        self.default = self._keeps_default(names)
        needs = Needs(self)
        needs.collect()
        followers: list[Follower] = []
        self._barrels(names)
        used = {entity for _, entity, _ in left}
        exported = {e for e in self.entities if names[e] or e in used}
        if not self.options.copy:
            followers = self._followers(names)
        there = next((f for f in followers if f.unit is self.other), None)
        own = next((f for f in followers if f.unit.path == self.to), there)
        arrived = self._arrival(needs, exported, own)
        found: list[Splice] = [] if self.fresh else arrived
        valued = {f.unit.path for f in followers if f.valued}
        for follower in followers:
            if follower.unit.path != self.to:
                found += edit(follower.unit, gone=follower.gone, wanted=follower.wanted)
                found += follower.splices
        found += self._departure(names, left, needs)
        if left and any(not typed for _, _, typed in left):
            valued.add(self.origin)
        if self.options.reexport and any(e.kind not in TYPES for e in self.entities):
            valued.add(self.origin)
        created = {self.to: spliced(b"", arrived)} if self.fresh else {}
        result = joined(found, self.program)
        self.valued = {(path, self.to) for path in valued} | {(self.to, path) for path in needs.valued}
        staged = Staging(self.project)
        staged.apply(result)
        staged.create(created)
        self.elided = self._elided(staged)
        if not self.options.allow_cycle:
            self._circles(staged)
        return result, created

    def _barrels(self, names: Mapping[Entity, Mapping[str, object]]) -> None:
        """Files that export all of the new module must not have the same names from elsewhere."""
        if self.fresh or self.default:
            return
        nothing = Entity("", "copy", self.other)
        for entity in self.entities:
            if names[entity]:
                one = nothing if self.options.copy else entity
                exports.check_barrels(self.program, self.to, entity.declared_name, one)

    def _collisions(self) -> None:
        """The new names must not meet others in the new module."""
        top = self.other.top
        for entity in self.entities:
            name = entity.declared_name
            there = self.program.declared(top, name) if not self.fresh else None
            if there is not None and self.program.resolve(there) is not entity:
                raise EditRefused(f"{self.to} has another {name} already", hint="rename one of them first")
            public = self.other.module.exports.get(name) if self.other.module is not None else None
            if public is not None and self.program.resolve(public) is not entity:
                raise EditRefused(
                    f"{self.to} exports another {name} already", hint="rename one of them first"
                )
            if self.options.copy and there is not None:
                raise EditRefused(f"{self.to} imports {name} already", hint="remove that import first")
            if there is None:
                self.free(name)

    def free(self, name: str) -> None:
        """Refuse a name that the new module uses for something from outside of it."""
        for node in spoken(self.other):
            if node.text == name and self.program.visible(self.other.scope_at(node), name, ANY) is None:
                raise EditRefused(
                    f"{self.to}:{row(node)} {name} means something global there, and would mean the new one",
                    hint="rename it first",
                )

    def _left(self) -> list[tuple[Piece | None, Entity, bool]]:
        """Uses in what stays of the old module: (none, entity, only a type)."""
        found: list[tuple[Piece | None, Entity, bool]] = []
        wanted = {entity.declared_name for entity in self.entities}
        for node in [*spoken(self.unit), *documented(self.unit)]:
            if node.text not in wanted or any(piece.holds(node) for piece in self.pieces):
                continue
            up = node.up
            if up.type == "export_specifier" or (up.type == "export_statement" and up.has("default")):
                continue
            entity, typed = meaning(self.program, self.unit, node)
            if entity not in self.entities or entity is None:
                continue
            if written(node):
                raise EditRefused(
                    f"{self.origin}:{row(node)} assigns to {node.text}, which an importing module cannot",
                    hint="move what assigns to it too",
                )
            found.append((None, entity, typed))
        return found

    def _keeps_default(self, names: Mapping[Entity, Mapping[str, object]]) -> bool:
        """Whether the only thing that goes to a new file stays its default export."""
        one = len(self.entities) == 1 and self.blank and not self.options.copy
        return one and set(names[self.entities[0]]) == {"default"}

    def imported(self, entity: Entity) -> str:
        return "default" if self.default else entity.declared_name

    def _typed(self, entity: Entity) -> bool:
        return entity.kind in TYPES

    def _followers(self, names: Mapping[Entity, Mapping[str, object]]) -> list[Follower]:
        publics = {
            name: Public(e, self.imported(e), self._typed(e)) for e in self.entities for name in names[e]
        }
        if not publics:
            return []
        if not self.options.reexport:
            found = Followers(self.program, self.after, self.origin, self.to, publics, self.options.style)
            return list(found.run())
        here = Followers(self.program, self.after, self.origin, self.to, publics, self.options.style)
        return list(here.run(only=self.to))

    # the new module

    def _arrival(self, needs: Needs, exported: set[Entity], own: Follower | None) -> list[Splice]:
        """The text in the new module, with its imports."""
        data = self.other.data
        end = layout.line_end(data if data else self.unit.data)
        text = self._text(needs, exported, end)
        gone = [*(own.gone if own is not None else []), *needs.replaced]
        imports = edit(self.other, gone=gone, wanted=needs.wanted)
        changed = own.splices if own is not None else []
        if not data.strip(b"\xef\xbb\xbf \t\r\n"):
            return [Splice(self.to, 0, len(data), self._new_file(needs, text, end))]
        if self._place(own) == "start":
            kept = lines(self.other)
            at = layout.after_line(data, kept[-1].node.end) if kept else head(self.other)
            over = next((s for s in imports if s.start < at <= s.end and not s.text), None)
            if over is not None and not data[: over.start].strip():
                return [*imports, *changed, Splice(self.to, over.end, over.end, text + end + end)]
            at = over.end if over is not None else at
            before = b"" if at == 0 or data[at - 1 : at] == b"\n" else end
            blank = end if kept else b""
            piece = Splice(self.to, at, at, before + blank + text + end + (b"" if kept else end))
            return [*imports, *changed, piece]
        stop = len(data.rstrip())
        tail = data[stop:] if data[stop:].strip(b" \t") else end
        return [*imports, *changed, Splice(self.to, stop, len(data), end + end + text + tail)]

    def _new_file(self, needs: Needs, text: bytes, end: bytes) -> bytes:
        directives = b"".join(
            node.text.encode() + end
            for node in self.unit.root.children
            if node.type == "expression_statement" and [n.type for n in node.items] == ["string"]
        )
        blank = Program(_one(self.to, b"")).unit(self.to)
        assert blank is not None
        quote, semicolon = style(self.unit)
        imports = b"".join(s.text for s in edit(blank, wanted=needs.wanted, written_as=(quote, semicolon)))
        parts = [part for part in (directives.strip(), imports.strip(), text) if part]
        return (end + end).join(part.replace(b"\r\n", b"\n").replace(b"\n", end) for part in parts) + end

    def _place(self, own: Follower | None) -> str:
        """At the start if the new module needs it as soon as it runs, and it is no function."""
        if self.options.place == "start" or own is None:
            return self.options.place
        hoisted = all(entity.kind in ("function", "interface", "type") for entity in self.entities)
        locals_ = {brought.local for brought in own.gone}
        at_once = [
            node
            for node in spoken(self.other)
            if node.text in locals_
            and not typed_place(node)
            and eager(node)
            and node.up.type != "export_specifier"
        ]
        return "start" if at_once and not hoisted else "end"

    def _text(self, needs: Needs, exported: set[Entity], end: bytes) -> bytes:
        out = b""
        previous: Piece | None = None
        data = self.unit.data
        for piece in self.pieces:
            edits = [s for s in needs.inner if piece.start <= s.start < piece.end]
            if any(self._declares(piece, entity) for entity in exported):
                edits += exports.as_exported(piece, default=self.default)
            elif piece.node.type == "export_statement" and not self.default:
                edits += exports.as_exported(piece, default=False)
            moved = [Splice(s.path, s.start - piece.start, s.end - piece.start, s.text) for s in edits]
            text = spliced(data[piece.start : piece.end], moved)
            if previous is not None:
                gap = data[previous.end : piece.start]
                close = layout.only_space(gap) and gap.count(b"\n") == 1
                out += end if close else end + end
            out += text.replace(b"\r\n", b"\n").replace(b"\n", end)
            previous = piece
        if self.default and all(p.node.type != "export_statement" for p in self.pieces):
            _, semicolon = style(self.unit)
            out += end + end + f"export default {self.entities[0].declared_name}{semicolon}".encode()
        return out

    def _declares(self, piece: Piece, entity: Entity) -> bool:
        return any(piece.node.start <= node.start < piece.node.end for node in entity.nodes)

    # the old module

    def _departure(
        self,
        names: Mapping[Entity, Mapping[str, object]],
        left: Sequence[tuple[Piece | None, Entity, bool]],
        needs: Needs,
    ) -> list[Splice]:
        """What becomes of the old module."""
        found = list(needs.published)
        if self.options.copy:
            return found
        unit = self.unit
        specifiers = [
            node
            for entity in self.entities
            for node in exports.publics(self.program, unit, entity).values()
            if node is not None
        ]
        found += exports.retract(unit, specifiers)
        uses = Uses(self.program, unit, without=[(piece.start, piece.end) for piece in self.pieces])
        gone = [
            b for line in uses.lines for b in line.brought if b.node in needs.taken and not uses.used(line, b)
        ]
        models = [line.source for line in lines(unit)] + [line.source for line in lines(self.other)]
        source = named_like(self.after, self.origin, self.to, models)
        wanted = []
        for entity in self.entities:
            mine = [typed for _, one, typed in left if one is entity]
            if mine:
                typed = self.verbatim and not unit.javascript and (entity.kind in TYPES)
                wanted.append(Wanted(source, self.imported(entity), entity.declared_name, typed))
        again = self._again(names, source) if self.options.reexport else []
        if not again and not wanted and not self._module_without({b.node for b in gone}, specifiers):
            again = ["export {};"]
        found = edit(unit, gone=gone, wanted=wanted, below=again) + found
        return [*found, *(cut(unit, piece.start, piece.end) for piece in self.pieces)]

    def _again(self, names: Mapping[Entity, Mapping[str, object]], source: str) -> list[str]:
        """The old module goes on exporting what it did."""
        quote, semicolon = style(self.unit)
        out = []
        for typed in (False, True):
            parts = [
                self.imported(e) if self.imported(e) == name else f"{self.imported(e)} as {name}"
                for e in self.entities
                if (e.kind in TYPES) == typed
                for name in names[e]
            ]
            if parts:
                keyword = "export type" if typed else "export"
                out.append(f"{keyword} {{ {', '.join(parts)} }} from {quote}{source}{quote}{semicolon}")
        return out

    def _module_without(self, gone: set[Node], specifiers: Sequence[Node]) -> bool:
        if self.unit.path.endswith((".mjs", ".mts")):
            return True
        moved = {piece.node for piece in self.pieces}
        for node in self.unit.root.children:
            if node.type == "export_statement" and node not in moved:
                clause = node.first("export_clause")
                if clause is None or not all(item in specifiers for item in clause.items):
                    if not (node.has("default") and node.get("value") in specifiers):
                        return True
        return any(
            line.node.type == "import_statement"
            and (not line.brought or any(b.node not in gone for b in line.brought))
            for line in lines(self.unit)
        )

    # circles

    def _circles(self, staged: Staging) -> None:
        had = circle(self.project, self.to) if not self.fresh else {}
        fresh = [path for path in circle(staged.overlay, self.to, self.elided) if path not in had]
        if fresh:
            refuse_circle(self.to, fresh[0])

    def _elided(self, staged: Staging) -> set[tuple[str, str]]:
        """New imports, each as (file, file it imports), of which TypeScript leaves nothing."""
        if self.verbatim or self.unit.javascript:
            return set()
        modules, after = Modules(self.project), Modules(staged.overlay)
        found = {
            (path, self.to)
            for path in staged.touched
            if path != self.to and self.to not in targets(self.project, modules, path)
        }
        before = targets(self.project, modules, self.to) if not self.fresh else set()
        found |= {(self.to, path) for path in targets(staged.overlay, after, self.to) if path not in before}
        return found - self.valued


def refuse_circle(one: str, other: str) -> NoReturn:
    raise EditRefused(
        f"{one} and {other} would import each other", hint="move what they share too, or allow_cycle: true"
    )


def joined(splices: Sequence[Splice], program: Program) -> list[Splice]:
    """Cuts that touch the same blank lines become one."""
    out: list[Splice] = []
    for splice in sorted(splices, key=lambda s: (s.path, s.start, s.end)):
        last = out[-1] if out else None
        if last is not None and last.path == splice.path and splice.start < last.end:
            if last.text or splice.text:
                raise EditRefused(
                    f"{splice.path}: two changes meet at byte {splice.start}",
                    hint="move one thing after the other",
                )
            out[-1] = Splice(last.path, last.start, max(last.end, splice.end), b"")
            continue
        out.append(splice)
    return [
        splice
        for path, mine in groupby(out, key=lambda splice: splice.path)
        for splice in trimmed(program.project.source(path).data, mine)
    ]


def _parsed(unit: Unit) -> None:
    """Refuse a file of which a part is not understood: names in it would be overlooked."""
    broken = next((node for node in unit.root.walk() if node.type == "ERROR"), None)
    if broken is not None:
        raise EditRefused(
            f"{unit.path}:{row(broken)} is not understood by the parser, and may name what is moved",
            hint="write it in another way first, or move it by hand",
        )


def _verbatim(program: Program, unit: Unit) -> bool:
    """Whether types have to be imported as such, or are here."""
    options = program.modules.options(unit.path)
    if any(options.get(key) for key in ("verbatimModuleSyntax", "isolatedModules", "preserveValueImports")):
        return True
    return any(line.typed or any(b.typed for b in line.brought) for line in lines(unit))


def _one(path: str, data: bytes) -> Project:
    from forgewright.code.sources import MemoryProject

    return MemoryProject({path: data})


def named(program: Program, path: str, name: str) -> Entity:
    """What a module defines under a name at its top. Raises `EditRefused`."""
    unit = program.unit(path)
    found = program.declared(unit.top, name) if unit is not None else None
    if unit is None or found is None or found.kind not in KINDS or found.unit is not unit:
        own = defined(unit) if unit is not None else []
        raise EditRefused(
            f"{path} defines no {name}", hint=f"it defines: {', '.join(own[:20])}" if own else ""
        )
    return found.real


def defined(unit: Unit) -> list[str]:
    """The names that a module defines at its top, in order."""
    found = [
        (name.start, entity.real.declared_name)
        for name, entity in unit.decl.items()
        if entity.kind in KINDS and at_top(unit, entity.real) and name.path == unit.path
    ]
    return list(dict.fromkeys(name for _, name in sorted(found)))


__all__ = ["Move", "MoveOptions", "defined", "joined", "named"]
