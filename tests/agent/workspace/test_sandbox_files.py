"""Files of a sandbox: what commands do is seen, links are not followed, and what the mounts forbid is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agent.workspace.places import a_sandbox

from forgewright.agent.workspace import SandboxFiles
from forgewright.core.errors import NotFound, Refused, SandboxError, UnsafePath, UsageError
from forgewright.sandbox import Command, Mount, Sandbox, SandboxSpec

pytestmark = pytest.mark.sandbox


async def shell(sandbox: Sandbox, script: str) -> str:
    ended = await sandbox.run(Command(("sh", "-c", script), workdir="/tmp"))
    assert ended.ok, ended.stderr
    return ended.stdout.decode()


async def test_files_and_commands_share_one_tree() -> None:
    async with a_sandbox() as sandbox:
        files = SandboxFiles(sandbox, "/tmp")
        await files.write("w/a.sh", b"echo from a file")
        assert await shell(sandbox, "sh w/a.sh; echo made > w/b") == "from a file\n"
        assert await files.read("w/b") == b"made\n"
        await shell(sandbox, "chmod 750 w/a.sh")
        await files.edit("w/a.sh", "from", "by")
        assert await shell(sandbox, "stat -c %a w/a.sh; ls -A w") == "750\na.sh\nb\n"


async def test_no_link_and_no_device_is_followed() -> None:
    async with a_sandbox() as sandbox:
        files = SandboxFiles(sandbox, "/tmp")
        await shell(sandbox, "mkdir w t; echo secret > t/s; ln -s /tmp/t w/l; ln -s t/s file; mkfifo pipe")
        for path in ("w/l/s", "file", "pipe"):
            for operation in (files.read(path), files.write(path, b"harm"), files.edit(path, "secret", "")):
                with pytest.raises(UnsafePath):
                    await operation
        for looking in (files.ls("w/l"), files.glob("**", "w/l"), files.grep("s", "w/l")):
            with pytest.raises(UnsafePath):
                await looking
        assert [m.path for m in (await files.grep("secret")).matches] == ["t/s"]
        assert {e.path: e.kind for e in await files.ls()} == {
            "file": "link", "pipe": "other", "t": "folder", "w": "folder",
        }  # fmt: skip
        await files.delete("w/l")
        assert await shell(sandbox, "cat t/s") == "secret\n"


async def test_another_hard_link_keeps_what_it_names() -> None:
    async with a_sandbox() as sandbox:
        await shell(sandbox, "echo old > a; ln a b")
        await SandboxFiles(sandbox, "/tmp").write("a", b"new")
        assert await shell(sandbox, "cat b") == "old\n"


async def test_what_the_mounts_forbid_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("as it was")
    (tmp_path / "inner").mkdir()
    mount = Mount(str(tmp_path), "/tree", "ro")
    async with a_sandbox(SandboxSpec(mounts=(mount,))) as sandbox:
        files = SandboxFiles(sandbox, "/tree")
        for operation in (
            files.write("kept", b"harm"),
            files.write("inner/new", b"harm"),
            files.edit("kept", "was", "is"),
            files.delete("kept"),
        ):
            with pytest.raises(Refused):
                await operation
        assert await files.read("kept") == b"as it was"
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["inner", "kept"]


async def test_too_large_and_too_many_are_said() -> None:
    async with a_sandbox() as sandbox:
        files = SandboxFiles(sandbox, "/tmp")
        await shell(sandbox, "truncate -s 17M big; echo x > small")
        with pytest.raises(UsageError, match="bytes"):
            await files.read("big")
        assert (await files.grep("x")).skipped == ("big",)
        await shell(sandbox, "mkdir many; cd many; seq -f %0150.0f 30000 | xargs touch")
        with pytest.raises(UsageError, match="entries"):
            await files.glob("*", "many")


async def test_a_sandbox_that_has_ended_is_told_from_a_missing_file() -> None:
    async with a_sandbox() as sandbox:
        files = SandboxFiles(sandbox, "/tmp")
        with pytest.raises(NotFound):
            await files.read("x")
    with pytest.raises(SandboxError):
        await files.read("x")
    with pytest.raises(UsageError, match="absolute"):
        SandboxFiles(sandbox, "tmp")
