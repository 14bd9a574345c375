"""The run's copy of a repository: isolated, deterministic, and never over the user's own work."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from forgewright.core.errors import Conflict, NotFound, UnsafePath, UsageError
from forgewright.core.ids import EffectId, RunId
from forgewright.swarm import applying
from forgewright.swarm.applying import apply
from forgewright.swarm.workspace import Workspace

RUN = RunId("01jtestrun000001")
OTHER = RunId("01jtestrun000002")
WHEN = 1_700_000_000_000


def git(folder: Path, *argv: str) -> str:
    who = {f"GIT_{role}_{key}": "user" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    env = os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(
        ["git", *argv], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "a.py").write_text("a = 1\n")
    (folder / "b.py").write_text("b = 1\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def state_of(repo: Path) -> tuple[str, str, str, bytes]:
    return (
        git(repo, "rev-parse", "HEAD"),
        git(repo, "symbolic-ref", "HEAD"),
        git(repo, "status", "--porcelain"),
        (repo / ".git" / "index").read_bytes(),
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.parts and (path.is_symlink() or path.is_file())
    }


def test_the_copy_has_the_files_of_head_and_its_own_branch(repo: Path, home: Path) -> None:
    before = state_of(repo)
    workspace = Workspace.create(home, RUN, repo)
    assert files_of(workspace.tree) == files_of(repo)
    assert os.access(workspace.tree / "run.sh", os.X_OK)
    assert workspace.place.base == before[0]
    assert not workspace.place.snapshot
    assert git(repo, "branch", "--list", "forgewright/*", "--format=%(refname:short)") == f"forgewright/{RUN}"
    assert state_of(repo) == before


def test_uncommitted_changes_come_along_as_a_snapshot_commit(repo: Path, home: Path) -> None:
    (repo / "b.py").write_text("b = 2\n")
    (repo / "new.py").write_text("n = 1\n")
    (repo / "staged.py").write_text("s = 1\n")
    git(repo, "add", "staged.py")
    (repo / "app" / "a.py").unlink()
    (repo / "noise.log").write_text("ignored")
    before = state_of(repo)
    workspace = Workspace.create(home, RUN, repo)
    assert workspace.place.snapshot
    expected = files_of(repo)
    del expected["noise.log"]
    assert files_of(workspace.tree) == expected
    assert state_of(repo) == before
    assert workspace.changes() == ()


def test_a_commit_is_the_same_commit_when_repeated(repo: Path, home: Path) -> None:
    shas = []
    for run_home in (home, home.with_name("home2")):
        workspace = Workspace.create(run_home, RUN, repo)
        (workspace.tree / "c.py").write_text("c = 1\n")
        shas.append(workspace.commit("Add c", EffectId("2.1"), WHEN))
        workspace.remove()
    assert shas[0] == shas[1]


def test_a_commit_is_found_by_its_effect_also_after_it_was_undone(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo)
    assert workspace.find_commit(EffectId("2.1")) is None
    (workspace.tree / "c.py").write_text("c = 1\n")
    first = workspace.commit("Add c", EffectId("2.1"), WHEN)
    (workspace.tree / "sub" / "deep").mkdir(parents=True)
    (workspace.tree / "sub" / "deep" / "d.py").write_text("d = 1\n")
    second = workspace.commit("Add d", EffectId("3.1"), WHEN)
    (workspace.tree / "loose.txt").write_text("not committed")
    workspace.reset(first)
    again = Workspace.open(home, RUN)
    assert again.find_commit(EffectId("3.1")) == second
    assert again.head == first
    assert not (workspace.tree / "sub").exists()
    assert not (workspace.tree / "loose.txt").exists()
    assert f"Forgewright-Effect: {RUN} 2.1" in git(repo, "log", "-1", "--format=%B", workspace.branch)
    assert git(repo, "log", "-1", "--format=%an %ce %ct", workspace.branch) == (
        "Forgewright forgewright@localhost 1700000000"
    )


def test_a_commit_without_a_change_is_head(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo)
    assert workspace.commit("Nothing", EffectId("1.1"), WHEN) == workspace.place.base
    assert workspace.find_commit(EffectId("1.1")) == workspace.place.base


def test_status_changes_and_diff(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo)
    (workspace.tree / "b.py").write_text("b = 1\nbb = 2\n")
    (workspace.tree / "app" / "a.py").unlink()
    (workspace.tree / "ü n.py").write_text("x\n")
    (workspace.tree / "x.pyc").write_bytes(b"left by a test run")
    assert [(c.path, c.kind) for c in workspace.status()] == [
        ("app/a.py", "deleted"),
        ("b.py", "modified"),
        ("ü n.py", "added"),
    ]
    workspace.commit("Change", EffectId("1.1"), WHEN)
    assert workspace.status() == ()
    assert {c.path: (c.added_lines, c.removed_lines) for c in workspace.changes()}["b.py"] == (1, 0)
    assert "+bb = 2" in workspace.diff()


def test_the_tree_digest_tells_content_and_nothing_else(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo)
    first = workspace.tree_digest()
    os.utime(workspace.tree / "b.py", (1, 1))
    assert workspace.tree_digest() == first
    (workspace.tree / "b.py").write_text("b = 7\n")
    assert workspace.tree_digest() != first


def test_create_after_a_crash_begins_anew(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo)
    (workspace.tree / "half.py").write_text("x")
    (workspace.folder / "workspace.json").unlink()
    again = Workspace.create(home, RUN, repo)
    assert files_of(again.tree) == files_of(repo)


def test_remove_leaves_the_repository_as_it_was(repo: Path, home: Path) -> None:
    refs = git(repo, "for-each-ref")
    workspace = Workspace.create(home, RUN, repo)
    (workspace.tree / "c.py").write_text("c = 1\n")
    workspace.commit("Add c", EffectId("2.1"), WHEN)
    workspace.remove()
    assert git(repo, "for-each-ref") == refs
    assert git(repo, "worktree", "list").count("\n") == 0
    assert not workspace.folder.exists()
    with pytest.raises(NotFound):
        Workspace.open(home, RUN)


def test_many_runs_of_one_repository_at_once(repo: Path, home: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work(number: int) -> str:
        workspace = Workspace.create(home, RunId(f"01jtestrun00010{number}"), repo)
        (workspace.tree / f"{number}.py").write_text("x = 1\n")
        workspace.commit(f"Add {number}", EffectId("1.1"), WHEN)
        return workspace.branch

    with ThreadPoolExecutor(4) as pool:
        branches = set(pool.map(work, range(8)))
    assert (
        set(git(repo, "branch", "--list", "forgewright/*", "--format=%(refname:short)").split()) == branches
    )
    git(repo, "fsck", "--strict")


def test_a_subfolder_of_a_repository(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo / "app")
    assert (workspace.root / "a.py").read_text() == "a = 1\n"
    assert (workspace.tree / "b.py").exists()


def test_a_linked_work_tree_and_a_repository_without_commits(repo: Path, home: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert (Workspace.create(home, RUN, tmp_path / "linked").tree / "b.py").exists()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    git(fresh, "init", "-q")
    (fresh / "x.py").write_text("x = 1\n")
    workspace = Workspace.create(home, OTHER, fresh)
    assert (workspace.tree / "x.py").read_text() == "x = 1\n"
    (workspace.tree / "y.py").write_text("y = 1\n")
    workspace.commit("Add y", EffectId("1.1"), WHEN)
    assert apply(workspace).written == 1
    assert (fresh / "y.py").exists()


def test_a_bare_repository_a_file_and_a_merge_under_way_are_refused(
    repo: Path, home: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare")
    with pytest.raises(UsageError, match="bare"):
        Workspace.create(home, RUN, tmp_path / "bare")
    with pytest.raises(NotFound):
        Workspace.create(home, RUN, repo / "b.py")
    git(repo, "switch", "-qc", "side")
    (repo / "b.py").write_text("b = 'side'\n")
    git(repo, "commit", "-qam", "side")
    git(repo, "switch", "-q", "main")
    (repo / "b.py").write_text("b = 'main'\n")
    git(repo, "commit", "-qam", "main")
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *identity, "merge", "side"], cwd=repo, capture_output=True, check=False)
    with pytest.raises(Conflict, match="merge"):
        Workspace.create(home, RUN, repo)


# ── without git ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "a.py").write_text("a = 1\n")
    (folder / ".gitignore").write_text("secret.txt\n")
    (folder / "secret.txt").write_text("s")
    (folder / "inner").symlink_to("pkg/a.py")
    (folder / "outer").symlink_to("/etc/passwd")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x.js").write_text("x")
    with open(folder / "huge.bin", "wb") as file:
        file.truncate(2 << 30)
    os.mkfifo(folder / "pipe")
    return folder


def test_a_snapshot_takes_what_belongs_and_names_what_it_left_out(folder: Path, home: Path) -> None:
    here = os.getcwd()
    os.chdir(folder)  # a socket's path is bounded
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("sock")
        workspace = Workspace.create(home, RUN, folder)
    os.chdir(here)
    assert sorted(files_of(workspace.tree)) == [".gitignore", "inner", "pkg/a.py"]
    assert {item.path for item in workspace.place.left_out} == {"outer", "huge.bin"}
    assert not (workspace.tree / ".git").exists()


def test_a_huge_file_that_is_not_committed_is_left_out_and_named(repo: Path, home: Path) -> None:
    with open(repo / "huge.bin", "wb") as file:
        file.truncate(2 << 30)
    workspace = Workspace.create(home, RUN, repo)
    assert [item.path for item in workspace.place.left_out] == ["huge.bin"]
    assert "2048 MB" in workspace.place.left_out[0].why


def test_a_snapshot_is_committed_reset_forked_and_applied(folder: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, folder)
    (workspace.tree / "pkg" / "a.py").write_text("a = 2\n")
    first = workspace.commit("Two", EffectId("1.1"), WHEN)
    (workspace.tree / "pkg" / "a.py").write_text("a = 3\n")
    workspace.commit("Three", EffectId("2.1"), WHEN)
    fork = Workspace.fork(home, OTHER, workspace, first)
    assert (fork.tree / "pkg" / "a.py").read_text() == "a = 2\n"
    workspace.reset(first)
    assert apply(workspace).written == 1
    assert (folder / "pkg" / "a.py").read_text() == "a = 2\n"
    fork.remove()
    assert Workspace.open(home, RUN).head == first


def test_a_fork_in_git_starts_from_the_commit(repo: Path, home: Path) -> None:
    workspace = Workspace.create(home, RUN, repo)
    (workspace.tree / "c.py").write_text("c = 1\n")
    first = workspace.commit("Add c", EffectId("1.1"), WHEN)
    workspace.reset(workspace.place.base)
    fork = Workspace.fork(home, OTHER, workspace, first)
    assert (fork.tree / "c.py").exists()
    assert fork.head == first


# ── applying ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def done(repo: Path, home: Path) -> Workspace:
    (repo / "app" / "a.py").write_text("a = 'mine, not committed'\n")
    workspace = Workspace.create(home, RUN, repo)
    (workspace.tree / "b.py").unlink()
    (workspace.tree / "app" / "a.py").write_text("a = 2\n")
    (workspace.tree / "new" / "deep").mkdir(parents=True)
    (workspace.tree / "new" / "deep" / "n.sh").write_text("#!/bin/sh\n")
    (workspace.tree / "new" / "deep" / "n.sh").chmod(0o755)
    (workspace.tree / "link").symlink_to("run.sh")
    workspace.commit("All kinds", EffectId("1.1"), WHEN)
    return workspace


def test_apply_writes_everything_and_stages_nothing(repo: Path, done: Workspace) -> None:
    index = (repo / ".git" / "index").read_bytes()
    (repo / "unrelated.txt").write_text("mine")
    assert apply(done).written == 4
    expected = files_of(done.tree) | {"unrelated.txt": b"mine"}
    assert files_of(repo) == expected
    assert os.access(repo / "new" / "deep" / "n.sh", os.X_OK)
    assert (repo / ".git" / "index").read_bytes() == index
    assert apply(done).written == 0


def test_apply_refuses_files_that_changed_and_names_them(repo: Path, done: Workspace) -> None:
    (repo / "app" / "a.py").write_text("a = 'changed again'\n")
    before = files_of(repo)
    with pytest.raises(Conflict, match=r"app/a\.py") as caught:
        apply(done)
    assert f"git merge forgewright/{RUN}" in str(caught.value)
    assert files_of(repo) == before


def test_apply_refuses_a_new_file_in_the_way(repo: Path, done: Workspace) -> None:
    (repo / "link").write_text("mine")
    with pytest.raises(Conflict, match="link"):
        apply(done)


def test_apply_refuses_when_head_moved(repo: Path, done: Workspace) -> None:
    git(repo, "commit", "-qam", "mine after all")
    with pytest.raises(Conflict, match=r"moved .*app/a\.py"):
        apply(done)


def test_apply_never_writes_through_a_link(repo: Path, home: Path, done: Workspace, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repo / "new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePath, match="new"):
        apply(done)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("fails_at", range(4))
def test_apply_puts_everything_back_when_a_write_fails(
    repo: Path, done: Workspace, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    before = files_of(repo)
    real, calls = os.replace, []

    def replace(source: Path, target: Path) -> None:
        if str(source).endswith(".new"):
            calls.append(target)
            if len(calls) == fails_at:
                raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(applying.os, "replace", replace)
    if fails_at == 0:
        apply(done)
        return
    with pytest.raises(Exception, match="nothing was changed"):
        apply(done)
    assert files_of(repo) == before
    assert not (repo / "new").exists()
