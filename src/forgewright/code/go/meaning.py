"""What a Go name means where it stands."""

from __future__ import annotations

from forgewright.code.go.binder import base_name
from forgewright.code.go.expressions import expected
from forgewright.code.go.packages import Packages
from forgewright.code.go.things import NAMES, Thing
from forgewright.code.go.types import Module, Structure, Types
from forgewright.code.scopes.tree import Node

STRINGS = ("interpreted_string_literal", "raw_string_literal")


class Meanings:
    def __init__(self, packages: Packages) -> None:
        self.packages = packages
        self.types = Types(packages)

    def at(self, node: Node) -> Thing | None:
        """The thing at a name: of an embedded field the type, of an import's path the import."""
        found = self._at(node)
        return self.embedded_type(found) if found is not None and found.kind == "embedded" else found

    def _at(self, node: Node) -> Thing | None:
        file = self.packages.file(node.path)
        if file is None:
            return None
        declared = file.decl.get(node)
        if declared is not None:
            return declared
        parent = node.up
        if node.type in STRINGS:
            return self.import_of(parent) if parent.type == "import_spec" else None
        if node.type not in NAMES or parent.type == "package_clause":
            return None
        if node.type == "label_name":
            return self._label(node)
        if parent.type == "selector_expression" and node.field == "field":
            operand = parent.get("operand")
            of = self.types.expression(operand) if operand is not None else None
            if isinstance(of, Module):
                return of.package.find(node.text)
            found = self.types.member(of, node.text)
            return found[0] if found is not None else None
        if parent.type == "qualified_type" and node.field == "name":
            return self.types.qualified(parent)
        if parent.type == "literal_element" and parent.field == "key":
            key = self._key(node)
            if key is not None:
                return key
        if node.type == "field_identifier":
            return None
        return self.types.lookup(node)

    def import_of(self, spec: Node) -> Thing | None:
        file = self.packages.file(spec.path)
        for things in file.imports.table.values() if file is not None else ():
            for thing in things:
                if thing.node is spec:
                    return thing
        return None

    def _key(self, node: Node) -> Thing | None:
        """The field that `T{name: …}` sets."""
        literal = node.up.up.up
        under = (
            self.types.underlying(expected(self.types, literal)) if literal.type == "literal_value" else None
        )
        if isinstance(under, Structure) and under.node.type == "struct_type":
            file = self.packages.file(under.node.path)
            return file.members.get(under.node, {}).get(node.text) if file is not None else None
        return None

    def _label(self, node: Node) -> Thing | None:
        function = next(
            (
                a
                for a in node.above()
                if a.type in ("function_declaration", "method_declaration", "func_literal")
            ),
            None,
        )
        file = self.packages.file(node.path)
        if function is None or file is None:
            return None
        for name, thing in file.decl.items():
            if thing.kind == "label" and thing.name == node.text and name.within(function):
                return thing
        return None

    def embedded_type(self, thing: Thing) -> Thing | None:
        """The type that an embedded field is named after."""
        type = thing.node.get("type") or (thing.node.items[0] if thing.node.items else None)
        if type is None:
            return None
        inner = type
        while inner.type in ("pointer_type", "generic_type", "parenthesized_type"):
            inner = inner.get("type") or inner.items[0]
        if inner.type == "qualified_type":
            return self.types.qualified(inner)
        base = base_name(inner)
        return self.types.lookup(base) if base is not None else None

    def is_embedded_use(self, node: Node) -> bool:
        """Whether `x.T` at this node selects an embedded field by its type's name."""
        found = self._at(node)
        return found is not None and found.kind == "embedded" and node.up.type == "selector_expression"
