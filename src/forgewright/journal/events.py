"""The events: everything that can stand in the journal. Encoded once to JSON; those bytes are what is kept.

An effect leaves two events, an intent (`….asked`, with the gate's decision in it) before it happens and
a receipt (`….answered` by its own name) after. The field names are short because they are stored often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.ids import Digest, EffectId, RunId

Json = msgspec.Raw
"""An encoded JSON value, kept as its bytes."""

NULL = msgspec.Raw(b"null")

VERSION = 1
"""Version of the events below; a stored record names it."""


class Event(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, forbid_unknown_fields=True):
    """Base of all events."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the gate said of an effect, as it is recorded."""

    permit: bool = True
    by: tuple[str, ...] = ()
    """Ids of the policies that determined it."""
    tier: str | None = None
    approval: str | None = None
    """Who has to approve, where a policy obliges that."""
    limits: dict[str, int] = {}
    """Limits that it obliges, as the policies name them."""
    standing: EffectId | None = None
    """The approval (by the effect of its question) that was given before and covers it."""


GRANTED = Decision()
"""Permitted without a policy set, because the program that runs the engine handed the thing over itself."""


class Stored(msgspec.Struct, frozen=True):
    """Stands where a value over `INLINE_BYTES_MAX` would: its digest and size; the bytes are a blob."""

    blob: Digest
    size: int


if TYPE_CHECKING:
    Value = Json | Stored
else:
    Value = Json
    """A value that may be inline or stored. msgspec cannot decode a union of `Raw` and a struct, so both are
    decoded as `Raw`; the codec then puts `Stored` where it stands (`codec.decode`)."""


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────


class RunStarted(Event, frozen=True, tag="run.started"):
    graph: str
    """Name of the graph."""
    goal: str
    state: Value
    """The first state, whole."""
    options: Json = NULL
    """What the run was started with (models, repository, test command …), so that it can be resumed."""
    budget: Json = NULL
    policy: Digest | None = None
    """Digest of the policy set in force."""
    version: str = ""
    """Forgewright's version."""
    parent: RunId | None = None
    """Forked from this run …"""
    parent_sequence: int | None = None
    """… after this record of it."""


class RunResumed(Event, frozen=True, tag="run.resumed"):
    worker: str
    budget: Json = NULL
    """The new limits, where they were changed."""
    policy: Digest | None = None


class RunParked(Event, frozen=True, tag="run.parked"):
    reason: str
    """`approval`, `question`, `budget`, `stopped`, `interrupted`, `unsafe`, `model`, `error` …"""
    detail: str = ""


class RunFinished(Event, frozen=True, tag="run.finished"):
    result: Json
    summary: str = ""


class RunFailed(Event, frozen=True, tag="run.failed"):
    error: str
    """Stable code of the error."""
    message: str


# ── nodes ────────────────────────────────────────────────────────────────────────────────────────────


class NodeEntered(Event, frozen=True, tag="node.entered"):
    node: str
    visit: int
    """Number of the visit, from 1, over all nodes of the run."""


class NodeLeft(Event, frozen=True, tag="node.left"):
    visit: int
    update: Value
    """Changed fields of the state only, before reducers."""
    to: tuple[str, ...]
    """Next node or nodes; empty at an end."""
    branches: Json = NULL
    """The same with the fields that single branches see replaced, where any has such."""


class NodeFailed(Event, frozen=True, tag="node.failed"):
    visit: int
    error: str
    message: str


# ── effects: intents ─────────────────────────────────────────────────────────────────────────────────


class Asked(Event, frozen=True):
    """Base of intents."""

    effect: EffectId
    decision: Decision = GRANTED


