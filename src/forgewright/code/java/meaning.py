"""What each name in a Java file means. The Java Language Specification, chapters 6 and 15.12."""

from __future__ import annotations

from typing import NamedTuple

from forgewright.code.java.program import Program
from forgewright.code.java.things import NAMES, Class, Thing
from forgewright.code.java.types import Types
from forgewright.code.java.values import Array, External, Of, Type, parameters_of, signature
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds


class Meaning(NamedTuple):
    things: tuple[Thing, ...] = ()
    """What it can be; several for overloads that could not be told apart. Empty: nothing of the project."""
    certain: bool = True
    """False where what it means could not be found out."""


OUTSIDE = Meaning()
UNKNOWN = Meaning((), False)


class Meanings:
    """Answers over one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.types = Types(program)
        self.types.variable = lambda node, name: self.expression_name(node, name)[0]
        self.types.method = self._only_method

    def at(self, node: Node) -> Meaning:
        """What the name `node` (an identifier or type identifier) means."""
        file = self.program.file(node.path)
        declared = file.decl.get(node)
        if declared is not None:
            return Meaning((declared,))
        up = node.up
        if node.type == "type_identifier":
            return self._type(node)
        if node.type not in NAMES:
            return OUTSIDE
        if up.type in ("scoped_identifier", "import_declaration", "package_declaration"):
            return self._qualified(node)
        if up.type in ("break_statement", "continue_statement"):
            return self._label(node)
        if up.type in ("marker_annotation", "annotation") and node.field == "name":
            return _one(self.program.type_named(node, node.text))
        if up.type == "element_value_pair" and node.field == "key":
            return self._annotation_element(node)
        if up.type == "method_invocation" and node.field == "name":
            return self.invoked(up)
        if up.type == "field_access" and node.field == "field":
            return self._member(up, node)
        if up.type == "method_reference" and up.items and up.items[-1] is node and len(up.items) > 1:
            return self._reference(up, node)
        if up.type == "record_pattern":
            return _one(self.program.type_named(node, node.text))
        if up.type == "switch_label":
            found = self._enum_constant(node)
            if found is not None:
                return found
        thing, sure = self.expression_name(node, node.text)
        return Meaning((thing,)) if thing is not None else (OUTSIDE if sure else UNKNOWN)

    # types and qualified names

    def _type(self, node: Node) -> Meaning:
        if node.up.type == "scoped_type_identifier" and node.up.items[0] is not node:
            found = self.program.written(node.up)
            return _one(found)
        creation = node.up
        if creation.type == "object_creation_expression" and creation.items and creation.items[0] is not node:
            outer = self.types.expression(creation.items[0])
            if isinstance(outer, Of):
                return _one(self.program.member_type(outer.cls, node.text))
        for above in node.above():
            if above.type in ("superclass", "super_interfaces", "extends_interfaces"):
                scope = self.program.file(node.path).scopes.get(above.up)
                return _one(self.program.written(node, inside=scope.cls if scope is not None else None))
            if above.type.endswith(("_declaration", "_body")):
                break
        return _one(self.program.type_named(node, node.text))

    def _qualified(self, node: Node) -> Meaning:
        """A part of a dotted name in an import."""
        top = node
        while top.up.type == "scoped_identifier":
            top = top.up
        if top.up.type != "import_declaration":
            return OUTSIDE
        dotted = node.data[top.start : node.end].decode("utf-8", "replace").replace(" ", "")
        cls = self.program.qualified(dotted)
        if cls is not None:
            return Meaning((cls,))
        if top.up.has("static") and node.end == top.end and not top.up.has("asterisk"):
            outer = self.program.qualified(dotted.rpartition(".")[0])
            if outer is not None:
                found = self.types.field(outer, node.text)
                members = [found[0]] if found is not None else []
                members += [method for method, _ in self.types.methods(outer, node.text)[0]]
                return Meaning(tuple(members)) if members else UNKNOWN
        return OUTSIDE

    def _label(self, node: Node) -> Meaning:
        for above in node.above():
            if above.type == "labeled_statement" and above.items[0].text == node.text:
                return Meaning((self.program.file(node.path).decl[above.items[0]],))
        return OUTSIDE

    def _annotation_element(self, node: Node) -> Meaning:
        name = node.up.up.up.get("name")
        thing = (
            self.program.type_named(name, name.text)
            if name is not None and name.type == "identifier"
            else None
        )
        if isinstance(thing, Class):
            return Meaning(tuple(thing.methods.get(node.text, ())))
        return OUTSIDE

    def _enum_constant(self, node: Node) -> Meaning | None:
        for above in node.above():
            if above.type in ("switch_expression", "switch_statement"):
                subject = above.get("condition")
                type = self.types.expression(subject) if subject is not None else None
                if isinstance(type, Of):
                    found = type.cls.fields.get(node.text)
                    return Meaning((found,)) if found is not None else None
                return UNKNOWN if type is None else None
        return None

    # variables

    def expression_name(self, node: Node, name: str) -> tuple[Thing | None, bool]:
        """The variable, or else the type, that a simple name means; and whether nothing means nothing."""
        file = self.program.file(node.path)
        scope = file.scope_at(node)
        sure = True
        while scope is not None:
            found = scope.find(name, node.start, types=False)
            if found is not None and found.kind != "label":
                return found, True
            if scope.cls is not None:
                member = self.types.field(scope.cls, name)
                if member is not None:
                    return member[0], True
                sure &= self.types.linear(scope.cls)[1]
            scope = scope.parent
        for holder in [*file.static.get(name, ()), *file.static_demand]:
            cls = self.program.qualified(holder)
            member = self.types.field(cls, name) if cls is not None else None
            if member is not None:
                return member[0], True
        return self.program.type_named(node, name), sure

    def _member(self, access: Node, node: Node) -> Meaning:
        target = access.get("object")
        if target is None:
            return UNKNOWN
        cls = self.types.static_class(target)
        if cls is None:
            whole = self.types.static_class(access)
            if whole is not None:
                return Meaning((whole,))
            return self._field_of(self.types.expression(target), target, node.text)
        inner = self.program.member_type(cls, node.text)
        found = self.types.field(cls, node.text)
        if found is not None:
            return Meaning((found[0],))
        return Meaning((inner,)) if inner is not None else (OUTSIDE if self.types.linear(cls)[1] else UNKNOWN)

    def _field_of(self, type: Type | None, target: Node, name: str) -> Meaning:
        if isinstance(type, Of):
            found = self.types.field(type.cls, name)
            if found is not None:
                return Meaning((found[0],))
            return OUTSIDE if self.types.linear(type.cls)[1] else UNKNOWN
        if isinstance(type, (Array, External)):
            return OUTSIDE
        return OUTSIDE if self._outside_name(target) else UNKNOWN

    def _outside_name(self, node: Node) -> bool:
        """Whether a dotted name names a package or class that is not of the project."""
        while node.type == "field_access":
            inner = node.get("object")
            if inner is None:
                return False
            node = inner
        if node.type != "identifier":
            return False
        thing, sure = self.expression_name(node, node.text)
        return thing is None and sure

    # methods

    def invoked(self, call: Node) -> Meaning:
        """The methods that an invocation can mean."""
        name, target, given = call.get("name"), call.get("object"), call.get("arguments")
        if name is None:
            return UNKNOWN
        arguments = given.items if given is not None else []
        if target is None:
            return self._unqualified(name, arguments)
        if target.type == "super" or (target.type == "field_access" and target.has("super")):
            cls = self.program.file(name.path).class_at(name)
            above = self.types.linear(cls)[0][1:] if cls is not None else []
            found = [m for one, _ in above for m in one.methods.get(name.text, ())]
            whole = cls is not None and self.types.linear(cls)[1]
            return self._chosen(found, arguments, whole)
        static = self.types.static_class(target)
        if static is not None:
            methods, whole = self.types.methods(static, name.text)
            return self._chosen([m for m, _ in methods], arguments, whole)
        type = self.types.expression(target)
        if isinstance(type, Of):
            methods, whole = self.types.methods(type.cls, name.text)
            return self._chosen([m for m, _ in methods], arguments, whole)
        if isinstance(type, (External, Array)):
            return OUTSIDE
        return OUTSIDE if self._outside_name(target) else UNKNOWN

    def _unqualified(self, name: Node, arguments: list[Node]) -> Meaning:
        file = self.program.file(name.path)
        scope = file.scope_at(name)
        sure = True
        while scope is not None:
            if scope.cls is not None:
                methods, whole = self.types.methods(scope.cls, name.text)
                if methods:
                    return self._chosen([m for m, _ in methods], arguments, whole)
                sure &= whole
            scope = scope.parent
        for holder in [*file.static.get(name.text, ()), *file.static_demand]:
            cls = self.program.qualified(holder)
            methods = self.types.methods(cls, name.text)[0] if cls is not None else []
            if methods:
                return self._chosen([m for m, _ in methods], arguments, True)
        return OUTSIDE if sure else UNKNOWN

    def _chosen(self, methods: list[Thing], arguments: list[Node], whole: bool) -> Meaning:
        """Those that can be called so (JLS 15.12.2, as far as types are known)."""
        fitting = [m for m in methods if _takes(m, len(arguments))]
        if len({signature(m) for m in fitting}) > 1:
            better = [m for m in fitting if self._accepts(m, arguments)]
            fitting = better or fitting
            exact = [m for m in fitting if len(parameters_of(m)) == len(arguments) and not _variable(m)]
            fitting = exact or fitting
        if not fitting:
            return OUTSIDE if whole else UNKNOWN
        return Meaning(tuple(fitting))

    def _accepts(self, method: Thing, arguments: list[Node]) -> bool:
        for parameter, argument in zip(parameters_of(method), arguments, strict=False):
            if parameter.type == "spread_parameter":
                return True
            wanted, given = self.types.of_thing(Thing("", "parameter", parameter, method.file)), None
            if argument.type in ("lambda_expression", "method_reference"):
                if isinstance(wanted, (Array,)) or (isinstance(wanted, External) and wanted.name == "String"):
                    return False
                continue
            given = self.types.expression(argument)
            if (
                isinstance(wanted, Of)
                and isinstance(given, Of)
                and not self.types.is_a(given.cls, wanted.cls)
            ):
                return False
            if isinstance(wanted, Of) and isinstance(given, (External, Array)):
                if not (isinstance(given, External) and given.name in ("null_literal", "?")):
                    return False
            if isinstance(wanted, External) and isinstance(given, External):
                if not _compatible(wanted.name, given.name):
                    return False
            if isinstance(wanted, External) and isinstance(given, Of) and wanted.name in _VALUES:
                return False
        return True

    def _only_method(self, call: Node) -> Thing | None:
        found = self.invoked(call)
        return found.things[0] if len(found.things) == 1 else None

    def _reference(self, node: Node, name: Node) -> Meaning:
        """`Type::method` or `value::method`."""
        target = node.items[0]
        thing = self.program.written(target) if "type" in target.type else self.types.static_class(target)
        if isinstance(thing, Class):
            cls: Class | None = thing
        else:
            type = self.types.expression(target)
            if isinstance(type, (External, Array)):
                return OUTSIDE
            cls = type.cls if isinstance(type, Of) else None
        if cls is None:
            return OUTSIDE if target.type == "identifier" and self._outside_name(target) else UNKNOWN
        methods, whole = self.types.methods(cls, name.text)
        if not methods:
            return OUTSIDE if whole else UNKNOWN
        return Meaning(tuple(m for m, _ in methods))


_VALUES = kinds("int long short byte char float double boolean String")
_NUMBERS = frozenset(
    [
        "int",
        "long",
        "short",
        "byte",
        "char",
        "float",
        "double",
        "number",
        "Integer",
        "Long",
        "Double",
        "Float",
        "Short",
        "Byte",
    ]
)


def _compatible(wanted: str, given: str) -> bool:
    """Whether a value of the external type `given` can go where `wanted` stands; True where that is not known."""
    literal = {
        "decimal_integer_literal": "int",
        "hex_integer_literal": "int",
        "decimal_floating_point_literal": "double",
        "character_literal": "char",
    }
    given = literal.get(given, given)
    if (
        wanted == given
        or given in ("?", "null_literal")
        or wanted not in _VALUES
        or given not in _VALUES | _NUMBERS
    ):
        return True
    if wanted == "String" or given == "String":
        return False
    if "boolean" in (wanted, given):
        return False
    return wanted in _NUMBERS and given in _NUMBERS


def _one(thing: Thing | None) -> Meaning:
    return Meaning((thing,)) if thing is not None else OUTSIDE


def _variable(method: Thing) -> bool:
    parameters = parameters_of(method)
    return bool(parameters) and parameters[-1].type == "spread_parameter"


def _takes(method: Thing, count: int) -> bool:
    parameters = parameters_of(method)
    return len(parameters) == count or (_variable(method) and count >= len(parameters) - 1)
