"""A time after which another thread wakes up, that costs nobody anything when it is called off before (timerfd_create(2)).

The timers of `threading` wake a thread when they are set; Python has this one from 3.13 on only.
"""

from __future__ import annotations

import ctypes
import os

_CLOCK_MONOTONIC, _TFD_CLOEXEC = 1, os.O_CLOEXEC
_Setting = ctypes.c_long * 4
"""struct itimerspec: the interval and the first time, each in seconds and nanoseconds."""


class Alarm:
    def __init__(self, seconds: float) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set = libc.timerfd_settime
        self._fd = libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        whole = int(seconds)
        self._on = _Setting(0, 0, whole, max(1, int((seconds - whole) * 1e9)))
        self._off = _Setting()

    def begin(self) -> None:
        self._set(self._fd, 0, ctypes.byref(self._on), None)

    def call_off(self) -> None:
        """Also what has been reached and nobody has waited for."""
        self._set(self._fd, 0, ctypes.byref(self._off), None)

    def wait(self) -> None:
        os.read(self._fd, 8)
