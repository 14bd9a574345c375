"""The model that all contenders talk to: OpenAI Chat Completions, from a script without any state.

How many tool results a request holds decides the answer: below `k` it is one tool call, then the text
`FINAL <last result>`, so that a client that never ran its tools cannot come to the right end. The first part
of the path sets the script: `/k20-d50-add/v1/chat/completions` means 20 tool turns, 50 ms before each answer,
the tool `add(a, b)`; `fetch` is `fetch(page)`. `GET /stats` tells how many requests came.

    python model_server.py          prints its port and serves until it is killed
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import lru_cache
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.models.dialects import chat_whole

from forgewright.models.types import Assistant, Response, Text, ToolCall, Usage


class Message(msgspec.Struct):
    role: str = ""
    content: msgspec.Raw = msgspec.Raw(b"null")


class Asked(msgspec.Struct):
    messages: list[Message]


decode = msgspec.json.Decoder(Asked).decode
stats = {"requests": 0, "bytes": 0}


class Script(msgspec.Struct, frozen=True):
    turns: int
    delay_seconds: float
    tool: str

    def answer(self, results: int, last: str) -> bytes:
        return _answer(self, results, last if results >= self.turns else "")


@lru_cache(maxsize=10_000)
def _answer(script: Script, results: int, last: str) -> bytes:
    if results >= script.turns:
        message, stop = Assistant((Text(f"FINAL {last[:60]}"),)), "end"
    else:
        arguments = {"a": results, "b": 1} if script.tool == "add" else {"page": results}
        message = Assistant((ToolCall(f"call_{results}", script.tool, json.dumps(arguments)),))
        stop = "tools"
    body = json.dumps(chat_whole(Response(message, stop, Usage(100, 20), "m"))).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


@lru_cache
def script_of(path: bytes) -> Script:
    parts = path.decode().split("/")[1].split("-")
    numbers = {part[0]: float(part[1:]) for part in parts if part[1:].isdecimal()}
    tool = "fetch" if "fetch" in parts else "add"
    return Script(int(numbers.get("k", 5)), numbers.get("d", 0) / 1000, tool)


def text_of(content: msgspec.Raw) -> str:
    value = msgspec.json.decode(content)
    if isinstance(value, list):
        return "".join(part if isinstance(part, str) else part.get("text", "") for part in value)
    return value or ""


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end])
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
            if len(self.buffer) < end + 4 + length:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + length])
            del self.buffer[: end + 4 + length]
            self.answer(head.split(b" ", 2)[1], body)

    def answer(self, path: bytes, body: bytes) -> None:
        if path == b"/stats":
            told = json.dumps(stats).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))
            return
        stats["requests"] += 1
        stats["bytes"] += len(body)
        script = script_of(path)
        results = [message.content for message in decode(body).messages if message.role == "tool"]
        data = script.answer(len(results), text_of(results[-1]) if results else "")
        if script.delay_seconds:
            asyncio.get_running_loop().call_later(script.delay_seconds, self.transport.write, data)
        else:
            self.transport.write(data)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
