"""The OCI runtime configuration of a sandbox (runtime-spec 1.0)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from forgewright.sandbox import seccomp
from forgewright.sandbox.layout import AGENT_PATH, shm_bytes
from forgewright.sandbox.types import SandboxSpec

_AGENT_CAPABILITIES = ("CAP_KILL", "CAP_NET_ADMIN", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID")
"""Of the agent, in the sandbox's own user namespace: to become the payload's user, to end what that user
started, to bring up the loopback. A command has none."""

MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/cmdline", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore",
    "/proc/keys", "/proc/key-users", "/proc/latency_stats", "/proc/modules", "/proc/pressure",
    "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats",
)  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys")


class Identity(msgspec.Struct, frozen=True):
    """User ids: the agent's, the payload's (both inside), and the map `(inside, outside, count)`.

    Without a map there is no user namespace: the runtime's own kernel knows users of its own.
    """

    agent: int
    payload: int
    maps: tuple[tuple[int, int, int], ...]


def configuration(
    spec: SandboxSpec,
    identity: Identity,
    *,
    root: str,
    agent_arguments: tuple[str, ...] = (),
    binds: Sequence[tuple[str, str]] = (),
    arch: str = "x86_64",
    filtered: bool = True,
    sealed: bool = False,
) -> bytes:
    """`binds`: (host path, path) of writable places, for a runtime that ignores mounts in the root.

    `filtered`: whether the runtime filters system calls by this configuration, not by one of its own. `sealed`: the root
    is read-only itself, and places that can be written are mounted in it.
    """
    mappings = [{"containerID": a, "hostID": b, "size": n} for a, b, n in identity.maps]
    tmpfs = ["nosuid", "nodev", "mode=1777", f"size={shm_bytes(spec)}", "nr_inodes=4096"]
    namespaces = ["pid", "mount", "ipc", "uts", "network", *(["user"] if mappings else [])]
    config: dict[str, Any] = {
        "ociVersion": "1.0.0",
        "hostname": "sandbox",
        "process": {
            "terminal": False,
            "user": {"uid": identity.agent, "gid": identity.agent},
            "args": [AGENT_PATH, *agent_arguments],
            "env": [],
            "cwd": "/",
            "noNewPrivileges": True,
            "capabilities": {
                kind: list(_AGENT_CAPABILITIES) for kind in ("bounding", "effective", "permitted")
            }
            if identity.agent == 0
            else {},
        },
        "root": {"path": root, "readonly": not sealed},
        "mounts": [
            {
                "destination": "/proc",
                "type": "proc",
                "source": "proc",
                "options": ["nosuid", "noexec", "nodev"],
            },
            {
                "destination": "/dev",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "noexec", "mode=755", "size=65536", "nr_inodes=128"],
            },
            {
                "destination": "/dev/pts",
                "type": "devpts",
                "source": "devpts",
                "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
            },
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*tmpfs, "noexec"]},
            *(
                {
                    "destination": path,
                    "type": "bind",
                    "source": source,
                    "options": ["rw", "nosuid", "nodev", "bind"],
                }
                for source, path in binds
            ),
        ],
        "linux": {
            "namespaces": [{"type": name} for name in namespaces],
            "uidMappings": mappings,
            "gidMappings": mappings,
            "maskedPaths": list(MASKED),
            "readonlyPaths": list(READONLY),
        },
    }
    if filtered:
        config["linux"]["seccomp"] = seccomp.profile(arch)
    return msgspec.json.encode(config)
