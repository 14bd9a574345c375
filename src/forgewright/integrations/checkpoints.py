"""Where checkpoints of another framework lie in a home: by thread, namespace and id, each value sealed.

A seal is an HMAC over the value and its place, under a key that only the home's owner can read: a value that
somebody changed, or moved from another place, in the database is refused, and not resumed from.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from forgewright.core.errors import IntegrityError
from forgewright.integrations import sequences
from forgewright.store.ports import MemoryStore

Version = str | int | float
Typed = tuple[str, bytes]
"""A serialised value: its kind, its bytes."""
PREFIX = "checkpoints:"
KEY = "keys/checkpoints.key"
KNOWN_MAX = 1_000
"""Lists whose last version is remembered."""
_SEAL_BYTES = 32


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """A checkpoint without its channels' values, which are kept by version beside it."""

    checkpoint: Typed
    metadata: Typed
    parent: str | None
    versions: dict[str, Version]
    """Channel → version."""


class Write(msgspec.Struct, frozen=True, array_like=True):
    """What a task wrote after a checkpoint, and no later checkpoint holds yet."""

    task: str
    index: int
    channel: str
    value: Typed
    path: str


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a checkpoint stands. Ids grow with time."""

    thread: str
    namespace: str
    id: str


def open_key(home: Path) -> bytes:
    """The key of the seals; a new one where there is none. Raises `IntegrityError` if it is damaged."""
    path = home / KEY
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    if not path.exists():
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, os.urandom(32))
            os.fsync(fd)
        finally:
            os.close(fd)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was quicker
        finally:
            os.unlink(fresh)
    key = path.read_bytes()
    if len(key) != 32 or path.stat().st_mode & 0o077:
        raise IntegrityError(
            f"expected 32 bytes that only their owner can read in {path}; found {len(key)} bytes, "
            f"mode {path.stat().st_mode & 0o777:o}",
            hint="restore the file from a backup, or make it private: chmod 600",
        )
    return key


class Checkpoints:
    """All checkpoints in one memory store. Raises `IntegrityError` where a seal does not fit."""

    def __init__(self, memory: MemoryStore, key: bytes) -> None:
        self._memory = memory
        self._key = key
        self._known: dict[tuple[str, str, str], sequences.Known] = {}
        """(thread, namespace, channel) → the last version of its list."""

    # ── one checkpoint ───────────────────────────────────────────────────────────────────────────────

    async def put(
        self,
        place: Place,
        checkpoint: Checkpoint,
        values: Mapping[tuple[str, Version], Typed | list[Typed]],
    ) -> None:
        """The values first: a checkpoint that is there is whole. Of a list only what is new is stored."""
        await asyncio.gather(*(self._value(place, checkpoint, *at, value) for at, value in values.items()))
        space = _space(place.thread, "c", place.namespace)
        await self._put(space, place.id, msgspec.msgpack.encode(checkpoint))

    async def _value(
        self, place: Place, checkpoint: Checkpoint, channel: str, version: Version, value: Typed | list[Typed]
    ) -> None:
        space = _space(place.thread, "v", place.namespace)

        async def get(key: str) -> bytes | None:
            return await self._get(space, key)

        async def put(key: str, data: bytes) -> None:
            await self._put(space, key, data)

        key = _key(channel, version)
        if isinstance(value, tuple):
            await put(key, msgspec.msgpack.encode(value))
            return
        at = (place.thread, place.namespace, channel)
        before = self._known.get(at)
        if before is None and checkpoint.parent is not None:
            parent = await self.get(Place(place.thread, place.namespace, checkpoint.parent))
            if parent is not None and channel in parent.versions:
                before = await sequences.remembered(_key(channel, parent.versions[channel]), get)
        while len(self._known) >= KNOWN_MAX:
            del self._known[next(iter(self._known))]
        self._known[at] = await sequences.store(key, value, before, put)

    async def get(self, place: Place) -> Checkpoint | None:
        data = await self._get(_space(place.thread, "c", place.namespace), place.id)
        return None if data is None else msgspec.msgpack.decode(data, type=Checkpoint)

    async def values(self, place: Place, versions: Mapping[str, Version]) -> dict[str, Typed | list[Typed]]:
        """The channels' values, of those that have one at their version."""
        space = _space(place.thread, "v", place.namespace)

        async def get(key: str) -> bytes | None:
            return await self._get(space, key)

        async def one(at: tuple[str, Version]) -> Typed | list[Typed] | None:
            data = await get(_key(*at))
            if data is None:
                return None
            value: Typed = msgspec.msgpack.decode(data, type=Typed)
            if value[0] != sequences.KIND:
                return value
            return await sequences.items_of(value[1].decode(), get)

        found = await asyncio.gather(*(one(at) for at in versions.items()))
        return {channel: value for channel, value in zip(versions, found, strict=True) if value is not None}

    async def put_writes(self, place: Place, writes: Iterable[Write]) -> None:
        """Each once: a write that is there stays, unless its index is negative (errors, interrupts …)."""
        space = _space(place.thread, "w", place.namespace, place.id)
        there = set(await self._memory.keys(space))
        fresh = [(_key(w.task, w.index), w) for w in writes]
        await asyncio.gather(
            *(
                self._put(space, key, msgspec.msgpack.encode(write))
                for key, write in fresh
                if write.index < 0 or key not in there
            )
        )

    async def writes(self, place: Place) -> list[Write]:
        """In the order in which the tasks' writes are applied."""
        space = _space(place.thread, "w", place.namespace, place.id)
        found = await asyncio.gather(*(self._get(space, key) for key in await self._memory.keys(space)))
        writes = [msgspec.msgpack.decode(data, type=Write) for data in found if data is not None]
        return sorted(writes, key=lambda write: (write.path, write.task, write.index))

    # ── many ─────────────────────────────────────────────────────────────────────────────────────────

    async def latest(self, thread: str, namespace: str) -> Place | None:
        ids = await self._memory.keys(_space(thread, "c", namespace))
        return Place(thread, namespace, max(ids)) if ids else None

    async def places(self, thread: str | None = None, namespace: str | None = None) -> list[Place]:
        """All checkpoints there, newest first."""
        found = []
        for name, parts in await self._spaces(thread, "c"):
            if namespace is None or parts[2] == namespace:
                found += [Place(parts[0], parts[2], key) for key in await self._memory.keys(name)]
        return sorted(found, key=lambda place: place.id, reverse=True)

    async def delete_thread(self, thread: str) -> None:
        self._forget(thread)
        for name, _ in await self._spaces(thread):
            await self._empty(name)

    def _forget(self, thread: str) -> None:
        for at in [at for at in self._known if at[0] == thread]:
            del self._known[at]

    async def delete(self, places: Iterable[Place]) -> None:
        """These checkpoints with their writes, and values that no other checkpoint of the thread holds."""
        touched = set()
        for place in places:
            touched.add((place.thread, place.namespace))
            await self._memory.delete(_space(place.thread, "c", place.namespace), place.id)
            await self._empty(_space(place.thread, "w", place.namespace, place.id))
        for thread, namespace in touched:
            self._forget(thread)
            space = _space(thread, "v", namespace)

            async def get(key: str, space: str = space) -> bytes | None:
                return await self._get(space, key)

            held: set[str] = set()
            for place in await self.places(thread, namespace):
                kept = await self.get(place)
                for at in kept.versions.items() if kept else ():
                    if _key(*at) not in held:
                        held |= await sequences.parts(_key(*at), get)
            for key in set(await self._memory.keys(space)) - held:
                await self._memory.delete(space, key)

    async def copy_thread(self, source: str, target: str) -> None:
        self._forget(target)
        for name, parts in await self._spaces(source):
            space = _space(target, *parts[1:])
            for key in await self._memory.keys(name):
                data = await self._get(name, key)
                if data is not None:
                    await self._put(space, key, data)

    # ── sealed values ────────────────────────────────────────────────────────────────────────────────

    async def _put(self, space: str, key: str, data: bytes) -> None:
        await self._memory.put(space, key, self._seal(space, key, data) + data)

    async def _get(self, space: str, key: str) -> bytes | None:
        found = await self._memory.get(space, key)
        if found is None:
            return None
        data = found[_SEAL_BYTES:]
        if not hmac.compare_digest(found[:_SEAL_BYTES], self._seal(space, key, data)):
            raise IntegrityError(
                f"the checkpoint value {key!r:.100} in {space!r:.200} was not written by this home",
                record=f"{space} {key}"[:300],
                hint="somebody changed the database; restore it from a backup, or delete the thread",
            )
        return data

    def _seal(self, space: str, key: str, data: bytes) -> bytes:
        return hmac.digest(self._key, msgspec.msgpack.encode((space, key, data)), "sha256")

    async def _spaces(self, thread: str | None, kind: str | None = None) -> list[tuple[str, list[str]]]:
        found = []
        for name in await self._memory.namespaces():
            if name.startswith(PREFIX):
                parts = msgspec.json.decode(name.removeprefix(PREFIX), type=list[str])
                if thread in (None, parts[0]) and kind in (None, parts[1]):
                    found.append((name, parts))
        return found

    async def _empty(self, space: str) -> None:
        for key in await self._memory.keys(space):
            await self._memory.delete(space, key)


def _space(*parts: str) -> str:
    return PREFIX + msgspec.json.encode(parts).decode()


def _key(*parts: Version) -> str:
    return msgspec.json.encode(parts).decode()
