"""What is run, in what, within which limits, and how it ended."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec


class Tier(enum.StrEnum):
    """Strength of isolation, weakest first. A policy asks for a tier; a stronger one satisfies it."""

    WASM = "wasm"
    CONTAINER = "container"
    GVISOR = "gvisor"
    MICROVM = "microvm"


class Mount(msgspec.Struct, frozen=True):
    source: str
    """Absolute path on the host."""
    target: str
    """Absolute path inside."""
    mode: Literal["ro", "rw", "cow"] = "ro"
    """`cow`: inside it can be written, on the host nothing changes, and at close the writes are gone."""


class Limits(msgspec.Struct, frozen=True):
    memory_bytes: int = 1 << 30
    cpus: float = 1.0
    processes: int = 256
    disk_bytes: int = 1 << 30
    """All that can be written inside: temporary files and copy-on-write layers together."""
    files: int = 1024
    """Open files per process."""
    output_bytes: int = 4 << 20
    """Kept of each of stdout and stderr; what comes after is read, counted and thrown away."""
    instructions: int = 0
    """Of WebAssembly, for each command, in wasmtime's fuel (about one for each instruction): a bound that does not depend
    on how busy the machine is. 0 is none; other tiers cannot count them and refuse."""
    read_bytes_per_second: int = 0
    """From the disks under its mounts and under its image; 0 is no limit. Needs a cgroup."""
    write_bytes_per_second: int = 0


class Credential(msgspec.Struct, frozen=True):
    """A secret that the proxy puts into requests to one host. It never enters the sandbox, and stands in no spec."""

    to: str
    """`host:port`; to be reached over TLS, unless it is this machine's loopback."""
    secret: str
    """Name of the variable in the engine's environment that holds it."""
    header: str = "Authorization"
    form: str = "Bearer {}"
    """The header's value, with the secret in place of `{}`."""


class Network(msgspec.Struct, frozen=True):
    allow: tuple[str, ...] = ()
    """`host:port` names that may be reached; none by default."""
    credentials: tuple[Credential, ...] = ()
    """Of hosts that may be reached: what the proxy adds to requests."""
    forward: tuple[str, ...] = ()
    """`host:port` that any protocol may reach: inside at 127.0.0.1 on the same port, or `PORT=host:port`."""


class SandboxSpec(msgspec.Struct, frozen=True):
    tier: Tier = Tier.CONTAINER
    image: str = "host"
    limits: Limits = Limits()
    mounts: tuple[Mount, ...] = ()
    network: Network = Network()
    environment: Mapping[str, str] = {}
    workdir: str = "/"
    uid: int = 1000
    """User id inside; never 0 on the host."""
    clock: Literal["", "none", "zero", "real"] = ""
    """Of tier `wasm`: `real` is the host's, `zero` (the default) begins at 1970 with each command and is moved on by being
    read and by waiting, `none` fails. Other tiers have the host's, and refuse to be without."""


class Size(msgspec.Struct, frozen=True):
    """Of a terminal, in characters."""

    rows: int = 24
    columns: int = 80


class Command(msgspec.Struct, frozen=True):
    argv: tuple[str, ...]
    stdin: bytes = b""
    environment: Mapping[str, str] = {}
    workdir: str | None = None
    timeout_seconds: float = 600.0


Reason = Literal["exit", "signal", "timeout", "oom", "pids", "disk", "cancelled"]


class Exit(msgspec.Struct, frozen=True):
    """How a command ended. A command that fails is no error of the sandbox."""

    code: int
    """Exit code; 128 + signal number where a signal ended it."""
    reason: Reason
    stdout: bytes
    stderr: bytes
    stdout_bytes: int
    """What was written in all, kept or not."""
    stderr_bytes: int
    seconds: float
    memory_peak_bytes: int | None = None

    @property
    def ok(self) -> bool:
        return self.code == 0 and self.reason == "exit"


class Metrics(msgspec.Struct, frozen=True):
    """What a sandbox uses, as its host counts it: of a virtual machine, the machine with its monitor."""

    cpu_seconds: float
    """Of all its processes since it was made."""
    memory_bytes: int
    memory_peak_bytes: int | None
    """Since the last command began while none ran."""
    processes: int
    read_bytes: int | None = None
    """From disks; None where the host does not count it."""
    written_bytes: int | None = None


OnOutput = Callable[[Literal["stdout", "stderr"], bytes], None]


class Connection(msgspec.Struct, frozen=True):
    """One attempt to get out of a sandbox, as it is recorded."""

    host: str
    port: int
    allowed: bool
    reason: str
    """Why not, or the address that was connected to."""
    sent_bytes: int = 0
    received_bytes: int = 0
    phase: Literal["refused", "opened", "closed"] = "refused"
    """`opened` is recorded before the first byte goes out."""


OnConnection = Callable[[Connection], Awaitable[None]]


@runtime_checkable
class Networked(Protocol):
    """A sandbox with a way out that can be watched."""

    def watch_connections(self, listener: OnConnection) -> None:
        """`listener` is awaited before the first byte of each connection goes out, and when it has ended."""


class Probe(msgspec.Struct, frozen=True):
    """What `doctor` shows of a driver."""

    driver: str
    tier: Tier
    available: bool
    version: str = ""
    detail: str = ""
    """Why it is not available, or how it will run (rootful, rootless, KVM, TCG …)."""
    install: str = ""
    """The command that adds what is missing."""


class Sandbox(Protocol):
    """A created sandbox. Raises `SandboxError` where the sandbox itself breaks."""

    id: str
    spec: SandboxSpec
    driver: str

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Exit:
        """Runs to the end; a time-out kills the whole process tree. Cancelled: likewise."""

    async def read(self, path: str, *, bytes_max: int = 64 << 20) -> bytes: ...
    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None: ...
    async def list(self, path: str) -> Sequence[str]: ...
    async def remove(self, path: str) -> None: ...
    async def close(self) -> None:
        """Idempotent. Nothing of it is left on the host."""

    # What not every tier can; one that cannot raises `Unavailable`.

    async def pause(self) -> None:
        """All in it stands still, and uses no processor, until `resume`. Idempotent, as that is."""

    async def resume(self) -> None: ...
    async def metrics(self) -> Metrics: ...
    async def snapshot(self) -> str:
        """Keeps its state, and gives the name under which `Driver.restore` opens it, any number of times.

        A virtual machine and gVisor keep their processes too, a container what was written. Raises `Conflict`
        while a command runs: it would end here and go on there.
        """

    async def fork(self) -> Sandbox:
        """Another sandbox with the state of this one, which goes on."""


class Driver(Protocol):
    """Raises `MissingProgram`, `Unavailable`, `SandboxError`."""

    name: str
    tier: Tier

    async def probe(self) -> Probe: ...
    async def create(self, spec: SandboxSpec) -> Sandbox: ...
    async def restore(self, snapshot: str) -> Sandbox:
        """A new sandbox with the state of that snapshot. Raises `NotFound`, `Unavailable`."""

    async def clean(self) -> Sequence[str]:
        """Removes what a crashed engine left behind; says what."""
