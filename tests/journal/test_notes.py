"""Signed notes and tree heads against published ones (Go's sumdb)."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.core.errors import IntegrityError
from forgewright.journal.bundle import verifier
from forgewright.journal.log.checkpoint import parse_head, sign_head
from forgewright.journal.log.keys import open_keys, read_signer
from forgewright.journal.log.notes import NOTE_BYTES_MAX, parse_note, parse_verifier_key, verify_note

# golang.org/x/mod/sumdb/note, the example of its documentation and tests.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = (
    TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBw"
    "JnAM=\n"
)

# Tree heads of Go's checksum database, as it served them.
SUM_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUM_HEADS = [
    (
        "go.sum database tree\n65209736\n5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=\n\n"
        "— sum.golang.org Az3grnbssgK7ubgFX36gVETtNv0U23qxyAhAMai2QUfeGa3nB/akvkMdlUErfcZz7l/R3cVtYspg3dxXABkGZZKdsQ8=\n",
        65_209_736,
    ),
    (
        "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n"
        "— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n",
        6_476_701,
    ),
]


def test_gos_key_and_note_verify() -> None:
    key = parse_verifier_key(VKEY)
    assert str(key) == VKEY
    note = parse_note(SIGNED.encode())
    assert note.text == TEXT
    verify_note(note, key)


def test_a_private_key_of_gos_form_signs_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SKEY + "\n")
    signer = read_signer(path)
    assert str(signer.key) == VKEY
    assert signer.sign(TEXT) == SIGNED.encode()


@pytest.mark.parametrize(("head", "size"), SUM_HEADS)
def test_tree_heads_of_gos_checksum_database_verify(head: str, size: int) -> None:
    parsed = parse_head(head.encode())
    assert (parsed.origin, parsed.size) == ("go.sum database tree", size)
    verify_note(parsed.note, parse_verifier_key(SUM_KEY))
    text = verifier.open_note(head.encode(), verifier.parse_key(SUM_KEY), "head")
    assert text == parsed.note.text


def test_our_heads_verify_with_the_single_file_verifier(tmp_path: Path) -> None:
    signer = open_keys(tmp_path)
    note = sign_head(signer, 5, bytes(32))
    assert verifier.open_note(note, verifier.parse_key(str(signer.key)), "head") == parse_head(note).note.text
    assert (tmp_path / "keys/log.key").stat().st_mode & 0o777 == 0o600
    assert parse_verifier_key((tmp_path / "keys/log.pub").read_text()) == signer.key
    assert open_keys(tmp_path).key == signer.key


@pytest.mark.parametrize("at", range(0, len(SIGNED.encode()), 3))
def test_no_changed_byte_verifies(at: int) -> None:
    data = bytearray(SIGNED.encode())
    data[at] ^= 1
    with pytest.raises(IntegrityError):
        verify_note(parse_note(bytes(data)), parse_verifier_key(VKEY))
    with pytest.raises(verifier.Problem):
        verifier.open_note(bytes(data), verifier.parse_key(VKEY), "note")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        TEXT.encode(),
        TEXT.encode() + b"\n",
        SIGNED[:-1].encode(),
        SIGNED.encode() + b"more\n",
        SIGNED.encode().replace(b"PeterNeumann", b"Peter Neumann"),
        SIGNED.encode().replace(b"PeterNeumann", b"Peter+Neumann"),
        SIGNED.encode().replace("—".encode(), b"-"),
        SIGNED.encode().replace(b"problem,", b"problem\t"),
        SIGNED.encode().replace(b"problem,", b"problem\xff"),
        b"x" * NOTE_BYTES_MAX + SIGNED.encode(),
    ],
)
def test_malformed_notes_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_note(data)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "a+b",
        VKEY[:-4],
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("PeterNeumann", "Peter"),
        "+" + VKEY,
    ],
)
def test_malformed_keys_are_refused(key: str) -> None:
    with pytest.raises(IntegrityError):
        parse_verifier_key(key)
    with pytest.raises(ValueError):
        verifier.parse_key(key)


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_tree_head_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(IntegrityError):
        parse_head(open_keys(tmp_path).sign(text))


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_keys(tmp_path)
    (tmp_path / "keys/log.key").chmod(0o640)
    with pytest.raises(IntegrityError, match="others may read"):
        open_keys(tmp_path)


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    open_keys(tmp_path)
    file = tmp_path / "keys/log.key"
    file.write_text(file.read_text().replace("+A", "+B", 1))
    with pytest.raises(IntegrityError):
        open_keys(tmp_path)
