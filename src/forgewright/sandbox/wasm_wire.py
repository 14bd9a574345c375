"""What the process in which WebAssembly runs says to the driver: frames of the agent's protocol, on descriptor 1."""

from __future__ import annotations

import os
import struct
import threading

HEADER = struct.Struct("<IBI")
_EXITED = struct.Struct("<iBQQQQ")
OUT, ERR, _EXITED_TYPE = 66, 67, 68
HELD_BYTES = 4096


class Wire:
    """Frames out, from both threads. What a command writes in its first moment goes in one piece, also with its end: each
    frame on its own wakes the driver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = bytearray()
        self._holding = False

    def hold(self) -> None:
        self._holding = True

    def release(self) -> None:
        with self._lock:
            self._holding = False
            self._flush()

    def send(self, kind: int, number: int, data: bytes = b"") -> None:
        with self._lock:
            self._held += HEADER.pack(len(data), kind, number) + data
            if not (self._holding and kind in (OUT, ERR) and len(self._held) < HELD_BYTES):
                self._flush()

    def _flush(self) -> None:
        frames = bytes(self._held)
        self._held.clear()
        while frames:
            frames = frames[os.write(1, frames) :]

    def exited(self, number: int, code: int, flags: int, out: int, err: int) -> None:
        self.send(
            _EXITED_TYPE, number, _EXITED.pack(code << 8 if code >= 0 else -code, flags, out, err, 0, 0)
        )


class Output:
    """One stream of a command: what fits is sent, the rest counted."""

    def __init__(self, wire: Wire, kind: int) -> None:
        self._wire, self._kind = wire, kind
        self.begin(0, 0)

    def begin(self, number: int, kept_max: int) -> None:
        self._number, self._kept_max = number, kept_max
        self.written = 0

    def __call__(self, data: bytes) -> int:
        room = max(0, self._kept_max - self.written)
        self.written += len(data)
        if room:
            self._wire.send(self._kind, self._number, bytes(data[:room]))
        return len(data)
