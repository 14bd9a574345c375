"""A change is in force only after its review and its quorum; everything short of that is refused."""

from __future__ import annotations

from base64 import b64encode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from forgewright.core.errors import Conflict, ForgewrightError, IntegrityError, NotFound, Refused, UsageError
from forgewright.core.ids import Digest, digest
from forgewright.policy.registry import (
    Approved,
    Enacted,
    Established,
    Person,
    Proposed,
    Registry,
    Reviewed,
    Rules,
    Signed,
    Statement,
    Stopped,
    sign,
)

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"\0"))
    for name in ("ada", "bo", "cy", "eve")
}
DAY = 24 * 3600 * 1000
A, B = digest(b"set a"), digest(b"set b")


def public(name: str) -> str:
    return b64encode(KEYS[name].public_key().public_bytes_raw()).decode()


RULES = Rules({name: Person(public(name)) for name in ("ada", "bo", "cy")}, quorum=2)


class Home:
    """A registry with a clock and signers."""

    def __init__(self, rules: Rules = RULES, nonce: str = "n1") -> None:
        self.registry = Registry()
        self.now = 1_000_000
        self.log: list[Signed] = []
        self.add(Established(nonce, "ada", 0, rules))

    def add(self, statement: Statement, key: str | None = None) -> str:
        return self.take(sign(statement, KEYS[key or statement.by]))

    def take(self, signed: Signed) -> str:
        self.now += 1
        self.registry.apply(signed, now=self.now)
        self.log.append(signed)
        return signed.digest

    def propose(self, by: str = "ada", content: Digest = A, name: str = "main", **changed: object) -> str:
        subject = changed.pop("subject", "policy")
        current = self.registry.version(subject, name)  # type: ignore[arg-type]
        fields: dict[str, object] = {
            "number": current.number + 1 if current else 1,
            "parent": current.proposal if current else "",
            **changed,
        }
        return self.add(Proposed(self.registry.id, by, self.now, subject, name, content, **fields))  # type: ignore[arg-type]

    def review(self, proposal: str, by: str = "bo") -> str:
        return self.add(Reviewed(self.registry.id, by, self.now, proposal, "fine"))

    def approve(self, proposal: str, by: str, content: Digest = A) -> str:
        return self.add(Approved(self.registry.id, by, self.now, proposal, content))

    def enact(self, proposal: str, by: str = "ada") -> str:
        return self.add(Enacted(self.registry.id, by, self.now, proposal))

    def pass_through(self, content: Digest = A, by: str = "ada") -> str:
        others = [name for name in ("ada", "bo", "cy") if name != by]
        proposal = self.propose(by, content)
        self.review(proposal, others[0])
        for other in others:
            self.approve(proposal, other, content)
        self.enact(proposal, by)
        return proposal


@pytest.fixture
def home() -> Home:
    return Home()


def in_force(home: Home) -> Digest | None:
    version = home.registry.version("policy", "main")
    return version.content if version else None


def test_reviewed_and_approved_by_a_quorum_it_is_in_force(home: Home) -> None:
    proposal = home.propose()
    assert home.registry.proposal(proposal).state == "proposed"
    home.review(proposal)
    assert home.registry.proposal(proposal).state == "reviewed"
    home.approve(proposal, "bo")
    assert in_force(home) is None
    home.approve(proposal, "cy")
    assert home.registry.proposal(proposal).state == "approved"
    home.enact(proposal)
    assert in_force(home) == A
    home.pass_through(B, by="bo")
    assert in_force(home) == B
    assert home.registry.version("policy", "main").number == 2  # type: ignore[union-attr]


def test_the_same_statements_give_the_same_registry(home: Home) -> None:
    home.pass_through(A)
    home.pass_through(B)
    again = Registry()
    for number, signed in enumerate(home.log):
        again.apply(signed, now=1_000_001 + number)
    assert again.versions() == home.registry.versions()


