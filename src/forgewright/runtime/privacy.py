"""What the runtime minds of persons: their consent, where a policy asks for it, and that a run whose person was erased
does not go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from forgewright.core.errors import Refused
from forgewright.journal import events as ev
from forgewright.policy.types import Fact

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

NO_FACTS: Mapping[str, Fact] = {}


async def person_facts(context: Context) -> Mapping[str, Fact]:
    """What the gate may know of the person whom the run is for; nothing where it is for nobody."""
    subject = context.execution.subject
    if not subject:
        return NO_FACTS
    privacy = await context.execution.journal.privacy()
    return {"subject": True, "consents": tuple(sorted(await privacy.consents(subject)))}


async def without_consent(purposes: Sequence[str], context: Context) -> str:
    """Why the effect may not happen; nothing where each of these purposes is consented to at this moment."""
    subject = context.execution.subject
    if not subject:
        return (
            f"the policy wants consent to {', '.join(purposes)}, and the run names nobody whose it could be "
            "(run --subject PERSON)"
        )
    given = await (await context.execution.journal.privacy()).consents(subject)
    missing = [purpose for purpose in purposes if purpose not in given]
    if not missing:
        return ""
    return (
        f"{subject} does not consent to {', '.join(missing)}, or not any more "
        f"(forgewright privacy consent PERSON --purpose {missing[0]})"
    )


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
