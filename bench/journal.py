"""The journal's figures: durable appends beside raw SQLite, proofs and verification of a million records,
resuming, storage. Run it alone on the machine: `python bench/journal.py [--entries N] [--json FILE]`.

Method: `appends` has 64 tasks, each appending one 200-byte event after the other to a run of its own, acknowledged
after fsync. `raw` commits the same rows (run, sequence, the same bytes) with sqlite3 alone, in transactions of 64,
the same journal mode and synchronisation, and one index: what group commit costs without a journal; once in a
plain loop, once with 64 tasks that wait for their commits. Medians of three, taken in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from forgewright.core.ids import RunId, digest
from forgewright.journal import codec
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.verification import verify
from forgewright.journal.events import Decision, ModelAnswered, ModelAsked, ToolAnswered, ToolAsked
from forgewright.journal.journal import open_journal
from forgewright.journal.log.notes import parse_verifier_key
from forgewright.journal.log.proofs import Prover, prove_inclusion
from forgewright.store.drivers.sqlite.packing import plain

WRITERS = 64
ALLOW = Decision(permit=True, by=("default",))


def event(i: int) -> ToolAnswered:
    return ToolAnswered(effect=f"{i}.1", result=msgspec.Raw(b'"' + b"%0200d" % i + b'"'), ms=3)


def row(i: int) -> bytes:
    """What the journal stores for `event(i)` while many write."""
    return plain(codec.encode(RunId("run1"), i, time.time_ns() // 1_000_000, "engine", event(i)))


async def appends(home: Path, each: int) -> dict[str, float]:
    journal = await open_journal(home)
    waits: list[float] = []

    async def write(run: RunId) -> None:
        for i in range(each):
            start = time.perf_counter()
            await journal.append(run, [event(i)], expected=i)
            waits.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(write(RunId(f"run{i}")) for i in range(WRITERS)))
    seconds = time.perf_counter() - start
    await journal.close()
    waits.sort()
    return {
        "events_per_second": WRITERS * each / seconds,
        "p50_ms": waits[len(waits) // 2] * 1e3,
        "p99_ms": waits[len(waits) * 99 // 100] * 1e3,
        "max_ms": waits[-1] * 1e3,
    }


def raw(home: Path, each: int) -> dict[str, float]:
    home.mkdir(parents=True)
    connection = sqlite3.connect(home / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE records(idx INTEGER PRIMARY KEY, rid INTEGER, seq INTEGER, data BLOB)")
    connection.execute("CREATE UNIQUE INDEX by_run ON records(rid, seq)")
    data = row(1)
    start = time.perf_counter()
    for i in range(each):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO records(rid,seq,data) VALUES(?,?,?)", [(run, i, data) for run in range(WRITERS)]
        )
        connection.execute("COMMIT")
    seconds = time.perf_counter() - start
    connection.close()
    return {"events_per_second": WRITERS * each / seconds}


def raw_acknowledged(home: Path, each: int) -> dict[str, float]:
    """The same with 64 tasks that each wait for the commit of their row, through one writer thread."""
    home.mkdir(parents=True)
    connection = sqlite3.connect(home / "raw.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("CREATE TABLE records(idx INTEGER PRIMARY KEY, rid INTEGER, seq INTEGER, data BLOB)")
    connection.execute("CREATE UNIQUE INDEX by_run ON records(rid, seq)")
    data = row(1)
    queue: SimpleQueue[Any] = SimpleQueue()

    def resolve(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            future.set_result(None)

    def write(loop: asyncio.AbstractEventLoop) -> None:
        while (job := queue.get()) is not None:
            group = [job]
            while not queue.empty() and (job := queue.get()) is not None:
                group.append(job)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO records(rid,seq,data) VALUES(?,?,?)", [row for row, _ in group]
            )
            connection.execute("COMMIT")
            loop.call_soon_threadsafe(resolve, [future for _, future in group])
            if job is None:
                return

    async def work() -> float:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=write, args=(loop,))
        thread.start()

        async def task(run: int) -> None:
            for i in range(each):
                future = loop.create_future()
                queue.put(((run, i, data), future))
                await future

        start = time.perf_counter()
        await asyncio.gather(*map(task, range(WRITERS)))
        seconds = time.perf_counter() - start
        queue.put(None)
        thread.join()
        return seconds

    seconds = asyncio.run(work())
    connection.close()
    return {"events_per_second": WRITERS * each / seconds}


async def lone(home: Path, count: int) -> dict[str, float]:
    journal = await open_journal(home)
    run = RunId("lone")
    for i in range(50):
        await journal.append(run, [event(i)], expected=i)
    start, cpu = time.perf_counter(), time.process_time()
    for i in range(50, 50 + count):
        await journal.append(run, [event(i)], expected=i)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    await journal.close()
    return {"wall_ms": seconds / count * 1e3, "cpu_ms": cpu / count * 1e3, "per_second": count / seconds}


async def storage(home: Path) -> dict[str, float]:
    """1,000 turns of four records around a 500-byte payload that does not compress (as text)."""
    journal = await open_journal(home)
    run = RunId("01m7yaacgjqhba6k")
    rng = random.Random(1)
    for i in range(1_000):
        payload = "".join(
            rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", k=500)
        )
        events = (
            ModelAsked(f"{i}.1", ALLOW, "openai:gpt-5-mini", digest(b"%d" % i), base=f"{i - 1}.1"),  # type: ignore[arg-type, misc]
            ModelAnswered(
                effect=f"{i}.1",  # type: ignore[arg-type]
                response=msgspec.Raw(msgspec.json.encode(payload)),
                input_tokens=1000 + i,
                output_tokens=345,
                cost_microdollars=4567 + i,
                ms=1234,
            ),
            ToolAsked(f"{i}.2", ALLOW, "read_file", "pure", call=f"call_{i:012x}", answer=f"{i}.1"),  # type: ignore[arg-type, misc]
            ToolAnswered(effect=f"{i}.2", result=msgspec.Raw(b'"ok"'), ms=3),  # type: ignore[arg-type]
        )
        for at, item in enumerate(events):
            await journal.append(run, [item], expected=4 * i + at)
    await journal.close()
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    return {"bytes": size, "times_payload": size / 500_000}


async def resume(home: Path) -> dict[str, float]:
    journal = await open_journal(home)
    run = RunId("long")
    for at in range(0, 10_000, 100):
        await journal.append(run, [event(i) for i in range(at, at + 100)], expected=at)
    await journal.close()
    start = time.perf_counter()
    journal = await open_journal(home)
    records = await journal.read(run)
    seconds = time.perf_counter() - start
    assert len(records) == 10_000
    await journal.close()
    return {"open_and_read_seconds": seconds}


async def million(home: Path, entries: int) -> dict[str, float]:
    journal = await open_journal(home)
    run_count, batch = 100, 50
    each = entries // run_count

    async def write(run: RunId) -> None:
        for at in range(0, each, batch):
            await journal.append(run, [event(i) for i in range(at, at + batch)], expected=at)

    start = time.perf_counter()
    await asyncio.gather(*(write(RunId(f"run{i}")) for i in range(run_count)))
    fill = time.perf_counter() - start
    head = await journal.head()
    key = parse_verifier_key((home / "keys/log.pub").read_text())
    rng = random.Random(2)
    times, further = [], []
    prover = Prover(journal.store.journal, head)
    for _ in range(500):
        index = rng.randrange(head.size)
        begin = time.perf_counter()
        proof = await prove_inclusion(journal.store.journal, index, head)
        times.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        assert (await prover.inclusion(index)).hashes == proof.hashes
        further.append(time.perf_counter() - begin)
        record = (await journal.store.journal.scan(start=index, limit=1))[0]
        proof.verify(record.data, key)
    start = time.perf_counter()
    await export(journal, home / "all.tar")
    exporting = time.perf_counter() - start
    await journal.close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    found = verify(home / "all.tar", str(key))
    verifying = time.perf_counter() - start
    assert found.ok, found.findings[:3]
    assert found.records == each * run_count
    begin = time.perf_counter()
    journal = await open_journal(home)
    opening = time.perf_counter() - begin
    await journal.close()
    times.sort()
    further.sort()
    return {
        "entries": found.records,
        "fill_seconds": fill,
        "proof_p50_ms": times[len(times) // 2] * 1e3,
        "proof_p99_ms": times[len(times) * 99 // 100] * 1e3,
        "proof_of_many_p50_ms": further[len(further) // 2] * 1e3,
        "proof_of_many_p99_ms": further[len(further) * 99 // 100] * 1e3,
        "export_seconds": exporting,
        "bundle_bytes": (home / "all.tar").stat().st_size,
        "verify_seconds": verifying,
        "open_seconds": opening,
        "database_bytes": (home / "journal.db").stat().st_size,
        "rss_mib_before_verify": before / 1024,
        "rss_mib_after_verify": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def median(results: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=500, help="events per writer")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dir", type=Path, help="where to work: a folder on the disk to be measured")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=args.dir))
    results: dict[str, dict[str, float]] = {}
    try:
        ours, alone, acknowledged = [], [], []
        for i in range(3):
            ours.append(asyncio.run(appends(folder / f"a{i}", args.each)))
            alone.append(raw(folder / f"r{i}", args.each))
            acknowledged.append(raw_acknowledged(folder / f"k{i}", args.each))
        results["appends"] = median(ours)
        results["raw, one loop"] = median(alone)
        results["raw, 64 writers acknowledged"] = median(acknowledged)
        for name in ("raw, one loop", "raw, 64 writers acknowledged"):
            factor = results[name]["events_per_second"] / results["appends"]["events_per_second"]
            results[name]["times_ours"] = factor
        results["lone"] = median([asyncio.run(lone(folder / f"l{i}", 500)) for i in range(3)])
        results["storage"] = asyncio.run(storage(folder / "s"))
        results["resume"] = asyncio.run(resume(folder / "e"))
        if args.entries:
            results["million"] = asyncio.run(million(folder / "m", args.entries))
    finally:
        shutil.rmtree(folder)
    for name, values in results.items():
        print(name)
        for key, value in values.items():
            print(f"  {key:<24} {value:,.3f}")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
