"""Kernels and modules as distributions pack them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from forgewright.core.errors import MissingProgram, SandboxError, Unavailable
from forgewright.sandbox import guest_image
from forgewright.sandbox.packing import unpack
from forgewright.sandbox.vmlinux import uncompressed

KERNEL = b"\x7fELF" + bytes(range(256)) * 64


def zstd(data: bytes) -> bytes:
    if shutil.which("zstd") is None:
        message = "zstd is not installed; run: apt-get install zstd"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout


def lz4_legacy(data: bytes) -> bytes:
    """One block of literals, and the unpacked size that the kernel appends."""
    count, length = len(data) - 15, b""
    while count >= 255:
        length, count = length + b"\xff", count - 255
    block = b"\xf0" + length + bytes([count]) + data
    return b"\x02\x21\x4c\x18" + struct.pack("<I", len(block)) + block + struct.pack("<I", len(data))


PACKED = {
    "xz": lzma.compress,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "lz4": lz4_legacy,
    "zstd": zstd,
}


@pytest.mark.parametrize("how", PACKED)
def test_what_is_packed_is_unpacked(how: str) -> None:
    assert unpack(PACKED[how](KERNEL), "it") == KERNEL


@pytest.mark.parametrize("how", PACKED)
def test_a_kernel_has_its_size_behind_it(how: str) -> None:
    assert unpack(PACKED[how](KERNEL) + struct.pack("<I", len(KERNEL)), "it") == KERNEL


@pytest.mark.parametrize("how", [how for how in PACKED if how != "lz4"])
def test_what_is_broken_is_an_error_that_names_it(how: str) -> None:
    packed = PACKED[how](KERNEL)
    with pytest.raises(SandboxError, match="the kernel cannot be unpacked"):
        unpack(packed[:6] + b"\xff" * len(packed), "the kernel")


def test_what_is_not_packed_is_told_apart() -> None:
    assert unpack(KERNEL, "it") is None


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zstd(KERNEL)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgram, match="zstd"):
        unpack(packed, "the module")


def bz_image(payload: bytes) -> bytes:
    """Boot protocol of x86: one sector of setup, the payload right behind it."""
    data = bytearray(1024)
    data[0x1F1] = 1
    data[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", data, 0x248, 0, len(payload))
    return bytes(data) + payload


@pytest.mark.parametrize("how", PACKED)
def test_a_kernel_is_unpacked_once(how: str, tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    image.write_bytes(bz_image(PACKED[how](KERNEL)))
    kept = uncompressed(image, tmp_path)
    assert kept.read_bytes() == KERNEL
    before = kept.stat().st_ino
    assert uncompressed(image, tmp_path).stat().st_ino == before


def test_an_unknown_packing_says_what_to_do(tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    image.write_bytes(bz_image(b"\x01\x02\x03\x04" * 8))
    with pytest.raises(Unavailable, match="01020304") as told:
        uncompressed(image, tmp_path)
    assert "FORGEWRIGHT_KERNEL_IMAGE" in (told.value.hint or "")


@pytest.mark.parametrize(("ending", "how"), [("", None), (".xz", "xz"), (".gz", "gzip"), (".zst", "zstd")])
def test_the_guest_gets_modules_unpacked(
    ending: str, how: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kernel").mkdir()
    for name in ("virtio_ring", "overlay"):
        packed = PACKED[how](KERNEL) if how else KERNEL
        (tmp_path / "kernel" / f"{name}.ko{ending}").write_bytes(packed)
    (tmp_path / "modules.dep").write_text(
        f"kernel/overlay.ko{ending}: kernel/virtio_ring.ko{ending}\nkernel/virtio_ring.ko{ending}:\n"
    )
    monkeypatch.setattr(guest_image, "_MODULES", tmp_path.parent)
    archive = guest_image.initramfs(tmp_path.name, ("overlay",))
    assert archive.count(KERNEL) == 2
    assert archive.index(b"modules/00-virtio_ring") < archive.index(b"modules/01-overlay")
