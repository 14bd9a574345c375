"""Firecracker's API, as much of it as configuring, starting, saving and restoring a machine needs.

Source: firecracker, src/firecracker/swagger/firecracker.yaml (1.12). Paths are those inside its jail.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import msgspec

from forgewright.core.errors import SandboxError
from forgewright.sandbox.unix_http import UnixHttp

KERNEL, INITRAMFS, IMAGE = "/kernel", "/initramfs", "/image"
STATE, MEMORY, AGENT = "/state", "/memory", "/agent.sock"
NEW_STATE, NEW_MEMORY = "/new-state", "/new-memory"
"""Apart from those a machine was loaded from, which it cannot write."""

PORT = 1024
"""Of the agent, inside: the guest listens on it (guest.c)."""

_GUEST_CID = 3
_LINE_BYTES_MAX = 64


class Hardware(msgspec.Struct, frozen=True):
    cpus: int
    memory_mib: int
    kernel_arguments: str


class FirecrackerApi:
    """Each call raises `SandboxError` with Firecracker's own words."""

    def __init__(self, path: str) -> None:
        self._http = UnixHttp(path, service="Firecracker")

    async def configure(self, hardware: Hardware) -> None:
        machine = {"vcpu_count": hardware.cpus, "mem_size_mib": hardware.memory_mib, "smt": False}
        boot = {"kernel_image_path": KERNEL, "initrd_path": INITRAMFS, "boot_args": hardware.kernel_arguments}
        drive = {"drive_id": "image", "path_on_host": IMAGE, "is_root_device": False, "is_read_only": True}
        await self._http.call("PUT", "/machine-config", json=machine)
        await self._http.call("PUT", "/boot-source", json=boot)
        await self._http.call("PUT", "/drives/image", json=drive)
        await self._http.call("PUT", "/vsock", json={"guest_cid": _GUEST_CID, "uds_path": AGENT})

    async def start(self) -> None:
        await self._http.call("PUT", "/actions", json={"action_type": "InstanceStart"})

    async def pause(self) -> None:
        await self._http.call("PATCH", "/vm", json={"state": "Paused"})

    async def resume(self) -> None:
        await self._http.call("PATCH", "/vm", json={"state": "Resumed"})

    async def save(self, *, seconds: float) -> None:
        """Writes state and memory of the paused machine to `NEW_STATE` and `NEW_MEMORY`."""
        what = {"snapshot_type": "Full", "snapshot_path": NEW_STATE, "mem_file_path": NEW_MEMORY}
        await self._http.call("PUT", "/snapshot/create", json=what, seconds=seconds)

    async def load(self, *, resume: bool, seconds: float) -> None:
        """Takes the saved machine: its memory is mapped privately, and read as it is used."""
        memory = {"backend_type": "File", "backend_path": MEMORY}
        what = {"snapshot_path": STATE, "mem_backend": memory, "resume_vm": resume}
        await self._http.call("PUT", "/snapshot/load", json=what, seconds=seconds)

    async def describe(self) -> dict[str, Any]:
        """`state` is "Not started", "Running" or "Paused"; `vmm_version`."""
        told: dict[str, Any] = await self._http.call("GET", "/")
        return told


async def connect_agent(path: str) -> socket.socket:
    """The stream to the agent's port in the guest (firecracker, docs/vsock.md, "Host-Initiated Connections").

    Raises `ConnectionError` as long as nobody listens there.
    """
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        await loop.sock_connect(connection, path)
        await loop.sock_sendall(connection, f"CONNECT {PORT}\n".encode())
        line = b""
        while not line.endswith(b"\n"):  # byte by byte: what follows is the agent's
            byte = await loop.sock_recv(connection, 1)
            if not byte or len(line) > _LINE_BYTES_MAX:
                raise ConnectionRefusedError("nobody listens in the guest")
            line += byte
        if not line.startswith(b"OK "):
            raise SandboxError(f"Firecracker answered {line!r} to CONNECT")
    except BaseException:
        connection.close()
        raise
    return connection
