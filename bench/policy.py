"""Decisions per second of the gate: 50 policies, 500 entities; every attempt new, and repeated ones.

Two sets: policies spread over the actions as in the default set, and the worst case in which all 50 speak
of one action. Beside it the same decisions by the library alone, with its handles parsed once.

    python bench/policy.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import cedarpy

from forgewright.policy import Attempt, CedarGate
from forgewright.policy.check import schema
from forgewright.policy.request import requests
from forgewright.policy.vocabulary import ACTIONS, VOCABULARY

COUNT = 4000


def policies(action: str | None) -> str:
    """50 policies over all actions, or all for one."""
    lines = []
    for number in range(50):
        of = action or ACTIONS[number % len(ACTIONS)]
        effect = "forbid" if number % 5 == 4 else "permit"
        condition = f'context.labels.contains("label{number}") || principal in Group::"group{number}"'
        lines.append(
            f'@id("p{number}") {effect} (principal, action == Action::"{of}", resource) when {{ {condition} }};'
        )
    return "\n".join(lines)


def entities() -> list[dict[str, object]]:
    """450 agents in 50 groups."""
    groups = [{"uid": {"type": "Group", "id": f"group{n}"}, "attrs": {}, "parents": []} for n in range(50)]
    agents = [
        {
            "uid": {"type": "Agent", "id": f"agent{n}"},
            "attrs": {},
            "parents": [{"type": "Group", "id": f"group{n % 50}"}],
        }
        for n in range(450)
    ]
    return [*groups, *agents]


def rate(work: Callable[[int], object], count: int) -> float:
    """Calls per second, best of three."""
    best = float("inf")
    for turn in range(3):
        started = time.perf_counter()
        for number in range(turn * count, (turn + 1) * count):
            work(number)
        best = min(best, time.perf_counter() - started)
    return count / best


def main() -> None:
    started = time.perf_counter()
    CedarGate.load()
    CedarGate.load()
    print(f"loading the default set: {(time.perf_counter() - started) * 500:.1f} ms")
    for name, action in (("spread over 11 actions", None), ("all 50 of one action", "exec")):
        gate = CedarGate({"bench.cedar": policies(action)}, entities())
        of = action or "edit"

        def attempt(number: int, of: str = of) -> Attempt:
            return Attempt(f"agent{number % 450}", of, f"thing{number}", {"labels": (f"label{number % 60}",)})  # type: ignore[arg-type]

        fresh = rate(lambda n, gate=gate: gate.decide(attempt(n)), COUNT)  # type: ignore[misc]
        same = attempt(0)
        repeated = rate(lambda _, gate=gate, same=same: gate.decide(same), 100_000)  # type: ignore[misc]
        handle = cedarpy.PolicySet.from_str(policies(action))
        parsed = cedarpy.Entities.from_json_str(json.dumps(entities()), schema())
        asked = [requests(attempt(n))[0].cedar() for n in range(COUNT)]
        bare = rate(
            lambda n, handle=handle, parsed=parsed, asked=asked: cedarpy.is_authorized(  # type: ignore[misc]
                asked[n % COUNT], handle, parsed, schema()
            ),
            COUNT,
        )
        print(f"{name}: {fresh:,.0f}/s new, {repeated:,.0f}/s repeated; cedarpy alone {bare:,.0f}/s")
    assert set(VOCABULARY) == set(ACTIONS)


if __name__ == "__main__":
    main()
