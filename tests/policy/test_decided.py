"""Each decision of a run with what led to it and what came of it, from the records alone."""

from __future__ import annotations

import msgspec

from forgewright.core.ids import Digest, EffectId, RunId, digest
from forgewright.journal import codec
from forgewright.journal import events as ev
from forgewright.policy.decided import Decided, decisions
from forgewright.policy.gate import CedarGate

RUN = RunId("01jtestrun000001")
DEFAULT, STRICT = CedarGate.load("default"), CedarGate.load("strict")


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def effect(name: str) -> EffectId:
    return EffectId(name)


def records(*events: ev.Event) -> list[ev.Record]:
    out = []
    for number, event in enumerate(events):
        data = codec.encode(RUN, number + 1, 1000 + number, "coder", event)
        out.append(ev.Record(50 + number, RUN, number + 1, 1000 + number, "coder", event, data))
    return out


def started(policy: Digest) -> ev.RunStarted:
    return ev.RunStarted(graph="g", goal="x", state=raw({}), policy=policy)


def gate_of(digest: str) -> CedarGate:
    return STRICT if digest == STRICT.digest else DEFAULT


def only(found: list[Decided], name: str) -> Decided:
    [one] = [one for one in found if one.effect == name]
    return one


def test_a_decision_with_its_inputs_its_set_and_its_record() -> None:
    spec = {"network": {"allow": ["packages.example:443"]}}
    asked = ev.ExecAsked(
        effect("1.1"), ev.Decision(True, ("networked",), "microvm", "owner"), argv=("pip", "download"), image="oci:x",
        spec=raw(spec), purpose="shell", image_digest="sha256:12",
    )  # fmt: skip
    made = records(started(DEFAULT.digest), asked)
    [found] = decisions(made, gate_of)
    assert (found.index, found.sequence) == (51, 2)
    assert found.intent == digest(made[1].data)
    assert found.policy == found.explained_by == DEFAULT.digest
    assert found.same_set
    assert found.inputs == {"spec": digest(msgspec.json.encode(spec)), "image": "sha256:12"}
    assert found.attempt.facts["network"] == ("packages.example:443",)
    assert found.outcome == "open"
    assert found.decision.approval == "owner"
    assert found.explanation.determining


def test_what_people_said_and_what_was_decided_again_stand_beside_it() -> None:
    about = raw({"effect": "1.1", "policy": str(DEFAULT.digest)})
    made = records(
        started(DEFAULT.digest),
        ev.GitAsked(effect("1.1"), ev.Decision(True, ("git",), None, "owner"), operation="commit"),
        ev.QuestionAsked(effect("1.approve-1.1.1"), to="owner", question="may it?", about=about),
        ev.EffectRefused(effect("1.approve-1.1.1"), "void: what it asked about changed"),
        ev.QuestionAsked(effect("1.approve-1.1-2.1"), to="owner", question="may it?", about=about),
        ev.QuestionAnswered(effect("1.approve-1.1-2.1"), answer=raw("yes"), by="ada"),
        ev.EffectBegun(effect("1.1"), ev.Decision(True, ("git",), None, "owner")),
        ev.GitAnswered(effect("1.1"), result=raw({})),
        ev.QuestionAsked(effect("2.1"), to="person", question="which one?"),
    )
    found = list(decisions(made, gate_of))
    committed = only(found, "1.1")
    assert [(word.sequence, word.by, word.answer) for word in committed.words] == [
        (3, "", '"void: what it asked about changed"'),
        (5, "ada", '"yes"'),
    ]
    assert len(committed.again) == 1
    assert committed.outcome == "done"
    assert only(found, "2.1").words == ()


def test_each_decision_is_explained_by_the_set_that_was_in_force_then() -> None:
    tests = ev.ExecAsked(
        effect("1.1"),
        ev.Decision(True, ("checks",), "container"),
        argv=("pytest",),
        image="host",
        spec=raw({}),
        purpose="tests",
    )
    later = ev.ExecAsked(
        effect("1.2"),
        ev.Decision(True, ("checks",), "gvisor"),
        argv=("pytest",),
        image="host",
        spec=raw({}),
        purpose="tests",
    )
    made = records(
        started(DEFAULT.digest), tests, ev.RunResumed("w", policy=STRICT.digest), later,
        ev.RunResumed("w", policy=Digest("sha256:gone")), msgspec.structs.replace(later, effect=effect("1.3")),
    )  # fmt: skip
    first, second, third = decisions(made, gate_of)
    assert (first.policy, second.policy) == (DEFAULT.digest, STRICT.digest)
    assert first.change is None
    assert second.change is None
    assert second.explanation.verdict.tier == "gvisor"
    assert not third.same_set  # that set is not at hand: another explains, and says so
    assert third.explained_by == DEFAULT.digest
    assert third.change == "weaker"


def test_refusals_and_failures_are_told_with_their_words() -> None:
    denied = ev.EditAsked(
        effect("1.1"), ev.Decision(False, ("no-edits-of-ci",)), before={".github/workflows/ci.yml": None}
    )
    made = records(
        started(DEFAULT.digest), denied, ev.EffectRefused(effect("1.1"), "policy denied coder"),
        ev.GitAsked(effect("1.2"), ev.Decision(True, ("git",)), operation="commit"),
        ev.EffectFailed(effect("1.2"), "tool-failed", "no repository"),
    )  # fmt: skip
    found = list(decisions(made, gate_of))
    assert only(found, "1.1").outcome == "refused: policy denied coder"
    assert [view.id for view in only(found, "1.1").explanation.determining] == ["no-edits-of-ci"]
    assert only(found, "1.1").explanation.change
    assert only(found, "1.2").outcome == "failed: tool-failed: no repository"
