"""WebAssembly tools: they have what they were given, cannot reach what they were not, and limits hold."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import wasmtime

from forgewright.core.errors import NotFound, Refused, SandboxError, Unavailable, UsageError
from forgewright.sandbox import Command, Exit, Limits, Mount, Network, SandboxSpec, Tier, hierarchies
from forgewright.sandbox.drivers.container import ContainerDriver
from forgewright.sandbox.drivers.wasm import WasmDriver
from forgewright.sandbox.session import AgentSandbox

IMPORT = '(import "wasi_snapshot_preview1" "{}" (func ${} {}))'
WRITE = IMPORT.format("fd_write", "fd_write", "(param i32 i32 i32 i32) (result i32)")
READ = IMPORT.format("fd_read", "fd_read", "(param i32 i32 i32 i32) (result i32)")
EXIT = IMPORT.format("proc_exit", "proc_exit", "(param i32)")
OPEN = IMPORT.format("path_open", "path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)")
SOCKET = IMPORT.format("sock_open", "sock_open", "(param i32 i32 i32) (result i32)")

ECHO = f"""(module {WRITE} {READ} {EXIT} (memory (export "memory") 2) (func (export "_start")
  (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 60000))
  (loop $again
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
    (i32.store (i32.const 8) (i32.const 100)) (i32.store (i32.const 12) (i32.load (i32.const 16)))
    (if (i32.load (i32.const 16)) (then
      (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 20))) (br $again))))
  (call $proc_exit (i32.const 3))))"""
SPIN = '(module (memory (export "memory") 1) (func (export "_start") (loop br 0)))'
RECURSE = """(module (memory (export "memory") 1)
  (func $f (export "_start") call $f call $f))"""
GROW = f"""(module {EXIT} (memory (export "memory") 1) (func (export "_start")
  (loop (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then (br 1))))
  (call $proc_exit (i32.const 1))))"""
CONNECT = f"""(module {SOCKET} {EXIT} (memory (export "memory") 1) (func (export "_start")
  (call $proc_exit (call $sock_open (i32.const 1) (i32.const 1) (i32.const 0)))))"""


def opens(path: str) -> str:
    """A module that opens `path` below each folder it was given, and exits with WASI's error number."""
    return f"""(module {OPEN} {EXIT} (memory (export "memory") 1) (data (i32.const 200) "{path}")
      (func (export "_start") (call $proc_exit (call $path_open (i32.const 3) (i32.const 1) (i32.const 200)
        (i32.const {len(path)}) (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 0)))))"""


TIME = IMPORT.format("clock_time_get", "clock_time_get", "(param i32 i64 i32) (result i32)")
POLL = IMPORT.format("poll_oneoff", "poll_oneoff", "(param i32 i32 i32 i32) (result i32)")
STAT = IMPORT.format("path_filestat_get", "stat", "(param i32 i32 i32 i32 i32) (result i32)")
SAY = """(func $say (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))"""
WRITE_AND_SPIN = f"""(module {WRITE} (memory (export "memory") 1) (data (i32.const 64) "here") {SAY}
  (func (export "_start") (call $say (i32.const 64) (i32.const 4)) (loop br 0)))"""

CLOCK = f"""(module {TIME} {WRITE} {EXIT} (memory (export "memory") 1) {SAY} (func (export "_start") (local $e i32)
  (local.set $e (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 64)))
  (if (local.get $e) (then (call $proc_exit (local.get $e))))
  (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 72)))
  (call $say (i32.const 64) (i32.const 16))))"""
"""Writes the time of day and then that since some moment."""


def waits(milliseconds: int, *, until: bool) -> str:
    """A module that waits (`until`: to a moment, reckoned from the clock) and writes the time before and after."""
    set_timeout = f"(i64.add (i64.load (i32.const 64)) (i64.const {milliseconds * 1_000_000}))"
    timeout = set_timeout if until else f"(i64.const {milliseconds * 1_000_000})"
    return f"""(module {TIME} {WRITE} {EXIT} {POLL} (memory (export "memory") 1) {SAY} (func (export "_start") (local $e i32)
      (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 64)))
      (i32.store8 (i32.const 208) (i32.const 0)) (i32.store (i32.const 216) (i32.const 1))
      (i64.store (i32.const 224) {timeout}) (i32.store16 (i32.const 240) (i32.const {int(until)}))
      (local.set $e (call $poll_oneoff (i32.const 200) (i32.const 304) (i32.const 1) (i32.const 400)))
      (if (local.get $e) (then (call $proc_exit (local.get $e))))
      (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 72)))
      (call $say (i32.const 64) (i32.const 16))))"""


