"""The type of an expression, as far as its own syntax and the declarations it names tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript import typenodes
from forgewright.code.javascript.elements import indexed
from forgewright.code.javascript.entities import TYPE, VALUE, Entity
from forgewright.code.javascript.jsdoc import doc_before
from forgewright.code.javascript.names import (
    CLASSES,
    FUNCTIONS,
    PATTERNS,
    annotation,
    key_of,
    parameters,
    pattern_of,
    string_text,
)
from forgewright.code.javascript.narrowing import narrow
from forgewright.code.javascript.types import (
    EMPTY,
    Env,
    Function,
    Instance,
    Literal,
    Primitive,
    Static,
    Tuple,
    Type,
    union,
)
from forgewright.code.scopes.tree import Node

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker

RETURNS_MAX = 20
"""`return` statements of a function that are looked at."""
_LOGICAL = ("||", "??", "&&")


def type_of(c: Checker, node: Node) -> Type | None:
    """The type of an expression; None where it is not known."""
    kind = node.type
    if kind in ("parenthesized_expression", "non_null_expression"):
        cast = _cast(c, node) if kind == "parenthesized_expression" else None
        return cast or (c.expression(node.items[0]) if node.items else None)
    if kind in ("identifier", "shorthand_property_identifier", "jsdoc_name"):
        found = c.program.resolve(c.program.lookup(node, VALUE))
        if found is None:
            return _commonjs(c, node)
        return narrow(c, node, c.entity_type(found))
    if kind == "this":
        return c.this_type(node)
    if kind == "super":
        this = c.this_type(node)
        bases = c.bases(this) if isinstance(this, Instance) else []
        if isinstance(this, Static):
            bases = [Static(b.entity) for b in c.bases(Instance(this.entity)) if isinstance(b, Instance)]
        return bases[0] if bases else None
    if kind in ("member_expression", "nested_identifier"):
        member = c.member_at(node)
        if member is None and node.text == "module.exports":
            return _commonjs(c, node)
        if member is None and node.get("object") is not None:
            meant = c.program.resolve(c.program.meaning(node, VALUE))
            left = node.get("object")
            of = c.expression(left) if left is not None else None
            return c.entity_type(meant) if meant is not None else indexed(c, of)
        return narrow(c, node, c.member_type(member))
    if kind == "subscript_expression":
        return _subscript(c, node)
    if kind in ("call_expression", "new_expression"):
        return _call(c, node)
    if kind in ("string", "template_string"):
        text = string_text(node)
        return Literal(text) if text is not None else Primitive("string")
    if kind in ("number", "true", "false", "null", "undefined", "regex"):
        return Primitive({"true": "boolean", "false": "boolean"}.get(kind, kind))
    if kind in ("object", "class"):
        entity = c.own(node)
        if entity is None:
            return None
        return Instance(entity) if kind == "object" else Static(entity)
    if kind == "array":
        return c.array(union([_element(c, item) for item in node.items[:50]]))
    if kind in FUNCTIONS:
        return Function((node,), EMPTY, c.own(node))
    if kind in ("as_expression", "satisfies_expression"):
        inner, last = node.items[0], node.items[-1]
        return c.expression(inner) if kind == "satisfies_expression" or last is inner else c.annotation(last)
    if kind == "type_assertion":
        arguments = node.first("type_arguments")
        return c.annotation(arguments.items[0]) if arguments and arguments.items else None
    if kind == "ternary_expression":
        return union(
            [c.expression(n) for n in (node.get("consequence"), node.get("alternative")) if n is not None]
        )
    if kind == "binary_expression":
        operator = node.get("operator")
        if operator is not None and operator.type in _LOGICAL:
            return union([c.expression(n) for n in (node.get("left"), node.get("right")) if n is not None])
        return Primitive("boolean" if operator and operator.type[0] in "=!<>" else "number")
    if kind in ("assignment_expression", "augmented_assignment_expression"):
        right = node.get("right")
        return c.expression(right) if right is not None else None
    if kind == "sequence_expression":
        return c.expression(node.items[-1]) if node.items else None
    if kind == "await_expression":
        return c.awaited(c.expression(node.items[0])) if node.items else None
    if kind == "spread_element":
        return c.element(c.expression(node.items[0])) if node.items else None
    if kind in PATTERNS:
        return c.pattern(node)
    return None


def _commonjs(c: Checker, node: Node) -> Type | None:
    """`exports` and `module.exports`: the file's own module."""
    unit = c.program.unit(node.path)
    named = node.text in ("exports", "module.exports") and unit is not None and unit.javascript
    return Static(unit.module) if named and unit is not None and unit.module is not None else None


def _element(c: Checker, item: Node) -> Type | None:
    found = c.expression(item)
    return Primitive("string") if isinstance(found, Literal) else found


