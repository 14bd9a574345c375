"""Which parts of a union are left: after tests in the code around, and by the tags that a literal carries.

TypeScript handbook, "Narrowing": discriminated unions, `instanceof`, `in`, `typeof` and type predicates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import VALUE
from forgewright.code.javascript.names import (
    CLASSES,
    FUNCTIONS,
    annotation,
    bare,
    key_of,
    parameters,
    string_text,
)
from forgewright.code.javascript.types import (
    Function,
    Instance,
    Literal,
    Primitive,
    Static,
    Type,
    Union,
    same,
)
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

if TYPE_CHECKING:
    from forgewright.code.javascript.checker import Checker

_LEAVES = kinds("return_statement throw_statement continue_statement break_statement")
_STEPS_MAX = 60


def discriminate(c: Checker, literal: Node, type: Type | None) -> Type | None:
    """The parts of an expected union that an object literal's own string tags allow."""
    if not isinstance(type, Union):
        return type
    left = list(type.parts)
    for item in literal.items if literal.type == "object" else []:
        value = item.get("value") if item.type == "pair" else None
        key = key_of(item.get("key"))
        text = string_text(value) if value is not None and value.type == "string" else None
        if key is not None and text is not None:
            left = [part for part in left if _allows(c, part, key[0], text)] or left
    return left[0] if len(left) == 1 else Union(tuple(left))


def _allows(c: Checker, part: Type, name: str, text: str) -> bool:
    found = c.member_type(c.property(part, name))
    options = found.parts if isinstance(found, Union) else (found,)
    return not all(isinstance(o, Literal) for o in options) or any(same(o, Literal(text)) for o in options)


def narrow(c: Checker, node: Node, type: Type | None) -> Type | None:
    """The type of a variable or member at `node`, after the tests that lead there."""
    if type is None or (isinstance(type, Primitive) and type.name in ("any", "unknown")):
        return _instance(c, node) or type
    if not isinstance(type, Union):
        return type
    text = node.text
    left = list(type.parts)
    below = node
    for _, above in zip(range(_STEPS_MAX), node.above(), strict=False):
        if above.type in FUNCTIONS or above.type in CLASSES:
            break
        for test, truth in _tests(below, above):
            left = _apply(c, test, truth, text, left) or left
        below = above
    return left[0] if len(left) == 1 else Union(tuple(left)) if len(left) < len(type.parts) else type


def _instance(c: Checker, node: Node) -> Type | None:
    """The class of something of no known type, after `instanceof` and without an assignment since."""
    text = node.text
    assigned = re.compile(rf"(?<![\w$.]){re.escape(text)}\s*=(?!=)".encode())
    below = node
    for _, above in zip(range(_STEPS_MAX), node.above(), strict=False):
        if above.type in FUNCTIONS or above.type in CLASSES:
            return None
        for test, truth in _tests(below, above):
            wanted = _asked(test, text) if truth else None
            if wanted is not None and not assigned.search(node.data, test.end, node.start):
                found = c.program.resolve(c.program.lookup(wanted, VALUE))
                return Instance(found) if found is not None and found.kind == "class" else None
        below = above
    return None


def _asked(test: Node, text: str) -> Node | None:
    """The class that a condition wants `text` to be an instance of."""
    test = bare(test)
    left, right, operator = test.get("left"), test.get("right"), test.get("operator")
    if test.type != "binary_expression" or left is None or right is None or operator is None:
        return None
    if operator.type == "&&":
        return _asked(left, text) or _asked(right, text)
    fits = operator.type == "instanceof" and left.text == text and right.type == "identifier"
    return right if fits else None


def _tests(below: Node, above: Node) -> list[tuple[Node, bool]]:
    """The conditions that hold in `below` because of where it stands in `above`."""
    condition = above.get("condition")
    if above.type in ("if_statement", "ternary_expression") and condition is not None:
        if below.field in ("consequence", "alternative"):
            return [(condition, below.field == "consequence")]
    elif above.type == "while_statement" and condition is not None and below.field == "body":
        return [(condition, True)]
    elif above.type == "binary_expression" and below.field == "right":
        operator, left = above.get("operator"), above.get("left")
        if operator is not None and left is not None and operator.type in ("&&", "||"):
            return [(left, operator.type == "&&")]
    elif above.type == "switch_case":
        return [(above, True)] if below.field != "value" else []
    elif above.type in ("statement_block", "program"):
        found = []
        for sibling in above.children:
            if sibling is below:
                break
            test = sibling.get("condition") if sibling.type == "if_statement" else None
            if (
                test is not None
                and sibling.get("alternative") is None
                and _leaves(sibling.get("consequence"))
            ):
                found.append((test, False))
        return found
    return []


