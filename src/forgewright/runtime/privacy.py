"""What the runtime minds of persons: a run whose person was erased does not go on."""

from __future__ import annotations

from forgewright.core.errors import Refused
from forgewright.journal import events as ev


def refuse_erased(first: ev.Record) -> None:
    """`first`: the run's first record. Raises `Refused`."""
    event = first.event
    if not isinstance(event, ev.RunStarted) or not event.subject or isinstance(event.state, ev.Stored):
        return
    if bytes(event.state).startswith(b'{"erased":'):
        raise Refused(
            f"run {first.run} was for {event.subject}, who was erased since: there is nothing to go on with",
            hint="start a new run",
        )
