"""RFC 9162's definitions, transcribed from its text alone, as slowly as they are written there. The tests hold
the project's code against this; it shares nothing with it."""

from __future__ import annotations

import hashlib


def HASH(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def largest_power_of_two_below(n: int) -> int:
    """k such that k < n <= 2k."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def MTH(D: list[bytes]) -> bytes:
    """§2.1.1. Definition of the Merkle Tree."""
    n = len(D)
    if n == 0:
        return HASH(b"")
    if n == 1:
        return HASH(bytes([0x00]) + D[0])
    k = largest_power_of_two_below(n)
    return HASH(bytes([0x01]) + MTH(D[0:k]) + MTH(D[k:n]))


def PATH(m: int, D: list[bytes]) -> list[bytes]:
    """§2.1.3.1. Generating an Inclusion Proof."""
    n = len(D)
    if n == 1:
        return []
    k = largest_power_of_two_below(n)
    if m < k:
        return [*PATH(m, D[0:k]), MTH(D[k:n])]
    return [*PATH(m - k, D[k:n]), MTH(D[0:k])]


def PROOF(m: int, D: list[bytes]) -> list[bytes]:
    """§2.1.4.1. Generating a Consistency Proof."""
    return SUBPROOF(m, D, True)


def SUBPROOF(m: int, D: list[bytes], b: bool) -> list[bytes]:
    n = len(D)
    if m == n:
        return [] if b else [MTH(D)]
    k = largest_power_of_two_below(n)
    if m <= k:
        return [*SUBPROOF(m, D[0:k], b), MTH(D[k:n])]
    return [*SUBPROOF(m - k, D[k:n], False), MTH(D[0:k])]


def root_from_inclusion(leaf: bytes, m: int, n: int, path: list[bytes]) -> bytes | None:
    """Rebuilds the root by following §2.1.3.1's recursion (not §2.1.3.2's bit arithmetic)."""
    if n == 1:
        return HASH(b"\x00" + leaf) if not path else None
    if not path:
        return None
    k = largest_power_of_two_below(n)
    if m < k:
        left = root_from_inclusion(leaf, m, k, path[:-1])
        return None if left is None else HASH(b"\x01" + left + path[-1])
    right = root_from_inclusion(leaf, m - k, n - k, path[:-1])
    return None if right is None else HASH(b"\x01" + path[-1] + right)
