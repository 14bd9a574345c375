"""The official conformance suite of the Model Context Protocol, against our real server and client.

Installed by npm (with the Node that it needs) into the virtual environment's folder; the requirement sets are
frozen lists of scenarios that ship with the suite. Takes five minutes: `make soak`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "tools" / "mcp"
PACKAGES = ("node@24", "@modelcontextprotocol/conformance@0.2.0-alpha.12")
REVISIONS = {"2025-11-25": (30, 18), "2026-07-28": (37, 32)}
"""Revision → required scenarios for servers and for clients."""


class Suite:
    """The installed suite."""

    def __init__(self, folder: Path) -> None:
        modules = folder / "node_modules"
        self.package = modules / "@modelcontextprotocol" / "conformance"
        self.command = [str(modules / "node" / "bin" / "node"), str(self.package / "dist" / "index.js")]

    def required(self, revision: str, side: str) -> list[str]:
        """Names of the scenarios that a revision requires of `server` or `client`."""
        text = (self.package / "requirements" / f"{revision}.yaml").read_text()
        section = re.split(r"^(\w+):$", text, flags=re.MULTILINE)
        lists = dict(zip(section[1::2], section[2::2], strict=True))
        return re.findall(r"^  - (\S+)$", lists[side], flags=re.MULTILINE)

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def suite() -> Suite:
    npm = shutil.which("npm")
    if npm is None:
        reason = "npm is needed for the conformance suite; run: apt-get install npm"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(sys.prefix) / ".mcp-conformance"
    folder.mkdir(exist_ok=True)
    made = Suite(folder)
    if not made.package.is_dir():
        subprocess.run([npm, "install", "--prefix", str(folder), *PACKAGES], check=True, timeout=600)
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With an engine, its gate and its journal in the path of each call."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(FIXTURES / "everything.py"), str(port), str(home)])
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)  # another process's port has no event to wait for
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize("revision", REVISIONS)
def test_server(suite: Suite, server: str, revision: str, tmp_path: Path) -> None:
    required = suite.required(revision, "server")
    assert len(required) == REVISIONS[revision][0]
    failed = {}
    for scenario in required:
        done = suite.run(
            "server", "--url", server, "--scenario", scenario, "--spec-version", revision, cwd=tmp_path
        )
        if done.returncode:
            failed[scenario] = done.stdout[-2000:]
    assert failed == {}


@pytest.mark.parametrize("revision", REVISIONS)
def test_client(suite: Suite, revision: str, tmp_path: Path) -> None:
    """One after the other: the suite's parallel runner measures the machine's load."""
    required = suite.required(revision, "client")
    assert len(required) == REVISIONS[revision][1]
    failed = {}
    for scenario in required:
        done = suite.run(
            "client",
            "--command",
            f"{sys.executable} {FIXTURES / 'conformance_client.py'}",
            "--scenario",
            scenario,
            "--spec-version",
            revision,
            "--timeout",
            "60000",
            cwd=tmp_path,
        )
        if done.returncode:
            failed[scenario] = done.stdout[-2000:]
    assert failed == {}
