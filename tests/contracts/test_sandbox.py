"""What every driver of `forgewright.sandbox` that runs commands promises; each passes all of it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.sandbox.docker_engine import engine
from tests.sandbox.test_firecracker import programs

from forgewright.core.errors import NotFound, Refused, SandboxError, UnsafePath, UsageError
from forgewright.sandbox import Command, Driver, Exit, Limits, Mount, Sandbox, SandboxSpec, Tier
from forgewright.sandbox.drivers.container import ContainerDriver
from forgewright.sandbox.drivers.docker import DockerDriver
from forgewright.sandbox.drivers.firecracker import FirecrackerDriver
from forgewright.sandbox.drivers.gvisor import GvisorDriver
from forgewright.sandbox.drivers.microvm import INSTALL as MICROVM
from forgewright.sandbox.drivers.microvm import MicrovmDriver
from forgewright.sandbox.session import AgentSandbox

MIB = 1 << 20


def firecracker() -> Driver:
    made = FirecrackerDriver(*programs())
    with ThreadPoolExecutor(1) as thread:  # a loop of its own: fixtures are made inside one
        probe = thread.submit(asyncio.run, made.probe()).result()
    if not probe.available:  # tests/sandbox/test_firecracker.py goes as far as this machine's KVM does
        pytest.skip(f"Firecracker: {probe.detail}")
    return made


DRIVERS = {
    "crun": ("crun", lambda: ContainerDriver("crun"), "apt-get install crun"),
    "runc": ("runc", lambda: ContainerDriver("runc"), "apt-get install runc"),
    "runsc": ("runsc", GvisorDriver, "apt-get install runsc"),
    "qemu": (
        "qemu-system-x86_64",
        lambda: MicrovmDriver(os.environ.get("FORGEWRIGHT_QEMU_ACCEL") or "tcg"),
        MICROVM,
    ),
    "docker": (None, lambda: DockerDriver(engine()), ""),
    "firecracker": (None, firecracker, ""),
}

pytestmark = pytest.mark.sandbox


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    program, make, install = DRIVERS[request.param]
    if program and not (shutil.which(program) or shutil.which(program, path="/usr/sbin")):
        message = f"{program} is not installed; run: {install}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return make()


@pytest.fixture
async def sandbox(driver: Driver) -> AsyncIterator[Sandbox]:
    made = await driver.create(
        SandboxSpec(limits=Limits(memory_bytes=256 * MIB, processes=64, disk_bytes=32 * MIB))
    )
    yield made
    await made.close()


async def shell(sandbox: Sandbox, script: str, **options: object) -> Exit:
    return await sandbox.run(Command(argv=("sh", "-c", script), **options))  # type: ignore[arg-type]


async def test_run_gives_code_and_output(sandbox: Sandbox) -> None:
    ended = await shell(sandbox, "echo out; echo err >&2; exit 3")
    assert (ended.code, ended.reason, ended.stdout, ended.stderr) == (3, "exit", b"out\n", b"err\n")
    assert not ended.ok
    assert (await sandbox.run(Command(argv=("true",)))).ok


async def test_stdin_larger_than_a_pipe_arrives_whole(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 12_000
    ended = await sandbox.run(Command(argv=("cat",), stdin=data))
    assert ended.stdout == data


async def test_stdin_that_nobody_reads_is_no_obstacle(sandbox: Sandbox) -> None:
    assert (await sandbox.run(Command(argv=("true",), stdin=b"x" * (1 << 20)))).ok


async def test_output_is_streamed_while_the_command_runs(sandbox: Sandbox) -> None:
    seen = asyncio.Event()
    await sandbox.write("/tmp/gate", b"")

    def on_output(stream: str, data: bytes) -> None:
        if stream == "stdout" and b"first" in data:
            seen.set()

    script = "echo first; while [ -e /tmp/gate ]; do sleep 0.01; done; echo second"
    running = asyncio.create_task(sandbox.run(Command(argv=("sh", "-c", script)), on_output=on_output))
    await asyncio.wait_for(seen.wait(), 20)
    assert not running.done()
    await sandbox.remove("/tmp/gate")
    assert (await running).stdout == b"first\nsecond\n"


async def test_output_past_the_limit_is_counted_and_thrown_away(driver: Driver) -> None:
    sandbox = await driver.create(SandboxSpec(limits=Limits(output_bytes=1000)))
    try:
        ended = await shell(sandbox, "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2")
        assert (len(ended.stdout), len(ended.stderr)) == (1000, 1000)
        assert (ended.stdout_bytes, ended.stderr_bytes) == (3_000_000, 2_000_000)
        assert ended.ok
    finally:
        await sandbox.close()


async def test_environment_and_workdir(driver: Driver) -> None:
    sandbox = await driver.create(SandboxSpec(environment={"A": "spec", "B": "spec"}, workdir="/tmp"))
    try:
        ended = await shell(sandbox, 'echo "$A $B $HOME"; pwd', environment={"B": "command"})
        assert ended.stdout == b"spec command /home/sandbox\n/tmp\n"
        assert (await shell(sandbox, "pwd", workdir="/usr")).stdout == b"/usr\n"
        assert (await shell(sandbox, "pwd", workdir="/nowhere")).code == 126
    finally:
        await sandbox.close()


async def test_characters_are_utf8_unless_the_spec_names_a_language(driver: Driver) -> None:
    for environment, wanted in (({}, "LC_CTYPE=C.UTF-8"), ({"LANG": "C"}, "LANG=C")):
        sandbox = await driver.create(SandboxSpec(environment=environment))
        try:
            ended = await shell(sandbox, "env | grep -E '^(LANG|LC_)'; printf ä | wc -m")
            assert ended.stdout.decode().split() == [wanted, "1" if not environment else "2"]
        finally:
            await sandbox.close()


async def test_nothing_of_the_engines_environment_is_inside(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGEWRIGHT_CANARY", "secret")
    assert b"CANARY" not in (await sandbox.run(Command(argv=("env",)))).stdout


async def test_a_missing_program_is_the_commands_failure(sandbox: Sandbox) -> None:
    ended = await sandbox.run(Command(argv=("no-such-program",)))
    assert (ended.code, ended.reason) == (127, "exit")
    assert b"no-such-program" in ended.stderr


async def test_signal_is_named(sandbox: Sandbox) -> None:
    ended = await shell(sandbox, "kill -TERM $$")
    assert (ended.code, ended.reason) == (143, "signal")


async def test_timeout_kills_the_whole_tree(sandbox: Sandbox) -> None:
    script = "sleep 987.0 & setsid sleep 987.0 & (setsid sh -c 'sleep 987.0 & sleep 987.0' &) ; sleep 987.0"
    ended = await shell(sandbox, script, timeout_seconds=0.4)
    assert (ended.reason, ended.code) == ("timeout", 137)
    assert ended.seconds < 5
    assert b"987.0" not in (await sandbox.run(Command(argv=("ps", "ax")))).stdout


async def test_timeout_of_one_leaves_the_others(sandbox: Sandbox) -> None:
    other = asyncio.create_task(shell(sandbox, "read line; echo $line", stdin=b""))
    await sandbox.write("/tmp/gate", b"")
    waiting = asyncio.create_task(shell(sandbox, "while [ -e /tmp/gate ]; do sleep 0.01; done; echo alive"))
    ended = await shell(sandbox, "setsid sleep 987.0 & sleep 987.0", timeout_seconds=0.4)
    assert ended.reason == "timeout"
    await sandbox.remove("/tmp/gate")
    assert (await waiting).stdout == b"alive\n"
    await other
    assert b"987.0" not in (await sandbox.run(Command(argv=("ps", "ax")))).stdout


async def test_cancelling_kills_the_tree(sandbox: Sandbox) -> None:
    started = asyncio.Event()
    command = Command(argv=("sh", "-c", "echo up; setsid sleep 876.0 & sleep 876.0"))
    running = asyncio.create_task(sandbox.run(command, on_output=lambda stream, data: started.set()))
    await asyncio.wait_for(started.wait(), 20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert b"876.0" not in (await sandbox.run(Command(argv=("ps", "ax")))).stdout


async def test_memory_limit_is_felt_and_named(sandbox: Sandbox) -> None:
    ended = await sandbox.run(Command(argv=("python3", "-c", "x = b'x' * (400 << 20); print(len(x))")))
    assert ended.reason == "oom"
    assert ended.code != 0
    assert (await sandbox.run(Command(argv=("echo", "still here")))).ok


async def test_process_limit_is_felt_and_named(sandbox: Sandbox) -> None:
    script = "import os\nfor i in range(300):\n    if os.fork() == 0:\n        import time; time.sleep(60)\n"
    ended = await sandbox.run(Command(argv=("python3", "-c", script)))
    assert ended.reason == "pids"
    assert (await sandbox.run(Command(argv=("echo", "still here")))).ok


async def test_disk_limit_is_felt_and_named(sandbox: Sandbox) -> None:
    ended = await shell(sandbox, "head -c 200000000 /dev/zero > /tmp/big")
    assert ended.reason == "disk"
    await sandbox.remove("/tmp/big")
    ended = await shell(sandbox, "cd /tmp; i=0; while : > f$i; do i=$((i+1)); done; echo $i; exit 1")
    assert ended.reason == "disk"


async def test_files_go_in_and_out(sandbox: Sandbox) -> None:
    data = os.urandom(3 << 20)
    await sandbox.write("/tmp/a/b/file", data, mode=0o750)
    assert await sandbox.read("/tmp/a/b/file") == data
    assert (await shell(sandbox, "find /tmp/a/b/file -printf %m")).stdout == b"750"
    await sandbox.write("/tmp/a/b/file", b"short")
    assert await sandbox.read("/tmp/a/b/file") == b"short"
    await sandbox.write("/tmp/a/z", b"")
    assert list(await sandbox.list("/tmp/a")) == ["b", "z"]
    await sandbox.remove("/tmp/a")
    with pytest.raises(NotFound):
        await sandbox.read("/tmp/a/z")
    with pytest.raises(NotFound):
        await sandbox.list("/tmp/a")
    with pytest.raises(NotFound):
        await sandbox.remove("/tmp/a")


async def test_files_that_are_none_or_too_large_are_refused(sandbox: Sandbox) -> None:
    await shell(sandbox, "mkfifo /tmp/fifo; ln -s /dev/zero /tmp/zero; head -c 2000 /dev/zero > /tmp/large")
    for path in ("/tmp/fifo", "/tmp/zero", "/tmp", "/dev/zero"):
        with pytest.raises(SandboxError):
            await sandbox.read(path)
    with pytest.raises(SandboxError):
        await sandbox.read("/tmp/large", bytes_max=1000)
    with pytest.raises(Refused):
        await sandbox.write("/usr/bin/sh", b"no")


async def test_trees_go_in_and_out(sandbox: AgentSandbox, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    (source / "deep" / "er").mkdir(parents=True)
    back.mkdir()
    (source / "deep" / "er" / "file").write_bytes(bytes(range(256)) * 1000)
    (source / "empty").write_bytes(b"")
    (source / "program").write_text("#!/bin/sh\necho ran\n")
    (source / "program").chmod(0o755)
    (source / "link").symlink_to("deep/er/file")
    await sandbox.upload(source, "/tmp/tree")
    assert (
        await shell(sandbox, "/tmp/tree/program; readlink /tmp/tree/link")
    ).stdout == b"ran\ndeep/er/file\n"
    await shell(sandbox, "cd /tmp/tree; mkfifo fifo; echo new > deep/new; rm empty")
    await sandbox.download("/tmp/tree", back)
    assert sorted(str(p.relative_to(back)) for p in back.rglob("*")) == [
        "deep", "deep/er", "deep/er/file", "deep/new", "link", "program",
    ]  # fmt: skip
    assert (back / "link").read_bytes() == (source / "deep" / "er" / "file").read_bytes()
    assert (back / "program").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("trap", ["ln -s /etc x", "ln -s ../../outside x", "mkdir d; ln -s ../../x d/x"])
async def test_links_that_lead_out_are_refused(sandbox: AgentSandbox, tmp_path: Path, trap: str) -> None:
    (tmp_path / "back").mkdir()
    await shell(sandbox, f"mkdir /tmp/t; cd /tmp/t; {trap}")
    with pytest.raises(UnsafePath):
        await sandbox.download("/tmp/t", tmp_path / "back")
    assert os.listdir(tmp_path) == ["back"]


async def test_mount_modes(driver: Driver, tmp_path: Path) -> None:
    for name in ("ro", "rw", "cow"):
        (tmp_path / name).mkdir(mode=0o700)
        (tmp_path / name / "file").write_text("host")
    spec = SandboxSpec(
        mounts=tuple(Mount(str(tmp_path / m), f"/work/{m}", m) for m in ("ro", "rw", "cow")),  # type: ignore[arg-type]
        workdir="/work",
    )
    sandbox = await driver.create(spec)
    try:
        script = (
            "for m in ro rw cow; do echo inside > $m/file; echo new > $m/new; cat $m/file; done 2>/dev/null"
        )
        ended = await shell(sandbox, script)
        assert ended.stdout == b"hostinside\ninside\n"
        assert list(await sandbox.list("/work/cow")) == ["file", "new"]
        await shell(sandbox, "rm cow/file")
    finally:
        await sandbox.close()
    assert {m: sorted(os.listdir(tmp_path / m)) for m in ("ro", "rw", "cow")} == {
        "ro": ["file"],
        "rw": ["file", "new"],
        "cow": ["file"],
    }
    assert [(tmp_path / m / "file").read_text() for m in ("ro", "rw", "cow")] == ["host", "inside\n", "host"]
    assert (tmp_path / "rw" / "new").stat().st_uid == os.getuid()


async def test_there_is_no_network_but_loopback(sandbox: Sandbox) -> None:
    script = """
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"loop")).start()
print(socket.create_connection(server.getsockname()).recv(4).decode())
for address in (("1.1.1.1", 53), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, timeout=5)
        print("reached")
    except OSError:
        print("none")
