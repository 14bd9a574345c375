"""Images from this machine's own disk: a folder or a tar archive, copied into the cache, so that nothing changes them."""

from __future__ import annotations

import os
import stat
import tarfile
import threading
from pathlib import Path
from typing import IO, cast

from forgewright.core.errors import NotFound, SandboxError
from forgewright.sandbox.images import store
from forgewright.sandbox.images.layers import Bounds, unpack
from forgewright.sandbox.images.names import ImageName


def from_archive(name: ImageName) -> store.Image:
    """Of a tar file, plain or packed by gzip, bzip2 or xz. Raises as `layers.unpack`, and `NotFound`."""
    try:
        file = open(name.text, "rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise NotFound(f"image {name}: {error.strerror}") from None
    with file, store.unfinished() as unfinished:
        tree = os.open(unfinished / "tree", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            unpack(_plain(file), tree, Bounds(), whiteouts=False)
        finally:
            os.close(tree)
        return store.publish(unfinished, name)


def from_folder(name: ImageName) -> store.Image:
    """Of a folder: files, folders and links as they are; links are not followed, devices are refused."""
    folder = Path(name.text)
    if not folder.is_dir():
        raise NotFound(f"image {name}: {folder} is no folder")
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def send() -> None:
        try:
            with (
                os.fdopen(writing, "wb") as out,
                tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive,
            ):
                _add(archive, folder, "")
        except BrokenPipeError:
            pass  # whoever unpacks has found something, and says so
        except (OSError, tarfile.TarError) as error:
            failed.append(error)

    sender = threading.Thread(target=send, daemon=True)
    with os.fdopen(reading, "rb") as stream, store.unfinished() as unfinished:
        sender.start()
        tree = os.open(unfinished / "tree", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            unpack(stream, tree, Bounds(), whiteouts=False)
        finally:
            os.close(tree)
            stream.close()
            sender.join()
        if failed:
            raise SandboxError(f"image {name} cannot be read: {failed[0]}")
        return store.publish(unfinished, name)


def _add(archive: tarfile.TarFile, folder: Path, prefix: str) -> None:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        name = f"{prefix}{entry.name}"
        if stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
            continue
        info = archive.gettarinfo(entry.path, name)
        if info.islnk():
            info.type, info.linkname = (
                tarfile.REGTYPE,
                "",
            )  # a second name is copied: the first may lie outside
            info.size = entry.stat(follow_symlinks=False).st_size
        if info.isreg():
            with open(entry.path, "rb", opener=_no_link) as file:
                info.size = os.fstat(file.fileno()).st_size
                archive.addfile(info, file)
        else:
            archive.addfile(info)
        if entry.is_dir(follow_symlinks=False):
            _add(archive, Path(entry.path), f"{name}/")


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _plain(file: IO[bytes]) -> IO[bytes]:
    magic = os.pread(file.fileno(), 6, 0)
    if magic[:2] == b"\x1f\x8b":
        import gzip

        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if magic[:3] == b"BZh":
        import bz2

        return cast("IO[bytes]", bz2.BZ2File(file))
    if magic == b"\xfd7zXZ\x00":
        import lzma

        return cast("IO[bytes]", lzma.LZMAFile(file))
    return file
