"""The whole conformance suite again as an ordinary user: no cgroup, no id-mapped mounts, one mapped id."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sandbox

UID = 23_456
ROOT = Path(__file__).parents[2]


def reachable_by_others(needed: list[Path], scratch: Path) -> str:
    """Shell commands for a private mount namespace in which every user can reach the folders `needed`."""
    lines = []
    closed = {a for path in needed for a in (*reversed(path.parents), path) if not a.stat().st_mode & 0o001}
    for number, ancestor in enumerate(sorted(closed, key=lambda path: len(path.parts))[:1]):
        hold = scratch / str(number)
        hold.mkdir()
        lines += [
            f"mount --bind {shlex.quote(str(ancestor))} {hold}",
            f"mount -t tmpfs -o mode=755 none {ancestor}",
        ]
        for path in (p for p in needed if p.is_relative_to(ancestor)):
            there = shlex.quote(str(path))
            lines += [f"mkdir -p {there}", f"mount --bind {hold / path.relative_to(ancestor)} {there}"]
    return "\n".join(lines)


def test_conformance_as_an_ordinary_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests ran as an ordinary user already")
    if os.environ.get("FORGEWRIGHT_ROOTLESS"):
        pytest.skip("this is the inner run")
    scratch = Path("/tmp") / f"fw-rootless-{os.getpid()}"
    scratch.mkdir(mode=0o755)
    home = scratch / "home"
    home.mkdir()
    os.chown(home, UID, UID)
    bases = {Path(sys.prefix), Path(sys.base_prefix), Path(os.path.realpath(sys.base_prefix)), ROOT}
    program = Path(os.path.realpath(sys.executable)).parent.parent
    needed = sorted(path for path in bases | {program} if path != Path("/usr"))
    script = f"""set -e
{reachable_by_others(needed, scratch)}
cd {shlex.quote(str(ROOT))}
exec setpriv --reuid={UID} --regid={UID} --clear-groups --bounding-set=-all env -i PATH="$PATH" HOME={home} \
    CI="${{CI-}}" PYTHONDONTWRITEBYTECODE=1 FORGEWRIGHT_ROOTLESS=1 FORGEWRIGHT_SANDBOX_STATE={home}/state \
    {shlex.quote(sys.executable)} -m pytest -v -p no:cacheprovider -p no:xdist --basetemp={home}/t \
    tests/contracts/test_sandbox.py -k crun
"""
    try:
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert " passed" in done.stdout
        assert not list((home / "state").glob("fw*"))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
