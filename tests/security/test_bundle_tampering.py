"""Generated tamperings of bundles: flipped, dropped, reordered, cut, doubled, spliced, rolled back, signed anew.

Each is made three ways where that makes sense: bytes changed only; the manifest made to fit (but not signed,
for want of the key); and the manifest signed again with the log's real key, by somebody who holds it but not
the past that the tree head was signed over. `audit verify` has to find every one and name what is wrong.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.journal.homes import RUNS, fill

from forgewright.journal.bundle import verifier
from forgewright.journal.bundle.export import export
from forgewright.journal.journal import open_journal
from forgewright.journal.log.checkpoint import sign_head
from forgewright.journal.log.keys import open_keys
from forgewright.journal.log.notes import Signer

Members = dict[str, bytes]
Mutation = Callable[[Members, random.Random], None]


class Case:
    """A home with two bundles of it (whole, and one run), an older bundle, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        asyncio.run(self._make(folder))
        self.signer = open_keys(folder / "home")
        self.stranger = open_keys(folder / "stranger")
        self.key = str(self.signer.key)

    async def _make(self, folder: Path) -> None:
        journal = await open_journal(folder / "home")
        await fill(journal, 150)
        await export(journal, folder / "older.tar")
        await fill(journal, 150)
        await export(journal, folder / "all.tar")
        await export(journal, folder / "run.tar", runs=[RUNS[1]])
        await journal.close()
        journal = await open_journal(folder / "stranger")
        await fill(journal, 300)
        await export(journal, folder / "stranger.tar")
        await journal.close()
        self.all, self.run, self.older, self.other = [
            unpack((folder / f"{name}.tar").read_bytes()) for name in ("all", "run", "older", "stranger")
        ]


@pytest.mark.parametrize("name", ["manifest.json", "keys.json", "witnessed", "missing.json", "log.pub"])
@pytest.mark.parametrize(
    "value", [b"", b"[]", b"{}", b"null", b'[{"old":1}]', b'{"files":[]}', b"\xff", b"x\n\n"]
)
def test_nonsense_in_a_signed_bundle_is_a_finding_and_no_crash(case: Case, name: str, value: bytes) -> None:
    members = {name: value, **{key: data for key, data in case.all.items() if key != name}}
    if name != verifier.MANIFEST:
        sign_manifest(members, case.signer)
    else:
        digest = sha256(value).hexdigest()
        members[verifier.NOTE] = case.signer.sign(f"{verifier.FORMAT}\n{case.signer.key.name}\n{digest}\n")
    problems = check(members, case.key)
    harmless = (name, value) in {("keys.json", b"[]"), ("missing.json", b"[]")}
    assert bool(problems) is not harmless


def unpack(data: bytes) -> Members:
    file = io.BytesIO(data)
    return {name: data[at : at + size] for name, (at, size) in verifier.read_members(file).items()}


def pack(members: Members) -> bytes:
    parts = []
    for name, data in members.items():
        parts += [verifier.tar_header(name, len(data)), data, bytes(-len(data) % verifier.BLOCK)]
    return b"".join([*parts, bytes(2 * verifier.BLOCK)])


def check(members: Members, key: str) -> list[verifier.Problem]:
    return verifier.verify(io.BytesIO(pack(members)), key).problems


def fit_manifest(members: Members) -> None:
    """What somebody without the key can do: list the files as they are now."""
    manifest = json.loads(members[verifier.MANIFEST])
    names = [name for name in members if name not in (verifier.MANIFEST, verifier.NOTE)]
    manifest["files"] = {name: sha256(members[name]).hexdigest() for name in names}
    members[verifier.MANIFEST] = json.dumps(manifest).encode()


def sign_manifest(members: Members, signer: Signer) -> None:
    fit_manifest(members)
    digest = sha256(members[verifier.MANIFEST]).hexdigest()
    members[verifier.NOTE] = signer.sign(f"{verifier.FORMAT}\n{signer.key.name}\n{digest}\n")


# ── pages of records, taken apart ────────────────────────────────────────────────────────────────────


def read_page(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at + 1 : at + 3])
        found.append((data[at], data[at + 3 : at + 3 + length]))
        at += 3 + length
    return found


def write_page(records: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes([slot]) + len(data).to_bytes(2) + data for slot, data in records)


def change_page(change: Callable[[list[tuple[int, bytes]], random.Random], None]) -> Mutation:
    def mutate(members: Members, rng: random.Random) -> None:
        name = rng.choice([name for name in members if name.startswith("records/")])
        records = read_page(members[name])
        change(records, rng)
        members[name] = write_page(records)

    return mutate


def flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_record(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    at = rng.randrange(len(records))
    records[at] = (records[at][0], flip(records[at][1], rng))


def drop_record(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    del records[rng.randrange(len(records))]


def swap_records(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    a, b = rng.sample(range(len(records)), 2)
    (slot_a, data_a), (slot_b, data_b) = records[a], records[b]
    records[a], records[b] = (slot_a, data_b), (slot_b, data_a)


def reorder_records(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    a, b = rng.sample(range(len(records)), 2)
    records[a], records[b] = records[b], records[a]


def double_record(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    at = rng.randrange(len(records))
    records.insert(at, records[at])


def copy_over(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    a, b = rng.sample(range(len(records)), 2)
    records[a] = (records[a][0], records[b][1])


def cut_record(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    at = rng.randrange(len(records))
    slot, data = records[at]
    records[at] = (slot, data[: rng.randrange(len(data))])


def edit_words(records: list[tuple[int, bytes]], rng: random.Random) -> None:
    """A well-formed lie: the gate's permit becomes a denial, a result another result."""
    at = rng.randrange(len(records))
    slot, data = records[at]
    lie = (
        data.replace(b'"tool":"t"', b'"tool":"x"')
        .replace(b"result", b"Result")
        .replace(b"sha256:", b"sha256:0")
    )
    records[at] = (slot, lie if lie != data else data.replace(b'"actor":"engine"', b'"actor":"person"'))


def on(prefix: str, change: Callable[[bytes, random.Random], bytes]) -> Mutation:
    def mutate(members: Members, rng: random.Random) -> None:
        name = rng.choice([name for name in members if name.startswith(prefix)])
        members[name] = change(members[name], rng)

    return mutate


def drop(prefix: str) -> Mutation:
    def mutate(members: Members, rng: random.Random) -> None:
        del members[rng.choice([name for name in members if name.startswith(prefix)])]

    return mutate


def swap_files(prefix: str) -> Mutation:
    def mutate(members: Members, rng: random.Random) -> None:
        names = [name for name in members if name.startswith(prefix)]
        a, b = rng.sample(names, 2)
        members[a], members[b] = members[b], members[a]

    return mutate


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


CONTENT: dict[str, Mutation] = {
    "flip a record": change_page(flip_record),
    "drop a record": change_page(drop_record),
    "swap two records": change_page(swap_records),
    "reorder two records": change_page(reorder_records),
    "double a record": change_page(double_record),
    "write one record over another": change_page(copy_over),
    "cut a record": change_page(cut_record),
    "change a record's words": change_page(edit_words),
    "cut a page of records": on("records/", cut),
    "flip a byte of a page": on("records/", flip),
    "flip a tile": on("tile/", flip),
    "cut a tile": on("tile/", cut),
    "drop a tile": drop("tile/"),
    "flip a blob": on("blobs/", flip),
    "drop a blob": drop("blobs/"),
    "swap two blobs": swap_files("blobs/"),
    "flip the checkpoint": on("checkpoint", flip),
    "flip the key": on("log.pub", flip),
}

MAKERS = ("bytes", "fitted", "signed")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("tampering"))


def test_however_few_tiles_are_remembered_the_bundles_are_good(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a bundle of millions of records goes through: no tile is remembered for long."""
    monkeypatch.setattr(verifier, "TILES_KEPT", 1)
    for members in (case.all, case.run, case.older):
        assert check(members, case.key) == []
    test_changed_content_is_found(case, "flip a tile", "signed", "all")


def test_the_bundles_are_good(case: Case) -> None:
    for members in (case.all, case.run, case.older):
        assert check(members, case.key) == []
        assert unpack(pack(members)) == members


@pytest.mark.parametrize("which", ["all", "run"])
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("name", CONTENT)
def test_changed_content_is_found(case: Case, name: str, maker: str, which: str) -> None:
    for seed in range(3):
        members = dict(getattr(case, which))
        CONTENT[name](members, random.Random(f"{name}{seed}"))
        assert members != getattr(case, which)
        if maker == "fitted":
            fit_manifest(members)
        elif maker == "signed":
            sign_manifest(members, case.signer)
        problems = check(members, case.key)
        assert problems, f"missed: {name}, {maker}, {which}, {seed}"
        assert all(problem.record and problem.message for problem in problems)


@pytest.mark.parametrize("which", ["all", "run"])
def test_every_flipped_byte_of_the_file_is_found(case: Case, which: str) -> None:
    """One bit in each of 400 places, spread over the whole file."""
    whole = bytearray(pack(getattr(case, which)))
    rng = random.Random(which)
    for at in sorted(rng.sample(range(len(whole)), 400)):
        bit = 1 << rng.randrange(8)
        whole[at] ^= bit
        assert verifier.verify(io.BytesIO(whole), case.key).problems, f"missed byte {at}"
        whole[at] ^= bit


def test_a_cut_or_lengthened_file_is_found(case: Case) -> None:
    whole = pack(case.run)
    for length in [0, 1, 511, 512, 513, 1024, len(whole) // 2, len(whole) - 512, len(whole) - 1]:
        assert verifier.verify(io.BytesIO(whole[:length]), case.key).problems
    for more in (b"\0", bytes(512), bytes(1024), b"x" * 1024, whole):
        assert verifier.verify(io.BytesIO(whole + more), case.key).problems


def flipped_records(case: Case) -> Iterator[tuple[Members, int, str]]:
    rng = random.Random(3)
    for name in [name for name in case.all if name.startswith("records/")]:
        for _ in range(10):
            members = dict(case.all)
            records = read_page(members[name])
            at = rng.randrange(len(records))
            slot, data = records[at]
            head = json.loads(data)
            place = 70 + rng.randrange(len(data) - 70)  # past the run and the sequence
            changed = bytearray(data)
            changed[place] ^= 1
            records[at] = (slot, bytes(changed))
            members[name] = write_page(records)
            index = int(name[8:]) * 256 + slot
            yield members, index, f"record {index} (run {head['run']}, sequence {head['seq']})"


def test_a_flipped_record_is_named_with_its_run_and_sequence(case: Case) -> None:
    for members, _, place in flipped_records(case):
        assert place in [problem.record for problem in check(members, case.key)]


# ── whole bundles exchanged ──────────────────────────────────────────────────────────────────────────


def test_pages_spliced_from_another_log_are_found(case: Case) -> None:
    """The stranger's home went through the same events: its records are well formed and in sequence."""
    for prefix in ("records/000", "records/001", "tile/0/000", "tile/1/", "checkpoint", "log.pub"):
        for maker in MAKERS:
            members = dict(case.all)
            for name in [name for name in members if name.startswith(prefix)]:
                members[name] = case.other[name]
            if maker == "fitted":
                fit_manifest(members)
            elif maker == "signed":
                sign_manifest(members, case.signer)
            assert check(members, case.key), prefix


def test_another_log_in_this_ones_place_is_found(case: Case) -> None:
    assert check(case.other, case.key)
    assert check(case.other, str(case.stranger.key)) == []


def test_a_bundle_signed_anew_with_another_key_is_found(case: Case) -> None:
    """The key downgrade: same name, another key, everything made consistent. Only the pinned key tells."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    forger = Signer(case.signer.key.name, Ed25519PrivateKey.generate())
    members = dict(case.all)
    report = verifier.verify(io.BytesIO(pack(case.all)), case.key)
    members["log.pub"] = f"{forger.key}\n".encode()
    members["checkpoint"] = sign_head(forger, report.size, report.root)
    sign_manifest(members, forger)
    assert check(members, str(forger.key)) == []
    assert check(members, case.key)


def test_an_older_head_under_newer_records_is_found(case: Case) -> None:
    for maker in MAKERS:
        members = dict(case.all)
        members["checkpoint"] = case.older["checkpoint"]
        if maker == "fitted":
            fit_manifest(members)
        elif maker == "signed":
            sign_manifest(members, case.signer)
        assert check(members, case.key)


def verify_with(members: Members, key: str, **more: Any) -> list[str]:
    return [problem.message for problem in verifier.verify(io.BytesIO(pack(members)), key, **more).problems]


def test_a_log_that_was_rolled_back_is_found_by_whoever_saw_a_newer_head(case: Case) -> None:
    newer, older = case.all["checkpoint"], case.older["checkpoint"]
    assert verify_with(case.all, case.key, head=older) == []
    assert verify_with(case.all, case.key, head=newer) == []
    assert any("rolled back" in message for message in verify_with(case.older, case.key, head=newer))


def test_a_fork_with_the_real_key_is_found_by_whoever_saw_the_other_branch(case: Case) -> None:
    """The key signs two trees of one size, and a larger tree that continues neither."""
    report = verifier.verify(io.BytesIO(pack(case.all)), case.key)
    for size in (1, 255, 256, 300, report.size - 1, report.size):
        other = sign_head(case.signer, size, sha256(b"another tree").digest())
        assert any("forked" in message for message in verify_with(case.all, case.key, head=other)), size
    stranger = case.other["checkpoint"]
    assert any("not signed" in message for message in verify_with(case.all, case.key, head=stranger))


def test_a_head_that_the_asked_for_witness_did_not_cosign_is_found(case: Case) -> None:
    """The policy downgrade: the auditor insists on witnesses, the bundle comes without, or with another's."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from forgewright.journal.log.checkpoint import parse_head
    from forgewright.journal.log.notes import COSIGNATURE, VerifierKey
    from forgewright.journal.log.witness import cosign

    private, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    witness = VerifierKey("w.example", COSIGNATURE, private.public_key().public_bytes_raw())
    assert verify_with(case.all, case.key, witnesses=[str(witness)])
    head = parse_head(case.all["checkpoint"])
    for line, good in (
        (cosign(witness, private, head, 1_700_000_000), True),
        (cosign(witness, other, head, 1_700_000_000), False),
        (b"", False),
    ):
        members = {"witnessed": head.data + line, **case.all}
        sign_manifest(members, case.signer)
        assert (verify_with(members, case.key, witnesses=[str(witness)]) == []) is good
    members = {"witnessed": case.other["checkpoint"], **case.all}
    sign_manifest(members, case.signer)
    assert verify_with(members, case.key)
