#!/usr/bin/env python3
"""Verifies a Forgewright bundle offline. Needs Python 3.11 and the package `cryptography`, nothing else.

    python3 verify.py BUNDLE.tar [--key NAME+KEYID+BASE64] [--head FILE] [--witness NAME+KEYID+BASE64]…

A copy of this file lies in every bundle; take it from a source you trust, not from the bundle you doubt.
Without --key, the key in the bundle is used: that shows the bundle is whole, not who made it.

What is checked, and where the rule stands:
  1. The file is a tar archive in one exact form (every header byte follows from name and size).
  2. `checkpoint` is a signed note (C2SP signed-note) by the key: origin, size, root (C2SP tlog-checkpoint).
  3. `manifest.note` is signed by the key and holds the SHA-256 of `manifest.json`, which lists every file.
  4. Every record's leaf hash (RFC 9162 §2.1.1) stands in its tile (C2SP tlog-tiles), every tile's hash in the
     tile above, and the tiles at the edge give the root of the checkpoint.
  5. The records of each run have the sequence that the manifest says, gapless.
  6. Every blob has the content its name says, and every blob that a record refers to is there.
  7. Where the log changed its key, `keys.json` leads from --key to the key that signed by statements of each
     old key, and no record (`key.rotated`, `key.revoked`) says that the signing key was out of force.
  8. The tree continues the head given with --head (one seen before), so that the log was not rolled back or
     forked since; and the head in `witnessed`, cosigned by every --witness (C2SP tlog-cosignature).
"""

from __future__ import annotations

import json
import os
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, BinaryIO

BLOCK = 512
WIDTH = 256
HASH = 32
PROBLEMS_MAX = 100
TILES_KEPT = 512
"""Verified tiles that are remembered (each takes 19 KB)."""
FORMAT = "forgewright-bundle/1"
MANIFEST = "manifest.json"
NOTE = "manifest.note"
_HEAD = re.compile(rb'\{"v":[0-9]+,"run":"([^"\\]{1,64})","seq":([1-9][0-9]{0,15}),"time":')
_BLOB = re.compile(rb'"blob":"sha256:([0-9a-f]{64})"')


class Problem(Exception):
    """What is wrong, and with which record or file."""

    def __init__(self, message: str, record: str) -> None:
        super().__init__(message)
        self.message = message
        self.record = record


