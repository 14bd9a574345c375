"""Inline a function: its body stands where it was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.refactor.calls import Call, calls_of, function_keys, match
from forgewright.code.python.refactor.constant import check_constant
from forgewright.code.python.refactor.dispatch import from_outside, spoken
from forgewright.code.python.refactor.imports import Imports, merged_deletions, remove_statement
from forgewright.code.python.refactor.inline import check_exported, import_removals
from forgewright.code.python.refactor.inlined_body import Body
from forgewright.code.python.refactor.needed import Needs
from forgewright.code.python.refactor.precedence import needs_parentheses
from forgewright.code.python.refactor.region import walk_here
from forgewright.code.python.refactor.signature import family
from forgewright.code.python.refactor.text import (
    BLOCKS,
    definition_of,
    has_docstring,
    indent_at,
    line_end,
    line_start,
    newline,
    reindent,
    statement_of,
    walk,
)
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


class FunctionInliner(Body):
    """The body of one function, ready to be put in the place of its calls."""

    def __init__(self, resolver: PythonResolver, function: Scope) -> None:
        super().__init__(resolver, function)
        self.returns = False
        self._check()

    def _check(self) -> None:
        function, name = self.function, self.name
        if any(p.kind in ("star", "kwargs") for p in function.parameters):
            raise EditRefused(f"{name} takes *args or **kwargs", hint="give it plain parameters first")
        site = function.site
        binding = site.where.bindings.get(name) if site is not None else None
        if binding is None or len(binding.sites) != 1:
            raise EditRefused(
                f"{name} is defined more than once", hint="inline a function with one definition"
            )
        if function.method_of is not None and len(family(self.resolver, function)) > 1:
            raise EditRefused(f"{name} is overridden or overrides another", hint="inline the calls by hand")
        caller = from_outside(self.resolver, function)
        if caller is not None:
            raise EditRefused(f"{name} is called by {caller}", hint="inline the calls by hand, and keep it")
        names = {self.resolver.types.decorator_name(function, d) for d in function.decorators}
        if names - {"staticmethod", "classmethod"}:
            raise EditRefused(
                f"{name} is decorated with {', '.join(sorted(names))}", hint="take the decorator off"
            )
        if function.is_async:
            raise EditRefused(f"{name} is async", hint="inline a plain function")
        body = function.node.child_by_field_name("body")
        assert body is not None
        docs = has_docstring(body)
        self.statements = [c for c in body.named_children if c != docs]
        for statement in self.statements:
            for node in walk_here(statement):
                if node.type == "yield":
                    raise EditRefused(f"{name} is a generator", hint="inline a plain function")
                if node.type in ("global_statement", "nonlocal_statement"):
                    raise EditRefused(
                        f"{name} declares {node.type.split('_')[0]} names", hint="inline it by hand"
                    )
        code = [c for c in self.statements if c.type not in ("comment", "pass_statement")]
        returns = [n for c in code for n in walk_here(c) if n.type == "return_statement"]
        if returns:
            if len(returns) > 1 or returns[0] != code[-1]:
                raise EditRefused(f"{name} returns in the middle", hint="give it a single return at its end")
            self.returns = True
            values = [c for c in returns[0].named_children if c.type != "comment"]
            self.value = values[0] if values else None
            code = code[:-1]
        self.statements = code
        self.check_frame()
        keys = function_keys(self.resolver, function)
        for statement in [*code, *([self.value] if self.value is not None else [])]:
            for node in walk(statement):
                if node.type == "identifier" and self.file.text(node) == name:
                    if keys & self.resolver.keys_at(self.file.path, node.start_byte)[0]:
                        raise EditRefused(
                            f"{name} calls itself", hint="inline a function that is not recursive"
                        )

    # one call ---------------------------------------------------------------------------------

    def arguments(self, call: Call) -> dict[str, tuple[str, Node | None]]:
        """Parameter → the text that takes its place, and the node it comes from."""
        parameters = list(self.function.parameters)
        found: dict[str, tuple[str, Node | None]] = {}
        if call.bound and parameters:
            first = parameters.pop(0)
            names = {self.resolver.types.decorator_name(self.function, d) for d in self.function.decorators}
            owner = self.function.method_of
            receiver = call.receiver
            if receiver.startswith("super("):
                raise EditRefused(
                    f"{self.name} is called through super() in {call.file.path}",
                    hint="inline the calls by hand",
                )
            if "classmethod" in names and owner is not None and receiver not in (owner.name, "cls"):
                if self.places(first.name) and not self.is_class(call):
                    raise EditRefused(
                        f"{self.name} is called on an object in {call.file.path}, and uses its class",
                        hint="call it on the class there first",
                    )
            function = call.node.child_by_field_name("function")
            found[first.name] = (
                receiver,
                function.child_by_field_name("object") if function is not None else None,
            )
        given, extra = match(parameters, call.arguments)
        if extra:
            raise EditRefused(
                f"a call of {self.name} in {call.file.path} has arguments that fit no parameter",
                hint="repair it first",
            )
        for parameter in parameters:
            if parameter.name in given:
                argument = given[parameter.name]
                found[parameter.name] = (argument.text, argument.value)
            elif parameter.default is not None:
                check_constant(self.resolver, self.file, parameter.default)
                found[parameter.name] = (self.file.text(parameter.default), parameter.default)
            else:
                raise EditRefused(
                    f"a call of {self.name} in {call.file.path} lacks {parameter.name}", hint="repair it"
                )
        return found

    def splices(self, call: Call) -> list[Splice]:
        """The edits at one call."""
        given = self.arguments(call)
        needs = Needs(
            self.resolver, self.file, [*self.statements, *([self.value] if self.value else [])], self.function
        )
        renames = needs.for_file(call.file)
        assigned = self.to_assign(call, given)
        lines: list[bytes] = []
        data = call.file.data
        statement = statement_of(call.node)
        indent = indent_at(data, statement.start_byte)
        self._check_locals(call, given, assigned)
        self._check_private(call)
        self.check_deferred(given, call)
        if call.scope.kind == "class" and (assigned or self.statements):
            raise EditRefused(
                f"{self.name} has statements, and is called in the body of a class", hint="inline it by hand"
            )
        end = newline(data)
        for name in assigned:
            if given[name][0] != name:
                lines.append(f"{name} = {given[name][0]}".encode())
        swap = {name: pair for name, pair in given.items() if name not in assigned}
        for one in self.statements:
            lines.append(self._text(one, swap, renames, indent))
        alone = statement.type == "expression_statement" and statement.named_children[0] == call.node
        found = needs.splices(call.file)
        value = (
            self._text(self.value, swap, renames, indent).decode()
            if self.returns and self.value is not None
            else "None"
        )
        if lines and (not self._plain(call, statement)):
            raise EditRefused(
                f"{self.name} has statements, and is called where only an expression can stand",
                hint="give the call a statement of its own first",
            )
        if alone and not (self.returns and self.value is not None):
            text = (end + indent).join(lines) if lines else b"pass"
            if not lines and self._removable(statement):
                return [*found, remove_statement(call.file, statement)]
            return [*found, Splice(call.file.path, statement.start_byte, statement.end_byte, text)]
        if (self.value is not None and needs_parentheses(self.value, call.node)) or (
            "\n" in value and not value.startswith(("(", "[", "{"))
        ):
            value = f"({value})"
        found.append(Splice(call.file.path, call.node.start_byte, call.node.end_byte, value.encode()))
        if lines:
            text = (end + indent).join(lines) + end + indent
            found.append(Splice(call.file.path, statement.start_byte, statement.start_byte, text))
        return found

    def _removable(self, statement: Node) -> bool:
        parent = statement.parent
        return parent is not None and len([c for c in parent.named_children if c.type != "comment"]) > 1

    def _plain(self, call: Call, statement: Node) -> bool:
        """Whether the call is computed once, when its statement begins."""
        data = call.file.data
        if data[line_start(data, statement.start_byte) : statement.start_byte].strip():
            return False
        if statement.parent is None or statement.parent.type not in BLOCKS:
            return False
        node = call.node
        while node.parent is not None and node != statement:
            parent = node.parent
            if parent.type in ("lambda", "for_in_clause", "if_clause") or "comprehension" in parent.type:
                return False
            if parent.type in ("boolean_operator", "conditional_expression"):
                return False
            if parent.type in ("while_statement", "elif_clause", "generator_expression"):
                return False
            node = parent
        return statement.type not in ("while_statement", "function_definition", "class_definition")

    def _check_private(self, call: Call) -> None:
        """Refuse to take a class's private names out of it."""
        owner = self.function.method_of
        if owner is None or (
            call.file is self.file and owner.node.start_byte <= call.node.start_byte < owner.node.end_byte
        ):
            return
        for node in walk(self.function.node):
            if node.type == "identifier":
                word = self.file.text(node)
                if word.startswith("__") and not word.endswith("__"):
                    raise EditRefused(f"{self.name} uses the private name {word}", hint="rename that first")

    def _check_locals(
        self, call: Call, given: dict[str, tuple[str, Node | None]], assigned: list[str]
    ) -> None:
        """Refuse if a local name of the function is one of the caller's."""
        scope = call.scope
        for name in self.function.bindings:
            if name in given and name not in assigned:
                continue
            if name in given and given[name][0] == name:
                continue
            found = call.file.lookup(scope, name, call.node.start_byte)
            if found is not None and (found.scope is scope or scope.kind == "module"):
                raise EditRefused(
                    f"{name} is bound in {self.name} and at the call", hint="rename one of them first"
                )

    def _text(
        self,
        node: Node,
        swap: dict[str, tuple[str, Node | None]],
        renames: dict[int, tuple[int, str]],
        indent: bytes,
    ) -> bytes:
        """The text of a statement or value with parameters and names put in."""
        edits: list[tuple[int, int, bytes]] = []
        for name, (text, value) in swap.items():
            binding = self.function.bindings.get(name)
            if binding is None:
                continue
            for ref in self.file.names.get(name, ()):
                if not node.start_byte <= ref.start < node.end_byte:
                    continue
                if self.file.lookup(ref.scope, name, ref.start) is not binding:
                    continue
                place = self.file.root.descendant_for_byte_range(ref.start, ref.end)
                fitted = " ".join(part.strip() for part in text.splitlines()) if "#" not in text else text
                if place is not None and value is not None and needs_parentheses(value, place):
                    fitted = f"({fitted})"
                edits.append((ref.start, ref.end, fitted.encode()))
        for start, (stop, text) in renames.items():
            if node.start_byte <= start < node.end_byte:
                edits.append((start, stop, text.encode()))
        old = indent_at(self.file.data, node.start_byte)
        if self.file.data[line_start(self.file.data, node.start_byte) : node.start_byte].strip():
            old = b"\0"
        out: list[bytes] = []
        at = node.start_byte
        raw = bytearray()
        for start, stop, new in sorted(edits):
            if start < at:
                continue
            raw += self.file.data[at:start] + new
            at = stop
        raw += self.file.data[at : node.end_byte]
        if b"\n" not in raw or old == b"\0":
            return bytes(raw)
        if not edits:
            return reindent(self.file, node.start_byte, node.end_byte, old, indent)
        protected = any(n.type == "string" and n.start_point[0] != n.end_point[0] for n in walk(node))
        for number, line in enumerate(bytes(raw).split(b"\n")):
            if number and not protected and line.startswith(old) and line.strip():
                line = indent + line[len(old) :]
            out.append(line)
        return b"\n".join(out)


