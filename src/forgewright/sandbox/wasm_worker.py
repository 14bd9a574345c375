"""The process in which WebAssembly runs: it speaks the agent's protocol on descriptors 0 and 1.

One module, compiled once and kept; one command at a time, each in an instance of its own that is made before it is
asked for. A command that has to be killed is interrupted at its next loop or call (an epoch); where that takes longer
than a moment, because nothing interrupts a call into the host that blocks, the process goes along, and the driver
starts another.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import tempfile
import threading
from collections import deque
from typing import Any

import msgspec

from forgewright.sandbox.wasm_adapter import Adapter, Clock
from forgewright.sandbox.wasm_alarm import Alarm
from forgewright.sandbox.wasm_files import Files
from forgewright.sandbox.wasm_network import DATA, ROOM, SHUT, Connections, host_functions
from forgewright.sandbox.wasm_wire import ERR, HEADER, OUT, Output, Wire

_EXEC = struct.Struct("<BBIIQQQQQIIHH")
_EXEC_TYPE, _STDIN, _KILL, _PING = 1, 2, 4, 5
_HELLO, _PONG, _CREDIT, _GONE = 65, 69, 70, 71
_FLAG_KILLED, _FLAG_MEMORY, _FLAG_INSTRUCTIONS = 1, 4, 16
_PAGE = 65_536
INTERRUPT_SECONDS = 1.0
ALONE_SECONDS = 0.01
"""A command runs so long before what it has written goes out, and before anybody looks for what else the driver says."""

_START_SECTION = 8
_ENOTSUP = 58
"""WASI preview 1, errno."""


class Setup(msgspec.Struct, frozen=True):
    """What the driver tells the worker on its command line, as JSON."""

    module: str
    compiled: str
    memory_bytes: int
    instructions: int
    disk_bytes: int
    folders: tuple[tuple[str, str, bool], ...]
    """(host path, path inside, can be written); "/" is the sandbox's own folder."""
    clock: Clock = "zero"
    network: bool = False
    """Whether any host may be reached; which, the proxy knows."""
    began: int = 0
    """When the sandbox did, in nanoseconds since 1970: files that are newer would tell the time."""


class Request(msgspec.Struct):
    """A command that was asked for; it starts when its standard input is complete, since WASI reads from a file."""

    number: int
    payload: bytes
    stdin: Any = None
    """The file with its standard input; None while there is none."""


class Prepared:
    """An instance of the module that nothing has run in yet."""

    def __init__(self, worker: Worker) -> None:
        w = worker.wasmtime
        self.out, self.err = Output(worker.wire, OUT), Output(worker.wire, ERR)
        self.wasi = w.WasiConfig()
        self.wasi.stdout_custom, self.wasi.stderr_custom = self.out, self.err
        for host, inside, writable in worker.setup.folders:
            self.wasi.preopen_dir(host, inside, writable)
        self.store = w.Store(worker.engine)
        adapted = worker.adapter.needed
        self.store.set_limits(
            memory_size=worker.setup.memory_bytes, instances=3 if adapted else 1, memories=1
        )
        if worker.setup.instructions:
            self.store.set_fuel(worker.setup.instructions)
        self.store.set_epoch_deadline(1)
        self.store.set_wasi(w.WasiConfig())  # what the module may do while it is made
        self.start: Any = None
        self.memory: Any = None
        self.failure: Exception | None = None
        """Why there is no instance; whoever asks for the next command is told."""
        try:
            instance = (
                worker.adapter.instantiate(worker.linker, self.store)
                if adapted
                else worker.ready.instantiate(self.store)
            )
            exports = instance.exports(self.store)
            self.start, self.memory = exports.get("_start"), exports.get("memory")
            if not isinstance(self.start, w.Func):
                self.failure = w.WasmtimeError("the module has no function _start: it is no program")
        except (w.WasmtimeError, w.Trap) as error:
            self.failure = error