class ModelAsked(Asked, frozen=True, tag="model.asked"):
    model: str = ""
    request: Digest = Digest("")
    """Of the whole request: SHA-256 over the digest of `base` and `messages`."""
    base: EffectId | None = None
    """The request continues the one of this effect: same head, its messages, its answer, then these."""
    head: Value = NULL
    """System prompt, tools and settings; left out where `base` has the same."""
    messages: Value = NULL
    """What the request adds: a list whose elements are messages, or ids of effects whose answers they are."""


class ToolAsked(Asked, frozen=True, tag="tool.asked"):
    tool: str = ""
    recovery: str = "pure"
    """`pure`, `idempotent`, `reconcilable` or `unsafe`."""
    arguments: Value = NULL
    call: str | None = None
    """The model's id of the call."""
    answer: EffectId | None = None
    """The model's answer that made the call; where set, the arguments stand there and not here."""
    facts: Json = NULL
    """What the gate was told of where the arguments come from."""


class EditAsked(Asked, frozen=True, tag="edit.asked"):
    program: Value = NULL
    """The program, in the language of code."""
    before: dict[str, Digest | None] = {}
    """Path → digest of each file that it will change; null for one that is not there."""
    after: dict[str, Digest | None] = {}
    result: Value = NULL
    """What the edit will have done, computed before it happens: a lost receipt loses nothing."""


class ExecAsked(Asked, frozen=True, tag="exec.asked"):
    argv: tuple[str, ...] = ()
    tier: str = ""
    driver: str = ""
    image: str = ""
    spec: Json = NULL
    recovery: str = "pure"
    purpose: str = ""
    """`tests`, `build` …: what the policy was asked for."""


class GitAsked(Asked, frozen=True, tag="git.asked"):
    """A commit, a checkout or a reset of the run's own work tree."""

    operation: str = ""
    detail: Json = NULL


class QuestionAsked(Asked, frozen=True, tag="question.asked"):
    to: str = ""
    question: str = ""
    choices: tuple[str, ...] = ()
    about: Json = NULL
    """The exact thing an approval approves."""
    form: Json = NULL
    """JSON Schema of the answer; NULL where it is a text or a choice."""


class CustomAsked(Asked, frozen=True, tag="custom.asked"):
    """An effect of a kind that a program made itself."""

    what: str = ""
    recovery: str = "unsafe"
    request: Value = NULL


class EffectBegun(Event, frozen=True, tag="effect.begun"):
    """An effect that had to wait for a person begins now (again)."""

    effect: EffectId
    decision: Decision | None = None
    """What the gate said then, where it was asked again because the approved thing had changed."""


class ApprovalRevoked(Event, frozen=True, tag="approval.revoked"):
    """A standing approval holds no longer."""

    approval: EffectId
    """The effect of the question by which it was given."""
    by: str
    reason: str = ""


# ── effects: receipts ────────────────────────────────────────────────────────────────────────────────


class Answered(Event, frozen=True):
    """Base of receipts."""

    effect: EffectId


