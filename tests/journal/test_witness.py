"""Witnesses, with a real one on a real port."""

from __future__ import annotations

import http.client
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.journal.homes import RUNS, fill

from forgewright.core.errors import IntegrityError, NotFound, Refused, Unavailable, UsageError
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.bundle.verification import verify
from forgewright.journal.events import HeadWitnessed
from forgewright.journal.journal import open_journal
from forgewright.journal.log.checkpoint import parse_head, sign_head
from forgewright.journal.log.keys import PUBLIC, open_keys
from forgewright.journal.log.notes import parse_verifier_key
from forgewright.journal.log.proofs import prove_consistency
from forgewright.journal.log.witness import (
    Request,
    StaleSize,
    Witness,
    cosign,
    open_witness,
    parse_request,
    verify_cosignature,
    with_cosignatures,
)
from forgewright.journal.log.witnessing import WitnessPlace, ask_witnesses, serve, witnessed_head


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    journal = await open_journal(tmp_path / "home")
    await fill(journal, 4)
    await journal.close()
    return tmp_path / "home"


@pytest.fixture
def witness(home: Path, tmp_path: Path) -> Witness:
    (tmp_path / "witness").mkdir()
    logs = [parse_verifier_key((home / PUBLIC).read_text())]
    return Witness(tmp_path / "witness", "witness.example/w1", Ed25519PrivateKey.generate(), logs)


