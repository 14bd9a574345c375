"""What a virtual machine of image `host` boots: a squashfs of this machine's base packages, and an initramfs.

A virtual machine cannot look into the host's /usr; it gets a copy of the packages that Debian calls essential
and of Python's, made once for each set of versions and kept in the cache.
"""

from __future__ import annotations

import io
import os
import platform
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from forgewright.core.errors import MissingProgram, NotFound, SandboxError, Unavailable
from forgewright.sandbox import cache
from forgewright.sandbox.images.names import ImageName
from forgewright.sandbox.images.store import Image
from forgewright.sandbox.layout import HOME
from forgewright.sandbox.native import program
from forgewright.sandbox.packing import unpack

_SQUASHFS = "apt-get install squashfs-tools"
_STATUS = Path("/var/lib/dpkg/status")
_LISTS = Path("/var/lib/dpkg/info")
_MODULES = Path("/lib/modules")
_WANTED = ("python3", "procps", "git", "make", "diffutils", "patch", "ca-certificates")
_LEFT_OUT = (
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/locale/",
    "/usr/share/info/",
    "/usr/share/i18n/",
)
_HEAD_BYTES = 1 << 16
_MERGED = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")
SERIAL_MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "squashfs", "overlay")
"""For a machine whose channel is a serial device (QEMU)."""
SOCKET_MODULES = ("virtio_mmio", "virtio_blk", "vmw_vsock_virtio_transport", "squashfs", "overlay")
"""For one whose channel is a socket between host and guest (Firecracker)."""


def kernel() -> tuple[Path, str]:
    """(image, version) of the newest kernel that has its modules here; the cloud kernel is preferred.

    `FORGEWRIGHT_KERNEL_IMAGE` names another one, whose version is the end of its name.
    Raises `MissingProgram` where there is none.
    """
    chosen = os.environ.get("FORGEWRIGHT_KERNEL_IMAGE")
    images = (
        [Path(chosen)] if chosen else sorted(Path("/boot").glob("vmlinuz-*"), key=_kernel_rank, reverse=True)
    )
    for image in images:
        version = image.name.partition("-")[2]
        if image.exists() and (_MODULES / version / "modules.dep").exists():
            return image, version
    raise MissingProgram(
        "a Linux kernel with its modules",
        needed_for="sandboxes of tier microvm",
        install="apt-get install linux-image-cloud-amd64",
    )


def head_of(image: Path) -> Path:
    """A file of the cache with as much of a kernel as QEMU looks at; the kernel itself where it is of another format.

    A machine that is loaded from its saved state has its kernel in its memory, and QEMU would read all of it once more.
    """
    with open(image, "rb") as file:
        start = file.read(_HEAD_BYTES)
    if start[0x202:0x206] != b"HdrS":  # not the boot protocol of x86 (Documentation/arch/x86/boot.rst)
        return image
    head = cache.root() / f"head-{sha256(start).hexdigest()[:16]}"
    if not cache.holds(head):
        unfinished = cache.unfinished(head)
        unfinished.write_bytes(start)
        cache.publish(unfinished, head)
    return head


def _kernel_rank(path: Path) -> tuple[bool, list[int]]:
    return "cloud" in path.name, [int(n) for n in re.findall(r"\d+", path.name)]


def _module_files(version: str, wanted: Iterable[str]) -> list[Path]:
    """The modules that the guest needs and what they need, in the order of loading (modules.dep(5))."""
    base = _MODULES / version
    needs: dict[str, list[str]] = {}
    for text in (base / "modules.dep").read_text().splitlines():
        file, _, rest = text.partition(":")
        needs[file] = rest.split()
    by_name = {os.path.basename(file).partition(".")[0].replace("-", "_"): file for file in needs}
    ordered: list[str] = []

    def add(file: str) -> None:
        for other in needs[file]:
            add(other)
        if file not in ordered:
            ordered.append(file)

    for name in wanted:
        if name in by_name:  # else it is built in
            add(by_name[name])
    return [base / file for file in ordered]


def _module(file: Path) -> bytes:
    """A module as the guest loads it: distributions pack them (.ko.xz, .ko.zst, .ko.gz)."""
    data = file.read_bytes()
    return data if data.startswith(b"\x7fELF") else unpack(data, str(file)) or data


def initramfs(version: str, modules: Iterable[str] = SERIAL_MODULES) -> bytes:
    """A cpio archive (newc) of /init, the agent and the modules; without a version, the kernel has all built in."""
    out = io.BytesIO()

    def add(name: str, mode: int, data: bytes = b"") -> None:
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out.write(b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))

    add("dev", 0o40755)
    add("proc", 0o40755)
    add("modules", 0o40755)
    add("init", 0o100755, program("guest").read_bytes())
    add("agent", 0o100755, program("agent").read_bytes())
    for number, file in enumerate(_module_files(version, modules) if version else ()):
        add(f"modules/{number:02d}-{file.name.partition('.')[0]}", 0o100644, _module(file))
    add("TRAILER!!!", 0)
    return out.getvalue()


