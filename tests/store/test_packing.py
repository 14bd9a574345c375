"""Rows give back what was put in, and no single changed bit goes unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgewright.core.errors import IntegrityError
from forgewright.store.drivers.sqlite.packing import pack, plain, unpack

RECORD = (
    b'{"v":1,"run":"01m7yaacgjqhba6k","seq":44,"time":1795240047139,"actor":"engine",'
    b'"event":{"kind":"tool.answered","effect":"1.1","result":"ok"}}'
)


@given(st.binary(max_size=65_535))
def test_any_bytes_come_back(data: bytes) -> None:
    assert unpack(pack(data), 0) == data
    assert unpack(plain(data), 0) == data


def test_a_record_takes_less() -> None:
    assert len(pack(RECORD)) < len(RECORD) / 2


@pytest.mark.parametrize("row", [pack(RECORD), plain(RECORD), pack(b""), plain(b"")])
def test_every_flipped_bit_is_found(row: bytes) -> None:
    for at in range(len(row)):
        for bit in range(8):
            changed = bytearray(row)
            changed[at] ^= 1 << bit
            with pytest.raises(IntegrityError, match="record 7"):
                unpack(bytes(changed), 7)


@pytest.mark.parametrize("row", [b"", b"\0", b"\1", b"\2abcdefgh", None, 5, "text"])
def test_what_is_no_row_is_refused(row: object) -> None:
    with pytest.raises(IntegrityError):
        unpack(row, 7)  # type: ignore[arg-type]  # what a changed database can hold
