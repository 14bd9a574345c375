"""Folders, archives and Debian packages become images; the same content has the same digest, wherever it came from."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import subprocess
from pathlib import Path

import pytest

from forgewright.core.errors import IntegrityError, NotFound, UnsafePath
from forgewright.sandbox.images import ImageName, all_images, ensure, fetch, find, remove, store, verify
from forgewright.sandbox.images.debian import build
from forgewright.sandbox.images.presets import LANGUAGES, preset
from forgewright.sandbox.types import Tier

from .conftest import need, tree_archive


def test_a_folder_and_its_archives_are_one_image(small_root: Path, tmp_path: Path) -> None:
    plain = tree_archive(small_root)
    for name, data in (
        ("a.tar", plain),
        ("a.tar.gz", gzip.compress(plain, 1)),
        ("a.tar.xz", lzma.compress(plain, preset=0)),
    ):
        (tmp_path / name).write_bytes(data)
    images = [
        fetch(f"dir:{small_root}"),
        *(fetch(f"tar:{tmp_path}/{name}") for name in ("a.tar", "a.tar.gz", "a.tar.xz")),
    ]
    assert len({image.digest for image in images if image}) == 1
    image = images[0]
    assert image is not None
    assert image.digest == image.tree_digest
    assert find(f"dir:{small_root}") == find(image.digest)
    assert [found.digest for found in all_images()] == [image.digest]
    assert not (image.tree / "etc" / "resolv.conf").is_symlink()


def test_what_changes_later_does_not_change_the_image(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_text("one")
    first = fetch(f"dir:{folder}")
    (folder / "sub" / "file").write_text("two")
    assert first is not None
    assert find(f"dir:{folder}") == first
    assert (first.tree / "sub" / "file").read_text() == "one"
    second = ensure(f"dir:{folder}")
    assert second is not None
    assert second.digest != first.digest
    (second.tree / "sub" / "file").write_text("changed in the cache")
    with pytest.raises(IntegrityError):
        verify(second)
    remove(second)
    with pytest.raises(NotFound):
        find(second.digest)
    assert find(first.digest) is not None


def test_folders_with_what_no_image_has(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "outside").symlink_to("/etc/shadow")
    image = fetch(f"dir:{folder}")
    assert image is not None
    assert os.readlink(image.tree / "outside") == "/etc/shadow"  # a link, not what it leads to
    os.mkfifo(folder / "pipe")
    with pytest.raises(UnsafePath):
        fetch(f"dir:{folder}")
    with pytest.raises(NotFound):
        fetch(f"dir:{tmp_path}/none")
    with pytest.raises(NotFound):
        fetch(f"tar:{tmp_path}/none")
    assert [name for name in os.listdir(store.images_root() / "by-digest") if name.startswith(".")] == []


@pytest.fixture
def debian_archive(tmp_path: Path) -> str:
    """A flat archive of one package, as a line of sources.list (sources.list(5))."""
    need("dpkg-deb", "apt-get install dpkg")
    package = tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "usr" / "bin").mkdir(parents=True)
    (package / "usr" / "bin" / "greet").write_text("#!/bin/sh\necho hello\n")
    (package / "usr" / "bin" / "greet").chmod(0o755)
    (package / "usr" / "share" / "man").mkdir(parents=True)
    control = "Package: greet\nVersion: 1.0\nArchitecture: all\nMaintainer: N <n@example.com>\nDescription: greets\n"
    (package / "DEBIAN" / "control").write_text(control)
    archive = tmp_path / "archive"
    archive.mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    file = archive / "greet.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", package, file], check=True, capture_output=True
    )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (archive / "Packages").write_text(
        f"{control}Filename: ./greet.deb\nSize: {file.stat().st_size}\nSHA256: {digest}\n\n"
    )
    return f"deb [trusted=yes] copy://{archive} ./"


def test_an_image_of_packages_is_the_same_each_time(debian_archive: str) -> None:
    need("mmdebstrap", "apt-get install mmdebstrap")
    name = ImageName.parse("debian:greet")
    first = build(name, sources=(debian_archive,), variant="extract")
    assert (first.tree / "usr" / "bin" / "greet").read_text().startswith("#!/bin/sh")
    assert find("debian:greet") == first
    remove(first)
    assert build(name, sources=(debian_archive,), variant="extract").digest == first.digest


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_languages_recipe_is_the_same_each_time(language: str) -> None:
    """From Debian's own archive, over the network: some minutes."""
    need("mmdebstrap", "apt-get install mmdebstrap")
    name = ImageName.parse(f"debian:{LANGUAGES[language].package}")
    first = build(name)
    remove(first)
    assert build(name).digest == first.digest


def test_presets_take_what_the_machine_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from forgewright.sandbox.images import presets

    monkeypatch.setattr(presets, "_OFFERED", (str(tmp_path),))
    monkeypatch.setattr(presets, "_STATUS", tmp_path / "status")
    assert preset("ruby").image == "debian:ruby"
    assert preset("ruby", Tier.MICROVM).image == "debian:ruby"
    (tmp_path / "ruby").write_text("")
    (tmp_path / "ruby").chmod(0o755)
    (tmp_path / "status").write_text("Package: ruby\nStatus: install ok installed\nArchitecture: all\n")
    assert preset("ruby").image == "host"
    assert preset("ruby", Tier.MICROVM).image == "host+ruby"
