"""A folder lent to other frameworks is held to the policy there, too: for their file tools and for their shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forgewright.core.errors import UsageError
from forgewright.integrations.deepagents import ForgewrightBackend
from forgewright.integrations.pydantic_ai import ForgewrightWorkspace
from forgewright.policy.gate import CedarGate

KEPT = {
    ".env": "TOKEN=hunter2\n",
    ".git/config": "[core]\n",
    ".github/workflows/ci.yml": "on: push\n",
    ".envrc": "as it was\n",
    "certs/site.pem": "hunter2\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in {**KEPT, "app.py": "print(1)\n", "old.txt": "old\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.fixture
def backend(root: Path) -> Iterator[ForgewrightBackend]:
    with ForgewrightBackend(root=root) as made:
        yield made


def kept(root: Path) -> dict[str, str]:
    return {path: (root / path).read_text() for path in KEPT}


def test_the_shell_sees_and_changes_no_more_than_the_tools(backend: ForgewrightBackend, root: Path) -> None:
    assert "hunter2" not in backend.execute("cat .env certs/* /work/.env; grep -rs hunter2 /work").output
    assert "not found" not in (backend.read("/work/.env").error or "")
    assert "may be read only if owner says so" in (backend.read("/work/.env").error or "")
    assert backend.download_files(["/work/certs/site.pem"])[0].error == "permission_denied"
    assert [e["path"] for e in backend.ls("/work/certs").entries] == []
    assert backend.grep("hunter2", "/work").matches == []
    assert backend.glob("*.pem", "/work").matches == []
    for path in (".git/config", ".github/workflows/ci.yml", ".github/workflows/new.yml"):
        assert "forbidden by the policy" in (backend.write(f"/work/{path}", "harm").error or "")
        assert "forbidden by the policy" in (backend.delete(f"/work/{path}").error or "")
        assert backend.upload_files([(f"/work/{path}", b"harm")])[0].error == "permission_denied"
    assert "Read-only" in backend.execute("echo harm > .git/config").output
    backend.execute(
        "mv .github g; mkdir -p .github/workflows; echo harm > .github/workflows/ci.yml; echo x > .gitmodules"
    )
    taken = backend.take_over()
    assert taken.paths == ("g/workflows/ci.yml",)  # a copy, and no workflow any more
    assert any(".gitmodules" in line and "no-edits-of-git" in line for line in taken.refused)
    assert kept(root) == KEPT
    assert not (root / ".gitmodules").exists()


def test_the_folder_changes_only_when_it_is_taken_over(backend: ForgewrightBackend, root: Path) -> None:
    assert (
        backend.execute("pwd; sed -i s/1/2/ app.py; rm old.txt; echo run > run.sh; chmod +x run.sh").output
        == "/work\n"
    )
    assert backend.write("/work/docs/a.md", "text").error is None
    assert backend.edit("/work/app.py", "print", "print ").occurrences == 1
    assert (root / "app.py").read_text() == "print(1)\n"
    taken = backend.take_over()
    assert taken.paths == ("app.py", "docs/a.md", "old.txt", "run.sh")
    assert (root / "app.py").read_text() == "print (2)\n"
    assert (root / "run.sh").stat().st_mode & 0o100
    assert not (root / "old.txt").exists()
    assert backend.take_over().paths == ()
    backend.execute("echo 3 >> app.py")
    assert backend.take_over().paths == ("app.py",)


def test_what_needs_a_yes_is_asked(backend: ForgewrightBackend, root: Path) -> None:
    backend.execute("echo use flake > .envrc")
    assert any("needs a yes of owner" in line for line in backend.take_over().refused)
    assert kept(root) == KEPT
    assert backend.take_over(lambda path, who: (path, who) == (".envrc", "owner")).paths == (".envrc",)
    assert (root / ".envrc").read_text() == "use flake\n"


def test_somebody_elses_change_is_not_overwritten(backend: ForgewrightBackend, root: Path) -> None:
    backend.execute("echo mine > app.py")
    (root / "app.py").write_text("theirs\n")
    assert any("somebody else changed it" in line for line in backend.take_over().refused)
    assert (root / "app.py").read_text() == "theirs\n"


async def test_pydantic_ai_is_held_to_it_too(root: Path) -> None:
    workspace = ForgewrightWorkspace(root=root)
    try:
        assert await workspace.working_dir() == "/work"
        assert "hunter2" not in (await workspace.run("cat .env certs/*", shell=True)).stdout
        for path in (".git/config", ".github/workflows/new.yml"):
            with pytest.raises(PermissionError):
                await workspace.write_bytes(f"/work/{path}", b"harm")
            with pytest.raises(PermissionError):
                await workspace.remove(f"/work/{path}")
        with pytest.raises(PermissionError):
            await workspace.read_bytes("/work/.env")
        await workspace.write_bytes("/work/new.txt", b"new")
        assert (await workspace.take_over()).paths == ("new.txt",)
        assert kept(root) == KEPT
    finally:
        await workspace.destroy()


def test_a_policy_of_ones_own(root: Path) -> None:
    gate = CedarGate({"own.cedar": '@id("r") permit (principal, action == Action::"read", resource);'})
    with ForgewrightBackend(root=root, gate=gate) as backend:
        assert "hunter2" in backend.execute("cat .env").output
        assert backend.write("/work/x", "x").error is not None
        backend.execute("echo x > x")
        assert backend.take_over().paths == ()
    with pytest.raises(UsageError, match="root"):
        ForgewrightBackend(gate=gate)
