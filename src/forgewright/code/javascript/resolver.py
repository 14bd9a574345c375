"""The resolver of JavaScript, TypeScript and TSX: symbols, occurrences and renames over one project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forgewright.code.binding import DEFAULTS, Occurrence, RenameOptions, Renaming, Role, Symbol
from forgewright.code.javascript import hazards, labels, literals
from forgewright.code.javascript.checker import Checker
from forgewright.code.javascript.entities import Entity, Unit
from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.meaning import Meanings
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, STRINGS, name_of
from forgewright.code.javascript.program import Program
from forgewright.code.javascript.search import Hit, Search
from forgewright.code.javascript.shapes import Shapes
from forgewright.code.project import Project, Splice
from forgewright.code.scopes.bounds import bounded
from forgewright.code.scopes.prose import with_prose
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds, places
from forgewright.core.errors import EditRefused

LEFTOVER_MAX = 500
KINDS = {
    "const": "variable",
    "let": "variable",
    "var": "variable",
    "getter": "method",
    "setter": "method",
    "alias": "import",
    "enum member": "property",
    "type parameter": "type",
    "namespace": "module",
    "object": "variable",
}
_MEMBER_NODES = kinds("property_identifier private_property_identifier shorthand_property_identifier_pattern")


class JavaScriptResolver:
    """See `Resolver`. Files are parsed and bound when a question first needs them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.program = Program(project)
        self.checker = Checker(self.program)
        self.meanings = Meanings(self.checker)

    # symbols

    @bounded
    def symbol_at(self, path: str, offset: int) -> Symbol | None:
        here = self._at(path, offset)
        if here is None:
            return self.symbol_here(path, offset)
        node, entity = here
        target = self.program.resolve(entity) or entity
        if target.roots:
            target = target.flat()[0]
        if target.kind == "module" or not target.names or target.unit.path[:1] == "\0":
            target = entity.flat()[0]
        if target.names and target.unit.path[:1] != "\0":
            return self._symbol(target, target.names[0])
        return self._symbol(entity, node) if target.unit.path[:1] != "\0" else None

    @bounded
    def symbol_here(self, path: str, offset: int) -> Symbol | None:
        """The symbol at this very place, imports not followed: renaming it renames what is local to it."""
        unit = self.program.unit(path)
        node = name_at(unit, offset) if unit is not None else None
        if node is None:
            return None
        if labels.labelled(node) is not None:
            return Symbol(node.text, "label", path, node.start, node.end)
        entity = self.meanings.at(node)
        if entity is None:
            text = literals.renamable(self.checker, node)
            return Symbol(text, "string", path, node.start, node.end) if text is not None else None
        if entity.unit.path[:1] == "\0":
            return None
        return self._symbol(entity, node)

    def _at(self, path: str, offset: int) -> tuple[Node, Entity] | None:
        unit = self.program.unit(path)
        node = name_at(unit, offset) if unit is not None else None
        entity = self.meanings.at(node) if node is not None else None
        return (node, entity) if node is not None and entity is not None else None

    def _symbol(self, entity: Entity, name: Node) -> Symbol:
        return Symbol(
            entity.declared_name,
            KINDS.get(entity.kind, entity.kind),
            name.path,
            name.start,
            name.end,
            _container(name),
        )

    @bounded
    def definitions(self, path: str) -> Sequence[Symbol]:
        unit = self.program.unit(path)
        if unit is None:
            return ()
        found = [
            self._symbol(entity, node)
            for node, entity in unit.decl.items()
            if entity.kind != "alias" and node.path == path
        ]
        return sorted(found, key=lambda symbol: (symbol.start, symbol.end))

    @bounded
    def names_at(self, path: str, offset: int) -> Mapping[str, Symbol | None]:
        unit = self.program.unit(path)
        if unit is None:
            return {}
        found: dict[str, Symbol | None] = {}
        for name, entity in self.program.names(unit.scope_at(unit.root.at(offset))).items():
            target = self.program.resolve(entity)
            target = entity if target is None or not target.names else target
            found[name] = self._symbol(target, target.names[0]) if target.names else None
        return found

    # occurrences

    @bounded
    def occurrences(self, symbol: Symbol) -> Sequence[Occurrence]:
        node = self._node(symbol)
        statement = labels.labelled(node)
        if statement is not None:
            return tuple(
                Occurrence(n.path, n.start, n.end, "definition" if n.up is statement else "reference")
                for n in labels.occurrences(statement)
            )
        entity = self.meanings.at(node)
        if entity is None:
            return ()
        search = Search(self.meanings, renaming=False, shorthand=True, keep=False)
        search.run(node, entity)
        found = [
            self._occurrence(hit.node, hit.node in self._unit(hit.node).decl) for hit in search.hits.values()
        ]
        return tuple(sorted([*found, *self._uncertain(search, entity)]))

    def _uncertain(self, search: Search, entity: Entity) -> list[Occurrence]:
        """Members of things whose type is not known; variables are never uncertain."""
        if not _is_member(entity) and self.meanings.parameter_property(entity) is None:
            return []
        return [
            Occurrence(node.path, node.start, node.end, _role(node, False), False, reason)
            for node, reason in search.unknown.items()
            if node.type in _MEMBER_NODES and node not in search.hits
        ]

    def _occurrence(self, node: Node, declares: bool) -> Occurrence:
        inner = 1 if node.type in STRINGS else 0
        return Occurrence(node.path, node.start + inner, node.end - inner, _role(node, declares))

    def _unit(self, node: Node) -> Unit:
        unit = self.program.unit(node.path)
        assert unit is not None
        return unit

    def _node(self, symbol: Symbol) -> Node:
        unit = self.program.unit(symbol.path)
        node = name_at(unit, symbol.start) if unit is not None else None
        if node is None:
            raise EditRefused(
                f"{symbol.path} has no name at byte {symbol.start}",
                hint="resolve the symbol again: the file is not what it was",
            )
        return node

    # renaming

    @bounded
    def rename(self, symbol: Symbol, new_name: str, *, options: RenameOptions = DEFAULTS) -> Renaming:
        node = self._node(symbol)
        if node.text == "default":
            raise EditRefused(
                "`default` is a keyword, not a name", hint="point at the name of what is exported"
            )
        if new_name == symbol.name:
            raise EditRefused(f"{new_name!r} is its name already", hint="give another name")
        statement = labels.labelled(node)
        if statement is not None:
            return self._rename_label(statement, new_name)
        entity = self.meanings.at(node)
        if entity is None:
            return literals.rename(self.checker, node, new_name)
        imported = _plain_import(entity) and not options.aliases
        self._check_target(self.program.resolve(entity) or entity if imported else entity, node)
        shorthand, keep = options.shorthand, options.aliases
        search = Search(
            self.meanings, renaming=True, shorthand=shorthand, keep=keep, hierarchy=options.hierarchy
        )
        tags = _intrinsic_tags(node)
        for tag in tags:
            search.hits[tag] = Hit(tag, entity, "node")
        if not tags:
            search.run(node, entity)
        hits = list(search.hits.values())
        quoted = all(hit.node.type in STRINGS or hit.node.type == "number" for hit in hits)
        hazards.check_name(new_name.removeprefix("#"), quoted=quoted or "-" in symbol.name)
        if not options.allow_capture:
            hazards.check(search, hits, new_name)
        shapes = Shapes(self.meanings, new_name, shorthand=shorthand, keep=keep)
        splices = {shapes.splice(hit, node, entity) for hit in hits}
        uncertain = self._uncertain(search, entity)
        if options.uncertain:
            splices |= {self._uncertain_splice(o, symbol.name, new_name) for o in uncertain}
            uncertain = []
        if not splices:
            raise EditRefused(
                f"nothing is called {symbol.name!r} by its own name here", hint="name its definition"
            )
        leftover = self._leftover(symbol.name, hits, uncertain)
        hazards.check_parsed(self.program, leftover)
        made = Renaming(tuple(sorted(splices)), (), tuple(sorted(uncertain)), leftover)
        return with_prose(made, new_name, options)

    def _uncertain_splice(self, place: Occurrence, old: str, new: str) -> Splice:
        unit = self.program.unit(place.path)
        node = unit.root.at(place.start) if unit is not None else None
        short = node is not None and node.type == "shorthand_property_identifier_pattern"
        return Splice(place.path, place.start, place.end, (f"{new}: {old}" if short else new).encode())

    def _check_target(self, entity: Entity, node: Node) -> None:
        if any(root.unit.path[:1] == "\0" for root in entity.flat()):
            raise EditRefused(
                f"{node.text!r} is of the language's own library, outside the project",
                hint="only what the project itself defines can be renamed",
            )
        foreign = [root.unit.path for root in entity.flat() if _installed(root.unit.path)]
        if foreign and not _installed(node.path):
            raise EditRefused(
                f"{node.text!r} is defined in an installed package, {foreign[0]}",
                hint="only what the project itself defines can be renamed",
            )

    def _rename_label(self, statement: Node, new_name: str) -> Renaming:
        hazards.check_name(new_name, quoted=False)
        body = [n for n in statement.walk() if n.type == "statement_identifier" and n.text == new_name]
        around = [above.get("label") for above in statement.above() if above.type == "labeled_statement"]
        if body or any(label is not None and label.text == new_name for label in around):
            raise EditRefused(
                f"the label {new_name!r} is already used around or inside this statement",
                hint="choose another name",
            )
        found = labels.occurrences(statement)
        return Renaming(tuple(Splice(n.path, n.start, n.end, new_name.encode()) for n in found))

    def _leftover(
        self, name: str, hits: Sequence[Hit], uncertain: Sequence[Occurrence]
    ) -> tuple[Occurrence, ...]:
        """Where else the old name stands, in the files that the rename changes."""
        done = {(hit.node.path, hit.node.start) for hit in hits}
        done |= {(hit.node.path, hit.node.start + 1) for hit in hits if hit.node.type in STRINGS}
        done |= {(occurrence.path, occurrence.start) for occurrence in uncertain}
        found: list[Occurrence] = []
        for path in sorted({hit.node.path for hit in hits}):
            unit = self.program.unit(path)
            for offset in places(unit.data, name) if unit is not None else ():
                if (path, offset) not in done and unit is not None:
                    node = unit.root.at(offset)
                    end = offset + len(name.encode())
                    found.append(Occurrence(path, offset, end, _role(node, node in unit.decl)))
                if len(found) >= LEFTOVER_MAX:
                    return tuple(found)
        return tuple(found)


