"""Images as they lie in the cache: a read-only tree each, named by digest, and which name led to which digest.

Drivers take images from here and from nowhere else: creating a sandbox never reaches for a network.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec

from forgewright.core.errors import IntegrityError, NotFound
from forgewright.sandbox.images.layers import remove_tree
from forgewright.sandbox.images.names import ImageName
from forgewright.sandbox.types import SandboxSpec

_FOLDERS = (
    "dev",
    "etc",
    "home",
    "home/sandbox",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr",
    "var",
    "var/tmp",
)
"""Where a sandbox puts something of its own: plain folders, whatever the image has there."""


class Image(msgspec.Struct, frozen=True):
    """An image in the cache."""

    name: str
    """The name that it was last fetched by."""
    digest: str
    """`sha256:…`: of an OCI image its manifest's, else its tree's."""
    tree_digest: str
    size_bytes: int = 0
    environment: Mapping[str, str] = {}
    """What the image itself wants set, as PATH."""
    folder: str = ""
    """Where it lies; filled in when it is read."""

    @property
    def tree(self) -> Path:
        return Path(self.folder) / "tree"


class _Named(msgspec.Struct, frozen=True):
    name: str
    digest: str


def images_root() -> Path:
    """Where the cache is: `FORGEWRIGHT_IMAGES`, else in the user's own cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    chosen = os.environ.get("FORGEWRIGHT_IMAGES")
    folder = Path(chosen) if chosen else Path(base) / "forgewright" / "images"
    for part in (folder, folder / "by-digest", folder / "by-name"):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def find(name: str | ImageName) -> Image | None:
    """The image of that name; None for `host`, which is no image of the cache.

    Raises `UsageError` for what is no name, and `NotFound`, with the command that fetches it.
    """
    parsed = ImageName.parse(name) if isinstance(name, str) else name
    if parsed.kind == "host":
        return None
    entry = _entry(parsed)
    if parsed.kind == "sha256":
        image = _read(str(parsed))
    elif entry.exists():
        image = _read(msgspec.json.decode(entry.read_bytes(), type=_Named).digest)
    else:
        image = _read(parsed.digest) if parsed.digest else None
    if image is None:
        raise NotFound(f"image {parsed} is not in the cache", hint=f"forgewright sandbox image pull {parsed}")
    return image


def pinned(spec: SandboxSpec, image: Image | None) -> SandboxSpec:
    """`spec`, with the image by its digest: what is kept of a sandbox may not change with what a name means."""
    return spec if image is None else msgspec.structs.replace(spec, image=image.digest)


def all_images() -> list[Image]:
    found = (_read(f"sha256:{folder.name}") for folder in sorted((images_root() / "by-digest").iterdir()))
    return [image for image in found if image is not None]


def remove(image: Image) -> None:
    """Takes it out of the cache; sandboxes that run from it keep what they have mounted."""
    folder = Path(image.folder)
    gone = folder.with_name(f".{folder.name}.{os.getpid()}")
    folder.rename(gone)
    _remove(gone)
    for entry in (images_root() / "by-name").iterdir():
        if msgspec.json.decode(entry.read_bytes(), type=_Named).digest == image.digest:
            entry.unlink()


def verify(image: Image) -> None:
    """Raises `IntegrityError` where the tree is not what was fetched."""
    found, _ = digest_of(image.tree)
    if found != image.tree_digest:
        raise IntegrityError(
            f"image {image.name}: its tree has digest {found}, expected {image.tree_digest}",
            hint=f"fetch it again: forgewright sandbox image remove {image.digest}",
        )


@contextmanager
def unfinished() -> Iterator[Path]:
    """A folder with an empty `tree` in it; removed again unless `publish` took it."""
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=images_root() / "by-digest"))
    (folder / "tree").mkdir(mode=0o755)
    try:
        yield folder
    finally:
        if folder.exists():
            _remove(folder)


