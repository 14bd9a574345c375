"""The types of entities and the members of types: lazily, remembered, and with a bound."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from forgewright.code.javascript import context, elements, expressions, structure, typenodes
from forgewright.code.javascript.entities import TYPE, Entity
from forgewright.code.javascript.library import library
from forgewright.code.javascript.names import CLASSES, FUNCTIONS, annotation, parameters, pattern_of
from forgewright.code.javascript.program import Program
from forgewright.code.javascript.types import (
    EMPTY,
    Env,
    Function,
    Instance,
    Intersection,
    Literal,
    Parameter,
    Primitive,
    Static,
    Tuple,
    Type,
    Union,
    union,
)
from forgewright.code.scopes.tree import Node

DEPTH_MAX = 60
"""Nested questions about types; beyond it the answer is "not known"."""
UNION_PARTS_MAX = 40


class Member(msgspec.Struct, frozen=True, eq=False):
    """A member found in a type, with what the type's parameters stand for there."""

    entity: Entity
    env: Env = EMPTY


class Checker:
    """Answers about types over one `Program`. Everything it does not know is None."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._types: dict[object, Type | None] = {}
        self._mixed: dict[tuple[int, ...], Entity] = {}
        self._depth = 0

    def _once(self, key: object, compute: Callable[[], Type | None]) -> Type | None:
        """Compute once; a question that depends on itself is answered by None."""
        if key in self._types:
            return self._types[key]
        if self._depth > DEPTH_MAX:
            return None
        self._types[key] = None
        self._depth += 1
        try:
            found = compute()
        finally:
            self._depth -= 1
        self._types[key] = found
        return found

    # what nodes mean

    def own(self, node: Node) -> Entity | None:
        unit = self.program.unit(node.path)
        found = unit.own.get(node) if unit is not None else None
        return found.real if found is not None else None

    def declared(self, name: Node) -> Entity | None:
        unit = self.program.unit(name.path)
        found = unit.decl.get(name) if unit is not None else None
        return found.real if found is not None else None

    def annotation(self, node: Node, env: Env = EMPTY) -> Type | None:
        if env:
            if self._depth > DEPTH_MAX:
                return None
            self._depth += 1
            try:
                return typenodes.type_of(self, node, env)
            finally:
                self._depth -= 1
        return self._once(("annotation", node), lambda: typenodes.type_of(self, node))

    def expression(self, node: Node) -> Type | None:
        return self._once(("expression", node), lambda: expressions.type_of(self, node))

    def widened(self, node: Node) -> Type | None:
        found = self.expression(node)
        return Primitive("string") if isinstance(found, Literal) else found

    def pattern(self, node: Node) -> Type | None:
        return self._once(("pattern", node), lambda: expressions.pattern_type(self, node))

    def context(self, node: Node) -> Type | None:
        return self._once(("context", node), lambda: context.type_for(self, node))

    def inferred_return(self, node: Node) -> Type | None:
        return self._once(("return", node), lambda: expressions.infer_return(self, node))

    # entities

    def entity_type(self, entity: Entity | None, env: Env = EMPTY) -> Type | None:
        entity = self.program.resolve(entity)
        if entity is None:
            return None
        if env:
            return self._entity_type(entity, env)
        return self._once(("entity", entity), lambda: self._entity_type(entity, EMPTY))

    def member_type(self, member: Member | None) -> Type | None:
        return self.entity_type(member.entity, member.env) if member is not None else None

    def _entity_type(self, entity: Entity, env: Env) -> Type | None:
        if entity.roots:
            return union([self.entity_type(root, env) for root in entity.roots])
        if entity.kind in ("class", "enum", "module", "namespace"):
            return Static(entity)
        if entity.kind == "enum member":
            return Instance(entity.container) if entity.container is not None else None
        if entity.kind == "object":
            return Instance(entity)
        nodes = tuple(node for node in entity.nodes if node.type in FUNCTIONS)
        if nodes and entity.kind in ("function", "method"):
            return Function(nodes, env, entity)
        if entity.kind == "default":
            return None
        for node in [*entity.nodes]:
            found = structure.declared_type(self, entity, node, env)
            if found is not None:
                return found
        return None

    def instantiate(self, entity: Entity, given: list[Type | None]) -> Type | None:
        """A class, interface, enum or type alias with type arguments, as the type of values."""
        declared = typenodes.parameters_of(self, entity)
        env: dict[Entity, Type | None] = {}
        for index, (parameter, node) in enumerate(declared):
            if index < len(given):
                env[parameter] = given[index]
            elif given and (default := annotation(node, "value")) is not None:
                env[parameter] = self.annotation(default, env)
        if entity.kind in ("class", "interface", "enum", "function"):
            return Instance(entity, env or EMPTY)
        if entity.kind == "enum member" and entity.container is not None:
            return Instance(entity.container)
        for node in entity.nodes:
            value = node.get("value") if node.type == "type_alias_declaration" else None
            if value is not None:
                return self.annotation(value, env or EMPTY)
        if entity.space & TYPE:
            return Instance(entity, env or EMPTY)
        return None

    def array(self, item: Type | None) -> Type | None:
        entity = library().top.table["Array"]
        (parameter, _), *_ = typenodes.parameters_of(self, entity)
        return Instance(entity, {parameter: item})

    def promise(self, of: Type | None) -> Type | None:
        entity = library().top.table["Promise"]
        declared = typenodes.parameters_of(self, entity)
        return Instance(entity, {declared[0][0]: of}) if declared else None

    def awaited(self, type: Type | None) -> Type | None:
        if isinstance(type, Instance) and type.entity.name in ("Promise", "PromiseLike") and type.env:
            return next(iter(type.env.values()))
        if isinstance(type, Union):
            return union([self.awaited(part) for part in type.parts])
        return type

    def element(self, type: Type | None) -> Type | None:
        return elements.element(self, type)

    def this_type(self, node: Node) -> Type | None:
        return self._once(("this", node), lambda: structure.this_type(self, node))

    # members

    def member_at(self, node: Node) -> Member | None:
        """The member that `a.b` names."""
        left, right = node.get("object") or node.get("module"), node.get("property") or node.get("name")
        if left is None or right is None:
            return None
        of = self.expression(left)
        return self.property(of, right.text) if of is not None else None

    def property(self, type: Type | None, name: str) -> Member | None:
        """The member `name` of a type; of a union, all its parts' members as one."""
        if type is None or self._depth > DEPTH_MAX:
            return None
        self._depth += 1
        try:
            return self._property(type, name)
        finally:
            self._depth -= 1

    def _property(self, type: Type, name: str) -> Member | None:
        if isinstance(type, Instance):
            return self._of_instance(type, name)
        if isinstance(type, Static):
            return self._of_static(type.entity, name)
        if isinstance(type, Function):
            found = type.entity.exports.get(name) if type.entity is not None else None
            return Member(found.real) if found is not None else None
        if isinstance(type, Union | Intersection):
            return self.mix([self.property(part, name) for part in type.parts[:UNION_PARTS_MAX]])
        if isinstance(type, Tuple):
            return self.property(self.array(union(list(type.parts))), name)
        if isinstance(type, Parameter):
            return self.property(self.constraint(type), name)
        return None

    def _of_instance(self, type: Instance, name: str) -> Member | None:
        entity = type.entity.real
        found = entity.members.get(name)
        if entity.kind == "object":
            return structure.of_literal(self, type, name)
        if found is not None:
            return Member(found.real, type.env)
        for base in self.bases(type):
            inherited = self.property(base, name)
            if inherited is not None:
                return inherited
        return None

    def _of_static(self, entity: Entity, name: str) -> Member | None:
        found = self.program.exported(entity, name)
        if found is not None:
            return Member(found)
        if entity.kind == "class":
            if name == "prototype":
                return None
            for base in self.bases(Instance(entity)):
                inherited = self.property(Static(base.entity), name) if isinstance(base, Instance) else None
                if inherited is not None:
                    return inherited
        equals = entity.exports.get("export=") if entity.kind == "module" else None
        return self.property(self.entity_type(equals), name) if equals is not None else None

    def mix(self, members: list[Member | None]) -> Member | None:
        """Several members as one; one that stands for all of them where they differ."""
        roots: list[Entity] = []
        env: dict[Entity, Type | None] = {}
        for member in members:
            if member is not None:
                env.update(member.env)
                roots += [root for root in member.entity.flat() if root not in roots]
        if not roots:
            return None
        if len(roots) == 1:
            return Member(roots[0], env)
        key = tuple(sorted(id(root) for root in roots))
        if key not in self._mixed:
            mixed = Entity(roots[0].name, roots[0].kind, roots[0].unit)
            mixed.roots = tuple(roots)
            self._mixed[key] = mixed
        return Member(self._mixed[key], env)

    def constraint(self, type: Parameter) -> Type | None:
        for node in type.entity.nodes:
            found = node.get("constraint")
            if found is not None and found.items:
                return self.annotation(found.items[-1])
        return None

    def bases(self, type: Instance) -> list[Type]:
        """What a class or interface extends (not what a class implements)."""
        return [t for t in structure.supers(self, type, implements=False) if t is not None]

    def supers(self, entity: Entity) -> list[Type]:
        """All that a class or interface names in `extends` and `implements`."""
        return [t for t in structure.supers(self, Instance(entity), implements=True) if t is not None]

    def property_names(self, type: Type) -> list[str]:
        if isinstance(type, Instance):
            names = list(type.entity.members)
            for base in self.bases(type):
                names += self.property_names(base)
            return names
        if isinstance(type, Union | Intersection):
            return [name for part in type.parts for name in self.property_names(part)]
        return list(type.entity.exports) if isinstance(type, Static) else []

    # calls

    def signatures(self, type: Type | None) -> list[tuple[Node, Env]]:
        """What can be called: overloads before the implementation."""
        if isinstance(type, Function):
            ordered = sorted(type.nodes, key=lambda node: node.get("body") is not None)
            return [(node, type.env) for node in ordered]
        if isinstance(type, Union | Intersection):
            return [found for part in type.parts for found in self.signatures(part)]
        if isinstance(type, Parameter):
            return self.signatures(self.constraint(type))
        found = []
        if isinstance(type, Instance):
            for body in self.bodies(type.entity):
                found += [(item, type.env) for item in body.items if item.type == "call_signature"]
            if not found and self._depth < DEPTH_MAX:
                self._depth += 1
                found = [one for base in self.bases(type) for one in self.signatures(base)]
                self._depth -= 1
        return found

    def argument(self, signature: Node, env: Env, index: int) -> Type | None:
        """The type of a function's parameter at `index`."""
        listed = [p for p in parameters(signature) if pattern_of(p).text != "this"]
        if index < 0 or not listed:
            return None
        parameter = listed[min(index, len(listed) - 1)]
        pattern = pattern_of(parameter)
        rest = pattern.type == "rest_pattern"
        if index >= len(listed) and not rest:
            return None
        written = annotation(parameter)
        found = self.annotation(written, env) if written is not None else self.pattern(pattern)
        return self.element(found) if rest else found

    def constructors(self, entity: Entity) -> list[Node]:
        found = [
            item
            for body in self.bodies(entity)
            for item in body.items
            if item.type in ("method_definition", "method_signature")
            and (name := item.get("name")) is not None
            and name.text == "constructor"
        ]
        if not found and self._depth < DEPTH_MAX:
            self._depth += 1
            for base in self.bases(Instance(entity)):
                if isinstance(base, Instance):
                    found += self.constructors(base.entity)
            self._depth -= 1
        return found

    def bodies(self, entity: Entity) -> list[Node]:
        found = []
        for node in entity.nodes:
            if node.type in CLASSES or node.type == "interface_declaration":
                body = node.get("body")
                found += [body] if body is not None else []
            elif node.type == "object_type":
                found.append(node)
        return found

    def intrinsic(self, name: Node) -> Member | None:
        """The element that a lower-case JSX tag names: a member of `JSX.IntrinsicElements`."""
        space = self.program.resolve(self.program.lookup(name, 7, "JSX"))
        elements = self.program.exported(space, "IntrinsicElements") if space is not None else None
        return self.property(Instance(elements), name.text) if elements is not None else None
