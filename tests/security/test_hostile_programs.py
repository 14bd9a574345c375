"""Every hostile program in every tier: contained, by its effect, with canaries on the host as proof."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.security.hostile import EXHAUSTION, PRELUDE, PROGRAMS, Program

from forgewright.sandbox import Command, Driver, Exit, Limits, SandboxSpec, Tier, driver

pytestmark = pytest.mark.sandbox

TIERS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}
SLOWER = {"container": 1, "gvisor": 1, "microvm": 4}
"""How much longer a program may take to run into its limit, where the processor is emulated."""

LIMITS = Limits(memory_bytes=192 << 20, processes=48, disk_bytes=48 << 20, files=512, output_bytes=1 << 16)
WATCHED = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/modprobe",
    "/etc/passwd",
)


class Canaries(msgspec.Struct):
    """Things on the host that anybody on it could reach, and nobody in a sandbox may."""

    token: str
    file: Path
    port: int
    abstract: str
    socket: str
    mark: str

    def arguments(self) -> tuple[str, ...]:
        return (str(self.file), str(self.port), self.abstract, self.socket, self.mark)


def _serve(server: socket.socket, token: str) -> None:
    server.listen()
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(token.encode())


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    token = secrets.token_hex(16)
    folder = Path("/tmp") / f"fw-canary-{token[:8]}"
    folder.mkdir(mode=0o755)
    file = folder / "file"
    file.write_text(token)
    servers = [socket.create_server(("127.0.0.1", 0)), *(socket.socket(socket.AF_UNIX) for _ in range(2))]
    servers[1].bind(f"\0fw-canary-{token[:8]}")
    servers[2].bind(str(folder / "socket"))
    for server in servers:
        threading.Thread(target=_serve, args=(server, token), daemon=True).start()
    os.environ["FORGEWRIGHT_CANARY"] = token
    yield Canaries(
        token, file, servers[0].getsockname()[1], f"fw-canary-{token[:8]}", str(folder / "socket"),
        str(100_000 + secrets.randbelow(800_000)),
    )  # fmt: skip
    for server in servers:
        server.close()
    del os.environ["FORGEWRIGHT_CANARY"]
    shutil.rmtree(folder)


def host_state() -> dict[str, object]:
    """What a program that got out could have changed."""
    state: dict[str, object] = {path: Path(path).read_bytes() for path in WATCHED if os.path.exists(path)}
    state["owned"] = os.path.exists("/tmp/owned") or os.path.exists("/usr/bin/owned")
    modules = Path("/proc/modules")
    state["modules"] = (
        {line.split()[0] for line in modules.read_text().splitlines()} if modules.exists() else {}
    )
    return state


@pytest.fixture
def chosen(tier: str) -> Driver:
    program = TIERS[tier]
    if not (shutil.which(program) or shutil.which(program, path="/usr/sbin")):
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return driver(tier)


def combinations() -> list[object]:
    """All programs in all tiers. What exhausts something is slow on an emulated processor: `make soak`."""
    slow = {program.name for program in EXHAUSTION}
    return [
        pytest.param(
            tier, program, id=f"{tier}-{program.name}",
            marks=[pytest.mark.soak] if tier == "microvm" and program.name in slow else [],
        )
        for tier in TIERS
        for program in PROGRAMS
    ]  # fmt: skip


def running_with(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:1] == [b"sleep"] and mark.encode() in words:
                found.append(entry.name)
    return found


def test_there_are_at_least_sixty_with_names_of_their_own() -> None:
    assert len(PROGRAMS) >= 60
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS)


@pytest.mark.parametrize(
    "name", ["read-the-canary", "host-loopback", "host-abstract-socket", "host-unix-socket"]
)
def test_the_canaries_can_be_reached_on_the_host(name: str, canaries: Canaries) -> None:
    """The same programs outside: were the sandbox not there, the tests below would see it."""
    program = next(p for p in PROGRAMS if p.name == name)
    argv = [sys.executable, "-c", PRELUDE + program.source, *canaries.arguments()]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert "DONE" in done.stdout
    assert canaries.token in done.stdout


def check(ended: Exit, program: Program, chosen: Driver, canaries: Canaries) -> None:
    """That the program ended as it should, told nothing, and was refused."""
    if program.reason:
        assert ended.reason in program.reason.split("|"), ended
    else:
        assert ended.reason == "exit", ended
    text = ended.stdout.decode("utf-8", "replace")
    assert canaries.token not in text + ended.stderr.decode("utf-8", "replace")
    own_kernel = program.own_kernel and chosen.tier is not Tier.CONTAINER
    if not program.quiet:
        assert "REFUSED" in text or own_kernel, ended
    if not program.quiet and not own_kernel:
        assert "DONE" not in text, ended
    assert len(ended.stdout) <= LIMITS.output_bytes
    assert len(ended.stderr) <= LIMITS.output_bytes


@pytest.mark.parametrize(("tier", "program"), combinations())
async def test_contained(tier: str, program: Program, chosen: Driver, canaries: Canaries) -> None:
    before = host_state()
    sandbox = await chosen.create(SandboxSpec(tier=Tier(chosen.tier), limits=LIMITS))
    try:
        command = Command(
            argv=("python3", "-I", "-S", "-c", PRELUDE + program.source, *canaries.arguments()),
            timeout_seconds=program.seconds * (1 if "timeout" in program.reason else SLOWER[tier]),
        )
        check(await sandbox.run(command), program, chosen, canaries)
    finally:
        await asyncio.wait_for(sandbox.close(), 30)
    assert running_with(canaries.mark) == []
    assert host_state() == before
    assert canaries.file.read_text() == canaries.token


def test_the_page_of_programs_is_what_they_are() -> None:
    import runpy

    root = Path(__file__).parents[2]
    written = runpy.run_path(str(root / "scripts" / "hostile.py"))["page"]()
    page = root / "docs" / "reference" / "hostile-programs.md"
    assert page.read_text() == written, "run: python scripts/hostile.py"
