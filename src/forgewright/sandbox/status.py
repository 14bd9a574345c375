"""What the status of a process and of the agent's own file operations mean."""

from __future__ import annotations

import errno
import os

from forgewright.core.errors import NotFound, Refused, SandboxError


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
