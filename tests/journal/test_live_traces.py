"""Spans reach a collector while the run goes on; a collector that is not there costs the run nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Agent, tool
from forgewright.journal.traces import live
from forgewright.journal.traces.live import LiveSpans
from forgewright.journal.traces.spans import SpanBuilder
from forgewright.models.types import Request
from forgewright.wiring import open_engine


class Collector:
    """An OTLP/HTTP receiver."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.came = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                assert self.path == "/v1/traces"
                with collector.came:
                    collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                    collector.spans += body["resourceSpans"][0]["scopeSpans"][0]["spans"]
                    collector.came.notify_all()
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, name: str) -> bool:
        with self.came:
            return self.came.wait_for(lambda: any(span["name"] == name for span in self.spans), timeout=20)


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.server.shutdown()
    found.server.server_close()


@tool(recovery="pure")
def look(secret: str) -> str:
    """Look."""
    return f"content {secret}"


async def test_spans_come_while_the_run_goes_on(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-scope = mine")
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.05)
    policy = tmp_path / "all.cedar"
    policy.write_text('@id("all") permit (principal, action, resource);')
    in_time: list[bool] = []

    def script(request: Request) -> Reply:
        if not results(request):
            return [("look", {"secret": "canary-99"})]
        in_time.append(
            collector.wait_for("execute_tool look")
        )  # before the model answered, before the run ended
        return "done"

    async with open_engine(
        tmp_path / "home", policies=[policy], models={"default": Scripted(script)}
    ) as engine:
        outcome = await Agent("clerk", tools=[look]).run("go", engine)
        records = await engine.records(outcome.run)
    assert in_time == [True]
    assert outcome.status == "finished"
    assert collector.headers[0]["authorization"] == "Bearer abc"
    assert collector.headers[0]["x-scope"] == "mine"
    builder = SpanBuilder(outcome.run)
    after = {span.span_id: span.name for record in records for span in builder.add(record)}
    assert {span["spanId"]: span["name"] for span in collector.spans} == after
    assert len({span["traceId"] for span in collector.spans}) == 1
    parents = {span.get("parentSpanId") for span in collector.spans} - {None}
    assert parents <= set(after)
    assert "canary-99" not in json.dumps(collector.spans)


async def test_a_collector_that_is_gone_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    policy = tmp_path / "all.cedar"
    policy.write_text('@id("all") permit (principal, action, resource);')
    async with open_engine(
        tmp_path / "home", policies=[policy], models={"default": Scripted(lambda request: "done")}
    ) as engine:
        outcome = await Agent("clerk").run("go", engine)
        spans = engine.spans  # type: ignore[attr-defined]  # of the wiring's engine
    assert outcome.status == "finished"
    assert spans.dropped == 3
    assert "does not answer" in spans.trouble


def test_what_the_environment_says() -> None:
    assert LiveSpans.from_environment({}) is None
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    assert LiveSpans.from_environment({**named, "OTEL_SDK_DISABLED": "true"}) is None
    found = LiveSpans.from_environment(named)
    assert found is not None
    found.close()
    found.close()
