"""Images and a Docker Engine of this machine: those that it has become images of the cache, and those of the cache its own.

An engine is asked for bytes, and never for its word: the digest of an image that comes from it is its configuration's, which
names the digest of each layer; of one that it was given, the layer that it says it has must be the archive that was sent.
Source: https://docs.docker.com/reference/api/engine/ (Images), and the image specification v1.2 of `docker save`.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import socket
import stat
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote, urlencode

import msgspec

from forgewright.core.errors import IntegrityError, NotFound, SandboxError, Unavailable, UsageError
from forgewright.sandbox.images import store
from forgewright.sandbox.images.layers import BYTES_MAX, WHITEOUT, Bounds, unpack
from forgewright.sandbox.images.names import ImageName
from forgewright.sandbox.images.oci import (
    LAYERS_MAX,
    MANIFEST_BYTES_MAX,
    Settings,
    Summed,
    environment_of,
    read_config,
)

REPOSITORY = "forgewright-image"
_API = "/v1.40"
_SECONDS = 1800.0
_ANSWER_BYTES_MAX = 4 << 20
_sending = threading.Lock()


class _Saved(msgspec.Struct, frozen=True):
    """An entry of manifest.json."""

    config: str = msgspec.field(name="Config")
    layers: tuple[str, ...] = msgspec.field(name="Layers")


class _Has(msgspec.Struct, frozen=True):
    """What an engine has of an image of the cache: kept beside that."""

    engine: str
    """The engine's own id: another one has another image, or none."""
    image: str
    layer: str


