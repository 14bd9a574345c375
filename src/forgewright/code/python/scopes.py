"""What one Python file says about names: scopes, bindings, and every place where a name is used.

Built once per version of a file by `build`; everything across files is asked of it later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source


class Site:
    """One place that binds a name: a definition, an assignment, an import, a parameter …"""

    __slots__ = (
        "annotation",
        "end",
        "kind",
        "link",
        "live",
        "node",
        "role",
        "scope",
        "start",
        "unpack",
        "value",
        "where",
    )

    def __init__(
        self,
        start: int,
        end: int,
        kind: str,
        where: Scope,
        node: Node | None = None,
        value: Node | None = None,
        annotation: Node | None = None,
        unpack: tuple[int, ...] = (),
        live: int = 0,
    ) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        """variable, augmented, parameter, function, class, import, from, typeparam, type, except, with,
        for, match, walrus, del, self."""
        self.where = where
        """The scope in which the statement stands (a `global` moves the binding elsewhere)."""
        self.node = node
        self.value = value
        self.annotation = annotation
        self.unpack = unpack
        """Path of indexes into the value for a tuple target; -1 for a starred one."""
        self.live = live or end
        """From this byte on the binding has happened."""
        self.scope: Scope | None = None
        """Of a function or class: its own scope."""
        self.link: Link | None = None
        """Of an import: what it brings in."""
        self.role = "definition"


class Link:
    """What an import refers to: a module, and for `from m import n` also the name in it."""

    __slots__ = ("level", "module", "name")

    def __init__(self, level: int, module: tuple[str, ...], name: str | None) -> None:
        self.level = level
        self.module = module
        self.name = name


class Binding:
    """A name in a scope, with all the places that bind it."""

    __slots__ = ("name", "scope", "sites")

    def __init__(self, name: str, scope: Scope) -> None:
        self.name = name
        self.scope = scope
        self.sites: list[Site] = []


class Parameter:
    """One parameter of a function, as declared."""

    __slots__ = ("annotation", "default", "end", "kind", "name", "node", "start")

    def __init__(
        self,
        name: str,
        start: int,
        end: int,
        kind: str,
        node: Node,
        default: Node | None,
        annotation: Node | None,
    ) -> None:
        self.name = name
        self.start = start
        self.end = end
        self.kind = kind
        """`positional` (only), `normal`, `star`, `keyword` (only), `kwargs`."""
        self.node = node
        self.default = default
        self.annotation = annotation


class Scope:
    """A region with names of its own."""

    __slots__ = (
        "bases",
        "bindings",
        "decorators",
        "file",
        "globals",
        "index",
        "is_async",
        "kind",
        "name",
        "node",
        "nonlocals",
        "parameters",
        "parent",
        "returns",
        "self_name",
        "self_sites",
        "site",
        "slots",
        "yields",
    )

    def __init__(self, file: FileIndex, kind: str, node: Node, parent: Scope | None, name: str = "") -> None:
        self.file = file
        self.kind = kind
        """module, class, function, lambda, comprehension, typeparams."""
        self.node = node
        self.parent = parent
        self.name = name
        self.index = len(file.scopes)
        self.bindings: dict[str, Binding] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.decorators: list[Node] = []
        self.parameters: list[Parameter] = []
        self.returns: list[Node] = []
        self.yields: list[Node] = []
        self.is_async = False
        self.bases: list[Node] = []
        self.self_name = ""
        """Of a method: the name of its first parameter, unless it is static."""
        self.self_sites: dict[str, list[Site]] = {}
        """Of a class: attributes assigned through the first parameter of its methods."""
        self.slots: set[str] = set()
        """Of a class: the names in its `__slots__`, which are members whether assigned here or below."""
        self.site: Site | None = None
        file.scopes.append(self)

    @property
    def outer(self) -> Scope | None:
        """The enclosing scope that is not merely one of type parameters."""
        scope = self.parent
        while scope is not None and scope.kind == "typeparams":
            scope = scope.parent
        return scope

    @property
    def method_of(self) -> Scope | None:
        """The class that this function is written in, if it is a method."""
        outer = self.outer
        return outer if self.kind == "function" and outer is not None and outer.kind == "class" else None

    def dotted(self) -> str:
        """`Cache.get` for a method's scope; empty for the module."""
        parts: list[str] = []
        scope: Scope | None = self
        while scope is not None and scope.kind != "module":
            if scope.kind in ("class", "function"):
                parts.append(scope.name)
            scope = scope.parent
        return ".".join(reversed(parts))


