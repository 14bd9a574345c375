"""A Forgewright sandbox as a workspace of Pydantic AI: commands and files in one place that is none of the host.

    workspace = ForgewrightWorkspace(SandboxSpec(tier=Tier.GVISOR))
    result = await agent.run("…", workspace=workspace)
    await workspace.destroy()

Needs the extra `pydantic-ai`. Contract: `pydantic_ai.workspaces.protocol`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from forgewright.agent.workspace.guard import Ability
from forgewright.agent.workspace.work import Taken
from forgewright.core.errors import (
    ForgewrightError,
    MissingExtra,
    NotFound,
    PolicyDenied,
    Refused,
    SandboxError,
    UsageError,
)
from forgewright.integrations.sandboxed import Sandboxed
from forgewright.integrations.tree import Approve
from forgewright.policy.types import Gate
from forgewright.sandbox.types import Command, Exit, SandboxSpec

try:
    from pydantic_ai.workspaces import (
        CommandResult,
        FileEntry,
        SupportsCommands,
        SupportsFilesystem,
        SupportsRealpath,
        WorkspaceBackend,
        WorkspaceOutputLimitError,
        WorkspaceRef,
        WorkspaceTimeoutError,
        WorkspaceUnavailableError,
    )
    from pydantic_ai.workspaces.protocol import validate_timeout
except ImportError as error:
    raise MissingExtra("pydantic-ai", needed_for="the workspace for Pydantic AI") from error

PROVIDER = "forgewright"
SECONDS_MAX = 86_400.0
"""A command's time where the caller names none."""
FILE_BYTES_MAX = 64 << 20

_environments: dict[str, Sandboxed] = {}
"""The sandboxes of this process that are there, by id: what a reference can be attached to."""

_ERRORS: tuple[tuple[str, type[OSError]], ...] = (
    ("Not a directory", NotADirectoryError),
    ("Is a directory", IsADirectoryError),
    ("No such file", FileNotFoundError),
    ("File exists", FileExistsError),
    ("Permission denied", PermissionError),
    ("Read-only file system", PermissionError),
    ("not permitted", PermissionError),
    ("resource busy", PermissionError),
    ("levels of symbolic links", OSError),
    ("Invalid argument", OSError),
    ("No space left", OSError),
    ("at most", OSError),
)


