"""What every store has to do. A driver takes part by an entry in `STORES`; nothing here knows which it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from forgewright.core.errors import ForgewrightError, LeaseLost, LostRace, NotFound
from forgewright.core.ids import Digest, RunId, digest
from forgewright.store import open_store
from forgewright.store.ports import Placed, Sealed, Store

RUN, OTHER = RunId("run-one"), RunId("run-two")

Open = Callable[[], Awaitable[Store]]

STORES = ("sqlite", "memory")
DURABLE = ("sqlite",)


@pytest.fixture(params=STORES)
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def store(driver: str, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"{driver}:{tmp_path / 'home'}")
    yield opened
    await opened.close()


async def test_appends_are_placed_gaplessly(store: Store) -> None:
    a = await store.journal.append(RUN, [b"1", b"2"], expected=0)
    b = await store.journal.append(OTHER, [b"x"], expected=0)
    c = await store.journal.append(RUN, [b"3"], expected=2)
    assert [(p.index, p.run, p.sequence, p.data) for p in (*a, *b, *c)] == [
        (0, RUN, 1, b"1"),
        (1, RUN, 2, b"2"),
        (2, OTHER, 1, b"x"),
        (3, RUN, 3, b"3"),
    ]
    assert await store.journal.size() == 4


async def test_reading_gives_what_was_appended(store: Store) -> None:
    await store.journal.append(RUN, [b"1", b"2", b"3"], expected=0)
    assert [p.data for p in await store.journal.read(RUN)] == [b"1", b"2", b"3"]
    assert [p.data for p in await store.journal.read(RUN, after=1)] == [b"2", b"3"]
    assert [p.data for p in await store.journal.read(RUN, after=1, limit=1)] == [b"2"]
    assert list(await store.journal.read(RUN, after=3)) == []
    assert list(await store.journal.read(OTHER)) == []


async def test_scan_goes_over_all_runs_in_log_order(store: Store) -> None:
    await store.journal.append(RUN, [b"1"], expected=0)
    await store.journal.append(OTHER, [b"2"], expected=0)
    await store.journal.append(RUN, [b"3"], expected=1)
    assert [(p.index, p.data) for p in await store.journal.scan()] == [(0, b"1"), (1, b"2"), (2, b"3")]
    assert [p.index for p in await store.journal.scan(start=1, limit=1)] == [1]
    assert list(await store.journal.scan(start=3)) == []


async def test_runs_come_newest_first(store: Store) -> None:
    assert list(await store.journal.runs()) == []
    await store.journal.append(RUN, [b"1"], expected=0)
    await store.journal.append(OTHER, [b"2", b"3"], expected=0)
    await store.journal.append(RUN, [b"4"], expected=1)
    rows = await store.journal.runs()
    assert [(r.run, r.sequence, r.first_index, r.last_index) for r in rows] == [
        (OTHER, 2, 1, 2),
        (RUN, 2, 0, 3),
    ]


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_a_lost_race_is_refused_whole(store: Store, expected: int) -> None:
    await store.journal.append(RUN, [b"1", b"2"], expected=0)
    with pytest.raises(LostRace) as caught:
        await store.journal.append(RUN, [b"x", b"y"], expected=expected)
    assert (caught.value.expected, caught.value.found) == (expected, 2)
    assert [p.data for p in await store.journal.read(RUN)] == [b"1", b"2"]


async def test_of_many_racing_writers_one_wins_each_place(store: Store) -> None:
    async def write(who: int) -> int:
        won = at = 0
        while at < 20:
            try:
                await store.journal.append(RUN, [b"%d" % who], expected=at)
                won += 1
                at += 1
            except LostRace as lost:
                at = lost.found
        return won

    won = await asyncio.gather(*map(write, range(8)))
    assert sum(won) == 20
    assert [p.sequence for p in await store.journal.read(RUN)] == list(range(1, 21))


async def test_concurrent_runs_do_not_disturb_each_other(store: Store) -> None:
    runs = [RunId(f"run{i}") for i in range(20)]

    async def write(run: RunId) -> None:
        for at in range(10):
            await store.journal.append(run, [f"{run}:{at}".encode()], expected=at)

    await asyncio.gather(*map(write, runs))
    for run in runs:
        assert [p.data for p in await store.journal.read(run)] == [f"{run}:{i}".encode() for i in range(10)]
    assert [p.index for p in await store.journal.scan(limit=500)] == list(range(200))


async def test_an_empty_append_changes_nothing(store: Store) -> None:
    assert list(await store.journal.append(RUN, [], expected=0)) == []
    assert await store.journal.size() == 0
    assert list(await store.journal.runs()) == []


async def test_any_bytes_can_be_kept(store: Store) -> None:
    data = [b"", bytes(range(256)), b"\0" * 65_535, b"\xff"]
    await store.journal.append(RUN, data, expected=0)
    assert [p.data for p in await store.journal.read(RUN)] == data


async def test_follow_gives_the_past_and_what_comes(store: Store) -> None:
    await store.journal.append(RUN, [b"1", b"2"], expected=0)
    seen: list[bytes] = []
    third, done = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        async for placed in store.journal.follow(RUN, after=1):
            seen.append(placed.data)
            if placed.data == b"2":
                third.set()
            if placed.data == b"4":
                done.set()
                return

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await third.wait()
        await store.journal.append(OTHER, [b"no"], expected=0)
        await store.journal.append(RUN, [b"3"], expected=2)
        await store.journal.append(RUN, [b"4"], expected=3)
        await done.wait()
    assert seen == [b"2", b"3", b"4"]


async def test_follow_ends_when_the_store_closes(store: Store) -> None:
    waiting = asyncio.Event()

    async def follow() -> int:
        count = 0
        async for _ in store.journal.follow(RUN):
            count += 1
            waiting.set()
        return count

    await store.journal.append(RUN, [b"1"], expected=0)
    async with asyncio.timeout(10):
        task = asyncio.create_task(follow())
        await waiting.wait()
        await store.close()
        assert await task == 1


async def test_closing_twice_is_harmless_and_writing_after_is_refused(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(ForgewrightError):
        await store.journal.append(RUN, [b"1"], expected=0)


class Counting:
    """A sealer that writes how many records it has seen."""

    def __init__(self) -> None:
        self.seen: list[Placed] = []

    def restore(self, log: object) -> None:
        self.seen = list(log.scan(0, 1_000_000))  # type: ignore[attr-defined]  # any snapshot

    def committed(self, *, closing: bool = False) -> None: ...

    def seal(self, records: object) -> Sealed:
        self.seen += list(records)  # type: ignore[call-overload]  # a sequence
        return Sealed({"count": b"%d" % len(self.seen), f"at/{len(self.seen)}": b"."})


async def test_pages_are_written_with_the_records(driver: str, tmp_path: Path) -> None:
    sealer = Counting()
    store = await open_store(f"{driver}:{tmp_path}", sealer=sealer)
    assert await store.journal.page("count") is None
    await store.journal.append(RUN, [b"1", b"2"], expected=0)
    assert await store.journal.page("count") == b"2"
    with pytest.raises(LostRace):
        await store.journal.append(RUN, [b"x"], expected=0)
    await store.journal.append(RUN, [b"3"], expected=2)
    assert await store.journal.page("count") == b"3"
    assert await store.journal.page("at/2") == b"."
    assert [p.data for p in sealer.seen] == [b"1", b"2", b"3"]
    await store.close()


async def test_blobs(store: Store) -> None:
    data = b"x" * 100_000
    name = await store.blobs.put(data)
    assert name == digest(data)
    assert await store.blobs.put(data) == name
    assert await store.blobs.get(name) == data
    assert await store.blobs.has(name)
    assert list(await store.blobs.digests()) == [name]
    await store.blobs.delete(name)
    await store.blobs.delete(name)
    assert not await store.blobs.has(name)
    with pytest.raises(NotFound):
        await store.blobs.get(name)
    empty = await store.blobs.put(b"")
    assert await store.blobs.get(empty) == b""


async def test_an_unknown_blob_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.blobs.get(Digest("sha256:" + "0" * 64))


async def test_a_lease_excludes_other_workers(store: Store) -> None:
    lease = await store.leases.acquire(RUN, "a", ttl_seconds=60)
    with pytest.raises(LeaseLost, match="a until"):
        await store.leases.acquire(RUN, "b", ttl_seconds=60)
    await store.leases.acquire(OTHER, "b", ttl_seconds=60)
    renewed = await store.leases.renew(lease, ttl_seconds=120)
    assert renewed.epoch == lease.epoch
    assert renewed.expires > lease.expires
    await store.leases.release(renewed)
    taken = await store.leases.acquire(RUN, "b", ttl_seconds=60)
    assert taken.epoch > lease.epoch
    with pytest.raises(LeaseLost):
        await store.leases.renew(lease, ttl_seconds=60)
    await store.leases.release(lease)  # an old lease releases nothing
    with pytest.raises(LeaseLost):
        await store.leases.acquire(RUN, "a", ttl_seconds=60)


async def test_an_expired_lease_can_be_taken_and_fences_the_old_holder(store: Store) -> None:
    old = await store.leases.acquire(RUN, "a", ttl_seconds=-1)
    await store.journal.append(RUN, [b"1"], expected=0, epoch=old.epoch)
    new = await store.leases.acquire(RUN, "b", ttl_seconds=60)
    with pytest.raises(LeaseLost):
        await store.journal.append(RUN, [b"x"], expected=1, epoch=old.epoch)
    with pytest.raises(LeaseLost):
        await store.leases.renew(old, ttl_seconds=60)
    await store.journal.append(RUN, [b"2"], expected=1, epoch=new.epoch)
    assert [p.data for p in await store.journal.read(RUN)] == [b"1", b"2"]


async def test_the_same_worker_gets_a_new_epoch(store: Store) -> None:
    one = await store.leases.acquire(RUN, "a", ttl_seconds=60)
    two = await store.leases.acquire(RUN, "a", ttl_seconds=60)
    assert two.epoch == one.epoch + 1


async def test_a_released_lease_cannot_be_renewed(store: Store) -> None:
    lease = await store.leases.acquire(RUN, "a", ttl_seconds=60)
    await store.leases.release(lease)
    with pytest.raises(LeaseLost):
        await store.leases.renew(lease, ttl_seconds=60)


async def test_memory(store: Store) -> None:
    assert await store.memory.get("n", "k") is None
    await store.memory.put("n", "k", b"1")
    await store.memory.put("n", "a", b"2")
    await store.memory.put("m", "k", b"3")
    await store.memory.put("n", "k", b"4")
    assert await store.memory.get("n", "k") == b"4"
    assert list(await store.memory.keys("n")) == ["a", "k"]
    assert list(await store.memory.keys("none")) == []
    assert list(await store.memory.items("n")) == [("a", b"2"), ("k", b"4")]
    assert list(await store.memory.items("none")) == []
    assert await store.memory.delete("n", "k")
    assert not await store.memory.delete("n", "k")
    assert list(await store.memory.keys("n")) == ["a"]
    assert await store.memory.get("m", "k") == b"3"
    assert list(await store.memory.namespaces()) == ["m", "n"]
    await store.memory.delete("m", "k")
    assert list(await store.memory.namespaces()) == ["n"]


async def test_pages_are_read_together(driver: str, tmp_path: Path) -> None:
    store = await open_store(f"{driver}:{tmp_path}", sealer=Counting())
    await store.journal.append(RUN, [b"1"], expected=0)
    await store.journal.append(RUN, [b"2"], expected=1)
    assert dict(await store.journal.pages(["count", "at/1", "at/9"])) == {"count": b"2", "at/1": b"."}
    await store.close()


async def test_young_blobs_are_told_from_old_ones(store: Store) -> None:
    name = await store.blobs.put(b"x")
    assert list(await store.blobs.digests(older_than_seconds=3_600)) == []
    assert list(await store.blobs.digests(older_than_seconds=-3_600)) == [name]


async def test_a_purge_leaves_everything_as_it_was(store: Store) -> None:
    await store.journal.append(RUN, [b"1"], expected=0)
    await store.memory.put("n", "k", b"v")
    await store.memory.put("n", "gone", b"w")
    await store.memory.delete("n", "gone")
    await store.purge()
    assert [p.data for p in await store.journal.read(RUN)] == [b"1"]
    assert await store.memory.get("n", "k") == b"v"
    await store.journal.append(RUN, [b"2"], expected=1)


async def test_a_cancelled_append_happens_or_not_but_never_breaks_the_next(store: Store) -> None:
    for _ in range(20):
        end = (await store.journal.runs())[0].sequence if await store.journal.size() else 0
        task = asyncio.ensure_future(store.journal.append(RUN, [b"x"], expected=end))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.journal.append(OTHER, [b"y"], expected=len(await store.journal.read(OTHER)))
    sequences = [p.sequence for p in await store.journal.read(RUN)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(await store.journal.read(OTHER)) == 20


@pytest.mark.parametrize("name", DURABLE)
async def test_everything_is_there_after_opening_again(name: str, tmp_path: Path) -> None:
    place = f"{name}:{tmp_path / 'home'}"
    store = await open_store(place, sealer=Counting())
    await store.journal.append(RUN, [b"1", b"2"], expected=0)
    blob = await store.blobs.put(b"content")
    lease = await store.leases.acquire(RUN, "a", ttl_seconds=60)
    await store.memory.put("n", "k", b"v")
    await store.close()

    sealer = Counting()
    store = await open_store(place, sealer=sealer)
    assert len(sealer.seen) == 2
    assert [p.data for p in await store.journal.read(RUN)] == [b"1", b"2"]
    assert await store.blobs.get(blob) == b"content"
    assert await store.memory.get("n", "k") == b"v"
    with pytest.raises(LeaseLost):
        await store.leases.acquire(RUN, "b", ttl_seconds=60)
    await store.journal.append(RUN, [b"3"], expected=2, epoch=lease.epoch)
    assert await store.journal.page("count") == b"3"
    await store.close()


@pytest.mark.parametrize("name", DURABLE)
async def test_two_openings_of_one_place_see_each_other(name: str, tmp_path: Path) -> None:
    place = f"{name}:{tmp_path / 'home'}"
    sealers = [Counting(), Counting()]
    one, two = [await open_store(place, sealer=sealer) for sealer in sealers]
    seen: list[bytes] = []

    async def follow() -> None:
        async for placed in two.journal.follow(RUN):
            seen.append(placed.data)
            if len(seen) == 3:
                return

    async with asyncio.timeout(20):
        task = asyncio.create_task(follow())
        await one.journal.append(RUN, [b"1"], expected=0)
        await two.journal.append(RUN, [b"2"], expected=1)
        with pytest.raises(LostRace):
            await one.journal.append(RUN, [b"x"], expected=1)
        await one.journal.append(RUN, [b"3"], expected=2)
        await task
    assert seen == [b"1", b"2", b"3"]
    assert await two.journal.page("count") == b"3"
    await one.close()
    await two.close()
