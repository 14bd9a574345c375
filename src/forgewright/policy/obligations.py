"""What an allowance obliges: the annotations of its policies, read strictly and combined by strength."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from forgewright.policy.vocabulary import TIERS

ANNOTATIONS: Mapping[str, str] = {
    "id": "name of the policy, which verdicts and the journal use; required, unique",
    "tier": "weakest sandbox tier that will do: " + ", ".join(TIERS),
    "approval": "who has to say yes first; several by commas: all of them",
    "redact": "what is taken out before it leaves, by commas: `secrets`, `email` …",
    "consent": "purposes by commas that the person whom the run is for has to consent to now",
    "limits": "numbers by commas: `memory_mb=512,seconds=60`; of several the smallest",
    "description": "why the policy is there",
}


class Obligations(msgspec.Struct, frozen=True, omit_defaults=True):
    tier: str | None = None
    approvals: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()
    limits: Mapping[str, int] = {}


def read(annotations: Mapping[str, str | None], *, effect: str) -> tuple[Obligations, list[str]]:
    """The obligations of one policy, and what is wrong with its annotations.

    An annotation that is not known is a mistake and not a comment: a mistyped `@aproval` would silently
    permit without approval.
    """
    mistakes = []
    for name in annotations:
        if name not in ANNOTATIONS:
            from forgewright.policy.nearest import nearest

            near = nearest(name, ANNOTATIONS)
            mistakes.append(
                f"expected one of the annotations {', '.join('@' + a for a in ANNOTATIONS)}; found @{name}"
                + (f" (did you mean @{near}?)" if near else "")
            )
    obliging = [n for n in ("tier", "approval", "redact", "consent", "limits") if n in annotations]
    if effect == "forbid" and obliging:
        mistakes.append(f"@{obliging[0]} obliges what is permitted, and has no meaning on a forbid")
    tier = annotations.get("tier")
    if "tier" in annotations and tier not in TIERS:
        mistakes.append(f'expected @tier to be one of {", ".join(TIERS)}; found "{tier or ""}"')
        tier = None
    approvals = _names(annotations, "approval", mistakes)
    redact = _names(annotations, "redact", mistakes)
    consent = _names(annotations, "consent", mistakes)
    limits: dict[str, int] = {}
    for item in _names(annotations, "limits", mistakes):
        key, equals, number = (part.strip() for part in item.partition("="))
        if not (key.isidentifier() and equals and number.isascii() and number.isdigit()):
            mistakes.append(f'expected @limits items like memory_mb=512; found "{item}"')
        else:
            limits[key] = min(int(number), limits.get(key, int(number)))
    obligations = Obligations(tier=tier, approvals=approvals, redact=redact, consent=consent, limits=limits)
    return obligations, mistakes


def strongest(items: Iterable[Obligations]) -> Obligations:
    """All of them at once: the strongest tier, every approval, every redaction and consent, the smallest limits."""
    tier = -1
    approvals: set[str] = set()
    redact: set[str] = set()
    consent: set[str] = set()
    limits: dict[str, int] = {}
    for item in items:
        if item.tier is not None:
            tier = max(tier, TIERS.index(item.tier))
        approvals.update(item.approvals)
        redact.update(item.redact)
        consent.update(item.consent)
        for key, number in item.limits.items():
            limits[key] = min(number, limits.get(key, number))
    return Obligations(
        tier=TIERS[tier] if tier >= 0 else None,
        approvals=tuple(sorted(approvals)),
        redact=tuple(sorted(redact)),
        consent=tuple(sorted(consent)),
        limits=dict(sorted(limits.items())),
    )


def _names(annotations: Mapping[str, str | None], name: str, mistakes: list[str]) -> tuple[str, ...]:
    if name not in annotations:
        return ()
    found = tuple(part.strip() for part in (annotations[name] or "").split(",") if part.strip())
    if not found:
        mistakes.append(f"expected @{name} to name something; found nothing")
    return found
