"""The door: every effect of a run passes here. Gate, intent, act, receipt; on replay, the receipt alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from forgewright.core import errors
from forgewright.core.errors import ForgewrightError, Nondeterminism, PolicyDenied, Refused
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.policy.types import Attempt, Verdict
from forgewright.runtime.approvals import Answer, Approve, Edit
from forgewright.runtime.approve import approve, standing_approval
from forgewright.runtime.effect import Effect
from forgewright.runtime.park import OWN_TROUBLE
from forgewright.runtime.privacy import person_facts, without_consent

if TYPE_CHECKING:
    from forgewright.runtime.context import Context
    from forgewright.runtime.history import Past

A = TypeVar("A")


async def perform(effect: Effect[A], context: Context) -> A:
    """Does an effect, or recalls it.

    Raises `PolicyDenied`, `Nondeterminism`, whatever the effect raises, and `ParkSignal` when a person has to
    decide or the budget is spent.
    """
    identity = context.next_effect()
    effect.cleaner = context.execution.cleaner
    past = context.execution.history.effects.get(identity)
    if past is None:
        return await _first(effect, identity, context)
    effect.purposes = past.asked.decision.consent
    if past.asked.decision.redact:
        _withhold(effect, past.asked.decision.redact, context)
    if not effect.matches(past.asked):
        raise Nondeterminism(
            f"on replay, effect {identity} of node {context.node!r} asked for {effect.action} "
            f"{effect.resource!r}, but the journal holds another request ({type(past.asked).__name__})",
            hint="a node may depend only on its state and on answers of its context; ask context.now() and "
            "context.random() instead of the clock and random, or fork the run before this node",
        )
    if past.answered is not None:
        return await _recall(effect, past, past.answered, context)
    return await _lost(effect, identity, past, context)


async def _first(effect: Effect[A], identity: EffectId, context: Context) -> A:
    execution = context.execution
    execution.check_time()
    context.strand.step()
    facts = effect.facts()
    if context.strand.depth:
        facts = {**facts, **context.strand.facts}
    if execution.subject:
        facts = {**facts, **await person_facts(context)}
    verdict = execution.gate.decide(Attempt(context.actor, effect.action, effect.resource, facts))
    effect.purposes = verdict.consent
    if verdict.permit and verdict.consent and (why := await without_consent(verdict.consent, context)):
        verdict = Verdict(False, verdict.policies, reason=why)
    decision = ev.Decision(
        verdict.permit,
        verdict.policies,
        verdict.tier,
        verdict.approval,
        dict(verdict.limits),
        verdict.redact,
        standing_approval(effect, verdict, context) if verdict.permit else None,
        verdict.consent,
    )
    if decision == ev.GRANTED:
        decision = ev.GRANTED  # the very default is left out of the record
    if verdict.permit:
        try:
            if verdict.redact:
                _withhold(effect, verdict.redact, context)
            await effect.oblige(verdict, context)
        except ForgewrightError as error:
            await _fail(effect, identity, decision, error, context)
            raise
    asked = await effect.asked(identity, decision, context)
    if not verdict.permit:
        await _refuse(effect, identity, asked, verdict, context)
    execution.open.add(identity)
    await context.ledger.append(context.actor, asked)
    if verdict.approval is not None and decision.standing is None:
        return await _with_approval(effect, identity, asked, verdict.approval, context)
    return await _do(effect, identity, context)


def _withhold(effect: Effect[A], kinds: tuple[str, ...], context: Context) -> None:
    """What the policy wants taken out, and nobody here can take out, is no permission."""
    from forgewright.journal.redact.rules import KINDS

    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise Refused(
            f"the policy wants {', '.join(unknown)} taken out, which nobody here can find",
            hint=f"@redact takes: {', '.join(KINDS)}",
        )
    effect.withhold(context.execution.cleaner_of(kinds))


async def _begin(identity: EffectId, context: Context, decision: ev.Decision | None = None) -> None:
    """Says on record that an effect begins after a person's word, so that a crash is told from a wait."""
    await context.ledger.append(context.actor, ev.EffectBegun(identity, decision))