class TestOnePerson:
    def test_the_author_does_not_approve(self, home: Home) -> None:
        proposal = home.propose("ada")
        home.review(proposal, "bo")
        with pytest.raises(Refused, match="quorum"):
            home.approve(proposal, "ada")

    def test_the_author_does_not_review(self, home: Home) -> None:
        proposal = home.propose("ada")
        with pytest.raises(Refused, match="somebody else"):
            home.review(proposal, "ada")

    def test_nobody_approves_twice(self, home: Home) -> None:
        proposal = home.propose("ada")
        home.review(proposal, "bo")
        home.approve(proposal, "bo")
        with pytest.raises(Refused, match="before"):
            home.approve(proposal, "bo")
        with pytest.raises(Refused, match="1 of 2"):
            home.enact(proposal)

    def test_nobody_signs_in_another_name(self, home: Home) -> None:
        proposal = home.propose("ada")
        with pytest.raises(IntegrityError):
            home.add(Reviewed(home.registry.id, "bo", 0, proposal, "fine"), key="ada")
        home.review(proposal, "bo")
        home.approve(proposal, "bo")
        with pytest.raises(IntegrityError):
            home.add(Approved(home.registry.id, "cy", 0, proposal, A), key="ada")

    @pytest.mark.parametrize(
        "rules",
        [
            Rules({"ada": Person(public("ada"))}, quorum=1),
            Rules({"ada": Person(public("ada")), "bo": Person(public("bo"))}, quorum=2),
            Rules({"ada": Person(public("ada")), "bo": Person(public("bo"))}, quorum=0),
            Rules({"ada": Person(public("ada")), "alias": Person(public("ada"))}, quorum=1),
            Rules({"ada": Person("short"), "bo": Person(public("bo"))}, quorum=1),
        ],
    )
    def test_rules_by_which_one_person_decides_are_refused(self, rules: Rules) -> None:
        with pytest.raises(UsageError):
            Home(rules)

    def test_nor_can_rules_be_changed_to_such(self, home: Home) -> None:
        rules = Rules({"ada": Person(public("ada"))}, quorum=1)
        with pytest.raises(UsageError):
            home.propose("ada", digest(msgspec.json.encode(rules)), "rules", subject="rules", rules=rules)

    def test_one_person_can_stop_a_thing_but_not_start_it_again(self, home: Home) -> None:
        proposal = home.propose("ada", name="search", subject="tool")
        home.review(proposal, "bo")
        home.approve(proposal, "bo")
        home.approve(proposal, "cy")
        home.enact(proposal)
        assert home.registry.state("tool", "search", A) == "approved"
        assert home.registry.state("tool", "search", B) == "suspended"
        home.add(Stopped(home.registry.id, "cy", 0, "tool", "search", proposal, "suspended"))
        assert home.registry.state("tool", "search", A) == "suspended"
        with pytest.raises(Conflict):
            home.enact(proposal)
        policy = home.pass_through()
        with pytest.raises(Refused, match="only replaced"):
            home.add(Stopped(home.registry.id, "cy", 0, "policy", "main", policy, "retired"))


class TestAgents:
    def test_an_agent_is_not_among_the_people(self, home: Home) -> None:
        proposal = home.propose()
        for statement in (
            Proposed(home.registry.id, "coder", 0, "policy", "main", B, 1, ""),
            Reviewed(home.registry.id, "coder", 0, proposal, "fine"),
            Approved(home.registry.id, "coder", 0, proposal, A),
            Enacted(home.registry.id, "coder", 0, proposal),
        ):
            with pytest.raises(Refused, match="agents are not"):
                home.add(statement, key="eve")

    def test_a_person_who_left_the_rules_does_not_count(self, home: Home) -> None:
        waiting = home.propose("ada", A)
        home.review(waiting, "bo")
        home.approve(waiting, "bo")
        home.approve(waiting, "cy")
        rules = Rules({**{n: Person(public(n)) for n in ("ada", "bo", "eve")}}, quorum=2)
        content = digest(msgspec.json.encode(rules))
        change = home.propose("ada", content, "rules", subject="rules", rules=rules)
        home.review(change, "bo")
        home.approve(change, "bo", content)
        home.approve(change, "cy", content)
        home.enact(change)
        with pytest.raises(Refused, match="1 of 2"):
            home.enact(waiting)
        with pytest.raises(Refused, match="not among"):
            home.add(Enacted(home.registry.id, "cy", 0, waiting))


