"""An image without Python, package manager or user is a root file system in every tier that has one."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from forgewright.core.errors import NotFound
from forgewright.sandbox import Command, Limits, Mount, SandboxSpec, Tier, driver
from forgewright.sandbox.images import Image, fetch
from forgewright.sandbox.images.presets import LANGUAGES, Preset, preset
from forgewright.sandbox.session import AgentSandbox

from .conftest import Registry, need

pytestmark = pytest.mark.sandbox

TIERS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}
SETUP = "sh scripts/setup.sh"


@pytest.fixture
def image(small_root: Path) -> Image:
    made = fetch(f"dir:{small_root}")
    assert made is not None
    return made


@pytest.fixture(params=TIERS)
async def sandbox(
    request: pytest.FixtureRequest, image: Image, tmp_path: Path
) -> AsyncIterator[AgentSandbox]:
    need(TIERS[request.param], SETUP)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "file").write_text("from the host\n")
    spec = SandboxSpec(
        tier=Tier(request.param), image=image.digest, limits=Limits(memory_bytes=256 << 20, disk_bytes=64 << 20),
        mounts=(Mount(str(tmp_path / "work"), "/opt/app/work", "cow"),),
    )  # fmt: skip
    made = await driver(request.param).create(spec)
    assert isinstance(made, AgentSandbox)
    yield made
    await made.close()


async def test_it_is_the_root_and_nothing_else_is(
    sandbox: AgentSandbox, image: Image, tmp_path: Path
) -> None:
    async def shell(script: str, **options: object) -> tuple[int, bytes]:
        ended = await sandbox.run(Command(argv=("sh", "-c", script), **options))  # type: ignore[arg-type]
        return ended.code, ended.stdout

    assert await shell("cat /opt/app/greeting; cat") == (0, b"hello from the image\n")
    assert (await shell("python3 -c 1"))[0] == 127
    assert await shell("id -u; echo $HOME; cat /etc/hostname; cat /etc/resolv.conf") == (
        0,
        b"1000\n/home/sandbox\nsandbox\n",
    )
    assert b"builder:x:7:7" in (await shell("cat /etc/passwd"))[1]
    assert b"sandbox:x:1000:1000" in (await shell("cat /etc/passwd"))[1]
    for path in ("/opt/app/greeting", "/usr/new", "/etc/passwd", "/new"):
        assert (await shell(f"echo x > {path}"))[0] != 0, path
    assert not (image.tree / "usr" / "new").exists()
    for path in ("/tmp", "/var/tmp", "/run", "/home/sandbox", "/opt/app/work"):
        assert (await shell(f"echo x > {path}/new && cat {path}/new"))[1] == b"x\n", path
    assert (await shell("cat /opt/app/work/file"))[1] == b"from the host\n"
    assert os.listdir(tmp_path / "work") == ["file"]
    await sandbox.write("/tmp/a/b", b"data")
    assert await sandbox.read("/tmp/a/b") == b"data"
    assert list(await sandbox.list("/opt")) == ["app"]
    ended = await sandbox.run(Command(argv=("sh", "-c", "sleep 60 & sleep 60"), timeout_seconds=0.4))
    assert ended.reason == "timeout"


async def test_two_sandboxes_of_one_image_do_not_see_each_other(image: Image) -> None:
    need("crun", SETUP)
    first, second = [await driver("container").create(SandboxSpec(image=image.digest)) for _ in range(2)]
    try:
        await first.write("/tmp/mine", b"x")
        with pytest.raises(NotFound):
            await second.read("/tmp/mine")
    finally:
        await first.close()
        await second.close()


async def test_the_environment_of_an_image_is_below_the_specs(
    registry: Registry, layout: object, small_root: Path
) -> None:
    from .conftest import tree_archive

    need("crun", SETUP)
    made = layout()  # type: ignore[operator]  # a factory
    made.index(made.image([tree_archive(small_root)], ["PATH=/opt/bin:/usr/bin", "A=image", "B=image"]))
    registry.push(made, "team/env:1")
    name = f"oci:{registry.address}/team/env:1"
    with pytest.raises(NotFound, match="not in the cache"):
        await driver("container").create(SandboxSpec(image=name))
    fetch(name)
    sandbox = await driver("container").create(SandboxSpec(image=name, environment={"B": "spec"}))
    try:
        ended = await sandbox.run(Command(argv=("sh", "-c", "echo $PATH $A $B")))
        assert ended.stdout == b"/opt/bin:/usr/bin image spec\n"
    finally:
        await sandbox.close()


async def test_two_images_in_virtual_machines_are_not_mistaken(small_root: Path, tmp_path: Path) -> None:
    """Machines are restored from snapshots, and each image has its own."""
    need(TIERS["microvm"], SETUP)
    for text in ("one", "two"):
        root = tmp_path / text
        shutil.copytree(small_root, root, symlinks=True)
        (root / "opt" / "app" / "greeting").write_text(text)
        made = fetch(f"dir:{root}")
        assert made is not None
        sandbox = await driver("microvm").create(SandboxSpec(tier=Tier.MICROVM, image=made.digest))
        try:
            assert (await sandbox.run(Command(argv=("cat", "/opt/app/greeting")))).stdout == text.encode()
        finally:
            await sandbox.close()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_hello_in_each_language(language: str, tier: str) -> None:
    """Where the machine has the language itself; the recipe from Debian's archive is built under `make soak`."""
    need(TIERS[tier], SETUP)
    made = preset(language, Tier(tier))
    if not made.image.startswith("host"):
        pytest.skip(
            f"no {language} of this machine's own; run: apt-get install {LANGUAGES[language].package}"
        )
    await _hello(language, tier, made)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_hello_from_a_recipe(language: str, tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from forgewright.sandbox.images import ensure

    need(TIERS[tier], SETUP)
    need("mmdebstrap", "apt-get install mmdebstrap")
    monkeypatch.delenv("FORGEWRIGHT_IMAGES")  # built once for all tiers
    known = LANGUAGES[language]
    made = Preset(f"debian:{known.package}", (), known.environment)
    ensure(made.image)
    await _hello(language, tier, made)


async def _hello(language: str, tier: str, made: Preset) -> None:
    spec = SandboxSpec(
        tier=Tier(tier), image=made.image, mounts=made.mounts, environment=made.environment,
        limits=Limits(memory_bytes=1 << 30, disk_bytes=512 << 20),
    )  # fmt: skip
    sandbox = await driver(tier).create(spec)
    try:
        ended = await sandbox.run(Command(argv=LANGUAGES[language].hello, timeout_seconds=280))
        assert ended.stdout.strip() == b"hello", ended
    finally:
        await sandbox.close()