def _leaves(statement: Node | None) -> bool:
    if statement is None:
        return False
    if statement.type == "statement_block":
        return bool(statement.items) and statement.items[-1].type in _LEAVES
    return statement.type in _LEAVES


def _apply(c: Checker, test: Node, truth: bool, text: str, parts: list[Type]) -> list[Type]:
    if test.type == "switch_case":
        value, subject = test.get("value"), test.up.up.get("value")
        return _equal(c, bare(subject), value, True, text, parts) if subject and value else parts
    test = bare(test)
    if test.type == "unary_expression" and test.has("!"):
        argument = test.get("argument")
        return _apply(c, argument, not truth, text, parts) if argument is not None else parts
    if test.type == "call_expression":
        return _predicate(c, test, truth, text, parts)
    left, right, operator = test.get("left"), test.get("right"), test.get("operator")
    if test.type != "binary_expression" or left is None or right is None or operator is None:
        return parts
    if operator.type == "&&":
        if not truth:
            return parts
        return _apply(c, right, True, text, _apply(c, left, True, text, parts) or parts)
    if operator.type == "||":
        if truth:
            return parts
        return _apply(c, right, False, text, _apply(c, left, False, text, parts) or parts)
    if operator.type in ("===", "==", "!==", "!="):
        return _equal(c, bare(left), right, truth == (operator.type[0] == "="), text, parts)
    if operator.type == "instanceof" and left.text == text:
        return [p for p in parts if _is_instance(c, p, right) is not (not truth)]
    if operator.type == "in" and right.text == text and left.type == "string":
        name = string_text(left) or ""
        return [p for p in parts if (c.property(p, name) is not None) == truth]
    return parts


def _equal(c: Checker, left: Node, right: Node, truth: bool, text: str, parts: list[Type]) -> list[Type]:
    wanted = string_text(right) if right.type == "string" else None
    if wanted is None:
        return parts
    if left.type == "unary_expression" and left.has("typeof"):
        argument = left.get("argument")
        if argument is None or argument.text != text:
            return parts
        return [p for p in parts if (_typeof(p) == wanted) == truth]
    holder, name = left.get("object"), left.get("property")
    if holder is None or name is None or holder.text != text:
        return parts
    tag = Literal(wanted)
    if truth:
        return [p for p in parts if _allows(c, p, name.text, wanted)]
    return [p for p in parts if not same(c.member_type(c.property(p, name.text)), tag)]


def _typeof(type: Type) -> str:
    if isinstance(type, Primitive):
        return type.name
    if isinstance(type, Literal):
        return "string"
    return "function" if isinstance(type, Function | Static) else "object"


def _is_instance(c: Checker, part: Type, right: Node) -> bool:
    wanted = c.program.resolve(c.program.lookup(right, VALUE)) if right.type == "identifier" else None
    if not isinstance(part, Instance) or wanted is None:
        return not isinstance(part, Primitive | Literal)
    seen = [part.entity.real]
    for entity in seen:
        if entity is wanted:
            return True
        supers = [t.entity.real for t in c.supers(entity) if isinstance(t, Instance)]
        seen += [e for e in supers if e not in seen]
    return False


def _predicate(c: Checker, call: Node, truth: bool, text: str, parts: list[Type]) -> list[Type]:
    """`isFish(pet)` with `pet is Fish` as its result."""
    function, arguments = call.get("function"), call.get("arguments")
    if function is None or arguments is None:
        return parts
    place = next((i for i, item in enumerate(arguments.items) if item.text == text), -1)
    for signature, env in c.signatures(c.expression(function)) if place >= 0 else []:
        returned = annotation(signature, "return_type")
        predicate = returned if returned is not None and returned.type == "type_predicate" else None
        if returned is not None and returned.type == "type_predicate_annotation":
            predicate = returned.first("type_predicate")
        named, written = (
            (predicate.get("name"), predicate.get("type")) if predicate is not None else (None, None)
        )
        listed = parameters(signature)
        if named is None or written is None or place >= len(listed):
            continue
        wanted = c.annotation(written, env)
        options = wanted.parts if isinstance(wanted, Union) else (wanted,)
        return [p for p in parts if any(_same_class(p, o) for o in options) == truth]
    return parts


def _same_class(one: Type, other: Type | None) -> bool:
    if isinstance(one, Instance) and isinstance(other, Instance):
        return one.entity.real is other.entity.real
    return same(one, other)
