"""What a sandbox sees: its root from the image, its writable places, and the mounts that it was given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.sandbox.egress import Forward, Rule
from forgewright.sandbox.images.store import Image
from forgewright.sandbox.images.store import identity as image_identity
from forgewright.sandbox.plan import IdMap, Owner, Plan
from forgewright.sandbox.types import Mount, SandboxSpec, Tier

AGENT_PATH = "/.forgewright/agent"
HOME = "/home/sandbox"
BASE_ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": HOME,
    "USER": "sandbox",
    "LC_CTYPE": "C.UTF-8",
}
"""Of each command, unless image, spec or command say otherwise. Not `LANG`: with it a program reads a file for each
of twelve categories, and C.UTF-8 differs from C in that of characters only."""

SHM_BYTES_MAX = 64 << 20
FORWARDS_MAX = 16
_ROOT_BYTES = 4 << 20
_RESERVED = ("/proc", "/dev", "/sys", "/.forgewright")
_WRITABLE = (
    ("tmp", "/tmp", 0o1777),  # inside
    ("vartmp", "/var/tmp", 0o1777),  # inside
    ("run", "/run", 0o755),
    ("home", HOME, 0o755),
)
_USR_LINKS = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")
READY_ETC = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ssl/certs",
    "debian_version",
    "os-release",
)
"""Of /etc: what programs need to find libraries and their like, and nothing that names this machine."""


class Place(msgspec.Struct, frozen=True):
    """Where a sandbox is prepared, and as whom its payload acts on the host (None: as whoever starts it)."""

    folder: Path
    agent: Path
    payload: Owner | None
    root_writes: bool = False
    """Whether the host's root writes for the payload."""
    written: Path | None = None
    """What was written in the sandbox of which this one is a copy (`oci.WRITTEN` of a snapshot)."""

    @property
    def root(self) -> str:
        return str(self.folder / "root")

    @property
    def scratch(self) -> str:
        return str(self.folder / "scratch")


