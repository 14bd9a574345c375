"""The log beyond 300 leaves, and through whatever order things come: held against RFC 9162's recursion."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.journal import rfc9162 as rfc

from forgewright.core.ids import RunId
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.bundle.verification import verify
from forgewright.journal.events import CustomAnswered
from forgewright.journal.journal import open_journal
from forgewright.journal.log.proofs import check_consistency, prove_consistency, prove_inclusion
from forgewright.journal.log.sealer import Edge
from forgewright.journal.log.tiles import subtree_reader, tile_path
from forgewright.journal.log.tree import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SIZE_MAX = 20_000
DATA = [b"%d" % i for i in range(SIZE_MAX)]
LEAVES = [leaf_hash(data) for data in DATA]


def grown(size: int) -> tuple[Edge, dict[str, bytes]]:
    edge, pages = Edge(), {}
    for leaf in LEAVES[:size]:
        edge.push(leaf, pages)
    return edge, pages


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_large_trees_and_their_proofs(data: st.DataObject) -> None:
    size = data.draw(st.integers(301, SIZE_MAX))
    edge, pages = grown(size)
    root = edge.frontier.root()
    assert root == root_of(LEAVES[:size])
    reader = subtree_reader(lambda level, n: pages.get(tile_path(level, n)) or b"".join(edge.levels[level]))
    for _ in range(5):
        index = data.draw(st.integers(0, size - 1))
        proof = inclusion_proof(index, size, reader)
        assert verify_inclusion(LEAVES[index], index, size, proof, root)
        assert rfc.root_from_inclusion(DATA[index], index, size, proof) == root
        old = data.draw(st.integers(1, size))
        between = consistency_proof(old, size, reader)
        assert verify_consistency(old, size, between, root_of(LEAVES[:old]), root)


@settings(max_examples=5, deadline=None)
@given(st.integers(301, 3_000))
def test_the_root_is_the_rfcs(size: int) -> None:
    assert grown(size)[0].frontier.root() == rfc.MTH(DATA[:size])


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 600), st.data())
def test_a_proof_of_one_leaf_proves_no_other(size: int, data: st.DataObject) -> None:
    edge, pages = grown(size)
    reader = subtree_reader(lambda level, n: pages.get(tile_path(level, n)) or b"".join(edge.levels[level]))
    a, b = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(a, size, reader)
    root = edge.frontier.root()
    assert verify_inclusion(LEAVES[b], b, size, proof, root) is (a == b)
    assert verify_inclusion(LEAVES[b], a, size, proof, root) is (a == b)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]), st.integers(1, 40), st.sampled_from(["", "open", "export"])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_appended_is_read_proved_and_exported(steps: list[tuple[str, int, str]]) -> None:
    """Appends of any size to any run, the home opened anew and exported in between."""

    async def work(folder: Path) -> None:
        home = folder / "home"
        journal = await open_journal(home)
        ends: dict[str, int] = {}
        heads = []
        for run, count, also in steps:
            at = ends.get(run, 0)
            events = [
                CustomAnswered(effect=str(at + i), result=msgspec.Raw(b"%d" % (at + i))) for i in range(count)
            ]
            await journal.append(RunId(run), events, expected=at)
            ends[run] = at + count
            heads.append(await journal.head())
            if also == "open":
                await journal.close()
                journal = await open_journal(home)
            elif also == "export":
                await export(journal, folder / "bundle.tar", runs=[RunId(run)])
                assert verify(folder / "bundle.tar").findings == ()
        for run, end in ends.items():
            records = await journal.read(RunId(run))
            assert [record.event.effect for record in records] == [str(i) for i in range(end)]  # type: ignore[attr-defined]
        newest = heads[-1]
        assert newest.size == sum(ends.values())
        for head in heads:
            store = journal.store.journal
            check_consistency(head, newest, await prove_consistency(store, head.size, newest.size))
            await prove_inclusion(store, head.size - 1, newest)
        await export(journal, folder / "all.tar")
        found = verify(folder / "all.tar")
        assert (found.findings, found.records) == ((), newest.size)
        await journal.close()
        assert verify_home(home).findings == ()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(work(Path(folder)))