def _plain_import(entity: Entity) -> bool:
    """Imported by name under the exporter's own name."""
    return any(node.type == "import_specifier" and node.get("alias") is None for node in entity.nodes)


def _installed(path: str) -> bool:
    return "node_modules" in path.split("/")


def _is_member(entity: Entity) -> bool:
    if entity.roots:
        return True
    return entity.scope is None and entity.container is not None and entity.container.kind != "module"


def _intrinsic_tags(node: Node) -> list[Node]:
    """The two tags of an element such as `<div></div>`, which are renamed together and nothing else."""
    element = node.up.up
    if element.type != "jsx_element" or node.field != "name" or not node.text[:1].islower():
        return []
    tags = [element.get("open_tag"), element.get("close_tag")]
    names = [tag.get("name") if tag is not None else None for tag in tags]
    return [name for name in names if name is not None]


def _role(node: Node, declares: bool) -> Role:
    parent = node.up
    if node.type in ("comment", "jsdoc_name") or any(above.type == "comment" for above in node.above()):
        return "comment"
    if parent.type in ("import_specifier", "import_clause", "namespace_import", "import_require_clause"):
        return "import"
    if parent.type in ("export_specifier", "namespace_export"):
        return "export"
    if declares:
        return (
            "keyword"
            if parent.type == "pair" or node.type == "shorthand_property_identifier"
            else "definition"
        )
    if node.type in STRINGS or node.type == "string_fragment":
        return "string"
    if parent.type in ("pair_pattern", "jsx_attribute"):
        return "keyword"
    target = (
        parent
        if parent.type in ("member_expression", "subscript_expression") and node.field != "object"
        else node
    )
    if (
        target.up.type in ("assignment_expression", "augmented_assignment_expression")
        and target.field == "left"
    ):
        return "write"
    return "write" if target.up.type == "update_expression" else "reference"


def _container(name: Node) -> str:
    """The dotted names of the classes, namespaces and functions around a definition."""
    parts: list[str] = []
    own = name.up
    for above in own.above():
        if above.type in FUNCTIONS or above.type in CLASSES or above.type in _NAMED_CONTAINERS:
            inner = name_of(above)
            if inner is None and above.up.type in ("variable_declarator", "pair", "public_field_definition"):
                inner = name_of(above.up)
            if inner is not None and inner is not name:
                parts.append(inner.text)
    return ".".join(reversed(parts))


_NAMED_CONTAINERS = kinds("interface_declaration enum_declaration internal_module type_alias_declaration")
