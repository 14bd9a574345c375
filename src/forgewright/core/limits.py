"""Bounds on what is read from outside. A bound that has no reason to differ between parts stands here."""

from __future__ import annotations

CONFIG_BYTES_MAX = 1 << 20
"""A configuration or policy file."""

INLINE_BYTES_MAX = 16 << 10
"""A value in an event; a larger one goes to the blob store and the event keeps its digest."""

RECORD_BYTES_MAX = 65_535
"""One encoded record: a C2SP tlog-tiles entry bundle gives the length of an entry 16 bits."""

BLOB_BYTES_MAX = 1 << 30
"""One blob."""

SOURCE_BYTES_MAX = 2 << 20
"""A source file that is parsed; a larger one is left alone, and said so."""