class Report:
    """Outcome of a verification. `problems` is empty when everything holds."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.origin = ""
        self.size = 0
        self.root = b""
        self.key = ""
        self.runs: list[dict[str, Any]] = []
        self.records = 0
        self.blobs = 0

    def add(self, message: str, record: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(message, record))


# ── the archive ──────────────────────────────────────────────────────────────────────────────────────


def tar_header(name: str, size: int) -> bytes:
    """The one header (POSIX.1-1988 ustar) that a member of this name and size has in a bundle."""
    raw = name.encode("ascii")
    if not 0 < len(raw) <= 100 or not 0 <= size < 8**11:
        raise ValueError(f"{name!r} cannot be a member of a bundle")
    head = raw.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"00000000000\0"
    tail = b"0" + bytes(100) + b"ustar\x0000" + bytes(80) + bytes(167)
    total = sum(head) + sum(tail) + 8 * 32
    return head + b"%06o\0 " % total + tail


def read_members(file: BinaryIO) -> dict[str, tuple[int, int]]:
    """Name → (offset, size) of every member, in order. Raises `Problem` where a byte is not as it must be."""
    members: dict[str, tuple[int, int]] = {}
    end = file.seek(0, 2)
    at = 0
    while True:
        file.seek(at)
        header = file.read(BLOCK)
        if header == bytes(BLOCK):
            break
        try:
            name = header[:100].rstrip(b"\0").decode("ascii")
            size = int(header[124:135], 8)
            if header != tar_header(name, size) or name in members:
                raise ValueError
        except ValueError:
            raise Problem(f"the archive is damaged at byte {at} (a member's header)", f"byte {at}") from None
        members[name] = (at + BLOCK, size)
        padding = -size % BLOCK
        file.seek(at + BLOCK + size)
        if file.read(padding) != bytes(padding):
            raise Problem(f"the archive is damaged after {name} (padding)", name)
        at += BLOCK + size + padding
    file.seek(at)
    if end != at + 2 * BLOCK or file.read() != bytes(2 * BLOCK):
        raise Problem("the archive's end is damaged, cut off or lengthened", f"byte {at}")
    return members


# ── signed notes ─────────────────────────────────────────────────────────────────────────────────────


def parse_key(text: str, kind: int = 1) -> tuple[str, bytes, bytes]:
    """NAME+KEYID+BASE64(kind || public key) → name, key id, public key. Kind 1 is a log, 4 a witness."""
    name, key_id, encoded = text.strip().split("+", 2)
    raw = b64decode(encoded, validate=True)
    found = sha256(name.encode() + b"\n" + raw).digest()[:4]
    if (
        raw[:1] != bytes([kind])
        or len(raw) != 33
        or found.hex() != key_id
        or text.strip() != text.rstrip("\n")
    ):
        raise ValueError("not an Ed25519 verifier key")
    return name, found, raw[1:]


def open_note(data: bytes, key: tuple[str, bytes, bytes], what: str) -> str:
    """The text of a note that `key` signed. Every signature line must be well formed."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, key_id, public = key
    try:
        text, _, below = data.decode().rpartition("\n\n")
        text += "\n"
        if not below.endswith("\n"):
            raise ValueError
        for line in below[:-1].split("\n"):
            dash, signer, encoded = line.split(" ")
            raw = b64decode(encoded, validate=True)
            if dash != "—" or b64encode(raw).decode() != encoded:
                raise ValueError
            if signer == name and raw[:4] == key_id:
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
                return text
    except (ValueError, InvalidSignature):
        raise Problem(f"the signature of {what} does not verify", what) from None
    raise Problem(f"{what} is not signed by {name}+{key_id.hex()}", what)


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────────


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def fold(hashes: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1 over the nodes of one level."""
    while len(hashes) > 1:
        odd = hashes[-1:] if len(hashes) & 1 else []
        hashes = [
            sha256(b"\1" + a + b).digest() for a, b in zip(hashes[::2], hashes[1::2], strict=False)
        ] + odd
    return hashes[0]


def number_path(number: int) -> str:
    path = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        path = f"x{number % 1000:03d}/{path}"
    return path


def tile_name(level: int, number: int, size: int) -> str:
    """C2SP tlog-tiles name of a tile in a tree of `size` leaves."""
    width = min(WIDTH, (size >> 8 * level) - number * WIDTH)
    return f"tile/{level}/{number_path(number)}" + (f".p/{width}" if width < WIDTH else "")


class Tree:
    """The tiles of a bundle, checked from the edge inwards."""

    def __init__(self, bundle: Bundle, size: int) -> None:
        self.bundle = bundle
        self._size = size
        self._edge: dict[tuple[int, int], list[bytes]] = {}
        self._good: dict[tuple[int, int], list[bytes]] = {}

    def root(self) -> bytes:
        """From the tiles on the tree's right edge (RFC 9162 §2.1.1, right to left)."""
        if not self._size:
            return sha256(b"").digest()
        result = b""
        level = 0
        while self._size >> 8 * level:
            width = (self._size >> 8 * level) % WIDTH
            if width:
                hashes = self._read(level, (self._size >> 8 * level) // WIDTH)
                self._edge[level, (self._size >> 8 * level) // WIDTH] = hashes
                start = width
                while start:
                    part = start & -start
                    whole = fold(hashes[start - part : start])
                    result = node(whole, result) if result else whole
                    start -= part
            level += 1
        return result

    def root_at(self, size: int) -> bytes:
        """The root that this tree had when it held `size` leaves (RFC 9162 §2.1.1), from verified tiles."""
        end, result = size, b""
        while end:
            height = (end & -end).bit_length() - 1  # the perfect subtree that ends here
            level, within = divmod(height, 8)
            number, slot = divmod(end - (1 << height) >> 8 * level, WIDTH)
            whole = fold(self.hashes(level, number)[slot : slot + (1 << within)])
            result = node(whole, result) if result else whole
            end -= 1 << height
        return result or sha256(b"").digest()

    def hashes(self, level: int, number: int) -> list[bytes]:
        """The hashes of one tile, after that tile's own hash was found in the one above."""
        known = self._edge.get((level, number)) or self._good.get((level, number))
        if known is None:
            known = self._read(level, number)
            above = self.hashes(level + 1, number // WIDTH)
            if fold(known) != above[number % WIDTH]:
                name = tile_name(level, number, self._size)
                raise Problem(f"{name} does not have the hash that the tile above says", name)
            if len(self._good) >= TILES_KEPT:
                self._good.clear()
            self._good[level, number] = known
        return known

    def _read(self, level: int, number: int) -> list[bytes]:
        name = tile_name(level, number, self._size)
        data = self.bundle.read(name)
        width = min(WIDTH, (self._size >> 8 * level) - number * WIDTH)
        if len(data) != width * HASH:
            raise Problem(f"{name} has {len(data)} bytes, expected {width * HASH}", name)
        return [data[i : i + HASH] for i in range(0, len(data), HASH)]


# ── the bundle ───────────────────────────────────────────────────────────────────────────────────────


class Bundle:
    """An open bundle. Remembers the digest of each file it read, to hold it against the manifest."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.members = read_members(file)
        self.digests: dict[str, str] = {}

    def read(self, name: str) -> bytes:
        if name not in self.members:
            raise Problem(f"{name} is missing", name)
        offset, size = self.members[name]
        self._file.seek(offset)
        data = self._file.read(size)
        self.digests[name] = sha256(data).hexdigest()
        return data

    def check(self, name: str) -> str:
        """SHA-256 of a member, read in pieces where it was not read yet."""
        if name not in self.digests:
            offset, left = self.members[name]
            self._file.seek(offset)
            digest = sha256()
            while left:
                piece = self._file.read(min(left, 1 << 20))
                if not piece:
                    raise Problem(f"{name} is cut off", name)
                digest.update(piece)
                left -= len(piece)
            self.digests[name] = digest.hexdigest()
        return self.digests[name]


def verify(
    file: BinaryIO, key: str | None = None, *, head: bytes | None = None, witnesses: Sequence[str] = ()
) -> Report:
    """Checks all the points above; never raises for a wrong bundle. `head` is a tree head seen before."""
    report = Report()
    try:
        bundle = Bundle(file)
        signer = _chain(bundle, _key(bundle, key, report))
        report.key = f"{signer[0]}+{signer[1].hex()}"
        _head(bundle, signer, report)
        manifest = _manifest(bundle, signer, report)
        tree = Tree(bundle, report.size)
        wanted = _records(bundle, report, manifest, tree)
        given = _given_key(bundle, key)
        if head is not None:
            _continues(head, given, signer, "the head given", tree, report)
        if "witnessed" in bundle.members:
            _continues(bundle.read("witnessed"), given, signer, "witnessed", tree, report)
        _cosigned(bundle, witnesses)
        _blobs(bundle, report, wanted)
        _files(bundle, report, manifest)
    except Problem as problem:
        report.add(problem.message, problem.record)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        report.add(f"the bundle is malformed: {error!r}", "bundle")
    return report


def _key(bundle: Bundle, key: str | None, report: Report) -> tuple[str, bytes, bytes]:
    own = bundle.read("log.pub").decode(errors="replace")
    try:
        signer = parse_key(own if key is None else key)
    except (ValueError, IndexError):
        raise Problem("the verifier key is malformed", "log.pub") from None
    if key is not None and own.strip() != key.strip() and "keys.json" not in bundle.members:
        report.add(f"the bundle names another key than the one given ({own.strip()[:100]})", "log.pub")
    return signer


def _chain(bundle: Bundle, key: tuple[str, bytes, bytes]) -> tuple[str, bytes, bytes]:
    """The newest key to which this one handed over, each step signed by the key before."""
    if "keys.json" not in bundle.members:
        return key
    try:
        steps = json.loads(bundle.read("keys.json"))
        if not isinstance(steps, list):
            raise ValueError
        for step in steps:
            if parse_key(step["old"]) != key:
                continue
            text = open_note(step["statement"].encode(), key, "keys.json")
            new = parse_key(step["new"])
            if text != f"forgewright-key/1\n{key[0]}\n{step['size']}\n{step['new']}\n" or new[0] != key[0]:
                raise ValueError
            key = new
    except (ValueError, KeyError, TypeError):
        raise Problem("keys.json is no chain of keys", "keys.json") from None
    return key


def _given_key(bundle: Bundle, key: str | None) -> tuple[str, bytes, bytes]:
    return parse_key(bundle.read("log.pub").decode() if key is None else key)


def _continues(
    data: bytes,
    given: tuple[str, bytes, bytes],
    signer: tuple[str, bytes, bytes],
    what: str,
    tree: Tree,
    report: Report,
) -> None:
    """The tree must be a later state of the one in this head (what a consistency proof shows)."""
    text = ""
    for key in _keys_between(tree.bundle, given, signer):
        try:
            text = open_note(data, key, what)
            break
        except Problem:
            continue
    if not text:
        raise Problem(f"{what} is not signed by a key of this log", what)
    origin, size, root, _ = text.split("\n")
    if origin != report.origin:
        report.add(f"{what} is one of another log, {origin}", what)
    elif int(size) > report.size:
        report.add(
            f"the log was rolled back: {what} is over {size} records, the bundle's over {report.size}", what
        )
    elif tree.root_at(int(size)) != b64decode(root, validate=True):
        report.add(f"the log was forked: it does not continue {what} over {size} records", what)


def _keys_between(
    bundle: Bundle, given: tuple[str, bytes, bytes], signer: tuple[str, bytes, bytes]
) -> list[tuple[str, bytes, bytes]]:
    """The key trusted, those it handed over to, and those before it (whose heads it vouched for)."""
    keys = [signer, given]
    if "keys.json" in bundle.members:
        keys += [parse_key(step["old"]) for step in json.loads(bundle.read("keys.json"))]
    return keys


def _cosigned(bundle: Bundle, witnesses: Sequence[str]) -> None:
    """C2SP tlog-cosignature, "Ed25519 signed message"."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for witness in witnesses:
        try:
            name, key_id, public = parse_key(witness, kind=4)
        except ValueError:
            raise Problem(f"{witness[:100]!r} is no witness's key", "witnessed") from None
        text, _, below = bundle.read("witnessed").decode().rpartition("\n\n")
        for line in below.rstrip("\n").split("\n"):
            raw = b64decode(line.split(" ")[2])
            if line.split(" ")[1] == name and raw[:4] == key_id and len(raw) == 76:
                seconds = int.from_bytes(raw[4:12])
                try:
                    message = f"cosignature/v1\ntime {seconds}\n{text}\n".encode()
                    Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], message)
                    break
                except InvalidSignature:
                    raise Problem(f"the cosignature of {name} does not verify", "witnessed") from None
        else:
            raise Problem(f"no head in the bundle is cosigned by {name}", "witnessed")


def _head(bundle: Bundle, signer: tuple[str, bytes, bytes], report: Report) -> None:
    text = open_note(bundle.read("checkpoint"), signer, "checkpoint")
    try:
        origin, size, root, rest = text.split("\n")
        if origin != signer[0] or str(int(size)) != size or rest:
            raise ValueError
        report.origin, report.size, report.root = origin, int(size), b64decode(root, validate=True)
    except ValueError:
        raise Problem("the checkpoint is not one of this log", "checkpoint") from None


def _manifest(bundle: Bundle, signer: tuple[str, bytes, bytes], report: Report) -> dict[str, Any]:
    data = bundle.read(MANIFEST)
    text = open_note(bundle.read(NOTE), signer, NOTE)
    if text != f"{FORMAT}\n{signer[0]}\n{sha256(data).hexdigest()}\n":
        raise Problem("the manifest is not the one that was signed", MANIFEST)
    manifest: dict[str, Any] = json.loads(data)
    same = (manifest["format"], manifest["origin"], manifest["size"], manifest["root"])
    if same != (FORMAT, report.origin, report.size, b64encode(report.root).decode()):
        report.add("the manifest and the checkpoint speak of different trees", MANIFEST)
    report.runs = manifest["runs"]
    return manifest


def _records(bundle: Bundle, report: Report, manifest: dict[str, Any], tree: Tree) -> dict[str, str]:
    if tree.root() != report.root:
        report.add("the tiles at the edge of the tree do not give the root of the checkpoint", "checkpoint")
    runs = {run["run"]: [run["first"] - 1, run["last"]] for run in manifest["runs"]}
    wanted: dict[str, str] = {}
    for name in [name for name in bundle.members if name.startswith("records/")]:
        try:
            number = int(name[8:].replace("/", "").replace("x", ""))
            if name != f"records/{number_path(number)}":
                raise ValueError
            _page(bundle.read(name), number, tree, runs, wanted, report)
        except ValueError:
            report.add(f"{name} is malformed", name)
        except Problem as problem:
            report.add(problem.message, problem.record)
    for run, (found, last) in runs.items():
        if found != last:
            report.add(f"run {run} ends at sequence {found}, the manifest says {last}", f"run {run}")
    for name in [name for name in bundle.members if name.startswith("tile/")]:
        if name not in bundle.digests:
            _tile(name, tree, report)
    return wanted


def _page(
    data: bytes,
    number: int,
    tree: Tree,
    runs: dict[str, list[int]],
    wanted: dict[str, str],
    report: Report,
) -> None:
    """One `records/…` file: for each record its slot in the tile (1 byte), its length (2), its bytes."""
    hashes = tree.hashes(0, number)
    at, end, before = 0, len(data), -1
    while at < end:
        slot = data[at]
        length = data[at + 1] << 8 | data[at + 2] if at + 2 < end else end
        body = data[at + 3 : at + 3 + length]
        at += 3 + length
        index = number * WIDTH + slot
        if at > end or slot <= before or slot >= len(hashes):
            raise Problem(f"the file of record {index} is cut off or out of order", f"record {index}")
        before = slot
        report.records += 1
        head = _HEAD.match(body)
        run, sequence = (head[1].decode(errors="replace"), int(head[2])) if head else ("?", 0)
        place = f"record {index} (run {run}, sequence {sequence})"
        if sha256(b"\0" + body).digest() != hashes[slot]:
            report.add(f"{place} is not what the tree says", place)
            if run in runs and sequence == runs[run][0] + 1:
                runs[run][0] += 1
            continue
        if run not in runs:
            report.add(f"{place} is of a run that the manifest does not name", place)
        elif sequence != runs[run][0] + 1:
            report.add(f"{place} follows sequence {runs[run][0]}", place)
            runs[run][0] = sequence
        else:
            runs[run][0] = sequence
        if run == "@keys":
            _key_event(body, index, place, report)
        if b'"blob":"sha256:' in body:
            for found in _BLOB.finditer(body):
                wanted.setdefault(found[1].decode(), place)


def _key_event(body: bytes, index: int, place: str, report: Report) -> None:
    """A head may not be signed by a key that its own log says was out of force."""
    event = json.loads(body)["event"]
    kind = event["kind"]
    retired = event["old"] if kind == "key.rotated" else event["key"] if kind == "key.revoked" else None
    if retired is not None:
        name, key_id, _ = parse_key(retired)
        if f"{name}+{key_id.hex()}" == report.key:
            report.add(f"the head is signed by a key that {place} put out of force", place)


def _tile(name: str, tree: Tree, report: Report) -> None:
    try:
        _, level, rest = name.split("/", 2)
        number = int(rest.partition(".p/")[0].replace("/", "").replace("x", ""))
        tree.hashes(int(level), number)
    except ValueError:
        report.add(f"{name} is malformed", name)
    except Problem as problem:
        report.add(problem.message, problem.record)


def _blobs(bundle: Bundle, report: Report, wanted: dict[str, str]) -> None:
    for name in bundle.members:
        if name.startswith("blobs/"):
            report.blobs += 1
            if bundle.check(name) != name[6:]:
                report.add(f"the content of blob {name[6:]} is not what its name says", name)
    erased = json.loads(bundle.read("missing.json")) if "missing.json" in bundle.members else []
    if not isinstance(erased, list) or not all(isinstance(item, str) for item in erased):
        raise Problem("missing.json is no list of digests", "missing.json")
    for digest, place in wanted.items():
        if f"blobs/{digest}" not in bundle.members and digest not in erased:
            report.add(f"the blob {digest} that {place} refers to is missing", place)


def _files(bundle: Bundle, report: Report, manifest: dict[str, Any]) -> None:
    files: dict[str, str] = manifest["files"]
    for name in bundle.members:
        if name in (MANIFEST, NOTE):
            continue
        if name not in files:
            report.add(f"{name} is not in the manifest", name)
        elif bundle.check(name) != files[name]:
            report.add(f"{name} is not what the manifest says", name)
    for name in files:
        if name not in bundle.members:
            report.add(f"{name} is missing", name)


def main(argv: list[str]) -> int:
    """0: verified; 1: not; 2: called wrongly."""
    import argparse

    parser = argparse.ArgumentParser(description="Verify a Forgewright bundle offline.")
    parser.add_argument("bundle")
    parser.add_argument("--key", help="verifier key of the log, or a file that holds it; from who you trust")
    parser.add_argument("--head", help="file with a tree head of the log that you saw before")
    parser.add_argument("--witness", action="append", default=[], help="verifier key of a witness you trust")
    args = parser.parse_args(argv)
    head = None
    if args.head:
        with open(args.head, "rb") as seen:
            head = seen.read()
    if args.key and os.path.isfile(args.key):
        with open(args.key, encoding="utf-8") as held:
            args.key = held.read(4096).strip()
    with open(args.bundle, "rb") as file:
        report = verify(file, args.key, head=head, witnesses=args.witness)
    out = sys.stdout.write
    for problem in report.problems:
        out(f"WRONG  {problem.message}\n")
    if report.problems:
        return 1
    out(f"verified: {report.records} records of {len(report.runs)} runs, {report.blobs} blobs\n")
    out(f"tree:     {report.origin}, {report.size} records, root {report.root.hex()}\n")
    out(f"key:      {report.key}{'' if args.key else ' (the bundle’s own; give --key to know the maker)'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