def _packages() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for paragraph in _STATUS.read_text(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            found[fields["Package"]] = fields
    return found


def _closure(packages: dict[str, dict[str, str]], more: Sequence[str] = ()) -> list[str]:
    provided = {
        name.split()[0]: package
        for package, fields in packages.items()
        for name in fields.get("Provides", "").split(",")
        if name.strip()
    }
    chosen: set[str] = set()
    queue = [name for name, fields in packages.items() if fields.get("Essential") == "yes"]
    queue += [name for name in (*_WANTED, *more) if name in packages]
    while queue:
        name = queue.pop()
        name = name if name in packages else provided.get(name, "")
        if not name or name in chosen:
            continue
        chosen.add(name)
        for field in ("Depends", "Pre-Depends"):
            alternatives = (
                entry.split("|") for entry in packages[name].get(field, "").split(",") if entry.strip()
            )
            for choice in alternatives:
                names = [re.split(r"[\s:(]", word.strip())[0] for word in choice]
                queue += [n for n in names if n in packages or n in provided][:1]
    return sorted(chosen)


def _files(packages: Iterable[str], arch: str) -> Iterator[str]:
    """Paths of these packages below /usr, each folder before what is in it."""
    seen: set[str] = set()
    for package in packages:
        lists = [_LISTS / f"{package}.list", _LISTS / f"{package}:{arch}.list"]
        for text in (file.read_text() for file in lists if file.exists()):
            for path in text.splitlines():
                top = path.split("/")[1] if path.count("/") else ""
                path = f"/usr{path}" if top in _MERGED else path
                if path.startswith("/usr/") and path not in seen and not path.startswith(_LEFT_OUT):
                    seen.add(path)
    return iter(sorted(seen))


def file_of(name: str, image: Image | None) -> Path:
    """The squashfs that a machine boots: of image `host` (None), or of a tree of the cache."""
    if image is None:
        return root_image(ImageName.parse(name).packages)
    file = Path(image.folder) / f"image-{image.digest[7:39]}.squashfs"  # a snapshot is known by this name
    if not file.exists():
        unfinished = cache.unfinished(file)
        _squash(["mksquashfs", str(image.tree), str(unfinished), "-no-xattrs"])
        cache.publish(unfinished, file)
    return file


def _squash(argv: list[str]) -> None:
    try:
        done = subprocess.run(
            [*argv, "-quiet", "-no-progress", "-comp", "lz4"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise MissingProgram(argv[0], needed_for="images of tier microvm", install=_SQUASHFS) from None
    if done.returncode:
        raise SandboxError(f"{argv[0]} failed: {done.stderr.decode(errors='replace')[-500:]}")


def root_image(more: Sequence[str] = ()) -> Path:
    """The squashfs of image `host`; made where the cache has none for these versions (some seconds).

    `more`: installed Debian packages that are wanted beside those that every machine has.
    """
    if not _STATUS.exists():
        raise Unavailable(
            "image host of tier microvm is made from Debian packages, and there is no dpkg here"
        )
    file = _made(tuple(more), _STATUS.stat().st_mtime_ns)
    if not cache.holds(file):  # it was found long ago, and others were used more since
        _made.cache_clear()
        file = _made(tuple(more), _STATUS.stat().st_mtime_ns)
    return file


@lru_cache(maxsize=8)
def _made(more: tuple[str, ...], version: int) -> Path:
    """`version`: of the list of packages, so that it is read again when it has changed only."""
    packages = _packages()
    missing = [name for name in more if name not in packages]
    if missing:
        raise NotFound(
            f"image host+{'+'.join(more)}: not installed here: {', '.join(missing)}",
            hint=f"apt-get install {' '.join(missing)}, or use debian:{','.join(more)}",
        )
    names = _closure(packages, more)
    versions = "\n".join(f"{name} {packages[name].get('Version', '')}" for name in names)
    file = cache.root() / f"host-{sha256(versions.encode()).hexdigest()[:16]}.squashfs"
    if cache.holds(file):
        return file
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    unfinished = cache.unfinished(file)
    try:
        with subprocess.Popen(
            ["sqfstar", "-quiet", "-no-progress", "-comp", "lz4", str(unfinished)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            with tarfile.open(fileobj=process.stdin, mode="w|", format=tarfile.GNU_FORMAT) as archive:
                _fill(archive, _files(names, arch))
            process.stdin.close()
            errors = process.stderr.read()
        if process.returncode:
            raise SandboxError(f"sqfstar failed: {errors.decode(errors='replace')[-500:]}")
    except FileNotFoundError:
        raise MissingProgram("sqfstar", needed_for="images of tier microvm", install=_SQUASHFS) from None
    cache.publish(unfinished, file)
    return file


def _fill(archive: tarfile.TarFile, files: Iterable[str]) -> None:
    def entry(name: str, kind: bytes, *, target: str = "", data: bytes = b"", mode: int = 0o755) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode, info.size = kind, target, mode, len(data)
        archive.addfile(info, io.BytesIO(data) if data else None)

    for name in (
        "proc",
        "dev",
        "sys",
        "tmp",
        "run",
        "var",
        "var/tmp",
        "home",
        "etc",
        "root",
        "opt",
        "mnt",
        "srv",
    ):
        entry(name, tarfile.DIRTYPE)
    entry(HOME[1:], tarfile.DIRTYPE)
    for name in _MERGED:
        if os.path.islink(f"/{name}"):
            entry(name, tarfile.SYMTYPE, target=os.readlink(f"/{name}").lstrip("/"))
    texts = {
        "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:1000:1000:sandbox:{HOME}:/bin/sh\n",
        "group": "root:x:0:\nsandbox:x:1000:\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 sandbox\n",
        "hostname": "sandbox\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "resolv.conf": "",
    }
    for name, text in texts.items():
        entry(f"etc/{name}", tarfile.REGTYPE, data=text.encode(), mode=0o644)
    for folder, _, names in os.walk("/etc/alternatives"):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                entry(path[1:], tarfile.SYMTYPE, target=os.readlink(path))
    if os.path.exists("/etc/ld.so.cache"):
        archive.add("/etc/ld.so.cache", "etc/ld.so.cache")
    entry("usr", tarfile.DIRTYPE)
    for path in files:
        if os.path.lexists(path):
            archive.add(path, path[1:], recursive=False)
