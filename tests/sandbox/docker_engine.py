"""A Docker Engine for the tests: the one that runs here, or one of our own, started for as long as the tests run."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest

_DATA = ["--storage-driver=vfs", "--bridge=none", "--iptables=false", "--ip6tables=false"]


@cache
def _engine() -> str:
    """The socket of an engine, or why there is none."""
    usual = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    if _answers(usual):
        return usual
    dockerd = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin")
    if dockerd is None or os.geteuid() != 0:
        return "no Docker Engine runs here and none can be started; run as root: apt-get install docker.io"
    folder = Path(tempfile.mkdtemp(prefix="fw-docker-", dir="/var/tmp"))
    path = folder / "docker.sock"
    argv = [dockerd, *_DATA, f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid",
            f"--host=unix://{path}"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
    atexit.register(_stop, process, folder)
    for _ in range(300):
        if _answers(str(path)):
            return str(path)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    return f"dockerd does not start here: {(folder / 'log').read_text()[-300:]}"


def _answers(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b"200" in connection.recv(64)
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    subprocess.run(
        ["umount", "-q", "-l", *map(str, folder.glob("exec/**/netns/*"))], check=False, capture_output=True
    )
    shutil.rmtree(folder, ignore_errors=True)


def engine() -> str:
    """As above; the test is skipped where there is none, also in CI: an engine is a service, not a program."""
    found = _engine()
    if not found.startswith("/"):
        pytest.skip(found)
    return found
