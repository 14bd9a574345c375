"""The floor: the agent loop with no framework, on a bare asyncio protocol and the standard library's json.

It bounds nothing, checks nothing and understands one server's answers; whatever does more costs more.
Durable, it writes each answer and each tool result to SQLite (WAL, synchronous=FULL) before it goes on.
"""

import asyncio
import json

from common import PROMPT, SYSTEM, Contender, main

SCHEMAS = {
    "add": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "fetch": {"page": {"type": "integer"}},
}


class Connection(asyncio.Protocol):
    def __init__(self):
        self.buffer = b""
        self.waiter = None
        self.needed = 0

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        if not self.needed:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            stop = head.find(b"\r\n", at)
            self.start = end + 4
            self.needed = self.start + int(head[at : stop if stop > 0 else None])
        if len(self.buffer) >= self.needed:
            body, self.buffer, self.needed = self.buffer[self.start : self.needed], b"", 0
            self.waiter.set_result(body)


class Raw(Contender):
    async def open(self):
        host, _, rest = self.url[7:].partition(":")
        port, _, path = rest.partition("/")
        self.address = host, int(port)
        self.head = (
            f"POST /{path}/chat/completions HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer x\r\n"
            "content-type: application/json\r\ncontent-length: "
        ).encode()
        self.idle = []
        name = self.tool.__name__
        properties = SCHEMAS[name]
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
        function = {"name": name, "description": self.tool.__doc__, "parameters": parameters}
        self.tools = [{"type": "function", "function": function}]
        self.log = None
        if self.db:
            import sqlite3

            self.log = sqlite3.connect(self.db, isolation_level=None)
            self.log.execute("PRAGMA journal_mode=WAL")
            self.log.execute("PRAGMA synchronous=FULL")
            self.log.execute("CREATE TABLE IF NOT EXISTS log(run, data)")

    async def post(self, body):
        loop = asyncio.get_running_loop()
        if self.idle:
            connection = self.idle.pop()
        else:
            _, connection = await loop.create_connection(Connection, *self.address)
        connection.waiter = loop.create_future()
        connection.transport.write(self.head + b"%d\r\n\r\n" % len(body) + body)
        answer = await connection.waiter
        self.idle.append(connection)
        return answer

    def keep(self, run, data):
        if self.log:
            self.log.execute("INSERT INTO log VALUES (?, ?)", (run, data))

    def make(self, number):
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]

    async def run(self, messages, number):
        while True:
            body = json.dumps({"model": "m", "messages": messages, "tools": self.tools}).encode()
            raw = await self.post(body)
            self.keep(number, raw)
            message = json.loads(raw)["choices"][0]["message"]
            calls = message.get("tool_calls")
            if not calls:
                return message["content"]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            for call in calls:
                result = str(self.tool(**json.loads(call["function"]["arguments"])))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
                self.keep(number, result)


if __name__ == "__main__":
    main(Raw)
