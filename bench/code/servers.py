"""A language server asked for one rename over standard input and output, until its answer is complete."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

WAIT_SECONDS = 60.0


def rename(
    command: list[str], root: Path, path: str, line: int, column: int, new_name: str, files: int
) -> str:
    """Asks until the answer has `files` files or the time is up; `places/files after seconds`."""
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root, bufsize=0
    )
    talk = _Talk(server)
    uri = (root / path).as_uri()
    started = time.perf_counter()
    try:
        talk.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root.as_uri(),
                "workspaceFolders": [{"uri": root.as_uri(), "name": "root"}],
                "capabilities": {
                    "workspace": {"workspaceEdit": {"documentChanges": True}, "configuration": True}
                },
            },
        )
        talk.tell("initialized", {})
        text = (root / path).read_text(encoding="utf-8")
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        talk.tell("textDocument/didOpen", {"textDocument": document})
        first = ""
        while True:
            found = talk.ask(
                "textDocument/rename",
                {
                    "textDocument": {"uri": uri},
                    "position": {"line": line - 1, "character": column - 1},
                    "newName": new_name,
                },
            )
            places, touched = _count(found)
            first = first or f"{places}/{touched}"
            if touched >= files or time.perf_counter() - started > WAIT_SECONDS:
                return f"{places}/{touched} (first answer {first})"
            time.sleep(0.25)
    finally:
        _end(server, talk)


def _end(server: subprocess.Popen[bytes], talk: _Talk) -> None:
    """Politely, so that a wrapper waits for the server below it, and its time is counted."""
    try:
        talk.ask("shutdown", None)
        talk.tell("exit", None)
        server.wait(20)
    except (ConnectionError, subprocess.TimeoutExpired):
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _count(edit: Any) -> tuple[int, int]:
    edit = edit or {}
    changes = dict((edit.get("changes") or {}).items())
    for change in edit.get("documentChanges") or []:
        if "edits" in change:
            changes.setdefault(change["textDocument"]["uri"], []).extend(change["edits"])
    return sum(map(len, changes.values())), len(changes)


class _Talk:
    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self.server = server
        self.number = 0

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        self._send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self.number and "method" not in message:
                return message.get("result")
            if "id" in message and "method" in message:  # the server asks: nothing is configured
                items = (message.get("params") or {}).get("items", [])
                result = [None] * len(items) if message["method"] == "workspace/configuration" else None
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        assert self.server.stdin is not None
        try:
            self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        except BrokenPipeError:
            pass

    def _receive(self) -> Any:
        stream = self.server.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise ConnectionError("the server went away")
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body))
        return json.loads(body)
