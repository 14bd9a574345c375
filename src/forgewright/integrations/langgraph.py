"""A checkpoint saver for LangGraph on a home's store: durable after each step, without pickle, and sealed.

    saver = ForgewrightSaver("~/.forgewright")
    graph = builder.compile(checkpointer=saver)

Needs the extra `langgraph`.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from forgewright.core.errors import MissingExtra, UsageError
from forgewright.integrations.checkpoints import Checkpoint, Checkpoints, Place, Typed, Write, open_key
from forgewright.integrations.portal import Portal
from forgewright.store import open_store

try:
    from langgraph.checkpoint.base import (
        WRITES_IDX_MAP,
        BaseCheckpointSaver,
        CheckpointTuple,
        get_checkpoint_id,
        get_checkpoint_metadata,
    )
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
except ImportError as error:
    raise MissingExtra("langgraph", needed_for="the checkpoint saver for LangGraph") from error

if TYPE_CHECKING:
    from types import TracebackType

    from forgewright.store.ports import Store

Config = dict[str, Any]
"""LangGraph's RunnableConfig."""
COUNTERS = "counters_since_delta_snapshot"
"""In the metadata: channels whose value is built from their ancestors' writes, and the steps since it stood whole."""


class ForgewrightSaver(BaseCheckpointSaver):
    """A `BaseCheckpointSaver[str]` over the home at a folder, or `memory:`; sync and async, from any thread.

    Values are decoded by LangGraph's serialiser in its strict form: plain data and the types that LangGraph itself
    lists as safe, and those that a graph's own state declares (`with_allowlist`); never pickle. Raises
    `IntegrityError` for a value that this home did not write, `UsageError` for a serialiser that unpickles.
    """

    def __init__(self, home: Path | str = "memory:", *, serde: Any = None) -> None:
        super().__init__(serde=_safe(serde))
        self._home = home if home == "memory:" else Path(home).expanduser()
        self._shared = _Shared(self._home)

    # ── one checkpoint ───────────────────────────────────────────────────────────────────────────────

    async def _get_tuple(self, config: Config) -> Any:
        thread, namespace, identity = _at(config)
        checkpoints = await self._shared.open()
        place: Place | None = Place(thread, namespace, identity or "")
        if identity is None:
            place = await checkpoints.latest(thread, namespace)
        return None if place is None else await self._load(place)

    async def _load(self, place: Place) -> Any:
        checkpoints = await self._shared.open()
        found = await checkpoints.get(place)
        if found is None:
            return None
        values = await checkpoints.values(place, found.versions)
        loads = self.serde.loads_typed
        checkpoint = loads(found.checkpoint)
        checkpoint["channel_values"] = {
            channel: [loads(item) for item in value] if isinstance(value, builtins.list) else loads(value)
            for channel, value in values.items()
        }
        return CheckpointTuple(
            config=_config(place),
            checkpoint=checkpoint,
            metadata=loads(found.metadata),
            parent_config=_config(Place(place.thread, place.namespace, found.parent))
            if found.parent
            else None,
            pending_writes=[(w.task, w.channel, loads(w.value)) for w in await checkpoints.writes(place)],
        )

    async def _put(self, config: Config, checkpoint: Any, metadata: Any, new_versions: Any) -> Config:
        thread, namespace, parent = _at(config)
        rest = dict(checkpoint)
        values = rest.pop("channel_values")
        place = Place(thread, namespace, checkpoint["id"])
        stored = Checkpoint(
            self._dump(rest),
            self._dump(get_checkpoint_metadata(config, metadata)),
            parent,
            dict(checkpoint["channel_versions"]),
        )
        new = {(c, v): self._dump_value(values[c]) for c, v in new_versions.items() if c in values}
        await (await self._shared.open()).put(place, stored, new)
        return _config(place)

    async def _put_writes(self, config: Config, writes: Sequence[Any], task: str, path: str) -> None:
        thread, namespace, identity = _at(config)
        if identity is None:
            raise UsageError("expected a checkpoint_id in the config of writes; found none")
        made = [
            Write(task, WRITES_IDX_MAP.get(channel, index), channel, self._dump(value), path)
            for index, (channel, value) in enumerate(writes)
        ]
        await (await self._shared.open()).put_writes(Place(thread, namespace, identity), made)

    def _dump_value(self, value: Any) -> Typed | list[Typed]:
        """Of a list each item by itself, so that a longer one is stored as what it has more."""
        return [self._dump(item) for item in value] if type(value) is builtins.list else self._dump(value)

    def _dump(self, value: Any) -> Typed:
        kind, data = self.serde.dumps_typed(value)
        return kind, bytes(data)

    # ── many ─────────────────────────────────────────────────────────────────────────────────────────

    async def _list(
        self, config: Config | None, wanted: Any, before: Config | None, limit: int | None
    ) -> Any:
        checkpoints = await self._shared.open()
        inner = (config or {}).get("configurable", {})
        thread, namespace, identity = (inner.get(k) for k in ("thread_id", "checkpoint_ns", "checkpoint_id"))
        until = get_checkpoint_id(before) if before else None
        found: list[Any] = []
        for place in await checkpoints.places(None if thread is None else str(thread), namespace):
            if limit is not None and len(found) >= limit:
                break
            if (identity and place.id != identity) or (until and place.id >= until):
                continue
            loaded = await self._load(place)
            if loaded is not None and all(
                loaded.metadata.get(k) == v and k in loaded.metadata for k, v in (wanted or {}).items()
            ):
                found.append(loaded)
        return found

    async def _delete_thread(self, thread: str) -> None:
        await (await self._shared.open()).delete_thread(str(thread))

    async def _delete_for_runs(self, runs: Sequence[str]) -> None:
        checkpoints = await self._shared.open()
        gone = [place for place in await checkpoints.places() if await self._run_of(place) in set(runs)]
        await checkpoints.delete(gone)

    async def _run_of(self, place: Place) -> Any:
        found = await (await self._shared.open()).get(place)
        return None if found is None else self.serde.loads_typed(found.metadata).get("run_id")

    async def _copy_thread(self, source: str, target: str) -> None:
        await (await self._shared.open()).copy_thread(str(source), str(target))

    async def _prune(self, threads: Sequence[str], strategy: str) -> None:
        if strategy not in ("keep_latest", "delete"):
            raise UsageError(f'expected the strategy "keep_latest" or "delete"; found {strategy!r:.60}')
        checkpoints = await self._shared.open()
        for thread in map(str, threads):
            if strategy == "delete":
                await checkpoints.delete_thread(thread)
                continue
            places = await checkpoints.places(thread)
            kept: set[Place] = set()
            for namespace in {place.namespace for place in places}:
                kept |= await self._needed(next(p for p in places if p.namespace == namespace))
            await checkpoints.delete([place for place in places if place not in kept])

    async def _needed(self, newest: Place) -> set[Place]:
        """A checkpoint, and its ancestors from which channels are rebuilt that it does not hold whole."""
        checkpoints = await self._shared.open()
        kept: set[Place] = set()
        place: Place | None = newest
        missing: set[str] | None = None
        while place is not None and place not in kept:
            found = await checkpoints.get(place)
            if found is None:
                break
            kept.add(place)
            if missing is None:
                missing = set(self.serde.loads_typed(found.metadata).get(COUNTERS) or ())
            missing -= set(await checkpoints.values(place, found.versions))
            if not missing or found.parent is None:
                break
            place = Place(place.thread, place.namespace, found.parent)
        return kept

    # ── as LangGraph calls them ──────────────────────────────────────────────────────────────────────

    def get_tuple(self, config: Config) -> Any:
        return self._shared.portal.call(self._get_tuple(config))

    async def aget_tuple(self, config: Config) -> Any:
        return await self._shared.portal.acall(self._get_tuple(config))

    def put(self, config: Config, checkpoint: Any, metadata: Any, new_versions: Any) -> Config:
        return self._shared.portal.call(self._put(config, checkpoint, metadata, new_versions))

    async def aput(self, config: Config, checkpoint: Any, metadata: Any, new_versions: Any) -> Config:
        return await self._shared.portal.acall(self._put(config, checkpoint, metadata, new_versions))

    def put_writes(self, config: Config, writes: Sequence[Any], task_id: str, task_path: str = "") -> None:
        self._shared.portal.call(self._put_writes(config, writes, task_id, task_path))

    async def aput_writes(
        self, config: Config, writes: Sequence[Any], task_id: str, task_path: str = ""
    ) -> None:
        await self._shared.portal.acall(self._put_writes(config, writes, task_id, task_path))

    def list(
        self,
        config: Config | None,
        *,
        filter: Any = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> Iterator[Any]:
        yield from self._shared.portal.call(self._list(config, filter, before, limit))

    async def alist(
        self,
        config: Config | None,
        *,
        filter: Any = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Any]:
        for found in await self._shared.portal.acall(self._list(config, filter, before, limit)):
            yield found

    def delete_thread(self, thread_id: str) -> None:
        self._shared.portal.call(self._delete_thread(thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        await self._shared.portal.acall(self._delete_thread(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        self._shared.portal.call(self._delete_for_runs(run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._shared.portal.acall(self._delete_for_runs(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        self._shared.portal.call(self._copy_thread(source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await self._shared.portal.acall(self._copy_thread(source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        self._shared.portal.call(self._prune(thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await self._shared.portal.acall(self._prune(thread_ids, strategy))

    def get_next_version(self, current: Any, channel: None) -> str:
        """Versions are strings that sort by their number, with a random end: two branches never share one."""
        import secrets

        number = 0 if current is None else int(str(current).split(".")[0])
        return f"{number + 1:032}.{secrets.randbits(53):016}"

    def close(self) -> None:
        """Closes the store. Idempotent."""
        self._shared.close()

    def __enter__(self) -> ForgewrightSaver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Shared:
    """The store behind a saver and its clones."""

    def __init__(self, home: Path | str) -> None:
        self.portal = Portal("checkpoint saver")
        self._home = home
        self._store: Store | None = None
        self._opening: asyncio.Future[Checkpoints] | None = None
        self._lock = threading.Lock()

    async def open(self) -> Checkpoints:
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Checkpoints:
        key = os.urandom(32)
        if isinstance(self._home, Path):
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = open_key(self._home)
        self._store = await open_store(self._home)
        return Checkpoints(self._store.memory, key)

    def close(self) -> None:
        with self._lock:
            store, self._store = self._store, None
            if store is not None:
                self.portal.call(store.close())
            self.portal.close()


def _at(config: Config) -> tuple[str, str, str | None]:
    inner = config["configurable"]
    return str(inner["thread_id"]), inner.get("checkpoint_ns", ""), get_checkpoint_id(config)


def _config(place: Place) -> Config:
    return {
        "configurable": {
            "thread_id": place.thread,
            "checkpoint_ns": place.namespace,
            "checkpoint_id": place.id,
        }
    }


def _safe(serde: Any) -> Any:
    """A serialiser that builds nothing but data and listed types. Raises `UsageError`."""
    if serde is None:
        return JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
    inner = serde.serde if isinstance(serde, EncryptedSerializer) else serde
    if cast(bool, getattr(inner, "pickle_fallback", False)):
        raise UsageError(
            "expected a serialiser without pickle; found one with pickle_fallback=True",
            hint="who can write to the database could run code here; leave pickle_fallback out",
        )
    return serde
