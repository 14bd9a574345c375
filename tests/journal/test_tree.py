"""The Merkle tree against RFC 9162's text and published vectors."""

from __future__ import annotations

import random
from functools import cache

import pytest
from tests.journal import rfc9162 as rfc

from forgewright.journal.log.sealer import Edge
from forgewright.journal.log.tiles import TILE_BYTES, edge_path, subtree_reader, tile_path
from forgewright.journal.log.tree import (
    EMPTY,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SIZE_MAX = 300
DATA = [b"leaf %d" % i for i in range(SIZE_MAX)]
LEAVES = [leaf_hash(data) for data in DATA]

# The leaves and roots of Certificate Transparency's reference tests (certificate-transparency/merkletree).
VECTOR = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
]


@cache
def subtree(start: int, end: int) -> bytes:
    return root_of(LEAVES[start:end])


@cache
def root(size: int) -> bytes:
    """Of the first `size` leaves, by the RFC's text."""
    return rfc.MTH(DATA[:size])


@cache
def rfc_mth(start: int, end: int) -> bytes:
    return rfc.MTH(DATA[start:end])


def test_the_reference_vector() -> None:
    data = [bytes.fromhex(leaf) for leaf, _ in VECTOR]
    for size, (_, expected) in enumerate(VECTOR, 1):
        assert root_of([leaf_hash(item) for item in data[:size]]).hex() == expected
        assert rfc.MTH(data[:size]).hex() == expected
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_root_up_to_300_is_the_rfcs_however_it_is_computed() -> None:
    edge = Edge()
    for size in range(SIZE_MAX + 1):
        assert root_of(LEAVES[:size]) == root(size)
        assert range_hash(0, size, subtree) == root(size)
        assert edge.frontier.root() == root(size)
        if size < SIZE_MAX:
            edge.push(LEAVES[size], {})


def test_every_inclusion_proof_up_to_300_leaves_verifies_by_the_rfc() -> None:
    for size in range(1, SIZE_MAX + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, subtree)
            assert verify_inclusion(LEAVES[index], index, size, proof, root(size))
            assert rfc.root_from_inclusion(DATA[index], index, size, proof) == root(size)


def test_every_inclusion_proof_is_the_rfcs_for_small_trees() -> None:
    for size in range(1, 71):
        for index in range(size):
            assert inclusion_proof(index, size, subtree) == rfc.PATH(index, DATA[:size])


def test_every_consistency_proof_up_to_300_leaves_is_the_rfcs_and_verifies() -> None:
    """The RFC's recursion with its tree hashes remembered: without that, 45,000 proofs take minutes."""

    def subproof(m: int, start: int, end: int, b: bool) -> list[bytes]:
        if m == end - start:
            return [] if b else [rfc_mth(start, end)]
        k = rfc.largest_power_of_two_below(end - start)
        if m <= k:
            return [*subproof(m, start, start + k, b), rfc_mth(start + k, end)]
        return [*subproof(m - k, start + k, end, False), rfc_mth(start, start + k)]

    assert subproof(3, 0, 7, True) == rfc.PROOF(3, DATA[:7])
    for new in range(1, SIZE_MAX + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, subtree)
            assert proof == subproof(old, 0, new, True)
            assert verify_consistency(old, new, proof, root(old), root(new))


