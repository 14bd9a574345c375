"""One refactoring of one file, written as text with the selection between « and »."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.code.python.edits import edited

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused

_MARK = re.compile("[«»]")


def aimed(marked: str, path: str) -> tuple[str, str, str]:
    """(text, `path:line:column` of «, `path:line:column-line:column` of «…»)."""
    start = marked.index("«")
    end = marked.index("»") - 1 if "»" in marked else start
    text = _MARK.sub("", marked)
    places = []
    for offset in (start, end):
        line = text.count("\n", 0, offset) + 1
        places.append(f"{line}:{offset - text.rfind(chr(10), 0, offset)}")
    return text, f"{path}:{places[0]}", f"{path}:{places[0]}-{places[1]}"


def refactored(root: Path, operation: str, marked: str, path: str = "a.ts") -> str:
    """The file after an operation: {at} and {range} in it are replaced."""
    text, at, span = aimed(marked, path)
    program = operation.replace("{at}", f"at: '{at}'").replace("{range}", f"range: '{span}'")
    after, _ = edited(root, program, {path: text})
    return after.get(path, text)


def refusal(root: Path, operation: str, marked: str, path: str = "a.ts") -> str:
    """Why an operation is refused; the file stays as it was."""
    text, at, span = aimed(marked, path)
    (root / path).write_text(text)
    program = operation.replace("{at}", f"at: '{at}'").replace("{range}", f"range: '{span}'")
    with pytest.raises(EditRefused) as caught:
        CodeEngine(root).plan(program)
    assert (root / path).read_text() == text
    return str(caught.value)
