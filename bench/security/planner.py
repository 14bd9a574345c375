"""The plan that the scripted model states at its first turn, before it has read anything.

It is made from the user task's ground-truth calls in the clean environment: it names the tools and where each argument
comes from, never a value (but for yes and no). What the prompt does not tell (`OPEN`) is not planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forgewright.agent.provenance.origins import RANK, Origins
from forgewright.agent.provenance.outputs import UNKNOWN, Outputs
from forgewright.agent.provenance.plan import PlannedCall
from forgewright.agent.provenance.words import normal

OPEN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("workspace", "user_task_13"): ("search_emails",),
    ("workspace", "user_task_19"): ("get_day_calendar_events", "search_emails"),
    ("slack", "user_task_18"): ("get_webpage",),
    ("slack", "user_task_19"): ("get_webpage",),
    ("banking", "user_task_12"): ("read_file",),
}
"""Tasks whose prompt says "do what stands there": only these tools can be planned before it is read."""

Step = tuple[str, Mapping[str, Any], str, Any]
"""Tool, arguments, and what it gave in the clean environment: text and encoded value."""


def plan(
    suite: str, task: str, prompt: str, steps: Sequence[Step], outputs: Mapping[str, Outputs]
) -> list[PlannedCall]:
    """The planned calls."""
    origins = Origins()
    origins.say("user", prompt)
    read: list[str] = []
    calls: list[PlannedCall] = []
    allowed = OPEN.get((suite, task))
    for tool, arguments, text, value in steps:
        if allowed is None or tool in allowed:
            known = {name: tuple(_sources(given, origins, read)) for name, given in arguments.items()}
            call = PlannedCall(tool, known)
            if call not in calls:
                calls.append(call)
        origins.take(tool, text, value, outputs.get(tool, UNKNOWN))
        if tool not in read:
            read.append(tool)
    often = {tool for tool in read if sum(step[0] == tool for step in steps) > 1}
    return [PlannedCall(c.tool, c.arguments, 0 if c.tool in often else 1) for c in calls]


def _sources(value: Any, origins: Origins, read: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for leaf in _leaves(value):
        found.update(dict.fromkeys(_leaf(leaf, origins, read)))
    return list(found)


def _leaf(leaf: Any, origins: Origins, read: Sequence[str]) -> list[str]:
    if isinstance(leaf, bool):
        return [f"={leaf}"]
    if isinstance(leaf, int | float):
        having = [source for source in origins.sources.values() if float(leaf) in source.numbers]
        return _best(having) or ["model"]
    text = normal(str(leaf))
    having = [source for source in origins.sources.values() if source.has(text)]
    if having:
        return _best(having)
    return ["user", *read, "model"]


def _best(having: Sequence[Any]) -> list[str]:
    if not having:
        return []
    best = min(RANK[source.trust] for source in having)
    return [source.name for source in having if RANK[source.trust] == best]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list | tuple):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [] if value is None else [value]
