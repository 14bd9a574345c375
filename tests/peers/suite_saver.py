"""What the checkpoint saver promises beyond its suite: seals, no unpickling, one state for all who open a home."""

from __future__ import annotations

import asyncio
import os
import pickle
import random
import sqlite3
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph

from forgewright.core.errors import IntegrityError, UsageError
from forgewright.integrations.langgraph import ForgewrightSaver

THREAD = {"configurable": {"thread_id": "t"}}


class Notes(TypedDict):
    notes: Annotated[list[str], lambda old, new: old + new]


def graph(saver: ForgewrightSaver) -> Any:
    builder = StateGraph(Notes)
    builder.add_node("look", lambda _: {"notes": ["the tool said 41"]})
    builder.add_edge(START, "look")
    return builder.compile(checkpointer=saver)


def rows(home: Path) -> list[tuple[str, str, bytes]]:
    with sqlite3.connect(home / "journal.db") as connection:
        return connection.execute("SELECT namespace, key, value FROM memory").fetchall()


def test_a_forged_value_is_refused(tmp_path: Path) -> None:
    with ForgewrightSaver(tmp_path) as saver:
        graph(saver).invoke({"notes": []}, THREAD)
    forged = [(n, k, v) for n, k, v in rows(tmp_path) if b"said 41" in v]
    assert forged
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        for namespace, key, value in forged:
            connection.execute(
                "UPDATE memory SET value=? WHERE namespace=? AND key=?",
                (value.replace(b"said 41", b"said 42"), namespace, key),
            )
    with ForgewrightSaver(tmp_path) as saver, pytest.raises(IntegrityError, match="not written by this home"):
        graph(saver).get_state(THREAD)


def test_a_value_from_another_thread_is_refused(tmp_path: Path) -> None:
    with ForgewrightSaver(tmp_path) as saver:
        for thread in ("mine", "yours"):
            graph(saver).invoke({"notes": [thread]}, {"configurable": {"thread_id": thread}})
    taken = {n: v for n, k, v in rows(tmp_path) if '"mine","c"' in n}
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        for namespace, value in taken.items():
            connection.execute(
                "UPDATE memory SET value=? WHERE namespace=?", (value, namespace.replace("mine", "yours"))
            )
    with ForgewrightSaver(tmp_path) as saver, pytest.raises(IntegrityError):
        saver.get_tuple({"configurable": {"thread_id": "yours"}})


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with ForgewrightSaver(tmp_path) as saver:
        graph(saver).invoke({"notes": []}, THREAD)
    assert (tmp_path / "keys/checkpoints.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "keys/checkpoints.key").chmod(0o644)
    with ForgewrightSaver(tmp_path) as saver, pytest.raises(IntegrityError, match="chmod 600"):
        graph(saver).get_state(THREAD)


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("exploded",)


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="pickle"):
        ForgewrightSaver(serde=JsonPlusSerializer(pickle_fallback=True))
    inner = JsonPlusSerializer(pickle_fallback=True)
    with pytest.raises(UsageError, match="pickle"):
        ForgewrightSaver(serde=EncryptedSerializer(_NoCipher(), inner))
    with ForgewrightSaver(tmp_path / "home") as saver:
        with pytest.raises(NotImplementedError):
            saver.serde.loads_typed(("pickle", pickle.dumps(Bomb())))
        with pytest.raises(TypeError):
            saver.serde.dumps_typed(Bomb())
    assert not (tmp_path / "exploded").exists()


class _NoCipher:
    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "none", plaintext

    def decrypt(self, name: str, ciphertext: bytes) -> bytes:
        return ciphertext


async def test_sync_and_async_callers_see_one_state(tmp_path: Path) -> None:
    with ForgewrightSaver(tmp_path) as saver, ForgewrightSaver(tmp_path) as other:
        await asyncio.gather(
            *(
                graph(saver).ainvoke({"notes": [str(n)]}, {"configurable": {"thread_id": str(n)}})
                for n in range(20)
            )
        )
        for n in range(20):
            state = await asyncio.to_thread(graph(other).get_state, {"configurable": {"thread_id": str(n)}})
            assert state.values["notes"] == [str(n), "the tool said 41"]
    with pytest.raises(UsageError, match="closed"):
        saver.get_tuple(THREAD)


def test_pruning_keeps_what_a_delta_channel_is_rebuilt_from(tmp_path: Path) -> None:
    class Log(TypedDict):
        lines: Annotated[list[str], DeltaChannel(lambda old, writes: old + [x for w in writes for x in w])]

    builder = StateGraph(Log)
    builder.add_node("log", lambda _: {"lines": ["x"]})
    builder.add_edge(START, "log")
    with ForgewrightSaver(tmp_path) as saver:
        compiled = builder.compile(checkpointer=saver)
        for _ in range(4):
            compiled.invoke({"lines": ["y"]}, THREAD)
        before = compiled.get_state(THREAD).values["lines"]
        assert before == ["y", "x"] * 4
        saver.prune(["t"])
        assert compiled.get_state(THREAD).values["lines"] == before


def test_a_long_conversation_is_not_stored_anew_at_each_step(tmp_path: Path) -> None:
    steps, size = 300, 500

    def say(state: Notes) -> dict[str, list[str]]:
        return {"notes": [random.Random(len(state["notes"])).randbytes(size // 2).hex()]}

    builder = StateGraph(Notes)
    builder.add_node("say", say)
    builder.add_edge(START, "say")
    builder.add_conditional_edges("say", lambda state: END if len(state["notes"]) >= steps else "say")
    with ForgewrightSaver(tmp_path) as saver:
        done = builder.compile(checkpointer=saver).invoke(
            {"notes": []}, {**THREAD, "recursion_limit": steps + 10}
        )
    with ForgewrightSaver(tmp_path) as saver:
        assert builder.compile(checkpointer=saver).get_state(THREAD).values == done
    stored = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert stored < 20 * steps * size  # whole versions would take 150 times
