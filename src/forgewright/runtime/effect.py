"""One thing done outside a node, as the door sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from forgewright.core.errors import Refused, UsageError
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
    may: tuple[str, ...] = ()
    """What a person may do instead of approving it: `edit` the arguments, `answer` in its place."""
    consent: tuple[str, EffectId] | None = None
    """Who approved these very bytes already, and the question by which."""
    traced: Mapping[str, Fact] = NO_FACTS
    """What is known of where its arguments come from."""
    recorded: bool = False
    """Set by `perform` where somebody else wrote the receipt already."""
    nested: bool = False
    """Effects numbered under this one may be unfinished when it ends, and are then closed with its receipt."""

    purposes: Sequence[str] = ()
    """Purposes that have to be consented to when it happens; set by the door from the gate's verdict."""
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

    # ── what a person sees who has to approve it ─────────────────────────────────────────────────────

    def particulars(self) -> Mapping[str, Any]:
        """Its arguments by name, as a person sees them and as the constraints of standing approvals name them."""
        return {}

    def identity_of(self) -> str:
        """Digest of what does it (a tool's schema), so that a standing approval does not cover another thing of the
        same name."""
        return ""

    async def bound(self, context: Context) -> Mapping[str, str]:
        """Digests of what an approval is bound to beyond the intent and the policy: files, the work tree."""
        return {}

    def void(self) -> None:
        """What `bound` says changed before an approval took effect. Raises `Conflict` where the journaled intent cannot
        be done any more; otherwise it is asked about anew."""

    def edited(self, arguments: Mapping[str, Any]) -> Effect[A]:
        """This effect with other arguments. Raises `UsageError`, `ToolArgumentError`."""
        raise UsageError(f"{self.action} can't be edited")

    def as_edited(self, answer: A, arguments: Mapping[str, Any]) -> A:
        """What the node sees of an effect whose arguments a person changed."""
        return answer

    def stand_in(self, result: str, *, error: bool) -> A:
        """The answer that a person gave in its place. Raises `UsageError`."""
        raise UsageError(f"{self.action} can't be answered by a person")

    # ── doing it ─────────────────────────────────────────────────────────────────────────────────────

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