def publish(
    folder: Path, name: ImageName, digest: str = "", environment: Mapping[str, str] | None = None
) -> Image:
    """Puts a finished tree into the cache under its digest; one that is there already stays as it is."""
    _own_places(folder / "tree")
    tree_digest, size = digest_of(folder / "tree")
    image = Image(str(name), digest or tree_digest, tree_digest, size, environment or {})
    final = images_root() / "by-digest" / image.digest[7:]
    (folder / "image.json").write_bytes(msgspec.json.encode(image))
    try:
        folder.rename(final)
    except OSError:
        if not (final / "image.json").exists():
            raise
    entry = _entry(name)
    temporary = entry.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(msgspec.json.encode(_Named(str(name), image.digest)))
    temporary.rename(entry)
    found = _read(image.digest)
    assert found is not None
    return found


def digest_of(tree: Path) -> tuple[str, int]:
    """(digest, bytes) of a tree: paths, kinds, permissions, contents and targets of links; no owners, no times."""
    total = 0
    lines = sha256()
    base = os.fsencode(tree)
    for path in _walk(base):
        info = os.lstat(path)
        relative = os.path.relpath(path, base)
        if stat.S_ISLNK(info.st_mode):
            kind, content = b"l", sha256(os.readlink(path)).digest()
        elif stat.S_ISDIR(info.st_mode):
            kind, content = b"d", b""
        else:
            with open(path, "rb") as file:
                summed = sha256()
                while data := file.read(1 << 20):
                    summed.update(data)
            kind, content = b"f", summed.digest()
            total += info.st_size
        mode = 0 if kind == b"l" else stat.S_IMODE(info.st_mode)
        lines.update(b"%s %o %d %s %s\n" % (kind, mode, len(relative), relative, content.hex().encode()))
    return f"sha256:{lines.hexdigest()}", total


def _walk(folder: bytes) -> Iterator[bytes]:
    """All paths below `folder`, sorted by their bytes, each folder before what is in it."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        yield path
        if stat.S_ISDIR(os.lstat(path).st_mode):
            yield from _walk(path)


def _own_places(tree: Path) -> None:
    """Folders and files that a sandbox has of its own are plain ones, wherever links of the image may lead."""
    for name in _FOLDERS:
        path = tree / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
        path.mkdir(mode=0o755, exist_ok=True)
    for name, text in identity(tree, 1000).items():
        path = tree / "etc" / name
        if path.is_dir() and not path.is_symlink():
            _remove(path)
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    tree.chmod(0o755)


def identity(tree: Path, uid: int) -> dict[str, str]:
    """Files of /etc by name: the image's own users and the sandbox's, and no name of this machine."""
    users, groups = _lines(tree / "etc" / "passwd"), _lines(tree / "etc" / "group")
    if not any(line.split(":")[2:3] == [str(uid)] for line in users):
        users.append(f"sandbox:x:{uid}:{uid}:sandbox:/home/sandbox:/bin/sh")
    if not any(line.split(":")[2:3] == [str(uid)] for line in groups):
        groups.append(f"sandbox:x:{uid}:")
    return {
        "passwd": "\n".join(users) + "\n",
        "group": "\n".join(groups) + "\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 sandbox\n",
        "hostname": "sandbox\n",
        "resolv.conf": "",
    }


def _lines(path: Path) -> list[str]:
    if path.is_symlink() or not path.is_file():
        return []
    with open(path, errors="replace") as file:
        return [line for line in file.read(1 << 16).replace("\0", "").splitlines() if line.count(":") >= 3]


def _entry(name: ImageName) -> Path:
    return images_root() / "by-name" / sha256(str(name).encode()).hexdigest()


def _read(digest: str) -> Image | None:
    folder = images_root() / "by-digest" / digest.removeprefix("sha256:")
    try:
        image = msgspec.json.decode((folder / "image.json").read_bytes(), type=Image)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return msgspec.structs.replace(image, folder=str(folder))


def _remove(folder: Path) -> None:
    fd = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove_tree(fd, folder.name)
    finally:
        os.close(fd)
