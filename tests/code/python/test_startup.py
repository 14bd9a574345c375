"""Imports played through: what is read before it is there, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from forgewright.code.integrity import check
from forgewright.code.python.resolver import PythonResolver
from forgewright.code.python.startup import Startup
from forgewright.code.scene import Stage
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import EditRefused


def failures(files: Mapping[str, str], start: str = "a.py") -> list[str]:
    project = MemoryProject({path: text.encode() for path, text in files.items()})
    return [f"{f.path}:{f.line} {f.name}" for f in Startup(PythonResolver(project)).play(start)]


@pytest.mark.parametrize(
    "text",
    [
        "print(x)\nx = 1\n",
        "class A:\n    node: A\n",
        "def f(a: B): ...\nclass B: ...\n",
        "@late\ndef f(): ...\ndef late(g): ...\n",
        "y = [z for z in x]\nx = 1\n",
        "class A(B): ...\nclass B: ...\n",
        "def f(a=x): ...\nx = 1\n",
    ],
)
def test_read_too_early(text: str) -> None:
    assert len(failures({"a.py": text})) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return x\nx = 1\n",
        "from __future__ import annotations\nclass A:\n    node: A\n",
        "x = lambda: y\ny = 1\n",
        "try:\n    x\nexcept NameError:\n    x = 1\n",
        "class A:\n    y = 1\n    z = y\ny = 2\n",
        "if TYPE_CHECKING:\n    from b import x\n",
        "from outside import *\nx\nx = 1\n",
        "print(list)\nlist = 1\n",
        "print(nowhere)\n",
    ],
)
def test_in_time_or_not_known(text: str) -> None:
    assert failures({"a.py": text, "b.py": "from a import y\n"}) == []


def test_two_that_import_each_other() -> None:
    files = {"a.py": "from b import x\ny = 1\n", "b.py": "from a import y\nx = 1\n"}
    assert failures(files) == ["b.py:1 y"]
    assert failures({**files, "a.py": "y = 1\nfrom b import x\n"}) == []
    assert failures({**files, "b.py": "import a\nx = 1\ndef f():\n    return a.y\n"}) == []
    assert failures({**files, "b.py": "import a\nx = a.y\n"}) == ["b.py:2 y"]


def test_the_package_comes_first() -> None:
    files = {
        "p/__init__.py": "from .keys import key\nclass Cache: ...\n",
        "p/keys.py": "from p import Cache\nkey = 1\n",
    }
    assert failures(files, "p/keys.py") == ["p/keys.py:1 Cache"]
    assert (
        failures({**files, "p/keys.py": "from . import other\nkey = 1\n", "p/other.py": ""}, "p/keys.py")
        == []
    )


def test_what_was_bound_nowhere_before_was_not_lost() -> None:
    files = {"a.py": "total + 1, 3\n", "b.py": "print(rest)\nrest = 2\n"}
    project = MemoryProject({path: text.encode() for path, text in files.items()})
    after = Stage(project)
    after.overlay.put("a.py", b"total = total + 1\ntotal, 3\n")
    after.overlay.put("b.py", b"print(rest)\nprint(rest)\nrest = 2\n")
    check(project, after, ())
    sound = MemoryProject({"a.py": b"late = 2\nprint(late)\n"})
    broken = Stage(sound)
    broken.overlay.put("a.py", b"print(late)\nlate = 2\n")
    with pytest.raises(EditRefused, match="late: read before it is bound"):
        check(sound, broken, ())
