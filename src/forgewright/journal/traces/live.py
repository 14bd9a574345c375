"""Spans sent while runs go on: fed with records as they are written, sent by a thread of its own.

A collector that is slow or gone costs a run nothing: what it does not take is dropped, and counted.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING
from urllib.parse import unquote

from forgewright.core.errors import ForgewrightError
from forgewright.journal.traces.otlp import SPANS_PER_REQUEST, send
from forgewright.journal.traces.spans import Span, SpanBuilder

if TYPE_CHECKING:
    from forgewright.core.ids import RunId
    from forgewright.journal.event import Record

WAITING_MAX = 10_000
"""Spans that wait to be sent; further ones are dropped."""
EVERY_SECONDS = 1.0
CLOSE_SECONDS = 15.0
"""How long closing waits for the last spans to be sent."""
RUNS_MAX = 1_000
"""Runs of which an unfinished trace is remembered."""


class LiveSpans:
    """`observe` from the loop that writes records; `close` sends what is left."""

    def __init__(self, endpoint: str, headers: Mapping[str, str] | None = None) -> None:
        self._endpoint = endpoint
        self._headers = dict(headers or {})
        self._builders: dict[RunId, SpanBuilder] = {}
        self._waiting: Queue[Span] = Queue(WAITING_MAX)
        self._closing = threading.Event()
        self.dropped = 0
        """Spans that were not sent."""
        self.trouble = ""
        """What the collector said last, where it took something not."""
        self._thread = threading.Thread(target=self._main, name="spans", daemon=True)
        self._thread.start()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> LiveSpans | None:
        """As OpenTelemetry names it: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` (name=value, by
        commas); None where no endpoint is named, or `OTEL_SDK_DISABLED` is true."""
        endpoint = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
        if not endpoint or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return None
        headers = {}
        for pair in environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","):
            name, equals, value = pair.partition("=")
            if equals:
                headers[name.strip()] = unquote(value.strip())
        return cls(endpoint, headers)

    def observe(self, record: Record) -> None:
        """Takes in the next record of any run."""
        builder = self._builders.get(record.run)
        if builder is None:
            if len(self._builders) >= RUNS_MAX:
                self._builders.pop(next(iter(self._builders)))
            builder = self._builders[record.run] = SpanBuilder(record.run)
        for span in builder.add(record):
            try:
                self._waiting.put_nowait(span)
            except Full:
                self.dropped += 1

    def close(self) -> None:
        """Idempotent; waits a bounded time for the last spans."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)

    def _main(self) -> None:
        while True:
            ending = self._closing.wait(EVERY_SECONDS)
            while spans := self._take():
                try:
                    send(self._endpoint, spans, self._headers)
                except ForgewrightError as error:
                    self.dropped += len(spans)
                    self.trouble = error.message
                    if ending:
                        return
                    break
            if ending:
                return

    def _take(self) -> list[Span]:
        spans: list[Span] = []
        try:
            while len(spans) < SPANS_PER_REQUEST:
                spans.append(self._waiting.get_nowait())
        except Empty:
            pass
        return spans
