"""The Docker Engine's API (version 1.40 and later, Podman's too), as much of it as one sandbox needs.

Source: https://docs.docker.com/reference/api/engine/ ; no package of theirs is used.
"""

from __future__ import annotations

import asyncio
import io
import os
import socket
import tarfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from forgewright.core.errors import SandboxError, UsageError
from forgewright.sandbox.protocol import Channel
from forgewright.sandbox.unix_http import UnixHttp

LABEL = "forgewright.sandbox"
_API = "/v1.40"
_FRAME_BYTES = 8
_CREATE_SECONDS = 120.0


def engine_socket() -> str:
    """Where the engine listens: `DOCKER_HOST` as Docker's own programs read it, or the usual place."""
    host = os.environ.get("DOCKER_HOST", "")
    if not host:
        return "/var/run/docker.sock"
    if not host.startswith("unix://"):
        raise UsageError(
            f"DOCKER_HOST is {host}: expected unix://PATH",
            hint="folders are mounted from this machine, so the engine has to run on it",
        )
    return host.removeprefix("unix://")


class Engine(msgspec.Struct, frozen=True):
    version: str
    cgroup_version: str
    rootless: bool


class DockerApi:
    """Each call raises `SandboxError` with the engine's own words."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._http = UnixHttp(path, service="the Docker Engine")

    async def describe(self) -> Engine:
        version = await self._http.call("GET", "/version")
        info = await self._http.call("GET", f"{_API}/info")
        options = " ".join(info.get("SecurityOptions") or ())
        return Engine(str(version["Version"]), str(info.get("CgroupVersion", "1")), "rootless" in options)

    async def ensure_image(self, layout: Sequence[tuple[str, str | None]], files: Mapping[str, str]) -> str:
        """The name of an image with these folders (target None), links and files; made where there is none."""
        data = _archive(layout, files)
        name = f"forgewright-host:{sha256(data).hexdigest()[:16]}"
        if (await self._http.request("GET", f"{_API}/images/{name}/json")).ok:
            return name
        repository, _, tag = name.partition(":")
        await self._http.call(
            "POST", f"{_API}/images/create", query={"fromSrc": "-", "repo": repository, "tag": tag}, body=data,
            content_type="application/x-tar", seconds=_CREATE_SECONDS,
        )  # fmt: skip
        return name

    async def create(self, name: str, config: Mapping[str, object]) -> str:
        made = await self._http.call(
            "POST", f"{_API}/containers/create", query={"name": name}, json=config, seconds=_CREATE_SECONDS
        )
        return str(made["Id"])

    async def attach(self, container: str, channel: Channel) -> Multiplexed:
        """Leads the container's standard input and output to `channel`; before it is started."""
        wanted = dict.fromkeys(("stream", "stdin", "stdout", "stderr"), "1")
        rest, connection = await self._http.upgrade(f"{_API}/containers/{container}/attach", query=wanted)
        stream = Multiplexed(channel)
        stream.data_received(rest)
        await stream.connect(connection)
        return stream

    async def start(self, container: str) -> None:
        await self._http.call("POST", f"{_API}/containers/{container}/start", seconds=_CREATE_SECONDS)

    async def pause(self, container: str, *, paused: bool) -> None:
        await self._http.call("POST", f"{_API}/containers/{container}/{'pause' if paused else 'unpause'}")

    async def process(self, container: str) -> int:
        """The id of its first process on the host; 0 where it does not run."""
        told = await self._http.call("GET", f"{_API}/containers/{container}/json")
        return int(told["State"]["Pid"])

    async def statistics(self, container: str) -> Any:
        query = {"stream": "false", "one-shot": "true"}
        return await self._http.call("GET", f"{_API}/containers/{container}/stats", query=query)

    async def remove(self, container: str) -> None:
        """With all that runs in it; where it is gone already that is well."""
        for _ in range(200):
            answer = await self._http.request(
                "DELETE", f"{_API}/containers/{container}", query={"force": "1", "v": "1"}
            )
            if answer.ok or answer.status == 404:
                return
            if answer.status != 409:  # 409: its removal is under way
                raise SandboxError(f"the Docker Engine refused to remove {container}: {answer.message()}")
            await asyncio.sleep(0.02)
        raise SandboxError(f"the Docker Engine does not come to an end of removing {container}")

    async def list(self) -> Sequence[tuple[str, str]]:
        """(id, label) of the containers that sandboxes are."""
        filters = msgspec.json.encode({"label": [LABEL]}).decode()
        found = await self._http.call(
            "GET", f"{_API}/containers/json", query={"all": "1", "filters": filters}
        )
        return [(str(one["Id"]), str(one["Labels"][LABEL])) for one in found]


class Multiplexed(asyncio.Protocol):
    """Docker's stream: frames of kind, three zero bytes, length in big-endian order (API, "Attach")."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._buffer = bytearray()
        self.errors = bytearray()

    async def connect(self, connection: socket.socket) -> None:
        await self._channel.loop.create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._channel.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= _FRAME_BYTES:
            length = int.from_bytes(buffer[at + 4 : at + 8], "big")
            if len(buffer) - at - _FRAME_BYTES < length:
                break
            payload = bytes(buffer[at + _FRAME_BYTES : at + _FRAME_BYTES + length])
            if buffer[at] == 1:
                self._channel.data_received(payload)
            else:
                self.errors = (self.errors + payload)[-2000:]
            at += _FRAME_BYTES + length
        del buffer[:at]


def _archive(layout: Sequence[tuple[str, str | None]], files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, target in layout:
            entry = tarfile.TarInfo(path)
            entry.type = tarfile.DIRTYPE if target is None else tarfile.SYMTYPE
            entry.linkname, entry.mode = target or "", 0o755
            archive.addfile(entry)
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()
