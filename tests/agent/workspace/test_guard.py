"""The survey of a tree: what is hidden and what is frozen, and that a shared answer is each path's own answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agent.workspace.trees import POLICY, gate, make_tree

from forgewright.agent.workspace.guard import Guard, guarded
from forgewright.core.errors import Refused
from forgewright.policy.gate import CedarGate
from forgewright.policy.types import Attempt, Verdict
from forgewright.sandbox.types import Mount, SandboxSpec


class Counting:
    """A gate that counts what it is asked."""

    def __init__(self, inner: CedarGate) -> None:
        self.inner = inner
        self.policies = inner.policies
        self.digest = inner.digest
        self.asked: list[str] = []

    def decide(self, attempt: Attempt) -> Verdict:
        self.asked.append(attempt.resource)
        return self.inner.decide(attempt)


def test_folders_stand_for_what_is_in_them(tmp_path: Path) -> None:
    survey = Guard(gate(), "helper").survey(make_tree(tmp_path))
    assert survey.hidden == (".env", "private")
    assert survey.frozen == (".git", ".github/workflows", "locked", "poetry.lock")
    assert "private/deep/more.txt" in survey.seen


def test_other_names_of_a_hidden_file_are_hidden(tmp_path: Path) -> None:
    make_tree(tmp_path)
    (tmp_path / "notes/same").hardlink_to(tmp_path / ".env")
    (tmp_path / "notes/harmless").hardlink_to(tmp_path / "app.py")
    assert Guard(gate(), "helper").survey(tmp_path).hidden == (".env", "notes/same", "private")


@pytest.mark.parametrize("policies", ["default", "strict"])
def test_one_answer_serves_all_paths_that_policies_do_not_tell_apart(policies: str, tmp_path: Path) -> None:
    for n in range(300):
        (tmp_path / f"f{n}.py").write_text("")
    make_tree(tmp_path)
    counting = Counting(CedarGate.load(policies))
    guard = Guard(counting, "coder")
    survey = guard.survey(tmp_path)
    if policies == "default":  # which looks at labels only
        assert len(counting.asked) < 30
    for path in survey.seen:
        for action in ("read", "edit"):
            own = counting.inner.decide(
                Attempt(
                    "coder",
                    action,
                    path,
                    {"paths": (path,), "operations": ("exec",)} if action == "edit" else {"paths": (path,)},
                )
            )
            shared = guard.verdict(action, path)  # type: ignore[arg-type]
            assert (own.permit, own.approval) == (shared.permit, shared.approval), path


@pytest.mark.parametrize(
    "rule",
    [
        'context.path == "app.py"',
        'context.path like "app*"',
        'resource == Path::"app.py"',
        'resource in Group::"x" || context.name == "app.py"',
        'if context.suffix == ".py" then context.path == "app.py" else false',
    ],
)
def test_a_policy_that_looks_at_the_path_is_asked_of_each(rule: str, tmp_path: Path) -> None:
    make_tree(tmp_path)
    (tmp_path / "other.py").write_text("")
    counting = Counting(
        gate(POLICY + f'@id("one") forbid (principal, action == Action::"edit", resource) when {{ {rule} }};')
    )
    survey = Guard(counting, "helper").survey(tmp_path)
    assert "app.py" in survey.frozen
    assert "other.py" not in survey.frozen


def test_mounts_hide_wherever_the_tree_shows(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    survey = Guard(gate(), "helper").survey(root)
    spec = SandboxSpec(
        mounts=(
            Mount(str(root), "/work", "rw"),
            Mount(str(tmp_path), "/above"),
            Mount(str(root / "private"), "/inside"),
            Mount(str(root / "private/deep"), "/deeper"),
            Mount("/usr", "/elsewhere", "rw"),
        )
    )
    mounts = {mount.target: mount for mount in guarded(spec, root, survey).mounts}
    assert mounts["/work"].mode == "cow"
    assert mounts["/elsewhere"].mode == "rw"
    assert {"/work/.env", "/work/private", "/above/tree/.env", "/above/tree/private", "/inside"} <= set(
        mounts
    )
    assert all(
        "masks" in mounts[t].source for t in ("/work/.env", "/above/tree/private", "/inside", "/deeper")
    )
    assert mounts["/work/.git"].mode == "ro"
    assert "/above/tree/.git" not in mounts


def test_too_many_hidden_files_are_refused_and_not_shown(tmp_path: Path) -> None:
    for n in range(1100):
        (tmp_path / f"{n}.pem").write_text("")
        (tmp_path / f"{n}.txt").write_text("")
    with pytest.raises(Refused, match="hides 1100"):
        Guard(gate(), "helper").survey(tmp_path)


def test_who_stands_above_an_agent_counts(tmp_path: Path) -> None:
    make_tree(tmp_path)
    policy = CedarGate.load("default")
    assert Guard(policy, "helper").verdict("edit", "app.py").permit
    below = Guard(policy, "helper", facts={"parent": "planner", "ancestors": ("planner",), "depth": 1})
    assert not below.verdict("edit", "app.py").permit
    assert (
        below.survey(tmp_path).frozen == ()
    )  # it may change nothing: it gets a copy, and none of it is taken over
