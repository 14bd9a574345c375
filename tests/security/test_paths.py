"""No path, link, device or race leads out of a directory backend; a canary outside proves it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from forgewright.core.errors import Conflict, ForgewrightError, NotFound, UnsafePath
from forgewright.files import DirectoryFiles

CANARY = b"the canary outside"
Operation = Callable[[DirectoryFiles, str], Awaitable[object]]

OPERATIONS: list[Operation] = [
    lambda f, p: f.read(p),
    lambda f, p: f.write(p, b"harm"),
    lambda f, p: f.edit(p, "canary", "harm"),
]


class Scene:
    def __init__(self, folder: Path) -> None:
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.canary = self.outside / "canary.txt"
        self.canary.write_bytes(CANARY)
        self.root = folder / "root"
        self.root.mkdir()
        self.files = DirectoryFiles(self.root)

    def unharmed(self) -> bool:
        return self.canary.read_bytes() == CANARY and sorted(os.listdir(self.outside)) == ["canary.txt"]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "path",
    ["../outside/canary.txt", "a/../../outside/canary.txt", "a/b/../../../outside/canary.txt", "..", "../x"],
)
async def test_dots(scene: Scene, operation: Operation, path: str) -> None:
    with pytest.raises(UnsafePath):
        await operation(scene.files, path)
    assert scene.unharmed()


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_an_absolute_path_means_the_root_of_the_backend(scene: Scene, operation: Operation) -> None:
    try:
        await operation(scene.files, str(scene.canary))
    except NotFound:
        pass
    assert scene.unharmed()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("target", ["absolute", "relative", "dangling"])
async def test_links_to_files(scene: Scene, operation: Operation, target: str) -> None:
    targets = {
        "absolute": scene.canary,
        "relative": "../outside/canary.txt",
        "dangling": scene.outside / "new.txt",
    }
    (scene.root / "link").symlink_to(targets[target])
    with pytest.raises(UnsafePath):
        await operation(scene.files, "link")
    assert scene.unharmed()


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_links_to_folders(scene: Scene, operation: Operation) -> None:
    (scene.root / "a").mkdir()
    (scene.root / "a" / "out").symlink_to(scene.outside)
    (scene.root / "a" / "self").symlink_to("self")
    for path in ("a/out/canary.txt", "a/out/new.txt", "a/self/x"):
        with pytest.raises(UnsafePath):
            await operation(scene.files, path)
    assert scene.unharmed()


async def test_listing_globbing_and_grepping_do_not_follow_links(scene: Scene) -> None:
    (scene.root / "out").symlink_to(scene.outside)
    (scene.root / "file").symlink_to(scene.canary)
    (scene.root / "loop").symlink_to(".")
    assert {e.path: e.kind for e in await scene.files.ls()} == {"out": "link", "file": "link", "loop": "link"}
    assert await scene.files.glob("**") == []
    assert (await scene.files.grep("canary")).matches == ()
    for call in (
        scene.files.ls("out"),
        scene.files.glob("*", "out/x"),
        scene.files.grep("canary", "out/canary.txt"),
    ):
        with pytest.raises(UnsafePath):
            await call


async def test_deleting_a_link_or_a_folder_with_links_leaves_what_they_name(scene: Scene) -> None:
    (scene.root / "a").mkdir()
    (scene.root / "a" / "out").symlink_to(scene.outside)
    (scene.root / "file").symlink_to(scene.canary)
    await scene.files.delete("file")
    await scene.files.delete("a")
    assert list(scene.root.iterdir()) == []
    assert scene.unharmed()


async def test_deleting_through_a_link(scene: Scene) -> None:
    (scene.root / "out").symlink_to(scene.outside)
    with pytest.raises(UnsafePath):
        await scene.files.delete("out/canary.txt")
    assert scene.unharmed()


async def test_a_hard_link_is_replaced_and_not_written_through(scene: Scene) -> None:
    os.link(scene.canary, scene.root / "hard")
    await scene.files.write("hard", b"harm")
    await scene.files.edit("hard", "harm", "more harm")
    assert scene.unharmed()


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_pipes_sockets_and_devices(scene: Scene, operation: Operation) -> None:
    os.mkfifo(scene.root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(scene.root / "socket"))
    names = ["pipe", "socket"]
    if os.geteuid() == 0:
        try:
            os.mknod(scene.root / "device", 0o20666, os.makedev(1, 5))
            names.append("device")
        except PermissionError:  # a container without the right to make devices
            pass
    for name in names:
        with pytest.raises(ForgewrightError):
            await operation(scene.files, name)
    assert {e.kind for e in await scene.files.ls()} == {"other"}


async def test_a_folder_that_becomes_a_link_between_check_and_use(scene: Scene) -> None:
    """Another process swaps a folder for a link as fast as it can; no write may land outside."""
    inner = scene.root / "inner"
    inner.mkdir()
    done = threading.Event()

    def swap() -> None:
        spare = scene.root / "spare"
        while not done.is_set():
            try:
                os.rename(inner, spare)
                os.symlink(scene.outside, inner)
                os.unlink(inner)
                os.rename(spare, inner)
            except OSError:  # a write made the folder anew meanwhile
                shutil.rmtree(spare, ignore_errors=True)

    thread = threading.Thread(target=swap)
    thread.start()
    outcomes = set()
    try:
        for number in range(1500):
            try:
                await scene.files.write("inner/planted.txt", b"harm %d" % number)
                outcomes.add("written")
                assert (await scene.files.read("inner/planted.txt")).startswith(b"harm")
            except (UnsafePath, NotFound, Conflict) as error:
                outcomes.add(type(error).__name__)
    finally:
        done.set()
        thread.join()
    assert "written" in outcomes
    assert scene.unharmed()


async def test_a_write_that_fails_leaves_nothing_behind(scene: Scene) -> None:
    (scene.root / "folder").mkdir()
    with pytest.raises(Conflict):
        await scene.files.write("folder", b"x")
    assert os.listdir(scene.root) == ["folder"]


async def test_the_mode_of_a_file_is_kept_without_its_special_bits(scene: Scene) -> None:
    script = scene.root / "run.sh"
    script.write_text("old")
    script.chmod(0o4755)
    await scene.files.write("run.sh", b"new")
    assert script.stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x1b[2Jb", "-rf", "ünïcode", "a b", "…", "con", "a\\b", "*", "[x]"]
)
async def test_strange_names_are_names(scene: Scene, name: str) -> None:
    await scene.files.write(name, b"x")
    assert [e.path for e in await scene.files.ls()] == [name]
    assert os.listdir(scene.root) == [name]
    await scene.files.delete(name)


async def test_a_closed_backend_opens_nothing(scene: Scene) -> None:
    scene.files.close()
    scene.files.close()
    with pytest.raises(ForgewrightError):
        await scene.files.read("x")