@pytest.fixture
def place(witness: Witness) -> Iterator[WitnessPlace]:
    server = serve(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield WitnessPlace(f"http://127.0.0.1:{server.server_port}", str(witness.key))
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_growing_log_is_cosigned_again_and_again(
    home: Path, witness: Witness, place: WitnessPlace
) -> None:
    journal = await open_journal(home)
    for _ in range(3):
        head = await ask_witnesses(journal, [place])
        assert verify_cosignature(head.note, witness.key) > 1_700_000_000
        kept = witnessed_head(home)
        assert kept == head
        await fill(journal, 2)
    events = [record.event for record in await journal.read("@keys")]  # type: ignore[arg-type]
    assert [event.size for event in events if isinstance(event, HeadWitnessed)] == [12, 19, 26]
    await fill(journal, 200)
    for runs in (None, [RUNS[0]]):
        await export(journal, home / "bundle.tar", runs=runs)
        found = verify(home / "bundle.tar", (home / PUBLIC).read_text(), witnesses=[place.key])
        assert found.findings == ()
        with_head = verify(home / "bundle.tar", head=kept.data)
        assert with_head.findings == ()
    await journal.close()
    assert verify_home(home).ok


async def test_a_rolled_back_home_is_refused(home: Path, place: WitnessPlace, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "old")
    journal = await open_journal(home)
    await fill(journal, 10)
    await ask_witnesses(journal, [place])
    await journal.close()
    journal = await open_journal(tmp_path / "old")
    assert verify_home(tmp_path / "old").ok  # it is consistent in itself: only a witness can tell
    with pytest.raises(IntegrityError, match="of this log, which has"):
        await ask_witnesses(journal, [place])
    await journal.close()


async def test_a_fork_with_the_real_key_is_refused(home: Path, place: WitnessPlace, tmp_path: Path) -> None:
    """Two homes with one key and one past go apart: the witness has cosigned one, and refuses the other."""
    shutil.copytree(home, tmp_path / "fork")
    journal = await open_journal(home)
    await fill(journal, 10)
    await ask_witnesses(journal, [place])
    await journal.close()
    for records in (10, 12, 30):  # at, above and far above the size that was cosigned
        fork = await open_journal(tmp_path / "fork")
        await fill(fork, records)
        with pytest.raises(IntegrityError):
            await ask_witnesses(fork, [place])
        await fork.close()
        assert verify_home(tmp_path / "fork").ok


async def test_the_checks_of_the_specification(home: Path, witness: Witness, tmp_path: Path) -> None:
    journal = await open_journal(home)
    first = await journal.head()
    line = witness.add_checkpoint(Request(0, (), first))
    verify_cosignature(with_cosignatures(first, line, [witness.key]).note, witness.key)
    assert witness.add_checkpoint(Request(first.size, (), first))  # the same head again
    await fill(journal, 20)
    second = await journal.head()
    proof = tuple(await prove_consistency(journal.store.journal, first.size, second.size))
    with pytest.raises(StaleSize) as stale:
        witness.add_checkpoint(Request(0, (), second))
    assert stale.value.size == first.size
    with pytest.raises(UsageError):
        witness.add_checkpoint(Request(second.size + 1, proof, second))
    with pytest.raises(IntegrityError):
        witness.add_checkpoint(Request(first.size, proof[:-1], second))
    with pytest.raises(IntegrityError):
        witness.add_checkpoint(Request(first.size, (), second))
    signer = open_keys(home)
    other_root = parse_head(sign_head(signer, first.size, bytes(32)))
    with pytest.raises(StaleSize):
        witness.add_checkpoint(Request(first.size, (), other_root))
    stranger = open_keys(tmp_path / "stranger")
    with pytest.raises(NotFound):
        witness.add_checkpoint(Request(0, (), parse_head(sign_head(stranger, 1, bytes(32)))))
    unsigned = parse_head(second.data.replace(second.data[-20:-10], b"AAAAAAAAAA"))
    with pytest.raises(Refused):
        witness.add_checkpoint(Request(first.size, proof, unsigned))
    assert witness.add_checkpoint(Request(first.size, proof, second))
    with pytest.raises(StaleSize):  # and never back
        witness.add_checkpoint(Request(0, (), first))
    await journal.close()


def test_requests_are_read_as_specified(home: Path) -> None:
    database = sqlite3.connect(home / "journal.db")
    (note,) = database.execute("SELECT data FROM pages WHERE name='checkpoint'").fetchone()
    database.close()
    request = Request(3, (bytes(32), bytes(range(32))), parse_head(note))
    assert parse_request(request.encode()) == request
    for bad in (
        b"",
        b"old 03\n\n" + note,
        b"old -1\n\n" + note,
        b"old 1\nAAAA\n\n" + note,
        b"new 1\n\n" + note,
    ):
        with pytest.raises(IntegrityError):
            parse_request(bad)
    with pytest.raises(IntegrityError):
        parse_request(b"old 0\n" + b"A" * 43 * 70 + b"\n\n" + note)


async def test_cosignatures_of_strangers_and_changed_ones_do_not_count(home: Path, witness: Witness) -> None:
    journal = await open_journal(home)
    head = await journal.head()
    await journal.close()
    private = Ed25519PrivateKey.generate()
    line = witness.add_checkpoint(Request(0, (), head))
    with pytest.raises(IntegrityError):
        with_cosignatures(head, cosign(witness.key, private, head, 1), [witness.key])
    with pytest.raises(IntegrityError):
        with_cosignatures(head, line, [])
    with pytest.raises(IntegrityError):
        verify_cosignature(head.note, witness.key)
    cosigned = with_cosignatures(head, line, [witness.key])
    later = parse_head(cosigned.data.replace(f"\n{head.size}\n".encode(), f"\n{head.size + 1}\n".encode()))
    with pytest.raises(IntegrityError):
        verify_cosignature(later.note, witness.key)


async def test_the_witness_answers_only_what_it_knows(home: Path, place: WitnessPlace) -> None:
    port = int(place.url.rpartition(":")[2])
    for path, body, status in (
        ("/x", b"", 404),
        ("/add-checkpoint", b"", 422),
        ("/add-checkpoint", b"x" * 200_000, 413),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", path, body)
        assert connection.getresponse().status == status
        connection.close()


async def test_a_witness_that_does_not_answer_is_said(home: Path, place: WitnessPlace) -> None:
    journal = await open_journal(home)
    with pytest.raises(Unavailable):
        await ask_witnesses(journal, [WitnessPlace("http://127.0.0.1:9", place.key)])
    with pytest.raises(UsageError):
        await ask_witnesses(journal, [WitnessPlace(place.url, (home / PUBLIC).read_text())])
    with pytest.raises(UsageError):
        await ask_witnesses(journal, [WitnessPlace("ftp://x", place.key)])
    await journal.close()


def test_a_witness_keeps_its_key_and_what_it_cosigned(home: Path, tmp_path: Path) -> None:
    log = parse_verifier_key((home / PUBLIC).read_text())
    first = open_witness(tmp_path / "w", "w.example", [log])
    head = parse_head(sign_head(open_keys(home), 3, bytes(range(32))))
    first.add_checkpoint(Request(0, (), head))
    again = open_witness(tmp_path / "w", "w.example", [log])
    assert again.key == first.key
    assert (tmp_path / "w/witness.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StaleSize):
        again.add_checkpoint(Request(0, (), head))
    (tmp_path / "w/witness.key").write_bytes(b"short")
    with pytest.raises(IntegrityError):
        open_witness(tmp_path / "w", "w.example", [log])


async def test_the_command_asks_a_witness(
    home: Path, place: WitnessPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse
    import asyncio

    from forgewright.cli import audit

    parser = argparse.ArgumentParser()
    audit.register(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["audit", "witness", place.url, "--key", place.key])
    args.home, args.json = home, False
    assert await asyncio.to_thread(audit.run, args) == 0
    out = capsys.readouterr().out
    assert verify_cosignature(parse_head(out.encode()).note, parse_verifier_key(place.key))
