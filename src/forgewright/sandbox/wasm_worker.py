"""The process in which WebAssembly runs: it speaks the agent's protocol on descriptors 0 and 1.

One module, compiled once and kept; one command at a time. A command that has to be killed is interrupted at its next
loop or call (an epoch); where that takes longer than a moment, because nothing interrupts a call into the host that
blocks, the process goes along, and the driver starts another.
"""

from __future__ import annotations

import os
import queue
import resource
import signal
import stat
import struct
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from forgewright.sandbox.wasm_adapter import Adapter, Clock
from forgewright.sandbox.wasm_network import DATA, ROOM, SHUT, Connections, host_functions

_HEADER = struct.Struct("<IBI")
_EXEC = struct.Struct("<BBIIQQQQQIIHH")
_EXITED = struct.Struct("<iBQQQQ")
_EXEC_TYPE, _STDIN, _KILL, _PING = 1, 2, 4, 5
_HELLO, _OUT, _ERR, _EXITED_TYPE, _PONG, _CREDIT, _GONE = 65, 66, 67, 68, 69, 70, 71
_READ, _WRITE, _LIST, _REMOVE = 1, 2, 3, 4
_FLAG_KILLED, _FLAG_MEMORY, _FLAG_INSTRUCTIONS = 1, 4, 16
_PAGE = 65_536
INTERRUPT_SECONDS = 1.0
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


class Wire:
    """Frames out, from the main thread and from the reading one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def send(self, kind: int, number: int, data: bytes = b"") -> None:
        frame = _HEADER.pack(len(data), kind, number) + data
        with self._lock:
            while frame:
                frame = frame[os.write(1, frame) :]

    def exited(self, number: int, code: int, flags: int, out: int, err: int) -> None:
        self.send(
            _EXITED_TYPE, number, _EXITED.pack(code << 8 if code >= 0 else -code, flags, out, err, 0, 0)
        )


class Output:
    """One stream of a command: what fits is sent, the rest counted."""

    def __init__(self, wire: Wire, kind: int, number: int, kept_max: int) -> None:
        self._wire, self._kind, self._number, self._kept_max = wire, kind, number, kept_max
        self.written = 0

    def __call__(self, data: bytes) -> int:
        room = max(0, self._kept_max - self.written)
        self.written += len(data)
        if room:
            self._wire.send(self._kind, self._number, bytes(data[:room]))
        return len(data)


class Input:
    """Standard input of a command, collected into a file: WASI reads from one."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the command
        self.complete = threading.Event()


def _receive(
    wire: Wire,
    inputs: dict[int, Input],
    requests: queue.Queue[tuple[int, bytes] | None],
    interrupt: Callable[[int], bool],
    streams: Callable[[int, int, bytes], object],
) -> None:
    """Reads frames until the driver is gone; then, and to kill what cannot be interrupted, the whole process ends."""
    buffer = bytearray()
    while data := os.read(0, 1 << 18):
        buffer += data
        while len(buffer) >= _HEADER.size:
            length, kind, number = _HEADER.unpack_from(buffer)
            if len(buffer) < _HEADER.size + length:
                break
            payload = bytes(buffer[_HEADER.size : _HEADER.size + length])
            del buffer[: _HEADER.size + length]
            if kind == _EXEC_TYPE:
                inputs[number] = Input()
                requests.put((number, payload))
            elif kind == _STDIN and number in inputs:
                if payload:
                    inputs[number].file.write(payload)
                    wire.send(_CREDIT, number, struct.pack("<I", len(payload)))
                else:
                    inputs[number].complete.set()
            elif kind in (DATA, SHUT, ROOM):
                streams(kind, number, payload)
            elif kind == _PING:
                wire.send(_PONG, number, payload)
            elif kind == _KILL and number in inputs:
                if interrupt(number):
                    continue
                wire.exited(number, -signal.SIGKILL, _FLAG_KILLED, 0, 0)
                os._exit(0)
            elif kind == _KILL:
                wire.send(_GONE, number)
    os._exit(0)


