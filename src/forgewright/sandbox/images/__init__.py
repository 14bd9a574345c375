"""Images: what a sandbox's root file system is made from. Fetching reaches out; finding only looks into the cache."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from forgewright.core.errors import NotFound, UsageError
from forgewright.sandbox.images import store
from forgewright.sandbox.images.names import ImageName
from forgewright.sandbox.images.store import Image, all_images, find, verify

__all__ = ["Image", "ImageName", "all_images", "ensure", "fetch", "find", "remove", "verify"]


def fetch(name: str | ImageName) -> Image | None:
    """Brings an image into the cache, anew where its name may mean something else by now; None for `host`.

    Raises `UsageError`, `NotFound`, `MissingProgram`, `Unavailable`, `IntegrityError`, `UnsafePath`, `SandboxError`.
    """
    parsed = ImageName.parse(name) if isinstance(name, str) else name
    match parsed.kind:
        case "dir":
            from forgewright.sandbox.images.local import from_folder

            return from_folder(parsed)
        case "tar":
            from forgewright.sandbox.images.local import from_archive

            return from_archive(parsed)
        case "oci":
            from forgewright.sandbox.images.oci import pull

            return pull(parsed)
        case "docker":
            from forgewright.sandbox.docker_api import engine_socket
            from forgewright.sandbox.images.engine import from_engine

            return from_engine(parsed, engine_socket())
        case "debian":
            from forgewright.sandbox.images.debian import build

            return build(parsed)
    return find(parsed)


def ensure(name: str | ImageName) -> Image | None:
    """The image from the cache, fetched first where it is not there. Folders and archives are always read anew."""
    parsed = ImageName.parse(name) if isinstance(name, str) else name
    if parsed.kind not in ("dir", "tar"):
        try:
            return find(parsed)
        except NotFound:
            if parsed.kind == "sha256":
                raise
    return fetch(parsed)


def remove(image: Image) -> None:
    """Takes it out of the cache, and out of the Docker Engine that was given it; sandboxes keep what they have mounted."""
    if any(Path(image.folder).glob("engine-*.json")):
        from forgewright.sandbox.docker_api import engine_socket
        from forgewright.sandbox.images.engine import forget

        with suppress(UsageError):  # DOCKER_HOST names an engine elsewhere, which was given nothing
            forget(image, engine_socket())
    store.remove(image)
