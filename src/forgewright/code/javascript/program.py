"""The files of a project as one program: modules by path, globals, and what a name means where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from forgewright.code.javascript.binder import bind
from forgewright.code.javascript.entities import ANY, SPACE, VALUE, Entity, Scope, Unit, merge
from forgewright.code.javascript.library import library
from forgewright.code.javascript.modules import ENDINGS, Modules
from forgewright.code.javascript.names import bare, string_text
from forgewright.code.scopes.tree import Node, mirror
from forgewright.core.errors import NotFound, UnsafePath

if TYPE_CHECKING:
    from forgewright.code.project import Project

_MODULE_LINE = re.compile(rb"^(?:export\b|import\b(?![ \t]*\(|[ \t]+[\w$]+[ \t]*=))", re.MULTILINE)
GLOBAL_FILES_MAX = 400
"""Files that a look-up of one global name binds at most."""
ALIAS_STEPS_MAX = 50
LANGUAGES = ("javascript", "typescript", "tsx")


class Program:
    """Units are bound when first needed and kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.modules = Modules(project)
        self.units: dict[str, Unit | None] = {}
        self._globals: dict[str, Entity | None] = {}
        self._ambient: dict[str, Entity] | None = None
        self._alias: dict[Entity, Entity | None] = {}

    def unit(self, path: str) -> Unit | None:
        """A file, bound; None if it is not there or in another language."""
        if path[:1] == "\0":
            return library()
        if path not in self.units:
            self.units[path] = None
            try:
                source = self.project.source(path)
            except (NotFound, UnsafePath):
                return None
            if source.language in LANGUAGES:
                unit = Unit(path, source.language, mirror(source.tree, path, source.data))
                self.units[path] = bind(unit)
        return self.units[path]

    def containing(self, word: str) -> list[str]:
        return [path for path in self.project.containing(word.encode()) if path.endswith(ENDINGS)]

    def naming(self, stem: str, word: bytes = b"") -> list[str]:
        """The files that have `stem` in a string, and `word` anywhere."""
        quoted = re.compile(rb"['\"`][^'\"`\n]*" + re.escape(stem.encode()))
        found = []
        for path in self.containing(stem):
            data = self.project.source(path).data
            if word in data and quoted.search(data):
                found.append(path)
        return found

    # modules

    def module(self, path: str, specifier: str) -> Entity | None:
        """The module that `specifier` names in the file `path`."""
        declared = self.ambient().get(specifier)
        if declared is not None:
            return declared.real
        found = self.modules.resolve(path, specifier)
        unit = self.unit(found) if found is not None else None
        return unit.module if unit is not None else None

    def module_of(self, source: Node) -> Entity | None:
        text = string_text(source)
        return self.module(source.path, text) if text else None

    def leads(self, source: Node, modules: set[Entity]) -> bool:
        """Whether an import's source names one of `modules`; no file is bound to find out."""
        text = string_text(source)
        if not text:
            return False
        declared = self.ambient().get(text)
        if declared is not None:
            return declared.real in modules
        path = self.modules.resolve(source.path, text)
        return path is not None and any(path == module.unit.path for module in modules if module.unit.module)

    def ambient(self) -> dict[str, Entity]:
        """Modules declared by `declare module "name"` anywhere in the project."""
        if self._ambient is None:
            self._ambient = {}
            for path in self.project.containing(b"declare module"):
                unit = self.unit(path) if path.endswith(ENDINGS) else None
                for name, entity in unit.ambient.items() if unit else ():
                    if unit is not None and unit.module is not None:
                        file = self.modules.resolve(path, name)
                        target = self.unit(file) if file else None
                        if target is not None and target.module is not None:
                            merge(target.module, entity)
                        continue
                    if name in self._ambient:
                        merge(self._ambient[name], entity)
                    else:
                        self._ambient[name] = entity
        return self._ambient

    def export(self, module: Entity, name: str, seen: frozenset[Entity] = frozenset()) -> Entity | None:
        """What `module` exports as `name`: possibly an alias."""
        module = module.real
        if module in seen:
            return None
        found = module.exports.get(name)
        if found is not None:
            return found.real
        for source in self.stars(module):
            if name == "default":
                break
            other = self.module_of(source)
            found = self.export(other, name, seen | {module}) if other is not None else None
            if found is not None:
                return found
        equals = module.exports.get("export=")
        if equals is not None and name != "export=":
            target = self.resolve(equals)
            if name == "default":
                return equals
            if target is not None:
                return self.member_export(target, name)
        return None

    def stars(self, module: Entity) -> list[Node]:
        return module.unit.stars.get(module, [])

    def member_export(self, entity: Entity, name: str) -> Entity | None:
        found = entity.exports.get(name)
        if found is None and entity.kind == "object":
            found = entity.members.get(name)
        return found.real if found is not None else None

    # aliases

    def immediate(self, entity: Entity) -> Entity | None:
        """One step along an alias: the export that it imports, or the local that it exports."""
        entity = entity.real
        if entity not in self._alias:
            self._alias[entity] = None
            self._alias[entity] = self._step(entity)
        return self._alias[entity]

    def _step(self, entity: Entity) -> Entity | None:
        alias = entity.alias
        if alias is None:
            return None
        if alias.target is not None:
            return self.meaning(alias.target, ANY)
        module = self.module_of(alias.source) if alias.source is not None else entity.unit.module
        if module is None:
            return None
        if alias.name == "*":
            return module
        if alias.name == "export=":
            return self.export(module, "export=") or module
        return self.export(module, alias.name)

    def resolve(self, entity: Entity | None) -> Entity | None:
        """What an alias finally stands for; None if that is not in the project."""
        for _ in range(ALIAS_STEPS_MAX):
            if entity is None or entity.alias is None or (entity.kind != "alias" and entity.nodes):
                return entity.real if entity is not None else None
            step = self.immediate(entity)
            if step is not None and step.kind == "module" and entity.alias.name == "*":
                equals = step.exports.get("export=")
                return self.resolve(equals) or step if equals is not None else step
            entity = step
        return None

    def meaning(self, node: Node, space: int, depth: int = 0) -> Entity | None:
        """What an entity name (`a`, `a.b`, also in types) means, without looking at types."""
        if depth > ALIAS_STEPS_MAX:
            return None
        node = bare(node)
        if node.type in ("identifier", "type_identifier", "jsdoc_name", "shorthand_property_identifier"):
            return self.lookup(node, space)
        if node.type == "call_expression" and node.get("function") is not None:
            arguments = node.get("arguments")
            function = node.get("function")
            if (
                function is not None
                and function.text in ("import", "require")
                and arguments
                and arguments.items
            ):
                return self.module_of(arguments.items[0])
        if node.type in ("object", "class", "function_expression", "arrow_function"):
            unit = self.unit(node.path)
            return unit.own.get(node) if unit else None
        parts = dotted(node)
        if parts is None:
            return None
        owner = self.resolve(self.meaning(parts[0], SPACE | VALUE, depth + 1))
        return self.exported(owner, parts[1].text, space) if owner is not None else None

    def exported(self, owner: Entity, name: str, space: int = ANY) -> Entity | None:
        """A member of a namespace, enum, class or module itself."""
        if owner.kind == "module":
            return self.export(owner, name)
        found = owner.exports.get(name)
        return found.real if found is not None else None

    # names

    def lookup(self, node: Node, space: int, name: str | None = None) -> Entity | None:
        """What an identifier means where it stands, as a value, a type or a namespace."""
        unit = self.unit(node.path)
        if unit is None:
            return None
        return self.visible(unit.scope_at(node), name if name is not None else node.text, space)

    def visible(self, scope: Scope, name: str, space: int) -> Entity | None:
        for here in scope.chain():
            found = self.declared(here, name)
            if found is not None and found.space & space:
                return found
        found = self.global_(name)
        return found if found is not None and (found.space & space or found.kind == "alias") else None

    def declared(self, scope: Scope, name: str) -> Entity | None:
        """What `scope` itself declares under `name`."""
        found = scope.table.get(name)
        if found is not None:
            return self.global_(name) or found.real if scope in scope.unit.global_scopes else found.real
        if scope.entity is not None:
            found = scope.entity.real.exports.get(name)
            if found is not None and (
                found.alias is None or any(n.type == "import_alias" for n in found.nodes)
            ):
                assigned = found.nodes and found.nodes[0].type in (
                    "assignment_expression",
                    "call_expression",
                    "pair",
                )
                shorthand = found.nodes and found.nodes[0].type == "shorthand_property_identifier"
                if name != "default" and not assigned and not shorthand and found.kind not in ("method",):
                    return found.real
        return None

    def global_(self, name: str) -> Entity | None:
        """A name declared at the top of any script of the project, merged over all of them."""
        if name not in self._globals:
            self._globals[name] = None
            self._globals[name] = self._find_global(name)
        return self._globals[name]

    def _find_global(self, name: str) -> Entity | None:
        found: Entity | None = None
        for unit in self.global_units(name):
            for scope in unit.global_scopes:
                entity = scope.table.get(name)
                if entity is None:
                    continue
                if found is None:
                    found = entity.real
                else:
                    merge(found, entity)
            umd = unit.umd.get(name)
            found = found or umd
        if found is None:
            found = library().top.table.get(name)
        return found.real if found is not None else None

    def global_units(self, name: str) -> Iterator[Unit]:
        word = name.encode()
        count = 0
        for path in self.project.containing(word):
            if not path.endswith(ENDINGS):
                continue
            if path not in self.units:
                data = self.project.source(path).data
                if (
                    _MODULE_LINE.search(data)
                    and b"declare global" not in data
                    and b"as namespace" not in data
                ):
                    continue
            count += 1
            if count > GLOBAL_FILES_MAX:
                return
            unit = self.unit(path)
            if unit is not None and (unit.global_scopes or unit.umd):
                yield unit

    def names(self, scope: Scope) -> dict[str, Entity]:
        """All names declared in `scope` or around it, without globals of other files."""
        found: dict[str, Entity] = {}
        for here in scope.chain():
            for name, entity in here.table.items():
                found.setdefault(name, entity.real)
            if here.entity is not None:
                for name in here.entity.real.exports:
                    entity_ = self.declared(here, name)
                    if entity_ is not None:
                        found.setdefault(name, entity_)
        return found


def dotted(node: Node) -> tuple[Node, Node] | None:
    """The two parts of `a.b`, in an expression or a type."""
    left = node.get("object") or node.get("module")
    right = node.get("property") or (node.get("name") if node.type == "nested_type_identifier" else None)
    if node.type in ("member_expression", "nested_identifier", "nested_type_identifier") and left and right:
        return left, right
    return None
