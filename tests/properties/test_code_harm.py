"""No harm: random operations on the code of installed packages. More, for longer: `python -m tests.properties.code_harm`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from tests.properties.code_harm import sources, trials, undo_gives_back

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError


def corpus() -> list[Path]:
    found: list[Path] = []
    for name in ("hypothesis", "pytest", "_pytest", "mypy", "click", "rich", "httpx2", "starlette"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            found.extend(sources(Path(spec.origin).parent))
    return found


def test_random_operations_do_no_harm() -> None:
    files = corpus()
    assert len(files) > 100
    applied = sum(done for seed in range(120) for _, done in trials(files, seed, 1))
    assert applied >= 100


JAVASCRIPT = """\
// A module.
import { a } from './a'
import b, { c as d } from "./b"

export const limits = [
  1, // one
  a(2, 3),
  { x: 1, y: [1, 2,], ...d },
]

export default class Box extends b {
  #size = 0
  static of(x, y = 2) { return new Box(x, y) }
  get size() {
    if (this.#size > 1) { return a(this.#size, () => 1); } else return 0
  }
}

function walk(tree, ...rest) {
  for (const item of tree) { if (item) continue
    a(item); d(item, rest) }
  switch (rest.length) { case 1: a(1); break; default: d(2) }
  return `${tree} ${a(1, 2)}`
}
"""


def test_random_operations_do_no_harm_in_javascript(tmp_path: Path) -> None:
    for suffix in ("js", "ts", "tsx"):
        (tmp_path / f"code.{suffix}").write_text(JAVASCRIPT)
    files = sources(tmp_path, (".js", ".ts", ".tsx"))
    applied = sum(done for seed in range(150) for _, done in trials(files, seed, 1))
    assert applied >= 100


BYTES = {
    "bom.py": "\ufeffdef f(a, b):\r\n\treturn a\r\n".encode(),
    "latin.py": "# -*- coding: latin-1 -*-\nname = 'M\xfcller'\n\n\ndef f(a, b):\n    return 'caf\xe9', a".encode(
        "latin-1"
    ),
    "end.py": b"def f(a, b):\n    return a",
    "blank.py": b"def f(a, b):\n    return a  \n\n\n\n",
    "mixed.py": b"def f(a, b):\n\tif a:\r\n\t\treturn a\n\treturn b\n",
    "form.py": b"x = 1\n\x0c\ndef f(a, b):\n    return a\n",
    "late.py": "é = 'ü'\ndef f(a, b): return 'ö', a\n".encode(),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_around_an_edit_stay(name: str, tmp_path: Path) -> None:
    data = BYTES[name]
    (tmp_path / name).write_bytes(data)
    plan = undo_gives_back(tmp_path, "(insert-last target: 'function#f > parameters' code: 'c=3')")
    (change,) = plan.changes
    assert change.after == data.replace(b"(a, b)", b"(a, b, c=3)")


@pytest.mark.parametrize("name", [n for n in BYTES if n not in ("late.py",)])
def test_inserted_code_fits_the_file(name: str, tmp_path: Path) -> None:
    data = BYTES[name]
    (tmp_path / name).write_bytes(data)
    plan = undo_gives_back(tmp_path, "(insert-first target: 'function#f' code: 'if b:\\n    stop()')")
    (change,) = plan.changes
    assert change.after is not None
    end = b"\r\n" if data.find(b"\r\n") == data.find(b"\n") - 1 else b"\n"
    tab = b"\t" if b"\t" in data else b"    "
    new = tab + b"if b:" + end + tab + tab + b"stop()" + end
    assert change.after.replace(new, b"", 1) == data


def test_a_refused_program_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    engine = CodeEngine(tmp_path)
    for program in (
        "(create-file path: 'b.py' content: 'y = 2') (replace-text in: 'a.py' old: 'x = 2' new: 'x = 3')",
        "(delete-file path: 'a.py') (read target: 'a.py')",
        "(replace-text in: 'a.py' old: '1' new: '(')",
    ):
        with pytest.raises(ForgewrightError):
            engine.commit(engine.plan(program))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.py"]
    assert (tmp_path / "a.py").read_text() == "x = 1\n"
