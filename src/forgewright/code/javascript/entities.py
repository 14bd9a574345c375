"""Entities and scopes: what a JavaScript or TypeScript name can mean, and where it can be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.javascript.jsdoc import Doc

VALUE, TYPE, SPACE = 1, 2, 4
ANY = VALUE | TYPE | SPACE
"""The three meanings that one name can carry side by side (TypeScript handbook, declaration merging)."""

MEANINGS = {
    "class": VALUE | TYPE,
    "enum": ANY,
    "interface": TYPE,
    "type": TYPE,
    "type parameter": TYPE,
    "namespace": VALUE | SPACE,
    "alias": ANY,
}


class Import:
    """What an alias stands for: export `name` of module `source`, or what `target` means locally.

    `name` is `*` for a whole module, `export=` for `require`, else the exported name.
    """

    __slots__ = ("name", "source", "target")

    def __init__(self, name: str = "", source: Node | None = None, target: Node | None = None) -> None:
        self.name = name
        self.source = source
        self.target = target


class Entity:
    """One thing with a name, merged from all its declarations."""

    __slots__ = (
        "alias",
        "container",
        "exports",
        "kind",
        "local",
        "members",
        "merged",
        "name",
        "names",
        "nodes",
        "private",
        "roots",
        "scope",
        "space",
        "static",
        "unit",
    )

    def __init__(self, name: str, kind: str, unit: Unit) -> None:
        self.name = name
        self.kind = kind
        self.unit = unit
        self.space = MEANINGS.get(kind, VALUE)
        self.names: list[Node] = []
        """The nodes of its defining names."""
        self.nodes: list[Node] = []
        """The nodes of its declarations, beside `names`."""
        self.container: Entity | None = None
        """The class, interface, object, enum, namespace or module that it is a member of."""
        self.scope: Scope | None = None
        """Where it is declared, if it is a variable of any kind."""
        self.members: dict[str, Entity] = {}
        """Members of instances: of classes, interfaces, object literals and types."""
        self.exports: dict[str, Entity] = {}
        """Members of the thing itself: statics, enum members, exports of namespaces and modules."""
        self.alias: Import | None = None
        self.static = False
        self.private = False
        self.local = ""
        """The name inside its module, for what is exported as `default`."""
        self.roots: tuple[Entity, ...] = ()
        """The declared members that a member of a union, an intersection or a spread stands for."""
        self.merged: Entity | None = None

    def __repr__(self) -> str:
        return f"{self.kind} {self.name}@{self.unit.path}"

    def add(self, name: Node | None, node: Node) -> None:
        self.nodes.append(node)
        if name is not None:
            self.names.append(name)
            self.unit.decl[name] = self

    @property
    def real(self) -> Entity:
        """This entity, or the one that it was merged into."""
        entity = self
        while entity.merged is not None:
            entity = entity.merged
        return entity

    @property
    def declared_name(self) -> str:
        return self.local or self.name

    def flat(self) -> tuple[Entity, ...]:
        """The declared entities behind this one."""
        if not self.roots:
            return (self,)
        found: list[Entity] = []
        for root in self.roots:
            found += [e for e in root.flat() if e not in found]
        return tuple(found)


def merge(into: Entity, other: Entity) -> None:
    """Declarations of one name in several files or places become one entity."""
    into, other = into.real, other.real
    if into is other:
        return
    other.merged = into
    into.space |= other.space
    into.names += other.names
    into.nodes += other.nodes
    if into.kind in ("alias", "var") or (into.kind == "interface" and other.kind == "class"):
        into.kind = other.kind if other.kind != "var" else into.kind
    if into.alias is None:
        into.alias = other.alias
    for mine, theirs in ((into.members, other.members), (into.exports, other.exports)):
        for name, entity in theirs.items():
            if name in mine:
                merge(mine[name], entity)
            else:
                mine[name] = entity
                entity.container = into


def conflicting(one: str, other: str) -> bool:
    """Whether a second declaration is an error, and so a thing of its own."""
    if one == other == "alias":
        return True
    block = ("const", "let")
    variables = (*block, "var", "parameter", "function")
    return (one in block and other in variables) or (other in block and one in variables)


def merge_kind(entity: Entity, kind: str) -> None:
    """A declaration of another kind joins: meanings add up, and the most telling kind stays."""
    entity.space |= Entity("", kind, entity.unit).space
    order = (
        "alias",
        "class",
        "function",
        "enum",
        "const",
        "let",
        "var",
        "parameter",
        "interface",
        "namespace",
        "type",
    )
    if kind in order and entity.kind in order and order.index(kind) < order.index(entity.kind):
        entity.kind = kind


class Scope:
    """A region of text with names of its own."""

    __slots__ = ("entity", "kind", "node", "parent", "table", "unit")

    def __init__(self, kind: str, node: Node, parent: Scope | None, unit: Unit) -> None:
        self.kind = kind
        """`script`, `module`, `function`, `class`, `namespace`, `block` or `type`."""
        self.node = node
        self.parent = parent
        self.unit = unit
        self.table: dict[str, Entity] = {}
        self.entity: Entity | None = None
        """The module or namespace whose exports are visible here."""

    def chain(self) -> Iterable[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def hoisting(self) -> Scope:
        """Where a `var` in this scope is declared."""
        scope = self
        while scope.kind in ("block", "class", "type") and scope.parent is not None:
            scope = scope.parent
        return scope


class Unit:
    """One file, bound: its scopes and the entities that it declares."""

    def __init__(self, path: str, language: str, root: Node) -> None:
        self.path = path
        self.language = language
        self.root = root
        self.data = root.data
        self.decl: dict[Node, Entity] = {}
        """Defining name → entity."""
        self.scopes: dict[Node, Scope] = {}
        self.own: dict[Node, Entity] = {}
        """Class, interface, object literal, object type, function … → its entity."""
        self.module: Entity | None = None
        """The file as a module; None for a script, whose names are global."""
        self.stars: dict[Entity, list[Node]] = {}
        """Module → the sources of its `export * from`."""
        self.ambient: dict[str, Entity] = {}
        """`declare module "name"`."""
        self.global_scopes: list[Scope] = []
        """The scopes whose names are global: a script's top, `declare global`."""
        self.umd: dict[str, Entity] = {}
        """`export as namespace Name`."""
        self.edges: list[tuple[str, Node, Node]] = []
        """(kind, source string, statement) of everything that names another module."""
        self.docs: dict[Node, Doc] = {}
        """Comment → what it says; filled when asked for."""
        self.top = Scope("script", root, None, self)

    @property
    def javascript(self) -> bool:
        return self.language == "javascript"

    def scope_at(self, node: Node) -> Scope:
        here: Node | None = node
        while here is not None:
            scope = self.scopes.get(here)
            if scope is not None:
                return scope
            here = here.parent
        return self.top
