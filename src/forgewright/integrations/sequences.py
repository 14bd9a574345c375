"""Lists that grow from version to version, stored as what is new: a conversation of a thousand turns takes less than
three times its size, and not five hundred times.

A version points to a link: so many items of an earlier link, and further ones. After some links one stands by itself, as
chunks, which later ones share, and a rest. Links and chunks are named by their digest, so what one is built on never changes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from forgewright.core.errors import IntegrityError

Item = tuple[str, bytes]
"""A serialised value: its kind, its bytes."""
CHUNK_ITEMS = 64
LINKS_MAX = 64
"""From one to one that stands by itself."""
KIND = "forgewright/list"


class Link(msgspec.Struct, frozen=True, array_like=True):
    """The items of one version of a list."""

    items: list[Item]
    """Those after the earlier link's, or after the chunks'."""
    base: str = ""
    """Key of the earlier link."""
    keep: int = 0
    """How many of its items."""
    depth: int = 0
    """Links to one that stands by itself."""
    chunks: list[str] = []
    """Keys of the chunks, of a link that stands by itself."""


class Known(msgspec.Struct, frozen=True):
    """What is remembered of the last version of a list."""

    link: str
    """Key of its link."""
    digests: tuple[bytes, ...]
    depth: int


Get = Callable[[str], Awaitable[bytes | None]]
Put = Callable[[str, bytes], Awaitable[None]]


async def store(key: str, items: Sequence[Item], before: Known | None, put: Put) -> Known:
    """Writes a version under `key`; what to remember of it."""
    digests = tuple(_digest(item) for item in items)
    chunks: dict[str, bytes] = {}
    keep = 0 if before is None else _common(digests, before.digests)
    if before is not None and before.depth < LINKS_MAX and keep * 2 >= len(before.digests):
        link = Link(list(items[keep:]), before.link, keep, before.depth + 1)
    else:
        whole = len(items) - len(items) % CHUNK_ITEMS
        names: list[str] = []
        for start in range(0, whole, CHUNK_ITEMS):
            chunk = msgspec.msgpack.encode(list(items[start : start + CHUNK_ITEMS]))
            names.append(_named("chunk", chunk))
            chunks[names[-1]] = chunk
        link = Link(list(items[whole:]), chunks=names)
    data = msgspec.msgpack.encode(link)
    name = _named("link", data)
    await asyncio.gather(*(put(one, chunk) for one, chunk in chunks.items()), put(name, data))
    await put(key, msgspec.msgpack.encode((KIND, name.encode())))
    return Known(name, digests, link.depth)


async def items_of(name: str, get: Get) -> list[Item]:
    """All items of a link. Raises `IntegrityError` where a part is missing."""
    way = [await _link(name, get)]
    while way[-1].base:
        way.append(await _link(way[-1].base, get))
    found = await asyncio.gather(*(get(chunk) for chunk in way[-1].chunks))
    items: list[Item] = []
    for chunk, data in zip(way[-1].chunks, found, strict=True):
        items += msgspec.msgpack.decode(_there(chunk, data), type=list[Item])
    items += way[-1].items
    for one in reversed(way[:-1]):
        items = [*items[: one.keep], *one.items]
    return items


async def remembered(key: str, get: Get) -> Known | None:
    """Of a version in the store; None where it is no such list."""
    name = await pointed(key, get)
    if not name:
        return None
    items = await items_of(name, get)
    return Known(name, tuple(_digest(item) for item in items), (await _link(name, get)).depth)


async def parts(key: str, get: Get) -> set[str]:
    """Keys of all that a version is made of, itself among them."""
    found = {key}
    name = await pointed(key, get)
    while name:
        link = await _link(name, get)
        found |= {name, *link.chunks}
        name = link.base
    return found


async def pointed(key: str, get: Get) -> str:
    """The link of a version; nothing where that is no list."""
    data = await get(key)
    kind, inner = msgspec.msgpack.decode(data, type=Item) if data is not None else ("", b"")
    return inner.decode() if kind == KIND else ""


async def _link(name: str, get: Get) -> Link:
    return msgspec.msgpack.decode(_there(name, await get(name)), type=Link)


def _named(kind: str, data: bytes) -> str:
    return f"{kind}:{hashlib.sha256(data).hexdigest()}"


def _there(key: str, data: bytes | None) -> bytes:
    if data is None:
        raise IntegrityError(f"a part of a stored list is missing: {key[:100]}", record=key[:300])
    return data


def _digest(item: Item) -> bytes:
    return hashlib.sha256(item[0].encode() + b"\0" + item[1]).digest()


def _common(some: Sequence[bytes], others: Sequence[bytes]) -> int:
    """How many they have in common at the start."""
    for count, (a, b) in enumerate(zip(some, others, strict=False)):
        if a != b:
            return count
    return min(len(some), len(others))
