"""Use a function: code that does what its body does becomes a call of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.effects import acts, can_fail, deep, makes
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.imports import Imports
from forgewright.code.python.refactor.inline_function import FunctionInliner
from forgewright.code.python.refactor.merging import merge
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.region import Region
from forgewright.code.python.refactor.text import BLOCKS, walk
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


class Alike:
    """A function's body as a pattern: its parameters stand for any expression, its local names for any name."""

    def __init__(self, resolver: PythonResolver, function: Scope) -> None:
        if function.method_of is not None or (function.outer is not None and function.outer.kind != "module"):
            raise EditRefused(
                f"{function.name} is not at the top of a module", hint="use a function of a module"
            )
        self.inliner = FunctionInliner(resolver, function)
        self.resolver = resolver
        self.function = function
        self.file = function.file
        self.parameters = [p.name for p in function.parameters]
        self.locals = [n for n in function.bindings if n not in self.parameters]
        self.statements = self.inliner.statements
        self.value = self.inliner.value
        if self.statements and self.inliner.returns:
            last = self.statements[-1]
            returned = (
                self.value is not None
                and self.value.type == "identifier"
                and last.type == "expression_statement"
            )
            if not returned:
                raise EditRefused(
                    f"{function.name} computes and returns", hint="use a function that does one of them"
                )
        if any(p.kind in ("star", "kwargs", "keyword") for p in function.parameters):
            raise EditRefused(
                f"{function.name} has parameters that are not plain", hint="use a plain function"
            )

    def matches(self, pattern: list[Node], nodes: list[Node], file: FileIndex) -> dict[str, Node] | None:
        bound: dict[str, Node] = {}
        if len(pattern) != len(nodes):
            return None
        if all(self._match(p, n, file, bound) for p, n in zip(pattern, nodes, strict=True)):
            whole = all(name in bound for name in self.parameters)
            return bound if whole and self._may_be_passed(bound, file) and not _bound_there(nodes) else None
        return None

    def _may_be_passed(self, bound: dict[str, Node], file: FileIndex) -> bool:
        """Whether what stands for the parameters may be computed before the body, once, and in their order."""
        loud = [name for name in self.parameters if acts(file, bound[name])]
        if loud and (len(loud) > 1 or self.statements):
            return False
        code = [*self.statements, *([self.value] if self.value is not None else [])]
        for name in self.parameters:
            node = bound[name]
            risky = can_fail(file, node) or acts(file, node) or makes(node)
            places = self.inliner.places(name)
            if risky and len(places) != 1 and (acts(file, node) or makes(node)):
                return False
            for place in places if risky else ():
                top = next(
                    (o for o in code if o.start_byte <= place.start_byte and place.end_byte <= o.end_byte),
                    None,
                )
                spot = Place(place, top)
                if spot.lazy or spot.repeated or any(acts(self.file, other) for other in spot.before):
                    return False
                if self.statements and (deep(node) or can_fail(file, node)) and not self._first(place):
                    return False
        return True

    def _first(self, place: Node) -> bool:
        """Whether a place is in the first statement, so that nothing happens before it."""
        return bool(self.statements) and self.statements[0].end_byte >= place.end_byte

    def _means_same(self, pattern: Node, node: Node, file: FileIndex) -> bool:
        """Whether a name that is no parameter means the same here and there."""
        name = self.file.text(pattern)
        mine = self.resolver.types.lookup(self.file.scope_at(pattern.start_byte), name, pattern.start_byte)
        theirs = self.resolver.types.lookup(file.scope_at(node.start_byte), name, node.start_byte)
        if mine is None or theirs is None:
            return mine is theirs
        if mine is theirs:
            return True
        identity = self.resolver.identity
        return bool(identity.of_binding(mine) & identity.of_binding(theirs))

    def _match(self, pattern: Node, node: Node, file: FileIndex, bound: dict[str, Node]) -> bool:
        if pattern.type == "identifier" and self._is_name(pattern):
            name = self.file.text(pattern)
            if name in self.parameters or name in self.locals:
                if name in self.locals and node.type != "identifier":
                    return False
                if name in bound:
                    return file.text(bound[name]) == file.text(node)
                if node.type.endswith("_statement") or node.type in ("argument_list", "block"):
                    return False
                bound[name] = node
                return True
            if self.file.text(pattern) == file.text(node):
                return self._means_same(pattern, node, file)
        mine = [c for c in pattern.children if c.type != "comment"]
        theirs = [c for c in node.children if c.type != "comment"]
        if pattern.type != node.type or len(mine) != len(theirs):
            return False
        if not mine:
            return self.file.text(pattern) == file.text(node)
        return all(self._match(a, b, file, bound) for a, b in zip(mine, theirs, strict=True))

    def _is_name(self, node: Node) -> bool:
        parent = node.parent
        if parent is None:
            return True
        if parent.type == "attribute" and node == parent.child_by_field_name("attribute"):
            return False
        return not (parent.type == "keyword_argument" and node == parent.child_by_field_name("name"))

    def plan(self, *, style: str) -> list[Splice]:
        found: list[Splice] = []
        words = [
            self.file.text(n)
            for s in [*self.statements, *([self.value] if self.value else [])]
            for n in walk(s)
            if n.type == "identifier" and self.file.text(n) not in (*self.parameters, *self.locals)
        ]
        paths = self.resolver.project.paths(language="python")
        if words:
            paths = self.resolver.project.containing(max(words, key=len).encode(), "python")
        for path in list(paths):
            file = self.resolver.file(path)
            here = self._in_file(file, style)
            if here and file is not self.file:
                module = self.resolver.modules.dotted(self.resolver.modules.module_of(self.file.path))
                text = (
                    f"import {module}" if style == "module" else f"from {module} import {self.function.name}"
                )
                here += Imports(file).add([text])
            found += here
        return merge(found)

    def _in_file(self, file: FileIndex, style: str) -> list[Splice]:
        name = self.function.name
        if file is not self.file and style == "module":
            name = self.resolver.modules.dotted(self.resolver.modules.module_of(self.file.path)) + "." + name
        found: list[Splice] = []
        done = -1
        for node in walk(file.root):
            if node.start_byte < done:
                continue
            own = self.function.node
            if file is self.file and own.start_byte <= node.start_byte and node.end_byte <= own.end_byte:
                continue
            if self.statements and node.type in BLOCKS:
                found += self._in_block(file, node, name)
            elif not self.statements and self.value is not None and node.type == self.value.type:
                bound = self.matches([self.value], [node], file)
                if bound is not None and self._known(file, node):
                    found.append(
                        Splice(
                            file.path, node.start_byte, node.end_byte, self._call(name, bound, file).encode()
                        )
                    )
                    done = node.end_byte
        return found

    def _in_block(self, file: FileIndex, block: Node, name: str) -> list[Splice]:
        children = [c for c in block.named_children if c.type != "comment"]
        count = len(self.statements)
        found: list[Splice] = []
        at = 0
        while at + count <= len(children):
            chosen = children[at : at + count]
            bound = self.matches(self.statements, chosen, file)
            inside = (
                file is self.file
                and self.function.node.start_byte <= chosen[0].start_byte < self.function.node.end_byte
            )
            if bound is None or inside or not self._known(file, chosen[0]):
                at += 1
                continue
            call = self._call(name, bound, file)
            result = (
                file.text(bound[self.file.text(self.value)])
                if self.value is not None and self.file.text(self.value) in bound
                else ""
            )
            region = Region(file, chosen[0].start_byte, chosen[-1].end_byte, "statements")
            flow = Flow(self.resolver.types, region)
            live = [
                n
                for n in flow.writes
                if n != result and flow.bindings[n].scope is region.host and flow.live_after(n)
            ]
            if live:
                at += 1
                continue
            text = f"{result} = {call}" if result else call
            found.append(Splice(file.path, chosen[0].start_byte, chosen[-1].end_byte, text.encode()))
            at += count
        return found

    def _known(self, file: FileIndex, node: Node) -> bool:
        """Whether the function's name is free where it would be called."""
        scope = file.scope_at(node.start_byte)
        found = self.resolver.types.lookup(scope, self.function.name, node.start_byte)
        if found is None:
            return True
        own = self.function.site
        assert own is not None
        return found is own.where.bindings.get(self.function.name) or bool(
            self.resolver.identity.of_binding(found)
            & self.resolver.identity.of_binding(own.where.bindings[self.function.name])
        )

    def _call(self, name: str, bound: dict[str, Node], file: FileIndex) -> str:
        return f"{name}({', '.join(file.text(bound[p]) for p in self.parameters)})"


def _bound_there(nodes: list[Node]) -> bool:
    """Whether an expression is bound, deleted or matched where it stands, or documents something."""
    if len(nodes) != 1 or nodes[0].type.endswith("_statement"):
        return False
    place = Place(nodes[0])
    return place.target or place.typed
