"""`forgewright policy key|establish|propose|review|approve|enact|stop|versions`: policies in versions, by people."""

from __future__ import annotations

import argparse
import os
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from forgewright.core.errors import NotFound, UsageError
from forgewright.core.ids import Digest, digest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from forgewright.journal.journal import Journal
    from forgewright.policy.registry import Registry, Statement

COMMANDS = ("key", "establish", "propose", "review", "approve", "enact", "stop", "versions")


def register(commands: Any) -> None:
    """Adds the commands to those of `policy`."""
    from forgewright.policy.registry import Subject

    key = commands.add_parser("key", help="make a person's signing key; prints the public one")
    key.add_argument("file", type=Path)

    establish = commands.add_parser("establish", help="begin the home's registry: who decides, and how many")
    establish.add_argument("people", nargs="+", metavar="NAME=PUBLICKEY")
    establish.add_argument("--quorum", type=int, default=2, help="approvals beside the author's (2)")

    propose = commands.add_parser(
        "propose", help="propose policies, or an agent, tool, model, image, package"
    )
    propose.add_argument(
        "content",
        nargs="+",
        type=Path,
        help="policy files; or one file of the other subject; or an image's name",
    )
    propose.add_argument("--subject", choices=get_args(Subject), default="policy")
    propose.add_argument("--name", default="main")
    propose.add_argument("--note", default="")

    review = commands.add_parser("review", help="say that a proposal was looked at, and is fine or rejected")
    review.add_argument("proposal")
    review.add_argument("--reject", action="store_true")
    review.add_argument("--comment", default="")

    approve = commands.add_parser("approve", help="approve a proposal that was reviewed")
    approve.add_argument("proposal")
    enact = commands.add_parser("enact", help="put an approved proposal in force")
    enact.add_argument("proposal")

    stop = commands.add_parser("stop", help="suspend or retire what is in force (no policy, no rules)")
    stop.add_argument("subject", choices=get_args(Subject))
    stop.add_argument("name")
    stop.add_argument("--retire", action="store_true")
    stop.add_argument("--reason", default="")

    for parser in (establish, propose, review, approve, enact, stop):
        parser.add_argument("--as", dest="by", required=True, metavar="NAME", help="the person who signs")
        parser.add_argument("--key", dest="key_file", type=Path, required=True, help="the person's key file")
    commands.add_parser("versions", help="what is in force, and what is proposed")


def run(args: argparse.Namespace) -> int:
    """0, or an error."""
    if args.policy_command == "key":
        return _make_key(args.file)
    import asyncio

    return asyncio.run(_with_journal(args))


async def _with_journal(args: argparse.Namespace) -> int:
    from forgewright.journal.journal import open_journal
    from forgewright.wiring.registry import read_registry, submit

    if not args.home.is_dir() and args.policy_command != "establish":
        raise NotFound(f"there is no home at {args.home}", hint="name one with --home")
    journal = await open_journal(args.home)
    try:
        registry, _ = await read_registry(journal)
        if args.policy_command == "versions":
            return _show(registry, as_json=args.json)
        from forgewright.policy.registry import sign

        make: Callable[[argparse.Namespace, Registry, Journal], Awaitable[Statement]] = _MAKERS[
            args.policy_command
        ]
        signed = sign(await make(args, registry, journal), _read_key(args.key_file))
        await submit(journal, signed)
    finally:
        await journal.close()
    _print({"statement": signed.digest}, signed.digest, as_json=args.json)
    return 0


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _establish(args: argparse.Namespace, registry: Registry, journal: Journal) -> Statement:
    from forgewright.policy.registry import Established, Person, Rules

    people = dict(item.partition("=")[::2] for item in args.people)
    rules = Rules({name: Person(key) for name, key in people.items()}, quorum=args.quorum)
    return Established(os.urandom(16).hex(), args.by, _now(), rules)


async def _propose(args: argparse.Namespace, registry: Registry, journal: Journal) -> Statement:
    from forgewright.policy.check import read_files, require
    from forgewright.policy.content import PolicyContent
    from forgewright.policy.registry import Proposed, Rules

    rules = None
    if args.subject == "image":
        return _propose_image(args, registry)
    if args.subject == "policy":
        texts = {Path(name).name: text for name, text in read_files(args.content).items()}
        require(texts)
        data = PolicyContent(texts).encode()
    else:
        if len(args.content) != 1:
            raise UsageError(f"expected one file for a {args.subject}; found {len(args.content)}")
        data = args.content[0].read_bytes()
        if args.subject == "rules":
            rules = msgspec.json.decode(data, type=Rules)
            data = msgspec.json.encode(rules)
    content: Digest = digest(data)
    await journal.store.blobs.put(data)
    name = "rules" if args.subject == "rules" else args.name
    current = registry.version(args.subject, name)
    return Proposed(
        registry.id,
        args.by,
        _now(),
        args.subject,
        name,
        content,
        current.number + 1 if current else 1,
        current.proposal if current else "",
        args.note,
        rules,
    )