async def _refuse(
    effect: Effect[A], identity: EffectId, asked: ev.Asked, verdict: Verdict, context: Context
) -> None:
    message = (
        f"policy denied {context.actor} the action {effect.action} on {effect.resource!r}: {verdict.reason}"
    )
    await context.ledger.append(context.actor, asked, ev.EffectRefused(identity, message))
    raise PolicyDenied(message)


async def _fail(
    effect: Effect[A], identity: EffectId, decision: ev.Decision, error: ForgewrightError, context: Context
) -> None:
    """An effect that can't even begin still leaves its intent and what came of it."""
    asked = await effect.asked(identity, decision, context)
    await context.ledger.append(
        context.actor, asked, ev.EffectFailed(identity, error.code, error.message, error.hint)
    )


async def _with_approval(
    effect: Effect[A], identity: EffectId, asked: ev.Asked, who: str, context: Context
) -> A:
    """Does what a person rules: this, this with other arguments, or nothing but to take their answer for it."""
    try:
        ruled = await approve(effect, identity, asked, who, context)
    except (PolicyDenied, *OWN_TROUBLE):
        raise  # recorded already, or nothing to record
    except ForgewrightError as error:
        _clean_error(error, context)
        await _receipt(context, identity, ev.EffectFailed(identity, error.code, error.message, error.hint))
        raise
    match ruled.ruling:
        case Approve():
            await _begin(identity, context, ruled.decision)
            return await _do(effect, identity, context)
        case Answer(result=result, error=failed):
            answer = effect.stand_in(result, error=failed)
        case Edit(arguments=arguments):
            answer = await _edited(effect, identity, arguments, (who, ruled.question), context)
    answer = context.execution.cleaner.value(answer)
    await _receipt(context, identity, await effect.answered(identity, answer, 0, context))
    return answer


async def _edited(
    effect: Effect[A],
    identity: EffectId,
    arguments: Mapping[str, Any],
    consent: tuple[str, EffectId | None],
    context: Context,
) -> A:
    """The edited effect is one of its own: the gate decides over it, and its intent has the edited bytes."""
    other = effect.edited(arguments)
    if consent[1] is not None:
        other.consent = (consent[0], consent[1])
    try:
        answer = await perform(other, context.scope(f"edited-{identity}"))
    except PolicyDenied as error:
        await _receipt(context, identity, ev.EffectRefused(identity, error.message))
        raise
    except OWN_TROUBLE:
        raise
    except ForgewrightError as error:
        await _receipt(context, identity, ev.EffectFailed(identity, error.code, error.message, error.hint))
        raise
    return effect.as_edited(answer, arguments)


async def _do(effect: Effect[A], identity: EffectId, context: Context) -> A:
    if effect.purposes and (why := await without_consent(effect.purposes, context)):
        # given when it was decided, and withdrawn or expired while a person was asked or nobody ran
        message = f"policy denied {context.actor} the action {effect.action} on {effect.resource!r}: {why}"
        await _receipt(context, identity, ev.EffectRefused(identity, message))
        raise PolicyDenied(message)
    started = time.monotonic_ns()
    try:
        answer = await effect.perform(f"{context.run}/{identity}", context)
    except OWN_TROUBLE:
        raise
    except ForgewrightError as error:
        _clean_error(error, context)
        await _receipt(context, identity, ev.EffectFailed(identity, error.code, error.message, error.hint))
        raise
    if effect.recorded:
        context.execution.open.discard(identity)
        return answer
    ms = (time.monotonic_ns() - started) // 1_000_000
    answer = context.execution.cleaner.value(answer)  # what the node sees is what a replay will tell it
    receipt = await effect.answered(identity, answer, ms, context)
    if effect.nested:
        await _receipt(context, identity, *_unfinished(identity, context), receipt)
    elif effect.lazy:
        context.execution.open.discard(identity)
        context.ledger.later(context.actor, receipt)
    else:
        await _receipt(context, identity, receipt)
    return answer


