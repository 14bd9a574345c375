"""Lists stored as what is new: each version comes back as it was, whatever became of it, and what it needs is kept."""

from __future__ import annotations

import random

import pytest

from forgewright.core.errors import IntegrityError
from forgewright.integrations import sequences
from forgewright.integrations.checkpoints import Checkpoint, Checkpoints, Place
from forgewright.integrations.sequences import Item, Known
from forgewright.store import open_store


class Box:
    """A store that counts its bytes."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.data.get(key)

    async def put(self, key: str, value: bytes) -> None:
        self.data[key] = value

    async def items(self, key: str) -> list[Item]:
        name = await sequences.pointed(key, self.get)
        return await sequences.items_of(name, self.get)


def item(text: str) -> Item:
    return ("text", text.encode())


@pytest.mark.parametrize("seed", range(20))
async def test_every_version_comes_back(seed: int) -> None:
    chance = random.Random(seed)
    box, known, now = Box(), None, []
    versions: dict[str, list[Item]] = {}
    for step in range(300):
        what = chance.random()
        if what < 0.85:
            now = [*now, *(item(f"{step}-{n}") for n in range(chance.randrange(3)))]
        elif what < 0.9:
            now = now[: chance.randrange(len(now) + 1)]
        elif now:
            place = chance.randrange(len(now))
            now = [*now[:place], item(f"changed {step}"), *now[place + 1 :]]
        if chance.random() < 0.05:  # another process, which knows only the store
            known = await sequences.remembered(chance.choice(list(versions)), box.get) if versions else None
        key = f"v{step}"
        known = await sequences.store(key, now, known, box.put)
        versions[key] = now
    for key, wanted in versions.items():
        assert await box.items(key) == wanted
    kept = chance.choice(list(versions))
    held = await sequences.parts(kept, box.get)
    box.data = {name: value for name, value in box.data.items() if name in held}
    assert await box.items(kept) == versions[kept]


async def test_a_version_that_is_written_again_does_not_change_those_built_on_it() -> None:
    box = Box()
    first = await sequences.store("v1", [item("a"), item("b")], None, box.put)
    await sequences.store("v2", [item("a"), item("b"), item("c")], first, box.put)
    await sequences.store("v1", [item("x")], first, box.put)
    assert await box.items("v2") == [item("a"), item("b"), item("c")]
    assert await box.items("v1") == [item("x")]


async def test_a_thousand_turns_are_kept_not_three_times() -> None:
    box = Box()
    known: Known | None = None
    now: list[Item] = []
    for step in range(1000):
        now.append(("text", random.Random(step).randbytes(500)))
        known = await sequences.store(f"v{step}", now, known, box.put)
    payload = sum(len(data) for _, data in now)
    stored = sum(len(key) + len(value) for key, value in box.data.items())
    assert stored < 2.8 * payload
    assert await box.items("v999") == now


async def test_items_that_repeat_come_back_as_often_as_they_were() -> None:
    box = Box()
    now = [item("same")] * 300
    await sequences.store("v", now, None, box.put)
    assert await box.items("v") == now


async def test_a_missing_part_is_said() -> None:
    box = Box()
    first = await sequences.store("v1", [item("a")], None, box.put)
    await sequences.store("v2", [item("a"), item("b")], first, box.put)
    del box.data[first.link]
    with pytest.raises(IntegrityError, match="missing"):
        await box.items("v2")


async def test_deleting_checkpoints_keeps_what_others_are_built_on() -> None:
    store = await open_store("memory:")
    checkpoints = Checkpoints(store.memory, b"k" * 32)
    now: list[Item] = []
    for step in range(10):
        now = [*now, item(str(step))]
        parent = f"{step - 1:03}" if step else None
        made = Checkpoint(("c", b""), ("m", b""), parent, {"log": step})
        await checkpoints.put(Place("t", "", f"{step:03}"), made, {("log", step): now})
    places = await checkpoints.places("t")
    await checkpoints.delete(places[1:])
    assert await checkpoints.values(places[0], {"log": 9}) == {"log": now}
    await checkpoints.delete_thread("t")
    assert not [name for name in await store.memory.namespaces() if "t" in name]
    await store.close()