"""
    ended = await sandbox.run(Command(argv=("python3", "-c", script), timeout_seconds=60))
    assert ended.stdout == b"loop\nnone\nnone\n"


async def test_commands_have_no_privileges(driver: Driver, sandbox: Sandbox) -> None:
    ended = await shell(sandbox, "id -u; id -g; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status")
    lines = ended.stdout.decode().split()
    assert lines[:2] == ["1000", "1000"]
    values = dict(zip(lines[2::2], lines[3::2], strict=True))
    assert {values.get(k, "0" * 16) for k in ("CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:")} == {
        "0" * 16
    }
    if driver.tier is Tier.CONTAINER:  # the others have no system calls of the host to filter
        assert values["NoNewPrivs:"] == "1"
        assert values["Seccomp:"] == "2"


async def test_many_commands_at_once(sandbox: Sandbox) -> None:
    ended = await asyncio.gather(*(sandbox.run(Command(argv=("echo", str(n)))) for n in range(30)))
    assert [e.stdout for e in ended] == [f"{n}\n".encode() for n in range(30)]


async def test_close_is_idempotent_and_ends_what_runs(sandbox: Sandbox) -> None:
    started = asyncio.Event()
    command = Command(argv=("sh", "-c", "echo up; sleep 765"))
    running = asyncio.create_task(sandbox.run(command, on_output=lambda stream, data: started.set()))
    await asyncio.wait_for(started.wait(), 20)
    await sandbox.close()
    await sandbox.close()
    with pytest.raises(SandboxError):
        await running
    with pytest.raises(SandboxError):
        await sandbox.run(Command(argv=("true",)))


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (SandboxSpec(uid=0), UsageError),
        (SandboxSpec(limits=Limits(memory_bytes=1)), UsageError),
        (SandboxSpec(mounts=(Mount("relative", "/work"),)), UsageError),
        (SandboxSpec(mounts=(Mount("/tmp", "/proc/x"),)), UsageError),
        (SandboxSpec(mounts=(Mount("/tmp", "/work/../proc"),)), UsageError),
        (SandboxSpec(mounts=(Mount("/no/such/folder", "/work"),)), NotFound),
        (SandboxSpec(image="no-such-image"), UsageError),
    ],
)
async def test_specs_that_make_no_sense_are_refused(
    driver: Driver, spec: SandboxSpec, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await driver.create(spec)


async def test_an_image_is_the_root_whatever_it_lacks(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One static program and nothing else: no shell, no library, no user."""
    from forgewright.sandbox.images import fetch
    from forgewright.sandbox.native import program

    if driver.name == "docker":
        pytest.skip("Docker's own images are its own business: this driver has `host` only")
    monkeypatch.setenv("FORGEWRIGHT_IMAGES", str(tmp_path / "cache"))
    (tmp_path / "root" / "bin").mkdir(parents=True)
    shutil.copy(program("agent"), tmp_path / "root" / "bin" / "tool")
    image = fetch(f"dir:{tmp_path}/root")
    assert image is not None
    sandbox = await driver.create(SandboxSpec(tier=driver.tier, image=image.digest))
    try:
        ended = await sandbox.run(Command(argv=("tool", "--version")))
        assert ended.ok, ended
        assert len(ended.stdout.strip()) == 64
        assert (await sandbox.run(Command(argv=("sh", "-c", "true")))).code == 127
        await sandbox.write("/tmp/file", b"x")
        assert await sandbox.read("/tmp/file") == b"x"
        with pytest.raises(Refused):
            await sandbox.write("/bin/tool", b"x")
    finally:
        await sandbox.close()


async def test_probe_says_what_there_is(driver: Driver) -> None:
    probe = await driver.probe()
    assert probe.available
    assert probe.version
    assert probe.detail
