"""One thing done outside a node, as the door sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from forgewright.core.errors import Refused
from forgewright.core.ids import EffectId
from forgewright.journal.events import Answered, Asked, Decision
from forgewright.policy.types import Action, Fact, Verdict

if TYPE_CHECKING:
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.context import Context
    from forgewright.tools.types import Recovery

A = TypeVar("A")

NO_FACTS: Mapping[str, Fact] = {}


class Effect(Generic[A]):
    """Subclass it for a new kind of effect, and hand it to `context.perform`.

    The door calls, in this order: `facts` (for the gate), `oblige` (the gate's verdict), `asked` (the intent,
    journaled), `perform`, `answered` (the receipt, journaled). On replay: `matches`, then `recall`; where
    the receipt was lost, what `recovery` says.
    """

    action: ClassVar[Action]
    resource: str
    recovery: Recovery = "pure"
    lazy: bool = False
    """The receipt may be written with the next intent, since repeating the effect is harmless."""
    recorded: bool = False
    """Set by `perform` where somebody else wrote the receipt already."""
    nested: bool = False
    """Effects numbered under this one may be unfinished when it ends, and are then closed with its receipt."""

    cleaner: Cleaner
    """Takes secrets out of what is journaled; set by the door before anything else."""

    def facts(self) -> Mapping[str, Fact]:
        """What the gate may know of it."""
        return NO_FACTS

    async def oblige(self, verdict: Verdict, context: Context) -> None:
        """Takes up what the gate obliges; raises `Refused` or `Unavailable` where that can't be met."""

    def withhold(self, cleaner: Cleaner) -> None:
        """Takes out of what goes to this effect what the policy's `@redact` names. Raises `Refused` where an
        effect of this kind can't do that."""
        raise Refused(
            f"the policy wants {', '.join(cleaner.kinds[1:])} taken out, which an effect {self.action!r} "
            "does not know how to do",
            hint="@redact holds for model, tool, exec and ask",
        )

    async def asked(self, effect: EffectId, decision: Decision, context: Context) -> Asked:
        raise NotImplementedError

    def matches(self, asked: Asked) -> bool:
        """Whether a journaled intent is this effect's."""
        raise NotImplementedError

    async def perform(self, key: str, context: Context) -> A:
        """Does it. `key` is the same when it is repeated after a crash."""
        raise NotImplementedError

    async def reconcile(self, key: str, asked: Asked, context: Context) -> A | None:
        """For `reconcilable` effects: the answer of what was done, or None if nothing was."""
        raise NotImplementedError

    async def answered(self, effect: EffectId, answer: A, ms: int, context: Context) -> Answered:
        raise NotImplementedError

    async def recall(self, asked: Asked, answered: Answered, context: Context) -> A:
        """The answer, read back from its receipt."""
        raise NotImplementedError

    async def failed_before(self, asked: Asked, context: Context) -> None:
        """On replay, before the failure or refusal is raised again: what asking had left in the context."""
