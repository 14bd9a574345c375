"""The kernel as an ELF file, for monitors that do not unpack a bzImage themselves (Firecracker's boot protocol).

The payload's place is said in the header (Linux, Documentation/arch/x86/boot.rst, `payload_offset`).
"""

from __future__ import annotations

import struct
from hashlib import sha256
from pathlib import Path

from forgewright.core.errors import Unavailable
from forgewright.sandbox import cache
from forgewright.sandbox.packing import unpack

_SETUP_SECTORS, _PAYLOAD = 0x1F1, 0x248


def uncompressed(image: Path, folder: Path) -> Path:
    """`image` itself where it is an ELF file already; else its payload, unpacked once into `folder`.

    Raises `Unavailable` for a packing that is not known here.
    """
    data = image.read_bytes()
    if data[:4] == b"\x7fELF":
        return image
    kept = folder / f"vmlinux-{sha256(data).hexdigest()[:16]}"
    if not cache.holds(kept):
        if data[0x202:0x206] != b"HdrS":
            raise Unavailable(f"{image} is no Linux kernel", hint="give the path of a bzImage or vmlinux")
        offset, length = struct.unpack_from("<II", data, _PAYLOAD)
        start = ((data[_SETUP_SECTORS] or 4) + 1) * 512 + offset
        payload = data[start : start + length]
        unpacked = unpack(payload, f"the kernel {image}")
        if unpacked is None:
            raise Unavailable(
                f"the kernel {image} is packed in a way that is not known here ({payload[:4].hex()})",
                hint="unpack it (linux: scripts/extract-vmlinux) and set FORGEWRIGHT_KERNEL_IMAGE to the result",
            )
        if unpacked[:4] != b"\x7fELF":
            raise Unavailable(f"{image} holds no ELF kernel")
        unfinished = cache.unfinished(kept)
        unfinished.write_bytes(unpacked)
        unfinished.chmod(0o644)
        cache.publish(unfinished, kept)
    return kept
