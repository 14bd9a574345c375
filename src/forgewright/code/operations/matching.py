"""A chain of if and elif as a match, and back. Refused where it would not decide the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from forgewright.code import layout
from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Match, Outcome, Scene
from forgewright.code.operations.fields import Targeted
from forgewright.code.operations.targets import mirrored, script
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

_JS_IF = (
    "if (x === 1) {\n  a()\n} else if (x === 'b' || x === Color.RED) {\n  b()\n} else {\n  return d()\n}\n"
)
_JS_SWITCH = (
    "switch (x) {\n  case 1:\n    a()\n    break\n  case 'b':\n  case Color.RED:\n"
    "    b()\n    break\n  default:\n    return d()\n}\n"
)
_TS_IF = "if (x.kind === 'a') {\n  const y = a();\n  go(y);\n} else {\n  b();\n}\n"
_TS_SWITCH = (
    "switch (x.kind) {\n  case 'a': {\n    const y = a();\n    go(y);\n    break;\n"
    "  }\n  default:\n    b();\n    break;\n}\n"
)


MATCH_MINOR = 10
_REQUIRED = re.compile(rb"""(?:requires-python|python_requires)\s*=\s*["']?\s*(?:>=|~=|\^)\s*3\.(\d+)""")


class IfToMatch(Targeted, frozen=True, kw_only=True):
    """Turn a chain of if that compares one name with literals into a match (Python ≥ 3.10) or a switch."""

    group: ClassVar[str] = "conversions"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(if-to-match target: 'if')",
            before={
                "a.py": "def f(x):\n    if x == 1:\n        a()\n    elif x == 'b' or x == Color.RED:\n"
                "        b()\n    elif x in (-3, 4):\n        c()\n    else:\n        d()\n"
            },
            after={
                "a.py": "def f(x):\n    match x:\n        case 1:\n            a()\n        case 'b' | Color.RED:\n"
                "            b()\n        case -3 | 4:\n            c()\n        case _:\n            d()\n"
            },
        ),
        Example(
            program="(if-to-match target: 'if')",
            before={"a.py": "if x == y:\n    a()\n"},
            refused="a case would bind the name 'y'",
        ),
        Example(
            program="(if-to-match target: 'a.js:1')",
            before={"a.js": _JS_IF},
            after={"a.js": _JS_SWITCH},
        ),
        Example(
            program="(if-to-match target: 'if')",
            before={"a.ts": _TS_IF},
            after={"a.ts": _TS_SWITCH},
        ),
        Example(
            program="(if-to-match target: 'if')",
            before={"a.js": "while (y) {\n  if (x === 1) break;\n}\n"},
            refused="would leave the switch",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(
            splices=tuple(
                _in_script(scene, match, "to_switch") or _in_python(scene, match)
                for match in self.targets(scene)
            )
        )


def _in_script(scene: Scene, match: Match, how: Literal["to_switch", "to_if"]) -> Splice | None:
    """What is made of a statement of JavaScript or TypeScript; None for other languages."""
    resolver = script(scene, match.path)
    if resolver is None:
        return None
    from forgewright.code.javascript.refactor import switches
    from forgewright.code.javascript.refactor.region import uses_of

    node = mirrored(resolver, match)
    make = switches.to_switch if how == "to_switch" else switches.to_if
    text = make(uses_of(resolver, match.path), match.source, node)
    return Splice(match.path, node.start, node.end, text.encode("utf-8", "surrogateescape"))


def _in_python(scene: Scene, match: Match) -> Splice:
    _check_version(scene)
    return _to_match(match)


def _check_version(scene: Scene) -> None:
    """Refuse in a project that says it runs with a Python that has no match."""
    for path in ("pyproject.toml", "setup.cfg", "setup.py"):
        data = scene.project.source(path).data if scene.project.exists(path) else b""
        found = _REQUIRED.search(data)
        if found is not None and int(found[1]) < MATCH_MINOR:
            raise EditRefused(
                f"{path} says that Python 3.{int(found[1])} is enough, which has no match",
                hint="leave the if",
            )


def _to_match(match: Match) -> Splice:
    source, node = match.source, match.node
    if source.language != "python" or node.type != "if_statement":
        raise EditRefused(f"{match.kind} is no if statement of Python")
    subject = ""
    cases: list[tuple[str, Node]] = []
    branches = [node, *node.children_by_field_name("alternative")]
    for branch in branches:
        if branch.type == "else_clause":
            patterns = ["_"]
        else:
            condition = branch.child_by_field_name("condition")
            assert condition is not None
            found, patterns = _patterns(condition)
            if subject and found != subject:
                raise EditRefused(
                    f"the branches compare {subject!r} and {found!r}", hint="all must compare one name"
                )
            subject = found
        body = branch.child_by_field_name("consequence") or branch.child_by_field_name("body")
        assert body is not None
        cases.append((" | ".join(patterns), body))
    end = layout.line_end(source.data)
    indent = layout.indentation(source.data, node.start_byte)
    unit = layout.indent_unit(source)
    out = [f"match {subject}:".encode()]
    for pattern, body in cases:
        out.append(indent + unit + f"case {pattern}:".encode())
        out.append(_moved(source, body, indent + unit + unit))
    return Splice(source.path, node.start_byte, node.end_byte, end.join(out))


def _moved(source: Source, body: Node, indent: bytes) -> bytes:
    """A body's statements and comments at another indentation."""
    inside = body.named_children
    if not inside:
        raise EditRefused("a branch of the if statement is empty", hint="mend the code first")
    start = inside[0].start_byte
    line = layout.line_start(source.data, start)
    begin = line if layout.only_space(source.data[line:start]) else start
    return layout.fit(
        source.data[begin : inside[-1].end_byte].decode("utf-8", "surrogateescape"), source, indent
    )


def _patterns(condition: Node) -> tuple[str, list[str]]:
    """(subject, patterns) of `x == 1`, `x == 1 or x == 2`, `x in (1, 2)`, `x is None`."""
    if condition.type == "parenthesized_expression":
        return _patterns(condition.named_children[0])
    if condition.type == "boolean_operator" and nodes.text(condition.child_by_field_name("operator")) == "or":
        one, other = condition.child_by_field_name("left"), condition.child_by_field_name("right")
        assert one is not None
        assert other is not None
        first, ones = _patterns(one)
        second, others = _patterns(other)
        if first != second:
            raise EditRefused(f"a branch compares {first!r} and {second!r}", hint="all must compare one name")
        return first, ones + others
    if condition.type != "comparison_operator" or len(condition.named_children) != 2:
        raise EditRefused(f"{nodes.text(condition)!r} is no comparison with a literal")
    left, right = condition.named_children
    operator = " ".join(nodes.text(child) for child in condition.children if child not in (left, right))
    if left.type not in ("identifier", "attribute"):
        raise EditRefused(
            f"{nodes.text(left)!r} is no name", hint="only a name or attribute can be looked at once"
        )
    singleton = right.type in ("none", "true", "false")
    if operator == "is" and singleton:
        return nodes.text(left), [nodes.text(right)]
    if operator == "==" and not singleton:
        return nodes.text(left), [_literal(right)]
    if operator == "in" and right.type in ("tuple", "list", "set") and right.named_children:
        if any(child.type in ("none", "true", "false") for child in right.named_children):
            raise EditRefused(f"{nodes.text(right)!r} compares with ==, a case with is")
        return nodes.text(left), [_literal(child) for child in right.named_children]
    raise EditRefused(
        f"{nodes.text(condition)!r} is not what a case compares", hint="cases know ==, in and is None"
    )


def _literal(node: Node) -> str:
    text = nodes.text(node)
    if node.type == "identifier":
        raise EditRefused(f"a case would bind the name {text!r} instead of comparing with it")
    negative = (
        node.type == "unary_operator"
        and text[:1] == "-"
        and node.named_children[0].type in ("integer", "float")
    )
    string = node.type == "string" and "f" not in text[: text.find(text[-1])].lower()
    if node.type in ("integer", "float", "attribute") or negative or string:
        return text
    raise EditRefused(f"{text!r} is no literal or dotted name")


class MatchToIf(Targeted, frozen=True, kw_only=True):
    """Turn a match over literals, or a switch, into a chain of if."""

    group: ClassVar[str] = "conversions"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(match-to-if target: 'switch')",
            before={
                "a.py": "match x:\n    case 1 | 2:\n        a()\n    case None:\n        b()\n"
                "    case 'c' if y:\n        c()\n    case _:\n        d()\n"
            },
            after={
                "a.py": "if x == 1 or x == 2:\n    a()\nelif x is None:\n    b()\nelif x == 'c' and y:\n    c()\nelse:\n    d()\n"
            },
        ),
        Example(
            program="(match-to-if target: 'switch')",
            before={"a.py": "match x:\n    case [a, b]:\n        go(a)\n"},
            refused="is no literal",
        ),
        Example(
            program="(match-to-if target: 'switch')",
            before={"a.js": _JS_SWITCH},
            after={"a.js": _JS_IF},
        ),
        Example(
            program="(match-to-if target: 'switch')",
            before={"a.ts": _TS_SWITCH},
            after={"a.ts": _TS_IF},
        ),
        Example(
            program="(match-to-if target: 'switch')",
            before={"a.ts": "switch (x) {\n  case 1:\n    a();\n  case 2:\n    b();\n}\n"},
            refused="falls through",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(
            splices=tuple(_in_script(scene, match, "to_if") or _to_if(match) for match in self.targets(scene))
        )


def _to_if(match: Match) -> Splice:
    source, node = match.source, match.node
    if node.type != "match_statement":
        raise EditRefused(f"{match.kind} is no match statement of Python")
    subjects = node.children_by_field_name("subject")
    if len(subjects) != 1 or subjects[0].type not in ("identifier", "attribute"):
        raise EditRefused(
            "the subject of the match is no name", hint="give it a name first: (extract-variable …)"
        )
    subject = nodes.text(subjects[0])
    end = layout.line_end(source.data)
    indent = layout.indentation(source.data, node.start_byte)
    body = node.child_by_field_name("body")
    assert body is not None
    out: list[bytes] = []
    for number, case in enumerate(child for child in body.named_children if child.type == "case_clause"):
        condition = _condition(subject, case)
        consequence = case.child_by_field_name("consequence")
        assert consequence is not None
        if condition is None and number == 0:
            raise EditRefused("the first case takes everything", hint="use (unwrap …)")
        head = "else:" if condition is None else f"{'elif' if number else 'if'} {condition}:"
        out.append((indent if number else b"") + head.encode())
        out.append(_moved(source, consequence, indent + layout.indent_unit(source)))
    return Splice(source.path, node.start_byte, node.end_byte, end.join(out))


def _condition(subject: str, case: Node) -> str | None:
    """The condition of a case; None for `case _`."""
    patterns = [child for child in case.named_children if child.type == "case_pattern"]
    guard = case.child_by_field_name("guard")
    extra = nodes.text(guard.named_children[0]) if guard is not None and guard.named_children else ""
    if re.search(rf"(?<![\w.]){re.escape(subject.partition('.')[0])}\s*:=", extra):
        raise EditRefused(f"the guard {extra!r} sets {subject} anew", hint="take that out of the guard first")
    if len(patterns) != 1:
        raise EditRefused(f"{nodes.text(case).split(':')[0]!r} is no literal")
    parts: list[str] = []
    for text, kind in _alternatives(patterns[0]):
        if text == "_":
            return extra or None
        parts.append(f"{subject} is {text}" if kind in ("none", "true", "false") else f"{subject} == {text}")
    joined = " or ".join(parts)
    if not extra:
        return joined
    left = f"({joined})" if len(parts) > 1 else joined
    right = f"({extra})" if " or " in extra or " if " in extra or ":=" in extra else extra
    return f"{left} and {right}"


def _alternatives(pattern: Node) -> list[tuple[str, str]]:
    """(text, node type) of each alternative."""
    if nodes.text(pattern) == "_":
        return [("_", "")]
    inner = pattern.named_children
    if len(inner) == 1 and inner[0].type == "union_pattern":
        pattern = inner[0]
    groups: list[list[Node]] = [[]]
    for child in pattern.children:
        if child.type == "|":
            groups.append([])
        else:
            groups[-1].append(child)
    return [found for group in groups for found in _one(group)]


def _one(group: list[Node]) -> list[tuple[str, str]]:
    if len(group) == 1 and group[0].type == "case_pattern":
        return _alternatives(group[0])
    text = "".join(nodes.text(node) for node in group)
    kind = group[-1].type if group else ""
    sign = len(group) == 2 and group[0].type == "-" and kind in ("integer", "float")
    dotted = kind == "dotted_name" and "." in text
    literal = kind in ("string", "concatenated_string", "integer", "float", "none", "true", "false")
    if sign or (len(group) == 1 and (dotted or literal)):
        return [(text, kind)]
    raise EditRefused(
        f"the pattern {text!r} is no literal", hint="only literals and dotted names are compared"
    )
