"""What holds of any policies and any attempt."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from forgewright.policy import Action, Attempt, CedarGate
from forgewright.policy.explain import explain
from forgewright.policy.obligations import Obligations, strongest
from forgewright.policy.vocabulary import TIERS

DEFAULT = CedarGate.load()
STRICT = CedarGate.load("strict")
BOTH = CedarGate({"default": "\n".join(p.text for p in DEFAULT.policies),
                  "more": '@id("more") forbid (principal, action, resource) when { principal == Agent::"b" };'})  # fmt: skip

words = st.sampled_from(
    ["tests", "a.py", ".git/config", ".env", "commit", "push", "x", "", "../y", "169.254.169.254"]
)
facts = st.dictionaries(
    st.sampled_from(
        ["purpose", "paths", "network", "lines", "own", "state", "labels", "server", "argv", "nonsense"]
    ),
    st.one_of(st.booleans(), st.integers(), words, st.lists(words, max_size=3).map(tuple)),
    max_size=4,
)
attempts = st.builds(
    Attempt, st.sampled_from(["coder", "planner", "b", ""]), st.sampled_from(get_args(Action)), words, facts
)
obligations = st.builds(
    Obligations,
    st.none() | st.sampled_from(TIERS),
    st.lists(st.sampled_from(["owner", "security"]), unique=True).map(tuple),
    st.lists(st.sampled_from(["email", "secrets"]), unique=True).map(tuple),
    st.dictionaries(st.sampled_from(["seconds", "memory_mb"]), st.integers(0, 100)),
)


@settings(max_examples=300, deadline=None)
@given(attempts)
def test_deciding_never_raises_repeats_itself_and_is_explained(attempt: Attempt) -> None:
    for gate in (DEFAULT, STRICT):
        verdict = gate.decide(attempt)
        assert gate.decide(attempt) == verdict
        assert gate._decide(attempt, 100) == verdict
        assert verdict.reason
        found = explain(gate, attempt)
        assert found.verdict == verdict
        assert verdict.permit or found.change
        assert not verdict.permit or verdict.policies


@settings(max_examples=300, deadline=None)
@given(attempts)
def test_another_forbid_never_permits_more(attempt: Attempt) -> None:
    before, after = DEFAULT.decide(attempt), BOTH.decide(attempt)
    assert before.permit or not after.permit
    if attempt.principal == "b":
        assert not after.permit
    elif before.permit:
        assert after == before


@given(st.lists(obligations, max_size=4), obligations)
def test_obligations_only_get_stronger(some: list[Obligations], another: Obligations) -> None:
    before, after = strongest(some), strongest([*some, another])
    assert strongest((before, after)) == after
    assert strongest([another, *reversed(some)]) == after
