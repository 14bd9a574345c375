"""Images built from Debian packages by mmdebstrap or debootstrap: no registry is needed, and apt checks signatures."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable
from forgewright.sandbox.images import store
from forgewright.sandbox.images.layers import Bounds, unpack
from forgewright.sandbox.images.names import ImageName

INSTALL = "apt-get install mmdebstrap"
BUILD_SECONDS = 1800.0
SUITE = "bookworm"
_TIME = "1700000000"
"""Of all files that have none of their own (SOURCE_DATE_EPOCH): the same packages give the same tree."""

_LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/var/cache/*",
    "/var/log/*",
)
_KEPT = ("/usr/share/doc/*/copyright",)
_CHANGING = (
    "/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostname", "/etc/resolv.conf", "/var/cache/ldconfig/aux-cache",
)  # fmt: skip


def build(
    name: ImageName, *, suite: str | None = None, sources: tuple[str, ...] = (), variant: str = "essential"
) -> store.Image:
    """An image of Debian's essential packages and those that `name` lists.

    `suite` and `sources` (lines of sources.list) name another archive than Debian's own; `FORGEWRIGHT_DEBIAN_SUITE` and
    `FORGEWRIGHT_DEBIAN_MIRROR` do so for a machine. Raises `MissingProgram`, `Unavailable` where the packages are not to be had.
    """
    suite = suite or os.environ.get("FORGEWRIGHT_DEBIAN_SUITE") or SUITE
    mirror = os.environ.get("FORGEWRIGHT_DEBIAN_MIRROR")
    if mirror and not sources:
        sources = (f"deb {mirror} {suite} main",)
    program = shutil.which("mmdebstrap")
    if program is None:
        raise MissingProgram("mmdebstrap", needed_for="images built from Debian packages", install=INSTALL)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=store.images_root()) as folder:
        archive = Path(folder) / "tree.tar"
        argv = [program, f"--variant={variant}", "--quiet", f"--include={','.join(name.packages)}"]
        argv += [f"--architectures={_architecture()}", '--aptopt=Acquire::Retries "3"']
        argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
        argv += [f"--dpkgopt=path-include={pattern}" for pattern in _KEPT]
        argv += [f'--customize-hook=rm -f "$1{path}"' for path in _CHANGING]
        _run([*argv, suite, str(archive), *sources])
        with store.unfinished() as unfinished:
            tree = os.open(unfinished / "tree", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with open(archive, "rb") as stream:
                    unpack(stream, tree, Bounds(), whiteouts=False)
            finally:
                os.close(tree)
            return store.publish(unfinished, name)


def _run(argv: list[str]) -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "SOURCE_DATE_EPOCH": _TIME,
        "LC_ALL": "C.UTF-8",
        "HOME": "/",
    }
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the packages could not be fetched in {BUILD_SECONDS:.0f} s") from None
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        errors = [line for line in text if line.startswith(("E:", "Err:"))] or text
        raise Unavailable(
            f"the image cannot be built: {'; '.join(errors[:3])[-600:] or 'mmdebstrap said nothing'}",
            hint="check the packages' names and the way to the archive (FORGEWRIGHT_DEBIAN_MIRROR names another)",
        )


def _architecture() -> str:
    known = {"x86_64": "amd64", "aarch64": "arm64"}
    machine = platform.machine()
    if machine not in known:
        raise SandboxError(f"no Debian architecture is known for {machine}")
    return known[machine]
