"""Spans as OTLP/JSON, and sending them. OpenTelemetry protocol 1.x, JSON Protobuf encoding over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from forgewright.core.errors import Unavailable, UsageError
from forgewright.core.version import VERSION
from forgewright.journal.traces.spans import Attribute, Span

TIMEOUT_SECONDS = 10.0
SPANS_PER_REQUEST = 500
_KINDS = {"internal": 1, "client": 3}
_ERROR = 2


def encode(spans: Sequence[Span]) -> bytes:
    """An ExportTraceServiceRequest as JSON."""
    return msgspec.json.encode(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes({"service.name": "forgewright"})},
                    "scopeSpans": [
                        {
                            "scope": {"name": "forgewright", "version": VERSION},
                            "spans": [_span(span) for span in spans],
                        }
                    ],
                }
            ]
        }
    )


def send(endpoint: str, spans: Sequence[Span], headers: dict[str, str] | None = None) -> None:
    """Posts to `ENDPOINT/v1/traces`. Raises `UsageError`, `Unavailable`."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{endpoint} is no address of a collector", hint="such as http://127.0.0.1:4318")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    try:
        for at in range(0, len(spans), SPANS_PER_REQUEST):
            body = encode(spans[at : at + SPANS_PER_REQUEST])
            path = f"{parts.path.rstrip('/')}/v1/traces"
            connection.request("POST", path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            answer.read(1 << 16)
            if answer.status != 200:
                raise Unavailable(
                    f"the collector {endpoint} answered {answer.status}", hint="look at its log"
                )
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the collector {endpoint} does not answer: {error}") from error
    finally:
        connection.close()


def _span(span: Span) -> dict[str, Any]:
    value: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_ms * 1_000_000),
        "endTimeUnixNano": str(span.end_ms * 1_000_000),
        "attributes": _attributes(span.attributes),
    }
    if span.parent_id is not None:
        value["parentSpanId"] = span.parent_id
    if span.error is not None:
        value["status"] = {"code": _ERROR, "message": span.error}
    return value


def _attributes(values: dict[str, Attribute]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Attribute) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
