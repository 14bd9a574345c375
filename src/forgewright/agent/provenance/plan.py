"""The plan that an agent states before it reads what others wrote: the calls it will make, and where their
arguments come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from forgewright.agent.provenance.origins import Origins, Source
from forgewright.agent.provenance.words import is_name, normal, number, words

STEPS_MAX = 100
MODEL = "model"
"""As a source: the model words the text, or computes the number or date; addresses and codes in it come from the
other sources."""


class PlannedCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call that will be made."""

    tool: str
    arguments: Mapping[str, tuple[str, ...]] = {}
    """Argument → where it comes from, any of: `user` (the user's words), `TOOL` or `TOOL.FIELD` (an output), `model`
    (own wording or computing), `=VALUE` (this very value). An argument that is not listed is not given."""
    times: int = 1
    """How often at most; 0: as often as it takes."""


class Plan:
    """Planned calls, and how often each was made."""

    def __init__(self, calls: Sequence[PlannedCall]) -> None:
        self.calls = tuple(calls)
        self.made = [0] * len(self.calls)

    def fit(self, tool: str, arguments: Mapping[str, Any], origins: Origins) -> tuple[int | None, set[str]]:
        """The number of the planned call that this is, and what of its arguments does not come from where the plan
        says; None where no (further) call of this tool is planned."""
        best: tuple[int | None, set[str]] = (None, set())
        for at, planned in enumerate(self.calls):
            if planned.tool != tool or (planned.times and self.made[at] >= planned.times):
                continue
            strange = {name for name, value in arguments.items() if not _fits(name, value, planned, origins)}
            if not strange:
                return at, strange
            if best[0] is None or len(strange) < len(best[1]):
                best = (at, strange)
        return best


def _fits(name: str, value: Any, planned: PlannedCall, origins: Origins) -> bool:
    if value in (None, "", [], {}):
        return True
    said = planned.arguments.get(name)
    if said is None:
        return False
    constants = [normal(source[1:]) for source in said if source.startswith("=")]
    sources = [source for spec in said for source in origins.named(spec)]
    return _covered(value, sources, constants, own=MODEL in said)


def _covered(value: Any, sources: Sequence[Source], constants: Sequence[str], *, own: bool) -> bool:
    match value:
        case None:
            return True
        case dict():
            return all(_covered(inner, sources, constants, own=own) for inner in value.values())
        case list() | tuple():
            return all(_covered(inner, sources, constants, own=own) for inner in value)
        case bool():
            return own or normal(str(value)) in constants
        case int() | float():
            return (
                own or any(number(c) == value for c in constants) or any(value in s.numbers for s in sources)
            )
    text = normal(str(value))
    if text in constants or any(source.has(text) for source in sources):
        return True
    for word in words(text):
        if any(source.has_word(word) for source in sources) or any(word in words(c) for c in constants):
            continue
        if not own or is_name(word):
            return False
    return True
