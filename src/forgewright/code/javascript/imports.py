"""Who imports an export, and what an import imports: the edges along which a name crosses files."""

from __future__ import annotations

import posixpath
import re

import msgspec

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.names import key_of
from forgewright.code.javascript.program import Program, dotted
from forgewright.code.scopes.tree import Node

_STAR = re.compile(rb"\bexport\s*\*")


class Exported(msgspec.Struct, frozen=True, eq=False):
    """An entity as a module exports it. `kind` is `named`, `default`, `equals` or `commonjs`."""

    entity: Entity
    module: Entity
    kind: str
    importing: bool = False
    """Not an export: the right side of `export import X = Y`, which leads to X."""


class Importers:
    """Where an export is imported: names to change and no more, and local names to search for."""

    __slots__ = ("searches", "singles")

    def __init__(self) -> None:
        self.singles: list[Node] = []
        self.searches: list[tuple[Node, Entity]] = []


def export_at(program: Program, node: Node, entity: Entity) -> Exported | None:
    """The export that a reference at `node` is or stands in."""
    parent = node.up
    unit = program.unit(node.path)
    if parent.type == "import_alias":
        if parent.items[0] is not node:
            left = parent.items[0]
            exported = parent.up.type == "export_statement"
            own = unit.decl.get(left) if unit is not None else None
            return Exported(own.real, own.real, "named", True) if exported and own is not None else None
        if entity.container is not None and entity.container.kind == "module":
            return Exported(entity, entity.container, "named")
        return None
    container = entity.container
    scope = unit.scope_at(node) if unit is not None else None
    module = scope.entity if scope is not None else None
    assigned = parent.type == "export_statement" and parent.get("declaration") is None
    if assigned and module is not None and node.field in ("value", None):
        if parent.has("default"):
            return Exported(entity, module, "default")
        if parent.has("="):
            return Exported(entity, module, "equals")
    if parent.type == "assignment_expression" and node.field == "right" and unit is not None and unit.module:
        target = parent.get("left")
        if target is not None and target.text == "module.exports":
            return Exported(entity, unit.module, "commonjs")
    aliased = entity.alias is not None and entity.kind == "alias"
    if container is None or container.kind != "module" or aliased:
        if entity.alias is not None and any(n.type == "namespace_export" for n in entity.nodes) and container:
            return Exported(entity, container, "named")
        return None
    if container.exports.get("default") is entity:
        return Exported(entity, container, "default")
    return Exported(entity, container, "named")


def import_at(program: Program, node: Node, entity: Entity) -> Entity | None:
    """The export behind an import under the same name, if `node` is where it is imported."""
    parent = node.up
    plain = (
        (parent.type == "import_specifier" and parent.get("alias") is None)
        or parent.type in ("import_clause", "namespace_import")
        or (parent.type == "import_require_clause" and node.type == "identifier")
    )
    if not plain or entity.alias is None:
        return None
    imported = program.immediate(entity)
    if imported is None:
        return None
    if imported.alias is not None and imported.alias.target is not None:
        specifier = next((n for n in imported.nodes if n.type == "export_specifier"), None)
        if imported.name == "default":
            return None
        if imported.name == "export=" or (specifier is not None and specifier.get("alias") is None):
            imported = program.immediate(imported)
    if imported is not None and imported.kind == "module":
        equals = imported.exports.get("export=")
        imported = program.immediate(equals) if equals is not None else None
    name = imported.declared_name if imported is not None else ""
    return imported if name in ("default", entity.name) else None


class ImportTracker:
    """Finds the imports of an export among the files that contain its name."""

    def __init__(self, program: Program, renaming: bool) -> None:
        self.program = program
        self.renaming = renaming

    def importers(self, entity: Entity, module: Entity, kind: str) -> Importers:
        found = Importers()
        name = entity.declared_name
        paths = dict.fromkeys(self.program.containing(name))
        if not self.renaming and kind != "named":
            paths.update(dict.fromkeys(self.program.naming(_stem(module))))
        modules = self._barrels(module.real)
        for path in paths:
            unit = self.program.unit(path)
            for how, source, statement in unit.edges if unit is not None else []:
                if self.program.leads(source, modules):
                    self._statement(found, how, statement, entity, name, kind)
        return found

    def _barrels(self, module: Entity) -> set[Entity]:
        """The module and all that re-export everything of it."""
        found = {module}
        fresh = [module]
        while fresh:
            current = fresh.pop()
            for path in self.program.naming(_stem(current), b"export"):
                if not _STAR.search(self.program.project.source(path).data):
                    continue
                unit = self.program.unit(path)
                for owner, sources in unit.stars.items() if unit is not None else ():
                    for source in sources:
                        if owner.real not in found and self.program.leads(source, {current}):
                            found.add(owner.real)
                            fresh.append(owner.real)
        return found

    def _statement(
        self, found: Importers, how: str, statement: Node, entity: Entity, name: str, kind: str
    ) -> None:
        if how == "call":
            self._import_type(found, statement, name, kind)
            return
        if how == "require":
            clause = statement.first("import_require_clause")
            local = clause.first("identifier") if clause else None
            if local is None and statement.up.type == "variable_declarator":
                declared = statement.up.get("name")
                local = declared if declared is not None and declared.type == "identifier" else None
            self._whole(found, local, name, kind)
            return
        if how == "export":
            clause = statement.first("export_clause")
            for specifier in clause.items if clause is not None else []:
                self._specifier(found, specifier, entity, name, kind)
            return
        clause = statement.first("import_clause")
        for item in clause.items if clause is not None else []:
            if item.type == "namespace_import":
                self._whole(found, item.items[0] if item.items else None, name, kind)
            elif item.type == "named_imports" and kind in ("named", "default"):
                for specifier in item.items:
                    self._specifier(found, specifier, entity, name, kind)
            elif item.type == "identifier" and kind != "named" and (not self.renaming or item.text == name):
                self._search(found, item)

    def _whole(self, found: Importers, local: Node | None, name: str, kind: str) -> None:
        if (
            local is not None
            and kind in ("equals", "commonjs")
            and (not self.renaming or local.text in (name, "default"))
        ):
            self._search(found, local)

    def _import_type(self, found: Importers, call: Node, name: str, kind: str) -> None:
        access = call.up
        parts = dotted(access)
        if parts is not None and parts[0] is call and parts[1].text == name and kind == "named":
            in_type = access.up.type in (
                "type_annotation",
                "type_query",
                "generic_type",
                "type_alias_declaration",
            )
            if in_type:
                found.singles.append(parts[1])

    def _specifier(self, found: Importers, specifier: Node, entity: Entity, name: str, kind: str) -> None:
        imported, alias = specifier.get("name"), specifier.get("alias")
        key = key_of(imported)
        if imported is None or key is None:
            return
        public = entity.name if kind == "named" else None
        if not (key[0] == public or (public is None and key[0] in (entity.name, "default"))):
            return
        if alias is not None:
            found.singles.append(imported)
            if not self.renaming or alias.text == (name if kind == "default" else entity.name):
                self._search(found, alias)
        else:
            self._search(found, imported)

    def _search(self, found: Importers, local: Node) -> None:
        unit = self.program.unit(local.path)
        entity = unit.decl.get(local) if unit is not None else None
        if entity is not None:
            found.searches.append((local, entity))


def _stem(module: Entity) -> str:
    """What a specifier of this module has to contain: the file's name, or the folder's for an index file."""
    path = module.name
    stem = posixpath.basename(path).split(".")[0]
    if stem == "index":
        return posixpath.basename(posixpath.dirname(path)) or "."
    return stem or path
