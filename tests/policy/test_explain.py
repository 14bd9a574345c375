"""Explanations name the deciding policies, the nearest ones, and the condition that fails."""

from __future__ import annotations

from forgewright.policy import Attempt, CedarGate
from forgewright.policy.explain import explain

SET = """
@id("tests") @tier("container") @description("own tests")
permit (principal == Agent::"tester", action == Action::"exec", resource)
when { context.purpose == "tests" && context.network.isEmpty() }
unless { context.program == "curl" || context.program == "wget" };

@id("far") permit (principal in Group::"admins", action == Action::"exec", resource == Command::"other")
when { context.image == "x" };

@id("short") permit (principal, action == Action::"edit", resource is Path)
when { context has lines && context.lines < 100 };

@id("no-lock") forbid (principal, action == Action::"edit", resource) when { context.suffix == ".lock" };
"""


def gate() -> CedarGate:
    return CedarGate({"set.cedar": SET})


def test_the_nearest_policy_and_its_failing_condition() -> None:
    found = explain(gate(), Attempt("tester", "exec", "tests", {"network": ("a:1",), "argv": ("curl", "x")}))
    assert not found.verdict.permit
    assert [view.id for view in found.nearest] == ["tests", "far"]
    assert [part.text for part in found.nearest[0].failing] == [
        "context.network.isEmpty()",
        'not (context.program == "curl")',
    ]
    assert "set.cedar:2" in found.change
    far = [part.text for part in found.nearest[1].failing]
    assert far == ['principal in Group::"admins"', 'resource == Command::"other"', 'context.image == "x"']


def test_a_permission_names_its_policies_and_their_conditions() -> None:
    found = explain(gate(), Attempt("tester", "exec", "tests"))
    assert found.verdict.permit
    assert [view.id for view in found.determining] == ["tests"]
    assert all(part.holds for part in found.determining[0].parts)
    assert found.change == ""
    assert found.context["purpose"] == "tests"


def test_a_guarded_condition_stays_whole() -> None:
    found = explain(gate(), Attempt("coder", "edit", "a.py"))
    assert [part.text for part in found.nearest[0].failing] == [
        "(context has lines) && (context.lines < 100)"
    ]


def test_of_several_paths_the_refused_one_is_explained() -> None:
    found = explain(gate(), Attempt("coder", "edit", "worktree", {"paths": ("a.py", "b.lock"), "lines": 1}))
    assert found.resource == "b.lock"
    assert [view.id for view in found.determining] == ["no-lock"]
    assert "forbids while" in found.change


def test_what_cannot_be_asked_is_explained_too() -> None:
    found = explain(gate(), Attempt("coder", "edit", "a.py", {"lines": "many"}))
    assert "lines" in found.change


def test_every_verdict_of_the_default_set_has_an_explanation() -> None:
    default = CedarGate.load()
    for action in (
        "model",
        "tool",
        "edit",
        "exec",
        "install",
        "network",
        "git",
        "ask",
        "read",
        "publish",
        "spend",
    ):
        for principal in ("planner", "coder", "someone"):
            attempt = Attempt(principal, action, ".git/config")  # type: ignore[arg-type]
            found = explain(default, attempt)
            assert found.verdict == default.decide(attempt)
            assert found.determining or found.nearest or "no policy permits" in found.change
