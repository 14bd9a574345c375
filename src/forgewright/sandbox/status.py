"""What the status of a process and of the agent's own file operations mean."""

from __future__ import annotations

import errno
import os

import msgspec

from forgewright.core.errors import NotFound, Refused, SandboxError


class Ended(msgspec.Struct, frozen=True):
    """How the agent saw a command end."""

    status: int
    """As waitpid(2) gives it."""
    killed: bool
    disk_full: bool
    memory: bool
    """The agent's own watch found more memory in use than allowed."""
    processes: bool
    """The same of processes."""
    instructions: bool
    """A WebAssembly module has used up those it was given."""
    stdout_bytes: int
    stderr_bytes: int
    rss_bytes: int
    cpu_microseconds: int


def exit_code(status: int) -> int:
    """As a shell says it: 128 and the signal for what a signal ended."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def file_error(name: str, path: str, code: int, text: bytes) -> Exception:
    """The error that a file operation of the agent ended with; `text` is what it wrote, its errno at code 120."""
    try:
        number = int(text) if code == 120 else 0
    except ValueError:
        number = 0
    why = os.strerror(number) if number else f"ended with code {code}: {text.decode('utf-8', 'replace')}"
    if number in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(f"{name} {path}: {why}")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Refused(f"{name} {path}: {why}")
    return SandboxError(f"{name} {path}: {why}")
