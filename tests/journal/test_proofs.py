"""Proofs from a real home, as the log grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.journal.homes import fill

from forgewright.core.errors import ForgewrightError, IntegrityError, NotFound
from forgewright.journal.journal import Journal, open_journal
from forgewright.journal.log.keys import PUBLIC
from forgewright.journal.log.notes import parse_verifier_key
from forgewright.journal.log.proofs import (
    Prover,
    check_consistency,
    parse_proof,
    prove_consistency,
    prove_inclusion,
)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await open_journal(tmp_path)
    yield opened
    await opened.close()


async def test_every_record_is_proved_in_every_head_it_is_in(journal: Journal, tmp_path: Path) -> None:
    key = parse_verifier_key((tmp_path / PUBLIC).read_text())
    heads = []
    for records in (2, 84, 84, 90):
        await fill(journal, records)
        heads.append(await journal.head())
    assert [head.size for head in heads] == [6, 258, 510, 780]
    data = [placed.data for placed in await journal.store.journal.scan(limit=2000)]
    for head in heads:
        for index in {0, 1, 5, 100, 255, 256, 257, 300, 509, 511, 512, 779}:
            if index < head.size:
                proof = await prove_inclusion(journal.store.journal, index, head)
                again = parse_proof(str(proof))
                assert again == proof
                again.verify(data[index], key)
                with pytest.raises(IntegrityError):
                    again.verify(data[index - 1], key)
            else:
                with pytest.raises(NotFound):
                    await prove_inclusion(journal.store.journal, index, head)
    for old in heads:
        for new in heads:
            if old.size <= new.size:
                proof_ = await prove_consistency(journal.store.journal, old.size, new.size)
                check_consistency(old, new, proof_)
                if 0 < old.size < new.size:
                    with pytest.raises(IntegrityError):
                        check_consistency(new, old, proof_)
            else:
                with pytest.raises(NotFound):
                    await prove_consistency(journal.store.journal, old.size, new.size)


async def test_one_prover_proves_all_records_and_keeps_few_tiles(journal: Journal, tmp_path: Path) -> None:
    key = parse_verifier_key((tmp_path / PUBLIC).read_text())
    await fill(journal, 400)
    head = await journal.head()
    data = [placed.data for placed in await journal.store.journal.scan(limit=2000)]
    prover = Prover(journal.store.journal, head, kept=3)
    for index in [*range(0, head.size, 7), *range(head.size - 1, 0, -11)]:
        proof = await prover.inclusion(index)
        proof.verify(data[index], key)
        assert len(prover.tiles) <= 3
    indices = range(0, head.size, 13)
    for index, proof in zip(indices, await asyncio.gather(*map(prover.inclusion, indices)), strict=True):
        proof.verify(data[index], key)
    with pytest.raises(NotFound):
        await prover.inclusion(head.size)


async def test_a_changed_proof_does_not_verify(journal: Journal, tmp_path: Path) -> None:
    await fill(journal, 4)
    key = parse_verifier_key((tmp_path / PUBLIC).read_text())
    data = (await journal.store.journal.scan())[3].data
    text = str(await prove_inclusion(journal.store.journal, 3, await journal.head()))
    parse_proof(text).verify(data, key)
    for at in range(len(text)):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        with pytest.raises(ForgewrightError):
            parse_proof(changed).verify(data, key)


def test_what_is_no_proof_is_refused() -> None:
    for text in ("", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\nindex 01\n\n", "x" * (1 << 18)):
        with pytest.raises(IntegrityError):
            parse_proof(text)
