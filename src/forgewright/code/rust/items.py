"""What Rust names can mean, and the scopes and modules in which they do. The Rust Reference, "Names"."""

from __future__ import annotations

from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

VALUES = kinds("fn const static local parameter const_parameter variant method use generated")
TYPES = kinds("mod struct enum union trait type type_parameter variant associated_type use crate generated")
MACROS = kinds("macro use")
NAMES = kinds(
    "identifier type_identifier field_identifier shorthand_field_identifier self super crate metavariable"
)
KEYWORDS = kinds(
    "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match "
    "mod move mut pub ref return self Self static struct super trait true type unsafe use where while"
)
LOCALS = kinds("local parameter type_parameter const_parameter lifetime label self")


class Item:
    """One declared thing, with all nodes of its defining names."""

    __slots__ = ("kind", "module", "name", "names", "node", "owner", "path", "scope", "since", "until")

    def __init__(self, name: str, kind: str, node: Node, module: Module) -> None:
        self.name = name
        self.kind = kind
        self.node = node
        self.module = module
        self.names: list[Node] = []
        self.scope: Scope | None = None
        self.owner: Node | None = None
        """Of a field, variant or associated item: its struct, enum, variant, trait or impl."""
        self.path: list[Node] = []
        """Of a `use`: the segments of what it names."""
        self.since = 0
        self.until = 1 << 60

    def __repr__(self) -> str:
        return f"{self.kind} {self.name}@{self.names[0].path if self.names else '?'}"

    @property
    def local(self) -> bool:
        return self.kind in LOCALS

    def fits(self, space: frozenset[str]) -> bool:
        if self.kind == "struct" and "fn" in space:
            body = self.node.get("body")
            return body is None or body.type == "ordered_field_declaration_list"
        return self.kind in space


class Scope:
    """A block, function, arm or item with names of its own."""

    __slots__ = ("globs", "node", "parent", "table")

    def __init__(self, node: Node, parent: Scope | None) -> None:
        self.node = node
        self.parent = parent
        self.table: dict[str, list[Item]] = {}
        self.globs: list[list[Node]] = []
        """The paths of `use path::*`."""

    def declare(self, item: Item) -> None:
        self.table.setdefault(item.name, []).append(item)

    def find(self, name: str, offset: int, space: frozenset[str]) -> Item | None:
        found = [
            item
            for item in self.table.get(name, ())
            if item.since <= offset <= item.until and (item.fits(space) or item.kind in ("lifetime", "label"))
        ]
        return max(found, key=lambda item: item.since) if found else None


class Module(Scope):
    """A module: a file, or `mod name { … }`."""

    __slots__ = ("file", "item", "name", "outer")

    def __init__(self, name: str, node: Node, outer: Module | None, file: File) -> None:
        super().__init__(node, None)
        self.name = name
        self.outer = outer
        """The module around an inline module; None for a file's own."""
        self.file = file
        self.item: Item | None = None
        """The `mod` item of an inline module."""


class File:
    """One file, bound."""

    def __init__(self, path: str, root: Node) -> None:
        self.path = path
        self.root = root
        self.decl: dict[Node, Item] = {}
        self.scopes: dict[Node, Scope] = {}
        self.members: dict[Node, dict[str, Item]] = {}
        """Struct, variant, union, enum, trait or impl → its fields, variants, associated items."""
        self.module = Module("", root, None, self)
        self.generated: list[Node] = []
        """Macro invocations where items stand, which may declare what their arguments name."""

    def scope_at(self, node: Node) -> Scope:
        here: Node | None = node
        while here is not None:
            if here in self.scopes:
                return self.scopes[here]
            here = here.parent
        return self.module


def plain(name: str) -> str:
    """A name without `r#`."""
    return name.removeprefix("r#")
