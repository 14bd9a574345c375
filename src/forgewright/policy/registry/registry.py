"""The registry as a fold of statements: what is proposed, what is in force, and what is refused.

A version is put in force by a person who shows a proposal that was reviewed and has its quorum. What can't
happen, and by which line: one person alone (author and approvers differ, keys differ), an agent (it is in no
rules), a replayed statement (each counts once, in its registry, for its proposal), a downgrade (the number
grows, the parent is what is in force now).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from forgewright.core.errors import Conflict, NotFound, Refused, UsageError
from forgewright.core.ids import Digest, digest
from forgewright.policy.registry import statements as st

PROPOSALS_OPEN_MAX = 1_000


class Version(msgspec.Struct, frozen=True):
    """What is in force for a subject."""

    subject: st.Subject
    name: str
    content: Digest
    number: int
    proposal: str
    state: str = "in force"
    """Or `suspended`, `retired`."""


class Proposal(msgspec.Struct, frozen=True):
    """A proposal and what became of it."""

    digest: str
    statement: st.Proposed
    time: int
    """Milliseconds since 1970, when the journal took it."""
    state: st.State
    reviewers: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


class Registry:
    """Made from the statements in the journal's order, by `apply`."""

    def __init__(self) -> None:
        self.id = ""
        """Digest of the statement that established it; empty before."""
        self.rules = st.Rules({})
        self._seen: set[str] = set()
        self._proposals: dict[str, Proposal] = {}
        self._versions: dict[tuple[str, str], Version] = {}

    def apply(self, signed: st.Signed, *, now: int) -> st.AnyStatement:
        """Checks a statement and takes it in; `now` is the journal's time in milliseconds.

        Raises `IntegrityError` (malformed, or not signed by its signer), `Refused` (the rules forbid it),
        `Conflict` (its time has passed), `NotFound`, `UsageError`; then nothing has changed.
        """
        statement = st.read(signed)
        name = signed.digest
        if name in self._seen:
            raise Refused(
                f"this statement of {statement.by} was taken in before",
                hint="a statement counts once; sign a new one",
            )
        if isinstance(statement, st.Established):
            self._establish(statement, signed)
        else:
            if not self.id or statement.registry != self.id:
                raise Refused(f"this statement belongs to another registry ({statement.registry or 'none'})")
            st.verify(signed, self._person(statement.by))
            self._expire(now)
            match statement:
                case st.Proposed():
                    self._propose(statement, name, now)
                case st.Reviewed():
                    self._review(statement)
                case st.Approved():
                    self._approve(statement)
                case st.Enacted():
                    self._enact(statement)
                case st.Stopped():
                    self._stop(statement)
        self._seen.add(name)
        return statement

    def version(self, subject: st.Subject, name: str) -> Version | None:
        """What is in force, suspended or retired."""
        return self._versions.get((subject, name))

    def versions(self) -> Mapping[tuple[str, str], Version]:
        """All of them, by subject and name."""
        return dict(self._versions)

    def proposals(self) -> tuple[Proposal, ...]:
        """All proposals, oldest first."""
        return tuple(self._proposals.values())

    def proposal(self, name: str) -> Proposal:
        """A proposal by its digest, or by the beginning of it. Raises `NotFound`."""
        wanted = name if name.startswith("sha256:") else "sha256:" + name
        found = [p for key, p in self._proposals.items() if key.startswith(wanted)]
        if len(found) != 1 or len(name) < 6:
            raise NotFound(
                f"expected the digest of one proposal; {name!r} fits {len(found)}",
                hint="list them: forgewright policy versions",
            )
        return found[0]

    def state(self, subject: st.Subject, name: str, content: Digest) -> str:
        """What policies see as `context.state` of a thing with this content: `approved`, `suspended`,
        `retired`, `proposed`, or `unknown`. Another content than the approved one is `suspended`."""
        version = self._versions.get((subject, name))
        if version is not None:
            if version.state != "in force":
                return version.state
            return "approved" if version.content == content else "suspended"
        for proposal in self._proposals.values():
            said = proposal.statement
            if (said.subject, said.name, said.content) == (subject, name, content) and proposal.state in (
                "proposed",
                "reviewed",
                "approved",
            ):
                return "proposed"
        return "unknown"

    # ── statements ────────────────────────────────────────────────────────────────────────────────────

    def _establish(self, statement: st.Established, signed: st.Signed) -> None:
        if self.id:
            raise Refused("this registry is established; its rules change by a proposal of the subject rules")
        st.check_rules(statement.rules)
        person = statement.rules.people.get(statement.by)
        if person is None:
            raise Refused(f"{statement.by} is not among the people of the rules")
        st.verify(signed, person)
        self.id, self.rules = signed.digest, statement.rules

    def _propose(self, statement: st.Proposed, name: str, now: int) -> None:
        if statement.subject == "rules":
            if statement.rules is None or digest(msgspec.json.encode(statement.rules)) != statement.content:
                raise UsageError("expected the proposed rules themselves, with their digest as content")
            if statement.name != "rules":
                raise UsageError(f'expected the name "rules" for rules; found "{statement.name}"')
            st.check_rules(statement.rules)
        elif statement.rules is not None:
            raise UsageError(f"expected no rules in a proposal of a {statement.subject}")
        if not statement.name:
            raise UsageError("expected a name for what is proposed; found nothing")
        self._require_next(statement)
        if (
            sum(p.state in ("proposed", "reviewed", "approved") for p in self._proposals.values())
            >= PROPOSALS_OPEN_MAX
        ):
            raise Refused(f"expected at most {PROPOSALS_OPEN_MAX} open proposals; decide some first")
        self._proposals[name] = Proposal(name, statement, now, "proposed")

    def _review(self, statement: st.Reviewed) -> None:
        proposal = self._open(statement.proposal)
        if statement.by == proposal.statement.by:
            raise Refused(f"{statement.by} wrote this proposal; somebody else has to review it")
        if statement.verdict == "reject":
            self._put(proposal, state="rejected")
            return
        reviewers = tuple(dict.fromkeys((*proposal.reviewers, statement.by)))
        state = "reviewed" if proposal.state == "proposed" else proposal.state
        self._put(proposal, state=state, reviewers=reviewers)

    def _approve(self, statement: st.Approved) -> None:
        proposal = self._open(statement.proposal)
        said = proposal.statement
        if statement.content != said.content:
            raise Refused("this approval names another content than its proposal")
        if statement.by == said.by:
            raise Refused(f"{statement.by} wrote this proposal and does not count towards its quorum")
        if statement.by in proposal.approvers:
            raise Refused(f"{statement.by} has approved this proposal before; another person has to")
        if proposal.state == "proposed":
            raise Refused(
                "this proposal was not reviewed yet", hint="review it first: forgewright policy review"
            )
        self._require_next(said)
        approvers = (*proposal.approvers, statement.by)
        state = "approved" if len(approvers) >= self.rules.quorum else "reviewed"
        self._put(proposal, state=state, approvers=approvers)

    def _enact(self, statement: st.Enacted) -> None:
        proposal = self._open(statement.proposal)
        said = proposal.statement
        self._require_next(said)
        if said.by not in self.rules.people:
            raise Refused(
                f"{said.by}, who wrote this proposal, is not among the people of the rules any more"
            )
        counted = [name for name in proposal.approvers if name in self.rules.people and name != said.by]
        if proposal.state != "approved" or len(counted) < self.rules.quorum:
            raise Refused(
                f"this proposal has {len(counted)} of {self.rules.quorum} approvals"
                f"{'' if proposal.reviewers else ', and was not reviewed'}"
            )
        self._put(proposal, state="in force")
        self._versions[said.subject, said.name] = Version(
            said.subject, said.name, said.content, said.number, proposal.digest
        )
        if said.rules is not None:
            self.rules = said.rules
        for other in list(self._proposals.values()):
            rival = other.statement
            if (rival.subject, rival.name) == (said.subject, said.name) and other.state in (
                "proposed",
                "reviewed",
                "approved",
            ):
                self._put(other, state="superseded")

    def _stop(self, statement: st.Stopped) -> None:
        version = self._versions.get((statement.subject, statement.name))
        if version is None or version.proposal != statement.proposal:
            raise Conflict(f"the {statement.subject} {statement.name} is not in force in this version")
        if statement.subject in ("policy", "rules"):
            raise Refused(
                f"a {statement.subject} can't be suspended, only replaced: without one there would be none",
                hint="propose another version",
            )
        if version.state == "retired":
            raise Conflict(f"the {statement.subject} {statement.name} is retired")
        self._versions[statement.subject, statement.name] = msgspec.structs.replace(
            version, state=statement.state
        )

    # ── rules ─────────────────────────────────────────────────────────────────────────────────────────

    def _person(self, name: str) -> st.Person:
        person = self.rules.people.get(name)
        if person is None:
            raise Refused(
                f"{name!r} is not among the people of the rules; agents are not, and sign nothing here",
                hint=f"people: {', '.join(self.rules.people) or 'none'}",
            )
        return person

    def _require_next(self, said: st.Proposed) -> None:
        """Only the successor of what is in force now can go on: no downgrade, no overtaken proposal."""
        current = self._versions.get((said.subject, said.name))
        number, parent = (current.number, current.proposal) if current else (0, "")
        if said.number != number + 1 or said.parent != parent:
            raise Conflict(
                f"expected version {number + 1} of the {said.subject} {said.name} after {parent or 'nothing'}; "
                f"found version {said.number} after {said.parent or 'nothing'}",
                hint="to go back to an older content, propose it anew as the next version",
            )

    def _open(self, name: str) -> Proposal:
        proposal = self._proposals.get(name)
        if proposal is None:
            raise NotFound(f"there is no proposal {name}")
        if proposal.state not in ("proposed", "reviewed", "approved"):
            raise Conflict(f"the proposal {name} is {proposal.state}")
        return proposal

    def _expire(self, now: int) -> None:
        for proposal in list(self._proposals.values()):
            if proposal.state in ("proposed", "reviewed", "approved"):
                if now - proposal.time > self.rules.valid_seconds * 1000:
                    self._put(proposal, state="expired")

    def _put(self, proposal: Proposal, **changed: object) -> None:
        self._proposals[proposal.digest] = msgspec.structs.replace(proposal, **changed)
