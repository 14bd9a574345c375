"""How long a program may be planned: every loop that can be long asks here, and a program that is late is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

from forgewright.core.errors import EditRefused

PLAN_SECONDS = 30.0
"""CPU time of one program."""

_END: ContextVar[float] = ContextVar("end", default=float("inf"))


@contextmanager
def limited(seconds: float = PLAN_SECONDS) -> Iterator[None]:
    """From here on `check` raises after so many seconds of CPU time of this thread."""
    token = _END.set(thread_time() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def left() -> float:
    """Seconds of CPU time."""
    return _END.get() - thread_time()


def charge(seconds: float) -> None:
    """Counts CPU time that another process has worked for this one."""
    _END.set(_END.get() - seconds)


def check() -> None:
    """Raises `EditRefused` if it is late."""
    if thread_time() > _END.get():
        raise EditRefused(
            f"not planned after {PLAN_SECONDS:.0f} s of computing",
            hint="narrow the program: a rarer name, fewer files, one operation at a time",
        )
