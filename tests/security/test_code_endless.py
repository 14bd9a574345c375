"""Texts on which a parser would go on for ever are called off, cost one file its answer, and nothing more."""

from __future__ import annotations

import time
from base64 import b64decode
from pathlib import Path

import pytest

from forgewright.code import languages
from forgewright.code.engine import CodeEngine
from forgewright.code.languages import Unparsable, parse
from forgewright.core.errors import EditRefused

ENDLESS = b64decode(
    "PCcnJ3tkZWYgZihmdW5jIA1mbiBbZGVmIGYo77u/Ki/DqSBsYW1iZGEqaW1wb3J0IA1deyNgJycnDQppbXBsIAo7Kj"
    "B4w6kiJHtmJ3s+LCJtYXRjaCB4OiRYKSRYCWZuID5dKGltcG9ydCDvu795aWVsZHsKLH1dWyk6aWYoPT46Ki8qL2lm"
    "KTplbHNlQF0obWF0Y2ggeDp9J1w6PT4+CWYney8qXCYmJFhpbXBvcnQgCiMJfSd9JylkZWYgZigNCnlpZWxk77u/JC"
    "QkIl0pOj0+YGltcG9ydCANcmV0dXJuKSlmbiBpZmNsYXNzIHtjbGFzcyA6cmV0dXJuXUApPQ=="
)
"""256 bytes of TSX, found by the fuzz tests."""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "PARSE_SECONDS", 0.3)


def test_the_parser_is_called_off_and_works_on() -> None:
    started = time.process_time()
    with pytest.raises(Unparsable, match="is not parsed after"):
        parse("tsx", ENDLESS)
    assert time.process_time() - started < 3
    assert not parse("tsx", b"const x = 1\n").root_node.has_error


def test_other_files_are_answered_for(tmp_path: Path) -> None:
    (tmp_path / "a.tsx").write_bytes(ENDLESS)
    (tmp_path / "b.tsx").write_text("const x = 1\nfunction y() {}\n")
    engine = CodeEngine(tmp_path)
    assert "1 match\nb.tsx:1:7" in engine.plan("(find selector: 'variable#x')").text()
    assert "a.tsx: tsx code of 256 bytes is not parsed" in engine.plan("(outline)").text()
    assert "b.tsx" in engine.plan("(repo-map)").text()


def test_an_edit_that_would_end_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditRefused, match="is not parsed after"):
        CodeEngine(tmp_path).plan(_create(ENDLESS))


def _create(data: bytes) -> str:
    import json

    content = data.decode("utf-8", "surrogateescape")
    return json.dumps({"op": "create-file", "path": "a.tsx", "content": content})
