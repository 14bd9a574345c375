"""Hosts that a WebAssembly module was granted, as files; all others are refused, and all is recorded."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import wasmtime
from tests.sandbox.test_network import SECRET, Web, answer
from tests.sandbox.test_wasm import EXIT, IMPORT, READ, WRITE
from tests.sandbox.tls import credentialed

from forgewright.core.errors import UsageError
from forgewright.sandbox import Command, Network, SandboxSpec, Tier
from forgewright.sandbox.drivers.wasm import WasmDriver
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Connection, Credential

OPEN = IMPORT.format("path_open", "path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)")
CLOSE = IMPORT.format("fd_close", "fd_close", "(param i32) (result i32)")
SEEK = IMPORT.format("fd_seek", "fd_seek", "(param i32 i64 i32 i32) (result i32)")
STAT = IMPORT.format("fd_filestat_get", "stat", "(param i32 i32) (result i32)")
ALL = f"{OPEN} {READ} {WRITE} {CLOSE} {SEEK} {STAT} {EXIT}"


def speaks(path: str, *, before: str = "", buffer: int = 60_000) -> str:
    """Opens `path`, sends standard input there, and writes what comes back; else exits with WASI's error number."""
    return f"""(module {ALL} (memory (export "memory") 3) (data (i32.const 200) "{path}")
      (func $fail (param $e i32) (if (local.get $e) (then (call $proc_exit (local.get $e)))))
      (func $copy (param $from i32) (param $to i32)
        (block $end (loop $again
          (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (i32.const {buffer}))
          (call $fail (call $fd_read (local.get $from) (i32.const 0) (i32.const 1) (i32.const 16)))
          (br_if $end (i32.eqz (i32.load (i32.const 16))))
          (i32.store (i32.const 8) (i32.const 1000)) (i32.store (i32.const 12) (i32.load (i32.const 16)))
          (call $fail (call $fd_write (local.get $to) (i32.const 8) (i32.const 1) (i32.const 20)))
          (br $again))))
      (func (export "_start") (local $fd i32)
        (call $fail (call $path_open (i32.const 3) (i32.const 1) (i32.const 200) (i32.const {len(path)}) (i32.const 0)
          (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 24)))
        (local.set $fd (i32.load (i32.const 24)))
        {before}
        (call $copy (i32.const 0) (local.get $fd))
        (call $copy (local.get $fd) (i32.const 1))
        (call $fail (call $fd_close (local.get $fd)))
        (call $proc_exit (i32.add (i32.const 100) (call $fd_close (local.get $fd))))))"""


CLOSED = 108
"""Exit code of a module that has done all: closing what is closed is a bad descriptor (8)."""

Make = Callable[..., "asyncio.Future[AgentSandbox]"]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[AgentSandbox] = []

    async def create(text: str, **options: object) -> AgentSandbox:
        module = tmp_path / f"module{len(made)}.wasm"
        module.write_bytes(wasmtime.wat2wasm(text))
        sandbox = await WasmDriver().create(SandboxSpec(tier=Tier.WASM, image=str(module), **options))  # type: ignore[arg-type]
        made.append(sandbox)
        return sandbox

    yield create  # type: ignore[misc]  # a coroutine function is one that gives a future
    for sandbox in made:
        await sandbox.close()


