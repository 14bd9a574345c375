"""All occurrences of an entity: through imports and exports, object literals, bases and destructuring.

What belongs together follows the rules by which TypeScript's language service finds references (its
"find all references" and "import tracker"), over the entities and types of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal as Choice

from forgewright.code.javascript.checker import Checker
from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.imports import ImportTracker, export_at, import_at
from forgewright.code.javascript.jsdoc import doc_of, is_doc
from forgewright.code.javascript.meaning import Meanings
from forgewright.code.javascript.names import NAMES, STRINGS, string_text
from forgewright.code.javascript.types import Instance, Static
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import places

Found = Choice["node", "property for local", "local for property"]
"""How a name that is both a property and a variable was found, which decides how `{ x }` is expanded."""
Coming = Choice["import", "export", "members", ""]
"""From where a search comes to a file; `members`: only accesses to members of a module are looked at."""


class Hit:
    """One occurrence: the node of a name (of a string: the whole literal)."""

    __slots__ = ("entity", "found", "node")

    def __init__(self, node: Node, entity: Entity, found: Found) -> None:
        self.node = node
        self.entity = entity
        self.found = found


class Query:
    """What is looked for: entities under one name."""

    __slots__ = ("coming", "entities", "text")

    def __init__(self, text: str, entities: list[Entity], coming: Coming = "") -> None:
        self.text = text
        self.entities = entities
        self.coming = coming

    def wants(self, entity: Entity | None) -> bool:
        return entity is not None and entity.real in self.entities


class Search:
    """One search. `shorthand`: only one of the two meanings of `{ x }` is followed; `keep`: public names
    stay as they are, and what is exported or imported under the same name is not followed.
    """

    def __init__(
        self, meanings: Meanings, *, renaming: bool, shorthand: bool, keep: bool, hierarchy: bool = True
    ) -> None:
        self.meanings = meanings
        self.checker: Checker = meanings.checker
        self.program = meanings.program
        self.renaming = renaming
        self.shorthand = shorthand
        self.keep = keep
        self.hierarchy = hierarchy
        self.hits: dict[Node, Hit] = {}
        self.unknown: dict[Node, str] = {}
        """Places whose meaning is not known, with the reason."""
        self.imports = ImportTracker(self.program, renaming)
        self._searched: set[tuple[str, Entity, str]] = set()
        self._tracked: set[tuple[Entity, str]] = set()

    def run(self, node: Node, entity: Entity) -> None:
        """Find everything that `entity`, as it stands at `node`, means."""
        parent = node.up
        start = entity
        if parent.type == "export_specifier" and not self.keep:
            start = self._local_of_specifier(node, entity)
        specifier = _specifier(start) if self.keep else None
        if specifier is not None:
            name = specifier.get("alias") or specifier.get("name")
            assert name is not None
            query = Query(entity.declared_name, [start])
            self._specifier_hit(name, start, specifier, query, always=True)
            return
        query = Query(_text(start), self._related_all(start, node))
        home = self._home(start)
        paths = [home] if home is not None else self.program.containing(query.text)
        for path in paths:
            self._file(path, query)

    # one file

    def _file(self, path: str, query: Query) -> None:
        key = (path, query.entities[0], query.coming)
        if key in self._searched:
            return
        self._searched.add(key)
        for node in self.nodes(path, query.text):
            self._place(node, query)

    def nodes(self, path: str, text: str) -> Iterable[Node]:
        """The names, strings and documented names in a file that read `text`."""
        unit = self.program.unit(path)
        if unit is None:
            return
        for offset in places(unit.data, text):
            node = unit.root.at(offset)
            if node.type in ("string_fragment", "escape_sequence", '"', "'", "`"):
                node = node.up
            if node.type == "comment":
                if is_doc(node):
                    for root in doc_of(unit, node).nodes():
                        yield from (
                            n for n in root.walk() if n.start == offset and not n.children and n.text == text
                        )
            elif node.type in STRINGS or node.type == "number":
                if (node.text if node.type == "number" else string_text(node)) == text:
                    yield node
            elif node.type in NAMES and node.text == text:
                yield node

    def _place(self, node: Node, query: Query) -> None:
        if node.type == "statement_identifier" or (query.coming == "members" and not _accesses(node)):
            return
        entity = self.meanings.at(node)
        if entity is None:
            if node.type not in STRINGS and node.type != "number":
                self.unknown.setdefault(node, "what it belongs to is not known")
            return
        parent = node.up
        if parent.type == "import_specifier" and node.field == "name" and parent.get("alias"):
            return
        if parent.type == "export_specifier":
            self._specifier_hit(node, entity, parent, query)
            return
        related = self._related(query, entity, node)
        if related is None:
            value = self.meanings.shorthand_value(node)
            if value is not None and query.wants(value):
                self._add(node, value, "property for local")
            elif node.type == "shorthand_property_identifier_pattern" and not self._taken(node):
                self.unknown.setdefault(node, "what it is taken out of is not known")
            return
        self._add(node, related[0], related[1])
        if related[1] != "property for local":
            self._follow(node, entity, query)

    def _taken(self, node: Node) -> bool:
        """Whether it is known what `{ x }` takes a property out of."""
        holder = node.up.up if node.up.type == "object_assignment_pattern" else node.up
        return self.checker.pattern(holder) is not None

    def _add(self, node: Node, entity: Entity, found: Found = "node") -> None:
        if node not in self.hits:
            self.hits[node] = Hit(node, entity, found)

    # imports and exports

    def _local_of_specifier(self, node: Node, entity: Entity) -> Entity:
        """At `foo` in `export { foo as bar }` and at `export { foo }` the local is meant."""
        specifier = node.up
        alias, source = specifier.get("alias"), specifier.up.up.get("source")
        if (node.field == "name" and alias is not None) or (alias is None and source is None):
            own = self._specifier_entity(specifier)
            return self.program.immediate(own) or entity if own is not None else entity
        return entity

    def _specifier_entity(self, specifier: Node) -> Entity | None:
        name = specifier.get("alias") or specifier.get("name")
        return self.checker.declared(name) if name is not None else None

    def _specifier_hit(
        self, node: Node, entity: Entity, specifier: Node, query: Query, *, always: bool = False
    ) -> None:
        alias, source = specifier.get("alias"), specifier.up.up.get("source")
        local = self._local_of_specifier(node, entity)
        if not always and not query.wants(local):
            return
        exported = self._specifier_entity(specifier)
        if alias is None:
            if not (self.renaming and node.text == "default"):
                self._add(node, entity)
        elif node.field == "name":
            if source is None:
                self._add(node, entity)
        else:
            self._add(node, entity)
        if (not self.keep or always) and exported is not None and exported.container is not None:
            kind = "default" if "default" in (node.text, exported.name) else "named"
            self._importers(node, exported, exported.container, kind)
        if query.coming in ("", "import") and source is not None and alias is None and not self.keep:
            imported = self.program.immediate(exported) if exported is not None else None
            if imported is not None:
                self._exporter(imported)

    def _follow(self, node: Node, entity: Entity, query: Query) -> None:
        exported = export_at(self.program, node, entity)
        if exported is not None and not (self.renaming and exported.kind == "commonjs"):
            if exported.importing:
                if query.coming in ("", "import") and not self.keep:
                    self._exporter(exported.entity)
                return
            self._importers(node, exported.entity, exported.module, exported.kind)
        elif query.coming in ("", "import") and not self.keep:
            imported = import_at(self.program, node, entity)
            if imported is not None:
                self._exporter(imported)

    def _exporter(self, entity: Entity) -> None:
        for path in sorted({name.path for name in (*entity.names, *entity.nodes) if name.path[:1] != "\0"}):
            self._file(path, Query(_text(entity), [entity], "import"))

    def _importers(self, node: Node, entity: Entity, module: Entity, kind: str) -> None:
        if (entity, kind) in self._tracked:
            return
        self._tracked.add((entity, kind))
        found = self.imports.importers(entity, module, kind)
        for single in found.singles:
            named_default = single.text == "default" and single.up.type in (
                "import_specifier",
                "export_specifier",
            )
            if not (self.renaming and (named_default or single.type == "string")):
                self._add(single, entity)
        for place, alias in found.searches:
            self._file(place.path, Query(place.text, [alias.real], "export"))
        if kind == "named":
            for path in self.program.containing(_text(entity)):
                self._file(path, Query(_text(entity), [entity.real], "members"))

    # what counts as the same

    def _related_all(self, entity: Entity, node: Node) -> list[Entity]:
        found: list[Entity] = []

        def take(one: Entity, _: Found) -> None:
            if one.real not in found:
                found.append(one.real)

        self._each_related(entity, node, take, populating=True)
        return found

    def _related(self, query: Query, entity: Entity, node: Node) -> tuple[Entity, Found] | None:
        def check(one: Entity, how: Found) -> tuple[Entity, Found] | None:
            return (one, how) if query.wants(one) else None

        found = self._each_related(entity, node, check, populating=False)
        return found if isinstance(found, tuple) else None

    def _each_related(
        self,
        entity: Entity,
        node: Node,
        visit: Callable[[Entity, Found], tuple[Entity, Found] | None],
        *,
        populating: bool,
    ) -> tuple[Entity, Found] | None:
        """Call `visit` with everything that stands for the same as `entity` at `node`, until it answers."""
        renaming_set = populating and self.renaming
        meanings = self.meanings
        if meanings.key_holder(node) is not None or meanings.assigns(node):
            value = meanings.shorthand_value(node)
            if value is not None and renaming_set:
                return visit(value, "property for local")
            expected = meanings.expected_members(node)
            if expected is not None:
                for root in expected.entity.flat():
                    if found := self._rooted(root, visit, "local for property"):
                        return found
            taken = meanings.destructured(node)
            if taken is not None and (found := self._rooted(taken, visit, "local for property")):
                return found
            if value is not None and (found := visit(value, "property for local")):
                return found
        if found := self._rooted(entity, visit, "node"):
            return found
        other = meanings.parameter_property(entity)
        if other is not None:
            return self._rooted(other, visit, "node")
        specifier = _specifier(entity)
        if specifier is not None and (not renaming_set or specifier.get("alias") is None):
            local = self.program.immediate(entity)
            if (
                local is not None
                and specifier.up.up.get("source") is None
                and (found := visit(local, "node"))
            ):
                return found
        if not renaming_set:
            if self.shorthand:
                at_binding = node.type == "shorthand_property_identifier_pattern" and not meanings.assigns(
                    node
                )
                behind = meanings.destructured(node) if at_binding else None
            else:
                behind = meanings.binding_property(entity)
            return self._rooted(behind, visit, "local for property") if behind is not None else None
        if not self.shorthand:
            behind = meanings.binding_property(entity)
            if behind is not None:
                return self._rooted(behind, visit, "local for property")
        return None

    def _rooted(
        self,
        entity: Entity,
        visit: Callable[[Entity, Found], tuple[Entity, Found] | None],
        how: Found,
    ) -> tuple[Entity, Found] | None:
        """The declared entities behind one, and the members of the same name in their owners' bases."""
        for root in entity.flat():
            if found := visit(root, how):
                return found
            owner = root.container
            if owner is None or owner.kind not in ("class", "interface") or not self.hierarchy:
                continue
            for base in self._base_members(owner.real, root):
                if found := visit(base, how):
                    return found
        return None

    def _base_members(self, owner: Entity, member: Entity) -> list[Entity]:
        found: list[Entity] = []
        seen = {owner}
        stack = [owner]
        while stack:
            current = stack.pop()
            for base in self.checker.supers(current):
                inherited = self.checker.property(base, member.name)
                if inherited is not None and not member.static:
                    found += [e for e in inherited.entity.flat() if e not in found]
                if isinstance(base, Instance | Static) and base.entity.real not in seen:
                    seen.add(base.entity.real)
                    stack.append(base.entity.real)
        return found

    def _home(self, entity: Entity) -> str | None:
        """The only file in which `entity` can be named directly; None if that may be anywhere."""
        if not self.shorthand and self.meanings.binding_property(entity) is not None:
            return None
        scope, container = entity.scope, entity.container
        if entity.roots or scope is None or (container is not None and container.kind != "module"):
            return entity.unit.path if entity.private and not entity.roots else None
        if any(path != entity.unit.path for path in {n.path for n in entity.names}):
            return None
        if scope in scope.unit.global_scopes or self.meanings.parameter_property(entity) is not None:
            return None
        if container is not None and container.kind == "module" and container.unit.module is not container:
            return None
        return entity.unit.path


def _accesses(node: Node) -> bool:
    """Whether a name takes a member out of something: `m.name`, `m["name"]`, `{ name } = m`."""
    parent = node.up
    if node.type in STRINGS or node.type in ("property_identifier", "shorthand_property_identifier_pattern"):
        return True
    return parent.type == "nested_type_identifier" and node.field == "name"


def _specifier(entity: Entity) -> Node | None:
    return next((node for node in entity.nodes if node.type == "export_specifier"), None)


def _text(entity: Entity) -> str:
    return entity.declared_name
