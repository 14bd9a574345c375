"""Extract a function or method from statements or an expression, and a variable from an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.infer import Inference
from forgewright.code.python.refactor.callers import CLEAR
from forgewright.code.python.refactor.extract_checks import (
    check_declarations,
    check_members,
    check_names,
    check_selection,
)
from forgewright.code.python.refactor.extract_options import ExtractOptions
from forgewright.code.python.refactor.flow import Flow
from forgewright.code.python.refactor.fresh import check_fresh, check_member
from forgewright.code.python.refactor.listed import borrowed, check_class, check_module
from forgewright.code.python.refactor.region import Region, check_control, has_await, walk_here
from forgewright.code.python.refactor.similar import similar
from forgewright.code.python.refactor.text import (
    indent_at,
    line_end,
    line_start,
    newline,
    one_line,
    reindent,
    unit,
    walk,
)
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver

OF_CLASSES = ("__new__", "__init_subclass__", "__class_getitem__")
"""Methods that Python itself takes for class methods, or calls with a class."""


class Extraction:
    """One extraction of a function, planned."""

    def __init__(self, types: Inference, region: Region, name: str, options: ExtractOptions) -> None:
        check_name(name)
        self.types = types
        self.region = region
        self.file = region.file
        self.name = name
        self.options = options
        self.host = region.host
        self.returns = check_control(region)
        check_selection(region)
        check_declarations(region)
        self.flow = Flow(types, region)
        self.kind = self._kind()
        self.home = self._home()
        self.is_async = has_await(region)
        self._check()

    # what and where ---------------------------------------------------------------------------

    def _kind(self) -> str:
        wanted, owner = self.options.kind, self.host.method_of
        if self.options.top:
            wanted = "function" if wanted == "auto" else wanted
        if wanted == "auto":
            if owner is None:
                return "function"
            if not self.host.parameters:
                return "staticmethod"
            return next((n for n in ("staticmethod", "classmethod") if self._host_is(n)), "method")
        if wanted != "function" and owner is None:
            raise EditRefused(
                f"a {wanted} can only be extracted from a method", hint="extract a function instead"
            )
        return wanted

    def _home(self) -> Scope:
        """The scope in which the new function is defined."""
        if self.kind != "function":
            assert self.host.method_of is not None
            return self.host.method_of
        if self.options.top or self.host.kind != "function":
            return self.file.module
        outer = self.host.outer or self.file.module
        return self.file.module if outer.kind == "class" else outer

    def _check(self) -> None:
        if self.name in self.home.bindings:
            raise EditRefused(f"{self.name} is already defined there", hint="choose another name")
        if self.kind == "function" and self.host.method_of is not None:
            words = [
                self.file.text(n) for t in self.region.nodes() for n in walk(t) if n.type == "identifier"
            ]
            if "super" in words:
                raise EditRefused("the selection calls super()", hint="extract a method instead")
            if any(word.startswith("__") and not word.endswith("__") for word in words):
                raise EditRefused(
                    "the selection uses a private name of its class", hint="extract a method instead"
                )
        if self.region.expression is not None:
            self._check_walrus()
        if self.kind != "function":
            assert self.host.method_of is not None
            check_class(self.types, self.host.method_of, method=True)
            self._check_receiver()

    def _check_receiver(self) -> None:
        word = self.host.self_name
        if self.kind == "staticmethod" or not word:
            return
        meant = self.file.lookup(self.file.scope_at(self.region.start), word, self.region.start)
        if meant is None or meant.scope is not self.host or len(meant.sites) > 1:
            raise EditRefused(f"{word} means something else there", hint="extract a function instead")

    def _check_walrus(self) -> None:
        for name in self.flow.writes:
            binding = self.flow.bindings[name]
            if binding.scope is self.host and self.host.kind == "function":
                node = self.region.expression
                if node is not None and node.type == "named_expression":
                    continue
                if self.flow.live_after(name):
                    raise EditRefused(
                        f"the selection assigns {name}, which is used later",
                        hint="take the assignment out of the expression first",
                    )

    def visible(self, scope: Scope) -> bool:
        """Whether names of `scope` can be read from the new function."""
        if scope.kind == "module":
            return True
        current: Scope | None = self.home
        while current is not None:
            if current is scope:
                return current.kind != "class"
            current = current.parent
        return False

    # what goes in and out ---------------------------------------------------------------------

    def receiver(self) -> str:
        if self.kind == "method":
            return self.host.self_name or "self"
        if self.kind == "classmethod":
            return self.host.self_name if self._host_is("classmethod") else "cls"
        return ""

    def _host_is(self, decorator: str) -> bool:
        if decorator == "classmethod" and self.host.method_of is not None and self.host.name in OF_CLASSES:
            return True
        return any(self.types.decorator_name(self.host, d) == decorator for d in self.host.decorators)

    def outputs(self) -> list[str]:
        """The names that the region writes and that are read afterwards, in order of writing."""
        if self.region.expression is not None or self.returns:
            return []
        ordered = sorted(self.flow.writes, key=lambda name: min(self.flow.writes[name]))
        own = [n for n in ordered if self.flow.bindings[n].scope is self.host and not self._only_deleted(n)]
        found = [name for name in own if self.flow.live_after(name)]
        if not found and self.options.keep_last and own:
            last = max(own, key=lambda name: max(self.flow.writes[name]))
            return [last]
        return found

    def _only_deleted(self, name: str) -> bool:
        sites = [s for s in self.flow.bindings[name].sites if self.region.contains(s.start)]
        return all(site.kind == "del" for site in sites)

    def parameters(self, outputs: list[str]) -> list[str]:
        """The names that the new function has to be given."""
        found: list[tuple[tuple[int, int], str]] = []
        first = self.flow.reads
        for name, binding in self.flow.bindings.items():
            if name == self.receiver() and binding.scope is self.host:
                continue
            local = binding.scope is self.host
            if binding.scope.kind == "module" and not (local and name in self.flow.writes):
                continue
            if self.visible(binding.scope) and not (local and name in self.flow.writes):
                continue
            if not self.flow.written_before(name):
                continue
            written = name in self.flow.writes
            if written and local:
                sure = self.flow.surely_written(name) is not None
                needed = self.flow.read_first(name) or (not sure and (name in outputs or name in first))
                if not needed:
                    continue
            elif name not in first:
                continue
            found.append((self._order(name, binding.scope), name))
        names = [name for _, name in sorted(found)]
        if self.options.pass_unbound:
            names = sorted(
                [*names, *self.flow.unbound],
                key=lambda n: self.flow.reads.get(n, self.flow.unbound.get(n, 0)),
            )
        return names

    def _order(self, name: str, scope: Scope) -> tuple[int, int]:
        """In order of reading for statements; for an expression in order of definition, nearest scope first."""
        if self.region.expression is None:
            return 0, self.flow.reads.get(name, self.region.end)
        depth, current = 0, self.host
        if scope.kind in ("lambda", "comprehension"):
            return -1, min(site.start for site in scope.bindings[name].sites)
        while current is not scope and current.parent is not None:
            current = current.parent
            depth += 1
        return depth, min(site.start for site in scope.bindings[name].sites)

    def declarations(self) -> list[str]:
        """`global` and `nonlocal` that the new function needs for what it writes."""
        found: list[str] = []
        for name in sorted(self.flow.writes):
            scope = self.flow.bindings[name].scope
            if scope is self.host or self._declared(name):
                continue
            if scope.kind == "module":
                found.append(f"global {name}")
            elif self.visible(scope):
                found.append(f"nonlocal {name}")
            else:
                raise EditRefused(
                    f"the selection assigns {name} of an enclosing function",
                    hint="extract it into that function, or leave the assignment out",
                )
        return found

    def _declared(self, name: str) -> bool:
        for top in self.region.nodes():
            for node in walk_here(top):
                if node.type in ("global_statement", "nonlocal_statement"):
                    if name in [self.file.text(child) for child in node.named_children]:
                        return True
        return False

    # text -------------------------------------------------------------------------------------

    def call(self, parameters: list[str]) -> str:
        target = self.name
        if self.kind in ("staticmethod", "classmethod") and self.host.method_of is not None:
            through = self.options.through_class or not self._host_is("classmethod")
            target = f"{self.host.method_of.name if through else self.host.self_name}.{self.name}"
        elif self.kind == "method":
            target = f"{self.receiver()}.{self.name}"
        text = f"{target}({', '.join(parameters)})"
        return f"await {text}" if self.is_async else text

    def definition(self, parameters: list[str], outputs: list[str], indent: bytes) -> bytes:
        data, end = self.file.data, newline(self.file.data)
        inner = indent + unit(data)
        lines: list[bytes] = []
        if self.kind in ("staticmethod", "classmethod"):
            lines.append(indent + b"@" + self.kind.encode())
        given = ([self.receiver()] if self.receiver() else []) + parameters
        word = "async def" if self.is_async else "def"
        lines.append(indent + f"{word} {self.name}({', '.join(given)}):".encode())
        for declaration in self.declarations():
            lines.append(inner + declaration.encode())
        if self.region.expression is not None:
            text = one_line(self.file, self.region.expression)
            if self.region.expression.type == "named_expression":
                text = f"({text})"
            lines.append(inner + b"return " + text.encode())
        else:
            old = indent_at(data, self.region.start)
            body = reindent(self.file, self.region.start, self.region.end, old, inner)
            lines.append(inner + body.rstrip())
            if outputs:
                lines.append(inner + b"return " + ", ".join(outputs).encode())
        return end.join(lines)

    def splices(self) -> list[Splice]:
        outputs = self.outputs()
        parameters = self.parameters(outputs)
        check_names(self.region, self.flow, parameters, outputs)
        found = [self._replace(self.region, self.call(parameters), outputs)]
        others: list[Region] = []
        if self.options.similar:
            for other in similar(self.types, self.region, self._reach()):
                one = self._twin(other)
                if one is not None:
                    twin_outputs = one.outputs()
                    if one.parameters(twin_outputs) == parameters and set(twin_outputs) <= set(
                        outputs or twin_outputs
                    ):
                        found.append(self._replace(other, one.call(parameters), outputs or twin_outputs))
                        others.append(other)
        found.append(self._insert(parameters, outputs, others))
        return found

    def _reach(self) -> Scope:
        return self.home

    def _twin(self, other: Region) -> Extraction | None:
        """The same extraction at another place; None where it would be another one."""
        try:
            one = Extraction(self.types, other, self.name, self.options)
        except EditRefused:
            return None
        if self.kind != one.kind or self.home is not one.home:
            return None
        return one

    def _replace(self, region: Region, call: str, outputs: list[str]) -> Splice:
        path = self.file.path
        if region.expression is not None:
            node = region.expression
            if node.type == "named_expression":
                name = node.child_by_field_name("name")
                if name is not None and self._keeps_walrus(name):
                    return Splice(
                        path, node.start_byte, node.end_byte, f"{self.file.text(name)} := {call}".encode()
                    )
            if node.type == "generator_expression":
                text = self.file.data[node.start_byte : node.end_byte]
                if text.startswith(b"("):
                    in_call = node.parent is not None and node.parent.type == "call"
                    replacement = f"({call})" if in_call else call
                    return Splice(path, node.start_byte, node.end_byte, replacement.encode())
            return Splice(path, node.start_byte, node.end_byte, call.encode())
        line = call
        if self.returns:
            line = f"return {call}"
        elif outputs:
            line = f"{', '.join(outputs)} = {call}"
        return Splice(path, region.start, region.end, line.encode())

    def _keeps_walrus(self, name: Node) -> bool:
        binding = self.flow.bindings.get(self.file.text(name))
        return binding is not None and binding.scope is self.host and self.host.kind == "function"

    def _insert(self, parameters: list[str], outputs: list[str], others: list[Region]) -> Splice:
        data, path, end = self.file.data, self.file.path, newline(self.file.data)
        anchor = self._anchor()
        indent = indent_at(data, anchor.start_byte)
        text = self.definition(parameters, outputs, indent)
        gap = end * 3 if self.home.kind == "module" else end * 2
        if self.options.place == "before" or self.host.kind != "function" or self._runs_here(anchor):
            first = anchor
            for other in others:
                candidate = _top(other.first, self.home)
                if candidate.start_byte < first.start_byte:
                    first = candidate
            at = line_start(data, first.start_byte)
            return Splice(path, at, at, text + gap)
        at = line_end(data, anchor.end_byte)
        if not data[:at].endswith(b"\n"):
            return Splice(path, at, at, gap + text + end)
        return Splice(path, at, at, gap[len(end) :] + text + end)

    def _runs_here(self, anchor: Node) -> bool:
        """Whether the code may run before what stands behind `anchor` is there."""
        if anchor.type not in ("function_definition", "decorated_definition", "class_definition"):
            return True
        names = {self.types.decorator_name(self.host, d) for d in self.host.decorators}
        return self.home.kind != "class" and not names <= CLEAR

    def _anchor(self) -> Node:
        """The statement of the new function's scope beside which it is put."""
        return _top(self.region.first, self.home)


def _top(node: Node, home: Scope) -> Node:
    """The statement around `node` that stands directly in the body of `home`."""
    body = home.node.child_by_field_name("body") if home.kind != "module" else home.node
    current = node
    while current.parent is not None and current.parent != body:
        current = current.parent
    return current


def extract_function(
    resolver: PythonResolver, file: FileIndex, start: int, end: int, name: str, options: ExtractOptions
) -> list[Splice]:
    """Take the selection out into a function of its own."""
    made = Extraction(resolver.types, Region(file, start, end, options.what), name, options)
    check_members(resolver, made.region, made.flow, made.outputs())
    if made.kind == "function":
        check_fresh(file, made.home, name, [made.region.start])
    else:
        assert made.host.method_of is not None
        check_member(resolver, made.host.method_of, name)
    if made.home.kind == "module":
        check_module(resolver, file, name)
    elif made.kind == "method":
        taken = borrowed(resolver, made.host)
        if taken is not None:
            raise EditRefused(
                f"{made.host.dotted()} is used for another class at {taken}", hint="kind: 'function'"
            )
    return made.splices()