def test_wrong_inclusion_proofs_are_refused() -> None:
    rng = random.Random(1)
    for size in (1, 2, 3, 7, 8, 9, 64, 255, 256, 257, 300):
        for index in {0, size // 2, size - 1}:
            proof = inclusion_proof(index, size, subtree)
            good = (LEAVES[index], index, size, proof, root(size))
            assert verify_inclusion(*good)
            assert not verify_inclusion(LEAVES[index - 1] if size > 1 else EMPTY, *good[1:])
            assert not verify_inclusion(good[0], index, size, [*proof, EMPTY], root(size))
            assert not verify_inclusion(good[0], size, size, proof, root(size))
            assert not verify_inclusion(good[0], -1, size, proof, root(size))
            assert not verify_inclusion(good[0], index, size, proof, root(size - 1))
            for at in range(len(proof)):
                assert not verify_inclusion(good[0], index, size, proof[:at] + proof[at + 1 :], root(size))
                bad = bytearray(proof[at])
                bad[rng.randrange(32)] ^= 1 << rng.randrange(8)
                assert not verify_inclusion(
                    good[0], index, size, [*proof[:at], bytes(bad), *proof[at + 1 :]], root(size)
                )
            for other in range(size):
                if other != index:
                    assert not verify_inclusion(good[0], other, size, proof, root(size))


def test_wrong_consistency_proofs_are_refused() -> None:
    rng = random.Random(2)
    for old, new in ((1, 2), (3, 7), (4, 8), (6, 8), (7, 8), (128, 300), (255, 256), (256, 300), (299, 300)):
        proof = consistency_proof(old, new, subtree)
        assert verify_consistency(old, new, proof, root(old), root(new))
        assert not verify_consistency(old, new, proof, root(old - 1), root(new))
        assert not verify_consistency(old, new, proof, root(old), root(new - 1))
        assert not verify_consistency(old, new, [*proof, EMPTY], root(old), root(new))
        assert not verify_consistency(new, old, proof, root(new), root(old))
        assert not verify_consistency(old, new, [], root(old), root(new))
        for at in range(len(proof)):
            bad = bytearray(proof[at])
            bad[rng.randrange(32)] ^= 1 << rng.randrange(8)
            changed = [*proof[:at], bytes(bad), *proof[at + 1 :]]
            assert not verify_consistency(old, new, changed, root(old), root(new))
            assert not verify_consistency(old, new, proof[:at] + proof[at + 1 :], root(old), root(new))


def test_the_empty_tree_is_consistent_with_every_other_by_an_empty_proof_only() -> None:
    assert verify_consistency(0, 5, [], EMPTY, root(5))
    assert not verify_consistency(0, 5, [EMPTY], EMPTY, root(5))
    assert not verify_consistency(0, 5, [], root(1), root(5))
    assert verify_consistency(5, 5, [], root(5), root(5))
    assert not verify_consistency(5, 5, [], root(5), root(4))


def test_proofs_outside_the_tree_are_refused() -> None:
    with pytest.raises(ValueError):
        inclusion_proof(5, 5, subtree)
    with pytest.raises(ValueError):
        consistency_proof(6, 5, subtree)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000])
def test_proofs_from_tiles_are_those_of_the_tree(size: int) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(size)]
    edge, pages = Edge(), {}
    for leaf in leaves:
        edge.push(leaf, pages)
    assert all(len(tile) == TILE_BYTES for name, tile in pages.items() if name.startswith("tile/"))
    for level, hashes in enumerate(edge.levels[1:], 1):
        assert pages[edge_path(level)] == b"".join(hashes)

    def tile(level: int, number: int) -> bytes:
        return pages.get(tile_path(level, number)) or b"".join(edge.levels[level])

    whole = root_of(leaves)
    assert edge.frontier.root() == whole
    rng = random.Random(size)
    for index in {0, size - 1, *(rng.randrange(size) for _ in range(20))}:
        proof = inclusion_proof(index, size, subtree_reader(tile))
        assert verify_inclusion(leaves[index], index, size, proof, whole)
    for old in {1, size, *(rng.randrange(1, size + 1) for _ in range(10))}:
        proof = consistency_proof(old, size, subtree_reader(tile))
        assert verify_consistency(old, size, proof, root_of(leaves[:old]), whole)


def test_tile_paths() -> None:
    """The examples of C2SP tlog-tiles."""
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(1, 1_234_067) == "tile/1/x001/x234/067"
    assert tile_path(0, 273, 112) == "tile/0/273.p/112"
