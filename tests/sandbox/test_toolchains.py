"""A Python project's own environment works inside, read-only, at its own path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forgewright.core.errors import NotFound
from forgewright.sandbox import Command, Mount, SandboxSpec, open_sandbox, python_mounts

VENV = Path(sys.prefix)


def test_what_lies_in_usr_needs_no_mount(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/usr/bin/env")
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert python_mounts(tmp_path) == (Mount(str(tmp_path), str(tmp_path)),)


def test_no_environment_and_a_broken_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"pyvenv\.cfg"):
        python_mounts(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/no/such/python")
    (tmp_path / "pyvenv.cfg").write_text("home = /no/such\n")
    with pytest.raises(NotFound, match="/no/such/python"):
        python_mounts(tmp_path)


@pytest.mark.sandbox
async def test_this_projects_environment_runs_inside(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import msgspec\n\ndef test_it():\n    assert msgspec.json.encode(1) == b'1'\n"
    )
    spec = SandboxSpec(mounts=(*python_mounts(VENV), Mount(str(tmp_path), "/work", "cow")), workdir="/work")
    sandbox = await open_sandbox(spec, "container")
    try:
        ended = await sandbox.run(
            Command(argv=(str(VENV / "bin" / "python"), "-m", "pytest", "-q", "test_it.py"))
        )
        assert b"1 passed" in ended.stdout, ended
        probe = f"open({str(VENV / 'pyvenv.cfg')!r}, 'a')"
        assert b"Read-only" in (await sandbox.run(Command(argv=("python3", "-c", probe)))).stderr
    finally:
        await sandbox.close()
    assert [path.name for path in tmp_path.iterdir()] == ["test_it.py"]
