"""Functions of a module become methods of a new class: static ones, or with shared parameters as its state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence
from forgewright.code.project import Splice
from forgewright.code.python.keys import Keys
from forgewright.code.python.refactor.calls import Argument, Call, call_at, function_keys, match
from forgewright.code.python.refactor.imports import Imports, Item
from forgewright.code.python.refactor.inline_function import removal
from forgewright.code.python.refactor.merging import attribute_at, merge
from forgewright.code.python.refactor.organise import uses, uses_of
from forgewright.code.python.refactor.text import definition_of, newline, reindent, unit, walk
from forgewright.code.python.rename import check_name
from forgewright.code.python.scopes import FileIndex, Parameter, Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


class FunctionsToClass:
    """Some functions on their way into a class."""

    def __init__(
        self, resolver: PythonResolver, path: str, names: Sequence[str], name: str, state: Sequence[str]
    ) -> None:
        check_name(name)
        self.resolver = resolver
        self.file = resolver.file(path)
        self.name = name
        self.state = list(state)
        self.functions = [self._function(one) for one in dict.fromkeys(names)]
        self.functions.sort(key=lambda scope: scope.node.start_byte)
        if name in self.file.module.bindings:
            raise EditRefused(f"{name} is already defined in {path}", hint="choose another name")
        self.keys: dict[str, Keys] = {f.name: function_keys(resolver, f) for f in self.functions}
        self.nodes = [definition_of(function.node) for function in self.functions]
        self.own_calls = self._calls_of_own()
        self.inner: list[Splice] = []
        """Edits within the functions, done while they are indented."""
        self.outer: list[Splice] = []

    def _function(self, name: str) -> Scope:
        binding = self.file.module.bindings.get(name)
        sites = binding.sites if binding is not None else []
        if len(sites) != 1 or sites[0].kind != "function" or sites[0].scope is None:
            raise EditRefused(
                f"{name} is no function that {self.file.path} defines once at its top",
                hint="name plain functions",
            )
        scope = sites[0].scope
        parent = definition_of(scope.node).parent
        if parent is None or parent.type != "module":
            raise EditRefused(f"{name} is defined under a condition", hint="take it out first")
        if self.state and scope.decorators:
            raise EditRefused(
                f"{name} has decorators, which a method would give self to", hint="leave it out"
            )
        if name.startswith("__") and not name.endswith("__"):
            raise EditRefused(f"{name} would be mangled in a class", hint="rename it first")
        own = {p.name: p for p in scope.parameters}
        for one in self.state:
            if one not in own or own[one].kind in ("star", "kwargs"):
                raise EditRefused(f"{name} has no parameter {one}", hint="name what all of them take")
            if len(scope.bindings[one].sites) > 1:
                raise EditRefused(f"{one} is assigned in {name}", hint="use another name there first")
        if self.state and "self" in {*scope.bindings, *own}:
            raise EditRefused(f"self means something in {name}", hint="rename it first")
        return scope

    # the whole --------------------------------------------------------------------------------

    def plan(self) -> list[Splice]:
        """All splices. Raises `EditRefused` for a use that could not follow."""
        self._check_order()
        for function in self.functions if self.state else ():
            self._take_state(function)
        for function in self.functions:
            self._follow(function)
        self.outer.append(self._class())
        self.outer += self._removals()
        return merge(self.outer)

    def _removals(self) -> list[Splice]:
        """Take the others out of their old places; at the end of the file with the blank lines above them."""
        data = self.file.data
        found: list[Splice] = []
        tail = len(data)
        for node in reversed(self.nodes[1:]):
            whole = removal(self.file, node)
            if not data[whole.end : tail].strip():
                start = len(data[: whole.start].rstrip()) + len(newline(data))
                whole = Splice(whole.path, start, tail, b"")
                tail = start
            found.append(whole)
        return found

    def _check_order(self) -> None:
        """Decorators, defaults and annotations are evaluated where the class will stand: at the first function."""
        start = self.nodes[0].start_byte
        for function, node in list(zip(self.functions, self.nodes, strict=True))[1:]:
            body = function.node.child_by_field_name("body")
            assert body is not None
            for inner in walk(node):
                if inner.type != "identifier" or inner.start_byte >= body.start_byte:
                    continue
                name = self.file.text(inner)
                binding = self.file.module.bindings.get(name)
                if binding is None or name in self.keys or any(site.start < start for site in binding.sites):
                    continue
                if name in {p.name for p in function.parameters}:
                    continue
                raise EditRefused(
                    f"{function.name} needs {name}, which is defined after {self.functions[0].name}",
                    hint="move that above it first",
                )

    def _take_state(self, function: Scope) -> None:
        """The parameters that are attributes now: out of the list, `self.` before their uses."""
        from forgewright.code.python.refactor.signature import definition, slots_of

        passed_on = {start for spans in self.own_calls.values() for start, _ in spans}
        for one in self.state:
            binding = function.bindings[one]
            for ref in self.file.names.get(one, ()):
                if self.file.lookup(ref.scope, one, ref.start) is binding and ref.start not in passed_on:
                    self.inner.append(Splice(self.file.path, ref.start, ref.start, b"self."))
        left = [slot for slot in slots_of(function) if slot.name not in self.state]
        parameters = function.node.child_by_field_name("parameters")
        assert parameters is not None
        (splice,) = definition(function, left)
        text = splice.text.decode()
        if not text.startswith("("):  # a shorter list is written anew as a whole
            raise EditRefused(
                f"the parameters of {function.name} are written unusually",
                hint="write them on one line first",
            )
        body = text[1:].lstrip() if "\n" not in text else text[1:]
        joint = "self" if body.strip() in (")", "") else "self, " if "\n" not in text else "self,"
        self.inner.append(Splice(splice.path, splice.start, splice.end, f"({joint}{body}".encode()))

    # uses -------------------------------------------------------------------------------------

    def _follow(self, function: Scope) -> None:
        for place in self._places(function):
            if place.role == "definition":
                continue
            if not place.certain:
                row = self.resolver.file(place.path).data.count(b"\n", 0, place.start) + 1
                raise EditRefused(
                    f"{place.path}:{row} may name {function.name} ({place.note})", hint="change it first"
                )
            if place.role == "import":
                continue
            if place.role in ("export", "string"):
                raise EditRefused(
                    f"{function.name} is exported by name in {place.path}",
                    hint="take it out of __all__ first",
                )
            self._use(function, place)
        self._imports(function)

    def _places(self, function: Scope) -> list[Occurrence]:
        """All places of a function, under its own name and under the names that imports give it."""
        _, places = self.resolver.finder.find(self.keys[function.name], function.name, hierarchy=False)
        found = list(places)
        for path in self.resolver.project.containing(function.name.encode(), "python"):
            file = self.resolver.file(path)
            for item in self._items(file, function) if file is not self.file else ():
                if item.alias:
                    found += [
                        Occurrence(path, ref.start, ref.end, "reference") for ref in uses_of(file, item)
                    ]
        return found

    def _use(self, function: Scope, place: Occurrence) -> None:
        file = self.resolver.file(place.path)
        call = call_at(self.resolver, place, function)
        if self.state:
            if call is None:
                row = file.data.count(b"\n", 0, place.start) + 1
                raise EditRefused(
                    f"{function.name} is used other than by a call in {place.path}:{row}",
                    hint="change that place first: it has no state to give",
                )
            self._call(function, call, place)
            return
        outer = attribute_at(file, place)
        if outer is None and file is not self.file and not self._items(file, function):
            raise EditRefused(
                f"{place.path} takes {function.name} by a star import", hint="expand that first"
            )
        self._put(file, Splice(place.path, place.start, place.end, f"{self.name}.{function.name}".encode()))

    def _call(self, function: Scope, call: Call, place: Occurrence) -> None:
        given, extra = match(list(function.parameters), call.arguments)
        if any(argument.star for argument in extra):
            raise EditRefused(
                f"a call in {call.file.path} unpacks its arguments", hint="write its arguments out first"
            )
        passed = [given[one] for one in self.state if one in given]
        node = call.node.child_by_field_name("function")
        assert node is not None
        prefix = call.receiver + "." if call.receiver else ""
        if (call.node.start_byte, call.node.end_byte) in self.own_calls:
            head = f"self.{function.name}"
        else:
            texts = [self._moved(call, argument) for argument in passed]
            head = f"{prefix}{self.name}({', '.join(texts)}).{function.name}"
        self._put(call.file, Splice(place.path, node.start_byte, node.end_byte, head.encode()))
        for splice in _without(call, passed):
            self._put(call.file, splice)

    def _moved(self, call: Call, argument: Argument) -> str:
        """The text of an argument that goes to the constructor, with what has been changed in it."""
        from forgewright.code.python.refactor.staged import spliced

        start, end = argument.node.start_byte, argument.node.end_byte
        if call.file is not self.file:
            return argument.written()
        for node in walk(argument.node):
            if node.type == "identifier" and self.file.text(node) in self.keys:
                raise EditRefused(
                    f"a call in {call.file.path} passes what {self.file.text(node)} gives",
                    hint="give that a name on a line of its own first",
                )
        own = [s for s in self.inner if start <= s.start < end]
        self.inner = [s for s in self.inner if s not in own]
        moved = [Splice(s.path, s.start - start, s.end - start, s.text) for s in own]
        return spliced(self.file.data[start:end], moved).decode()

    def _calls_of_own(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Calls among the functions that pass on the very state they were given → those arguments."""
        found: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for function in self.functions if self.state else ():
            _, places = self.resolver.finder.find(self.keys[function.name], function.name, hierarchy=False)
            for place in places:
                host = self._host(place.start) if place.path == self.file.path else None
                call = call_at(self.resolver, place, function) if host is not None else None
                if call is None or host is None or call.receiver:
                    continue
                given, _ = match(list(function.parameters), call.arguments)
                spans: list[tuple[int, int]] = []
                for one in self.state:
                    value = given[one].value if one in given and given[one].text == one else None
                    if value is None:
                        break
                    if self.file.lookup(call.scope, one, value.start_byte) is not host.bindings[one]:
                        break
                    spans.append((value.start_byte, value.end_byte))
                else:
                    found[call.node.start_byte, call.node.end_byte] = spans
        return found

    def _host(self, offset: int) -> Scope | None:
        """The function, of those that move, that a byte is in."""
        for function in self.functions:
            if function.node.start_byte <= offset < function.node.end_byte:
                return function
        return None

    def _put(self, file: FileIndex, splice: Splice) -> None:
        inside = file is self.file and any(
            node.start_byte <= splice.start < node.end_byte for node in self.nodes
        )
        (self.inner if inside else self.outer).append(splice)

    # imports ----------------------------------------------------------------------------------

    def _items(self, file: FileIndex, function: Scope) -> list[Item]:
        found: list[Item] = []
        for entry in file.imported.get(function.name, ()):
            if self.resolver.identity.of_link(entry.link, file.path) & self.keys[function.name]:
                found += [
                    item
                    for item in Imports(file).items
                    if item.node.start_byte == entry.node.start_byte and item.name == function.name
                ]
        return found

    def _imports(self, function: Scope) -> None:
        for path in self.resolver.project.containing(function.name.encode(), "python"):
            file = self.resolver.file(path)
            if file is self.file:
                continue
            for item in self._items(file, function):
                if self.name in file.module.bindings:
                    raise EditRefused(
                        f"{self.name} means something in {path} already", hint="choose another name"
                    )
                if any(uses(other, function.name) for other in self._takers(file, item)):
                    raise EditRefused(
                        f"other modules take {function.name} from {path}",
                        hint="let them import it from its home",
                    )
                first = self._first(file)
                if first is not None and first.node == item.node:
                    self.outer.append(
                        Splice(path, item.node.start_byte, item.node.end_byte, self.name.encode())
                    )
                else:
                    self.outer += Imports(file).remove([item])

    def _first(self, file: FileIndex) -> Item | None:
        items = [item for function in self.functions for item in self._items(file, function)]
        return min(items, key=lambda item: item.node.start_byte) if items else None

    def _takers(self, file: FileIndex, item: Item) -> list[FileIndex]:
        module = self.resolver.modules.module_of(file.path)
        found: list[FileIndex] = []
        for path in self.resolver.project.containing(item.bound.encode(), "python"):
            other = self.resolver.file(path)
            for entry in other.imported.get(item.bound, ()):
                if self.resolver.modules.find(path, entry.link.level, entry.link.module) == module:
                    found.append(other)
        return found

    # the class --------------------------------------------------------------------------------

    def _class(self) -> Splice:
        data = self.file.data
        end, step = newline(data), unit(data)
        lines = [f"class {self.name}:".encode()]
        if self.state:
            lines += self._constructor(step)
        for node in self.nodes:
            if len(lines) > 1:
                lines.append(b"")
            if not self.state:
                lines.append(step + b"@staticmethod")
            lines.append(step + self._indented(node, step))
        first = self.nodes[0]
        return Splice(self.file.path, first.start_byte, first.end_byte, end.join(lines).rstrip())

    def _constructor(self, step: bytes) -> list[bytes]:
        first = {p.name: p for p in self.functions[0].parameters}
        texts = [self._declared(first[one]) for one in self.state]
        lines = [step + f"def __init__(self, {', '.join(texts)}):".encode()]
        return lines + [step * 2 + f"self.{one} = {one}".encode() for one in self.state]

    def _declared(self, parameter: Parameter) -> str:
        annotation = f": {self.file.text(parameter.annotation)}" if parameter.annotation is not None else ""
        return parameter.name + annotation

    def _indented(self, node: Node, step: bytes) -> bytes:
        """The function with its edits, one step further in; lines within strings stay."""
        from forgewright.code.python.build import build
        from forgewright.code.python.refactor.staged import spliced
        from forgewright.code.sources import SourceFile

        own = [s for s in self.inner if node.start_byte <= s.start < node.end_byte]
        moved = [Splice(s.path, s.start - node.start_byte, s.end - node.start_byte, s.text) for s in own]
        text = spliced(self.file.data[node.start_byte : node.end_byte], moved)
        alone = build(SourceFile(self.file.path, text, "python"))
        return reindent(alone, 0, len(text), b"", step)


def _without(call: Call, gone: Sequence[Argument]) -> list[Splice]:
    """Deletions of arguments with their commas."""
    found: list[Splice] = []
    arguments = call.arguments
    left = [argument for argument in arguments if argument not in gone]
    for index, argument in enumerate(arguments):
        if argument in left:
            continue
        start, end = argument.node.start_byte, argument.node.end_byte
        before = [one for one in arguments[:index] if one in left]
        if index + 1 < len(arguments):
            end = arguments[index + 1].node.start_byte
        elif before:
            start = before[-1].node.end_byte
        found.append(Splice(call.file.path, start, end, b""))
    return found
