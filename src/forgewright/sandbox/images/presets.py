"""Languages by name: an image that has one, from this machine's own programs where it can, else from Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from forgewright.core.errors import UsageError
from forgewright.sandbox.types import Mount, Tier

_STATUS = Path("/var/lib/dpkg/status")
_OFFERED = ("/usr/bin", "/usr/sbin")
"""Where the image `host` has programs on PATH."""


class Language(msgspec.Struct, frozen=True):
    program: str
    package: str
    """The Debian package that brings it, and names the recipe."""
    hello: tuple[str, ...]
    """A command that prints `hello`."""
    environment: Mapping[str, str] = {}


LANGUAGES: Mapping[str, Language] = {
    "python": Language("python3", "python3", ("python3", "-c", "print('hello')"), {"PYTHONDONTWRITEBYTECODE": "1"}),
    "node": Language("node", "nodejs", ("node", "-e", "console.log('hello')")),
    "go": Language(
        "go",
        "golang-go",
        ("sh", "-c", "cd /tmp && printf 'package main\\nfunc main() { println(\"hello\") }\\n' > h.go && go run h.go 2>&1"),
        {"GOCACHE": "/tmp/go-build", "GOPATH": "/tmp/go", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
    ),
    "ruby": Language("ruby", "ruby", ("ruby", "-e", "puts 'hello'")),
}  # fmt: skip


class Preset(msgspec.Struct, frozen=True):
    """What a sandbox of a language is made with."""

    image: str
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = {}


def preset(language: str, tier: Tier = Tier.CONTAINER) -> Preset:
    """The image for a language. Raises `UsageError` for a language that is not known here.

    A virtual machine sees no folder of the host: there it is the host's packages, where the program is one of them.
    """
    found = LANGUAGES.get(language)
    if found is None:
        raise UsageError(f"no language {language!r}", hint=f"one of: {', '.join(LANGUAGES)}")
    recipe = Preset(f"debian:{found.package}", (), found.environment)
    if tier is Tier.MICROVM:
        return Preset(f"host+{found.package}", (), found.environment) if _installed(found.package) else recipe
    if any(os.access(f"{folder}/{found.program}", os.X_OK) for folder in _OFFERED):
        return Preset("host", (), found.environment)
    path = shutil.which(found.program)
    if language == "node" and path is not None:
        from forgewright.sandbox.toolchains import node_mounts

        own = str(Path(path).resolve().parent)
        search = f"{own}:/usr/local/bin:/usr/bin:/bin"
        return Preset("host", node_mounts(), {**found.environment, "PATH": search})
    return recipe


def _installed(package: str) -> bool:
    try:
        text = _STATUS.read_text(errors="replace")
    except OSError:
        return False
    return bool(
        re.search(rf"^Package: {re.escape(package)}\nStatus: install ok installed$", text, re.MULTILINE)
    )
