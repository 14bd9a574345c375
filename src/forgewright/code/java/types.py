"""The types of Java expressions, as far as declarations tell, and members with what they inherit."""

from __future__ import annotations

from collections.abc import Callable

from forgewright.code.java.program import Program, supertypes
from forgewright.code.java.things import Class, Thing
from forgewright.code.java.values import (
    EMPTY,
    Array,
    Env,
    External,
    Of,
    Type,
    element,
    of_container,
    signature,
)
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

DEPTH_MAX = 60
ROOT = frozenset({"Object", "java.lang.Object", "Record", "Enum", "Annotation"})
EACH = kinds(
    "forEach filter map flatMap mapToInt mapToLong mapToDouble anyMatch allMatch noneMatch peek ifPresent removeIf "
    "takeWhile dropWhile sorted max min ifPresentOrElse sort reduce collect forEachOrdered mapMulti"
)
"""Methods whose function argument is handed elements."""


class Types:
    """Answers about types over a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[Node, Type | None] = {}
        self._linear: dict[Class, tuple[list[tuple[Class, Env]], bool]] = {}
        self._depth = 0
        self.variable: Callable[[Node, str], Thing | None] = lambda node, name: None
        """Set by the meanings: what a simple name in an expression means."""
        self.method: Callable[[Node], Thing | None] = lambda node: None
        """Set by the meanings: the method that an invocation calls, if there is just one."""

    # types as written

    def written(self, node: Node | None, env: Env = EMPTY) -> Type | None:
        if node is None or node.text == "var":
            return None
        kind = node.type
        if kind.endswith("_type") and kind in (
            "integral_type",
            "floating_point_type",
            "boolean_type",
            "void_type",
        ):
            return External(node.text)
        if kind == "array_type":
            return Array(self.written(node.get("element"), env))
        thing = self.program.written(node)
        arguments = node.first("type_arguments") if kind == "generic_type" else None
        given = tuple(self.written(a, env) for a in arguments.items) if arguments is not None else ()
        if isinstance(thing, Class):
            return Of(thing, dict(zip(thing.parameters, given, strict=False)))
        if thing is not None:
            if thing in env:
                return env[thing]
            bound = thing.node.first("type_bound")
            return (
                self.written(bound.items[0], env) if bound is not None and bound.items else External("Object")
            )
        if kind == "wildcard":
            return self.written(node.items[-1], env) if node.items else External("Object")
        base = node.first("type_identifier", "scoped_type_identifier") if kind == "generic_type" else node
        return External(base.text.rpartition(".")[2] if base is not None else "", given)

    # members

    def linear(self, cls: Class) -> tuple[list[tuple[Class, Env]], bool]:
        """A class and all it inherits from in the project, nearest first; whether that is all there is."""
        found = self._linear.get(cls)
        if found is not None:
            return found
        order: list[tuple[Class, Env]] = []
        whole = True
        todo: list[tuple[Class, Env]] = [(cls, {})]
        seen: set[Class] = set()
        while todo:
            one, env = todo.pop(0)
            if one in seen:
                continue
            seen.add(one)
            order.append((one, env))
            for node in supertypes(one):
                above = self._super(one, node, env)
                if isinstance(above, Of):
                    todo.append((above.cls, above.env))
                else:
                    whole &= isinstance(above, External) and above.name in ROOT
        self._linear[cls] = (order, whole)
        return order, whole

    def _super(self, cls: Class, node: Node, env: Env) -> Type | None:
        thing = self.program.written(node, inside=cls)
        arguments = node.first("type_arguments") if node.type == "generic_type" else None
        given = tuple(self.written(a, env) for a in arguments.items) if arguments is not None else ()
        if isinstance(thing, Class):
            return Of(thing, dict(zip(thing.parameters, given, strict=False)))
        return External(node.text.partition("<")[0])

    def field(self, cls: Class, name: str) -> tuple[Thing, Env] | None:
        for one, env in self.linear(cls)[0]:
            if name in one.fields:
                return one.fields[name], env
        return None

    def methods(self, cls: Class, name: str) -> tuple[list[tuple[Thing, Env]], bool]:
        """All methods of that name that a class has, nearest first, one of each signature."""
        order, whole = self.linear(cls)
        found: list[tuple[Thing, Env]] = []
        seen: set[tuple[str, ...]] = set()
        for one, env in order:
            for method in one.methods.get(name, ()):
                key = signature(method)
                if key not in seen:
                    seen.add(key)
                    found.append((method, env))
        return found, whole

    def is_a(self, cls: Class, other: Class) -> bool:
        return any(one is other for one, _ in self.linear(cls)[0])

    # things and expressions

    def of_thing(self, thing: Thing, env: Env = EMPTY) -> Type | None:
        """The type of a variable, field, parameter, constant or component."""
        node = thing.node
        if thing.kind == "constant" and isinstance(thing.owner, Class):
            return Of(thing.owner)
        if node.type == "variable_declarator":
            declared = node.up.get("type") or node.up.first("type_identifier", "generic_type", "array_type")
            found = self.written(declared, env)
            if declared is not None and declared.text == "var":
                return self.expression(node.get("value"))
            if node.up.type == "spread_parameter" or node.first("dimensions") is not None:
                return Array(found)
            return found
        if node.type == "spread_parameter":
            return Array(
                self.written(
                    node.first("type_identifier", "generic_type", "array_type", "integral_type"), env
                )
            )
        if node.type in ("formal_parameter", "resource"):
            declared = node.get("type")
            if declared is not None and declared.text == "var":
                return self.expression(node.get("value")) if node.type == "resource" else None
            return self.written(declared, env)
        if node.type == "enhanced_for_statement":
            declared = node.get("type")
            if declared is not None and declared.text != "var":
                return self.written(declared)
            return element(self.expression(node.get("value")))
        if node.type == "catch_formal_parameter":
            caught = node.first("catch_type")
            return self.written(caught.items[0]) if caught is not None and len(caught.items) == 1 else None
        if node.type == "instanceof_expression":
            return self.written(node.get("right"))
        if node.type in ("type_pattern", "record_pattern_component"):
            return self.written(node.items[0])
        if node.type == "identifier":
            return self._lambda_parameter(node)
        return None

    def _lambda_parameter(self, node: Node) -> Type | None:
        """Of a function handed to a container or stream: its element."""
        function = node.up if node.up.type == "lambda_expression" else node.up.up
        call = function.up.up
        if function.type != "lambda_expression" or function.up.type != "argument_list":
            return None
        name, target = call.get("name"), call.get("object")
        if call.type != "method_invocation" or name is None or target is None or name.text not in EACH:
            return None
        type = self.expression(target)
        if not isinstance(type, External) or not type.args:
            return None
        listed = node.up.items if node.up.type == "inferred_parameters" else [node]
        if len(type.args) > 1 and len(listed) == len(type.args):
            return type.args[listed.index(node)]
        return type.args[0] if len(type.args) == 1 else None

    def expression(self, node: Node | None) -> Type | None:
        if node is None:
            return None
        if node in self._known:
            return self._known[node]
        if self._depth > DEPTH_MAX:
            return None
        self._known[node] = None
        self._depth += 1
        try:
            found = self._expression(node)
        finally:
            self._depth -= 1
        self._known[node] = found
        return found

    def _expression(self, node: Node) -> Type | None:
        kind = node.type
        file = self.program.file(node.path)
        if kind == "identifier":
            thing = self.variable(node, node.text)
            if thing is None or thing.is_type:
                return None
            if isinstance(thing.owner, Class):
                inside = file.class_at(node)
                found = self.field(inside, thing.name) if inside is not None else None
                return self.of_thing(thing, found[1] if found is not None and found[0] is thing else EMPTY)
            return self.of_thing(thing)
        if kind == "this":
            cls = file.class_at(node)
            return Of(cls) if cls is not None else None
        if kind == "super":
            cls = file.class_at(node)
            above = supertypes(cls) if cls is not None else []
            return self._super(cls, above[0], EMPTY) if cls is not None and above else External("Object")
        if kind == "parenthesized_expression":
            return self.expression(node.items[0]) if node.items else None
        if kind == "field_access":
            return self._access(node)
        if kind == "method_invocation":
            return self._invocation(node)
        if kind == "object_creation_expression":
            body = node.first("class_body")
            scope = file.scopes.get(body) if body is not None else None
            return (
                Of(scope.cls)
                if scope is not None and scope.cls is not None
                else self.written(node.get("type"))
            )
        if kind == "cast_expression":
            return self.written(node.get("type"))
        if kind == "array_access":
            return element(self.expression(node.get("array")))
        if kind == "array_creation_expression":
            return Array(self.written(node.get("type")))
        if kind == "ternary_expression":
            return self.expression(node.get("consequence")) or self.expression(node.get("alternative"))
        if kind == "assignment_expression":
            return self.expression(node.get("left"))
        if kind == "string_literal":
            return External("String")
        if kind == "class_literal":
            return External("Class")
        if kind == "instanceof_expression" or kind in ("true", "false"):
            return External("boolean")
        if kind.endswith("_literal"):
            return External(kind)
        if kind == "binary_expression":
            return self._binary(node)
        return None

    def _binary(self, node: Node) -> Type | None:
        """JLS 15.18: a sum with a text is one; what is compared is true or false."""
        if any(node.has(sign) for sign in ("==", "!=", "<", ">", "<=", ">=", "&&", "||")):
            return External("boolean")
        sides = [self.expression(node.get(side)) for side in ("left", "right")]
        if node.has("+"):
            if any(isinstance(side, External) and side.name == "String" for side in sides):
                return External("String")
            if None in sides:
                return None
        return External("number")

    def _access(self, node: Node) -> Type | None:
        target, name = node.get("object"), node.get("field")
        if target is None or name is None:
            return None
        if name.type == "this":
            thing = self.program.written(target)
            return Of(thing) if isinstance(thing, Class) else None
        cls = self.static_class(target)
        if cls is None:
            type = self.expression(target)
            if isinstance(type, Of):
                found = self.field(type.cls, name.text)
                return self.of_thing(found[0], {**type.env, **found[1]}) if found is not None else None
            return External("int") if isinstance(type, Array) else None
        found = self.field(cls, name.text)
        return self.of_thing(found[0], found[1]) if found is not None else None

    def static_class(self, node: Node) -> Class | None:
        """The class that an expression names, as `C` in `C.x`; None where it is a variable, or not known."""
        if node.type == "identifier":
            thing = self.variable(node, node.text)
            return thing if isinstance(thing, Class) else None
        if node.type == "field_access":
            target, name = node.get("object"), node.get("field")
            if target is None or name is None:
                return None
            outer = self.static_class(target)
            if outer is not None:
                return self.program.member_type(outer, name.text)
            if name.text[:1].isupper() and target.type in ("identifier", "field_access"):
                return self.program.qualified(node.text)
        return None

    def _invocation(self, node: Node) -> Type | None:
        method = self.method(node)
        target, name = node.get("object"), node.get("name")
        if method is not None:
            if method.kind == "component":
                type = self.expression(target) if target is not None else None
                return self.of_thing(method, type.env if isinstance(type, Of) else EMPTY)
            env: Env = EMPTY
            type = (
                self.expression(target) if target is not None and self.static_class(target) is None else None
            )
            if isinstance(type, Of) and isinstance(method.owner, Class):
                env = next((e for c, e in self.linear(type.cls)[0] if c is method.owner), EMPTY)
                env = {**type.env, **env}
            own = method.node.get("type_parameters")
            result = method.node.get("type")
            if (
                own is not None
                and result is not None
                and result.text in {p.text.split()[0] for p in own.items}
            ):
                return None
            return self.written(result, env)
        type = self.expression(target) if target is not None else None
        if isinstance(type, External) and type.args and name is not None:
            return of_container(type, name.text)
        return External("?") if isinstance(type, External) and name is not None and not type.args else None
