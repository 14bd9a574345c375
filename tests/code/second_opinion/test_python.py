"""ty's server beside the Python resolver."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import MissingProgram

FILES = {
    "a.py": "class A:\n    def close(self) -> None: ...\n\n\nclass B:\n    def close(self) -> None: ...\n",
    "b.py": "from typing import TypeVar\nfrom a import A, B\nT = TypeVar('T')\ndef pick(x: list[T]) -> T:\n"
    "    return x[0]\npick([A()]).close()\npick([B()]).close()\ndef f(x):\n    x.close()\n",
}
PROGRAM = "(rename symbol: 'a.py::class#A > method#close' new: 'end')"


def written(root: Path) -> None:
    for path, text in FILES.items():
        (root / path).write_text(text)


def test_types_decide_what_syntax_cannot(tmp_path: Path) -> None:
    written(tmp_path)
    alone = CodeEngine(tmp_path).plan(PROGRAM)
    assert {change.path for change in alone.changes} == {"a.py"}
    assert len(alone.results[0].uncertain) == 3
    asked = CodeEngine(tmp_path, servers=True)
    asked.commit(asked.plan(PROGRAM))
    text = (tmp_path / "b.py").read_text()
    assert "pick([A()]).end()\npick([B()]).close()\n" in text
    assert "    x.close()\n" in text, "what no type says is left alone"


def test_the_server_sees_the_steps_before(tmp_path: Path) -> None:
    written(tmp_path)
    engine = CodeEngine(tmp_path, servers=True)
    engine.commit(engine.plan(PROGRAM + "(rename symbol: 'a.py::class#A > method#end' new: 'stop')"))
    assert "pick([A()]).stop()\npick([B()]).close()\n" in (tmp_path / "b.py").read_text()


def test_without_the_program_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="ty"):
        CodeEngine(tmp_path, servers=True).plan(PROGRAM)
