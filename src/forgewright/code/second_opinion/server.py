"""A language server over stdio, asked synchronously and bounded in time. LSP 3.17.

The server is told of documents and asked questions. Whatever it wants to change itself is declined.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from forgewright.code.project import Splice
from forgewright.code.second_opinion.documents import edits
from forgewright.core.errors import MissingProgram, ToolError

ANSWER_BYTES_MAX = 64 << 20
STDERR = subprocess.DEVNULL
ANSWERS_MAX = 5
"""Times that a rename is asked for until two answers in a row are the same."""


class LanguageServer:
    """One running server. Use as a context manager; it is killed at the end if it does not leave by itself."""

    def __init__(
        self,
        command: Sequence[str],
        root: Path,
        *,
        install: str,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        self.root = root
        self.timeout_seconds = timeout_seconds
        self._settings = dict(settings or {})
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._last = 0
        try:
            self._process = subprocess.Popen(
                list(command),
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=STDERR,
                env={**os.environ, **(environment or {})},
            )
        except OSError:
            raise MissingProgram(
                command[0], needed_for="a second opinion on names", install=install
            ) from None
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> LanguageServer:
        uri = self.root.as_uri()
        capabilities = {
            "workspace": {"configuration": True, "applyEdit": False, "workspaceFolders": True},
            "textDocument": {"rename": {"prepareSupport": True}, "references": {}},
            "general": {"positionEncodings": ["utf-16"]},
        }
        self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": uri,
                "capabilities": capabilities,
                "workspaceFolders": [{"uri": uri, "name": self.root.name}],
            },
        )
        self.tell("initialized", {})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request. Raises `ToolError` on an error, on silence, or if the server is gone."""
        self._last += 1
        wanted = self._last
        self._send({"jsonrpc": "2.0", "id": wanted, "method": method, "params": params})
        until = time.monotonic() + self.timeout_seconds
        while True:
            try:
                message = self._messages.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise self._failed(method, f"no answer within {self.timeout_seconds:g} s") from None
            if message is None:
                raise self._failed(method, "the server is gone")
            if "method" in message:
                self._decline(message)
            elif message.get("id") == wanted:
                if message.get("error"):
                    raise self._failed(method, str(message["error"].get("message", "error")))
                return message.get("result")
            if time.monotonic() > until:
                raise self._failed(method, f"no answer within {self.timeout_seconds:g} s")

    def _failed(self, method: str, why: str) -> ToolError:
        return ToolError(
            f"expected the language server to answer {method}: {why}",
            hint="go on without a second opinion: uncertain places are then left alone",
        )

    def _decline(self, message: dict[str, Any]) -> None:
        """Answer what the server asks: its settings, and no to everything else."""
        if "id" not in message:
            return
        result: Any = None
        if message["method"] == "workspace/configuration":
            result = [self._settings for _ in message["params"].get("items", [])]
        elif message["method"] == "workspace/applyEdit":
            result = {"applied": False, "failureReason": "this client does not write"}
        self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _send(self, message: dict[str, Any]) -> None:
        body = msgspec.json.encode(message)
        stream = self._process.stdin
        assert stream is not None
        try:
            stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            stream.flush()
        except OSError:
            raise self._failed(str(message.get("method", "")), "the server is gone") from None

    def _read(self) -> None:
        """Runs in a thread of its own, until the server's output ends."""
        stream = self._process.stdout
        assert stream is not None
        try:
            while True:
                size = 0
                while (line := stream.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        size = int(value)
                if not 0 < size <= ANSWER_BYTES_MAX:
                    break
                self._messages.put(msgspec.json.decode(stream.read(size)))
        except (ValueError, OSError, msgspec.DecodeError):
            pass
        self._messages.put(None)


def settled(server: LanguageServer, asked: Mapping[str, Any], read: dict[str, bytes]) -> list[Splice]:
    """The server's rename, asked for until it answers the same twice: several answer before they have seen all.

    Raises `ToolError` if it does not, `UnsafePath` for a place outside the root.
    """
    last: list[Splice] | None = None
    for _ in range(ANSWERS_MAX):
        found = edits(server.ask("textDocument/rename", asked), server.root, read)
        if found == last:
            return found
        last = found
    raise ToolError(
        f"expected the language server to answer the same twice, found {ANSWERS_MAX} different answers",
        hint="go on without a second opinion: uncertain places are then left alone",
    )
