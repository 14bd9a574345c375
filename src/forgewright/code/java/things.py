"""What Java names can mean, and where they are declared.

The Java Language Specification, chapter 6, "Names".
"""

from __future__ import annotations

from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

KEYWORDS = kinds(
    "abstract assert boolean break byte case catch char class const continue default do double else enum extends "
    "final finally float for goto if implements import instanceof int interface long native new package private "
    "protected public return short static strictfp super switch synchronized this throw throws transient try void "
    "volatile while true false null _"
)
TYPES = kinds(
    "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration"
)
NAMES = kinds("identifier type_identifier")
OBJECT_METHODS = kinds("equals hashCode toString clone finalize getClass notify notifyAll wait")


class Thing:
    """One declared thing, with all nodes of its defining names."""

    __slots__ = ("file", "kind", "name", "names", "node", "owner", "since", "static")

    def __init__(self, name: str, kind: str, node: Node, file: File, owner: Thing | None = None) -> None:
        self.name = name
        self.kind = kind
        """`class`, `interface`, `enum`, `record`, `annotation`, `type parameter`, `method`, `field`, `constant`,
        `component`, `parameter`, `variable` or `label`."""
        self.names: list[Node] = []
        self.node = node
        """The declaration: of a variable its declarator or parameter."""
        self.file = file
        self.owner = owner
        """Of a member: its class."""
        self.since = 0
        """Of a local: the byte from which on it is visible."""
        self.static = False

    def __repr__(self) -> str:
        return f"{self.kind} {self.name}@{self.file.path}"

    @property
    def is_type(self) -> bool:
        return self.kind in ("class", "interface", "enum", "record", "annotation", "type parameter")

    @property
    def is_local(self) -> bool:
        return self.kind in ("parameter", "variable", "label") or (self.kind == "type parameter")

    def dotted(self) -> str:
        parts = [self.name]
        owner = self.owner
        while owner is not None:
            parts.append(owner.name)
            owner = owner.owner
        return ".".join(reversed(parts))


class Class(Thing):
    """A type with its members."""

    __slots__ = ("fields", "methods", "parameters", "types")

    def __init__(self, name: str, kind: str, node: Node, file: File, owner: Class | None) -> None:
        super().__init__(name, kind, node, file, owner)
        self.fields: dict[str, Thing] = {}
        self.methods: dict[str, list[Thing]] = {}
        self.types: dict[str, Class] = {}
        self.parameters: list[Thing] = []
        """Its type parameters, in order."""


class Scope:
    """A block, a function, a class body or a file: names that are visible in a node."""

    __slots__ = ("cls", "node", "parent", "table")

    def __init__(self, node: Node, parent: Scope | None, cls: Class | None = None) -> None:
        self.node = node
        self.parent = parent
        self.cls = cls
        """Of a class body: the class, whose members are visible too."""
        self.table: dict[str, list[Thing]] = {}

    def find(self, name: str, offset: int, *, types: bool) -> Thing | None:
        found = [t for t in self.table.get(name, ()) if t.since <= offset and t.is_type == types]
        return max(found, key=lambda thing: thing.since) if found else None


class File:
    """One file, bound."""

    def __init__(self, path: str, root: Node) -> None:
        self.path = path
        self.root = root
        self.package = ""
        self.types: dict[str, Class] = {}
        self.scopes: dict[Node, Scope] = {}
        self.decl: dict[Node, Thing] = {}
        self.single: dict[str, str] = {}
        """Simple name → qualified name of an imported type."""
        self.demand: list[str] = []
        """Packages, or types, whose types are all imported."""
        self.static: dict[str, list[str]] = {}
        """Simple name → the classes it is statically imported from."""
        self.static_demand: list[str] = []
        self.broken = False

    def scope_at(self, node: Node) -> Scope | None:
        here: Node | None = node
        while here is not None:
            if here in self.scopes:
                return self.scopes[here]
            here = here.parent
        return None

    def class_at(self, node: Node) -> Class | None:
        """The innermost class whose body a node is in."""
        scope = self.scope_at(node)
        while scope is not None and scope.cls is None:
            scope = scope.parent
        return scope.cls if scope is not None else None
