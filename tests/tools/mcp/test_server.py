"""Our tools seen by an MCP client: over HTTP and the standard streams, in both generations of the protocol."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from forgewright.core.errors import PolicyDenied, ToolError, UsageError
from forgewright.tools import Tool, ToolOutput, tool
from forgewright.tools.mcp import McpClient, ServedCall, ToolServer, serve_http
from forgewright.tools.mcp.serve import KeptEvents, http_app

EVERYTHING = Path(__file__).with_name("everything.py")
ERAS = ("legacy", "2026-07-28")
TOKEN = "a-token-that-nobody-guesses-0123456789"


def everything() -> ToolServer:
    spec = importlib.util.spec_from_file_location("everything", EVERYTHING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["everything"] = module
    spec.loader.exec_module(module)
    made: ToolServer = module.make()
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(server: ToolServer, token: str | None = None) -> AsyncIterator[str]:
    """The server on a real port, for as long as the block lasts."""
    port = free_port()
    task = asyncio.create_task(serve_http(server, port=port, token=token))
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except ConnectionRefusedError:
                    if task.done():
                        task.result()
                    await asyncio.sleep(0.01)  # a real port has no event to wait for
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def accept(message: str, schema: Any) -> dict[str, Any]:
    return {
        name: {"string": "Ada", "boolean": True}.get(f.get("type"), 1)
        for name, f in schema["properties"].items()
    }


async def sample(prompt: str, max_tokens: int) -> str:
    return f"Paris ({max_tokens})"


async def transcript(client: McpClient) -> dict[str, Any]:
    """What a client sees and gets of the server, as values."""
    seen: dict[str, Any] = {}
    for item in client.tools:
        seen[f"tool {item.remote_name}"] = (item.description, item.schema, str(item.fingerprint))
    for name, arguments in (
        ("test_simple_text", {}),
        ("test_image_content", {}),
        ("test_multiple_content_types", {}),
        ("test_error_handling", {}),
        ("test_elicitation", {"message": "Who?"}),
        ("test_input_required_result_multi_round", {}),
        ("test_sampling", {"prompt": "Capital?"}),
        ("json_schema_2020_12_tool", {"name": "x", "phone": "1", "bogus": 1}),
    ):
        output = await client.call(name, arguments)
        seen[f"call {name}"] = (output.text, output.error, output.media)
    seen["resource"] = await client.read_resource("test://static-binary")
    seen["prompt"] = await client.prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
    for name in ("no_such_tool",):
        try:
            await client.call(name, {})
        except ToolError as error:
            seen[f"error {name}"] = str(error)
    return seen


@pytest.mark.parametrize("era", ERAS)
async def test_both_transports_say_the_same(era: str) -> None:
    options: dict[str, Any] = {"ask": accept, "sample": sample, "mode": era}
    async with McpClient("suite", [sys.executable, str(EVERYTHING)], **options) as client:
        over_streams = await transcript(client)
    async with serving(everything()) as url, McpClient("suite", url, **options) as client:
        over_http = await transcript(client)
    assert over_streams == over_http
    assert over_http["call test_error_handling"][1] is True
    assert "Ada" in over_http["call test_elicitation"][0]
    assert "Paris (100)" in over_http["call test_sampling"][0]
    assert "bogus: no such parameter" in over_http["call json_schema_2020_12_tool"][0]


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_answer_is_told_so(era: str) -> None:
    async with McpClient("suite", everything(), mode=era) as client:
        try:
            text = (await client.call("test_elicitation", {"message": "Who?"})).text
        except ToolError as error:
            text = str(error)
        assert "elicitation" in text


async def test_what_stands_between_the_call_and_the_tool_decides() -> None:
    seen = []

    async def gated(item: Tool, arguments: bytes, call: ServedCall) -> ToolOutput:
        seen.append((item.name, arguments, call.key, call.run))
        if item.name == "forbidden":
            raise PolicyDenied("a rule forbids it")
        return await item.call(item.bind(arguments), call)

    @tool
    def forbidden() -> str:
        return "never"

    @tool
    def add(a: int, b: int) -> int:
        return a + b

    async with McpClient("x", ToolServer([forbidden, add], call=gated)) as client:
        denied = await client.call("forbidden", {})
        assert (denied.text, denied.error) == ("a rule forbids it", True)
        assert (await client.call("add", {"a": 1, "b": 2}, key="k7")).text == "3"
        wrong = await client.call("add", {"a": "1"})
        assert "b: required" in wrong.text
    assert [entry[0] for entry in seen] == ["forbidden", "add"]
    assert seen[1][2:] == ("mcp/k7", "mcp")


async def test_a_token_is_asked_for() -> None:
    async with serving(everything(), token=TOKEN) as url:
        async with httpx2.AsyncClient() as http:
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
                assert (await http.post(url, json={}, headers=headers)).status_code == 401
        with pytest.raises(ToolError):
            async with McpClient("suite", url):
                pass
        async with McpClient("suite", url, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            assert client.tools


async def test_foreign_hosts_and_origins_are_refused() -> None:
    async with serving(everything()) as url, httpx2.AsyncClient() as http:
        for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
            response = await http.post(
                url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=headers
            )
            assert response.status_code in (403, 421)


def test_others_are_let_in_only_with_a_token() -> None:
    with pytest.raises(UsageError, match="token"):
        http_app(ToolServer(), host="0.0.0.0", port=1)
    with pytest.raises(UsageError, match="24 characters"):
        http_app(ToolServer(), host="127.0.0.1", port=1, token="short")


async def test_tools_come_and_go_while_it_serves() -> None:
    @tool
    def first() -> str:
        return "1"

    server = ToolServer([first])
    with pytest.raises(UsageError, match="different names"):
        server.add(first)
    async with Client(server) as client:
        assert [t.name for t in (await client.list_tools()).tools] == ["first"]
        server.remove("first")
        with pytest.raises(MCPError):
            await client.call_tool("first", {})


async def test_kept_events_are_bounded_and_replayed() -> None:
    events = KeptEvents(events_max=3)
    names = [await events.store_event("s", number) for number in range(5)]
    got: list[Any] = []

    async def send(message: Any) -> None:
        got.append(message.message)

    assert await events.replay_events_after(names[2], send) == "s"
    assert got == [3, 4]
    assert await events.replay_events_after(names[0], send) is None
    assert await events.replay_events_after("nonsense", send) is None
