"""QEMU's control protocol (QMP), as much of it as starting, saving and restoring a machine needs."""

from __future__ import annotations

import array
import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import msgspec

from forgewright.core.errors import SandboxError

_LINE_BYTES_MAX = 1 << 20


class Qmp:
    """One connection; requests are answered in turn."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._buffer = b""
        self._asked: list[str] = []

    def ask(self, command: str, **arguments: Any) -> None:
        """Sends without waiting, also to a QEMU that has not been started yet; `answered` waits for all of them."""
        self._socket.send(_encoded(command, arguments))
        self._asked.append(command)

    async def answered(self) -> None:
        """Waits for the answers to all that was asked. Raises `SandboxError` with QEMU's own words."""
        while self._asked:
            await self._answer(self._asked.pop(0))

    async def call(self, command: str, *, fd: int | None = None, **arguments: Any) -> Any:
        """The answer to `command`; `fd` travels along. Raises `SandboxError` with QEMU's own words."""
        data = _encoded(command, arguments)
        if fd is None:
            await asyncio.get_running_loop().sock_sendall(self._socket, data)
        else:
            descriptors = array.array("i", [fd])
            self._socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors.tobytes())])
        return await self._answer(command)

    async def _answer(self, command: str) -> Any:
        while True:  # what comes between are its greeting and its events
            message = await self._message()
            if "error" in message:
                raise SandboxError(f"QEMU refused {command}: {message['error'].get('desc', '')}")
            if "return" in message:
                return message["return"]

    async def give_file(self, path: Path, flags: int, name: str) -> None:
        """Opens `path` here and hands it to QEMU, which may not open files itself."""
        fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            await self.call("getfd", fd=fd, fdname=name)
        finally:
            os.close(fd)

    async def _message(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            data = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
            if not data or len(self._buffer) > _LINE_BYTES_MAX:
                raise SandboxError("QEMU ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        decoded: dict[str, Any] = msgspec.json.decode(line)
        return decoded

    async def migrated(self) -> None:
        """Waits until saving or restoring has ended; raises `SandboxError` where it failed."""
        while True:
            status = (await self.call("query-migrate")).get("status", "none")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                raise SandboxError(f"saving or restoring the machine {status}")
            await asyncio.sleep(0.002)

    def close(self) -> None:
        self._socket.close()


def _encoded(command: str, arguments: dict[str, Any]) -> bytes:
    words = {name.replace("_", "-"): value for name, value in arguments.items()}
    return msgspec.json.encode({"execute": command, "arguments": words} if words else {"execute": command})
