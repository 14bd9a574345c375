"""Images of OCI registries: skopeo brings the bytes, and here each of them is checked before it is used.

Rules: OCI image specification 1.1, descriptor.md (digests and sizes), manifest.md, config.md (`diff_ids`), image-index.md;
Docker's image manifest version 2, schema 2, whose manifests have the same shape.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast

import msgspec

from forgewright.core.errors import IntegrityError, MissingProgram, SandboxError, Unavailable
from forgewright.sandbox.images import store
from forgewright.sandbox.images.layers import BYTES_MAX, Bounds, unpack
from forgewright.sandbox.images.names import ImageName

INSTALL = "apt-get install skopeo"
PULL_SECONDS = 1800.0
MANIFEST_BYTES_MAX = 4 << 20
LAYERS_MAX = 128
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ENVIRONMENT_MAX = 256


class Platform(msgspec.Struct, frozen=True):
    architecture: str = ""
    os: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    size: int
    media_type: str = ""
    platform: Platform | None = None


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """A manifest, or an index of them."""

    media_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    env: list[str] | None = msgspec.field(name="Env", default=None)


class RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True):
    rootfs: RootFs = RootFs()
    config: Settings | None = None


def pull(name: ImageName) -> store.Image:
    """Fetches an image into the cache.

    Raises `MissingProgram`, `Unavailable` where the registry does not give it, `IntegrityError` where bytes are not what
    their digest says, `UnsafePath` and `SandboxError` for what cannot be unpacked.
    """
    repository = name.text
    reference = f"{repository}@{name.digest}" if name.digest else f"{repository}:{name.tag}"
    raw = _skopeo("inspect", "--raw", *_plain(repository, ""), f"docker://{reference}")
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if name.digest and digest != name.digest:
        raise IntegrityError(f"image {name}: the registry gave a manifest of digest {digest}")
    manifest = _manifest(raw, name)
    if manifest.manifests:
        chosen = _for_this_machine(manifest, name)
        raw = _skopeo("inspect", "--raw", *_plain(repository, ""), f"docker://{repository}@{chosen.digest}")
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        if digest != chosen.digest or len(raw) != chosen.size:
            raise IntegrityError(
                f"image {name}: the registry gave a manifest of digest {digest}, not {chosen.digest}"
            )
        manifest = _manifest(raw, name)
    if manifest.config is None or len(manifest.layers) > LAYERS_MAX:
        raise SandboxError(f"image {name}: its manifest is malformed or has more than {LAYERS_MAX} layers")
    if sum(layer.size for layer in manifest.layers) > BYTES_MAX:
        raise SandboxError(f"image {name} has more than {BYTES_MAX} bytes")
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=store.images_root()) as folder:
        _skopeo(
            "copy", "--quiet", *_plain(repository, "src-"), f"docker://{repository}@{digest}", f"dir:{folder}"
        )
        return assemble(name, digest, manifest, Path(folder))


def assemble(name: ImageName, digest: str, manifest: Manifest, blobs: Path) -> store.Image:
    """An image of the cache from a manifest and a folder with its blobs, each named by its digest's hex."""
    assert manifest.config is not None
    config = read_config(_blob(blobs, manifest.config, MANIFEST_BYTES_MAX), name)
    if len(config.rootfs.diff_ids) != len(manifest.layers):
        raise IntegrityError(f"image {name}: {len(manifest.layers)} layers, its configuration names "
                             f"{len(config.rootfs.diff_ids)}")  # fmt: skip
    bounds = Bounds()
    with store.unfinished() as unfinished:
        tree = os.open(unfinished / "tree", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for layer, content in zip(manifest.layers, config.rootfs.diff_ids, strict=True):
                _layer(tree, blobs, layer, content, bounds)
        finally:
            os.close(tree)
        settings = config.config or Settings()
        return store.publish(unfinished, name, digest, environment_of(settings))


def _layer(tree: int, blobs: Path, layer: Descriptor, content: str, bounds: Bounds) -> None:
    """Checks the bytes of a layer before any of them is used, and what they hold while it is."""
    path = _path(blobs, layer)
    _check(path, layer)
    with open(path, "rb") as file, _Decompressed(file, layer.media_type) as plain:
        summed = Summed(plain)
        unpack(cast("IO[bytes]", summed), tree, bounds)
        if summed.rest() != content:
            raise IntegrityError(f"layer {layer.digest} holds other content than {content}")


class Summed:
    """A stream that knows the digest of what was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        data = self._stream.read(count)
        self._digest.update(data)
        return data

    def rest(self) -> str:
        """The digest, with what an archive has after its end."""
        left = BYTES_MAX
        while left > 0 and (data := self.read(1 << 20)):
            left -= len(data)
        return f"sha256:{self._digest.hexdigest()}"


class _Decompressed:
    """The archive in a layer, as a context: gzip by the standard library, zstd by its program."""

    def __init__(self, file: IO[bytes], kind: str) -> None:
        self._file = file
        self._process: subprocess.Popen[bytes] | None = None
        magic = os.pread(file.fileno(), 4, 0)
        if magic[:2] == b"\x1f\x8b":
            self._plain = cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        elif magic == b"\x28\xb5\x2f\xfd":
            try:
                self._process = subprocess.Popen(
                    ["zstd", "-dc"], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            except FileNotFoundError:
                raise MissingProgram(
                    "zstd", needed_for=f"layers of type {kind}", install="apt-get install zstd"
                ) from None
            assert self._process.stdout is not None
            self._plain = self._process.stdout
        else:
            self._plain = file

    def __enter__(self) -> IO[bytes]:
        return self._plain

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._plain.close()
            self._process.kill()
            self._process.wait()


def _check(path: Path, descriptor: Descriptor) -> None:
    summed, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            summed.update(data)
            size += len(data)
    if f"sha256:{summed.hexdigest()}" != descriptor.digest or size != descriptor.size:
        raise IntegrityError(
            f"blob {descriptor.digest} of {descriptor.size} bytes: found {size} bytes of digest {summed.hexdigest()}"
        )


def _blob(blobs: Path, descriptor: Descriptor, bytes_max: int) -> bytes:
    if descriptor.size > bytes_max:
        raise SandboxError(f"blob {descriptor.digest} has {descriptor.size} bytes, at most {bytes_max}")
    path = _path(blobs, descriptor)
    _check(path, descriptor)
    return path.read_bytes()


def _path(blobs: Path, descriptor: Descriptor) -> Path:
    algorithm, _, value = descriptor.digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or not all(c in "0123456789abcdef" for c in value):
        raise IntegrityError(f"{descriptor.digest!r} is no sha256 digest")
    path = blobs / value
    if not path.is_file() or path.is_symlink():
        raise IntegrityError(f"blob {descriptor.digest} is missing")
    return path


def _manifest(raw: bytes, name: ImageName) -> Manifest:
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise SandboxError(f"image {name}: its manifest cannot be read: {error}") from None
    if manifest.media_type and manifest.media_type not in (*_INDEXES, *_MANIFESTS):
        raise SandboxError(f"image {name}: a manifest of type {manifest.media_type!r} is no image's")
    return manifest


def read_config(raw: bytes, name: ImageName) -> Config:
    try:
        return msgspec.json.decode(raw, type=Config)
    except msgspec.DecodeError as error:
        raise SandboxError(f"image {name}: its configuration cannot be read: {error}") from None


def _for_this_machine(index: Manifest, name: ImageName) -> Descriptor:
    wanted = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    for entry in index.manifests:
        if entry.platform is not None and (entry.platform.os, entry.platform.architecture) == (
            "linux",
            wanted,
        ):
            return entry
    raise Unavailable(f"image {name} is not made for linux on {wanted}", hint="choose another image")


def environment_of(settings: Settings) -> Mapping[str, str]:
    pairs = (entry.partition("=") for entry in (settings.env or [])[:_ENVIRONMENT_MAX] if "\0" not in entry)
    return {key: value for key, equals, value in pairs if key and equals}


def _plain(repository: str, prefix: str) -> tuple[str, ...]:
    """A registry on this machine's own loopback may speak plain HTTP, as with other tools."""
    host = repository.partition("/")[0].rpartition(":")[0] or repository.partition("/")[0]
    return (f"--{prefix}tls-verify=false",) if host in ("127.0.0.1", "localhost", "[::1]") else ()


def _skopeo(*arguments: str) -> bytes:
    """What skopeo says. It uses the user's own logins (`skopeo login`); signatures are not what is trusted here."""
    argv = ["skopeo", "--insecure-policy", "--command-timeout", f"{PULL_SECONDS:.0f}s", *arguments]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PULL_SECONDS + 10
        )
    except FileNotFoundError:
        raise MissingProgram("skopeo", needed_for="images of OCI registries", install=INSTALL) from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the registry did not give the image in {PULL_SECONDS:.0f} s") from None
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(
            f"the image cannot be fetched: {text[-1][-600:] if text else 'skopeo said nothing'}",
            hint="check its name, and log in with skopeo login where that is needed",
        )
    if len(done.stdout) > MANIFEST_BYTES_MAX:
        raise SandboxError(f"a manifest of {len(done.stdout)} bytes, at most {MANIFEST_BYTES_MAX}")
    return done.stdout