def stats(path: str) -> str:
    """A module that writes when `path` was read, changed and moved."""
    return f"""(module {STAT} {WRITE} {EXIT} (memory (export "memory") 1) (data (i32.const 600) "{path}") {SAY}
      (func (export "_start") (local $e i32)
      (local.set $e (call $stat (i32.const 3) (i32.const 0) (i32.const 600) (i32.const {len(path)}) (i32.const 64)))
      (if (local.get $e) (then (call $proc_exit (local.get $e))))
      (call $say (i32.const 104) (i32.const 24))))"""


def numbers(ended: Exit) -> list[int]:
    """What a module wrote, as numbers of eight bytes."""
    assert ended.ok, ended
    return [int.from_bytes(ended.stdout[at : at + 8], "little") for at in range(0, len(ended.stdout), 8)]


Make = Callable[..., "object"]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[AgentSandbox] = []

    async def create(text: str, **options: object) -> AgentSandbox:
        module = tmp_path / f"module{len(made)}.wasm"
        module.write_bytes(wasmtime.wat2wasm(text))
        sandbox = await WasmDriver().create(SandboxSpec(tier=Tier.WASM, image=str(module), **options))  # type: ignore[arg-type]
        made.append(sandbox)
        return sandbox

    yield create
    for sandbox in made:
        await sandbox.close()
        await sandbox.close()


async def test_input_output_and_exit_code(make: Make) -> None:
    sandbox = await make(ECHO)
    data = os.urandom(500_000)
    ended = await sandbox.run(Command(argv=("echo",), stdin=data))
    assert (ended.code, ended.reason, ended.stdout) == (3, "exit", data)
    assert (await sandbox.run(Command(argv=("echo",)))).stdout == b""


async def test_output_is_bounded(make: Make) -> None:
    sandbox = await make(ECHO, limits=Limits(output_bytes=1000))
    ended = await sandbox.run(Command(argv=("echo",), stdin=b"x" * 100_000))
    assert (len(ended.stdout), ended.stdout_bytes) == (1000, 100_000)


@pytest.mark.parametrize("text", [SPIN, RECURSE])
async def test_time_is_bounded_and_the_sandbox_goes_on(make: Make, text: str) -> None:
    sandbox = await make(text)
    await sandbox.write("/kept", b"kept")
    for _ in range(2):
        ended = await sandbox.run(Command(argv=("x",), timeout_seconds=0.3))
        assert ended.code != 0
        assert ended.seconds < 5
        assert ended.reason == "timeout" or b"stack" in ended.stderr


async def test_what_a_long_command_writes_is_seen_while_it_runs(make: Make) -> None:
    sandbox = await make(WRITE_AND_SPIN)
    for _ in range(2):
        seen: list[bytes] = []
        first = asyncio.Event()

        def saw(stream: str, data: bytes, seen: list[bytes] = seen, first: asyncio.Event = first) -> None:
            seen.append(data)
            first.set()

        running = asyncio.create_task(sandbox.run(Command(argv=("x",), timeout_seconds=2), on_output=saw))
        await asyncio.wait_for(first.wait(), 1.5)
        assert not running.done()
        assert (await running).reason == "timeout"
        assert seen[0] == b"here"


async def test_a_module_whose_making_has_no_end_is_ended_with_its_command(make: Make) -> None:
    sandbox = await make('(module (start $f) (func $f (loop br 0)) (func (export "_start")))')
    for _ in range(2):
        ended = await sandbox.run(Command(argv=("x",), timeout_seconds=0.3))
        assert (ended.reason, ended.code) == ("timeout", 137)


