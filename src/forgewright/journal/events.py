"""The events: everything that can stand in the journal. Encoded once to JSON; those bytes are what is kept.

An effect leaves two events, an intent (`….asked`, with the gate's decision in it) before it happens and
a receipt (`….answered` by its own name) after. The field names are short because they are stored often.
"""

from __future__ import annotations

import msgspec

from forgewright.core.ids import Digest, EffectId, RunId
from forgewright.journal.event import GRANTED as GRANTED
from forgewright.journal.event import NULL as NULL
from forgewright.journal.event import VERSION as VERSION
from forgewright.journal.event import Decision as Decision
from forgewright.journal.event import Event as Event
from forgewright.journal.event import Json as Json
from forgewright.journal.event import Record as Record
from forgewright.journal.event import Stored as Stored
from forgewright.journal.event import Value as Value
from forgewright.journal.event import event_types as event_types
from forgewright.journal.home_events import ConsentGiven as ConsentGiven
from forgewright.journal.home_events import ConsentWithdrawn as ConsentWithdrawn
from forgewright.journal.home_events import HeadWitnessed as HeadWitnessed
from forgewright.journal.home_events import HoldPlaced as HoldPlaced
from forgewright.journal.home_events import HoldReleased as HoldReleased
from forgewright.journal.home_events import KeyRevoked as KeyRevoked
from forgewright.journal.home_events import KeyRotated as KeyRotated
from forgewright.journal.home_events import MemoryChanged as MemoryChanged
from forgewright.journal.home_events import StatementSigned as StatementSigned
from forgewright.journal.home_events import SubjectErased as SubjectErased

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
    subject: str = ""
    """Pseudonym of the person whom the run is for: what is personal in it is sealed, and goes with that person."""
    salt: str = ""
    """Of a run for a person: random, so that digests of what was said tell nothing after an erasure."""


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
    before: dict[str, Digest | None] = msgspec.field(default_factory=dict)
    """Path → digest of each file that it will change; null for one that is not there."""
    after: dict[str, Digest | None] = msgspec.field(default_factory=dict)
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
    image_digest: str = ""
    """What `image` meant when it was asked for, and what is used; nothing for `host`."""


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


class AgentAsked(Asked, frozen=True, tag="agent.asked"):
    """A sub-agent is given a task. Its own effects are numbered under this one."""

    agent: str = ""
    task: Value = NULL
    limits: Json = NULL
    """Its share of the budget, and its time."""


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


class AgentAnswered(Answered, frozen=True, tag="agent.answered"):
    """What the sub-agent came to. Tokens and money stand in the receipts of its own effects."""

    result: Value
    status: str = "completed"
    """`completed`, `failed`, `timeout`, `budget` or `cancelled`."""
    tokens: int = 0
    """It and its own sub-agents used, as said there; not to be added to them."""
    cost_microdollars: int = 0
    steps: int = 0
    ms: int = 0


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


class ConnectionOpened(Event, frozen=True, tag="connection.opened"):
    """A sandbox's attempt to get out, written before its first byte goes out."""

    effect: EffectId
    """The command in whose sandbox it was made."""
    host: str
    port: int
    allowed: bool = True
    reason: str = ""
    """Why not, or the address that it goes to."""


class ConnectionClosed(Event, frozen=True, tag="connection.closed"):
    """What went over an allowed connection; none is written where the engine died before."""

    effect: EffectId
    host: str
    port: int
    sent_bytes: int = 0
    received_bytes: int = 0
    reason: str = ""
    """Where it was cut off: why."""


class AttestationMade(Event, frozen=True, tag="attestation.made"):
    """An in-toto statement about something produced, signed in a DSSE envelope; the envelope is a blob."""

    predicate: str
    """Predicate type (a URI)."""
    subjects: dict[str, Digest]
    """Name → digest of each thing that it speaks of."""
    envelope: Stored
