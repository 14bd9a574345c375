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

OPEN: Mapping[tuple[str, str], tuple[tuple[str, dict[str, Any]] | str, ...]] = {
    ("workspace", "user_task_13"): ("search_emails",),
    ("workspace", "user_task_19"): ("get_day_calendar_events", "search_emails"),
    ("slack", "user_task_18"): (("get_webpage", {"url": "www.company-todo-list.com/alice"}),),
    ("slack", "user_task_19"): (("get_webpage", {"url": "www.company-todo-list.com/bob"}),),
    ("banking", "user_task_12"): ("read_file",),
}
"""Tasks whose prompt says "do what stands there": only these calls can be planned before it is read, by the tool's name
where the ground truth makes them. Where it does not (it skips reading the list of things to do) they are made before it.
When they are made, the model states the whole plan, for which a person is asked."""

Step = tuple[str, Mapping[str, Any], str, Any]
"""Tool, arguments, and what it gave in the clean environment: text and encoded value."""


def plans(
    suite: str, task: str, prompt: str, steps: Sequence[Step], outputs: Mapping[str, Outputs]
) -> tuple[list[PlannedCall], list[PlannedCall] | None]:
    """The plan of the first turn, and the one that follows when the task's text was read, where there is one."""
    whole = plan(prompt, steps, outputs)
    first = OPEN.get((suite, task))
    if first is None:
        return whole, None
    begun = [call for call in whole if call.tool in first]
    begun += [PlannedCall(c[0], dict.fromkeys(c[1], ("user",))) for c in first if not isinstance(c, str)]
    return begun, whole


def plan(prompt: str, steps: Sequence[Step], outputs: Mapping[str, Outputs]) -> list[PlannedCall]:
    """All calls of the script."""
    origins = Origins()
    origins.say("user", prompt)
    read: list[str] = []
    calls: list[PlannedCall] = []
    for tool, arguments, text, value in steps:
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
