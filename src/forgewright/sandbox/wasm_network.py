"""Connections of a WebAssembly module: files of the names `/dev/tcp/HOST/PORT` and `/dev/tls/HOST/PORT`.

WASI preview 1 opens no connections, but every program that was compiled to it can open a file. What is read from and
written to such a file goes, as streams of the control channel, to the engine's proxy, which has the allowlist, resolves
names and keeps the record, as for every tier. Of `tls` the proxy speaks TLS and checks the host's certificate.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import Any

FIRST_FD = 1 << 20
"""File descriptors from here on are connections."""

PORTS = {"tcp": 3128, "tls": 3129}
"""Of the proxy (`egress.PORT`, `egress.TLS_PORT`)."""

DATA, SHUT, ROOM = 8, 9, 10
CREDIT, SENT, ENDED = 70, 73, 74
WINDOW = 1 << 18
"""As `streams` has them, which a worker does not import."""

_OPENED = 72
_STREAM_IDS = 0x8000_0000
_CONNECTIONS_MAX = 32
_PIECE = 32_768
_ANSWER_BYTES_MAX = 8192
_ACCES, _BADF, _CONNREFUSED, _INTR, _INVAL, _MFILE, _PIPE = 2, 8, 14, 27, 28, 33, 64
"""WASI preview 1, errno."""


class _Connection:
    def __init__(self, number: int) -> None:
        self.number = number
        self.incoming = bytearray()
        self.room = WINDOW
        self.eof = self.shut = False


class Connections:
    """Those of the command that runs. Its calls come from one thread, what is received from another."""

    def __init__(self, send: Callable[[int, int, bytes], object]) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._open: dict[int, _Connection] = {}
        self._streams: dict[int, _Connection] = {}
        self._last = 0
        self._aborted = False

    def received(self, kind: int, number: int, data: bytes) -> None:
        with self._changed:
            found = self._streams.get(number)
            if found is None:
                return
            if kind == ROOM and len(data) == 4:
                found.room += int.from_bytes(data, "little")
            elif kind == DATA and data:
                found.incoming += data
            elif kind == DATA:
                found.eof = True
            elif kind == SHUT:
                found.eof = found.shut = True
                self._end(found)
            self._changed.notify_all()

    def abort(self) -> None:
        """Every call that waits comes back: the command is to end."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()

    def reset(self) -> None:
        """Ends all connections, and makes ready for another command."""
        with self._changed:
            for found in list(self._streams.values()):
                self._end(found)
            self._open.clear()
            self._aborted = False

    def _end(self, found: _Connection) -> None:
        if self._streams.pop(found.number, None) is not None:
            self._send(ENDED, found.number, b"")

    # -- what a module calls: each answers with WASI's error number, or what was asked for --

    def connect(self, path: str) -> int:
        """A file descriptor, or an error number below zero."""
        words = path.split("/")
        if len(words) != 4 or words[1] not in PORTS or not words[3].isdigit() or not words[2]:
            return -_INVAL
        if not words[2].isascii() or any(c <= " " or c == "\x7f" for c in words[2]):
            return -_INVAL
        if len(self._open) >= _CONNECTIONS_MAX:
            return -_MFILE
        with self._changed:
            self._last += 1
            found = _Connection(self._last | _STREAM_IDS)
            self._streams[found.number] = found
        host = f"[{words[2]}]" if ":" in words[2] else words[2]
        self._send(_OPENED, found.number, struct.pack(">H", PORTS[words[1]]))
        self._put(found, f"CONNECT {host}:{words[3]} HTTP/1.1\r\n\r\n".encode())
        status = self._answer(found)
        if status != 200:
            with self._changed:
                self._end(found)
            return -_INTR if self._aborted else -_ACCES if status == 403 else -_CONNREFUSED
        fd = FIRST_FD + self._last
        self._open[fd] = found
        return fd

    def read(self, fd: int, count: int) -> bytes | int:
        found = self._open.get(fd)
        if found is None:
            return _BADF
        return self._take(found, count) if count else b""

    def write(self, fd: int, data: bytes) -> int:
        found = self._open.get(fd)
        return _BADF if found is None else self._put(found, data)

    def close(self, fd: int) -> int:
        found = self._open.pop(fd, None)
        if found is None:
            return _BADF
        with self._changed:
            self._end(found)
        return 0

    def shutdown(self, fd: int) -> int:
        found = self._open.get(fd)
        if found is None:
            return _BADF
        self._send(SENT, found.number, b"")
        return 0

    def known(self, fd: int) -> int:
        return 0 if fd in self._open else _BADF

    def _answer(self, found: _Connection) -> int:
        """The status that the proxy gives; what comes after its head is the connection's."""
        with self._changed:
            while b"\r\n\r\n" not in found.incoming and not (found.eof or self._aborted):
                if len(found.incoming) > _ANSWER_BYTES_MAX:
                    return 0
                self._changed.wait()
            head, end, rest = bytes(found.incoming).partition(b"\r\n\r\n")
            words = head.split(b" ", 2)
            if not end or len(words) < 2 or not words[1].isdigit():
                return 0
            found.incoming = bytearray(rest)
        self._send(CREDIT, found.number, struct.pack("<I", len(head) + len(end)))
        return int(words[1])

    def _take(self, found: _Connection, count: int) -> bytes | int:
        with self._changed:
            while not found.incoming and not found.eof and not self._aborted:
                self._changed.wait()
            if self._aborted:
                return _INTR
            data = bytes(found.incoming[:count])
            del found.incoming[:count]
        if data and not found.shut:
            self._send(CREDIT, found.number, struct.pack("<I", len(data)))
        return data

    def _put(self, found: _Connection, data: bytes) -> int:
        view = memoryview(data)
        while view:
            with self._changed:
                while not found.room and not found.shut and not self._aborted:
                    self._changed.wait()
                if self._aborted:
                    return _INTR
                if found.shut:
                    return _PIPE
                take = min(found.room, len(view), _PIECE)
                found.room -= take
            self._send(SENT, found.number, bytes(view[:take]))
            view = view[take:]
        return 0