def _cast(c: Checker, node: Node) -> Type | None:
    """`/** @type {T} */ (expression)`."""
    unit = c.program.unit(node.path)
    if unit is None or not unit.javascript:
        return None
    doc = doc_before(unit, node)
    tag = doc.first("type") if doc is not None else None
    return c.annotation(tag.type) if tag is not None and tag.type is not None else None


def _subscript(c: Checker, node: Node) -> Type | None:
    base, index = node.get("object"), node.get("index")
    of = c.expression(base) if base is not None else None
    if of is None or index is None:
        return None
    if index.type in ("string", "template_string", "number"):
        text = index.text if index.type == "number" else string_text(index)
        if isinstance(of, Tuple) and index.type == "number" and index.text.isdigit():
            return of.parts[int(index.text)] if int(index.text) < len(of.parts) else None
        found = c.property(of, text) if text is not None else None
        if found is not None:
            return c.member_type(found)
    if index.type in ("string", "template_string"):
        return indexed(c, of)
    return c.element(of)


def _call(c: Checker, node: Node) -> Type | None:
    callee = node.get("function") or node.get("constructor")
    arguments = node.get("arguments")
    if callee is None:
        return None
    if callee.type == "import" and arguments is not None and arguments.items:
        module = c.program.module_of(arguments.items[0])
        return c.promise(Static(module)) if module is not None else None
    if callee.type == "identifier" and callee.text == "require" and arguments is not None and arguments.items:
        module = c.program.module_of(arguments.items[0])
        if module is not None:
            equals = module.exports.get("export=")
            return c.entity_type(c.program.resolve(equals)) if equals is not None else Static(module)
    given = arguments.items if arguments is not None and arguments.type == "arguments" else []
    explicit = node.get("type_arguments")
    types = [c.annotation(t) for t in explicit.items] if explicit is not None else []
    if node.type == "new_expression":
        of = c.expression(callee)
        if of is None and callee.type == "identifier":
            entity = c.program.resolve(c.program.lookup(callee, TYPE))
            return c.instantiate(entity, types) if entity is not None else None
        return constructed(c, of, types)
    return returned(c, c.expression(callee), given, types)


def constructed(c: Checker, type: Type | None, arguments: list[Type | None]) -> Type | None:
    """What `new` makes of a class, a constructor function, or something with a construct signature."""
    if isinstance(type, Static) and type.entity.kind == "class":
        return c.instantiate(type.entity, arguments)
    if isinstance(type, Function) and type.entity is not None:
        return Instance(type.entity)
    if isinstance(type, Instance):
        for node in c.bodies(type.entity):
            for item in node.items:
                if item.type == "construct_signature" and (found := annotation(item)) is not None:
                    return c.annotation(found, type.env)
    if isinstance(type, Function) and type.nodes and type.nodes[0].type == "constructor_type":
        return returned(c, type, [], arguments)
    return None


def returned(c: Checker, type: Type | None, given: list[Node], explicit: list[Type | None]) -> Type | None:
    """What calling something of this type returns."""
    found: list[Type | None] = []
    for node, env in c.signatures(type):
        found.append(return_type(c, node, _infer(c, node, env, given, explicit)))
        if len(found) >= RETURNS_MAX or found[-1] is not None:
            break
    return union(found)


def _infer(c: Checker, node: Node, env: Env, given: list[Node], explicit: list[Type | None]) -> Env:
    """The type arguments of a call: as written, else from the arguments that mention them."""
    declared = [entity for entity, _ in typenodes.parameter_nodes(c, node)]
    if not declared:
        return env
    found: dict[Entity, Type | None] = dict(env)
    for entity, type in zip(declared, explicit, strict=False):
        found[entity] = type
    listed = parameters(node)
    for parameter, argument in zip(listed, given, strict=False):
        written = annotation(parameter)
        if written is not None and not explicit:
            _unify(c, written, c.expression(argument), set(declared), found)
    return found


def _unify(
    c: Checker, written: Node, type: Type | None, wanted: set[Entity], found: dict[Entity, Type | None]
) -> None:
    if type is None:
        return
    if written.type in ("type_identifier", "identifier"):
        entity = c.program.meaning(written, TYPE)
        if entity is not None and entity in wanted and entity not in found:
            found[entity] = type
    elif written.type in ("array_type", "readonly_type"):
        _unify(c, written.items[0], c.element(type), wanted, found)
    elif written.type == "generic_type" and isinstance(type, Instance):
        arguments = written.get("type_arguments")
        values = list(type.env.values())
        for inner, value in zip(arguments.items if arguments else [], values, strict=False):
            _unify(c, inner, value, wanted, found)
    elif written.type == "function_type" and isinstance(type, Function) and type.nodes:
        result = written.get("return_type")
        if result is not None:
            _unify(c, result, return_type(c, type.nodes[0], type.env), wanted, found)
    elif written.type == "union_type":
        for item in written.items:
            _unify(c, item, type, wanted, found)