class ForgewrightWorkspace(WorkspaceBackend, SupportsCommands, SupportsFilesystem, SupportsRealpath):
    """A workspace over one sandbox, created at the first operation; it outlives runs, until `destroy`.

    With `ref` it attaches to the sandbox of another workspace of this process. A sandbox ends with the process that
    made it: elsewhere its reference is unavailable, and never answered by a new one.

    `root`: a folder of this machine, seen as a copy at /work, where commands start. The rules of `gate` (by default those
    that come along) for reading and editing hold there, for files as for commands: what `principal` may not read is
    hidden, what it may not change is protected, and the folder itself changes only by `take_over`.
    """

    def __init__(
        self,
        spec: SandboxSpec | None = None,
        *,
        ref: Any = None,
        driver: str | None = None,
        root: Path | str | None = None,
        gate: Gate | None = None,
        principal: str = "pydantic-ai",
    ) -> None:
        if ref is not None and ref.provider != PROVIDER:
            raise UsageError(f"expected a reference of provider {PROVIDER!r}; found {ref.provider!r:.60}")
        if ref is not None and (spec is not None or root is not None):
            raise UsageError("expected a new sandbox or the reference of one; found both")
        self._own = None
        if ref is None:
            self._own = Sandboxed(spec, driver=driver, root=root, gate=gate, principal=principal)
        self._ref = ref

    @property
    def ref(self) -> Any:
        return self._ref

    async def working_dir(self) -> str:
        found: str = await self._on(self._working_dir)
        return found

    async def run(
        self,
        command: str | Sequence[str],
        *,
        shell: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        validate_timeout(timeout)
        if isinstance(command, str) is not shell:
            raise TypeError(
                "a string needs shell=True; without it, give a sequence of arguments"
                if isinstance(command, str)
                else "a sequence of arguments can't be combined with shell=True; give one string"
            )
        argv = ("sh", "-c", command) if isinstance(command, str) else tuple(command)
        return await self._on(self._run, argv, dict(env or {}), timeout)

    async def read_bytes(self, path: str) -> bytes:
        data: bytes = await self._on(self._read, path)
        return data

    async def write_bytes(self, path: str, data: bytes) -> None:
        await self._on(self._write, path, bytes(data))

    async def stat(self, path: str) -> Any:
        name = posixpath.basename(posixpath.normpath(path)) or "/"
        return (await self._on(self._look, path, 0, name))[0]

    async def list_dir(self, path: str) -> Sequence[Any]:
        found = await self._on(self._look, path, 1, "")
        if not found[0].is_dir:
            raise NotADirectoryError(path)
        return sorted(found[1:], key=lambda entry: str(entry.path))

    async def make_dir(self, path: str) -> None:
        await self._on(self._system, path, "mkdir", "-p", "--", _absolute(path))

    async def remove(self, path: str) -> None:
        await self._on(self._remove, path)

    async def exists(self, path: str) -> bool:
        done = await self._on(self._command, ("test", "-e", _absolute(path)), {}, None)
        return bool(done.code == 0)

    async def realpath(self, path: str) -> str:
        """Links resolved inside the sandbox; what is missing stays as it is written."""
        said: Exit = await self._on(self._system, path, "realpath", "-mz", "--", _absolute(path))
        return said.stdout.rstrip(b"\0").decode("utf-8", "surrogateescape")

    async def take_over(self, approve: Approve | None = None) -> Taken:
        """Writes what changed in the copy of `root` into it, as far as the policy goes; `approve` is asked of paths whose
        change needs a yes. What was refused is in the result, with the reason."""
        own = self._own or _environments.get(self._ref.id)
        if own is None:
            raise WorkspaceUnavailableError(f"there is no sandbox {self._ref.id} in this process")
        return await own.portal.acall(own.take_over(approve))

    async def destroy(self) -> None:
        """Ends the sandbox with all that runs and lies in it. Idempotent; attached workspaces are unavailable then."""
        own = self._own or (self._ref and _environments.get(self._ref.id))
        if own:
            if self._ref is not None:
                _environments.pop(self._ref.id, None)
            await own.portal.acall(own.destroy())

    # ── on the sandbox's own loop ────────────────────────────────────────────────────────────────────

    async def _on(self, work: Any, *arguments: Any) -> Any:
        own = self._own or _environments.get(self._ref.id)
        if own is None:
            raise WorkspaceUnavailableError(f"there is no sandbox {self._ref.id} in this process")
        return await own.portal.acall(self._guarded(own, work, arguments))

    async def _guarded(self, own: Sandboxed, work: Any, arguments: tuple[Any, ...]) -> Any:
        sandbox = await own.open()
        if self._ref is None:
            _environments[sandbox.id] = own
            self._ref = WorkspaceRef(provider=PROVIDER, id=sandbox.id)
        if sandbox.id not in _environments:
            raise WorkspaceUnavailableError(f"the sandbox {sandbox.id} was destroyed")
        try:
            return await work(sandbox, *arguments)
        except SandboxError as error:
            raise WorkspaceUnavailableError(str(error)) from error

    async def _working_dir(self, sandbox: Any) -> str:
        done = await self._command(sandbox, ("pwd", "-P"), {}, None)
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    async def _command(
        self, sandbox: Any, argv: tuple[str, ...], env: dict[str, str], timeout: float | None
    ) -> Exit:
        done: Exit = await sandbox.run(
            Command(argv, environment=env, timeout_seconds=min(timeout or SECONDS_MAX, SECONDS_MAX))
        )
        if done.reason == "cancelled" or sandbox.id not in _environments:
            raise WorkspaceUnavailableError(f"the sandbox {sandbox.id} was destroyed while the command ran")
        return done

    async def _run(
        self, sandbox: Any, argv: tuple[str, ...], env: dict[str, str], timeout: float | None
    ) -> Any:
        done = await self._command(sandbox, argv, env, timeout)
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        if done.reason == "timeout":
            raise WorkspaceTimeoutError(
                f"the command was ended after {timeout or SECONDS_MAX:g} s", stdout=out, stderr=err
            )
        if done.stdout_bytes + done.stderr_bytes > len(done.stdout) + len(done.stderr):
            limit = sandbox.spec.limits.output_bytes
            raise WorkspaceOutputLimitError(
                f"the command wrote more than {limit} bytes; send its output to a file and read parts of it",
                limit=limit,
                stdout=out[: 64 * 1024],
                stderr=err[: 64 * 1024],
            )
        return CommandResult(exit_code=done.code, stdout=out, stderr=err)

    def _check(self, action: Ability, path: str) -> None:
        own = self._own or _environments.get(self._ref.id)
        if own is not None and own.tree is not None:
            try:
                own.tree.check(action, _absolute(path))
            except PolicyDenied as error:
                raise PermissionError(f"{path}: {error.message}") from error

    async def _read(self, sandbox: Any, path: str) -> bytes:
        self._check("read", path)
        try:
            data: bytes = await sandbox.read(_absolute(path), bytes_max=FILE_BYTES_MAX)
        except ForgewrightError as error:
            _raise(path, error)
        return data

    async def _write(self, sandbox: Any, path: str, data: bytes) -> None:
        self._check("edit", path)
        target = _absolute(path)
        looked = await self._command(
            sandbox, ("find", "-H", target, "-maxdepth", "0", "-printf", "%m"), {}, None
        )
        mode = int(looked.stdout or b"644", 8)  # writing keeps the permissions of a file that is there
        try:
            await sandbox.write(target, data, mode=mode)
        except ForgewrightError as error:
            _raise(path, error)

    async def _remove(self, sandbox: Any, path: str) -> None:
        self._check("edit", path)
        target = posixpath.normpath(_absolute(path))
        link = await self._command(sandbox, ("test", "-L", target), {}, None)
        if link.code:
            real = (
                (await self._system(sandbox, path, "realpath", "-mz", "--", target))
                .stdout.rstrip(b"\0")
                .decode()
            )
            inside = (await self._working_dir(sandbox)).rstrip("/") + "/"
            if inside.startswith(real.rstrip("/") + "/"):
                raise ValueError(f"{path!r} is the working directory or above it, and can't be removed")
        try:
            await sandbox.remove(target)
        except ForgewrightError as error:
            _raise(path, error)

    async def _look(self, sandbox: Any, path: str, depth: int, name: str) -> list[Any]:
        target = posixpath.normpath(_absolute(path))
        shown = r"%y\0%Y\0%s\0%f\0"
        done = await self._system(
            sandbox, path, "find", "-H", target, "-maxdepth", str(depth), "-printf", shown
        )
        fields = [field.decode("utf-8", "surrogateescape") for field in done.stdout.split(b"\0")[:-1]]
        entries = []
        for number, (own, led, size, last) in enumerate(zip(*[iter(fields)] * 4, strict=True)):
            entries.append(
                FileEntry(
                    name=last if number else name,
                    path=posixpath.join(target, last) if number else path,
                    is_dir=led == "d",
                    size=int(size) if own == "f" else None,
                )
            )
        return entries

    async def _system(self, sandbox: Any, path: str, *argv: str) -> Exit:
        done = await self._command(sandbox, argv, {"LC_ALL": "C"}, None)
        if done.code:
            _raise(path, SandboxError(done.stderr.decode("utf-8", "replace").strip()))
        return done


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"expected an absolute path; found {path!r:.200}")
    return path


def _raise(path: str, error: ForgewrightError) -> NoReturn:
    """The builtin error that the contract asks for; what has none says that the sandbox is gone."""
    for words, kind in _ERRORS:
        if words in error.message:
            raise kind(f"{path}: {error.message}") from error
    if isinstance(error, NotFound):
        raise FileNotFoundError(path) from error
    if isinstance(error, Refused):
        raise PermissionError(path) from error
    raise error