def host_functions(connections: Connections) -> dict[str, tuple[int, Callable[..., int]]]:
    """What the adapter imports from `net`: name → (how many arguments, the function, whose first argument is the caller)."""

    def open_(caller: Any, path: int, length: int) -> int:
        text = _read(caller, path, min(length & _UNSIGNED, 1024))
        return connections.connect(text.decode("utf-8", "replace"))

    def read(caller: Any, fd: int, vectors: int, count: int, out: int) -> int:
        places = _vectors(caller, vectors, count)
        got = connections.read(fd, sum(length for _, length in places))
        if isinstance(got, int):
            return got
        at = 0
        for place, length in places:
            _write(caller, place, got[at : at + length])
            at += length
        _write(caller, out, struct.pack("<I", len(got)))
        return 0

    def write(caller: Any, fd: int, vectors: int, count: int, out: int) -> int:
        data = b"".join(_read(caller, place, length) for place, length in _vectors(caller, vectors, count))
        error = connections.write(fd, data)
        if not error:
            _write(caller, out, struct.pack("<I", len(data)))
        return error

    return {
        "open": (2, open_), "read": (4, read), "write": (4, write),
        "close": (1, lambda caller, fd: connections.close(fd)),
        "shutdown": (1, lambda caller, fd: connections.shutdown(fd)),
        "known": (1, lambda caller, fd: connections.known(fd)),
    }  # fmt: skip


_UNSIGNED = 0xFFFF_FFFF
"""What a module passes as 32 bits comes with a sign."""

_VECTORS_MAX = 1024
_BYTES_MAX = 1 << 20
"""Of one call: programs ask again for the rest."""


def _vectors(caller: Any, at: int, count: int) -> list[tuple[int, int]]:
    raw = _read(caller, at, 8 * min(count & _UNSIGNED, _VECTORS_MAX))
    found, left = [], _BYTES_MAX
    for place, length in struct.iter_unpack("<II", raw):
        take = min(length, left)
        found.append((place, take))
        left -= take
    return found


def _read(caller: Any, at: int, length: int) -> bytes:
    """Raises `IndexError`, which ends the module, for what is not in its memory."""
    memory, at = caller["memory"], at & _UNSIGNED
    if at + length > memory.data_len(caller):
        raise IndexError("a pointer out of the module's memory")
    return bytes(memory.read(caller, at, at + length))


def _write(caller: Any, at: int, data: bytes) -> None:
    memory, at = caller["memory"], at & _UNSIGNED
    if at + len(data) > memory.data_len(caller):
        raise IndexError("a pointer out of the module's memory")
    memory.write(caller, data, at)