class Worker:
    def __init__(self, setup: Setup) -> None:
        import wasmtime

        self._setup = setup
        self._w = wasmtime
        self._engine = wasmtime.Engine(engine_config(fuel=bool(setup.instructions)))
        self._module = load(self._engine, setup.module, setup.compiled)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()
        self._without_sockets()
        self._wire = Wire()
        self._connections = Connections(self._wire.send)
        net = host_functions(self._connections) if setup.network else None
        self._adapter = Adapter(self._engine, self._module, setup.clock, setup.began, net)
        self._linker.define_unknown_imports_as_traps(self._module)
        self._prepared = self._linker.instantiate_pre(self._module)
        self._running = 0
        self._killed = 0
        self._over = threading.Event()

    def _interrupt(self, number: int) -> bool:
        """Ends the command at its next loop or call; False where it did not get there."""
        if self._running != number:
            return False
        self._killed = number
        self._engine.increment_epoch()
        self._connections.abort()
        return self._over.wait(INTERRUPT_SECONDS)

    def _without_sockets(self) -> None:
        """Each socket call that the module knows fails as not supported, in whatever dialect it knows it."""
        self._linker.allow_shadowing = True
        for wanted in self._module.imports:
            name = wanted.name or ""
            kind = wanted.type
            answers = isinstance(kind, self._w.FuncType) and len(kind.results) == 1
            if wanted.module.startswith("wasi") and name.startswith("sock_") and answers:
                self._linker.define_func(wanted.module, name, kind, lambda *_: _ENOTSUP)
        self._linker.allow_shadowing = False

    def serve(self) -> None:
        inputs: dict[int, Input] = {}
        requests: queue.Queue[tuple[int, bytes] | None] = queue.Queue()
        threading.Thread(
            target=_receive,
            args=(self._wire, inputs, requests, self._interrupt, self._connections.received),
            daemon=True,
        ).start()
        self._wire.send(_HELLO, 1)
        while (request := requests.get()) is not None:
            number, payload = request
            inputs[number].complete.wait()
            kind, _, _, _, kept_max, _, _, _, _, argc, envc, _, _ = _EXEC.unpack_from(payload)
            words = payload[_EXEC.size : -1].split(b"\0")
            argv, environment = words[1 : 1 + argc], words[1 + argc : 1 + argc + envc]
            out, err = Output(self._wire, _OUT, number, kept_max), Output(self._wire, _ERR, number, kept_max)
            inputs[number].file.seek(0)
            if kind:
                code, flags = self._builtin(kind, argv, inputs[number], out, err), 0
            else:
                self._over.clear()
                self._connections.reset()
                self._running = number
                code, flags = self._run(argv, environment, inputs[number], out, err)
                self._running = 0
                self._connections.reset()
                if self._killed == number:
                    code, flags = -signal.SIGKILL, _FLAG_KILLED
            inputs.pop(number).file.close()
            self._wire.exited(number, code, flags, out.written, err.written)
            self._over.set()

    def _run(
        self, argv: list[bytes], environment: list[bytes], stdin: Input, out: Output, err: Output
    ) -> tuple[int, int]:
        w = self._w
        wasi = w.WasiConfig()
        wasi.argv = [word.decode("utf-8", "replace") for word in argv]
        pairs = [word.decode("utf-8", "replace").partition("=") for word in environment]
        wasi.env = [(name, value) for name, _, value in pairs]
        wasi.stdin_file = f"/proc/self/fd/{stdin.file.fileno()}"
        wasi.stdout_custom, wasi.stderr_custom = out, err
        for host, inside, writable in self._setup.folders:
            wasi.preopen_dir(host, inside, writable)
        store = w.Store(self._engine)
        adapted = self._adapter.needed
        store.set_limits(memory_size=self._setup.memory_bytes, instances=3 if adapted else 1, memories=1)
        store.set_wasi(wasi)
        store.set_epoch_deadline(1)
        if self._setup.instructions:
            store.set_fuel(self._setup.instructions)
        flags = code = 0
        instance: Any = None
        try:
            instance = (
                self._adapter.instantiate(self._linker, store)
                if adapted
                else self._prepared.instantiate(store)
            )
            instance.exports(store)["_start"](store)
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
        memory = instance.exports(store).get("memory") if instance is not None else None
        if code and memory is not None and memory.size(store) * _PAGE > self._setup.memory_bytes * 3 // 4:
            flags |= _FLAG_MEMORY
        return code, flags

    # -- files: by folders that are opened one by one, never through a link --

    def _builtin(self, kind: int, argv: list[bytes], stdin: Input, out: Output, err: Output) -> int:
        try:
            path = argv[0]
            if kind == _READ:
                fd = self._open(path, os.O_RDONLY)
                with os.fdopen(fd, "rb") as file:
                    if not stat.S_ISREG(os.fstat(fd).st_mode):
                        raise OSError(22, "not a regular file")
                    while data := file.read(_PAGE):
                        out(data)
            elif kind == _WRITE:
                fd = self._open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, make=True)
                with os.fdopen(fd, "wb") as file:
                    while data := stdin.file.read(_PAGE):
                        file.write(data)
                    os.fchmod(fd, int(argv[1], 8) & 0o777)
            elif kind == _LIST:
                fd = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
                names = os.listdir(fd)
                os.close(fd)
                out(b"".join(os.fsencode(name) + b"\0" for name in names))
            elif kind == _REMOVE:
                self._remove(path)
            else:
                raise OSError(38, "not offered by this tier")
        except OSError as error:
            err(str(error.errno or 5).encode())
            return 120
        return 0

    def _folder(self, path: bytes) -> tuple[str, list[bytes], bool]:
        inside = os.fsdecode(path)
        host, at, writable = max(
            (f for f in self._setup.folders if inside == f[1] or inside.startswith(f[1].rstrip("/") + "/")),
            key=lambda folder: len(folder[1]),
        )
        rest = inside[len(at.rstrip("/")) :].strip("/")
        return host, [os.fsencode(part) for part in rest.split("/") if part], writable

    def _open(self, path: bytes, flags: int, *, make: bool = False) -> int:
        host, parts, writable = self._folder(path)
        if flags & (os.O_WRONLY | os.O_CREAT) and not writable:
            raise OSError(30, "read-only")
        fd = os.open(host, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            if make and not last:
                try:
                    os.mkdir(part, 0o755, dir_fd=fd)
                except FileExistsError:
                    pass
            wanted = flags | os.O_NONBLOCK if last else os.O_RDONLY | os.O_DIRECTORY
            try:
                inner = os.open(part, wanted | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return fd

    def _remove(self, path: bytes) -> None:
        import shutil

        parent, _, name = os.fsdecode(path).rstrip("/").rpartition("/")
        if not self._folder(path)[2]:
            raise OSError(30, "read-only")
        fd = self._open(os.fsencode(parent or "/"), os.O_RDONLY | os.O_DIRECTORY)
        try:
            if stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=fd)
            else:
                os.unlink(name, dir_fd=fd)
        finally:
            os.close(fd)


def engine_config(*, fuel: bool = False) -> Any:
    import wasmtime

    config = wasmtime.Config()
    config.wasm_threads = False
    config.max_wasm_stack = 1 << 20
    config.epoch_interruption = True
    config.consume_fuel = fuel
    return config


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
