"""Policies that are valid and yet do nothing: never match, always match, or are shadowed by another.

A policy is read as a conjunction of atoms. Two kinds are understood: a bound on one term (`t == v`,
`[…].contains(t)`, `t in E`, `t != v`) and anything else, which is compared by its text. What is reported
is proved by that reading; a set without findings may still hold a policy that does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from forgewright.policy.obligations import Obligations, strongest
from forgewright.policy.source import Policy

_KEY = msgspec.json.Encoder(order="deterministic").encode


class Finding(msgspec.Struct, frozen=True, order=True):
    """Something a reader of the policies should look at."""

    file: str
    line: int
    column: int
    policy: str
    kind: str
    """`never`, `always`, `shadowed`, `mute`."""
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.policy}: {self.message}"


class _Reading(msgspec.Struct):
    """A policy as a conjunction: for each term the values it may have, those it may not, and other texts."""

    one_of: dict[bytes, frozenset[bytes]]
    none_of: dict[bytes, frozenset[bytes]]
    others: set[bytes]
    never: str = ""

    def bound(self, term: bytes, values: frozenset[bytes]) -> None:
        known = self.one_of.get(term)
        self.one_of[term] = values if known is None else known & values

    def close(self) -> None:
        """Finds contradictions."""
        for term, values in self.one_of.items():
            left = values - self.none_of.get(term, frozenset())
            if not left:
                self.never = f"asks for values of {_say(term)} that exclude each other"
        for other in self.others:
            if _negated(other) in self.others:
                self.never = f"asks for {_say(other)} and for its contrary"

    def implies(self, wider: _Reading) -> bool:
        """Whether whatever this matches is matched by `wider`."""
        for term, values in wider.one_of.items():
            mine = self.one_of.get(term)
            if mine is None or not mine <= values:
                return False
        for term, values in wider.none_of.items():
            mine = self.one_of.get(term)
            if not (
                (mine is not None and mine.isdisjoint(values))
                or values <= self.none_of.get(term, frozenset())
            ):
                return False
        return wider.others <= self.others


def lint(policies: Sequence[Policy]) -> list[Finding]:
    """All findings, in the order of the files."""
    readings = {policy.id: _read(policy) for policy in policies}
    found: list[Finding] = []

    def report(policy: Policy, kind: str, message: str) -> None:
        found.append(Finding(policy.file, policy.line, policy.column, policy.id, kind, message))

    live = [policy for policy in policies if not readings[policy.id].never]
    for policy in policies:
        reading = readings[policy.id]
        if reading.never:
            report(policy, "never", f"never matches: it {reading.never}")
            continue
        if not (reading.one_of or reading.none_of or reading.others):
            what = "permits everything" if policy.effect == "permit" else "forbids everything"
            scope = "" if len(policy.actions) > 1 else f" of the action {policy.actions[0]}"
            if scope == "" or policy.effect == "forbid":
                report(policy, "always", f"{what}{scope}")
        for other in live:
            if other is policy or not set(policy.actions) <= set(other.actions):
                continue
            if not reading.implies(readings[other.id]):
                continue
            if other.effect == "forbid" and policy.effect == "permit":
                report(policy, "mute", f"never takes effect: {_at(other)} forbids all that it permits")
                break
            if other.effect == policy.effect and _adds_nothing(policy.obligations, other.obligations):
                back = readings[other.id].implies(reading) and set(other.actions) <= set(policy.actions)
                same = back and _adds_nothing(other.obligations, policy.obligations)
                if same and policies.index(other) > policies.index(policy):
                    continue  # of two equal ones the later is reported
                report(policy, "shadowed", f"adds nothing to {_at(other)}, which matches whenever it does")
                break
    return sorted(found)


def _adds_nothing(narrow: Obligations, wide: Obligations) -> bool:
    return strongest((narrow, wide)) == strongest((wide,))


def _read(policy: Policy) -> _Reading:
    reading = _Reading({}, {}, set())
    for which in ("principal", "resource"):
        scope = policy.body[which]
        term = _KEY({"Var": which})
        if scope["op"] == "==":
            reading.bound(term, frozenset((_entity(scope["entity"]),)))
        elif scope["op"] != "All":
            reading.others.add(_KEY([which, scope]))
    for condition in policy.body.get("conditions", ()):
        if condition["kind"] == "when":
            _add(reading, condition["body"], positive=True)
        else:
            _add(reading, condition["body"], positive=False)
    reading.close()
    return reading


def _add(reading: _Reading, body: Mapping[str, Any], *, positive: bool) -> None:
    """Adds an expression, or its contrary, to the conjunction."""
    chain = "&&" if positive else "||"
    if chain in body:
        _add(reading, body[chain]["left"], positive=positive)
        _add(reading, body[chain]["right"], positive=positive)
        return
    if "!" in body:
        _add(reading, body["!"]["arg"], positive=not positive)
        return
    if "Value" in body and isinstance(body["Value"], bool):
        if body["Value"] is not positive:
            reading.never = "asks for what is never true"
        return
    bound = _bound(body)
    if bound is None:
        reading.others.add(_KEY(body if positive else {"!": {"arg": body}}))
        return
    term, values, equal = bound
    if equal is positive:
        reading.bound(term, values)
    else:
        reading.none_of[term] = reading.none_of.get(term, frozenset()) | values


def _bound(body: Mapping[str, Any]) -> tuple[bytes, frozenset[bytes], bool] | None:
    """Term, values and sense of `term == value`, `value != term` or `[values].contains(term)`."""
    for operator in ("==", "!="):
        if operator in body:
            left, right = body[operator]["left"], body[operator]["right"]
            for term, value in ((left, right), (right, left)):
                literal = _literal(value)
                if literal is not None and _literal(term) is None:
                    return _KEY(term), frozenset((literal,)), operator == "=="
    if "contains" in body and "Set" in body["contains"]["left"]:
        values = [_literal(value) for value in body["contains"]["left"]["Set"]]
        term = body["contains"]["right"]
        if _literal(term) is None and all(value is not None for value in values):
            return _KEY(term), frozenset(v for v in values if v is not None), True
    return None


def _literal(body: Mapping[str, Any]) -> bytes | None:
    if "Value" not in body:
        return None
    value = body["Value"]
    return _entity(value["__entity"]) if isinstance(value, dict) and "__entity" in value else _KEY(value)


def _entity(entity: Mapping[str, str]) -> bytes:
    return _KEY([entity["type"], entity["id"]])


def _negated(text: bytes) -> bytes:
    body = msgspec.json.decode(text)
    if isinstance(body, dict) and "!" in body:
        return _KEY(body["!"]["arg"])
    return _KEY({"!": {"arg": body}})


def _say(text: bytes) -> str:
    """A term as a person would write it."""
    body = msgspec.json.decode(text)
    if isinstance(body, dict):
        if "Var" in body:
            return str(body["Var"])
        if "." in body:
            return f"{_say(_KEY(body['.']['left']))}.{body['.']['attr']}"
    return text.decode()


def _at(policy: Policy) -> str:
    return f"{policy.id} ({policy.file}:{policy.line})"


def kinds(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each kind."""
    counted: dict[str, int] = {}
    for finding in findings:
        counted[finding.kind] = counted.get(finding.kind, 0) + 1
    return counted
