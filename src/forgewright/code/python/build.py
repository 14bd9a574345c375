"""One walk over a file's tree that fills its `FileIndex`.

The walk keeps its own stack (no recursion: generated code nests deeply) and goes in source order, since
`global` counts only for what follows it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from forgewright.code.python import build_annotations, build_definitions, build_imports, build_patterns
from forgewright.code.python.parse import plain_string, readable
from forgewright.code.python.scopes import (
    Attribute,
    Binding,
    FileIndex,
    Keyword,
    Name,
    Scope,
    Site,
    Text,
)
from forgewright.code.uncollected import uncollected

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.project import Source

LISTED = ("__all__", "__slots__", "__match_args__")
GENERICS = frozenset(
    (
        "Union",
        "Optional",
        "List",
        "Dict",
        "Set",
        "FrozenSet",
        "Tuple",
        "Type",
        "Callable",
        "Iterable",
        "Iterator",
        "Sequence",
        "Mapping",
        "MutableMapping",
        "Generator",
        "Awaitable",
        "Coroutine",
        "ClassVar",
        "Final",
        "DefaultDict",
    )
)
"""In a subscript of these a string is a type, also outside of annotations (`X = Union["A", int]`)."""
LISTS = (
    "list", "tuple", "set", "binary_operator", "argument_list", "parenthesized_expression", "dictionary",
    "expression_list",
)  # fmt: skip
UNPACKED = ("pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list")


PASSED_OVER = frozenset(
    (
        "identifier", "attribute", "call", "subscript", "argument_list", "keyword_argument", "string",
        "concatenated_string", "list", "tuple", "set", "dictionary", "pair", "expression_list", "await", "slice",
        "parenthesized_expression", "binary_operator", "boolean_operator", "comparison_operator", "not_operator",
        "unary_operator", "conditional_expression", "list_splat", "dictionary_splat", "type",
    )
)  # fmt: skip
"""What binds no name unless one of `_BINDING` stands in it."""
_BINDING = rb":=|\b(?:for|lambda|yield|__all__|__slots__|__match_args__)\b"


def build(source: Source, focus: frozenset[str] | None = None) -> FileIndex:
    """The facts of one file. Never fails: what the grammar does not know is walked as it stands.

    `focus`: the words whose places are wanted; several times faster and smaller where they are rare.
    """
    root, data = readable(source)
    with uncollected():
        return Builder(FileIndex(source, root, data, focus)).run()


class Builder:
    def __init__(self, file: FileIndex) -> None:
        self.file = file
        self.data = file.data
        self.stack: list[tuple[Node, Scope]] = []
        self.annotated_until = -1
        self.nonlocal_sites: list[tuple[Scope, str, Site]] = []
        self.last: tuple[int, list[Site]] = (-1, [])

    def run(self) -> FileIndex:
        root = self.file.root
        module = Scope(self.file, "module", root, None)
        stack = self.stack
        stack.append((root, module))
        handlers = HANDLERS
        passed_over = PASSED_OVER if self.file.focus is not None else frozenset()
        marks = self.marks(self.file.focus) if self.file.focus is not None else []
        while stack:
            node, scope = stack.pop()
            kind = node.type
            if kind in passed_over and marks[bisect_left(marks, node.start_byte)] >= node.end_byte:
                continue
            handler = handlers.get(kind)
            if handler is not None:
                handler(self, node, scope)
            else:
                children = node.named_children
                if children:
                    stack.extend([(child, scope) for child in reversed(children)])
        for scope, name, site in self.nonlocal_sites:
            self.attach_nonlocal(scope, name, site)
        return self.file

    def marks(self, focus: frozenset[str]) -> list[int]:
        """Where in the file something stands for which no expression is passed over; the file's end at last."""
        words = b"|".join(re.escape(word.encode()) for word in focus)
        found = [match.start() for match in re.finditer(_BINDING + b"|" + words, self.data)]
        return [*found, 1 << 60]

    def later(self, todo: Iterable[tuple[Node | None, Scope]]) -> None:
        """Visit these next, in this order."""
        self.stack.extend([(n, s) for n, s in reversed(list(todo)) if n is not None])

    def text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    # names ------------------------------------------------------------------------------------

    def bind(self, scope: Scope, name: str, site: Site) -> None:
        if name in scope.nonlocals:
            self.nonlocal_sites.append((scope, name, site))
            return
        if name in scope.globals:
            scope = self.file.module
        binding = scope.bindings.get(name)
        if binding is None:
            binding = scope.bindings[name] = Binding(name, scope)
        binding.sites.append(site)

    def attach_nonlocal(self, scope: Scope, name: str, site: Site) -> None:
        outer = scope.parent
        while outer is not None:
            if (
                outer.kind in ("function", "lambda")
                and name in outer.bindings
                and name not in outer.nonlocals
            ):
                outer.bindings[name].sites.append(site)
                return
            outer = outer.parent
        scope.nonlocals.discard(name)
        self.bind(scope, name, site)

    def name(self, node: Node, scope: Scope) -> None:
        found = Name(node.start_byte, node.end_byte, scope)
        self.file.names.setdefault(self.text(node), []).append(found)

    def keep(self, node: Node, scope: Scope, site: Site) -> Site:
        site.start, site.end = node.start_byte, node.end_byte
        self.bind(scope, self.text(node), site)
        return site

    def target(
        self,
        node: Node,
        scope: Scope,
        kind: str,
        value: Node | None,
        annotation: Node | None = None,
        unpack: tuple[int, ...] = (),
        live: int = 0,
    ) -> None:
        """What stands left of `=`, after `for`, `as`, `del` …"""
        where = node.type
        if where == "identifier":
            site = Site(0, 0, kind, scope, node, value, annotation, unpack, live)
            site.role = "definition" if kind not in ("augmented", "del") else "write"
            self.keep(node, scope, site)
            self.last[1].append(site)
        elif where == "attribute":
            self.attribute(node, scope, "store")
            self.on_self(node, scope, Site(0, 0, "self", scope, node, value, annotation, unpack))
        elif where in UNPACKED:
            for index, child in enumerate(node.named_children):
                self.target(child, scope, kind, value, None, (*unpack, index), live)
        elif where in ("list_splat_pattern", "list_splat"):
            for child in node.named_children:
                self.target(child, scope, kind, value, None, (*unpack[:-1], -1), live)
        elif where in ("parenthesized_expression", "as_pattern_target"):
            for child in node.named_children:
                self.target(child, scope, kind, value, annotation, unpack, live)
        else:
            self.later([(node, scope)])

    def on_self(self, node: Node, scope: Scope, site: Site) -> None:
        """`self.x = …` in a method defines an attribute of the class."""
        obj = node.child_by_field_name("object")
        attr = node.child_by_field_name("attribute")
        if obj is None or attr is None or obj.type != "identifier":
            return
        name = self.text(obj)
        current: Scope | None = scope
        while current is not None:
            if current.self_name == name and current.method_of is not None:
                site.start, site.end = attr.start_byte, attr.end_byte
                current.method_of.self_sites.setdefault(self.text(attr), []).append(site)
                self.last[1].append(site)
                return
            if name in current.bindings and current.kind != "class":
                return
            current = current.parent

    # expressions ------------------------------------------------------------------------------

    def attribute(self, node: Node, scope: Scope, kind: str = "load") -> None:
        obj = node.child_by_field_name("object")
        attr = node.child_by_field_name("attribute")
        if obj is None or attr is None:
            return
        entry = Attribute(attr.start_byte, attr.end_byte, obj, scope, kind, node)
        self.file.attributes.setdefault(self.text(attr), []).append(entry)
        self.stack.append((obj, scope))

    def call(self, node: Node, scope: Scope) -> None:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        todo: list[tuple[Node | None, Scope]] = [(function, scope)]
        if arguments is not None and arguments.type == "argument_list":
            for child in arguments.named_children:
                if child.type == "keyword_argument":
                    key = child.child_by_field_name("name")
                    if key is not None:
                        entry = Keyword(key.start_byte, key.end_byte, node, scope)
                        self.file.keywords.setdefault(self.text(key), []).append(entry)
                    todo.append((child.child_by_field_name("value"), scope))
                else:
                    todo.append((child, scope))
            if function is not None:
                self.special_call(function, arguments, scope)
        else:
            todo.append((arguments, scope))
        self.later(todo)

    def special_call(self, function: Node, arguments: Node, scope: Scope) -> None:
        name = self.text(function) if function.end_byte - function.start_byte < 40 else ""
        short = name.rpartition(".")[2]
        children = [child for child in arguments.named_children if child.type != "comment"]
        if short == "cast" and children and children[0].type == "string":
            build_annotations.annotation_string(self, children[0], scope)
        elif short in ("TypeVar", "ParamSpec"):
            for child in children:
                value = child.child_by_field_name("value") if child.type == "keyword_argument" else None
                if value is not None and value.type == "string":
                    build_annotations.annotation_string(self, value, scope)
        elif name in ("getattr", "hasattr", "setattr", "delattr") and len(children) > 1:
            content = plain_string(children[1])
            if content is not None:
                entry = Attribute(
                    content.start_byte, content.end_byte, children[0], scope, "getattr", content
                )
                self.file.attributes.setdefault(self.text(content), []).append(entry)
        elif name in ("__all__.extend", "__all__.append", "__all__.remove") and children:
            self.listed("__all__", arguments if short != "extend" else children[0], scope)

    def subscript(self, node: Node, scope: Scope) -> None:
        children = node.named_children
        if len(children) == 2:
            content = plain_string(children[1])
            if content is not None:
                entry = Attribute(content.start_byte, content.end_byte, children[0], scope, "key", content)
                self.file.attributes.setdefault(self.text(content), []).append(entry)
        if len(children) > 1 and node.end_byte > self.annotated_until:
            head = self.text(children[0]).rpartition(".")[2] if len(children[0].named_children) < 3 else ""
            if head in GENERICS and any(
                quote in self.data[node.start_byte : node.end_byte] for quote in (b"'", b'"')
            ):
                self.annotated_until = node.end_byte
                build_annotations.annotation_strings(self, node, scope)
        self.stack.extend([(child, scope) for child in reversed(children)])

    def named_expression(self, node: Node, scope: Scope) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        home = scope
        while home.kind == "comprehension" and home.parent is not None:
            home = home.parent
        if name is not None:
            self.keep(name, home, Site(0, 0, "walrus", scope, name, value))
        self.later([(value, scope)])

    def comprehension(self, node: Node, scope: Scope) -> None:
        inner = Scope(self.file, "comprehension", node, scope)
        todo: list[tuple[Node | None, Scope]] = []
        first = True
        for child in node.named_children:
            if child.type != "for_in_clause":
                if child.type == "if_clause":
                    todo.append((child, inner))
                continue
            left = child.child_by_field_name("left")
            right = child.child_by_field_name("right")
            todo.append((right, scope if first else inner))
            first = False
            if left is not None:
                self.target(left, inner, "for", right)
        todo.append((node.child_by_field_name("body"), inner))
        self.later(todo)

    def lambda_(self, node: Node, scope: Scope) -> None:
        inner = Scope(self.file, "lambda", node, scope)
        todo: list[tuple[Node | None, Scope]] = []
        parameters = node.child_by_field_name("parameters")
        if parameters is not None:
            todo += build_definitions.parameters(self, parameters, inner, scope)
        todo.append((node.child_by_field_name("body"), inner))
        self.later(todo)

    # definitions ------------------------------------------------------------------------------

    # statements -------------------------------------------------------------------------------

    def assignment(self, node: Node, scope: Scope) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        annotation = node.child_by_field_name("type")
        value = right
        while value is not None and value.type == "assignment":
            value = value.child_by_field_name("right")
        row = node.end_point[0]
        if self.last[0] != row:
            self.last = (row, [])
        self.later([(annotation, scope), (right, scope)])
        if left is not None:
            self.target(left, scope, "variable", value, annotation, (), node.end_byte)
            if annotation is not None and value is not None and value.type == "dictionary":
                self.keys_of(value, left, scope)
            if left.type == "identifier" and value is not None:
                name = self.text(left)
                if name in LISTED:
                    self.listed(name, value, scope)

    def keys_of(self, display: Node, owner: Node, scope: Scope) -> None:
        """The keys of a dict that is annotated where it is assigned: fields, if it is a `TypedDict`."""
        for pair in display.named_children:
            key = pair.child_by_field_name("key") if pair.type == "pair" else None
            content = plain_string(key) if key is not None else None
            if content is not None:
                entry = Attribute(content.start_byte, content.end_byte, owner, scope, "key", content)
                self.file.attributes.setdefault(self.text(content), []).append(entry)

    def augmented(self, node: Node, scope: Scope) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        self.later([(right, scope)])
        if left is not None:
            self.target(left, scope, "augmented", None, None, (), node.end_byte)
            if right is not None and left.type == "identifier" and self.text(left) in LISTED:
                self.listed(self.text(left), right, scope)

    def listed(self, name: str, value: Node, scope: Scope) -> None:
        """The strings of `__all__` at the top of a file, of `__slots__` and `__match_args__` in a class."""
        if scope.kind != ("module" if name == "__all__" else "class"):
            return
        todo = [value]
        while todo:
            node = todo.pop()
            content = plain_string(node)
            if content is not None:
                entry = Text(content.start_byte, content.end_byte, name, scope)
                self.file.texts.setdefault(self.text(content), []).append(entry)
                if name == "__slots__":
                    scope.slots.add(self.text(content))
            elif node.type in LISTS:
                todo.extend(node.named_children)
            elif node.type == "pair":
                key = node.child_by_field_name("key")
                if key is not None:
                    todo.append(key)

    def for_(self, node: Node, scope: Scope) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        todo: list[tuple[Node | None, Scope]] = [(right, scope)]
        if left is not None:
            self.target(left, scope, "for", right)
        todo += [(child, scope) for child in node.named_children if child not in (left, right)]
        self.later(todo)

    def with_item(self, node: Node, scope: Scope) -> None:
        self.as_target(node, scope, "with")

    def except_(self, node: Node, scope: Scope) -> None:
        self.as_target(node, scope, "except")

    def as_target(self, node: Node, scope: Scope, kind: str) -> None:
        todo: list[tuple[Node | None, Scope]] = []
        for child in node.named_children:
            if child.type == "as_pattern":
                value = child.named_children[0]
                alias = child.child_by_field_name("alias")
                todo.append((value, scope))
                if alias is not None:
                    self.target(alias, scope, kind, value)
            else:
                todo.append((child, scope))
        self.later(todo)

    def delete(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            self.target(child, scope, "del", None)

    def global_(self, node: Node, scope: Scope) -> None:
        names = scope.globals if node.type == "global_statement" else scope.nonlocals
        for child in node.named_children:
            if scope.kind != "module":
                names.add(self.text(child))
            self.name(child, scope)

    def return_(self, node: Node, scope: Scope) -> None:
        home: Scope | None = scope
        while home is not None and home.kind == "comprehension":
            home = home.parent
        if home is not None:
            (home.returns if node.type == "return_statement" else home.yields).append(node)
        self.later([(child, scope) for child in node.named_children])

    # imports ----------------------------------------------------------------------------------

    # patterns ---------------------------------------------------------------------------------

    # annotations ------------------------------------------------------------------------------


HANDLERS: dict[str, Callable[[Builder, Node, Scope], None]] = {
    "identifier": Builder.name,
    "attribute": Builder.attribute,
    "call": Builder.call,
    "subscript": Builder.subscript,
    "named_expression": Builder.named_expression,
    "list_comprehension": Builder.comprehension,
    "set_comprehension": Builder.comprehension,
    "dictionary_comprehension": Builder.comprehension,
    "generator_expression": Builder.comprehension,
    "lambda": Builder.lambda_,
    "decorated_definition": build_definitions.decorated,
    "function_definition": build_definitions.function,
    "class_definition": build_definitions.class_,
    "assignment": Builder.assignment,
    "augmented_assignment": Builder.augmented,
    "for_statement": Builder.for_,
    "with_item": Builder.with_item,
    "except_clause": Builder.except_,
    "except_group_clause": Builder.except_,
    "delete_statement": Builder.delete,
    "global_statement": Builder.global_,
    "nonlocal_statement": Builder.global_,
    "return_statement": Builder.return_,
    "yield": Builder.return_,
    "import_statement": build_imports.import_,
    "import_from_statement": build_imports.from_,
    "future_import_statement": build_imports.from_,
    "case_clause": build_patterns.case,
    "type": build_annotations.type_,
    "comment": build_annotations.comment,
    "type_alias_statement": build_annotations.type_alias,
}
