"""What models answered in a run, read back from its journal: what a replay is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.core.ids import EffectId, RunId
from forgewright.journal import events as ev
from forgewright.models.types import Response
from forgewright.runtime.effects.model import Said, response_of

if TYPE_CHECKING:
    from forgewright.runtime.engine import Engine


async def recorded_answers(engine: Engine, run: RunId) -> dict[str, list[Response]]:
    """By actor, and of sub-agents by `actor@effect`, the answers in the order in which they were asked for.

    Raises `NotFound`."""
    agents: set[str] = set()
    order: dict[str, list[EffectId]] = {}
    answers: dict[EffectId, Response] = {}
    for record in await engine.records(run):
        event = record.event
        if isinstance(event, ev.ModelAsked):
            order.setdefault(_label(record.actor, event.effect, agents), []).append(event.effect)
        elif isinstance(event, ev.AgentAsked):
            agents.add(event.effect)
        elif isinstance(event, ev.ModelAnswered):
            said = msgspec.json.decode(await engine.journal.load(event.response), type=Said)
            answers[event.effect] = response_of(said, event)
    return {actor: [answers[e] for e in effects if e in answers] for actor, effects in order.items()}


def _label(actor: str, effect: str, agents: set[str]) -> str:
    """As `Context.label` was: the innermost sub-agent that an effect is numbered under."""
    above = effect
    while agents and above:
        above = above.rpartition(".")[0]
        if above in agents:
            return f"{actor}@{above}"
    return actor
