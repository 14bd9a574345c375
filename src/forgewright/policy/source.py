"""Policy text, cut into its policies with their positions.

Cedar's own errors carry no position, so a small tokeniser cuts the text at its semicolons, each policy is
parsed alone, and the token that an error names is found by cutting the policy off behind each candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from forgewright.policy import obligations
from forgewright.policy.obligations import Obligations
from forgewright.policy.vocabulary import ACTIONS

_TOKEN = re.compile(
    r'(?P<space>\s+|//[^\n]*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_]\w*|\d+)'
    r"|(?P<mark>::|==|!=|<=|>=|&&|\|\||.)",
    re.DOTALL,
)
_NAMED = re.compile(r"`([^`]+)`")


class Mistake(msgspec.Struct, frozen=True, order=True):
    """What is wrong with a policy file, and where: lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    policy: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Policy(msgspec.Struct, frozen=True):
    """One policy as it stands in its file."""

    id: str
    effect: str
    """`permit` or `forbid`."""
    text: str
    """Its source, comments between the policies left out."""
    file: str
    line: int
    column: int
    annotations: Mapping[str, str | None]
    obligations: Obligations
    actions: tuple[str, ...]
    """The actions that its scope names; all of them if it names none."""
    body: Mapping[str, Any]
    """Cedar's JSON form."""


class Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    start: int


def tokens(text: str) -> Iterator[Token]:
    """Tokens without blanks and comments."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        if kind != "space":
            yield Token(kind, match.group(), match.start())


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Offset and source of each policy, with its semicolon; the last one may lack it."""
    start = end = None
    for token in tokens(text):
        if start is None:
            start = token.start
        end = token.start + len(token.text)
        if token.text == ";":
            yield start, text[start:end]
            start = None
    if start is not None:
        yield start, text[start:end]


def parse(file: str, text: str) -> tuple[list[Policy], list[Mistake]]:
    """All policies of a file that can be read, and all mistakes of the others."""
    policies: list[Policy] = []
    mistakes: list[Mistake] = []
    for offset, statement in statements(text):
        found = _one(file, text, offset, statement)
        if isinstance(found, Policy):
            policies.append(found)
        else:
            mistakes += found
    return policies, mistakes


def locate(policy: Policy, message: str) -> tuple[int, int]:
    """Where in its file a validator's message points: the last token that it names, else the policy."""
    names = {part.strip('"').split('::"')[-1] for part in _NAMED.findall(message)} - {policy.id}
    for name in names:
        for token in tokens(policy.text):
            if token.text.strip('"') == name and token.kind != "mark":
                line, column = position(policy.text, token.start)
                return policy.line + line - 1, column + (policy.column - 1 if line == 1 else 0)
    return policy.line, policy.column


def _one(file: str, text: str, offset: int, statement: str) -> Policy | list[Mistake]:
    import cedarpy

    line, column = position(text, offset)

    def mistake(message: str, at: int = offset, policy: str = "") -> Mistake:
        return Mistake(file, *position(text, at), message, policy)

    try:
        parsed = msgspec.json.decode(cedarpy.policies_to_json_str(statement))
    except ValueError as error:
        return [mistake(f"not Cedar: {error}", offset + _error_offset(statement, str(error)))]
    if parsed["templates"]:
        return [mistake("a template (?principal, ?resource) decides nothing; write the policy out")]
    [(_, body)] = parsed["staticPolicies"].items()
    annotations: dict[str, str | None] = body.get("annotations", {})
    name = annotations.get("id") or ""
    obliges, wrong = obligations.read(annotations, effect=body["effect"])
    found = [mistake(message, policy=name) for message in wrong]
    if not name:
        found.insert(0, mistake('expected each policy to have a name: @id("…"); found none'))
    actions, unknown = _actions(body["action"])
    found += [
        mistake(f'expected an action of {", ".join(ACTIONS)}; found "{a}"', policy=name) for a in unknown
    ]
    if found:
        return found
    return Policy(
        name, body["effect"], statement, file, line, column, annotations, obliges, tuple(actions), body
    )


def _actions(scope: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    if scope["op"] == "All":
        return list(ACTIONS), []
    entities = scope.get("entities") or [scope["entity"]]
    named = [entity["id"] for entity in entities]
    return [a for a in ACTIONS if a in named], [a for a in named if a not in ACTIONS]


def _error_offset(statement: str, error: str) -> int:
    """Offset in the statement of the token an error of Cedar's parser is about."""
    import cedarpy

    every = list(tokens(statement))
    if "unexpected end of input" in error and every:
        return every[-1].start
    named = _NAMED.search(error)
    if named is None:
        return 0
    for token in every:
        if token.text != named.group(1):
            continue
        if token.text == ";":
            return token.start
        try:
            cedarpy.policies_to_json_str(statement[: token.start + len(token.text)] + ";")
        except ValueError as found:
            if str(found) == error:  # behind an innocent token, the error is about the semicolon
                return token.start
    return 0
