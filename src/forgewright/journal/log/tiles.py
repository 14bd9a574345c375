"""Tiles: the tree cut into pieces of 256 hashes, of eight levels each. C2SP tlog-tiles, "Merkle Tree".

Tile n of level l holds the hashes of the 256 subtrees of height 8·l that start at leaf n·256·2^(8·l). The
levels between are computed from them. Only full tiles are final; the edge of the tree is kept aside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from forgewright.journal.log.tree import HASH_BYTES, Subtree

WIDTH = 256
HEIGHT = 8
TILE_BYTES = WIDTH * HASH_BYTES
TILES_KEPT = 64
"""Of how many tiles the inner levels are remembered: 16 KiB each."""


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """C2SP tlog-tiles: `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last marked `x`."""
    return f"tile/{level}/{number_path(number)}" + (f".p/{width}" if width != WIDTH else "")


def number_path(number: int) -> str:
    """1234067 → `x001/x234/067`."""
    path = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        path = f"x{number % 1000:03d}/{path}"
    return path


def edge_path(level: int) -> str:
    """Page that holds the hashes of the unfinished tile of a level above 0 (ours, not C2SP's: a partial
    tile that is rewritten in place)."""
    return f"edge/{level}"


def hashes_of(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


@lru_cache(maxsize=TILES_KEPT)
def levels_of(tile: bytes) -> tuple[bytes, ...]:
    """The hashes of a tile's eight levels, the lowest first; of an unfinished tile those of its whole subtrees."""
    levels = [tile]
    while len(levels) < HEIGHT:
        below = levels[-1]
        pairs = range(0, len(below) - 2 * HASH_BYTES + 1, 2 * HASH_BYTES)
        levels.append(b"".join([sha256(b"\1" + below[i : i + 2 * HASH_BYTES]).digest() for i in pairs]))
    return tuple(levels)


def subtree_reader(tile: Callable[[int, int], bytes]) -> Subtree:
    """Hashes of perfect subtrees from tiles; `tile(level, number)` gives what there is of that tile."""

    def subtree(start: int, end: int) -> bytes:
        height = (end - start).bit_length() - 1
        level, within = divmod(height, HEIGHT)
        number, slot = divmod(start >> HEIGHT * level, WIDTH)
        at = (slot >> within) * HASH_BYTES
        return levels_of(tile(level, number))[within][at : at + HASH_BYTES]

    return subtree
