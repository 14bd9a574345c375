"""What an identifier means where it stands: the entity it declares, or the one it refers to."""

from __future__ import annotations

from forgewright.code.javascript import context
from forgewright.code.javascript.checker import Checker, Member
from forgewright.code.javascript.entities import ANY, SPACE, TYPE, VALUE, Entity
from forgewright.code.javascript.names import (
    CLASSES,
    FUNCTIONS,
    PATTERNS,
    STRINGS,
    key_of,
    parameters,
    string_text,
)
from forgewright.code.javascript.narrowing import discriminate
from forgewright.code.javascript.types import Instance
from forgewright.code.scopes.tree import Node

_JSX = ("jsx_opening_element", "jsx_closing_element", "jsx_self_closing_element")
_KEYED = ("pair", "method_definition", "property_signature", "method_signature", "public_field_definition")


class Meanings:
    """Answers over one `Checker`, with entities made up for properties that nothing declares."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.program = checker.program
        self._made: dict[Node, Entity] = {}

    def at(self, node: Node) -> Entity | None:
        """The entity at a name, aliases not followed; a member of a union stands for those of its parts."""
        found = self._at(node)
        return found.real if found is not None else None

    def _at(self, node: Node) -> Entity | None:
        unit = self.program.unit(node.path)
        if unit is None:
            return None
        parent = node.up
        kind = parent.type
        if kind in ("import_specifier", "export_specifier") and node.field == "name" and parent.get("alias"):
            alias = parent.get("alias")
            entity = unit.decl.get(alias) if alias is not None else None
            return self.program.immediate(entity) if entity is not None else None
        declared = unit.decl.get(node)
        if declared is not None:
            return self.program.global_(declared.name) or declared if self._global(declared) else declared
        if node.type in STRINGS or node.type == "number":
            return self._literal(node)
        if node.type == "this":
            return self._this(node)
        if node.type == "shorthand_property_identifier_pattern":
            return self._make(node)
        if kind == "pair_pattern" and node.field == "key":
            return self._member(self.checker.property(self.checker.pattern(parent.up), node.text))
        if kind == "member_expression" and node.field == "property":
            return self._access(parent)
        if kind == "nested_identifier" and node.field == "property":
            return self.program.meaning(parent, ANY) or self._access(parent)
        if kind == "nested_type_identifier":
            return self.program.meaning(
                parent if node.field == "name" else node, TYPE if node.field == "name" else SPACE
            )
        if kind == "jsx_attribute":
            props = context.attributes(self.checker, parent.up)
            return self._member(self.checker.property(props, node.text)) or self._make(node)
        if kind in _JSX and (node.text[:1].islower() or "-" in node.text):
            return self._member(self.checker.intrinsic(node))
        if node.type == "jsdoc_name":
            return self._documented(node)
        if node.type == "private_property_identifier":
            return self._private(node)
        if kind in _KEYED and node.field in ("key", "name", "property"):
            return None
        return self._name(node)

    def _name(self, node: Node) -> Entity | None:
        if node.type == "type_identifier":
            inside_typeof = node.up.type == "type_query"
            return self.program.lookup(node, VALUE if inside_typeof else TYPE)
        if node.type == "property_identifier":
            return None
        parent = node.up
        if parent.type in ("export_statement", "export_specifier", "import_alias") or (
            parent.type == "export_specifier" and node.field == "name"
        ):
            return self.program.lookup(node, ANY)
        if parent.type == "nested_identifier":
            return self.program.lookup(node, SPACE | VALUE)
        space = VALUE
        if parent.type in ("generic_type", "implements_clause", "extends_type_clause"):
            space = TYPE
        return self.program.lookup(node, space) or self.program.lookup(node, SPACE)

    def _global(self, entity: Entity) -> bool:
        scope = entity.scope
        if scope is None or scope not in scope.unit.global_scopes:
            return False
        return scope.table.get(entity.name) is entity

    def _member(self, member: Member | None) -> Entity | None:
        return member.entity if member is not None else None

    def _access(self, access: Node) -> Entity | None:
        found = self._member(self.checker.member_at(access))
        if found is None:
            found = self.program.meaning(access, ANY)
        if found is None and access.children[0].type in ("jsdoc_name", "member_expression"):
            found = self._linked(access)
        return found

    def _linked(self, access: Node) -> Entity | None:
        """`Type.member` in a comment, where it need not be static."""
        left, right = access.children[0], access.children[-1]
        owner = self.program.resolve(self.program.meaning(left, ANY))
        if owner is None or (left.type != "jsdoc_name" and right.field != "property"):
            return None
        return self._member(self.checker.property(Instance(owner), right.text))

    def _make(self, node: Node) -> Entity:
        if node not in self._made:
            unit = self.program.unit(node.path)
            assert unit is not None
            entity = Entity(node.text, "property", unit)
            entity.names.append(node)
            entity.nodes.append(node)
            self._made[node] = entity
        return self._made[node]

    def _literal(self, node: Node) -> Entity | None:
        parent = node.up
        text = node.text if node.type == "number" else string_text(node)
        if text is None:
            return None
        if parent.type == "subscript_expression" and node.field == "index":
            base = parent.get("object")
            of = self.checker.expression(base) if base is not None else None
            return self._member(self.checker.property(of, text))
        if (
            parent.type == "literal_type"
            and parent.up.type == "lookup_type"
            and parent.up.items[-1] is parent
        ):
            return self._member(self.checker.property(self.checker.annotation(parent.up.items[0]), text))
        if parent.type == "computed_property_name" and parent.up.type == "pair_pattern":
            return self._member(self.checker.property(self.checker.pattern(parent.up.up), text))
        if parent.type == "pair_pattern" and node.field == "key":
            return self._member(self.checker.property(self.checker.pattern(parent.up), text))
        if (
            parent.type == "arguments"
            and parent.items[1:2] == [node]
            and parent.up.get("function") is not None
        ):
            function = parent.up.get("function")
            unit = self.program.unit(node.path)
            javascript = unit is not None and unit.javascript
            if javascript and function is not None and function.text == "Object.defineProperty":
                return self._member(self.checker.property(self.checker.expression(parent.items[0]), text))
        return None

    def _this(self, node: Node) -> Entity | None:
        """The `this` parameter that the keyword means, if the function declares one."""
        for above in node.above():
            if above.type in CLASSES:
                return None
            if above.type in FUNCTIONS and above.type != "arrow_function":
                for parameter in parameters(above):
                    pattern = parameter.get("pattern")
                    if pattern is not None and pattern.type == "this":
                        return self.checker.declared(pattern)
                return None
        return None

    def _private(self, node: Node) -> Entity | None:
        for above in node.above():
            if above.type in CLASSES:
                entity = self.checker.own(above)
                name = node.text
                found = (entity.members.get(name) or entity.exports.get(name)) if entity is not None else None
                if found is not None:
                    return found
        return None

    def _documented(self, node: Node) -> Entity | None:
        unit = self.program.unit(node.path)
        if unit is None:
            return None
        parent = node.up
        scope = unit.scopes.get(parent)
        if parent.type in FUNCTIONS and scope is not None and node.text in scope.table:
            return scope.table[node.text]
        holder = parent if parent.type == "comment" else node
        outside = unit.scope_at(holder)
        if outside.entity is not None and outside.entity.kind == "enum" and outside.parent is not None:
            outside = outside.parent
        return self.program.visible(outside, node.text, ANY)

    # what else the entity at a place stands for

    def shorthand_value(self, node: Node) -> Entity | None:
        """The variable in `{ x }`, of an object literal or of a destructuring assignment."""
        if node.type == "shorthand_property_identifier" or self.assigns(node):
            return self.program.lookup(node, VALUE)
        return None

    def assigns(self, node: Node) -> bool:
        """`{ x }` on the left of an assignment, where nothing is declared."""
        unit = self.program.unit(node.path)
        return (
            node.type == "shorthand_property_identifier_pattern"
            and unit is not None
            and node not in unit.decl
        )

    def expected_members(self, node: Node) -> Member | None:
        """The member of the contextual type that a key of an object literal fills."""
        holder = self.key_holder(node)
        if holder is None or holder.up.type != "object":
            return None
        key = key_of(node)
        expected = discriminate(self.checker, holder.up, self.checker.context(holder.up))
        return self.checker.property(expected, key[0]) if key is not None else None

    def key_holder(self, node: Node) -> Node | None:
        """The pair, method, shorthand or attribute whose key a node is."""
        if node.type == "shorthand_property_identifier":
            return node
        above = node.up.up if node.up.type == "computed_property_name" else node.up
        key = above.get("key") or above.get("name")
        if above.type in ("pair", "method_definition") and key is not None and node.within(key):
            return above
        return None

    def destructured(self, node: Node) -> Entity | None:
        """The property that `{ x }` or `{ x: y }` takes in a destructuring assignment."""
        if self.assigns(node) or (node.type == "shorthand_property_identifier_pattern"):
            holder = node.up.up if node.up.type == "object_assignment_pattern" else node.up
            if holder.type in PATTERNS:
                return self._member(self.checker.property(self.checker.pattern(holder), node.text))
        return None

    def binding_property(self, entity: Entity) -> Entity | None:
        """The property behind a variable declared as `{ x }`, without a name of its own."""
        for name in entity.names:
            if name.type == "shorthand_property_identifier_pattern" and name in entity.unit.decl:
                return self.destructured(name)
        return None

    def parameter_property(self, entity: Entity) -> Entity | None:
        """The property of `constructor(private x)` for its parameter, and the other way round."""
        for node in entity.nodes:
            if node.type not in ("required_parameter", "optional_parameter"):
                continue
            if entity.kind == "parameter" and (node.first("accessibility_modifier") or node.has("readonly")):
                owner = next((above for above in node.above() if above.type in CLASSES), None)
                holder = self.checker.own(owner) if owner is not None else None
                found = holder.members.get(entity.name) if holder is not None else None
                return found if found is not None and node in found.nodes else None
            if entity.kind == "property":
                pattern = node.get("pattern")
                unit = self.program.unit(node.path)
                return unit.decl.get(pattern) if unit is not None and pattern is not None else None
        return None
