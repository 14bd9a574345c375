"""The static programs that come with the package are those of the sources beside them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from forgewright.sandbox import native

FOLDER = Path(native.__file__).parent
SOURCES = [*sorted(FOLDER.glob("*.[ch]")), FOLDER / "build.sh"]


@pytest.mark.parametrize("name", ["agent", "guest", "launch"])
def test_programs_are_built_from_these_sources(name: str) -> None:
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()
    done = subprocess.run([native.program(name), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest, "run: sh src/forgewright/sandbox/native/build.sh"


@pytest.mark.parametrize("name", ["agent", "guest", "launch"])
def test_programs_need_nothing_of_an_image(name: str) -> None:
    data = native.program(name).read_bytes()
    assert data[:4] == b"\x7fELF"
    assert b"/ld-linux" not in data
    assert b"/ld-musl" not in data
