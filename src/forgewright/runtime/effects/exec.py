"""Running a command in a sandbox whose tier the policy chose, never in a weaker one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import NotFound, Refused, UsageError
from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.policy.types import Fact, Verdict
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep_clean, load
from forgewright.runtime.tree import tree_digest
from forgewright.sandbox.types import (
    Command,
    Connection,
    Exit,
    Limits,
    Networked,
    OnConnection,
    SandboxSpec,
    Tier,
)

if TYPE_CHECKING:
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.context import Context


class ExecEffect(Effect[Exit]):
    """Pure as far as the host goes: the sandbox starts from a copy-on-write view and is thrown away after."""

    action = "exec"

    def __init__(self, command: Command, purpose: str, spec: SandboxSpec | None) -> None:
        self.command = command
        self.purpose = purpose
        self.spec = spec or SandboxSpec()
        self.resource = purpose
        self.driver = ""
        self.image = self.spec.image
        self.digest: str | None = None
        """What the image's name meant when the gate was asked; that is used, whatever the name means later."""

    def facts(self) -> Mapping[str, Fact]:
        spec = self.spec
        self.digest = _digest(spec)
        return {
            "purpose": self.purpose,
            "argv": self.command.argv,
            "image": spec.image,
            "image_digest": self.digest,
            "network": (*spec.network.allow, *(rule.rpartition("=")[2] for rule in spec.network.forward)),
            "secrets": tuple(credential.secret for credential in spec.network.credentials),
            "writable": tuple(m.target for m in spec.mounts if m.mode == "rw"),
        }

    async def oblige(self, verdict: Verdict, context: Context) -> None:
        if verdict.tier is None:
            raise Refused(
                f"the policy permits exec for {self.purpose!r} and names no tier to run it in",
                hint='annotate the permitting policy, for example: @tier("container")',
            )
        tiers = list(Tier)
        asked = Tier(verdict.tier)
        tier = max(asked, self.spec.tier, key=tiers.index)
        self.spec = msgspec.structs.replace(
            self.spec, tier=tier, limits=_no_more_than(self.spec.limits, verdict.limits),
            image=self.digest or self.spec.image,
        )  # fmt: skip
        seconds = verdict.limits.get("seconds")
        if seconds is not None and seconds < self.command.timeout_seconds:
            self.command = msgspec.structs.replace(self.command, timeout_seconds=float(seconds))
        self.driver = await context.execution.engine.sandboxes.driver_for(tier)

    may = ("edit",)

    def particulars(self) -> Mapping[str, Any]:
        return {"argv": list(self.command.argv), "command": " ".join(self.command.argv)}

    async def bound(self, context: Context) -> Mapping[str, str]:
        code = context.code
        return {} if code is None else {"tree": tree_digest(code.root)}

    def edited(self, arguments: Mapping[str, Any]) -> ExecEffect:
        argv = arguments.get("argv")
        if not isinstance(argv, list) or not argv or not all(isinstance(part, str) for part in argv):
            raise UsageError('expected {"argv": [PROGRAM, ARGUMENT, …]}')
        return ExecEffect(msgspec.structs.replace(self.command, argv=tuple(argv)), self.purpose, self.spec)

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        return ev.ExecAsked(
            effect,
            decision,
            self.command.argv,
            str(self.spec.tier),
            self.driver,
            self.image,
            msgspec.Raw(msgspec.json.encode(self.spec)),
            purpose=self.purpose,
            image_digest=self.digest or "",
        )

    def matches(self, asked: ev.Asked) -> bool:
        if not isinstance(asked, ev.ExecAsked) or asked.argv != self.cleaner.value(self.command.argv):
            return False
        self.digest = asked.image_digest  # where its receipt was lost, it is repeated in the very same image
        return True

    def withhold(self, cleaner: Cleaner) -> None:
        self.command = cleaner.value(self.command)

    async def perform(self, key: str, context: Context) -> Exit:
        listener = context.execution.output_listener(context.actor)
        sandbox = await context.execution.engine.sandboxes.open(self.spec)
        if isinstance(sandbox, Networked):
            sandbox.watch_connections(_recorder(EffectId(key.partition("/")[2]), context))
        try:
            return await sandbox.run(self.command, on_output=listener)
        finally:
            await sandbox.close()

    async def answered(self, effect: EffectId, answer: Exit, ms: int, context: Context) -> ev.Answered:
        return ev.ExecAnswered(effect, await keep_clean(answer, context), ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> Exit:
        assert isinstance(answered, ev.ExecAnswered)
        return await load(answered.result, Exit, context)


def _recorder(effect: EffectId, context: Context) -> OnConnection:
    """Writes each connection of a sandbox into the journal: before its first byte, and what went over it."""

    async def record(connection: Connection) -> None:
        host, port = connection.host, connection.port
        if connection.phase != "closed":
            event: ev.Event = ev.ConnectionOpened(effect, host, port, connection.allowed, connection.reason)
        else:
            cut = "" if connection.allowed else connection.reason
            event = ev.ConnectionClosed(
                effect, host, port, connection.sent_bytes, connection.received_bytes, cut
            )
        await context.ledger.append(context.actor, event)

    return record


def _digest(spec: SandboxSpec) -> str:
    """Of the image as it lies in the cache; a missing one is an error when it is used, not when it is asked about."""
    if spec.tier is Tier.WASM or spec.image == "host":
        return ""
    from forgewright.sandbox.images import find

    try:
        image = find(spec.image)
    except (NotFound, UsageError):
        return ""
    return image.digest if image is not None else ""


OBLIGED = {
    "memory_mb": ("memory_bytes", 1 << 20),
    "disk_mb": ("disk_bytes", 1 << 20),
    "output_kb": ("output_bytes", 1 << 10),
    "processes": ("processes", 1),
    "files": ("files", 1),
    "cpus": ("cpus", 1),
}
"""Name in `@limits` → field of the sandbox's limits, and its unit. `seconds` bounds the command's time."""


def _no_more_than(limits: Limits, obliged: Mapping[str, int]) -> Limits:
    """`limits`, lowered to what the policy obliges. Raises `Refused` for a limit that nobody here enforces."""
    lowered: dict[str, float | int] = {}
    for name, number in obliged.items():
        if name == "seconds":
            continue
        if name not in OBLIGED:
            raise Refused(
                f"the policy limits {name!r}, which a sandbox does not know",
                hint=f"it knows: seconds, {', '.join(OBLIGED)}",
            )
        field, unit = OBLIGED[name]
        lowered[field] = min(getattr(limits, field), number * unit)
    return msgspec.structs.replace(limits, **lowered)