class Worker:
    """Two threads, of which each can read what the driver sends and run what it asks for. Who has read a whole request
    runs it at once, and the other wakes up to read only when that takes longer: a short command waits for no thread."""

    def __init__(self, setup: Setup) -> None:
        import wasmtime

        self.setup = setup
        self.wasmtime = wasmtime
        self.engine = wasmtime.Engine(engine_config(fuel=bool(setup.instructions)))
        self._module = load(self.engine, setup.module, setup.compiled)
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()
        self._without_sockets()
        self.wire = Wire()
        self._connections = Connections(self.wire.send)
        net = host_functions(self._connections) if setup.network else None
        self.adapter = Adapter(self.engine, self._module, setup.clock, setup.began, net)
        self.linker.define_unknown_imports_as_traps(self._module)
        self.ready = self.linker.instantiate_pre(self._module)
        self._files = Files(setup.folders)
        self._nothing = tempfile.TemporaryFile()  # noqa: SIM115  # standard input of all that have none
        self._ahead = not runs_when_made(setup.module)
        self._next: Prepared | None = Prepared(self) if self._ahead else None
        self._running = 0
        self._killed = 0
        self._over = threading.Event()
        self._buffer = bytearray()
        self._reading, self._state = threading.Lock(), threading.Lock()
        self._asked: dict[int, Request] = {}
        self._waiting: deque[Request] = deque()
        self._busy = False
        self._alarm = Alarm(0 if setup.network else ALONE_SECONDS)

    def _interrupt(self, number: int) -> bool:
        """Ends the command at its next loop or call; False where it did not get there."""
        if self._running != number:
            return False
        self._killed = number
        self.engine.increment_epoch()
        self._connections.abort()
        return self._over.wait(INTERRUPT_SECONDS)

    def _without_sockets(self) -> None:
        """Each socket call that the module knows fails as not supported, in whatever dialect it knows it."""
        self.linker.allow_shadowing = True
        for wanted in self._module.imports:
            name = wanted.name or ""
            kind = wanted.type
            answers = isinstance(kind, self.wasmtime.FuncType) and len(kind.results) == 1
            if wanted.module.startswith("wasi") and name.startswith("sock_") and answers:
                self.linker.define_func(wanted.module, name, kind, lambda *_: _ENOTSUP)
        self.linker.allow_shadowing = False

    def serve(self) -> None:
        self.wire.send(_HELLO, 1)
        threading.Thread(target=self._loop, daemon=True).start()
        self._loop()

    def _loop(self) -> None:
        while True:
            if not self._reading.acquire(blocking=False):
                self._alarm.wait()  # who read when this one looked has run a command for so long
                continue
            try:
                self.wire.release()
                request: Request | None = self._read()
            finally:
                self._reading.release()
            while request is not None:
                if not self._reading.locked():  # else the other is awake already
                    self.wire.hold()
                    self._alarm.begin()
                self._serve(request)
                self._alarm.call_off()
                with self._state:
                    request = self._waiting.popleft() if self._waiting else None
                    self._busy = request is not None

    def _read(self) -> Request:
        """Reads frames until there is a whole request and nothing else runs. When the driver is gone the process ends, and
        also to kill what cannot be interrupted."""
        buffer = self._buffer
        while True:
            while len(buffer) >= HEADER.size:
                length, kind, number = HEADER.unpack_from(buffer)
                if len(buffer) < HEADER.size + length:
                    break
                payload = bytes(buffer[HEADER.size : HEADER.size + length])
                del buffer[: HEADER.size + length]
                request = self._received(kind, number, payload)
                if request is not None:
                    with self._state:
                        if not self._busy:
                            self._busy = True
                            return request
                        self._waiting.append(request)
            data = os.read(0, 1 << 18)
            if not data:
                os._exit(0)
            buffer += data

    def _received(self, kind: int, number: int, payload: bytes) -> Request | None:
        """The request that is complete with this frame."""
        asked = self._asked
        if kind == _EXEC_TYPE:
            asked[number] = Request(number, payload)
        elif kind == _STDIN and number in asked:
            request = asked[number]
            if not payload:
                return request
            if request.stdin is None:
                request.stdin = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the command
            request.stdin.write(payload)
            self.wire.send(_CREDIT, number, struct.pack("<I", len(payload)))
        elif kind in (DATA, SHUT, ROOM):
            self._connections.received(kind, number, payload)
        elif kind == _PING:
            self.wire.send(_PONG, number, payload)
        elif kind == _KILL and number in asked:
            if not self._interrupt(number):
                self.wire.exited(number, -signal.SIGKILL, _FLAG_KILLED, 0, 0)
                os._exit(0)
        elif kind == _KILL:
            self.wire.send(_GONE, number)
        return None

    def _serve(self, request: Request) -> None:
        number, payload = request.number, request.payload
        kind, _, _, _, kept_max, _, _, _, _, argc, envc, _, _ = _EXEC.unpack_from(payload)
        words = payload[_EXEC.size : -1].split(b"\0")
        argv, environment = words[1 : 1 + argc], words[1 + argc : 1 + argc + envc]
        stdin = request.stdin or self._nothing
        stdin.seek(0)
        if kind:
            out, err = Output(self.wire, OUT), Output(self.wire, ERR)
            out.begin(number, kept_max)
            err.begin(number, kept_max)
            code, flags = self._files(kind, argv, stdin, out, err), 0
        else:
            self._over.clear()
            self._connections.reset()
            self._running = number
            prepared, self._next = self._next or Prepared(self), None
            out, err = prepared.out, prepared.err
            out.begin(number, kept_max)
            err.begin(number, kept_max)
            code, flags = self._run(prepared, argv, environment, stdin)
            self._running = 0
            self._connections.reset()
            if self._killed == number:
                code, flags = -signal.SIGKILL, _FLAG_KILLED
        self._asked.pop(number, None)
        self.wire.exited(number, code, flags, out.written, err.written)
        self._over.set()
        if request.stdin is not None:
            request.stdin.close()
        if not kind:
            del prepared  # what it had is given back first
            self._next = Prepared(self) if self._ahead else None

    def _run(
        self, prepared: Prepared, argv: list[bytes], environment: list[bytes], stdin: Any
    ) -> tuple[int, int]:
        w, store, err, memory = self.wasmtime, prepared.store, prepared.err, prepared.memory
        wasi = prepared.wasi
        wasi.argv = [word.decode("utf-8", "replace") for word in argv]
        pairs = [word.decode("utf-8", "replace").partition("=") for word in environment]
        wasi.env = [(name, value) for name, _, value in pairs]
        wasi.stdin_file = f"/proc/self/fd/{stdin.fileno()}"
        store.set_wasi(wasi)
        store.set_epoch_deadline(1)
        flags = code = 0
        try:
            if prepared.failure is not None:
                raise prepared.failure
            prepared.start(store)
        except w.ExitTrap as error:
            code = error.code & 0xFF
        except w.Trap as error:
            if error.trap_code is w.TrapCode.OUT_OF_FUEL:
                flags |= _FLAG_INSTRUCTIONS
            err(f"{error.message.splitlines()[-1] if error.message else error}\n".encode())
            code = 134
        except IndexError as error:  # of a host function: the module gave it a pointer that is none
            err(f"{error}\n".encode())
            code = 134
        except w.WasmtimeError as error:
            err(f"{error}\n".encode()[:2000])
            code = 126
        if code and memory is not None and memory.size(store) * _PAGE > self.setup.memory_bytes * 3 // 4:
            flags |= _FLAG_MEMORY
        return code, flags


