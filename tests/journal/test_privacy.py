"""Sealing, erasing, holding, consenting: and that nothing of an erased person is left in any file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from forgewright.core.errors import IntegrityError, NotFound, Refused, StoreError, UsageError
from forgewright.core.ids import RunId
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.bundle.verification import verify
from forgewright.journal.events import CustomAnswered, SubjectErased
from forgewright.journal.journal import Journal, open_journal
from forgewright.journal.log.keys import PUBLIC
from forgewright.journal.log.notes import parse_verifier_key
from forgewright.journal.log.proofs import check_consistency, prove_consistency, prove_inclusion
from forgewright.journal.privacy import ledger
from forgewright.journal.privacy.privacy import RUN as PRIVACY
from forgewright.journal.privacy.privacy import Privacy, open_privacy
from forgewright.journal.privacy.vault import Vault

CANARY = "canary-7f3a9c51-alice@example.com"
RUN = RunId("run")


@pytest.fixture(autouse=True)
def erasures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))
    return tmp_path / "erasures"


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await open_journal(tmp_path / "home")
    yield opened
    await opened.close()


@pytest.fixture
async def privacy(journal: Journal) -> AsyncIterator[Privacy]:
    opened = await open_privacy(journal)
    yield opened
    await opened.close()


async def record(journal: Journal, value: bytes) -> None:
    await journal.note(RUN, [CustomAnswered(effect="1", result=await journal.keep(value))])


async def values(journal: Journal, privacy: Privacy) -> list[object]:
    found = []
    for item in await journal.read(RUN):
        assert isinstance(item.event, CustomAnswered)
        found.append(msgspec.json.decode(await privacy.reveal(await journal.load(item.event.result))))
    return found


def everything(home: Path) -> bytes:
    """Every file of the home, and every record unpacked: packed rows would hide a string from a search."""
    parts = [path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()]
    from forgewright.store.drivers.sqlite.packing import unpack

    connection = sqlite3.connect(home / "journal.db")
    parts += [unpack(data, 0) for (data,) in connection.execute("SELECT data FROM records")]
    parts += [repr(row).encode() for row in connection.execute("SELECT * FROM memory")]
    connection.close()
    return b"\n".join(parts)


async def test_what_is_sealed_is_revealed_and_only_the_commitment_is_recorded(
    journal: Journal, privacy: Privacy
) -> None:
    alice = await privacy.subject(CANARY)
    assert await privacy.subject(CANARY.upper()) == alice
    original = {"user": {"email": CANARY, "age": 7}, "items": [{"name": "Alice"}, 2]}
    sealed = await privacy.protect(msgspec.json.encode(original), alice, ["user.email", "items.0.name"])
    await record(journal, sealed)
    assert await values(journal, privacy) == [original]
    stored = (await journal.read(RUN))[0].data
    assert CANARY.encode() not in stored
    assert b"Alice" not in stored
    assert stored.count(alice.encode()) == 2
    with pytest.raises(UsageError):
        await privacy.protect(b'{"a":1}', alice, ["b"])


async def test_the_same_value_gives_another_commitment_each_time(privacy: Privacy) -> None:
    alice = await privacy.subject("alice")
    assert await privacy.protect(b'"x"', alice, [""]) != await privacy.protect(b'"x"', alice, [""])


async def test_after_an_erasure_nothing_is_left_and_every_proof_holds(
    journal: Journal, privacy: Privacy, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    key = parse_verifier_key((home / PUBLIC).read_text())
    alice, bob = await privacy.subject(CANARY), await privacy.subject("bob@example.com")
    large = msgspec.json.encode(CANARY * 2_000)
    for subject, value in ((alice, msgspec.json.encode(CANARY)), (bob, b'"bob"'), (alice, large)):
        await record(journal, await privacy.protect(value, subject, [""]))
    await journal.memory.put(f"subject/{alice}", "likes", CANARY.encode())
    await journal.memory.put(f"subject/{bob}", "likes", b"tea")
    assert await values(journal, privacy) == [CANARY, "bob", CANARY * 2_000]
    before = await journal.head()
    stored = [item.data for item in await journal.read(RUN)]
    old_proofs = [await prove_inclusion(journal.store.journal, i, before) for i in range(before.size)]
    secrets = sqlite3.connect(home / "vault.db")
    rows = secrets.execute("SELECT key, name FROM subjects WHERE subject=?", (alice,)).fetchall()
    kept = secrets.execute("SELECT data, commitment FROM vault_values WHERE subject=?", (alice,)).fetchall()
    secrets.close()
    assert CANARY.encode() in everything(home)  # in the memory, until it is erased

    certificate = await privacy.erase(CANARY, reason="Art. 17 request")

    assert await values(journal, privacy) == [{"erased": alice}, "bob", {"erased": alice}]
    assert await journal.memory.get(f"subject/{bob}", "likes") == b"tea"
    await export(journal, tmp_path / "all.tar")
    left = everything(home) + (tmp_path / "all.tar").read_bytes()
    for secret, name in rows:
        assert secret not in left
        assert name not in left
    for data, _ in kept:
        assert data not in left
        assert data[12:60] not in left
    assert CANARY.encode() not in left
    assert CANARY.encode()[:20] not in left

    for proof, data in zip(old_proofs, stored, strict=True):
        proof.verify(data, key)
    after = await journal.head()
    check_consistency(before, after, await prove_consistency(journal.store.journal, before.size, after.size))
    assert isinstance(certificate.event, SubjectErased)
    assert (certificate.event.subject, certificate.event.values) == (alice, 2)
    (await prove_inclusion(journal.store.journal, certificate.index, after)).verify(certificate.data, key)
    assert verify_home(home).ok
    assert verify(tmp_path / "all.tar", str(key)).ok
    with pytest.raises(NotFound):
        await privacy.erase(CANARY, reason="again")
    assert await privacy.subject(CANARY) != alice


async def test_a_restored_backup_replays_the_erasure_before_it_serves(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = await open_journal(home)
    privacy = await open_privacy(journal)
    alice = await privacy.subject(CANARY)
    await record(journal, await privacy.protect(msgspec.json.encode(CANARY), alice, [""]))
    await journal.memory.put(f"subject/{alice}", "likes", CANARY.encode())
    await privacy.close()
    await journal.close()
    shutil.copytree(home, tmp_path / "backup")

    journal = await open_journal(home)
    privacy = await open_privacy(journal)
    await privacy.erase(CANARY, reason="asked")
    await privacy.close()
    await journal.close()

    shutil.rmtree(home)
    shutil.copytree(tmp_path / "backup", home)
    journal = await open_journal(home)
    privacy = await open_privacy(journal)
    assert await values(journal, privacy) == [{"erased": alice}]
    assert CANARY.encode() not in everything(home)
    events = [item.event for item in await journal.read(PRIVACY)]
    assert [event.replayed for event in events if isinstance(event, SubjectErased)] == [True]
    await privacy.close()
    await journal.close()


async def test_a_forged_line_in_the_list_of_erasures_erases_nobody(
    journal: Journal, privacy: Privacy, erasures: Path, tmp_path: Path
) -> None:
    alice = await privacy.subject("alice")
    other = await open_journal(tmp_path / "other")
    stranger = await open_privacy(other)
    await stranger.subject("alice")
    await stranger.erase("alice", reason="x")
    await stranger.close()
    await other.close()
    (line,) = [path.read_text() for path in erasures.iterdir()]
    name = (await journal.head()).origin if await journal.store.journal.size() else None
    await record(journal, b"1")
    name = (await journal.head()).origin
    forged = msgspec.json.encode({**msgspec.json.decode(line), "subject": alice})
    (erasures / f"{name}.jsonl").write_bytes(forged + b"\n")
    with pytest.raises(IntegrityError, match="not signed"):
        await open_privacy(journal)
    assert await privacy.find("alice") == alice


async def test_a_torn_last_line_of_the_list_is_passed_over(
    journal: Journal, privacy: Privacy, erasures: Path
) -> None:
    await privacy.subject("alice")
    await privacy.erase("alice", reason="x")
    (path,) = erasures.iterdir()
    path.write_bytes(path.read_bytes() + b'{"subject":"sub')
    assert await (await open_privacy(journal)).replay() == 0


async def test_a_hold_stops_erasure_until_it_is_released(journal: Journal, privacy: Privacy) -> None:
    await privacy.subject("alice")
    await privacy.place_hold("alice", "case 4711")
    with pytest.raises(Refused, match="case 4711"):
        await privacy.erase("alice", reason="asked")
    await privacy.release_hold("alice", "closed")
    await privacy.erase("alice", reason="asked")


async def test_consent(privacy: Privacy) -> None:
    alice = await privacy.subject("alice")
    assert await privacy.consented(alice, "training") is None
    await privacy.consent("alice", "training", version="2")
    found = await privacy.consented(alice, "training")
    assert found is not None
    assert (found.basis, found.version) == ("consent", "2")
    assert await privacy.consented(alice, "marketing") is None
    await privacy.withdraw("alice", "training")
    assert await privacy.consented(alice, "training") is None
    await privacy.consent("alice", "training", expires=1)
    assert await privacy.consented(alice, "training") is None
    with pytest.raises(UsageError):
        await privacy.consent("alice", "training", basis="because")


async def test_export_gives_all_that_is_kept_of_a_person(journal: Journal, privacy: Privacy) -> None:
    alice, bob = await privacy.subject("alice"), await privacy.subject("bob")
    await record(journal, await privacy.protect(b'{"a":"one","b":"two"}', alice, ["a"]))
    await record(journal, await privacy.protect(b'"three"', bob, [""]))
    await journal.memory.put(f"subject/{alice}", "likes", b"tea")
    await privacy.consent("alice", "training")
    found = msgspec.json.decode(await privacy.export("alice"))
    assert found["subject"] == alice
    assert [(item["path"], item["value"], item["records"]) for item in found["values"]] == [
        ("a", "one", ["run:1"])
    ]
    assert found["memory"] == {"likes": "tea"}
    assert [event["event"]["kind"] for event in found["events"]] == ["consent.given"]
    assert [subject.name for subject in await privacy.subjects()].count("alice") == 1
    with pytest.raises(NotFound):
        await privacy.export("carol")


async def test_a_changed_value_in_the_vault_is_found(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    alice = vault.subject("alice")
    one, two = vault.seal(alice, "p", b"1"), vault.seal(alice, "p", b"2")
    database = sqlite3.connect(tmp_path / "vault.db")
    data = database.execute("SELECT data FROM vault_values WHERE commitment=?", (one.sealed,)).fetchone()[0]
    database.execute("UPDATE vault_values SET data=? WHERE commitment=?", (data, two.sealed))
    database.commit()
    assert vault.open(one.sealed) == b"1"
    with pytest.raises(IntegrityError):
        vault.open(two.sealed)
    with pytest.raises(StoreError):
        vault.seal("subject-nobody", "p", b"1")
    vault.close()


def test_the_vault_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Vault(tmp_path).close()
    assert (tmp_path / "vault.db").stat().st_mode & 0o777 == 0o600


async def test_a_journal_that_is_not_kept_has_no_vault() -> None:
    with pytest.raises(UsageError):
        await open_privacy(await open_journal(None))


def test_a_vault_closed_while_others_look_things_up_refuses_them_and_crashes_nothing(tmp_path: Path) -> None:
    import threading

    from forgewright.core.errors import StoreError

    for _ in range(30):
        vault = Vault(tmp_path)
        ready = threading.Barrier(3)
        refused: list[StoreError] = []

        def look(
            vault: Vault = vault, ready: threading.Barrier = ready, out: list[StoreError] = refused
        ) -> None:
            ready.wait(10)
            try:
                for number in range(1000):
                    vault.subject(f"person {number % 7}")
            except StoreError as error:
                out.append(error)

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        ready.wait(10)
        vault.close()
        for thread in threads:
            thread.join(20)
        assert len(refused) == 2
