"""How an image is named: a kind, a colon, and where it comes from. `host` alone is this machine's own /usr."""

from __future__ import annotations

import os
import re
from typing import Literal

import msgspec

from forgewright.core.errors import UsageError

Kind = Literal["host", "dir", "tar", "oci", "debian", "sha256"]

HINT = (
    "host, dir:FOLDER, tar:FILE, oci:REGISTRY/NAME:TAG, debian:PACKAGE,… or sha256:… of one that was fetched"
)
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
_PATH = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class ImageName(msgspec.Struct, frozen=True):
    """A name that makes sense; whether there is such an image is another question."""

    kind: Kind
    text: str = ""
    """What stands after the colon: an absolute path, a repository, packages, a digest."""
    tag: str = ""
    """Of `oci`: the tag, where no digest pins it."""
    digest: str = ""
    """Of `oci`: `sha256:…` of the manifest, where the name pins one."""

    def __str__(self) -> str:
        if self.kind == "host":
            return "host" + (f"+{self.text}" if self.text else "")
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return f"{self.kind}:{self.text}{tag}{digest}"

    @property
    def packages(self) -> tuple[str, ...]:
        """Of `debian`, and of `host` in a virtual machine."""
        return tuple(self.text.replace("+", ",").split(",")) if self.text else ()

    @classmethod
    def parse(cls, text: str) -> ImageName:
        """Raises `UsageError` for what is no image's name."""
        kind, colon, rest = text.partition(":")
        if not colon:
            kind, plus, packages = text.partition("+")
            if kind == "host" and (not plus or all(map(_PACKAGE.fullmatch, packages.split("+")))):
                return cls("host", packages)
        elif kind in ("dir", "tar") and rest and "\0" not in rest:
            return cls("dir" if kind == "dir" else "tar", os.path.abspath(rest))
        elif kind == "debian" and all(map(_PACKAGE.fullmatch, rest.split(","))):
            return cls("debian", ",".join(sorted(set(rest.split(",")))))
        elif kind == "sha256" and _DIGEST.fullmatch(rest):
            return cls("sha256", rest)
        elif kind == "oci":
            return _reference(rest)
        raise UsageError(f"image {text!r} is no image's name", hint=f"expected {HINT}")


def _reference(text: str) -> ImageName:
    """`REGISTRY/NAME[:TAG][@sha256:…]`, with the registry written out: no name means two images."""
    rest, at, digest = text.partition("@")
    registry, slash, path = rest.partition("/")
    path, _, tag = path.partition(":")
    good = (
        slash
        and _REGISTRY.fullmatch(registry)
        and ("." in registry or ":" in registry or registry == "localhost")
        and _PATH.fullmatch(path)
        and (not tag or _TAG.fullmatch(tag))
        and (not at or (digest.startswith("sha256:") and _DIGEST.fullmatch(digest[7:])))
    )
    if not good:
        raise UsageError(
            f"image 'oci:{text}' is no reference",
            hint="expected oci:REGISTRY/NAME:TAG or …@sha256:DIGEST, for example oci:docker.io/library/ruby:3.3",
        )
    return ImageName("oci", f"{registry}/{path}", tag or ("" if digest else "latest"), digest)