def _propose_image(args: argparse.Namespace, registry: Registry) -> Statement:
    """An image is registered by the digest that it has in the cache, under its name."""
    from forgewright.core.ids import Digest
    from forgewright.policy.registry import Proposed
    from forgewright.sandbox.images import find

    if len(args.content) != 1:
        raise UsageError(f"expected the name of one image; found {len(args.content)}")
    name = str(args.content[0])
    image = find(name)
    if image is None:
        raise UsageError("image host has no digest: it is this machine's own /usr")
    name = name if args.name == "main" else args.name
    current = registry.version("image", name)
    number, parent = (current.number + 1, current.proposal) if current else (1, "")
    return Proposed(
        registry.id, args.by, _now(), "image", name, Digest(image.digest), number, parent, args.note, None
    )


async def _review(args: argparse.Namespace, registry: Registry, journal: Journal) -> Statement:
    from forgewright.policy.registry import Reviewed

    proposal = registry.proposal(args.proposal).digest
    return Reviewed(registry.id, args.by, _now(), proposal, "reject" if args.reject else "fine", args.comment)


async def _approve(args: argparse.Namespace, registry: Registry, journal: Journal) -> Statement:
    from forgewright.policy.registry import Approved

    proposal = registry.proposal(args.proposal)
    return Approved(registry.id, args.by, _now(), proposal.digest, proposal.statement.content)


async def _enact(args: argparse.Namespace, registry: Registry, journal: Journal) -> Statement:
    from forgewright.policy.registry import Enacted

    return Enacted(registry.id, args.by, _now(), registry.proposal(args.proposal).digest)


async def _stop(args: argparse.Namespace, registry: Registry, journal: Journal) -> Statement:
    from forgewright.policy.registry import Stopped

    version = registry.version(args.subject, args.name)
    if version is None:
        raise NotFound(f"there is no {args.subject} {args.name} in force")
    state: Any = "retired" if args.retire else "suspended"
    return Stopped(
        registry.id, args.by, _now(), args.subject, args.name, version.proposal, state, args.reason
    )


_MAKERS = {
    "establish": _establish,
    "propose": _propose,
    "review": _review,
    "approve": _approve,
    "enact": _enact,
    "stop": _stop,
}


def _show(registry: Registry, *, as_json: bool) -> int:
    versions, proposals = list(registry.versions().values()), registry.proposals()
    if as_json:
        _print({"rules": registry.rules, "versions": versions, "proposals": proposals}, "", as_json=True)
        return 0
    people = ", ".join(registry.rules.people) or "nobody: the registry is not established"
    print(f"people: {people}; quorum {registry.rules.quorum} beside the author")
    for version in versions:
        print(
            f"{version.state}: {version.subject} {version.name} version {version.number}  {version.content}"
        )
    for proposal in proposals:
        said = proposal.statement
        if proposal.state in ("proposed", "reviewed", "approved"):
            print(
                f"{proposal.state}: {said.subject} {said.name} version {said.number} by {said.by}, approved by "
                f"{', '.join(proposal.approvers) or 'nobody'}  {proposal.digest}"
            )
    return 0


def _make_key(file: Path) -> int:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UsageError(f"{file} is there already; a key is never overwritten") from None
    with open(handle, "wb") as out:
        out.write(b64encode(key.private_bytes_raw()) + b"\n")
    print(b64encode(key.public_key().public_bytes_raw()).decode())
    return 0


def _read_key(file: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        if file.stat().st_mode & 0o077:
            raise UsageError(f"others may read the key {file}", hint=f"run: chmod 600 {file}")
        return Ed25519PrivateKey.from_private_bytes(b64decode(file.read_bytes().strip(), validate=True))
    except OSError as error:
        raise NotFound(f"the key {file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file} is not a key; expected base64 of 32 bytes") from error


def _print(value: Any, text: str, *, as_json: bool) -> None:
    sys.stdout.write((msgspec.json.encode(value).decode() if as_json else text) + "\n")
