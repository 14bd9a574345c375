"""What another policy set would change: decisions of two gates over the same attempts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from forgewright.policy.obligations import Obligations, strongest
from forgewright.policy.types import Attempt, Gate, Verdict

Change = Literal["now denied", "now permitted", "stronger", "weaker", "different"]
"""`stronger` and `weaker` are about what a permission obliges: `weaker` and `now permitted` loosen."""

LOOSENING: tuple[Change, ...] = ("now permitted", "weaker", "different")


class Flip(msgspec.Struct, frozen=True):
    """An attempt that the two sets decide differently."""

    attempt: Attempt
    change: Change
    before: Verdict
    after: Verdict
    times: int = 1
    """How often the attempt was made."""


class Difference(msgspec.Struct, frozen=True):
    attempts: int
    """Attempts looked at, repeated ones counted each time."""
    flips: tuple[Flip, ...]
    """Each differing attempt once, the loosening ones first."""
    unused: tuple[str, ...] = ()
    """Policies of the new set that determined none of the attempts."""


def diff(before: Gate, after: Gate, attempts: Iterable[Attempt]) -> Difference:
    """Compares the two gates over the attempts."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    flips: dict[bytes, Flip] = {}
    used: set[str] = set()
    total = 0
    partial = getattr(before, "partial", False)
    for attempt in attempts:
        total += 1
        key = encode(attempt)
        if key in flips:
            flips[key] = msgspec.structs.replace(flips[key], times=flips[key].times + 1)
            continue
        old, new = before.decide(attempt), after.decide(attempt)
        used.update(new.policies)
        if partial:
            new = Verdict(new.permit, new.policies, new.tier, new.approval, reason=new.reason)
        change = compare(old, new)
        if change is not None:
            flips[key] = Flip(attempt, change, old, new)
    names = [policy.id for policy in getattr(after, "policies", ())]
    ordered = sorted(flips.values(), key=lambda flip: flip.change not in LOOSENING)
    return Difference(total, tuple(ordered), tuple(name for name in names if name not in used))


def compare(old: Verdict, new: Verdict) -> Change | None:
    """How the second verdict differs in what may be done; the policies' names do not matter."""
    if old.permit is not new.permit:
        return "now permitted" if new.permit else "now denied"
    if not new.permit:
        return None
    first, second = _obligations(old), _obligations(new)
    if first == second:
        return None
    both = strongest((first, second))
    return "stronger" if both == second else "weaker" if both == first else "different"


def _obligations(verdict: Verdict) -> Obligations:
    approvals = tuple(verdict.approval.split(",")) if verdict.approval else ()
    return strongest((Obligations(verdict.tier, approvals, verdict.redact, verdict.consent, verdict.limits),))