class Name:
    """A bare name that is read."""

    __slots__ = ("end", "role", "scope", "start")

    def __init__(self, start: int, end: int, scope: Scope, role: str = "reference") -> None:
        self.start = start
        self.end = end
        self.scope = scope
        self.role = role


class Attribute:
    """`object.name`; of a class pattern's keyword, `object` is the class; of `td["name"]` the mapping."""

    __slots__ = ("end", "kind", "node", "object", "scope", "start")

    def __init__(self, start: int, end: int, obj: Node, scope: Scope, kind: str, node: Node) -> None:
        self.start = start
        self.end = end
        self.object = obj
        self.scope = scope
        self.kind = kind
        """load, store, pattern, key, getattr."""
        self.node = node


class Keyword:
    """The name of a keyword argument."""

    __slots__ = ("call", "end", "scope", "start")

    def __init__(self, start: int, end: int, call: Node, scope: Scope) -> None:
        self.start = start
        self.end = end
        self.call = call
        self.scope = scope


class Imported:
    """A name in `from m import name`, with or without an alias."""

    __slots__ = ("alias", "end", "link", "node", "scope", "start", "statement")

    def __init__(
        self,
        start: int,
        end: int,
        link: Link,
        scope: Scope,
        alias: Site | None,
        node: Node,
        statement: Node,
    ) -> None:
        self.start = start
        self.end = end
        self.link = link
        self.scope = scope
        self.alias = alias
        self.node = node
        self.statement = statement


class Segment:
    """One name of a dotted module path in an import statement."""

    __slots__ = ("end", "level", "module", "start", "statement")

    def __init__(self, start: int, end: int, level: int, module: tuple[str, ...], statement: Node) -> None:
        self.start = start
        self.end = end
        self.level = level
        self.module = module
        """The path up to and including this name."""
        self.statement = statement


class Text:
    """A string whose content is a name: in `__all__`, `__slots__` or `__match_args__`."""

    __slots__ = ("end", "kind", "scope", "start")

    def __init__(self, start: int, end: int, kind: str, scope: Scope) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.scope = scope


class FileIndex:
    """All of a file's facts, by name."""

    def __init__(self, source: Source, root: Node, data: bytes, focus: frozenset[str] | None = None) -> None:
        self.source = source
        self.path = source.path
        self.root = root
        self.data = data
        self.focus = focus
        """Where set, expressions without these words were passed over: what binds names is complete all the same,
        with the same numbers of scopes; names, attributes, keywords and texts are, for these words."""
        self.scopes: list[Scope] = []
        self.names: dict[str, list[Name]] = {}
        self.attributes: dict[str, list[Attribute]] = {}
        self.keywords: dict[str, list[Keyword]] = {}
        self.imported: dict[str, list[Imported]] = {}
        self.segments: dict[str, list[Segment]] = {}
        self.texts: dict[str, list[Text]] = {}
        self.stars: list[tuple[Link, Scope]] = []
        self.annotations: list[tuple[int, int]] = []
        """Spans of string annotations."""

    @property
    def module(self) -> Scope:
        return self.scopes[0]

    def text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def exports(self) -> set[str] | None:
        """The names in `__all__`; None without one."""
        if "__all__" not in self.module.bindings:
            return None
        return {name for name, texts in self.texts.items() if any(text.kind == "__all__" for text in texts)}

    def lookup(self, scope: Scope, name: str, position: int = 1 << 60) -> Binding | None:
        """What `name` means in `scope` by the rules of the language reference, section 4.2."""
        current: Scope | None = scope
        direct = True
        late: Binding | None = None
        while current is not None:
            if name in current.globals:
                return self.module.bindings.get(name)
            if current.kind == "class":
                if direct:
                    found = current.bindings.get(name)
                    if found is not None:
                        if any(site.live <= position for site in found.sites):
                            return found
                        late = late or found
            else:
                found = current.bindings.get(name)
                if found is not None and name not in current.nonlocals:
                    return found
            if current.kind != "typeparams":
                direct = False
            current = current.parent
        return late

    def scope_at(self, offset: int) -> Scope:
        """The innermost scope around a byte."""
        best = self.module
        for scope in self.scopes:
            if scope.node.start_byte <= offset < scope.node.end_byte and scope.kind != "typeparams":
                body = (
                    scope.node.child_by_field_name("body")
                    if scope.kind in ("function", "class")
                    else scope.node
                )
                if body is not None and body.start_byte <= offset < body.end_byte:
                    best = scope
        return best