async def _receipt(context: Context, identity: EffectId, *events: ev.Answered) -> None:
    context.execution.open.discard(identity)
    await context.ledger.append(context.actor, *events)


def _unfinished(identity: EffectId, context: Context) -> list[ev.Answered]:
    """Receipts of what was under way inside an effect when it was ended from outside, so that nothing stays open."""
    prefix, execution = f"{identity}.", context.execution
    inside = sorted(name for name in execution.open if name.startswith(prefix))
    execution.open.difference_update(inside)
    error = errors.Stopped(f"effect {identity}, which this is a part of, ended before it did")
    return [ev.EffectFailed(name, error.code, error.message) for name in inside]


async def _recall(effect: Effect[A], past: Past, answered: ev.Answered, context: Context) -> A:
    if isinstance(answered, ev.EffectRefused):
        await effect.failed_before(past.asked, context)
        raise PolicyDenied(answered.message)
    if isinstance(answered, ev.EffectFailed):
        await effect.failed_before(past.asked, context)
        raise _error(answered)
    return await effect.recall(past.asked, answered, context)


async def _lost(effect: Effect[A], identity: EffectId, past: Past, context: Context) -> A:
    """The intent stands in the journal and the receipt does not: a crash came between."""
    asked = past.asked
    if not asked.decision.permit:
        message = f"policy denied {context.actor} the action {effect.action} on {effect.resource!r}"
        await _receipt(context, identity, ev.EffectRefused(identity, message))
        raise PolicyDenied(message)
    said = asked.decision
    await effect.oblige(Verdict(True, said.by, said.tier, said.approval, limits=said.limits), context)
    if said.approval is not None and said.standing is None and not past.begins:
        return await _with_approval(effect, identity, asked, said.approval, context)
    if effect.recovery == "unsafe":
        await _ask_to_repeat(effect, identity, past.begins, context)
        await _begin(identity, context)
    elif effect.recovery == "reconcilable":
        found = await effect.reconcile(f"{context.run}/{identity}", asked, context)
        if found is not None:
            found = context.execution.cleaner.value(found)
            await _receipt(context, identity, await effect.answered(identity, found, 0, context))
            return found
    return await _do(effect, identity, context)


async def _ask_to_repeat(effect: Effect[A], identity: EffectId, begins: int, context: Context) -> None:
    """Each loss is a question of its own: a yes to one is no yes to the next."""
    answer = await context.scope(f"lost-{identity}-{begins}").ask(
        f"The engine died while {context.actor} did this, and cannot know whether it happened: "
        f"{effect.action} {effect.resource}. Do it (again)?",
        to="owner",
        choices=("repeat", "skip"),
        about={"effect": identity, "times": begins},
        reason="unsafe",
    )
    if answer != "repeat":
        error = errors.ToolError(f"a person said not to repeat {effect.action} {effect.resource!r}")
        await _receipt(context, identity, ev.EffectFailed(identity, error.code, error.message, error.hint))
        raise error


def _clean_error(error: ForgewrightError, context: Context) -> None:
    """The error that the node sees holds no more than the one that is journaled."""
    clean = context.execution.cleaner.text
    error.message = clean(error.message)
    error.hint = None if error.hint is None else clean(error.hint)
    error.args = (error.message,)


def _error(failed: ev.EffectFailed) -> ForgewrightError:
    """The error that the node saw the first time."""
    by_code = {
        cls.code: cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, ForgewrightError)
    }
    cls = by_code.get(failed.error, ForgewrightError)
    error = cls.__new__(cls)
    ForgewrightError.__init__(error, failed.message, hint=failed.hint)
    return error
