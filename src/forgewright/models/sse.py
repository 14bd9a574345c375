"""Server-sent events, taken apart as they come (WHATWG HTML §9.2.6, "Interpreting an event stream").

Pushed bytes in, finished events out; it does no input or output of its own. `id` and `retry` are for
reconnecting, which a model's answer can't do, and are ignored.
"""

from __future__ import annotations

from typing import NamedTuple

from forgewright.core.errors import ModelProtocolError

EVENT_BYTES_MAX = 16 << 20


class Event(NamedTuple):
    type: str
    """`message` where the stream names none."""
    data: bytes
    """UTF-8, not yet decoded: JSON decoders want bytes."""


class SseParser:
    """Feed it pieces as they come off the wire; a piece may end anywhere, even inside a line end."""

    def __init__(self, event_bytes_max: int = EVENT_BYTES_MAX) -> None:
        self._event_bytes_max = event_bytes_max
        self._rest = b""
        self._type = ""
        self._data: list[bytes] = []
        self._size = 0
        self._first = True
        self._after_cr = False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes. Raises `ModelProtocolError` for one that is too large."""
        if self._after_cr and piece:  # the last piece ended in CR: a LF that follows belongs to it
            self._after_cr = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        text = self._rest + piece if self._rest else piece
        if self._first:
            if text == b"\xef\xbb\xbf"[: len(text)] and len(text) < 3:
                self._rest = text
                return []
            text = text.removeprefix(b"\xef\xbb\xbf")
            self._first = False
        if b"\r" in text:
            self._after_cr = text.endswith(b"\r")
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = text.split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) + self._size > self._event_bytes_max:
            raise self._too_large()
        events: list[Event] = []
        for line in lines:
            if not line:
                if self._data:
                    data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                    events.append(Event(self._type or "message", data))
                self._type, self._data, self._size = "", [], 0
            elif line[0] != 0x3A:  # a colon first makes a comment
                self._field(line)
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            if self._size > self._event_bytes_max:
                raise self._too_large()
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")

    def _too_large(self) -> ModelProtocolError:
        return ModelProtocolError(
            f"one server-sent event of the answer is larger than {self._event_bytes_max} bytes",
            hint="check that the base URL is that of a model API",
        )
