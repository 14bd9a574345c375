"""What Go names can mean, and the scopes in which they do.

The Go Programming Language Specification, "Declarations and scope".
"""

from __future__ import annotations

from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

UNIVERSE = kinds(
    "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune "
    "string uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy "
    "delete imag len make max min new panic print println real recover"
)
KEYWORDS = kinds(
    "break case chan const continue default defer else fallthrough for func go goto if import interface map "
    "package range return select struct switch type var"
)
NAMES = kinds(
    "identifier type_identifier field_identifier package_identifier label_name blank_identifier iota nil "
    "true false"
)


class Thing:
    """One declared thing, with all nodes of its defining names."""

    __slots__ = ("kind", "name", "names", "node", "owner", "package", "place", "scope", "since")

    def __init__(self, name: str, kind: str, node: Node, scope: Scope | None, package: Package) -> None:
        self.name = name
        self.kind = kind
        """`import`, `type`, `type parameter`, `function`, `method`, `field`, `embedded`, `variable`,
        `constant`, `parameter`, `receiver` or `label`."""
        self.names: list[Node] = []
        self.node = node
        """The declaration: a spec, a parameter, a statement."""
        self.scope = scope
        self.package = package
        self.owner: Node | None = None
        """Of a field or an interface's method: its struct or interface type's node."""
        self.since = 0
        """The byte from which on it is visible in its scope."""
        self.place = 0
        """Which of several names of a declaration it is."""

    def __repr__(self) -> str:
        return f"{self.kind} {self.name}@{self.names[0].path if self.names else '?'}"

    @property
    def exported(self) -> bool:
        return self.name[:1].isupper()


class Scope:
    """A block, with names that become visible one after the other."""

    __slots__ = ("node", "parent", "table")

    def __init__(self, node: Node, parent: Scope | None) -> None:
        self.node = node
        self.parent = parent
        self.table: dict[str, list[Thing]] = {}

    def declare(self, thing: Thing) -> None:
        self.table.setdefault(thing.name, []).append(thing)

    def find(self, name: str, offset: int) -> Thing | None:
        """The latest declaration of `name` that is visible at `offset`."""
        found = [thing for thing in self.table.get(name, ()) if thing.since <= offset]
        return max(found, key=lambda thing: thing.since) if found else None


class File:
    """One file, bound."""

    def __init__(self, path: str, root: Node, package: Package) -> None:
        self.path = path
        self.root = root
        self.package = package
        self.scopes: dict[Node, Scope] = {}
        self.imports = Scope(root, None)
        """The file block: the names of its imports."""
        self.decl: dict[Node, Thing] = {}
        self.members: dict[Node, dict[str, Thing]] = {}
        """Struct or interface type → its fields, embedded fields and methods."""
        self.dots: list[Node] = []
        """The paths of `import . "path"`."""
        self.broken = False
        """Whether the file has syntax errors."""

    def scope_at(self, node: Node) -> Scope | None:
        here: Node | None = node
        while here is not None:
            if here in self.scopes:
                return self.scopes[here]
            here = here.parent
        return None


class Package:
    """The files of one folder that have the same package clause."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder = folder
        self.name = name
        self.files: list[File] = []
        self.table: dict[str, list[Thing]] = {}
        """The package block."""
        self.methods: dict[str, list[Thing]] = {}
        """Receiver's base type name → methods."""

    def find(self, name: str) -> Thing | None:
        found = self.table.get(name)
        return found[0] if found else None
