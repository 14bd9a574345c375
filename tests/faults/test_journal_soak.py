"""The journal at its full rate for twenty minutes, killed every few seconds: after each death everything that was
acknowledged is there, once, the log verifies, and memory stays bounded. `FORGEWRIGHT_SOAK_SECONDS` sets another time."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forgewright.core.ids import RunId
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.journal import open_journal

SECONDS = float(os.environ.get("FORGEWRIGHT_SOAK_SECONDS", "1200"))
RSS_MIB_MAX = 160
"""Of the writer: groups are bounded, and nothing is kept per record."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS * 3 + 300)]


def live(home: Path, seconds: float) -> tuple[dict[str, int], float]:
    """Lets a writer run for so long, kills it; what it had acknowledged (run → sequence), and its memory in MiB."""
    writer = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("soak_writer.py")), str(home)], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"open\n"
    until, memory, lines = time.monotonic() + seconds, 0.0, []
    os.set_blocking(writer.stdout.fileno(), False)
    while time.monotonic() < until:
        time.sleep(0.05)  # how long the writer lives, not a synchronisation
        lines.append(writer.stdout.read() or b"")
        assert writer.poll() is None, "the writer ended by itself"
    pages = int(Path(f"/proc/{writer.pid}/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    writer.send_signal(signal.SIGKILL)
    os.set_blocking(writer.stdout.fileno(), True)
    lines.append(writer.stdout.read())
    writer.wait()
    whole = b"".join(lines)
    acknowledged: dict[str, int] = {}
    for line in whole[: whole.rfind(b"\n") + 1].decode().splitlines():
        for pair in line.removeprefix("ack ").split():
            run, _, at = pair.partition("=")
            acknowledged[run] = int(at)
    return acknowledged, memory


async def sequences(home: Path) -> dict[str, int]:
    journal = await open_journal(home)
    found = {str(row.run): row.sequence for row in await journal.runs()}
    await journal.close()
    return found


async def each_once(home: Path) -> int:
    """Every run's events are numbered without a gap and without a double; how many there are."""
    journal = await open_journal(home)
    count = 0
    for row in await journal.runs():
        after = 0
        while records := await journal.read(RunId(row.run), after=after, limit=20_000):
            assert [r.sequence for r in records] == list(range(after + 1, after + 1 + len(records)))
            assert [r.event.effect for r in records] == [str(r.sequence - 1) for r in records]  # type: ignore[attr-defined]  # CustomAnswered
            after += len(records)
            count += len(records)
    await journal.close()
    return count


def test_killed_over_and_over_at_full_rate(tmp_path: Path) -> None:
    home, rng = tmp_path / "home", random.Random(8)
    begin, kills, highest, lived = time.monotonic(), 0, 0.0, 0.0
    while time.monotonic() - begin < SECONDS:
        seconds = rng.uniform(0.3, 12)
        acknowledged, memory = live(home, seconds)
        lived += seconds
        kills += 1
        highest = max(highest, memory)
        found = asyncio.run(sequences(home))
        lost = {run: (at, found.get(run, 0)) for run, at in acknowledged.items() if found.get(run, 0) < at}
        assert not lost, f"acknowledged and not there after kill {kills}: {lost}"
        if kills % 10 == 0:
            assert verify_home(home).ok
    report = verify_home(home)
    assert report.ok, report.findings[:3]
    count = asyncio.run(each_once(home))
    print(f"{kills} kills, {count} records, {count / lived:,.0f} a second, at most {highest:.0f} MiB")
    assert highest <= RSS_MIB_MAX
