"""What is personal in events is declared, sealed on its way into the journal, and read back by whoever holds the vault."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

from forgewright.core.errors import NotFound, StoreError, UsageError
from forgewright.core.ids import EffectId, RunId
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.journal.privacy import ledger
from forgewright.journal.privacy.personal import CONTENT, IDENTITY
from forgewright.journal.privacy.privacy import open_privacy
from forgewright.journal.privacy.vault import Vault

RUN = RunId("run")
PLAIN = {
    "run.started": {"graph", "budget", "version", "subject"},
    "run.resumed": {"worker", "budget"},
    "run.parked": {"reason"},
    "run.failed": {"error"},
    "node.entered": {"node"},
    "node.left": {"to"},
    "node.failed": {"error"},
    "model.asked": {"model"},
    "tool.asked": {"tool", "recovery", "call"},
    "exec.asked": {"tier", "driver", "image", "image_digest", "recovery", "purpose"},
    "git.asked": {"operation"},
    "question.asked": {"to", "choices"},
    "agent.asked": {"agent", "limits"},
    "agent.answered": {"status"},
    "connection.opened": {"host", "reason"},
    "connection.closed": {"host", "reason"},
    "custom.asked": {"what", "recovery"},
    "effect.failed": {"error"},
    "value.read": {"what"},
    "artifact.made": {"name", "media"},
    "note.written": {"topic"},
    "attestation.made": {"predicate"},
}
"""Fields that say what kind of thing happened, and not what was said: names that programs and configurations give."""


@pytest.fixture(autouse=True)
def erasures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.ENVIRONMENT, str(tmp_path / "erasures"))


@pytest.mark.parametrize(
    "tag", sorted(tag for tag, cls in ev.event_types().items() if cls.__module__ == ev.__name__)
)
def test_every_field_is_declared_personal_or_known_not_to_be(tag: str) -> None:
    cls = ev.event_types()[tag]
    hints = get_type_hints(cls)
    texts = {
        field.name
        for field in msgspec.structs.fields(cls)
        if field.name != "effect" and ("str" in repr(hints[field.name]) or hints[field.name] is msgspec.Raw)
    }
    ids = ("Digest", "EffectId", "RunId")
    texts -= {name for name in texts if any(kind in str(cls.__annotations__.get(name, "")) for kind in ids)}
    declared = {*CONTENT.get(cls, ()), *filter(None, [IDENTITY.get(cls)])}
    assert declared <= set(cls.__struct_fields__)
    assert texts - declared == PLAIN.get(tag, set()), f"{tag}: declare new fields in privacy/personal.py"


def sample(cls: type[ev.Event]) -> ev.Event:
    """One with the canary in every field that is personal."""
    from tests.journal.golden.make import sample as made

    found: ev.Event = made(cls, "name")
    texts: dict[str, Any] = {}
    for name in filter(None, (*CONTENT.get(cls, ()), IDENTITY.get(cls))):
        value = getattr(found, name)
        if isinstance(value, msgspec.Raw):
            texts[name] = msgspec.Raw(b'{"deep":["canary-41c2"]}')
        else:
            texts[name] = ("canary-41c2", "two") if isinstance(value, tuple) else "canary-41c2"
    return msgspec.structs.replace(found, **texts)


async def test_each_event_comes_back_as_it_was_and_its_bytes_hold_nothing(tmp_path: Path) -> None:
    events = [sample(cls) for cls in CONTENT if cls is not ev.RunStarted]
    journal = await open_journal(tmp_path / "home")
    alice = await (await journal.privacy()).subject("alice")
    first = ev.RunStarted(
        "g", "canary-41c2", msgspec.Raw(b'"canary-41c2"'), subject=alice, salt="canary-41c2"
    )
    written = await journal.append(RUN, [first, *events], expected=0)
    assert [record.event for record in written] == [first, *events]
    assert not any(b"canary-41c2" in record.data for record in written)
    await journal.close()
    journal = await open_journal(tmp_path / "home")
    read = await journal.read(RUN)
    assert [(r.event, r.data, r.actor) for r in read] == [(r.event, r.data, r.actor) for r in written]
    assert [r.event for r in await journal.scan()] == [first, *events]
    async for record in journal.follow(RUN):
        assert record.event == first
        break

    privacy = await open_privacy(journal)
    await privacy.erase("alice", reason="asked")
    await privacy.close()
    for before, after in zip(read, await journal.read(RUN), strict=True):
        assert after.data == before.data
        shown = msgspec.json.encode(after.event)
        if type(after.event) not in IDENTITY:  # whoever answered is another person
            assert b"canary-41c2" not in shown
        assert alice.encode() in shown
    with pytest.raises(StoreError, match="erased"):
        await journal.append(RUN, [ev.RunParked("x", "more of it")], expected=len(read))
    await journal.close()


async def test_who_acts_is_read_by_name_until_erased(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path / "home")
    answer = ev.QuestionAnswered(EffectId("1"), msgspec.Raw(b'"yes"'), "ada@example.com")
    await journal.append(RUN, [answer], expected=0, person="ada@example.com")
    await journal.append(RUN, [ev.RunParked("stopped")], expected=1, person="owner")
    records = await journal.read(RUN)
    assert [r.actor for r in records] == ["ada@example.com", "owner"]
    assert records[0].event == answer
    assert b"ada@" not in records[0].data
    assert b'"answer":"yes"' in records[0].data  # of a run for nobody in particular
    privacy = await journal.privacy()
    pseudonym = await privacy.find("ada@example.com")
    await privacy.erase("ada@example.com", reason="asked")
    erased = (await journal.read(RUN))[0]
    assert erased.actor == f"[erased: {pseudonym}]"
    assert isinstance(erased.event, ev.QuestionAnswered)
    assert erased.event.by == f"[erased: {pseudonym}]"
    await journal.close()


async def test_bytes_are_kept_in_the_vault_and_go_with_the_person(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path / "home")
    privacy = await journal.privacy()
    alice = await privacy.subject("alice")
    plain = await journal.keep_bytes(b"\x00 plain")
    kept = await journal.keep_bytes(b"\x00 canary-41c2" * 3_000, subject=alice)
    assert await journal.load_bytes(plain) == b"\x00 plain"
    assert await journal.load_bytes(kept) == b"\x00 canary-41c2" * 3_000
    assert len(await journal.store.blobs.digests()) == 1
    assert b"base64" in await privacy.export("alice") or b"canary-41c2" in await privacy.export("alice")
    await privacy.erase("alice", reason="asked")
    with pytest.raises(NotFound, match="erased"):
        await journal.load_bytes(kept)
    await journal.close()


async def test_many_at_once_share_one_vault(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path / "home")

    async def one(number: int) -> None:
        run = RunId(f"run{number}")
        alice = await (await journal.privacy()).subject(f"person{number % 3}")
        for at in range(5):
            await journal.append(
                run,
                [ev.RunStarted("g", f"goal {number}", msgspec.Raw(b"1"), subject=alice)] if not at
                else [ev.RunParked("x", f"detail {number} {at}")],
                expected=at,
            )  # fmt: skip
        records = await journal.read(run)
        assert [getattr(r.event, "detail", "") for r in records[1:]] == [
            f"detail {number} {i}" for i in range(1, 5)
        ]

    await asyncio.gather(*map(one, range(12)))
    await journal.close()


async def test_a_journal_that_is_not_kept_has_no_persons() -> None:
    journal = await open_journal(None)
    (record,) = await journal.append(RUN, [ev.RunParked("stopped")], expected=0, person="ada")
    assert record.actor == "ada"
    with pytest.raises(UsageError):
        await journal.privacy()


def test_closing_while_other_threads_ask_breaks_nothing(tmp_path: Path) -> None:
    """SQLite's memory is not to be touched by one thread while another closes it."""
    from concurrent.futures import ThreadPoolExecutor

    for _ in range(30):
        vault = Vault(tmp_path)
        alice = vault.subject("alice")

        def ask(vault: Vault = vault, alice: str = alice) -> int:
            done = 0
            try:
                while True:
                    vault.seal(alice, "p", b"1")
                    done += len(vault.commitments(alice))
            except StoreError:
                return done

        with ThreadPoolExecutor(3) as pool:
            asking = [pool.submit(ask) for _ in range(3)]
            while vault.name(alice) is None:
                pass
            vault.close()
            assert [future.result() >= 0 for future in asking] == [True] * 3
