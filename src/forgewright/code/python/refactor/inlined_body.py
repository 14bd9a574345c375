"""The body of a function that takes the place of its calls: which arguments can be put in it, and which come before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.refactor.calls import Call
from forgewright.code.python.refactor.effects import acts, can_fail, deep, fixed, looks_into, makes, writes
from forgewright.code.python.refactor.extract_checks import later
from forgewright.code.python.refactor.listed import frames_in
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.text import walk
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.code.python.values import ClassValue
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver


class Body:
    """Statements and a value, with the parameters that they read."""

    def __init__(self, resolver: PythonResolver, function: Scope) -> None:
        self.resolver = resolver
        self.function = function
        self.file = function.file
        self.name = function.name
        self.statements: list[Node] = []
        self.value: Node | None = None
        """What the last statement returns."""

    def _assigned(self, name: str) -> bool:
        binding = self.function.bindings.get(name)
        return binding is not None and len(binding.sites) > 1

    def is_class(self, call: Call) -> bool:
        function = call.node.child_by_field_name("function")
        obj = function.child_by_field_name("object") if function is not None else None
        values = self.resolver.types.infer(obj, call.scope) if obj is not None else ()
        return bool(values) and all(isinstance(value, ClassValue) for value in values)

    def to_assign(self, call: Call, given: dict[str, tuple[str, Node | None]]) -> list[str]:
        """The parameters whose arguments are computed before the body, as they were before the call."""
        found: list[str] = []
        written = {id(a.value): i for i, a in enumerate(call.arguments)}
        ordered = sorted(given, key=lambda n: written.get(id(given[n][1]), -1))
        loud = [n for n in ordered if self._loud(call, given[n][1])]
        for name in given:
            if self._assigned(name) or self._computed_otherwise(call, name, given[name][1]):
                found.append(name)
        uses = {n: [p.start_byte for p in self.places(n)] for n in loud}
        if len(loud) > 1 and not set(loud) <= set(found):
            firsts = [uses[n][0] for n in loud if uses[n]]
            if firsts != sorted(firsts) or any(n in found for n in loud):
                found += [n for n in loud if n not in found]
        return [n for n in ordered if n in found]

    def _loud(self, call: Call, node: Node | None) -> bool:
        return node is not None and acts(self._owner(call, node), node)

    def _owner(self, call: Call, node: Node) -> FileIndex:
        """The file that an argument, or a default, is written in."""
        inside = call.node.start_byte <= node.start_byte and node.end_byte <= call.node.end_byte
        return call.file if inside else self.file

    def places(self, name: str) -> list[Node]:
        """Where the body reads a parameter, in order."""
        binding = self.function.bindings.get(name)
        found = []
        for ref in self.file.names.get(name, ()):
            if self.file.lookup(ref.scope, name, ref.start) is binding:
                node = self.file.root.descendant_for_byte_range(ref.start, ref.end)
                if node is not None:
                    found.append(node)
        return sorted(found, key=lambda node: node.start_byte)

    def _computed_otherwise(self, call: Call, name: str, node: Node | None) -> bool:
        """Whether an argument would be computed more than once, later, under a condition, or not at all."""
        if node is None or node.type in ("identifier", "string") or fixed(self._owner(call, node), node):
            return False
        file, places = self._owner(call, node), self.places(name)
        if makes(node) and len(places) != 1:
            return True
        code = [*self.statements, *([self.value] if self.value is not None else [])]
        busy = any(acts(self.file, one) or writes(self.file, one)[1] for one in self.statements)
        if acts(file, node):
            if len(places) != 1 or self.statements:
                return True
        elif not places:
            return can_fail(file, node) and any(n.type in ("subscript", "call") for n in walk(node))
        elif not deep(node) and not looks_into(node):
            return False
        elif busy:
            return True
        for place in places:
            top = next(
                (o for o in code if o.start_byte <= place.start_byte and place.end_byte <= o.end_byte), None
            )
            spot = Place(place, top)
            if spot.repeated or (spot.lazy and any(n.type in ("subscript", "call") for n in walk(node))):
                return True
            if any(acts(self.file, other) for other in spot.before) and (deep(node) or acts(file, node)):
                return True
        return False

    def check_deferred(self, given: dict[str, tuple[str, Node | None]], call: Call) -> None:
        """Refuse where code that runs later than the body sees its names, which would be the caller's."""
        for name, binding in self.function.bindings.items():
            node = given[name][1] if name in given else None
            if name in given and node is not None and fixed(self._owner(call, node), node):
                continue
            for ref in self.file.names.get(name, ()):
                if self.file.lookup(ref.scope, name, ref.start) is binding and later(
                    ref.scope, self.function
                ):
                    raise EditRefused(f"a function within {self.name} uses {name}", hint="inline it by hand")

    def check_frame(self) -> None:
        code = [*self.statements, *([self.value] if self.value is not None else [])]
        word = frames_in(self.file, code)
        if word is None and any(
            n.type == "identifier" and self.file.text(n) == "super" for one in code for n in walk(one)
        ):
            word = "super()"
        if word is not None:
            raise EditRefused(
                f"{self.name} has {word} in it, which is about the function it stands in",
                hint="leave it as it is",
            )
