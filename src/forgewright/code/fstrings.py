"""f-strings from `'…'.format(…)` and `'…' % …`, where both certainly mean the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.project import Source
from forgewright.code.selectors import nodes
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

_PREFIX = re.compile(r"(?P<prefix>[uUrR]?)(?P<quote>'''|\"\"\"|'|\")")
_FIELD = re.compile(
    r"\{\{|\}\}|\{(?P<name>[^{}!:]*)(?P<conversion>![rsa])?(?P<spec>:[^{}]*)?\}|(?P<wrong>[{}])"
)
_PERCENT = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<precision>\.\d+)?(?P<kind>.)", re.S
)
_NAME = re.compile(r"(?P<first>\d*|[^\W\d]\w*)(?P<rest>(?:\.[^\W\d]\w*|\[\d+\])*)\Z")
_HIDDEN = re.compile(r"\\(?:[xX](?:7[bBdD]|25)|[uU]0*(?:7[bBdD]|25)\b|17[35]|0?45|N\{)")
_SIMPLE = ("identifier", "attribute", "integer", "float", "string", "true", "false", "none")


def f_string(source: Source, node: Node, *, single: bool) -> bytes:
    """The f-string that stands for `node`. Raises `EditRefused` where it might mean something else."""
    if source.language != "python":
        raise EditRefused("f-strings are Python's", hint="use (replace-node …)")
    if node.type == "call":
        function = node.child_by_field_name("function")
        literal = function.child_by_field_name("object") if function is not None else None
        if literal is not None and literal.type == "string" and nodes.names(node)[0] == "format":
            return _from_format(node, literal)
    if node.type == "binary_operator" and nodes.text(node.child_by_field_name("operator")) == "%":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None and left.type == "string":
            return _from_percent(left, right, single)
    raise EditRefused(f"{nodes.text(node)[:60]!r} is no call of format and no % on a string literal")


def _parts(literal: Node) -> tuple[str, str, str]:
    """(prefix, quote, text between the quotes) of a string literal."""
    text = nodes.text(literal)
    found = _PREFIX.match(text)
    if found is None:
        raise EditRefused(f"{text[:40]!r} is bytes or an f-string already")
    quote = found["quote"]
    prefix = found["prefix"] if found["prefix"] in ("r", "R") else ""
    body = text[found.end() : -len(quote)]
    if not prefix and _HIDDEN.search(body):
        raise EditRefused("the string writes braces or percent signs as escapes")
    return prefix, quote, body


class _Values:
    """The values to put in: each is used once, or is so simple that it does not matter."""

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self.by_name: dict[str, Node] = {}
        self.used: list[str] = []

    def take(self, key: str, rest: str = "") -> str:
        node = self.by_name.get(key)
        if node is None:
            raise EditRefused(f"there is no value for {key!r}")
        if key in self.used and node.type not in _SIMPLE:
            raise EditRefused(f"{nodes.text(node)!r} would be evaluated twice")
        self.used.append(key)
        text = nodes.text(node)
        if self.quote[0] in text or "\\" in text or "\n" in text or "#" in text:
            raise EditRefused(
                f"{text[:60]!r} holds the quotes of the string, a backslash or a line break",
                hint="give it a name first: (extract-variable …)",
            )
        if rest and node.type not in (*_SIMPLE[:2], "call", "subscript"):
            text = f"({text})"
        if node.type in ("lambda", "conditional_expression", "named_expression", "yield") or "!=" in text:
            text = f"({text})"
        return (" " if text.startswith("{") else "") + text + rest

    def check(self) -> None:
        complex_ones = [key for key, node in self.by_name.items() if node.type not in _SIMPLE]
        if [key for key in self.used if key in complex_ones] != complex_ones:
            raise EditRefused("the values would be evaluated in another order, or not at all")


def _from_format(call: Node, literal: Node) -> bytes:
    prefix, quote, body = _parts(literal)
    values = _Values(quote)
    arguments = call.child_by_field_name("arguments")
    assert arguments is not None
    for number, node in enumerate(n for n in arguments.named_children if n.type != "comment"):
        if node.type in ("list_splat", "dictionary_splat", "generator_expression"):
            raise EditRefused(f"{nodes.text(node)!r} is unpacked")
        if node.type == "keyword_argument":
            value = node.child_by_field_name("value")
            assert value is not None
            values.by_name[nodes.text(node.child_by_field_name("name"))] = value
        else:
            values.by_name[str(number)] = node
    counter = [0]

    def field(found: re.Match[str]) -> str:
        if found.group() in ("{{", "}}"):
            return found.group()
        name = _NAME.match(found["name"]) if found["wrong"] is None else None
        if name is None:
            raise EditRefused(
                f"the field {found.group()!r} is too intricate", hint="nested fields stay as they are"
            )
        key = name["first"]
        if not key:
            key = str(counter[0])
            counter[0] += 1
        return (
            "{" + values.take(key, name["rest"]) + (found["conversion"] or "") + (found["spec"] or "") + "}"
        )

    text = _FIELD.sub(field, body)
    values.check()
    return f"f{prefix}{quote}{text}{quote}".encode("utf-8", "surrogateescape")


def _from_percent(literal: Node, right: Node, single: bool) -> bytes:
    prefix, quote, body = _parts(literal)
    values = _Values(quote)
    if right.type == "tuple":
        for number, node in enumerate(n for n in right.named_children if n.type != "comment"):
            if node.type == "list_splat":
                raise EditRefused(f"{nodes.text(node)!r} is unpacked")
            values.by_name[str(number)] = node
    elif right.type == "dictionary":
        for pair in right.named_children:
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is None or value is None or key.type != "string":
                raise EditRefused("the dictionary has keys that are no literals")
            values.by_name[nodes.text(key)[1:-1]] = value
    else:
        if not single and right.type not in ("string", "integer", "float", "concatenated_string"):
            raise EditRefused(
                f"{nodes.text(right)[:60]!r} may be a tuple", hint="if it is none, say single: true"
            )
        values.by_name["0"] = right
    counter = [0]

    def conversion(found: re.Match[str]) -> str:
        kind = found["kind"]
        if found.group() == "%%":
            return "%"
        if kind not in "srafFeEgGxXo" or "#" in found["flags"] or (kind in "xXo" and found["precision"]):
            raise EditRefused(
                f"{found.group()!r} has no exact counterpart", hint="%d cuts fractions off, {:d} does not"
            )
        key = found["key"]
        if key is None:
            key = str(counter[0])
            counter[0] += 1
        return "{" + values.take(key) + _spec(found, kind) + "}"

    text = _PERCENT.sub(conversion, body.replace("{", "{{").replace("}", "}}"))
    values.check()
    if set(values.by_name) - set(values.used):
        raise EditRefused("there are more values than places for them")
    return f"f{prefix}{quote}{text}{quote}".encode("utf-8", "surrogateescape")


def _spec(found: re.Match[str], kind: str) -> str:
    flags, width, precision = found["flags"], found["width"], found["precision"] or ""
    bang = f"!{kind}" if kind in "ra" else ""
    textual = kind in "sra"
    align = ""
    if width:
        align = "<" if "-" in flags else ">"
        if not textual and "0" in flags and "-" not in flags:
            align = "0"
    sign = next((flag for flag in "+ " if flag in flags), "") if not textual else ""
    spec = sign + "0" + width + precision if align == "0" else align + sign + width + precision
    letter = "" if textual else kind
    if textual and spec and not bang:
        return "!s:" + spec
    return bang + (":" + spec + letter if spec + letter else "")