class EngineImages:
    """The image part of an engine's API. Each call raises `SandboxError` with the engine's own words."""

    def __init__(self, path: str) -> None:
        self.path = path

    def inspect(self, name: str) -> Any | None:
        """What the engine knows of an image; None where it has none of that name."""
        with self._asked("GET", f"/images/{quote(name)}/json") as answer:
            if answer.status == 404:
                return None
            return _told(answer)

    def id(self) -> str:
        with self._asked("GET", "/info") as answer:
            return str(_told(answer)["ID"])

    def pull(self, repository: str, digest: str) -> None:
        """Has the engine fetch an image by the digest of its manifest, which the engine checks."""
        query = {"fromImage": repository, "tag": digest}
        with self._asked("POST", "/images/create", query=query) as answer:
            self._progress(answer, f"the image {repository}@{digest}")

    def save(self, image: str, file: IO[bytes]) -> None:
        """Writes an archive of the image with that id to `file`."""
        left = BYTES_MAX
        with self._asked("GET", f"/images/{image}/get") as answer:
            if answer.status != 200:
                _told(answer)
            while data := answer.read(1 << 20):
                left -= len(data)
                if left < 0:
                    raise SandboxError(f"the engine's archive of {image} has more than {BYTES_MAX} bytes")
                file.write(data)
        file.seek(0)

    def give(self, tree: Path, tag: str) -> tuple[str, str]:
        """Sends a tree as an image with one layer: (id of the image, digest of the archive that was sent)."""
        query = {"fromSrc": "-", "repo": REPOSITORY, "tag": tag}
        connection = self._connection()
        try:
            connection.putrequest("POST", f"{_API}/images/create?{urlencode(query)}")
            connection.putheader("Content-Type", "application/x-tar")
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            body = _Body(connection)
            with tarfile.open(
                fileobj=cast("IO[bytes]", body), mode="w|", bufsize=1 << 18, format=tarfile.GNU_FORMAT
            ) as archive:
                _add_tree(archive, tree)
            digest = body.end()
            last = self._progress(connection.getresponse(), f"the image {REPOSITORY}:{tag}")
        except (OSError, http.client.HTTPException) as error:
            raise SandboxError(f"the Docker Engine broke off taking an image: {error}") from error
        finally:
            connection.close()
        return str(last.get("status", "")), digest

    def remove(self, image: str) -> None:
        """Its tags and, where nothing else uses them, its layers. One that is used, or gone, is left as it is."""
        with self._asked("DELETE", f"/images/{quote(image)}", query={"force": "1"}) as answer:
            if answer.status not in (200, 404, 409):
                _told(answer)

    @contextmanager
    def _asked(
        self, method: str, target: str, *, query: dict[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._connection()
        try:
            connection.request(method, f"{_API}{target}" + (f"?{urlencode(query)}" if query else ""))
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise SandboxError(f"the Docker Engine broke off at {method} {target}: {error}") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(_SECONDS)
        try:
            connection.sock.connect(self.path)
        except OSError as error:
            connection.close()
            raise Unavailable(
                f"the Docker Engine does not answer on {self.path}: {error.strerror}",
                hint="start it, or set DOCKER_HOST",
            ) from None
        return connection

    def _progress(self, answer: http.client.HTTPResponse, what: str) -> dict[str, Any]:
        """The last of the lines by which an engine says how it goes on. Raises `SandboxError` for one that is an error."""
        if answer.status != 200:
            _told(answer)
        last: dict[str, Any] = {}
        for line in answer:
            try:
                last = json.loads(line) if line.strip() else last
            except ValueError as error:
                raise SandboxError(f"the Docker Engine answered {line[:200]!r}") from error
            if last.get("error"):
                raise SandboxError(f"the Docker Engine did not take {what}: {last['error']}")
        return last


class _Body(io.RawIOBase):
    """The body of a request as it is made, in chunks (RFC 9112 §7.1), and its digest."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self._connection.send(b"%x\r\n%b\r\n" % (len(data), data))
        return len(data)

    def end(self) -> str:
        self._connection.send(b"0\r\n\r\n")
        return f"sha256:{self._digest.hexdigest()}"


def _told(answer: http.client.HTTPResponse) -> Any:
    body = answer.read(_ANSWER_BYTES_MAX)
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise SandboxError(f"the Docker Engine answered {answer.status}: {body[:200]!r}") from None
    if not 200 <= answer.status < 300:
        raise SandboxError(
            f"the Docker Engine refused: {told.get('message', told) if isinstance(told, dict) else told}"
        )
    return told


def from_engine(name: ImageName, path: str) -> store.Image:
    """An image that the engine on the socket `path` has, or pulls where the name pins it by digest.

    Raises `Unavailable` without an engine, `NotFound`, `IntegrityError` where content is not what its digest says,
    `UnsafePath` and `SandboxError` for what cannot be unpacked.
    """
    engine = EngineImages(path)
    reference = f"{name.text}@{name.digest}" if name.digest else f"{name.text}:{name.tag}"
    known = engine.inspect(reference)
    if known is None and name.digest:
        engine.pull(name.text, name.digest)
        known = engine.inspect(reference)
    if known is None:
        raise NotFound(
            f"the Docker Engine has no image {reference}",
            hint=f"docker pull {reference}, or pin it: docker:{name.text}@sha256:…",
        )
    pins = {str(entry).rpartition("@")[2] for entry in known.get("RepoDigests") or ()}
    if name.digest and name.digest not in pins:
        raise IntegrityError(
            f"image {name}: the engine's has the digests {', '.join(sorted(pins)) or 'none'}"
        )
    with tempfile.TemporaryFile(prefix=".save-", dir=store.images_root()) as file:
        engine.save(str(known["Id"]), file)
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                return _assemble(name, archive, tuple(known["RootFS"].get("Layers") or ()))
        except (tarfile.TarError, EOFError, UnicodeError, msgspec.DecodeError) as error:
            raise SandboxError(f"image {name}: the engine's archive is malformed: {error}") from None


def _assemble(name: ImageName, archive: tarfile.TarFile, said: tuple[str, ...]) -> store.Image:
    entries = msgspec.json.decode(
        _member(archive, "manifest.json").read(MANIFEST_BYTES_MAX), type=tuple[_Saved, ...]
    )
    if len(entries) != 1 or len(entries[0].layers) > LAYERS_MAX:
        raise SandboxError(
            f"image {name}: expected one image with at most {LAYERS_MAX} layers in the engine's archive"
        )
    raw = _member(archive, entries[0].config).read(MANIFEST_BYTES_MAX)
    config = read_config(raw, name)
    layers = config.rootfs.diff_ids
    if len(layers) != len(entries[0].layers) or layers != said:
        raise IntegrityError(
            f"image {name}: its configuration names other layers than the engine's archive has"
        )
    bounds = Bounds()
    with store.unfinished() as unfinished:
        tree = os.open(unfinished / "tree", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for path, content in zip(entries[0].layers, layers, strict=True):
                summed = Summed(_member(archive, path))
                unpack(cast("IO[bytes]", summed), tree, bounds)
                if summed.rest() != content:
                    raise IntegrityError(f"image {name}: a layer holds other content than {content}")
        finally:
            os.close(tree)
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        return store.publish(unfinished, name, digest, environment_of(config.config or Settings()))


def _member(archive: tarfile.TarFile, path: str) -> IO[bytes]:
    try:
        found = archive.extractfile(path)
    except KeyError:
        found = None
    if found is None:
        raise SandboxError(f"the engine's archive has no file {path!r}")
    return found


def ensure_in_engine(image: store.Image, path: str) -> str:
    """The id under which the engine has the tree of `image`; sent there first where it has not.

    Raises `IntegrityError` where what it has is not what was sent, `UsageError` for a tree that no layer can hold.
    """
    engine = EngineImages(path)
    with _sending:  # two sandboxes at once: the second finds what the first sent
        whose = engine.id()
        record = Path(image.folder) / f"engine-{hashlib.sha256(whose.encode()).hexdigest()[:16]}.json"
        has = msgspec.json.decode(record.read_bytes(), type=_Has) if record.exists() else None
        if has is not None and _layers(engine.inspect(has.image)) == (has.layer,):
            return has.image
        given, layer = engine.give(image.tree, image.digest.removeprefix("sha256:")[:32])
        found = _layers(engine.inspect(given)) if given else ()
        if found != (layer,):
            raise IntegrityError(
                f"image {image.name}: the engine was sent {layer} and has {', '.join(found) or 'nothing'}"
            )
        unfinished = record.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(msgspec.json.encode(_Has(whose, given, layer)))
        unfinished.rename(record)
        return given


def forget(image: store.Image, path: str) -> None:
    """Takes what the engine was given of `image` out of it; without an engine there is nothing to take."""
    for record in Path(image.folder).glob("engine-*.json"):
        has = msgspec.json.decode(record.read_bytes(), type=_Has)
        try:
            engine = EngineImages(path)
            if engine.id() == has.engine:
                engine.remove(has.image)
        except (SandboxError, Unavailable):
            continue  # it does not run now: `docker image prune` is its own way


def _layers(known: Any) -> tuple[str, ...]:
    return tuple((known.get("RootFS") or {}).get("Layers") or ()) if isinstance(known, dict) else ()


def _add_tree(archive: tarfile.TarFile, folder: Path, prefix: str = "") -> None:
    """All of `folder`: an archive that depends on nothing but it."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name.startswith(WHITEOUT):
            raise UsageError(
                f"the image has a file {prefix}{entry.name}, which a Docker Engine takes for a removal",
                hint="use the driver container",
            )
        info = archive.gettarinfo(entry.path, f"{prefix}{entry.name}")
        info.uname = info.gname = ""
        if os.geteuid() != 0:
            info.uid = info.gid = 0  # an ordinary user's cache knows no owners
        if stat.S_ISREG(info.mode) and info.isreg():
            with open(entry.path, "rb") as file:
                archive.addfile(info, file)
        else:
            archive.addfile(info)
        if entry.is_dir(follow_symlinks=False):
            _add_tree(archive, Path(entry.path), f"{prefix}{entry.name}/")