async def test_a_module_whose_making_calls_wasi_has_nothing_to_call(make: Make) -> None:
    sandbox = await make(
        f"""(module {WRITE} (memory (export "memory") 1) (data (i32.const 64) "here") {SAY}
        (func $f (call $say (i32.const 64) (i32.const 4))) (start $f) (func (export "_start")))"""
    )
    for _ in range(2):
        ended = await sandbox.run(Command(argv=("x",)))
        assert (ended.code, ended.stdout) == (0, b"")


async def test_a_module_that_is_no_program_says_so(make: Make) -> None:
    sandbox = await make('(module (memory (export "memory") 1) (func (export "other")))')
    for _ in range(2):
        ended = await sandbox.run(Command(argv=("x",)))
        assert ended.code == 126
        assert b"_start" in ended.stderr


async def test_a_command_past_its_time_is_interrupted_and_its_worker_lives(make: Make) -> None:
    sandbox = await make(SPIN)
    before = sandbox._machine._process.pid
    for _ in range(2):
        ended = await sandbox.run(Command(argv=("x",), timeout_seconds=0.2))
        assert (ended.reason, ended.code) == ("timeout", 137)
        assert ended.seconds < 1.2
    assert sandbox._machine._process.pid == before


@pytest.mark.parametrize("text", [SPIN, RECURSE])
async def test_instructions_are_bounded_whatever_the_time(make: Make, text: str) -> None:
    sandbox = await make(text, limits=Limits(instructions=2_000_000))
    for _ in range(2):
        ended = await sandbox.run(Command(argv=("x",), timeout_seconds=60))
        assert ended.code == 134
        assert ended.seconds < 20
        assert ended.reason == "timeout" or b"stack" in ended.stderr
    with pytest.raises(UsageError, match="cannot count"):
        await ContainerDriver().create(SandboxSpec(limits=Limits(instructions=1)))


async def test_what_is_given_enough_instructions_ends_by_itself(make: Make) -> None:
    sandbox = await make(ECHO, limits=Limits(instructions=10_000_000))
    ended = await sandbox.run(Command(argv=("echo",), stdin=b"x" * 1000))
    assert (ended.code, ended.reason, len(ended.stdout)) == (3, "exit", 1000)


async def test_a_worker_is_paused_and_measured_and_has_no_snapshots(make: Make) -> None:
    sandbox = await make(ECHO)
    if hierarchies.hierarchies() is None:
        with pytest.raises(Unavailable):
            await sandbox.pause()
        return
    await sandbox.pause()
    with pytest.raises(SandboxError, match="paused"):
        await sandbox.run(Command(argv=("echo",)))
    await sandbox.resume()
    assert (await sandbox.run(Command(argv=("echo",), stdin=b"on"))).stdout == b"on"
    metrics = await sandbox.metrics()
    assert metrics.memory_bytes > 0
    with pytest.raises(Unavailable):
        await sandbox.snapshot()
    with pytest.raises(Unavailable):
        await WasmDriver().restore("snap0")


async def test_memory_is_bounded_and_named(make: Make) -> None:
    sandbox = await make(GROW, limits=Limits(memory_bytes=32 << 20))
    ended = await sandbox.run(Command(argv=("x",)))
    assert (ended.code, ended.reason) == (1, "oom")


async def test_there_are_no_sockets(make: Make) -> None:
    sandbox = await make(CONNECT)
    ended = await sandbox.run(Command(argv=("x",)))
    assert ended.code == 58  # not supported
    allowed = await make(CONNECT, network=Network(allow=("example.com:443",)))
    assert (await allowed.run(Command(argv=("x",)))).code == 58  # hosts are reached as files, in no other way


async def test_a_network_without_a_loopback_has_no_forwarded_ports(make: Make) -> None:
    with pytest.raises(UsageError, match="no loopback"):
        await make(ECHO, network=Network(forward=("5432=203.0.113.7:5432",)))