def inline_function(
    resolver: PythonResolver, function: Scope, *, only: tuple[str, int] | None = None, remove: bool = True
) -> list[Splice]:
    """Put the body where the function is called; `only` at one place (path, byte)."""
    inliner = FunctionInliner(resolver, function)
    calls, others = calls_of(resolver, function)
    if only is not None:
        calls = [c for c in calls if c.file.path == only[0] and c.place.start <= only[1] <= c.place.end]
        if not calls:
            raise EditRefused(f"{function.name} is not called there", hint="point at a call")
    elif others and remove:
        first = others[0]
        why = "may be used" if not first.certain else "is used other than by a call"
        raise EditRefused(f"{function.name} {why} in {first.path}", hint="inline single calls with only_here")
    found: list[Splice] = []
    nested = {(c.file.path, c.node.start_byte, c.node.end_byte) for c in calls}
    for call in calls:
        for path, start, end in nested:
            if path == call.file.path and start < call.node.start_byte and call.node.end_byte <= end:
                raise EditRefused(
                    f"a call of {function.name} stands in the arguments of another", hint="one by one"
                )
        found += inliner.splices(call)
    if remove and only is None:
        found = _removed(resolver, function, calls, found)
    return _joined(found)


def _removed(
    resolver: PythonResolver, function: Scope, calls: list[Call], found: list[Splice]
) -> list[Splice]:
    if not calls:
        raise EditRefused(
            f"{function.name} is called nowhere", hint="delete-unused takes it away if nothing uses it"
        )
    place = spoken(function)
    if place is not None:
        raise EditRefused(
            f"{function.name} stands in a text at {place}",
            hint="inline single calls with only_here, and keep it",
        )
    definition = definition_of(function.node)
    found.append(removal(function.file, definition))
    keys = function_keys(resolver, function)
    places: list[Occurrence] = resolver.finder.find(keys, function.name, hierarchy=False)[1]
    check_exported(places, function.name)
    return found + import_removals(resolver, keys, places)


def removal(file: FileIndex, definition: Node) -> Splice:
    """Take a definition out, with the blank lines that followed it."""
    whole = remove_statement(file, definition)
    if whole.text or definition.parent is None or definition.parent.type != "module":
        return whole
    data, stop = file.data, whole.end
    while stop < len(data) and not data[stop : line_end(data, stop)].strip():
        stop = line_end(data, stop)
    return Splice(file.path, whole.start, stop, b"")


def _joined(splices: list[Splice]) -> list[Splice]:
    """Equal insertions once; deletions that touch joined."""
    unique = list(dict.fromkeys(splices))
    deletions = merged_deletions([s for s in unique if not s.text])
    return [s for s in unique if s.text] + deletions


__all__ = ["FunctionInliner", "Imports", "inline_function", "removal"]
