"""Only what nothing refers to is removed, and nothing young."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from forgewright.core.ids import RunId
from forgewright.journal.events import CustomAnswered
from forgewright.journal.garbage import collect, references
from forgewright.journal.journal import open_journal

RUN = RunId("run")


@pytest.mark.parametrize("durable", [True, False])
async def test_garbage(tmp_path: Path, durable: bool) -> None:
    journal = await open_journal(tmp_path if durable else None)
    blobs = journal.store.blobs
    inner = await blobs.put(b'"inner"')
    value = await journal.keep(b'"' + b"x" * 20_000 + inner.encode() + b'"')
    for _ in range(2):
        await journal.note(RUN, [CustomAnswered(effect="1", result=value)])
    remembered = await blobs.put(b"remembered")
    await journal.memory.put("n", "k", msgspec.json.encode({"at": remembered}))
    lost = await blobs.put(b"lost" * 100)
    counts = await references(journal)
    assert sorted(counts.values()) == [1, 1, 2]
    assert lost not in counts
    assert (await collect(journal)).removed == 0  # too young
    done = await collect(journal, older_than_seconds=-1)
    assert (done.removed, done.bytes, done.kept) == (1, 400, 3)
    assert not await blobs.has(lost)
    for name in (inner, remembered):
        assert await blobs.has(name)
    await journal.close()