def engine_config(*, fuel: bool = False) -> Any:
    import wasmtime

    config = wasmtime.Config()
    config.wasm_threads = False
    config.max_wasm_stack = 1 << 20
    config.epoch_interruption = True
    config.consume_fuel = fuel
    return config


def runs_when_made(module: str) -> bool:
    """Whether making an instance runs code of the module: it has a start section (WebAssembly core, 5.5.11), or is text."""
    with open(module, "rb") as file:
        if file.read(8)[:4] != b"\0asm":
            return True
        while section := file.read(1):
            if section[0] == _START_SECTION:
                return True
            length = shift = 0
            while byte := file.read(1):  # LEB128
                length |= (byte[0] & 0x7F) << shift
                shift += 7
                if byte[0] < 0x80:
                    break
            file.seek(length, os.SEEK_CUR)
    return False


def load(engine: Any, module: str, compiled: str) -> Any:
    """The module, from its compiled form; compiled and kept where there is none yet (seconds for large ones).

    A compiled form is native code: it is read only from the cache, a folder of this user alone.
    """
    import wasmtime

    if os.path.exists(compiled):
        return wasmtime.Module.deserialize_file(engine, compiled)
    made = wasmtime.Module.from_file(engine, module)
    unfinished = f"{compiled}.{os.getpid()}"
    with open(unfinished, "wb") as file:
        file.write(made.serialize())
        file.flush()
        os.fsync(file.fileno())  # after a loss of power it is whole, or not there
    os.rename(unfinished, compiled)
    return wasmtime.Module.deserialize_file(engine, compiled)


def main() -> None:
    setup = msgspec.json.decode(sys.argv[1], type=Setup)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (max(setup.disk_bytes, 1 << 30), max(setup.disk_bytes, 1 << 30))
    )
    Worker(setup).serve()


if __name__ == "__main__":
    main()
