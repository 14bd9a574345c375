"""Reads the small marker files by which a project is recognised; never through a link."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from forgewright.core.limits import CONFIG_BYTES_MAX


def read(path: Path) -> str:
    """A small text file; empty where it is not there, is no file, or is too large."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > CONFIG_BYTES_MAX:
            return ""
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read(path))
    except tomllib.TOMLDecodeError:
        return {}
