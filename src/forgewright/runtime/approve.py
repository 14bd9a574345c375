"""Asking a person before an effect: the question is bound to the exact bytes, and void where these change.

Bound are the intent (arguments, argv, program), what the effect itself adds (a tool's schema, the work tree, the files
that an edit starts from) and the policy set. If any of them is different when the answer takes effect, the gate decides
again and, where it still obliges an approval, another question is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import ForgewrightError, PolicyDenied, RunError
from forgewright.core.ids import EffectId, digest
from forgewright.journal import events as ev
from forgewright.policy.types import Attempt, Verdict
from forgewright.runtime.approvals import Answer, Approve, Edit, Reject, read_ruling, shown
from forgewright.runtime.privacy import person_facts

if TYPE_CHECKING:
    from forgewright.runtime.context import Context
    from forgewright.runtime.effect import Effect

QUESTIONS_MAX = 20
"""Of one effect, each void because something changed."""


class Ruled(msgspec.Struct, frozen=True):
    """What came of asking."""

    ruling: Approve | Edit | Answer
    question: EffectId | None = None
    decision: ev.Decision | None = None
    """The gate's new decision, where it was asked again."""


def standing_approval(effect: Effect[Any], verdict: Verdict, context: Context) -> EffectId | None:
    """A ruling that was given before and covers this effect as well."""
    if verdict.approval is None:
        return None
    if effect.consent is not None and effect.consent[0] == verdict.approval:
        return effect.consent[1]
    approvals = context.execution.history.approvals
    if not approvals.standing:
        return None
    import time

    return approvals.covering(
        _what(effect, context), effect.particulars(), verdict.approval, time.time_ns() // 1_000_000
    )


async def approve(
    effect: Effect[Any], identity: EffectId, asked: ev.Asked, who: str, context: Context
) -> Ruled:
    """Asks until there is a ruling over what is there now. Raises `PolicyDenied` after recording the refusal, and
    `ParkSignal`."""
    decision: ev.Decision | None = None
    trouble = ""
    for number in range(1, QUESTIONS_MAX + 1):
        scope = context.scope(f"approve-{identity}" + (f"-{number}" if number > 1 else ""))
        question = EffectId(f"{scope.prefix}.1")
        about = await _about(effect, identity, asked, context)
        past = context.execution.history.effects.get(question)
        if past is None or _about_of(past.asked) == about:
            answer = await scope.ask_ruling(_text(effect, context, trouble), to=who, about=about)
            ruling = read_ruling(answer, effect.may)
            if isinstance(ruling, Reject):
                await _refuse(effect, identity, f"{who} did not approve", ruling.reason, context)
            if await _about(effect, identity, asked, context) == about:
                try:
                    if isinstance(ruling, Edit):
                        effect.edited(ruling.arguments)
                except ForgewrightError as error:
                    trouble = f"the arguments that were given do not fit: {error.message}"
                    continue
                assert not isinstance(ruling, Reject)
                return Ruled(ruling, question, decision)
        elif past.answered is None:
            context.execution.open.discard(question)
            await context.ledger.append(
                context.actor, ev.EffectRefused(question, "void: what it asked about changed")
            )
        if (await effect.bound(context)) != about["bound"] or (
            past is not None and (_about_of(past.asked) or {}).get("bound") != about["bound"]
        ):
            effect.void()
        trouble = "what was asked before is void, since the policy, the arguments or the work tree changed"
        verdict = await _decide(effect, context)
        effect.purposes = verdict.consent
        if decision_redacts := verdict.redact:
            effect.withhold(context.execution.cleaner_of(decision_redacts))
        decision = ev.Decision(
            verdict.permit,
            verdict.policies,
            verdict.tier,
            verdict.approval,
            dict(verdict.limits),
            verdict.redact,
            consent=verdict.consent,
        )
        if not verdict.permit:
            await _refuse(effect, identity, f"policy denied {context.actor}", verdict.reason, context)
        await effect.oblige(verdict, context)
        if verdict.approval is None:
            return Ruled(Approve(), None, decision)
        who = verdict.approval
    raise RunError(
        f"{QUESTIONS_MAX} approvals of {effect.action} {effect.resource!r} became void one after the other",
        hint="somebody changes what is asked about all the time; stop that, and resume the run",
    )


async def _decide(effect: Effect[Any], context: Context) -> Verdict:
    facts = effect.facts()
    if context.strand.depth:
        facts = {**facts, **context.strand.facts}
    if context.execution.subject:
        facts = {**facts, **await person_facts(context)}
    return context.execution.gate.decide(Attempt(context.actor, effect.action, effect.resource, facts))


async def _refuse(effect: Effect[Any], identity: EffectId, who: str, why: str, context: Context) -> None:
    message = f"{who} {effect.action} on {effect.resource!r}" + (f": {why}" if why else "")
    context.execution.open.discard(identity)
    await context.ledger.append(context.actor, ev.EffectRefused(identity, message))
    raise PolicyDenied(message)


def _text(effect: Effect[Any], context: Context, trouble: str) -> str:
    text = f"May {context.actor} do this: {effect.action} {effect.resource}?"
    return f"{text} ({trouble})" if trouble else text


def _what(effect: Effect[Any], context: Context) -> dict[str, Any]:
    """What a standing approval has to agree with."""
    return {
        "principal": context.actor,
        "action": effect.action,
        "resource": effect.resource,
        "policy": str(context.execution.gate.digest),
        "of": effect.identity_of(),
        "facts": dict(effect.traced),
    }


async def _about(
    effect: Effect[Any], identity: EffectId, asked: ev.Asked, context: Context
) -> Mapping[str, Any]:
    about = {
        "effect": identity,
        "intent": digest(msgspec.json.encode(context.execution.cleaner.value(asked))),
        **_what(effect, context),
        "bound": dict(await effect.bound(context)),
        "arguments": shown(effect.particulars()),
        "may": list(effect.may),
    }
    decoded: Mapping[str, Any] = msgspec.json.decode(
        msgspec.json.encode(context.execution.cleaner.value(about))
    )
    return decoded


def _about_of(asked: ev.Asked) -> Any:
    assert isinstance(asked, ev.QuestionAsked)
    return None if asked.about == ev.NULL else msgspec.json.decode(asked.about)