class TestReplay:
    def test_an_approval_counts_once(self, home: Home) -> None:
        proposal = home.propose()
        home.review(proposal)
        home.approve(proposal, "bo")
        with pytest.raises(Refused, match="taken in before"):
            home.take(home.log[-1])

    def test_an_approval_does_not_count_for_another_proposal(self, home: Home) -> None:
        first = home.propose(content=A)
        second = home.propose(content=B)
        for proposal in (first, second):
            home.review(proposal)
        home.approve(first, "bo")
        home.approve(first, "cy")
        with pytest.raises(Refused, match="0 of 2"):
            home.enact(second)
        with pytest.raises(Refused, match="another content"):
            home.approve(second, "bo", A)

    def test_nor_in_another_registry(self, home: Home) -> None:
        other = Home(nonce="n2")
        home.propose()
        with pytest.raises(Refused, match="another registry"):
            other.take(home.log[-1])

    def test_nor_encoded_in_another_way(self, home: Home) -> None:
        home.propose()
        signed = home.log[-1]
        spaced = Signed(msgspec.Raw(bytes(signed.statement).replace(b",", b", ")), signed.signature)
        with pytest.raises(IntegrityError):
            home.take(spaced)

    def test_nor_after_its_time(self, home: Home) -> None:
        proposal = home.propose()
        home.review(proposal)
        home.approve(proposal, "bo")
        home.approve(proposal, "cy")
        home.now += 15 * DAY
        with pytest.raises(Conflict, match="expired"):
            home.enact(proposal)

    def test_nor_with_changed_bytes(self, home: Home) -> None:
        proposal = home.propose()
        signed = sign(Reviewed(home.registry.id, "bo", 0, proposal, "reject"), KEYS["bo"])
        with pytest.raises(IntegrityError):
            home.take(
                Signed(msgspec.Raw(bytes(signed.statement).replace(b"reject", b"fine")), signed.signature)
            )


class TestDowngrade:
    def test_an_older_version_does_not_come_back_by_its_old_approvals(self, home: Home) -> None:
        first = home.pass_through(A)
        home.pass_through(B)
        with pytest.raises(Conflict):
            home.enact(first)
        for signed in home.log:
            with pytest.raises(ForgewrightError):
                home.registry.apply(signed, now=home.now)
        assert in_force(home) == B

    def test_the_number_grows_and_the_parent_is_in_force(self, home: Home) -> None:
        first = home.pass_through(A)
        for wrong in (
            {"number": 1},
            {"number": 3},
            {"parent": ""},
            {"parent": "sha256:" + "0" * 64},
            {"number": 0},
        ):
            with pytest.raises(Conflict):
                home.propose(content=B, **wrong)  # type: ignore[arg-type]
        assert home.propose(content=B, parent=first)

    def test_a_proposal_that_was_overtaken_is_void(self, home: Home) -> None:
        late = home.propose("bo", B)
        home.review(late, "ada")
        home.approve(late, "ada", B)
        home.pass_through(A)
        assert home.registry.proposal(late).state == "superseded"
        for act in (lambda: home.approve(late, "cy", B), lambda: home.enact(late)):
            with pytest.raises(Conflict):
                act()

    def test_going_back_is_a_new_version(self, home: Home) -> None:
        home.pass_through(A)
        home.pass_through(B)
        home.pass_through(A)
        version = home.registry.version("policy", "main")
        assert version is not None
        assert (version.content, version.number) == (A, 3)


def test_a_rejected_proposal_is_closed(home: Home) -> None:
    proposal = home.propose()
    home.add(Reviewed(home.registry.id, "bo", 0, proposal, "reject", "no"))
    with pytest.raises(Conflict, match="rejected"):
        home.approve(proposal, "cy")


def test_without_a_review_there_is_no_approval(home: Home) -> None:
    proposal = home.propose()
    with pytest.raises(Refused, match="not reviewed"):
        home.approve(proposal, "bo")


def test_a_registry_is_established_once(home: Home) -> None:
    with pytest.raises(Refused, match="is established"):
        home.add(Established("n9", "ada", 0, RULES))
    stranger = sign(Established("n", "eve", 0, RULES), KEYS["eve"])
    with pytest.raises(Refused, match="not among"):
        Registry().apply(stranger, now=0)


def test_states_of_things_that_are_not_in_force(home: Home) -> None:
    assert home.registry.state("dependency", "pypi:x", A) == "unknown"
    home.propose(name="pypi:x", subject="dependency")
    assert home.registry.state("dependency", "pypi:x", A) == "proposed"
    assert home.registry.state("dependency", "pypi:x", B) == "unknown"
    with pytest.raises(NotFound):
        home.registry.proposal("nonsense")