def shm_bytes(spec: SandboxSpec) -> int:
    return min(SHM_BYTES_MAX, spec.limits.disk_bytes // 4)


def inodes(spec: SandboxSpec) -> int:
    """Files that can be made inside: one for each 8 KiB of the disk limit, at least 1,024."""
    return max(1024, spec.limits.disk_bytes >> 13)


def given_to_write(spec: SandboxSpec) -> list[str]:
    """Where mounts are that can be written, outer ones first."""
    return sorted(os.path.normpath(mount.target) for mount in spec.mounts if mount.mode != "ro")


def check(spec: SandboxSpec) -> None:
    """Raises `UsageError` or `NotFound` for a spec that no driver could make."""
    limits = spec.limits
    if spec.uid <= 0 or spec.uid >= 65_534:
        raise UsageError(f"uid {spec.uid}: expected 1 to 65533", hint="0 would be root inside")
    if limits.memory_bytes < 16 << 20:
        raise UsageError(f"memory_bytes {limits.memory_bytes}: expected at least 16 MiB")
    if limits.cpus <= 0 or limits.processes < 4 or limits.disk_bytes < 1 << 20 or limits.files < 16:
        raise UsageError("limits: expected cpus > 0, processes ≥ 4, disk_bytes ≥ 1 MiB, files ≥ 16")
    if spec.limits.instructions < 0 or (spec.limits.instructions and spec.tier is not Tier.WASM):
        raise UsageError(
            f"limits: {spec.limits.instructions} instructions, which tier {spec.tier} cannot count",
            hint="bound the time of each command (timeout_seconds), or use tier wasm",
        )
    if spec.clock not in ("", "real") and spec.tier is not Tier.WASM:
        raise UsageError(
            f"clock {spec.clock!r}: what runs in tier {spec.tier} reads its processor's", hint="use tier wasm"
        )
    for rule in spec.network.allow:
        Rule.parse(rule)
    for rule in spec.network.forward:
        Forward.parse(rule)
    if len(spec.network.forward) > FORWARDS_MAX:
        raise UsageError(f"{len(spec.network.forward)} forwarded ports, at most {FORWARDS_MAX}")
    for credential in spec.network.credentials:
        if Rule.parse(credential.to) not in map(Rule.parse, spec.network.allow):
            raise UsageError(
                f"credential for {credential.to}, which is not among the hosts that may be reached",
                hint=f"allow it: {credential.to}",
            )
    for mount in spec.mounts:
        if not mount.source.startswith("/") or not mount.target.startswith("/"):
            raise UsageError(f"mount {mount.source} → {mount.target}: expected absolute paths")
        target = os.path.normpath(mount.target)
        if target == "/" or any(target == r or target.startswith(r + "/") for r in _RESERVED):
            raise UsageError(
                f"mount target {mount.target} is the sandbox's own", hint="choose another target"
            )
        if not os.path.lexists(mount.source):
            raise NotFound(f"mount source {mount.source} does not exist")
        if mount.mode == "cow" and not os.path.isdir(mount.source):
            raise UsageError(f"mount source {mount.source}: `cow` is for folders", hint="mount its folder")


def compose(spec: SandboxSpec, place: Place, image: Image | None = None) -> Plan:
    """The plan for `spec`; the caller adds what its runtime needs. `image`: None is the image `host`."""
    plan = Plan()
    if place.payload is None:
        plan.user_namespace()
    plan.mount_namespace()
    disk = spec.limits.disk_bytes - shm_bytes(spec)
    plan.tmpfs_host(place.scratch, size_bytes=disk, inodes=inodes(spec))
    if place.written:
        plan.unpack(str(place.written), place.scratch, owner=None if place.root_writes else place.payload)
    if image is None:
        plan.tmpfs_host(place.root, size_bytes=_ROOT_BYTES, inodes=8192)
        plan.root(place.root)
        host_image(plan, spec)
    else:
        tree_image(plan, spec, place, image)
    for name, path, mode in _WRITABLE:
        plan.folder_host(f"{place.scratch}/{name}", mode=mode, owner=place.payload)
        plan.folder(path)
        plan.bind(f"{place.scratch}/{name}", path, write=True)
    for number, mount in enumerate(sorted(spec.mounts, key=lambda m: os.path.normpath(m.target))):
        _mount(plan, mount, number, place)
    plan.folder("/.forgewright")
    plan.bind(str(place.agent), AGENT_PATH)
    return plan


def host_image(plan: Plan, spec: SandboxSpec) -> None:
    """The host's /usr, read-only, and an /etc with nothing of the host's in it."""
    for name in ("proc", "dev", "sys", "etc", "home", "opt", "srv", "mnt", "var", "root"):
        plan.folder("/" + name)
    plan.bind("/usr", "/usr", recursive=True)
    for name in _USR_LINKS:
        path = Path("/") / name
        if path.is_symlink():
            plan.link(os.readlink(path).lstrip("/"), "/" + name)
        elif path.is_dir():
            plan.bind(str(path), str(path), recursive=True)
    plan.link("../run", "/var/run")
    for name in READY_ETC:
        source = Path("/etc") / name
        if source.exists():
            plan.bind(str(source.resolve()), f"/etc/{name}")
    identity(plan, spec)


def tree_image(plan: Plan, spec: SandboxSpec, place: Place, image: Image) -> None:
    """An image of the cache as the root: its tree below, what this sandbox needs besides above, read-only inside."""
    base = f"{place.scratch}/image"
    for name in ("", "/lower", "/upper", "/work"):
        plan.folder_host(base + name)
    first = place.payload.uid - spec.uid if place.payload else 0
    ids = IdMap(disk=Owner(0, 0), host=Owner(first, first), count=65_535) if first else None
    plan.bind(str(image.tree), f":{base}/lower", ids=ids)
    plan.root_overlay(
        lower=f"{base}/lower", upper=f"{base}/upper", work=f"{base}/work", host=place.root,
        rootless=place.payload is None,
    )  # fmt: skip
    plan.root(place.root)
    for name, text in image_identity(image.tree, spec.uid).items():
        plan.file(f"/etc/{name}", text)


def identity(plan: Plan, spec: SandboxSpec) -> None:
    for path, text in identity_files(spec).items():
        plan.file(path, text)


def identity_files(spec: SandboxSpec) -> dict[str, str]:
    """Who a program inside finds itself to be, and where; nothing of this machine."""
    return {
        "/etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
        f"sandbox:x:{spec.uid}:{spec.uid}:sandbox:{HOME}:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        "/etc/group": f"root:x:0:\nsandbox:x:{spec.uid}:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 sandbox\n",
        "/etc/hostname": "sandbox\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "/etc/resolv.conf": "",
    }


def _mount(plan: Plan, mount: Mount, number: int, place: Place) -> None:
    target = os.path.normpath(mount.target)
    source = os.path.realpath(mount.source)
    stat = os.stat(source)
    ids = (
        IdMap(disk=Owner(stat.st_uid, stat.st_gid), host=place.payload, root=place.root_writes)
        if place.payload
        else None
    )
    if mount.mode != "cow":
        plan.bind(source, target, write=mount.mode == "rw", ids=ids)
        return
    base = f"{place.scratch}/cow{number}"
    for name, mode in (("", 0o755), ("/lower", 0o755), ("/upper", stat.st_mode & 0o7777), ("/work", 0o755)):
        owner = place.payload if name == "/upper" or place.payload is None else Owner(0, 0)
        plan.folder_host(base + name, mode=mode, owner=owner)
    plan.bind(source, f":{base}/lower", ids=ids)
    plan.overlay(
        lower=f"{base}/lower", upper=f"{base}/upper", work=f"{base}/work", path=target,
        owner=place.payload, rootless=place.payload is None,
    )  # fmt: skip
