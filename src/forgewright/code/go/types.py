"""The types of Go expressions, as far as declarations tell, and the members of types with what they embed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from forgewright.code.go.binder import base_name
from forgewright.code.go.packages import Packages
from forgewright.code.go.things import Package, Thing
from forgewright.code.scopes.tree import Node

DEPTH_MAX = 60


class Type(msgspec.Struct, frozen=True, eq=False):
    """Base of all types; None stands for one that is not known."""


Env = Mapping[Thing, "Type | None"]
EMPTY: Env = {}


class Named(Type, frozen=True, eq=False):
    """A declared type with its type arguments."""

    thing: Thing
    env: Env = EMPTY


class Structure(Type, frozen=True, eq=False):
    """A type literal: the node of a struct, an interface or a function type."""

    node: Node
    env: Env = EMPTY


class Pointer(Type, frozen=True, eq=False):
    of: Type | None


class Sequence(Type, frozen=True, eq=False):
    """A slice, array, channel or map: what indexing, ranging (`key`, `of`) or receiving gives."""

    of: Type | None
    key: Type | None = None


class Several(Type, frozen=True, eq=False):
    """The results of a call."""

    parts: tuple[Type | None, ...]


class Module(Type, frozen=True, eq=False):
    """An imported package."""

    package: Package


class Types:
    """Answers about types over the packages of a project."""

    def __init__(self, packages: Packages) -> None:
        self.packages = packages
        self._known: dict[object, Type | None] = {}
        self._depth = 0

    def _once(self, key: object, compute: Callable[[], Type | None]) -> Type | None:
        if key in self._known:
            return self._known[key]
        if self._depth > DEPTH_MAX:
            return None
        self._known[key] = None
        self._depth += 1
        try:
            found = compute()
        finally:
            self._depth -= 1
        self._known[key] = found
        return found

    # names

    def lookup(self, node: Node, name: str | None = None) -> Thing | None:
        """What an identifier means where it stands; None for predeclared and unknown names."""
        file = self.packages.file(node.path)
        if file is None:
            return None
        text = name if name is not None else node.text
        scope = file.scope_at(node)
        while scope is not None:
            found = scope.find(text, node.start)
            if found is not None:
                return found
            scope = scope.parent
        found = file.package.find(text) or file.imports.find(text, node.start)
        if found is not None:
            return found
        for thing in [t for things in file.imports.table.values() for t in things]:
            path = thing.node.get("path")
            package = (
                self.packages.imported(path) if path is not None and thing.node.get("name") is None else None
            )
            if package is not None and package.name == text:
                thing.name = text
                return thing
        for path in file.dots:
            package = self.packages.imported(path)
            found = package.find(text) if package is not None else None
            if found is not None and found.exported:
                return found
        return None

    # types as written

    def written(self, node: Node, env: Env = EMPTY) -> Type | None:
        kind = node.type
        if kind in ("type_identifier", "identifier"):
            thing = self.lookup(node)
            if thing is not None and thing.kind == "type parameter":
                return env.get(thing) or self._constraint(thing)
            return self._named(thing, [], env)
        if kind == "qualified_type":
            return self._named(self.qualified(node), [], env)
        if kind == "generic_type":
            base, arguments = node.get("type"), node.get("type_arguments")
            thing = None
            if base is not None:
                thing = self.qualified(base) if base.type == "qualified_type" else self.lookup(base)
            given = (
                [
                    self.written(a.items[0] if a.type == "type_elem" and a.items else a, env)
                    for a in arguments.items
                ]
                if arguments
                else []
            )
            return self._named(thing, given, env)
        if kind == "pointer_type":
            return Pointer(self.written(node.items[0], env)) if node.items else None
        if kind in ("slice_type", "array_type", "implicit_length_array_type"):
            element = node.get("element")
            return Sequence(self.written(element, env) if element is not None else None)
        if kind == "map_type":
            key, value = node.get("key"), node.get("value")
            return Sequence(
                self.written(value, env) if value else None, self.written(key, env) if key else None
            )
        if kind == "channel_type":
            value = node.get("value")
            return Sequence(self.written(value, env) if value is not None else None)
        if kind == "parenthesized_type":
            return self.written(node.items[0], env) if node.items else None
        if kind in ("struct_type", "interface_type", "function_type"):
            return Structure(node, env)
        if kind == "parameter_list":
            parts: list[Type | None] = []
            for item in node.items:
                type = item.get("type")
                found = self.written(type, env) if type is not None else None
                parts += [found] * max(1, len(item.all("name")))
            return parts[0] if len(parts) == 1 else Several(tuple(parts))
        if kind in ("type_elem", "type_constraint") and len(node.items) == 1:
            return self.written(node.items[0], env)
        return None

    def _constraint(self, thing: Thing) -> Type | None:
        type = thing.node.get("type")
        return (
            self.written(type)
            if type is not None and thing.node.type == "type_parameter_declaration"
            else None
        )

    def qualified(self, node: Node) -> Thing | None:
        """`pkg.Name` in a type."""
        package, name = node.get("package"), node.get("name")
        module = self.package_named(package) if package is not None else None
        return module.find(name.text) if module is not None and name is not None else None

    def package_named(self, node: Node) -> Package | None:
        """The package that an identifier names through an import."""
        thing = self.lookup(node)
        path = thing.node.get("path") if thing is not None and thing.kind == "import" else None
        return self.packages.imported(path) if path is not None else None

    def _named(self, thing: Thing | None, given: list[Type | None], env: Env) -> Type | None:
        if thing is None or thing.kind != "type":
            return None
        if thing.node.type == "type_alias":
            type = thing.node.get("type")
            return self._once(("alias", thing), lambda: self.written(type)) if type is not None else None
        listed = thing.node.get("type_parameters")
        if listed is None or not given:
            return Named(thing)
        file = self.packages.file(listed.path)
        names = [name for item in listed.items for name in item.all("name")]
        declared = [file.decl[name] for name in names if name in file.decl] if file is not None else []
        return Named(thing, dict(zip(declared, given, strict=False)))

    # members

    def underlying(self, type: Type | None) -> Type | None:
        """A type without its name: of `type T struct{…}` the struct."""
        for _ in range(DEPTH_MAX):
            if not isinstance(type, Named):
                return type
            node = type.thing.node.get("type")
            type = self.written(node, type.env) if node is not None else None
        return None

    def member(self, type: Type | None, name: str) -> tuple[Thing, Env] | None:
        """The field or method that `x.name` selects, through pointers and embedded fields (nearest first)."""
        level: list[Type] = [type] if type is not None else []
        seen: set[Thing] = set()
        for _ in range(12):
            deeper: list[Type] = []
            for one in level:
                base = one.of if isinstance(one, Pointer) else one
                if isinstance(base, Named):
                    if base.thing in seen:
                        continue
                    seen.add(base.thing)
                    for method in self.methods(base.thing):
                        if method.name == name:
                            return method, self._receiver_env(method, base)
                under = self.underlying(base)
                if isinstance(under, Pointer):
                    under = self.underlying(under.of)
                if not isinstance(under, Structure):
                    continue
                file = self.packages.file(under.node.path)
                members = file.members.get(under.node, {}) if file is not None else {}
                if name in members:
                    return members[name], under.env
                for embedded in members.values():
                    if embedded.kind == "embedded":
                        found = self.embedded(embedded, under.env)
                        deeper += [found] if found is not None else []
            level = deeper
            if not level:
                return None
        return None

    def embedded(self, thing: Thing, env: Env = EMPTY) -> Type | None:
        node = thing.node.get("type") or (thing.node.items[0] if thing.node.items else None)
        return self.written(node, env) if node is not None else None

    def methods(self, type: Thing) -> list[Thing]:
        """The methods declared for a named type, also through aliases of it."""
        found = list(type.package.methods.get(type.name, ()))
        for things in type.package.table.values():
            for other in things:
                if other.kind == "type" and other.node.type == "type_alias" and other is not type:
                    named = self._named(other, [], EMPTY)
                    if isinstance(named, Named) and named.thing is type:
                        found += type.package.methods.get(other.name, ())
        return found

    def receiver_type(self, method: Thing) -> Thing | None:
        """The named type that a method belongs to."""
        receiver = method.node.get("receiver")
        for parameter in receiver.items if receiver is not None else []:
            type = parameter.get("type")
            base = base_name(type) if type is not None else None
            named = self.written(base) if base is not None else None
            if isinstance(named, Named):
                return named.thing
        return None

    def _receiver_env(self, method: Thing, base: Named) -> Env:
        receiver = method.node.get("receiver")
        file = self.packages.file(method.names[0].path)
        if receiver is None or file is None or not base.env:
            return base.env
        names = [
            n
            for a in receiver.walk()
            if a.type == "type_arguments"
            for n in a.walk()
            if n.type == "type_identifier"
        ]
        own = {
            file.decl[name]: value
            for name, value in zip(names, base.env.values(), strict=False)
            if name in file.decl
        }
        return {**base.env, **own}

    def thing_type(self, thing: Thing, env: Env = EMPTY) -> Type | None:
        """The type of a variable, constant, field or function."""
        if env:
            return self._thing_type(thing, env)
        return self._once(("thing", thing), lambda: self._thing_type(thing, EMPTY))

    def _thing_type(self, thing: Thing, env: Env) -> Type | None:
        node = thing.node
        if thing.kind == "import":
            path = node.get("path")
            package = self.packages.imported(path) if path is not None else None
            return Module(package) if package is not None else None
        if thing.kind in ("function", "method"):
            return Structure(node, env)
        if thing.kind == "embedded":
            return self.embedded(thing, env)
        if thing.kind == "type":
            return Named(thing)
        type = node.get("type")
        if type is not None and node.type not in ("type_switch_statement",):
            found = self.written(type, env)
            return Sequence(found) if node.type == "variadic_parameter_declaration" else found
        if node.type in ("var_spec", "const_spec"):
            return self._assigned(node.get("value"), thing.place)
        if node.type in ("short_var_declaration", "receive_statement"):
            return self._assigned(node.get("right"), thing.place)
        if node.type == "range_clause":
            return self._ranged(node, thing.place)
        return None

    def _assigned(self, right: Node | None, place: int) -> Type | None:
        if right is None:
            return None
        values = right.items if right.type == "expression_list" else [right]
        if len(values) == 1:
            found = self.expression(values[0])
            if isinstance(found, Several):
                return found.parts[place] if place < len(found.parts) else None
            return found if place == 0 else None
        return self.expression(values[place]) if place < len(values) else None

    def _ranged(self, clause: Node, place: int) -> Type | None:
        right = clause.get("right")
        over = self.underlying(self.expression(right)) if right is not None else None
        if isinstance(over, Pointer):
            over = self.underlying(over.of)
        if isinstance(over, Sequence):
            return over.of if place == 1 else over.key
        return None

    # expressions

    def expression(self, node: Node) -> Type | None:
        return self._once(("expression", node), lambda: self._expression(node))

    def _expression(self, node: Node) -> Type | None:
        from forgewright.code.go.expressions import type_of

        return type_of(self, node)
