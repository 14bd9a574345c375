"""How a record's bytes lie in a row: deflated against a dictionary of the words that records are made of.

A record is mostly names (`"kind":"tool.answered"`), which would cost more than what it says: packed, four
records of a model's turn take 770 bytes instead of 1,420, for 11 µs of work each. What is read is exactly
what was given; the checksum over the row finds any damaged one before anybody works with it, and names the record.

    byte 0: 0 plain, 1 deflate with DICTIONARY_1 · the content · CRC-32 of all before it (4 bytes)
"""

from __future__ import annotations

import zlib

from forgewright.core.errors import IntegrityError
from forgewright.core.limits import RECORD_BYTES_MAX

PLAIN, DEFLATE_1 = 0, 1

DICTIONARY_1 = (
    b'"message":"","hint":"","state":{},"goal":"","graph":"","options":{"budget":{"policy":"sha256:","version":"'
    b'{"blob":"sha256:","size":"run.started"run.resumed"run.parked"reason":"approval"run.finished"run.failed"'
    b'"edit.asked","program":"edit.answered","before":{"":"sha256:","after":{"exec.asked","argv":["exec.answered"'
    b'"tier":"container","driver":"image":"spec":{"git.asked","operation":"git.answered"question.asked","to":"'
    b'question.answered","answer":"by":"read.asked","what":"read.answered"effect.failed"effect.refused"'
    b'artifact.made","name":"","media":"digest":"sha256:note.written","topic":"","value":"node.failed"error":"'
    b'node.entered","node":"","visit":node.left","visit":,"update":{"messages":[],"to":[""]}}'
    b'{"permit":false,"approval":"owner","result":{"ok":true,"text":"","error":true,"stdout":"","exit":0,'
    b'"recovery":"pure","call":"call_","answer":"tool":"read_file","arguments":{"path":"","result":"","ms":'
    b'"input_tokens":,"output_tokens":,"cost_microdollars":,"ms":},"stop":"end","usage":{"input":,"output":'
    b'"model":"openai:gpt-5","request":"sha256:","base":"","head":,"messages":[{"role":"assistant","content":['
    b'{"type":"text","text":"{"role":"user","content":[{"type":"tool_result","response":{"text":"'
    b'{"v":1,"run":"01m","seq":1,"time":179,"actor":"engine","event":{"kind":"model.asked","effect":"1.1",'
    b'"decision":{"permit":true,"by":["default"]},"kind":"model.answered","effect":"kind":"tool.asked","effect":"'
    b'kind":"tool.answered","effect":"1.1","decision":{"permit":true,"by":["default"]},'
)
"""Never changed: rows refer to it by their first byte. Another dictionary is another number."""


def pack(data: bytes) -> bytes:
    """The row's content for these bytes."""
    deflate = zlib.compressobj(3, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, DICTIONARY_1)
    row = b"\1" + deflate.compress(data) + deflate.flush()
    return row + zlib.crc32(row).to_bytes(4) if len(row) <= len(data) else plain(data)


def plain(data: bytes) -> bytes:
    """The row's content, not deflated."""
    row = b"\0" + data
    return row + zlib.crc32(row).to_bytes(4)


def unpack(row: bytes, index: int) -> bytes:
    """The bytes that were packed. Raises `IntegrityError` naming the record."""
    try:
        if len(row) < 5 or zlib.crc32(row[:-4]) != int.from_bytes(row[-4:]):
            raise ValueError("its checksum does not fit")
        if row[0] == PLAIN:
            return row[1:-4]
        if row[0] != DEFLATE_1:
            raise ValueError(f"unknown packing {row[0]}")
        inflate = zlib.decompressobj(-15, DICTIONARY_1)
        data = inflate.decompress(row[1:-4], RECORD_BYTES_MAX + 1)
        if not inflate.eof or inflate.unused_data:
            raise ValueError("cut off or lengthened")
    except (zlib.error, ValueError, IndexError, TypeError) as error:
        raise IntegrityError(
            f"record {index} is damaged: {error}",
            record=str(index),
            hint="run `forgewright audit fsck`, then restore the home from a backup or a bundle",
        ) from None
    return data
