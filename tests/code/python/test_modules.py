"""Whole modules: merged, split, several definitions moved; what cannot follow is refused or listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused
from tests.code.python.edits import edited, write

PACKAGE = {
    "pkg/__init__.py": "from .strings import squeeze as squeeze, PAD\nfrom . import text\n",
    "pkg/strings.py": "from __future__ import annotations\nimport re\nfrom typing import TYPE_CHECKING\n"
    "if TYPE_CHECKING:\n    from .models import User\nfrom . import util\n\n__all__ = ['squeeze', 'PAD']\n"
    "PAD = 1\n\n# about it\n@util.deco\ndef squeeze(u: User) -> str:\n    return re.sub('a', str(PAD), u.name)\n",
    "pkg/util.py": "def deco(f): return f\n",
    "pkg/models.py": "from pkg import strings\nclass User:\n    def f(self): return strings.squeeze(self)\n",
    "pkg/text.py": "from __future__ import annotations\n__all__ = ['title']\n\ndef title(t):\n"
    "    from pkg.strings import squeeze\n    return squeeze(t)\n",
    "tests/test_a.py": "from unittest import mock\nimport pkg.strings\nfrom pkg.strings import *\n"
    "with mock.patch('pkg.strings.squeeze'):\n    pkg.strings.squeeze(PAD)\n# of pkg.strings\n",
}


def test_a_merged_module_takes_exports_guards_and_users_along(tmp_path: Path) -> None:
    after, plan = edited(tmp_path, "(merge-modules modules: ['pkg/strings.py'] into: 'pkg/text.py')", PACKAGE)
    assert not (tmp_path / "pkg/strings.py").exists()
    text = after["pkg/text.py"]
    assert "__all__ = ['title', 'squeeze', 'PAD']" in text
    assert "if TYPE_CHECKING:\n    from pkg.models import User\n" in text
    assert "    from pkg.strings import squeeze" not in text
    assert "# about it\n@util.deco\ndef squeeze(u: User) -> str:" in text
    assert after["pkg/models.py"].startswith("from pkg import text\n")
    assert "text.squeeze(self)" in after["pkg/models.py"]
    assert after["tests/test_a.py"] == (
        "from unittest import mock\nfrom pkg.text import PAD\nimport pkg.text\n"
        "with mock.patch('pkg.text.squeeze'):\n    pkg.text.squeeze(PAD)\n# of pkg.strings\n"
    )
    (place,) = plan.results[0].uncertain
    assert (place.path, place.role) == ("tests/test_a.py", "string")


def test_imports_within_blocks_stay_in_their_blocks(tmp_path: Path) -> None:
    files = {
        "a.py": "import os\nfrom typing import Any, Final\n\nK: Final = 1\n\n\ndef f(x: Any) -> Any:\n    return os.sep\n\n\n"
        "def g(x: Any) -> Any:\n    return x\n\n\ndef h(): ...\n",
        "u.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from a import f, g, h\n\n\n"
        "def late():\n    from a import f as first\n\n    return first(1)\n\n\n"
        "def later():\n    from a import g, h\n\n    return g(h())\n",
    }
    after, _ = edited(tmp_path, "(move-symbols symbols: ['f', 'g', 'K'] origin: 'a.py' to: 'b.py')", files)
    assert after["u.py"] == (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from b import f, g\n    from a import h\n\n\n"
        "def late():\n    from b import f as first\n\n    return first(1)\n\n\n"
        "def later():\n    from b import g\n    from a import h\n\n    return g(h())\n"
    )
    assert after["b.py"].startswith("from typing import Final, Any\nimport os\n\n\nK: Final = 1\n")
    assert after["a.py"] == "def h(): ...\n"


def test_modules_that_use_each_other_merge(tmp_path: Path) -> None:
    files = {
        "a.py": "import b\n\n\ndef fa():\n    return b.fb()\n",
        "b.py": "import a\n\n\ndef fb():\n    return 1\n\n\ndef fc():\n    return a.fa()\n",
        "main.py": "import a, b\nprint(a.fa(), b.fb(), b.fc())\n",
    }
    after, _ = edited(tmp_path, "(merge-modules modules: ['a.py' 'b.py'] into: 'c.py')", files)
    assert after == {
        "c.py": "def fa():\n    return fb()\n\n\ndef fb():\n    return 1\n\n\ndef fc():\n    return fa()\n",
        "main.py": "import c\nprint(c.fa(), c.fb(), c.fc())\n",
    }


@pytest.mark.parametrize(
    ("program", "files", "reason"),
    [
        (
            "(move-symbols symbols: ['A'] origin: 'm.py' to: 'n.py')",
            {
                "m.py": "class A:\n    def f(self): return B()\nclass B(A):\n    pass\n",
                "u.py": "from m import A\n",
            },
            "would import each other",
        ),
        (
            "(merge-modules modules: ['p/__init__.py'] into: 'n.py')",
            {"p/__init__.py": "def f(): pass\n", "p/m.py": ""},
            "is a package",
        ),
        (
            "(merge-modules modules: ['m.py'] into: 'n.py')",
            {"m.py": "import q\n__all__ = ['f'] + q.__all__\ndef f(): pass\n", "n.py": ""},
            "more than one literal list",
        ),
        (
            "(merge-modules modules: ['m.py'] into: 'n.py')",
            {"m.py": "def f(): pass\n", "n.py": "def f(): return 1\n"},
            "already has a f",
        ),
        (
            "(split-module module: 'm.py' parts: {'a.py': ['f'], 'b.py': ['f']})",
            {"m.py": "def f(): pass\n"},
            "f would go to two modules",
        ),
    ],
)
def test_what_would_not_follow_is_refused(
    tmp_path: Path, program: str, files: dict[str, str], reason: str
) -> None:
    write(tmp_path, files)
    with pytest.raises(EditRefused, match=reason):
        CodeEngine(tmp_path).plan(program)


def test_a_submodule_that_its_package_imports_moves(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from . import a\nfrom . import c, a as q\nprint(a.X, q.X)\n",
        "pkg/a.py": "from .c import Y\nX = 1\n",
        "pkg/c.py": "Y = 2\n",
        "other/__init__.py": "",
    }
    after, _ = edited(tmp_path, "(move-module module: 'pkg/a.py' to: 'other')", files)
    assert after["pkg/__init__.py"] == "from . import c\nfrom other import a, a as q\nprint(a.X, q.X)\n"
    assert after["other/a.py"] == "from pkg.c import Y\nX = 1\n"


def test_files_are_created_with_their_imports_in_order(tmp_path: Path) -> None:
    program = (
        "(create-files files: {'t/m.py': 'def f():\\n    return g(h, Path(), unknown)', "
        "'t/n.py': 'def g(a, b): return json.dumps(a)', 't/__init__.py': '', 'x.md': '# hi'})"
    )
    files = {"pre.py": "from pathlib import Path\ndef h(): pass\n"}
    after, plan = edited(tmp_path, program, files)
    assert after["t/m.py"].startswith(
        "from pathlib import Path\nfrom pre import h\nfrom t.n import g\n\n\ndef f():"
    )
    assert after["t/n.py"] == "import json\n\n\ndef g(a, b): return json.dumps(a)\n"
    assert plan.results[0].text == "created t/n.py, t/m.py, t/__init__.py, x.md"
    assert plan.results[0].notes == ("t/m.py: nothing, or more than one thing, is named unknown",)


def test_a_deleted_file_names_who_imports_it(tmp_path: Path) -> None:
    files = {"pkg/a.py": "X = 1\n", "pkg/__init__.py": "from .a import X\n", "pkg/c.py": "import pkg.a\n"}
    _, plan = edited(tmp_path, "(delete-file path: 'pkg/a.py')", files)
    assert [place.path for place in plan.results[0].uncertain] == ["pkg/__init__.py", "pkg/c.py"]


def test_a_stub_beside_a_module_that_imports_the_name_follows(tmp_path: Path) -> None:
    files = {
        "p/__init__.py": "from .f import load\n__all__ = ['load']\n",
        "p/__init__.pyi": "def load(x: int) -> int: ...\ny = load(1)\n",
        "p/f.py": "def load(x):\n    return x\n",
    }
    after, _ = edited(tmp_path, "(rename at: 'p/__init__.pyi:1:5' new: 'read')", files)
    assert after == {path: text.replace("load", "read") for path, text in files.items()}


def test_a_parameter_of_a_method_is_not_given_a_name_that_its_callers_cannot_write(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": "class A:\n    def f(self, x): return x\n\n\ndef g(x): return x\n"})
    with pytest.raises(EditRefused, match="no caller outside of the class"):
        CodeEngine(tmp_path).plan("(rename at: 'm.py:2:17' new: '__x')")
    assert CodeEngine(tmp_path).plan("(rename at: 'm.py:5:7' new: '__x')").changes
