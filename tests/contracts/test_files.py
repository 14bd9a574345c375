"""What every file backend does, the same way: memory, directory, store, run state, sandbox, and several as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.agent.workspace.places import a_sandbox

from forgewright import END, Engine, Graph, State, Update
from forgewright.agent.workspace import RunFiles, SandboxFiles
from forgewright.core.errors import Conflict, NotFound, UnsafePath, UsageError
from forgewright.files import CompositeFiles, DirectoryFiles, Files, MemoryFiles, StoredFiles
from forgewright.runtime.context import Context
from forgewright.sandbox import Command
from forgewright.store import open_store

Make = Callable[[Path], Files]


def directory(folder: Path) -> Files:
    return DirectoryFiles(folder)


def memory(_: Path) -> Files:
    return MemoryFiles()


def composite(folder: Path) -> Files:
    return CompositeFiles(DirectoryFiles(folder), {"/a": MemoryFiles(), "/a/deep": MemoryFiles()})


@asynccontextmanager
async def of_a_run() -> AsyncIterator[Files]:
    """Files of a run whose only node waits until the test is over."""
    opened: asyncio.Future[Files] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()
    graph = Graph("wait", State)

    @graph.node(to=[END])
    async def wait(state: State, context: Context) -> Update:
        opened.set_result(RunFiles(context))
        await done.wait()
        return Update()

    async with Engine() as engine:
        running = asyncio.create_task(engine.run(graph, State()))
        yield await opened
        done.set()
        assert (await running).status == "finished"


@pytest.fixture(
    params=[directory, memory, composite, "stored", "run", pytest.param("sandbox", marks=pytest.mark.sandbox)]
)
async def files(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Files]:
    if request.param == "stored":
        store = await open_store(tmp_path)
        yield StoredFiles(store.memory, "agent/coder")
        await store.close()
    elif request.param == "run":
        async with of_a_run() as opened:
            yield opened
    elif request.param == "sandbox":
        async with a_sandbox() as sandbox:
            await sandbox.run(Command(("mkdir", "/tmp/root")))
            yield SandboxFiles(sandbox, "/tmp/root")
    else:
        yield request.param(tmp_path)


async def test_written_is_read(files: Files) -> None:
    await files.write("/a/b.txt", b"one\ntwo\n")
    assert await files.read("a/b.txt") == b"one\ntwo\n"
    await files.write("a/b.txt", b"")
    assert await files.read("/a//./b.txt") == b""
    assert (await files.stat("a/b.txt")).kind == "file"
    assert (await files.stat("a")).kind == "folder"
    assert (await files.stat("")).kind == "folder"


async def test_listings_are_direct_and_sorted(files: Files) -> None:
    for name in ("z.txt", "a/2", "a/1", "a/deep/x", "b/c/d"):
        await files.write(name, b"123")
    assert [(e.path, e.kind) for e in await files.ls()] == [
        ("a", "folder"),
        ("b", "folder"),
        ("z.txt", "file"),
    ]
    listed = await files.ls("/a/")
    assert [(e.path, e.kind, e.size_bytes if e.kind == "file" else 0) for e in listed] == [
        ("a/1", "file", 3),
        ("a/2", "file", 3),
        ("a/deep", "folder", 0),
    ]


async def test_edits_replace_what_is_there_once(files: Files) -> None:
    await files.write("f", b"x = 1\ny = 1\n")
    assert await files.edit("f", "x = 1", "x = 2") == 1
    with pytest.raises(Conflict, match="2 times"):
        await files.edit("f", " = ", ":")
    assert await files.edit("f", " = ", ":", every=True) == 2
    assert await files.read("f") == b"x:2\ny:1\n"
    with pytest.raises(Conflict, match="not there"):
        await files.edit("f", "z", "y")
    with pytest.raises(UsageError):
        await files.edit("f", "", "y")


async def test_an_edit_keeps_windows_line_ends(files: Files) -> None:
    await files.write("f", b"a\r\nb\r\n")
    await files.edit("f", "a\nb\n", "a\nc\n")
    assert await files.read("f") == b"a\r\nc\r\n"


async def test_globs(files: Files) -> None:
    for name in ("x.py", "a/y.py", "a/deep/z.py", "a/deep/z.txt", "b/[1].py"):
        await files.write(name, b"")
    assert await files.glob("*.py") == ["a/deep/z.py", "a/y.py", "b/[1].py", "x.py"]
    assert await files.glob("/*.py") == ["x.py"]
    assert await files.glob("a/**/*.py") == ["a/deep/z.py", "a/y.py"]
    assert await files.glob("**/*.{txt,md}") == ["a/deep/z.txt"]
    assert await files.glob("deep/*", "a") == ["a/deep/z.py", "a/deep/z.txt"]
    assert await files.glob("?.py", "a") == ["a/deep/z.py", "a/y.py"]
    assert await files.glob("[!x].py") == ["a/deep/z.py", "a/y.py"]
    with pytest.raises(UsageError):
        await files.glob("")


async def test_grep(files: Files) -> None:
    await files.write("x.py", b"import os\nimport sys\r\n")
    await files.write("a/y.py", b"x.os\n")
    await files.write("a/deep/z.bin", b"os\0os")
    found = await files.grep("os")
    assert [(m.path, m.line, m.text) for m in found.matches] == [
        ("a/y.py", 1, "x.os"),
        ("x.py", 1, "import os"),
    ]
    assert found.skipped == ("a/deep/z.bin",)
    assert [m.line for m in (await files.grep("^import.*s$", regex=True)).matches] == [1, 2]
    assert [m.path for m in (await files.grep(".os")).matches] == ["a/y.py"]
    assert [m.path for m in (await files.grep("os", glob="x.*")).matches] == ["x.py"]
    assert [m.path for m in (await files.grep("os", "a")).matches] == ["a/y.py"]
    assert [m.path for m in (await files.grep("os", "x.py")).matches] == ["x.py"]
    cut = await files.grep("s", matches_max=1)
    assert len(cut.matches) == 1
    assert cut.truncated
    with pytest.raises(UsageError, match="regular expression"):
        await files.grep("(", regex=True)


async def test_deleting(files: Files) -> None:
    await files.write("b/c/d", b"1")
    await files.write("b/e", b"1")
    await files.delete("b/e")
    with pytest.raises(NotFound):
        await files.read("b/e")
    await files.delete("b")
    with pytest.raises(NotFound):
        await files.ls("b")
    with pytest.raises(NotFound):
        await files.delete("b")
    with pytest.raises(UsageError):
        await files.delete("/")


async def test_files_and_folders_are_not_taken_for_each_other(files: Files) -> None:
    await files.write("b/c", b"1")
    for wrong in (files.read("b"), files.write("b", b""), files.ls("b/c"), files.write("b/c/d", b"")):
        with pytest.raises(Conflict):
            await wrong
    with pytest.raises(NotFound):
        await files.read("b/x")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a\0b", "n" * 256, "/".join(["d" * 200] * 30)])
async def test_paths_stay_inside(files: Files, path: str) -> None:
    for wrong in (
        files.read(path),
        files.write(path, b""),
        files.ls(path),
        files.delete(path),
        files.stat(path),
    ):
        with pytest.raises(UnsafePath):
            await wrong


async def test_a_file_has_a_largest_size(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgewright.files.content.FILE_BYTES_MAX", 10)
    await files.write("f", b"x" * 10)
    with pytest.raises(UsageError, match="10 bytes"):
        await files.write("f", b"x" * 11)
    assert await files.read("f") == b"x" * 10


async def test_many_at_once_have_a_result_each(files: Files) -> None:
    sent = await files.upload([("b/1", b"one"), ("../x", b""), ("b/2", b"\0two"), ("b", b"")])
    assert [(one.path, one.error) for one in sent] == [
        ("b/1", ""),
        ("../x", "unsafe_path"),
        ("b/2", ""),
        ("b", "conflict"),
    ]
    assert "folder" in sent[3].message
    got = await files.download(["b/2", "b/3", "b", "b/1"])
    assert [(one.data, one.error) for one in got] == [
        (b"\0two", ""),
        (None, "not_found"),
        (None, "conflict"),
        (b"one", ""),
    ]
    assert got[0].ok
    assert not got[1].ok


@pytest.mark.parametrize("name", ["a b", "-n", "$(id)", "'\"", "tab\tand\nline", "ü☃", "*", "\\"])
async def test_names_are_taken_as_they_are(files: Files, name: str) -> None:
    await files.write(f"b/{name}/{name}", b"needle")
    assert await files.read(f"b/{name}/{name}") == b"needle"
    assert [e.path for e in await files.ls("b")] == [f"b/{name}"]
    assert await files.glob("**", "b") == [f"b/{name}/{name}"]
    assert [m.path for m in (await files.grep("needle", "b")).matches] == [f"b/{name}/{name}"]
    await files.delete(f"b/{name}")
    await files.write("b/x", b"")
    assert [e.path for e in await files.ls("b")] == ["b/x"]


async def test_memory_is_bounded() -> None:
    files = MemoryFiles(bytes_max=10)
    await files.write("a", b"123456")
    with pytest.raises(UsageError):
        await files.write("b", b"123456")
    await files.write("a", b"1")
    await files.write("b", b"123456")


async def test_a_mount_hides_what_lies_under_it(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "hidden").write_text("secret")
    inner = MemoryFiles({"seen": b"secret"})
    files = CompositeFiles(DirectoryFiles(tmp_path), {"m": inner})
    assert [e.path for e in await files.ls("m")] == ["m/seen"]
    assert await files.glob("**") == ["m/seen"]
    assert [m.path for m in (await files.grep("secret")).matches] == ["m/seen"]
    with pytest.raises(UsageError):
        await files.delete("m")
    assert (tmp_path / "m" / "hidden").exists()


async def test_stored_files_are_there_in_another_process(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await StoredFiles(store.memory, "n").write("a/b", b"kept")
    await store.close()
    store = await open_store(tmp_path)
    assert await StoredFiles(store.memory, "n").read("a/b") == b"kept"
    assert await StoredFiles(store.memory, "m").ls() == []
    await store.close()
