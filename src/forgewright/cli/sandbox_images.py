"""`forgewright sandbox image …`: images in the cache, fetched, looked at, checked and removed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from forgewright.cli.output import clean, print_json, say, table

if TYPE_CHECKING:
    from forgewright.sandbox.images import Image


def register(commands: Any) -> None:
    """Adds `image` to the commands of `sandbox`."""
    image = commands.add_parser(
        "image", help="images: fetch, list, show, verify, remove",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="An image is host, dir:FOLDER, tar:FILE, oci:REGISTRY/NAME:TAG, docker:NAME:TAG (of the Docker Engine here), "
        "debian:PACKAGE,… or sha256:…",
        epilog="examples:\n  forgewright sandbox image pull oci:docker.io/library/ruby:3.3\n"
        "  forgewright sandbox image pull docker:my-app:dev\n"
        "  forgewright sandbox image pull debian:ruby,git\n  forgewright sandbox image list\n",
    )  # fmt: skip
    actions = image.add_subparsers(dest="image_command", required=True, metavar="COMMAND")
    for name, text in (
        ("pull", "fetch it into the cache, anew where it is there; prints its digest"),
        ("show", "what the cache knows of it"),
        ("verify", "whether its tree is what was fetched"),
        ("remove", "take it out of the cache"),
    ):
        actions.add_parser(name, help=text).add_argument("name", metavar="IMAGE")
    actions.add_parser("list", help="the images in the cache")


def run(args: argparse.Namespace) -> int:
    """0, or an error."""
    from forgewright.core.errors import UsageError
    from forgewright.sandbox import images

    if args.image_command == "list":
        _list(images.all_images(), as_json=args.json)
        return 0
    image = images.fetch(args.name) if args.image_command == "pull" else images.find(args.name)
    if image is None:
        raise UsageError("image host is this machine's own /usr: there is nothing to fetch or remove")
    if args.image_command == "verify":
        images.verify(image)
    elif args.image_command == "remove":
        images.remove(image)
    if args.json:
        print_json(_shown(image))
    elif args.image_command == "show":
        _list([image], as_json=False)
        for name, value in image.environment.items():
            say(f"  {clean(name)}={clean(value)}")
    else:
        done = {"pull": "", "verify": "verified ", "remove": "removed "}[args.image_command]
        say(f"{done}{image.digest}")
    return 0


def make_ready(name: str) -> None:
    """Fetches the image of a sandbox that is about to be made, where the cache has none; says so, since it can take long."""
    from forgewright.core.errors import NotFound
    from forgewright.sandbox import images

    try:
        parsed = images.ImageName.parse(name)
        images.find(parsed)
    except NotFound:
        sys.stderr.write(f"forgewright: fetching image {name}\n")
    images.ensure(name)


def _shown(image: Image) -> dict[str, object]:
    return {
        "name": image.name, "digest": image.digest, "tree_digest": image.tree_digest,
        "size_bytes": image.size_bytes, "environment": dict(image.environment), "folder": image.folder,
    }  # fmt: skip


def _list(found: list[Image], *, as_json: bool) -> None:
    if as_json:
        for image in found:
            print_json(_shown(image))
        return
    rows = [(image.digest[:19], f"{image.size_bytes >> 20} MiB", clean(image.name)) for image in found]
    if rows:
        say(table(rows, header=("DIGEST", "SIZE", "NAME")))
