"""Why a verdict is what it is: the determining policies, the nearest others, and which condition failed.

Each policy is taken apart into its scope and the conjuncts of its conditions; all parts of all policies
of the action are put to Cedar at once, each as a little policy of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from forgewright.policy.gate import CedarGate
from forgewright.policy.refusal import refusal
from forgewright.policy.request import Request, Unanswerable, requests
from forgewright.policy.source import Policy
from forgewright.policy.types import Attempt, Verdict

NEAREST_MAX = 3
_NEEDLESS = re.compile(r"(?<!\w)\((context(?:\.\w+)+)\)")


class Part(msgspec.Struct, frozen=True):
    """One thing that a policy asks for."""

    text: str
    """In Cedar: `principal == Agent::"coder"`, `context.own`, `not (…)` for an `unless`."""
    holds: bool
    error: str = ""
    """Why it could not be evaluated."""


class PolicyView(msgspec.Struct, frozen=True):
    """A policy before one request."""

    id: str
    effect: str
    file: str
    line: int
    description: str
    parts: tuple[Part, ...]

    @property
    def failing(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if not part.holds)


class Explanation(msgspec.Struct, frozen=True):
    verdict: Verdict
    type: str
    """Entity type of the resource that decided."""
    resource: str
    context: Mapping[str, Any]
    """The facts as Cedar saw them."""
    determining: tuple[PolicyView, ...] = ()
    nearest: tuple[PolicyView, ...] = ()
    """Of a refusal without a forbidding policy: the permits that lack least."""
    change: str = ""
    """What would have to be otherwise."""


def explain(gate: CedarGate, attempt: Attempt) -> Explanation:
    """Explains the gate's verdict on the attempt; of several paths, the one that is refused."""
    verdict = gate.decide(attempt)
    try:
        asked = requests(attempt)
    except Unanswerable as error:
        return Explanation(
            verdict, "", attempt.resource, {}, change=f"the attempt has to be well-formed: {error}"
        )
    request = asked[0]
    if not verdict.permit:
        request = next((r for r in asked if not gate.evaluate(r)[0] or gate.evaluate(r)[2]), request)
    views = {view.id: view for view in look(gate, request)}
    determining = tuple(views[name] for name in verdict.policies if name in views)
    nearest: tuple[PolicyView, ...] = ()
    if not verdict.permit and not determining:
        permits = sorted(
            (view for view in views.values() if view.effect == "permit"), key=lambda v: len(v.failing)
        )
        nearest = tuple(permits[:NEAREST_MAX])
    return Explanation(
        verdict,
        request.type,
        request.resource,
        request.context,
        determining,
        nearest,
        _change(gate, request, verdict, determining, nearest),
    )


def look(gate: CedarGate, request: Request) -> list[PolicyView]:
    """Every policy of the request's action, with its parts before this request."""
    policies = [policy for policy in gate.policies if request.action in policy.actions]
    probes: dict[str, Mapping[str, Any]] = {}
    texts: dict[str, tuple[Policy, str]] = {}
    for number, policy in enumerate(policies):
        for part, (text, body) in enumerate(_parts(policy)):
            name = f"{number}.{part}"
            probes[name] = body
            texts[name] = (policy, text)
    holding, errors = _probe(gate, request, probes)
    found = []
    for number, policy in enumerate(policies):
        mine = [name for name in probes if name.split(".")[0] == str(number)]
        parts = tuple(Part(texts[n][1], n in holding, errors.get(n, "")) for n in mine)
        found.append(
            PolicyView(
                policy.id,
                policy.effect,
                policy.file,
                policy.line,
                policy.annotations.get("description") or "",
                parts,
            )
        )
    return found


def _probe(
    gate: CedarGate, request: Request, probes: Mapping[str, Mapping[str, Any]]
) -> tuple[set[str], dict[str, str]]:
    import cedarpy

    document = {"templates": {}, "staticPolicies": probes, "templateLinks": []}
    policies = cedarpy.PolicySet.from_json_str(msgspec.json.encode(document).decode())
    result = cedarpy.is_authorized(request.cedar(), policies, gate.cedar_entities)
    errors: dict[str, str] = {}
    for error in result.diagnostics.errors:
        for name in re.findall(r"`([\d.]+)`", error):
            errors[name] = error
    return set(result.diagnostics.reasons), errors


def _parts(policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    anything = {
        "effect": "permit",
        "principal": {"op": "All"},
        "action": {"op": "All"},
        "resource": {"op": "All"},
        "conditions": [],
    }
    for which in ("principal", "resource"):
        scope = policy.body[which]
        if scope["op"] != "All":
            body = {**anything, which: scope}
            yield _scope_text(body, which), body
    for condition in policy.body.get("conditions", ()):
        if condition["kind"] == "when":
            for conjunct in _split(condition["body"], "&&"):
                body = {**anything, "conditions": [{"kind": "when", "body": conjunct}]}
                yield _text(body), body
        else:
            for disjunct in _split(condition["body"], "||"):
                body = {**anything, "conditions": [{"kind": "unless", "body": disjunct}]}
                yield f"not ({_text(body)})", body


def _split(body: Mapping[str, Any], operator: str) -> Iterator[Mapping[str, Any]]:
    """The operands of a chain. `a has b && a.b …` stays one: its second half fails without the first."""
    if operator in body and not ("has" in body[operator]["left"] and operator == "&&"):
        yield from _split(body[operator]["left"], operator)
        yield from _split(body[operator]["right"], operator)
    else:
        yield body


def _text(body: Mapping[str, Any]) -> str:
    source = _source(body)
    return _plain(source[source.index("{") + 1 : source.rindex("}")])


def _plain(text: str) -> str:
    """On one line, without the parentheses that Cedar's printer puts around `context.x`."""
    return _NEEDLESS.sub(r"\1", " ".join(text.split()))


def _scope_text(body: Mapping[str, Any], which: str) -> str:
    found = re.search(
        which + r"\s*(?:==|in|is)\s.*?(?=,\s*(?:action|resource)|\s*\)\s*;?\s*$)", _source(body), re.DOTALL
    )
    return " ".join(found.group(0).split()) if found else which


def _source(body: Mapping[str, Any]) -> str:
    import cedarpy

    document = {"templates": {}, "staticPolicies": {"policy0": body}, "templateLinks": []}
    return cedarpy.policies_from_json_str(msgspec.json.encode(document).decode())


def _change(
    gate: CedarGate,
    request: Request,
    verdict: Verdict,
    determining: tuple[PolicyView, ...],
    nearest: tuple[PolicyView, ...],
) -> str:
    if verdict.permit:
        return ""
    if determining:
        lines = []
        for view in determining:
            parts = " and ".join(part.text for part in view.parts) or "nothing: it always forbids"
            lines.append(f"{view.id} ({view.file}:{view.line}) forbids while {parts}")
        return "\n".join(lines)
    if nearest:
        lines = []
        for view in nearest:
            parts = " and ".join(part.text for part in view.failing)
            lines.append(f"{view.id} ({view.file}:{view.line}) would permit if {parts}")
        return "\n".join(lines)
    return refusal(request, [], gate.policies)