async def echo(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Of a request with a length: gives the body back."""
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"nothing"
    await answer(body)(head, reader, writer)


def post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize("clock", ["zero", "none", "real"])
async def test_a_host_that_was_granted_is_a_file(make: Make, clock: str) -> None:
    told: list[Connection] = []
    all_told = asyncio.Event()

    async def listen(connection: Connection) -> None:
        told.append(connection)
        if len(told) == 4:
            all_told.set()

    async with Web(echo) as web:
        here = f"127.0.0.1:{web.port}"
        sandbox = await make(speaks(f"dev/tcp/127.0.0.1/{web.port}"), network=Network((here,)), clock=clock)
        sandbox.watch_connections(listen)
        body = os.urandom(900_000)  # more than the windows on the way hold
        for _ in range(2):
            ended = await sandbox.run(Command(argv=("x",), stdin=post(body), timeout_seconds=60))
            assert ended.code == CLOSED, ended
            assert ended.stdout.endswith(b"\r\n\r\n" + body)
        await asyncio.wait_for(all_told.wait(), 20)
        assert [one.phase for one in told] == ["opened", "closed"] * 2
        assert told[1].received_bytes > len(body)


@pytest.mark.parametrize(
    ("path", "error"),
    [("dev/tcp/127.0.0.1/1", 2), ("dev/tcp/example.com/443", 2), ("dev/tls/169.254.169.254/80", 2), ("dev/tcp/localhost/x", 28),
     ("dev/tcp/localhost", 28), ("dev/tcp//9", 28), ("dev/tcp/a b/9", 28), ("dev/tcp/a/9/x", 28), ("dev/udp/localhost/9", 44),
     ("dev/tcp/localhost/9", 14), ("dev/tcp/x\\0d\\0aHost: y/9", 28)],
)  # fmt: skip
async def test_all_others_are_refused(make: Make, path: str, error: int) -> None:
    sandbox = await make(speaks(path), network=Network(("localhost:9",)))
    ended = await sandbox.run(Command(argv=("x",), timeout_seconds=30))
    assert ended.code == error, ended
    assert sandbox.egress is not None
    assert not any(one.allowed for one in sandbox.egress.connections)


async def test_without_a_grant_the_name_is_a_file_like_any_other(make: Make) -> None:
    sandbox = await make(speaks("dev/tcp/localhost/80"))
    assert (await sandbox.run(Command(argv=("x",)))).code == 44  # no such file
    await sandbox.write("/dev/tcp/localhost/80", b"kept")
    ended = await sandbox.run(Command(argv=("x",)))
    assert ended.stdout == b"kept"


async def test_a_connection_is_no_file_to_seek_in_and_ends_with_its_command(make: Make) -> None:
    ended_at_server = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended_at_server.set()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        before = """(call $fail (call $stat (local.get $fd) (i32.const 100)))
          (if (i32.ne (i32.load8_u (i32.const 116)) (i32.const 6)) (then (call $proc_exit (i32.const 99))))
          (call $proc_exit (call $fd_seek (local.get $fd) (i64.const 0) (i32.const 0) (i32.const 100)))"""
        path, network = f"dev/tcp/127.0.0.1/{port}", Network((f"127.0.0.1:{port}",))
        sandbox = await make(speaks(path, before=before), network=network)
        assert (await sandbox.run(Command(argv=("x",)))).code == 70  # a pipe cannot seek
        await asyncio.wait_for(ended_at_server.wait(), 10)


async def test_who_waits_for_a_silent_host_is_ended_in_time_and_the_worker_lives(make: Make) -> None:
    ended_at_server = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended_at_server.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, Web(echo) as web:
        port = server.sockets[0].getsockname()[1]
        sandbox = await make(
            speaks(f"dev/tcp/127.0.0.1/{port}"),
            network=Network((f"127.0.0.1:{port}", f"127.0.0.1:{web.port}")),
        )
        before = sandbox._machine._process.pid  # type: ignore[attr-defined]  # the worker's
        for _ in range(2):
            ended = await sandbox.run(Command(argv=("x",), timeout_seconds=0.4))
            assert (ended.reason, ended.code) == ("timeout", 137)
            assert ended.seconds < 1.4
            await asyncio.wait_for(ended_at_server.wait(), 10)
            ended_at_server.clear()
        assert sandbox._machine._process.pid == before  # type: ignore[attr-defined]  # the same


async def test_pointers_out_of_memory_end_the_module_and_nothing_else(make: Make) -> None:
    async with Web(echo) as web:
        sandbox = await make(
            speaks(f"dev/tcp/127.0.0.1/{web.port}", buffer=1 << 30),
            network=Network((f"127.0.0.1:{web.port}",)),
        )
        before = sandbox._machine._process.pid  # type: ignore[attr-defined]  # the worker's
        ended = await sandbox.run(Command(argv=("x",), stdin=post(b"x"), timeout_seconds=30))
        assert ended.code in (21, 48, 134)  # WASI's own reading of standard input minds too
        for wild in (
            "(i32.const -8) (i32.const 1)",
            "(i32.const 196000) (i32.const -1)",
            "(i32.const 64) (i32.const 1)",
        ):
            call = f"(i32.store (i32.const 64) (i32.const -100)) (i32.store (i32.const 68) (i32.const -1))\
              (call $fail (call $fd_write (local.get $fd) {wild} (i32.const 20)))"
            other = await make(
                speaks(f"dev/tcp/127.0.0.1/{web.port}", before=call),
                network=Network((f"127.0.0.1:{web.port}",)),
            )
            ended = await other.run(Command(argv=("x",), timeout_seconds=30))
            assert ended.code == 134, wild
            assert b"pointer" in ended.stderr
        assert sandbox._machine._process.pid == before  # type: ignore[attr-defined]  # the same
        assert (await other.run(Command(argv=("x",), timeout_seconds=30))).code == 134


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    """A server behind TLS that says whether who asks has the secret, and on /echo gives back what it was sent."""

    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known = b"Authorization: Bearer " + SECRET.encode() in head.split(b"\r\n")
        text = head if head.split(b" ")[1] == b"/echo" else b"known: %s" % str(known).encode()
        await answer(text)(head, reader, writer)

    context = credentialed(tmp_path, SECRET, monkeypatch)
    async with Web(handler, context) as web:
        yield web


async def test_the_engine_speaks_tls_and_adds_the_credential(
    make: Make, api: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, path = f"localhost:{api.port}", f"dev/tls/localhost/{api.port}"
    request = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host.encode()
    plain = await make(speaks(path), network=Network((host,)))
    ended = await plain.run(Command(argv=("x",), stdin=request, timeout_seconds=30))
    assert ended.stdout.endswith(b"known: False"), ended
    secret = await make(speaks(path), network=Network((host,), (Credential(host, "API_TOKEN"),)))
    ended = await secret.run(Command(argv=("x",), stdin=request, timeout_seconds=30))
    assert ended.stdout.endswith(b"known: True"), ended
    ended = await secret.run(
        Command(argv=("x",), stdin=request.replace(b"GET /", b"GET /echo"), timeout_seconds=30)
    )
    assert SECRET.encode() not in ended.stdout
    smuggled = b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ended = await secret.run(Command(argv=("x",), stdin=smuggled, timeout_seconds=30))
    assert ended.stdout.startswith(b"HTTP/1.1 403")
    monkeypatch.delenv("SSL_CERT_FILE")  # a server that cannot prove its name
    before = len(api.seen)
    other = await make(speaks(path), network=Network((host,)))
    assert (await other.run(Command(argv=("x",), stdin=request, timeout_seconds=30))).code == 14
    assert len(api.seen) == before
    with pytest.raises(UsageError, match="NO_SUCH"):
        await make(speaks(path), network=Network((host,), (Credential(host, "NO_SUCH"),)))


async def test_nothing_of_the_proxy_is_in_the_environment(make: Make) -> None:
    environ = IMPORT.format("environ_sizes_get", "sizes", "(param i32 i32) (result i32)")
    text = f"""(module {environ} {EXIT} (memory (export "memory") 1) (func (export "_start")
      (drop (call $sizes (i32.const 0) (i32.const 4))) (call $proc_exit (i32.load (i32.const 0)))))"""
    with_network = await make(text, network=Network(("localhost:9",)))
    without = await make(text)
    counts = [(await sandbox.run(Command(argv=("x",)))).code for sandbox in (with_network, without)]
    assert counts[0] == counts[1]