class ModelAnswered(Answered, frozen=True, tag="model.answered"):
    response: Value
    """`models.types.Response` without its usage, which stands here."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_microdollars: int = 0
    ms: int = 0


class ToolAnswered(Answered, frozen=True, tag="tool.answered"):
    result: Value
    error: bool = False
    ms: int = 0


class EditAnswered(Answered, frozen=True, tag="edit.answered"):
    result: Value
    ms: int = 0


class ExecAnswered(Answered, frozen=True, tag="exec.answered"):
    result: Value
    ms: int = 0


class GitAnswered(Answered, frozen=True, tag="git.answered"):
    result: Value
    ms: int = 0


class QuestionAnswered(Answered, frozen=True, tag="question.answered"):
    answer: Json
    by: str


class CustomAnswered(Answered, frozen=True, tag="custom.answered"):
    result: Value
    ms: int = 0


class EffectFailed(Answered, frozen=True, tag="effect.failed"):
    """The effect ended with an error that its node sees again on replay."""

    error: str
    """Stable code of the error."""
    message: str
    hint: str | None = None


class EffectRefused(Answered, frozen=True, tag="effect.refused"):
    """The gate said no; `effect` stands in the intent with the decision."""

    message: str


# ── what needs no gate: one event each, numbered like an effect so that replay finds it ────────────────


class Noted(Event, frozen=True):
    """Base of these."""

    effect: EffectId


class ValueRead(Noted, frozen=True, tag="value.read"):
    """A reading of the clock, of randomness or of another thing outside, which has to be the same on replay."""

    what: str
    value: Value


class ArtifactMade(Noted, frozen=True, tag="artifact.made"):
    name: str
    media: str
    content: Stored


class NoteWritten(Noted, frozen=True, tag="note.written"):
    """Something a person should be able to read later: the plan, a summary."""

    topic: str
    value: Json


class AttestationMade(Event, frozen=True, tag="attestation.made"):
    """An in-toto statement about something produced, signed in a DSSE envelope; the envelope is a blob."""

    predicate: str
    """Predicate type (a URI)."""
    subjects: dict[str, Digest]
    """Name → digest of each thing that it speaks of."""
    envelope: Stored


# ── of the home, not of a run (runs whose names start with `@`) ──────────────────────────────────────


class KeyRotated(Event, frozen=True, tag="key.rotated"):
    """From the head over this record on, another key signs."""

    old: str
    """Verifier key that signed before."""
    new: str
    statement: str
    """The signed note by which the old key hands over to the new one."""


class KeyRevoked(Event, frozen=True, tag="key.revoked"):
    key: str
    reason: str
    size: int
    """Heads over more records than these that the key signed are not to be believed."""


class HeadWitnessed(Event, frozen=True, tag="head.witnessed"):
    """A witness cosigned a head of this log."""

    witness: str
    size: int
    cosignature: str
    """The signature line."""


class ConsentGiven(Event, frozen=True, tag="consent.given"):
    subject: str
    """Pseudonym of the person."""
    purpose: str
    basis: str
    """`consent`, `contract`, `legal-obligation`, `vital-interests`, `public-task`, `legitimate-interests`
    (GDPR Art. 6(1))."""
    version: str = ""
    """Of the text that was agreed to."""
    expires: int | None = None
    """Milliseconds since 1970."""


class ConsentWithdrawn(Event, frozen=True, tag="consent.withdrawn"):
    subject: str
    purpose: str


class HoldPlaced(Event, frozen=True, tag="hold.placed"):
    """The subject's data must be kept (litigation): erasure is refused until it is released."""

    subject: str
    reason: str


class HoldReleased(Event, frozen=True, tag="hold.released"):
    subject: str
    reason: str


class SubjectErased(Event, frozen=True, tag="subject.erased"):
    """The certificate of an erasure: the subject's key and values are destroyed."""

    subject: str
    values: int
    """How many were destroyed."""
    commitments: Digest
    """SHA-256 over the commitments of those values, sorted, one per line."""
    reason: str
    replayed: bool = False
    """The erasure was done before, and was repeated on a restored backup."""


class StatementSigned(Event, frozen=True, tag="registry.statement"):
    """A person's signed statement about the home's registries: a proposal, a review, an approval …"""

    statement: Json
    """The exact bytes that are signed."""
    signature: str


class Record(msgspec.Struct, frozen=True):
    """An event with its place, as read back."""

    index: int
    run: RunId
    sequence: int
    time: int
    """Milliseconds since 1970, by the writer's clock."""
    actor: str
    event: Event
    data: bytes
    """The bytes that are stored, hashed and signed."""


def event_types() -> dict[str, type[Event]]:
    """Tag → class, of every concrete event."""
    found: dict[str, type[Event]] = {}
    todo: list[Any] = [Event]
    while todo:
        cls = todo.pop()
        todo.extend(cls.__subclasses__())
        tag = cls.__struct_config__.tag
        if tag is not None and "." in tag:
            found[tag] = cls
    return found
