"""Where a function is called, and which argument goes to which parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.python.keys import Key, Keys
from forgewright.code.python.scopes import FileIndex, Parameter, Scope
from forgewright.code.python.values import ClassValue

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


CONSTRUCTORS = ("__init__", "__new__")


class Argument:
    """One argument of a call, as written."""

    __slots__ = ("name", "node", "star", "text", "value")

    def __init__(self, node: Node, value: Node, text: str, name: str = "", star: str = "") -> None:
        self.node = node
        self.value = value
        self.text = text
        """Of the value."""
        self.name = name
        self.star = star
        """`*` or `**` for an unpacked one."""

    def written(self) -> str:
        if self.name:
            return f"{self.name}={self.text}"
        return self.star + self.text


class Call:
    """One call of a known function."""

    def __init__(self, file: FileIndex, node: Node, scope: Scope, *, bound: bool, place: Occurrence) -> None:
        self.file = file
        self.node = node
        self.scope = scope
        self.bound = bound
        """Whether the first parameter is filled by what stands before the dot."""
        self.place = place
        self.arguments = arguments_of(file, node)

    @property
    def receiver(self) -> str:
        """What stands before the dot; empty for a plain call."""
        function = self.node.child_by_field_name("function")
        obj = function.child_by_field_name("object") if function is not None else None
        return self.file.text(obj) if obj is not None else ""

    def argument_list(self) -> Node:
        found = self.node.child_by_field_name("arguments")
        assert found is not None
        return found


def arguments_of(file: FileIndex, call: Node) -> list[Argument]:
    """The arguments of a call, in order."""
    arguments = call.child_by_field_name("arguments")
    found: list[Argument] = []
    if arguments is None:
        return found
    if arguments.type != "argument_list":
        return [Argument(arguments, arguments, file.text(arguments))]
    for child in arguments.named_children:
        if child.type == "comment":
            continue
        if child.type == "keyword_argument":
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if name is not None and value is not None:
                found.append(Argument(child, value, file.text(value), file.text(name)))
        elif child.type in ("list_splat", "dictionary_splat"):
            value = child.named_children[0]
            star = "*" if child.type == "list_splat" else "**"
            found.append(Argument(child, value, file.text(value), "", star))
        else:
            found.append(Argument(child, child, file.text(child)))
    return found


def match(
    parameters: list[Parameter], arguments: list[Argument]
) -> tuple[dict[str, Argument], list[Argument]]:
    """Parameter → argument, and the arguments that fill no named parameter (of `*args`, `**kwargs`, or unpacked)."""
    found: dict[str, Argument] = {}
    extra: list[Argument] = []
    positional = [p for p in parameters if p.kind in ("positional", "normal")]
    index = 0
    unpacked = False
    for argument in arguments:
        if argument.star:
            extra.append(argument)
            unpacked = True
        elif argument.name:
            if any(p.name == argument.name and p.kind in ("normal", "keyword") for p in parameters):
                found[argument.name] = argument
            else:
                extra.append(argument)
        elif index < len(positional) and not unpacked:
            found[positional[index].name] = argument
            index += 1
        else:
            extra.append(argument)
    return found, extra


def function_keys(resolver: PythonResolver, function: Scope) -> Keys:
    """The keys of a function's own name."""
    site = function.site
    assert site is not None
    binding = site.where.bindings.get(function.name)
    if binding is not None:
        return resolver.identity.of_binding(binding)
    return frozenset({Key(function.file.path, site.where.index, function.name)})


def calls_of(
    resolver: PythonResolver, function: Scope, *, hierarchy: bool = False
) -> tuple[list[Call], list[Occurrence]]:
    """All calls of a function, and the other places where it is named (imports and definitions left out)."""
    calls: list[Call] = []
    others: list[Occurrence] = []
    for place in places_of(resolver, function, hierarchy=hierarchy, release=lambda: None):
        if place.role == "import":
            continue
        call = call_at(resolver, place, function)
        if call is not None and place.certain:
            calls.append(call)
        else:
            others.append(place)
    return calls, others


def places_of(
    resolver: PythonResolver,
    function: Scope,
    *,
    hierarchy: bool = False,
    release: Callable[[], None] | None = None,
) -> list[Occurrence]:
    """The places where a function is named (a class, for its construction), definitions left out.

    The facts of files may be forgotten meanwhile, unless `release` says otherwise or the function makes objects.
    """
    owner = function.method_of
    constructs = owner is not None and function.name in CONSTRUCTORS
    if release is None:
        release = resolver.release if not constructs else lambda: None
    keys = function_keys(resolver, function)
    _, places = resolver.finder.find(keys, function.name, hierarchy=hierarchy, release=release)
    if owner is not None and constructs:
        for cls in constructed_by(resolver, owner, function.name):
            site = cls.site
            binding = site.where.bindings.get(cls.name) if site is not None else None
            if binding is not None:
                class_keys = resolver.identity.of_binding(binding)
                places = [*places, *resolver.finder.find(class_keys, cls.name, hierarchy=False)[1]]
    found: dict[tuple[str, int], Occurrence] = {}
    for place in places:
        if place.role not in ("definition", "export"):
            found.setdefault((place.path, place.start), place)
    return list(found.values())


def constructed_by(resolver: PythonResolver, owner: Scope, name: str) -> list[Scope]:
    """The classes whose construction runs the `__init__` of `owner`."""
    found = [owner]
    grown = True
    while grown:
        grown = False
        for cls in list(found):
            for path in resolver.project.containing(cls.name.encode(), "python"):
                for scope in resolver.file(path).scopes:
                    if scope.kind != "class" or scope in found:
                        continue
                    if owner in resolver.types.mro(scope)[0] and resolver.types.owner(scope, name) is owner:
                        found.append(scope)
                        grown = True
    return found


def call_at(resolver: PythonResolver, place: Occurrence, function: Scope) -> Call | None:
    """The call that has the name at `place` as its function."""
    file = resolver.file(place.path)
    node = file.root.descendant_for_byte_range(place.start, place.end)
    if node is None or node.type != "identifier":
        return None
    parent = node.parent
    if parent is not None and parent.type == "attribute" and node == parent.child_by_field_name("attribute"):
        node, parent = parent, parent.parent
    if parent is None or parent.type != "call" or node != parent.child_by_field_name("function"):
        return None
    scope = scope_around(file, node.start_byte)
    return Call(file, parent, scope, bound=is_bound(resolver, node, scope, function), place=place)


def is_bound(resolver: PythonResolver, node: Node, scope: Scope, function: Scope) -> bool:
    """Whether calling through `node` fills the first parameter."""
    if function.method_of is None:
        return False
    names = {resolver.types.decorator_name(function, d) for d in function.decorators}
    if "staticmethod" in names:
        return False
    if "classmethod" in names:
        return True
    if node.type != "attribute":
        return function.name in ("__init__", "__new__")
    if resolver.file(scope.file.path).text(node).rpartition(".")[2] != function.name:
        return True
    obj = node.child_by_field_name("object")
    values = resolver.types.infer(obj, scope) if obj is not None else ()
    return not any(isinstance(value, ClassValue) for value in values)


def scope_around(file: FileIndex, offset: int) -> Scope:
    """The innermost scope of any kind around a byte, comprehensions and lambdas included."""
    return file.scope_at(offset)