async def test_the_clock_is_the_one_that_was_granted(make: Make) -> None:
    sandbox = await make(CLOCK)
    for _ in range(2):  # with each command anew
        assert numbers(await sandbox.run(Command(argv=("x",)))) == [1000, 2000]
    before = time.time_ns()
    real = await make(CLOCK, clock="real")
    assert before <= numbers(await real.run(Command(argv=("x",))))[0] <= time.time_ns()
    none = await make(CLOCK, clock="none")
    assert (await none.run(Command(argv=("x",)))).code == 58  # not supported
    with pytest.raises(UsageError, match="its processor's"):
        await ContainerDriver().create(SandboxSpec(clock="zero"))


@pytest.mark.parametrize("until", [False, True])
async def test_waiting_takes_its_time_and_moves_the_clock_by_it(make: Make, until: bool) -> None:
    sandbox = await make(waits(300, until=until))
    ended = await sandbox.run(Command(argv=("x",)))
    before, after = numbers(ended)
    assert ended.seconds > 0.25
    assert 290_000_000 < after - before < 310_000_000
    none = await make(waits(1, until=until), clock="none")
    assert (await none.run(Command(argv=("x",)))).code == (58 if until else 0)


async def test_the_times_of_files_do_not_tell_the_time(make: Make, tmp_path: Path) -> None:
    for clock in ("zero", "none"):
        sandbox = await make(stats("written"), clock=clock)
        await sandbox.write("/written", b"just now")
        assert numbers(await sandbox.run(Command(argv=("x",)))) == [0, 0, 0]
    real = await make(stats("written"), clock="real")
    before = time.time_ns() - 10**9
    await real.write("/written", b"just now")
    assert min(numbers(await real.run(Command(argv=("x",))))) > before
    (tmp_path / "old").write_text("x")
    os.utime(tmp_path / "old", ns=(5, 7_000_000_000))
    given = await make(stats("old").replace("(i32.const 3) (i32.const 0)", "(i32.const 4) (i32.const 0)"),
                       mounts=(Mount(str(tmp_path), "/given"),))  # fmt: skip
    assert (
        numbers(await given.run(Command(argv=("x",))))[1] == 7_000_000_000
    )  # what was there before says nothing


@pytest.mark.parametrize(
    "path", ["etc/passwd", "../etc/passwd", "../../../../../etc/passwd", "/etc/passwd", "leak"]
)
async def test_nothing_but_the_given_folders_can_be_opened(make: Make, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "leak").symlink_to("/etc/passwd")
    (folder / "file").write_text("given")
    mounts = (Mount(str(folder), "/work"),)
    assert (await (await make(opens(path), mounts=mounts)).run(Command(argv=("x",)))).code != 0


async def test_a_file_of_its_own_can_be_opened(make: Make) -> None:
    sandbox = await make(opens("file"))
    assert (await sandbox.run(Command(argv=("x",)))).code != 0
    await sandbox.write("/file", b"here")
    assert (await sandbox.run(Command(argv=("x",)))).code == 0


async def test_files_and_mounts(make: Make, tmp_path: Path) -> None:
    for mode in ("ro", "rw", "cow"):
        (tmp_path / mode).mkdir()
        (tmp_path / mode / "file").write_text("host")
    (tmp_path / "rw" / "leak").symlink_to("/etc/passwd")
    mounts = tuple(Mount(str(tmp_path / m), f"/{m}", m) for m in ("ro", "rw", "cow"))  # type: ignore[arg-type]
    sandbox = await make(ECHO, mounts=mounts)
    with pytest.raises(Refused):
        await sandbox.write("/ro/file", b"inside")
    for mode in ("rw", "cow"):
        await sandbox.write(f"/{mode}/file", b"inside")
        assert await sandbox.read(f"/{mode}/file") == b"inside"
    for attempt in (sandbox.read("/rw/leak"), sandbox.write("/rw/leak", b"x"), sandbox.list("/rw/leak/..")):
        with pytest.raises((SandboxError, NotFound, AssertionError)):
            assert not await attempt  # type: ignore[misc]  # the listing of /rw is no leak
    await sandbox.close()
    assert [(tmp_path / m / "file").read_text() for m in ("ro", "rw", "cow")] == ["host", "inside", "host"]


async def test_a_missing_module_is_named() -> None:
    with pytest.raises(NotFound, match="no-such"):
        await WasmDriver().create(SandboxSpec(tier=Tier.WASM, image="no-such"))
