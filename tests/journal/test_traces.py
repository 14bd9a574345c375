"""Traces derived from records: the tree, the conventions' names, and what a collector is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest

from forgewright.core.errors import Unavailable, UsageError
from forgewright.core.ids import Digest, RunId
from forgewright.journal import events as ev
from forgewright.journal.traces.otlp import encode, send
from forgewright.journal.traces.spans import Span, SpanBuilder

RUN = RunId("run")


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def spans(*events: ev.Event) -> list[Span]:
    builder = SpanBuilder(RUN)
    found = []
    for at, event in enumerate(events):
        found += builder.add(ev.Record(100 + at, RUN, at + 1, 1_000 * at, "engine", event, b""))
    return found


EVENTS: tuple[ev.Event, ...] = (
    ev.RunStarted("swarm", "secret goal", raw({})),
    ev.NodeEntered("code", 1),
    ev.ModelAsked(
        "1.1", ev.Decision(by=("p1",)), "openai:gpt-5", Digest("sha256:0"), messages=raw(["secret"])
    ),  # type: ignore[arg-type]
    ev.ModelAnswered("1.1", raw("secret"), input_tokens=10, output_tokens=5, cost_microdollars=7),  # type: ignore[arg-type]
    ev.ToolAsked("1.2", tool="read_file", call="c1"),  # type: ignore[arg-type]
    ev.ToolAnswered("1.2", raw("secret"), error=True),  # type: ignore[arg-type]
    ev.ExecAsked("1.3", argv=("pytest", "secret"), tier="container", image="host", purpose="tests"),  # type: ignore[arg-type]
    ev.EffectRefused("1.3", "no"),  # type: ignore[arg-type]
    ev.NodeLeft(1, raw({}), ()),
    ev.RunParked("approval"),
    ev.RunResumed("w"),
    ev.NodeEntered("test", 2),
    ev.NodeFailed(2, "tool", "secret"),
    ev.RunFailed("tool", "secret"),
)


def test_the_tree_of_spans() -> None:
    found = spans(*EVENTS)
    by_name = {span.name: span for span in found}
    assert [span.name for span in found] == [
        "chat gpt-5",
        "execute_tool read_file",
        "exec tests",
        "node code",
        "invoke_agent swarm",
        "node test",
        "invoke_agent swarm",
    ]
    assert len({span.trace_id for span in found}) == 1
    assert len({span.span_id for span in found}) == len(found)
    first, second = found[4], found[6]
    assert first.parent_id is None
    assert second.parent_id == first.span_id
    assert by_name["node code"].parent_id == first.span_id
    assert by_name["node test"].parent_id == second.span_id
    for name in ("chat gpt-5", "execute_tool read_file", "exec tests"):
        assert by_name[name].parent_id == by_name["node code"].span_id
    chat = by_name["chat gpt-5"]
    assert (chat.kind, chat.start_ms, chat.end_ms) == ("client", 2_000, 3_000)
    assert chat.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "forgewright.cost_microdollars": 7,
        "forgewright.effect": "1.1",
        "forgewright.policies": "p1",
        "forgewright.record": 102,
    }
    assert [span.error for span in found] == [None, "tool", "policy_denied", None, None, "tool", "tool"]
    assert spans(*EVENTS) == found  # the same trace, however often it is made


def test_no_content_leaves_the_journal() -> None:
    assert b"secret" not in encode(spans(*EVENTS))


def test_a_clock_that_goes_back_gives_no_negative_span() -> None:
    builder = SpanBuilder(RUN)
    builder.add(ev.Record(0, RUN, 1, 5_000, "e", EVENTS[0], b""))
    (span,) = builder.add(ev.Record(1, RUN, 2, 1_000, "e", ev.RunFinished(raw(1)), b""))
    assert (span.start_ms, span.end_ms) == (5_000, 5_000)


class Collector(BaseHTTPRequestHandler):
    got: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, body))
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def collector() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_collector_gets_otlp_json(collector: str) -> None:
    Collector.got.clear()
    found = spans(*EVENTS)
    send(collector, found * 100)
    assert [path for path, _ in Collector.got] == ["/v1/traces"] * 2
    sent = json.loads(Collector.got[0][1])["resourceSpans"][0]
    assert sent["resource"]["attributes"] == [
        {"key": "service.name", "value": {"stringValue": "forgewright"}}
    ]
    first = sent["scopeSpans"][0]["spans"][0]
    assert (first["name"], first["kind"], first["startTimeUnixNano"]) == ("chat gpt-5", 3, "2000000000")
    assert len(bytes.fromhex(first["traceId"])) == 16
    assert len(bytes.fromhex(first["spanId"])) == 8
    assert {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "10"}} in first["attributes"]
    with pytest.raises(Unavailable):
        send(f"{collector}/elsewhere", found)
    with pytest.raises(Unavailable):
        send("http://127.0.0.1:9", found)
    with pytest.raises(UsageError):
        send("file:///etc/passwd", found)


def test_what_a_sub_agent_does_stands_below_it() -> None:
    found = spans(
        ev.RunStarted("lead", "goal", raw({})),
        ev.NodeEntered("act", 1),
        ev.AgentAsked("1.1.1", agent="worker"),  # type: ignore[arg-type]
        ev.AgentAsked("1.1.1.1.1", agent="helper"),  # type: ignore[arg-type]
        ev.ToolAsked("1.1.1.1.1.2", tool="look"),  # type: ignore[arg-type]
        ev.ToolAnswered("1.1.1.1.1.2", raw("x")),  # type: ignore[arg-type]
        ev.AgentAnswered("1.1.1.1.1", raw("x"), "timeout"),  # type: ignore[arg-type]
        ev.AgentAnswered("1.1.1", raw("x")),  # type: ignore[arg-type]
        ev.NodeLeft(1, raw({}), ()),
    )
    tool, helper, worker, node = found
    assert [span.name for span in found[1:3]] == ["invoke_agent helper", "invoke_agent worker"]
    assert [tool.parent_id, helper.parent_id, worker.parent_id] == [
        helper.span_id,
        worker.span_id,
        node.span_id,
    ]
    assert (helper.error, worker.error) == ("timeout", None)
