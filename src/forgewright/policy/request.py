"""From an attempt to what Cedar is asked: one request, or for files one for each path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from forgewright.policy import labels
from forgewright.policy.types import Attempt, Fact
from forgewright.policy.vocabulary import VOCABULARY, entity_type, facts_of

PATHS_MAX = 10_000
"""Paths of one attempt."""
_INT64 = 1 << 63


class Unanswerable(Exception):
    """An attempt that no policy can be asked about; the message says why."""


class Request(msgspec.Struct, frozen=True):
    principal: str
    action: str
    type: str
    resource: str
    context: Mapping[str, Any]

    def cedar(self) -> dict[str, Any]:
        """As cedarpy takes it."""
        return {
            "principal": {"type": "Agent", "id": self.principal},
            "action": {"type": "Action", "id": self.action},
            "resource": {"type": self.type, "id": self.resource},
            "context": msgspec.json.encode(self.context).decode(),
        }


def requests(attempt: Attempt) -> list[Request]:
    """What to ask; all of them have to be permitted. Raises `Unanswerable`."""
    if attempt.action not in VOCABULARY:
        raise Unanswerable(f'expected an action of {", ".join(VOCABULARY)}; found "{attempt.action}"')
    if not attempt.principal:
        raise Unanswerable("expected the name of an agent as principal; found nothing")
    facts = attempt.facts
    paths = _paths(facts) if attempt.action in ("edit", "read") else ()
    if not paths:
        return [_request(attempt, attempt.resource, facts, path=attempt.action == "edit")]
    return [_request(attempt, path, facts, path=True) for path in dict.fromkeys(paths)]


def _request(attempt: Attempt, resource: str, facts: Mapping[str, Fact], *, path: bool) -> Request:
    action = attempt.action
    context: dict[str, Any] = {}
    derived = _derived(action, resource, facts, path=path)
    for spec in facts_of(action):
        value = derived.get(spec.name)
        if value is None and not spec.derived:
            value = facts.get(spec.name)
        if value is None:
            value = spec.default
        if value is not None:
            context[spec.name] = _checked(spec.name, spec.kind, value)
    if path:
        resource = context["path"]
    return Request(attempt.principal, action, entity_type(action, path=path), resource, context)


def _derived(action: str, resource: str, facts: Mapping[str, Fact], *, path: bool) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    given = facts.get("labels", ())
    more: set[str] = set(given if isinstance(given, list | tuple | set | frozenset) else ())
    if path:
        normal, inside = labels.normal_path(resource)
        name = normal.rsplit("/", 1)[-1]
        dot = name.rfind(".")
        found = {"path": normal, "name": name, "suffix": name[dot:].lower() if dot > 0 else ""}
        more |= labels.path_labels(normal, inside=inside)
    elif action == "network":
        host, port = labels.split_host(resource)
        found["host"] = host
        if port is not None:
            found["port"] = port
        more |= labels.host_labels(host)
    elif action == "model":
        found["provider"] = resource.partition(":")[0] if ":" in resource else ""
    elif action == "tool" and resource.startswith("mcp:"):
        found["server"] = resource[4:].partition("/")[0]
    elif action == "git" and not facts.get("operation"):
        found["operation"] = resource
    elif action == "exec":
        if not facts.get("purpose"):
            found["purpose"] = resource
        argv = facts.get("argv")
        if isinstance(argv, list | tuple) and argv and all(isinstance(a, str) for a in argv):
            found["command"] = " ".join(argv)
            found["program"] = argv[0].rsplit("/", 1)[-1]
    if more:
        if not all(isinstance(label, str) for label in more):
            raise Unanswerable("expected the fact labels to be strings")
        found["labels"] = tuple(sorted(more))
    return found


def _paths(facts: Mapping[str, Fact]) -> tuple[str, ...]:
    found = facts.get("paths", ())
    if (
        isinstance(found, str)
        or not isinstance(found, list | tuple)
        or not all(isinstance(p, str) for p in found)
    ):
        raise Unanswerable("expected the fact paths to be a list of strings")
    if len(found) > PATHS_MAX:
        raise Unanswerable(f"expected at most {PATHS_MAX} paths in one attempt; found {len(found)}")
    return tuple(found)


def _checked(name: str, kind: str, value: Fact) -> Fact:
    good = (
        isinstance(value, str)
        if kind == "String"
        else isinstance(value, bool)
        if kind == "Bool"
        else isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64
        if kind == "Long"
        else isinstance(value, list | tuple | set | frozenset) and all(isinstance(v, str) for v in value)
    )
    if not good:
        raise Unanswerable(f"expected the fact {name} to be a {kind}; found {value!r:.80}")
    return value
