"""The Docker Engine's own: what an engine cannot mount is copied, and what a killed process leaves is removed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.docker_engine import engine

from forgewright.core.errors import SandboxError, UsageError
from forgewright.sandbox import Command, Mount, SandboxSpec, cgroups
from forgewright.sandbox.docker_api import DockerApi, engine_socket
from forgewright.sandbox.drivers.docker import DockerDriver
from forgewright.sandbox.unix_http import UnixHttp

pytestmark = pytest.mark.sandbox

VICTIM = """
import asyncio, os, sys
from forgewright.sandbox import Command, SandboxSpec
from forgewright.sandbox.drivers.docker import DockerDriver

async def main():
    sandbox = await DockerDriver(sys.argv[1]).create(SandboxSpec())
    command = Command(argv=("sh", "-c", "echo up; setsid sleep 543 & sleep 543"))
    await sandbox.run(command, on_output=lambda stream, data: print(sandbox.id, flush=True))

asyncio.run(main())
"""


async def test_nothing_of_the_engine_is_inside() -> None:
    sandbox = await DockerDriver(engine()).create(SandboxSpec())
    try:
        script = "ls -A /sys /dev/mqueue /root; cat /etc/resolv.conf"
        ended = await sandbox.run(Command(argv=("sh", "-c", script)))
        assert ended.stdout == b"/dev/mqueue:\n\n/root:\n\n/sys:\n"
    finally:
        await sandbox.close()


async def test_folders_are_bound_where_the_payload_may_use_them_and_copied_otherwise(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in ("bound", "copied"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("host")
    os.chown(tmp_path / "bound", 1000, 1000)
    (tmp_path / "copied").chmod(0o700)
    mounts = tuple(Mount(str(tmp_path / name), f"/{name}", "rw") for name in ("bound", "copied"))
    sandbox = await DockerDriver(engine()).create(SandboxSpec(mounts=mounts))
    try:
        await sandbox.run(Command(argv=("sh", "-c", "echo in > /bound/new; echo in > /copied/new")))
        assert (tmp_path / "bound" / "new").exists()
        assert not (tmp_path / "copied" / "new").exists()
    finally:
        await sandbox.close()
    assert (tmp_path / "copied" / "new").read_text() == "in\n"


async def test_a_killed_process_leaves_no_container() -> None:
    path = engine()
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, path], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    name = (await asyncio.to_thread(victim.stdout.readline)).strip()
    api = DockerApi(path)
    pid = await api.process(name)
    assert pid
    assert cgroups.cgroup_of(pid) is not None
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    await DockerDriver(path).clean()
    assert not any(label.startswith(name) for _, label in await api.list())
    assert not os.path.exists(f"/proc/{pid}/cmdline") or not Path(f"/proc/{pid}/cmdline").read_bytes()
    assert (
        b"543" not in subprocess.run(["pgrep", "-af", "sleep 543"], capture_output=True, check=False).stdout
    )


async def test_cleaning_leaves_living_containers_and_those_of_others_alone() -> None:
    path = engine()
    api = DockerApi(path)
    sandbox = await DockerDriver(path).create(SandboxSpec())
    try:
        await DockerDriver(path).clean()
        assert any(label.startswith(sandbox.id) for _, label in await api.list())
        await sandbox.ping()
    finally:
        await sandbox.close()
    assert not any(label.startswith(sandbox.id) for _, label in await api.list())


async def test_an_engine_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = await DockerDriver(str(tmp_path / "none")).probe()
    assert not probe.available
    assert "does not answer" in probe.detail
    assert probe.install
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    with pytest.raises(UsageError, match="expected unix"):
        engine_socket()


@pytest.mark.parametrize(
    "told",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n}{"],
)  # fmt: skip
async def test_answers_that_are_none_are_errors_of_the_sandbox(tmp_path: Path, told: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(told)
        writer.close()

    path = str(tmp_path / "s")
    server = await asyncio.start_unix_server(serve, path)
    with pytest.raises(SandboxError):
        await UnixHttp(path, service="it", seconds=5).call("GET", "/")
    server.close()
