"""Any sequence of operations gives the same results and errors on a directory, in memory and in a composite."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forgewright.core.errors import ForgewrightError, UnsafePath, UsageError
from forgewright.files import CompositeFiles, DirectoryFiles, Files, MemoryFiles

names = st.sampled_from(["a", "b", "c.py", "ü", ".x"])
paths = st.one_of(
    st.lists(names, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "/", "..", "a/../b", "./a", "a//b", "/a/b/"]),
)
texts = st.sampled_from(["", "one\n", "one\ntwo\n", "x\r\ny\r\n", "one one"])
patterns = st.sampled_from(["*", "**", "*.py", "a/*", "**/b", "a/**/*.py", "[ab]", "?", "{a,b}", "[", "!a"])

operations = st.one_of(
    st.tuples(st.just("write"), paths, texts.map(str.encode)),
    st.tuples(st.just("read"), paths),
    st.tuples(st.just("ls"), paths),
    st.tuples(st.just("stat"), paths),
    st.tuples(st.just("delete"), paths),
    st.tuples(
        st.just("edit"), paths, st.sampled_from(["one", "x\ny", "z", ""]), st.sampled_from(["two", "one", ""])
    ),
    st.tuples(st.just("glob"), patterns, paths),
    st.tuples(st.just("grep"), st.sampled_from(["one", "o.e", "y", "\r"]), paths),
)


async def outcome(files: Files, operation: tuple[Any, ...]) -> object:
    """The result without times, or the kind of error. A folder without files is on a disk still there and in
    memory gone, so here it counts as gone."""
    name, *arguments = operation
    empty = name in ("ls", "stat", "delete", "glob", "grep") and await _is_empty(files, arguments[-1])
    try:
        found = await getattr(files, name)(*arguments)
    except ForgewrightError as error:
        return (
            "NotFound" if empty and not isinstance(error, UnsafePath | UsageError) else type(error).__name__
        )
    if empty:
        return "NotFound"
    if name == "ls":
        full = [e for e in found if e.kind == "file" or not await _is_empty(files, e.path)]
        return [(e.path, e.kind, e.size_bytes if e.kind == "file" else 0) for e in full]
    if name == "stat":
        return found.path, found.kind, found.size_bytes if found.kind == "file" else 0
    return found


async def _is_empty(files: Files, path: str) -> bool:
    try:
        return not await files.glob("**", path)
    except ForgewrightError:
        return True


@settings(max_examples=200, deadline=None)
@given(st.lists(operations, max_size=12))
def test_all_backends_agree(steps: list[tuple[Any, ...]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            backends = [
                MemoryFiles(),
                DirectoryFiles(Path(one)),
                CompositeFiles(DirectoryFiles(Path(two)), {"elsewhere": MemoryFiles({"kept": b""})}),
            ]
            for step in steps:
                memory, directory, composite = [await outcome(files, step) for files in backends]
                if step[0] == "write" and memory is None and directory == "Conflict":
                    return  # an emptied folder stands there; from here on the two differ rightly
                assert directory == memory, step
                if not (step[0] in ("ls", "stat", "glob", "grep", "delete") and step[-1].strip("/.") == ""):
                    assert composite == memory, step  # the root also shows the mount

    asyncio.run(run())
