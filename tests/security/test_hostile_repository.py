"""A repository whose own configuration names programs: none of them runs when a run copies and commits it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forgewright.core.ids import EffectId, RunId
from forgewright.swarm.applying import apply
from forgewright.swarm.workspace import Workspace

RUN = RunId("01jtestrun000001")


def git(folder: Path, *argv: str) -> None:
    who = ["-c", "user.name=u", "-c", "user.email=u@localhost"]
    subprocess.run(["git", *who, *argv], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    return tmp_path / "something-ran"


@pytest.fixture
def program(tmp_path: Path, proof: Path) -> Path:
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {proof}\ncat\n')
    program.chmod(0o755)
    return program


def arm(repo: Path, program: Path) -> None:
    """Every setting known to make git start a program."""
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "diff.external",
        "filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.evil.command", "gpg.program",
        "merge.evil.driver", "credential.helper", "core.alternateRefsCommand", "uploadpack.packObjectsHook",
    ):  # fmt: skip
        git(repo, "config", key, str(program))
    git(repo, "config", "filter.evil.required", "true")
    git(repo, "config", "commit.gpgSign", "true")
    hooks = repo / "hooks"
    hooks.mkdir()
    for name in (
        "pre-commit", "post-commit", "post-checkout", "post-index-change", "reference-transaction",
        "pre-auto-gc", "post-rewrite", "prepare-commit-msg", "commit-msg", "fsmonitor-watchman", "post-merge",
    ):  # fmt: skip
        (hooks / name).write_bytes(program.read_bytes())
        (hooks / name).chmod(0o755)
    git(repo, "config", "core.hooksPath", str(hooks))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "a.py").write_text("a = 1\n")
    (repo / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    git(repo, "init", "-q")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "first")
    return repo


def test_nothing_that_the_repository_names_runs(
    repo: Path, tmp_path: Path, program: Path, proof: Path
) -> None:
    arm(repo, program)
    git(repo, "status")
    assert proof.exists(), "the repository is not armed: this test would prove nothing"
    proof.unlink()
    (repo / "a.py").write_text("a = 'not committed'\n")

    workspace = Workspace.create(tmp_path / "home", RUN, repo)
    (workspace.tree / "a.py").write_text("a = 2\n")
    first = workspace.commit("Two", EffectId("1.1"), 0)
    (workspace.tree / "b.py").write_text("b = 2\n")
    workspace.commit("More", EffectId("1.2"), 0)
    workspace.status()
    workspace.diff()
    workspace.reset(first)
    apply(workspace)
    workspace.remove()

    assert (repo / "a.py").read_text() == "a = 2\n"
    assert not proof.exists(), proof.read_text()


def test_a_git_directory_left_in_the_tree_is_never_believed(
    repo: Path, tmp_path: Path, program: Path, proof: Path
) -> None:
    workspace = Workspace.create(tmp_path / "home", RUN, repo)
    (workspace.tree / ".git").unlink()
    for folder in (workspace.tree, workspace.tree / "nested"):  # as code run in the sandbox could leave it
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q")
        (folder / "x").write_text("x")
        git(folder, "add", "x")
        git(folder, "commit", "-qm", "hostile")
        git(folder, "config", "core.fsmonitor", str(program))
        git(folder, "config", "core.worktree", "/")
        git(folder, "config", "core.fsmonitorHookVersion", "1")
    proof.unlink(missing_ok=True)

    (workspace.tree / "a.py").write_text("a = 2\n")
    sha = workspace.commit("Two", EffectId("1.1"), 0)
    assert [change.path for change in workspace.changes()] == ["a.py", "x"]
    (workspace.tree / "y").write_text("y")
    workspace.reset(sha)
    assert not (workspace.tree / "nested").exists()
    assert not proof.exists(), proof.read_text()


def test_a_link_in_place_of_a_folder_leads_nowhere(repo: Path, tmp_path: Path) -> None:
    (repo / "src").mkdir()
    (repo / "src" / "m.py").write_text("m = 1\n")
    workspace = Workspace.create(tmp_path / "home", RUN, repo)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "m.py").write_text("secret = 1\n")
    (workspace.tree / "src" / "m.py").unlink()
    (workspace.tree / "src").rmdir()
    (workspace.tree / "src").symlink_to(outside)

    workspace.commit("A link", EffectId("1.1"), 0)
    assert "secret" not in workspace.diff()
    workspace.reset(workspace.place.base)
    assert (workspace.tree / "src" / "m.py").read_text() == "m = 1\n"
    assert (outside / "m.py").read_text() == "secret = 1\n"
