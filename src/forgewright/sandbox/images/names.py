"""How an image is named: a kind, a colon, and where it comes from. `host` alone is this machine's own /usr."""

from __future__ import annotations

import os
import re
from typing import Literal

import msgspec

from forgewright.core.errors import UsageError

Kind = Literal["host", "dir", "tar", "oci", "docker", "debian", "sha256"]

HINT = (
    "host, dir:FOLDER, tar:FILE, oci:REGISTRY/NAME:TAG, docker:NAME:TAG, debian:PACKAGE,… or sha256:… of one that was"
    " fetched"
)
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REGISTRY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
_PATH = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class ImageName(msgspec.Struct, frozen=True):
    """A name that makes sense; whether there is such an image is another question."""

    kind: Kind
    text: str = ""
    """What stands after the colon: an absolute path, a repository, packages, a digest."""
    tag: str = ""
    """Of `oci` and `docker`: the tag, where no digest pins it."""
    digest: str = ""
    """Of `oci` and `docker`: `sha256:…` of the manifest, where the name pins one."""

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
        elif kind == "docker":
            return _engines(rest)
        raise UsageError(f"image {text!r} is no image's name", hint=f"expected {HINT}")


def _reference(text: str) -> ImageName:
    """`REGISTRY/NAME[:TAG][@sha256:…]`, with the registry written out: no name means two images."""
    registry, slash, rest = text.partition("/")
    path, tag, digest = _parts(rest)
    named = (
        slash
        and _REGISTRY.fullmatch(registry)
        and ("." in registry or ":" in registry or registry == "localhost")
    )
    if not named or not path:
        raise UsageError(
            f"image 'oci:{text}' is no reference",
            hint="expected oci:REGISTRY/NAME:TAG or …@sha256:DIGEST, for example oci:docker.io/library/ruby:3.3",
        )
    return ImageName("oci", f"{registry}/{path}", tag or ("" if digest else "latest"), digest)


def _engines(text: str) -> ImageName:
    """As Docker writes it: the registry may be left out, where the image was built here or is Docker's own."""
    registry, slash, rest = text.partition("/")
    named = (
        slash
        and _REGISTRY.fullmatch(registry)
        and ("." in registry or ":" in registry or registry == "localhost")
    )
    path, tag, digest = _parts(rest if named else text)
    if not path:
        raise UsageError(
            f"image 'docker:{text}' is no name of an engine's image",
            hint="expected docker:NAME:TAG or docker:NAME@sha256:DIGEST",
        )
    return ImageName(
        "docker", f"{registry}/{path}" if named else path, tag or ("" if digest else "latest"), digest
    )


def _parts(text: str) -> tuple[str, str, str]:
    """(path, tag, digest) of `NAME[:TAG][@sha256:…]`; all empty where it is none."""
    rest, at, digest = text.partition("@")
    path, colon, tag = rest.partition(":")
    good = (
        _PATH.fullmatch(path)
        and (not colon or _TAG.fullmatch(tag))
        and (not at or (digest.startswith("sha256:") and _DIGEST.fullmatch(digest[7:])))
    )
    return (path, tag, digest) if good else ("", "", "")
