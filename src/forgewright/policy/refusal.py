"""Why not: the message of a refusal, for the agent that has to go on and the person who reads along.

It names the policy that decided, or that none permits and what a permitting one would have to say. It
never tells how to do without the gate.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from forgewright.policy.request import Request
from forgewright.policy.source import Policy


def refusal(request: Request, forbidding: Sequence[Policy], every: Sequence[Policy], why: str = "") -> str:
    """One to three sentences."""
    what = f"{request.principal} may not {request.action} {_quoted(request.resource)}"
    if why:
        return f"{what}: {why}"
    if forbidding:
        said = "; ".join(
            f"{policy.id} ({policy.annotations.get('description') or 'forbids it'})" for policy in forbidding
        )
        return f"{what}: forbidden by the policy {said}"
    candidates = [p.id for p in every if p.effect == "permit" and request.action in p.actions]
    tail = f"; of its conditions none holds here: {', '.join(candidates[:6])}" if candidates else ""
    return (
        f"{what}: no policy permits it{tail}. A permitting policy would have to cover principal "
        f"Agent::{_quoted(request.principal)}, action Action::{_quoted(request.action)}, resource "
        f"{request.type}::{_quoted(request.resource)}"
    )


def _quoted(text: str) -> str:
    return msgspec.json.encode(text if len(text) <= 160 else text[:157] + "…").decode()
