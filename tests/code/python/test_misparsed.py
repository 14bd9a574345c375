"""Valid code that the grammar rejects is understood; of what is not, nothing is said to be another symbol."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from forgewright.code.engine import CodeEngine, Plan
from forgewright.code.python.parse import IMPORT, readable
from forgewright.code.sources import SourceFile

IMPORTS = {
    "flush": "def f():\n    from a import (\nname,\nother,\n    )\n    return name()\n",
    "less": "class A:\n    def f(self):\n        from a import (\n    name, other)\n        return name()\n",
    "comment": "def f():\n    from .a import (  # one (1)\n# two\nname, # three )\n)\n    return name()\n",
    "crlf": "def f():\r\n\tfrom a import (\r\nname\r\n)\r\n\treturn name()\r\n",
    "alias": "def f():\n    if 1:\n        from a import (\nname as n, other as name)\n    return n(), x.name\n",
    "two": "def f():\n    from b import (\nc)\n    from a import (\nname)\n    return name()\n\n\nname = 1\n",
}


def renamed(root: Path, text: str) -> Plan:
    (root / "a.py").write_text("def name():\n    return 1\n\n\ndef other():\n    return 2\n")
    (root / "b.py").write_text("c = 1\n")
    (root / "m.py").write_bytes(text.encode())
    return CodeEngine(root).plan("(rename symbol: 'a.py::function#name' new: 'new')")


@pytest.mark.parametrize("text", IMPORTS.values(), ids=IMPORTS)
def test_names_of_an_import_further_left_than_its_block(tmp_path: Path, text: str) -> None:
    assert SourceFile("m.py", text.encode()).tree.root_node.has_error, "the grammar has learnt it"
    root, data = readable(SourceFile("m.py", text.encode()))
    assert not root.has_error
    assert data == text.encode()
    plan = renamed(tmp_path, text)
    after = {change.path: change.after for change in plan.changes}
    expected = text.replace("name", "new")
    for kept in ("other as name", "x.name", "\n\n\nname = 1"):
        expected = expected.replace(kept.replace("name", "new"), kept)
    assert after["m.py"] == expected.encode()


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    name = = 1\n    return name\n",
        "from a import name\n\n\ndef f():\n    from a import (\nname, name +\n    )\n    return name\n",
        "def f()\n    return g(name, [name\n",
        "class A:\n  def name(self:\n    exec name in name\n",
    ],
)
def test_places_in_code_with_an_error_are_uncertain(tmp_path: Path, text: str) -> None:
    plan = renamed(tmp_path, text + "\n# name\n")
    changed = {change.path: change.after for change in plan.changes}
    certain = (changed.get("m.py") or b"").count(b"new")
    uncertain = [place for place in plan.results[0].uncertain if place.path == "m.py"]
    assert certain + len(uncertain) == text.count("name")
    assert "another symbol" not in plan.text()


def test_only_code_around_the_error_is_uncertain(tmp_path: Path) -> None:
    text = "def name(x):\n    return name(1)\n\n\nname(2)\n\n\ndef g():\n    name = = 1\n"
    plan = renamed(tmp_path, text)
    assert [place.start for place in plan.results[0].uncertain] == [text.rindex("name")]


def test_long_lists_of_names_and_comments_are_looked_through_once() -> None:
    data = b"    from a import (\n" + b"# b, c d e f g\nx y z,\n" * 5000 + b"+"
    start = process_time()
    assert IMPORT.search(data) is None
    assert process_time() - start < 1
