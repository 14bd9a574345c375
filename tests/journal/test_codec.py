"""Stored bytes are read for as long as there is Forgewright; what is not known is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgewright.core.errors import IntegrityError, UsageError
from forgewright.core.ids import Digest, RunId
from forgewright.journal import codec, home_events
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.store.ports import Placed

RUN = RunId("01m7yaacgjqhba6k")
GOLDEN = Path(__file__).parent / "golden"


def placed(data: bytes, sequence: int = 1, run: RunId = RUN) -> Placed:
    return Placed(0, run, sequence, data)


def golden() -> Iterator[tuple[str, int, bytes]]:
    for path in sorted(GOLDEN.glob("v*.jsonl")):
        for line, data in enumerate(path.read_bytes().splitlines(), 1):
            yield path.name, line, data


@pytest.mark.parametrize(("name", "line", "data"), list(golden()))
def test_every_record_ever_stored_is_still_read(name: str, line: int, data: bytes) -> None:
    record = codec.decode(placed(data, line))
    assert record.data == data
    assert record.event.__struct_config__.tag == json.loads(data)["event"]["kind"]
    if name == f"v{ev.VERSION}.jsonl":  # and written the same today
        assert codec.encode(RUN, line, record.time, record.actor, record.event) == data


def test_there_is_a_golden_record_of_every_event() -> None:
    kinds = {
        json.loads(data)["event"]["kind"] for name, _, data in golden() if name == f"v{ev.VERSION}.jsonl"
    }
    parts = (ev.__name__, home_events.__name__)
    ours = {tag for tag, cls in ev.event_types().items() if cls.__module__ in parts}
    assert kinds == ours, (
        "after a change of events: python -m tests.journal.golden.make, and look at the diff"
    )


def test_a_stored_value_comes_back_as_one_and_an_inline_one_as_it_was() -> None:
    stored = ev.Stored(Digest("sha256:" + "a" * 64), 20_000)
    for value in (stored, msgspec.Raw(b'{"blob":"sha256:aa","size":1,"more":2}'), msgspec.Raw(b"[1, 2]")):
        data = codec.encode(RUN, 1, 0, "engine", ev.CustomAnswered("1", value))  # type: ignore[arg-type]
        event = codec.decode(placed(data)).event
        assert isinstance(event, ev.CustomAnswered)
        if isinstance(value, ev.Stored):
            assert event.result == value
        else:
            assert isinstance(event.result, msgspec.Raw)
            assert bytes(event.result) == bytes(value)


async def test_a_value_that_looks_like_a_reference_is_kept_as_a_blob() -> None:
    journal = await open_journal(None)
    tricky = msgspec.json.encode(ev.Stored(Digest("sha256:" + "b" * 64), 5))
    kept = await journal.keep(tricky)
    assert isinstance(kept, ev.Stored)
    assert await journal.load(kept) == tricky
    small, large = b'"x"', b'"' + b"y" * 20_000 + b'"'
    assert not isinstance(await journal.keep(small), ev.Stored)
    assert isinstance(await journal.keep(large), ev.Stored)
    for value in (small, large):
        assert await journal.load(await journal.keep(value)) == value


def record(**changes: Any) -> bytes:
    base = {
        "v": 1,
        "run": RUN,
        "seq": 1,
        "time": 5,
        "actor": "engine",
        "event": {"kind": "run.parked", "reason": "budget"},
    }
    return json.dumps({**base, **changes}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        record(v=2),
        record(v=0),
        record(event={"kind": "run.exploded"}),
        record(event={"kind": "run.parked", "reason": "x", "new_field": 1}),
        record(event={"kind": "run.parked"}),
        record(event={}),
        record(extra=1),
        record(run="other-run"),
        record(seq=2),
        record()[:-1],
        b"",
        b"null",
        b"\xff",
    ],
)
def test_what_is_not_known_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        codec.decode(placed(data))
    assert caught.value.record == "0"
    assert RUN in caught.value.message


def test_a_migration_makes_an_old_record_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when events have moved on twice: two steps, each its own function."""
    old = record(event={"kind": "run.stopped", "why": "budget"})
    monkeypatch.setattr(codec, "VERSION", 3)
    with pytest.raises(IntegrityError):
        codec.decode(placed(old))
    monkeypatch.setitem(codec.MIGRATIONS, 1, lambda e: {"kind": "run.parked", "why": e["why"]})
    monkeypatch.setitem(codec.MIGRATIONS, 2, lambda e: {"kind": e["kind"], "reason": e["why"]})
    assert codec.decode(placed(old)).event == ev.RunParked("budget")


def test_too_large_an_event_is_refused_before_it_is_written() -> None:
    with pytest.raises(UsageError, match="keep"):
        codec.encode(RUN, 1, 0, "engine", ev.RunParked("x" * 70_000))


@given(
    actor=st.text(max_size=50),
    time=st.integers(min_value=0, max_value=2**53),
    sequence=st.integers(min_value=1, max_value=2**53),
    text=st.text(max_size=300),
)
def test_what_is_encoded_is_decoded(actor: str, time: int, sequence: int, text: str) -> None:
    event = ev.RunParked("x", text)
    data = codec.encode(RUN, sequence, time, actor, event)
    found = codec.decode(placed(data, sequence))
    assert (found.actor, found.time, found.event) == (actor, time, event)
    json.loads(data)


@pytest.mark.parametrize("run", ["", 'a"b', "a\\b", "a\nb", "x" * 65, "ü"])
def test_a_run_that_would_break_the_record_is_refused(run: str) -> None:
    with pytest.raises(UsageError):
        codec.encode(RunId(run), 1, 0, "engine", ev.RunParked("x"))


def test_the_journal_is_imported_without_what_it_may_not_need() -> None:
    script = (
        "import sys, forgewright.journal.journal as j, forgewright.journal.events as ev\n"
        "heavy = {'asyncio', 'sqlite3', 'cryptography', 'hashlib', 'http', 'concurrent.futures'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import asyncio\n"
        "async def main():\n"
        "    o = await j.open_journal(None)\n"
        "    await o.note('r', [ev.RunParked('x')])\n"
        "    await o.close()\n"
        "asyncio.run(main())\n"
        "heavy = {'sqlite3', 'cryptography'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