def return_type(c: Checker, node: Node, env: Env) -> Type | None:
    """What a function returns: as annotated, as its comment says, or from its `return` statements."""
    written = annotation(node, "return_type") or (
        annotation(node)
        if node.type in ("call_signature", "construct_signature", "constructor_type")
        else None
    )
    if written is not None:
        return c.annotation(written, env)
    return c.inferred_return(node)


def infer_return(c: Checker, node: Node) -> Type | None:
    unit = c.program.unit(node.path)
    if unit is not None and unit.javascript:
        doc = doc_before(unit, node)
        tag = doc.first("returns", "return") if doc is not None else None
        if tag is not None and tag.type is not None:
            return c.annotation(tag.type)
    body = node.get("body")
    if body is None or node.has("*"):
        return None
    if body.type != "statement_block":
        result = c.expression(body)
    else:
        result = union([c.expression(value) for value in returns(body)[:RETURNS_MAX]])
    if isinstance(result, Literal):
        result = Primitive("string")
    return c.promise(result) if node.has("async") else result


def returns(body: Node) -> list[Node]:
    """The values that a function's own `return` statements return."""
    found: list[Node] = []
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type == "return_statement":
            found += node.items[:1]
        elif node.type not in FUNCTIONS and node.type not in CLASSES:
            stack.extend(reversed(node.children))
    return found


def pattern_type(c: Checker, node: Node) -> Type | None:
    """The type of what a pattern, or a name in a pattern, is matched against."""
    parent = node.up
    kind = parent.type
    if kind == "pair_pattern" and node.field == "value":
        key = key_of(parent.get("key"))
        of = c.pattern(parent.up)
        found = c.property(of, key[0]) if of is not None and key is not None else None
        return c.member_type(found)
    if kind in ("assignment_pattern", "object_assignment_pattern") and node.field == "left":
        right = parent.get("right")
        type = _shorthand(c, parent, node) if kind == "object_assignment_pattern" else c.pattern(parent)
        return type or (c.widened(right) if right is not None else None)
    if kind == "object_pattern":
        return _shorthand(c, node, node) if "shorthand" in node.type else None
    if kind == "rest_pattern":
        outer = parent.up
        if outer.type == "object_pattern":
            return c.pattern(outer)
        if outer.type == "array_pattern":
            return c.pattern(outer)
        return c.pattern(parent)
    if kind == "array_pattern":
        of = c.pattern(parent)
        if isinstance(of, Tuple):
            place = _position(parent, node)
            return of.parts[place] if place < len(of.parts) else None
        return c.element(of)
    if kind == "variable_declarator":
        return _declared(c, parent, parent.get("value"))
    if kind in ("required_parameter", "optional_parameter"):
        return _parameter(c, parent)
    if kind == "formal_parameters" or (kind == "arrow_function" and node.field == "parameter"):
        return _parameter(c, node)
    if kind == "for_in_statement" and node.field == "left":
        right = parent.get("right")
        iterates = parent.has("of")
        return c.element(c.expression(right)) if right is not None and iterates else Primitive("string")
    if kind in ("assignment_expression",) and node.field == "left":
        right = parent.get("right")
        return c.expression(right) if right is not None else None
    if kind == "parenthesized_expression":
        return c.pattern(parent)
    return None


def _position(pattern: Node, node: Node) -> int:
    place = 0
    for child in pattern.children:
        if child is node:
            break
        place += child.type == ","
    return place


def _shorthand(c: Checker, inside: Node, name: Node) -> Type | None:
    pattern = inside.up if inside.type != "object_pattern" else inside
    of = c.pattern(pattern)
    found = c.property(of, name.text) if of is not None else None
    return c.member_type(found)


def _declared(c: Checker, declarator: Node, value: Node | None) -> Type | None:
    written = annotation(declarator)
    if written is not None:
        return c.annotation(written)
    unit = c.program.unit(declarator.path)
    if unit is not None and unit.javascript:
        doc = doc_before(unit, declarator)
        tag = doc.first("type") if doc is not None else None
        if tag is not None and tag.type is not None:
            return c.annotation(tag.type)
    return c.widened(value) if value is not None else None


def _parameter(c: Checker, parameter: Node) -> Type | None:
    written = annotation(parameter)
    pattern = pattern_of(parameter)
    if written is not None:
        return c.annotation(written)
    function = next((above for above in parameter.above() if above.type in FUNCTIONS), None)
    if function is None:
        return None
    unit = c.program.unit(parameter.path)
    if unit is not None and unit.javascript and pattern.type == "identifier":
        doc = doc_before(unit, function)
        for tag in doc.tags if doc is not None else []:
            named = tag.name is not None and tag.name.text == pattern.text and not tag.path
            if tag.kind in ("param", "arg") and tag.type is not None and named:
                return c.annotation(tag.type)
    index = next((i for i, p in enumerate(parameters(function)) if p is parameter), -1)
    context = c.context(function)
    for node, env in c.signatures(context):
        found = c.argument(node, env, index)
        if found is not None:
            return found
    default = parameter.get("value") or parameter.get("right")
    return c.widened(default) if default is not None else None
