"""Definitions and modules go elsewhere: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "move-symbol: global rebound": (
        (
            "(move-symbol at: 'a.py:4:5' to: 'b.py')",
            {
                "a.py": (
                    "count = 0\n\n\ndef bump():\n    global count\n    count += 1\n    return count\n\n"
                    "def get():\n    return count\n"
                ),
                "b.py": "",
                "main.py": "import a\nfrom a import bump\nbump(); print(a.count, a.get())\n",
            },
        ),
        "bump sets count of a.py anew",
    ),
    "move-symbol: monkeypatched": (
        (
            "(move-symbol at: 'a.py:1:5' to: 'b.py')",
            {
                "a.py": "def f():\n    return 1\n\ndef g():\n    return f()\n",
                "b.py": "",
                "main.py": "import a\na.f = lambda: 2\nprint(a.g())\n",
            },
        ),
        "main.py:2 puts something else in the place of f, which a.py uses itself",
    ),
    "move-symbol: uses patched global": (
        (
            "(move-symbol at: 'a.py:3:5' to: 'b.py')",
            {
                "a.py": "LIMIT = 1\n\ndef f():\n    return LIMIT\n",
                "b.py": "",
                "main.py": "import a\na.LIMIT = 5\nprint(a.f())\n",
            },
        ),
        "LIMIT gets another value at main.py:2, and f would keep the first one",
    ),
    "move-symbol: uses patched global by setattr": (
        (
            "(move-symbol at: 'a.py:3:5' to: 'b.py')",
            {
                "a.py": "LIMIT = 1\n\ndef f():\n    return LIMIT\n",
                "b.py": "",
                "main.py": "import a\nsetattr(a, 'LIMIT', 5)\nprint(a.f())\n",
            },
        ),
        "LIMIT gets another value at main.py:2, and f would keep the first one",
    ),
    "move-symbol: __name__": (
        (
            "(move-symbol at: 'a.py:1:5' to: 'b.py')",
            {"a.py": "def f():\n    return __name__\n", "b.py": "", "main.py": "import a\nprint(a.f())\n"},
        ),
        "f speaks of its own module: __name__ in a.py:2",
    ),
    "move-symbol: logger": (
        (
            "(move-symbol at: 'a.py:1:1' to: 'b.py')",
            {"a.py": "me = __name__\n", "b.py": "", "main.py": "import a\nprint(a.me)\n"},
        ),
        "me speaks of its own module: __name__ in a.py:1",
    ),
    "move-symbol: __file__": (
        (
            "(move-symbol at: 'a.py:2:5' to: 'q/b.py')",
            {
                "a.py": "import os\ndef f():\n    return os.path.basename(os.path.dirname(__file__))\n",
                "q/__init__.py": "",
                "q/b.py": "",
                "main.py": "import a\nprint(a.f()=='q')\n",
            },
        ),
        "f speaks of its own module: __file__ in a.py:3",
    ),
    "move-symbol: registration order": (
        (
            "(move-symbol at: 'a.py:8:5' to: 'b.py')",
            {
                "a.py": (
                    "R = []\ndef reg(f):\n    R.append(f.__name__)\n    return f\n@reg\ndef one(): pass\n"
                    "@reg\ndef two(): pass\n@reg\ndef three(): pass\n"
                ),
                "b.py": "",
                "main.py": "import a\nprint(a.R)\n",
            },
        ),
        "@reg would hear of two no longer when a.py is imported",
    ),
    "move-symbol: registration lost": (
        (
            "(move-symbol at: 'a.py:6:5' to: 'b.py')",
            {
                "a.py": "R = []\ndef reg(f):\n    R.append(f.__name__)\n    return f\n@reg\ndef one(): pass\n",
                "b.py": "",
                "main.py": "import a\nprint(a.R)\n",
            },
        ),
        "@reg would hear of one no longer when a.py is imported",
    ),
    "move-symbol: subclass registration": (
        (
            "(move-symbol at: 'a.py:5:7' to: 'b.py')",
            {
                "a.py": (
                    "class Base:\n    subs=[]\n"
                    "    def __init_subclass__(cls): Base.subs.append(cls.__name__)\n\n"
                    "class One(Base): pass\n\nclass Two(Base): pass\n"
                ),
                "b.py": "",
                "main.py": "import a\nprint(a.Base.subs)\n",
            },
        ),
        "__init_subclass__ of Base would hear of One no longer when a.py is imported",
    ),
    "move-symbol: __subclasses__": (
        (
            "(move-symbol at: 'a.py:4:7' to: 'b.py')",
            {
                "a.py": "class Base:\n    pass\n\nclass One(Base): pass\n\nclass Two(Base): pass\n",
                "b.py": "",
                "main.py": "import a\nprint([c.__name__ for c in a.Base.__subclasses__()])\n",
            },
        ),
        "Base.__subclasses__() in main.py would hear of One no longer when a.py is imported",
    ),
    "move-symbol: default reads var at def": (
        (
            "(move-symbol at: 'a.py:2:5' to: 'b.py')",
            {
                "a.py": "LIMIT = 1\ndef f(x=LIMIT): return x\nLIMIT = 2\n",
                "b.py": "",
                "main.py": "import a\nprint(a.f())\n",
            },
        ),
        "LIMIT is changed at a.py:3, when a.py is imported",
    ),
    "move-symbol: variable value depends order": (
        (
            "(move-symbol at: 'a.py:2:1' to: 'b.py')",
            {
                "a.py": "n = [1]\nsize = len(n)\nn.append(2)\n",
                "b.py": "",
                "main.py": "import a\nprint(a.size)\n",
            },
        ),
        "n is changed at a.py:3, when a.py is imported",
    ),
    "move-symbol: main guard": (
        (
            "(move-symbol at: 'main.py:1:5' to: 'b.py')",
            {"b.py": "", "main.py": "def f(): return __name__\nprint(f())\n"},
        ),
        "f speaks of its own module: __name__ in main.py:1",
    ),
    "move-symbol: dest star imports clash": (
        (
            "(move-symbol at: 'a.py:1:5' to: 'b.py')",
            {
                "a.py": "def f(): return 1\n",
                "c.py": "def f(): return 3\n",
                "b.py": "from c import *\ndef h(): return f()\n",
                "main.py": "import a, b\nprint(a.f(), b.h())\n",
            },
        ),
        "b.py has another f by a star import",
    ),
    "move-symbol: users star clash": (
        (
            "(move-symbol at: 'a.py:1:5' to: 'b.py')",
            {
                "a.py": "def f(): return 1\n",
                "c.py": "def f(): return 3\n",
                "b.py": "def f2(): pass\n",
                "main.py": "from b import *\nfrom c import *\nimport a\nprint(a.f(), f())\n",
            },
        ),
        "main.py takes all names of b.py and has another f",
    ),
    "move-symbol: users star clash 2": (
        (
            "(move-symbol at: 'a.py:1:5' to: 'b.py')",
            {
                "a.py": "def f(): return 1\n",
                "c.py": "def f(): return 3\n",
                "b.py": "def f2(): pass\n",
                "main.py": "from c import *\nfrom b import *\nimport a\nprint(a.f(), f())\n",
            },
        ),
        "main.py takes all names of b.py and has another f",
    ),
    "move-symbol: docstring doctest string ref": (
        (
            "(move-symbol at: 'a.py:1:5' to: 'b.py')",
            {
                "a.py": (
                    "def f():\n    '''\n    >>> from a import f\n    >>> f()\n    1\n    '''\n    return 1\n"
                ),
                "b.py": "",
                "main.py": (
                    "import a, doctest\nimport b\n"
                    "print(doctest.testmod(a).failed + doctest.testmod(b).failed)\n"
                ),
            },
        ),
        "the doctest at a.py:3 imports f from a",
    ),
    "copy-symbol: copy registered": (
        (
            "(copy-symbol at: 'a.py:6:5' to: 'b.py')",
            {
                "a.py": "R = []\ndef reg(f):\n    R.append(f.__name__)\n    return f\n@reg\ndef one(): pass\n",
                "b.py": "",
                "main.py": "import a,b\nprint(a.R)\n",
            },
        ),
        "@reg would hear of one a second time",
    ),
    "copy-symbol: copy subclass reg": (
        (
            "(copy-symbol at: 'a.py:4:7' to: 'b.py')",
            {
                "a.py": (
                    "class Base:\n    subs=[]\n"
                    "    def __init_subclass__(cls): Base.subs.append(cls.__name__)\n"
                    "class One(Base): pass\n"
                ),
                "b.py": "",
                "main.py": "import a,b\nprint(a.Base.subs)\n",
            },
        ),
        "__init_subclass__ of Base would hear of One a second time",
    ),
    "copy-symbol: copy shadows star/builtin use": (
        (
            "(copy-symbol at: 'a.py:1:5' to: 'b.py')",
            {
                "a.py": "def f(): return 1\n",
                "c.py": "def f(): return 2\n",
                "b.py": "from c import *\ndef g(): return f()\n",
                "main.py": "import a,b\nprint(b.g())\n",
            },
        ),
        "b.py has another f by a star import",
    ),
    "move-symbol: singledispatch": (
        (
            "(move-symbol at: 'a.py:3:5' to: 'b.py')",
            {
                "a.py": (
                    "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
                    "@f.register\ndef _(x: int): return 1\n"
                ),
                "b.py": "",
                "main.py": "import a\nprint(a.f(1), a.f('s'))\n",
            },
        ),
        "f is changed at a.py:4, when a.py is imported",
    ),
    "move-symbol: singledispatch impl": (
        (
            "(move-symbol at: 'a.py:5:5' to: 'b.py')",
            {
                "a.py": (
                    "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
                    "@f.register\ndef fint(x: int): return 1\n"
                ),
                "b.py": "",
                "main.py": "import a\nprint(a.f(1), a.f('s'))\n",
            },
        ),
        "@f.register would hear of fint no longer when a.py is imported",
    ),
}
DONE: Mapping[str, Case] = {
    "move-symbols: the first to a new file has no annotation, the next needs what makes them strings": (
        "(move-symbols symbols: ['LIMIT', 'f'] origin: 'a.py' to: 'b.py')",
        {
            "a.py": "from __future__ import annotations\n\nLIMIT = 3\n\n\ndef f(x: Later) -> Later:\n    return x + LIMIT\n",
            "main.py": "from a import f\nprint(f(1), f.__annotations__)\n",
        },
    ),
    "move-symbols: to an empty file": (
        "(move-symbols symbols: ['LIMIT', 'f'] origin: 'a.py' to: 'b.py')",
        {
            "a.py": "from __future__ import annotations\n\nLIMIT = 3\n\n\ndef f(x: Later) -> Later:\n    return x + LIMIT\n",
            "b.py": "",
            "main.py": "from a import f\nprint(f(1), f.__annotations__)\n",
        },
    ),
    "move-symbol: what has no annotation brings no import to a new file": (
        "(move-symbol at: 'a.py:3:1' to: 'b.py')",
        {
            "a.py": "from __future__ import annotations\n\nLIMIT = 3\n",
            "main.py": "from a import LIMIT\nprint(LIMIT)\n",
        },
    ),
    "move-symbol: mock.patch string no home use": (
        "(move-symbol at: 'a.py:1:5' to: 'b.py')",
        {
            "a.py": "def f():\n    return 1\n",
            "b.py": "",
            "main.py": (
                "from unittest import mock\nimport a\nwith mock.patch('a.f', lambda: 2):\n    print(a.f())\n"
            ),
        },
    ),
    "move-symbol: importlib string": (
        "(move-symbol at: 'a.py:1:5' to: 'b.py')",
        {
            "a.py": "def f():\n    return 1\n",
            "b.py": "",
            "main.py": (
                "import importlib\nn='a:f'\nm,_,o=n.partition(':')\n"
                "print(getattr(importlib.import_module(m), o)())\n"
            ),
        },
    ),
    "move-symbol: dir enumerated": (
        "(move-symbol at: 'a.py:1:5' to: 'b.py')",
        {
            "a.py": "def check_f():\n    return 1\n",
            "b.py": "",
            "main.py": "import a\nprint([n for n in dir(a) if n.startswith('check')])\n",
        },
    ),
    "move-symbol: globals()": (
        "(move-symbol at: 'a.py:1:5' to: 'b.py')",
        {
            "a.py": (
                "def check_f():\n    return 1\n\n\ndef all():\n"
                "    return [n for n in globals() if n.startswith('check')]\n"
            ),
            "b.py": "",
            "main.py": "import a\nprint(a.all())\n",
        },
    ),
    "move-symbol: vars(module)": (
        "(move-symbol at: 'a.py:1:7' to: 'b.py')",
        {
            "a.py": "class F: pass\nclass G: pass\n",
            "b.py": "",
            "main.py": "import a\nprint(sorted(n for n in vars(a) if n[0].isupper()))\n",
        },
    ),
    "move-symbol: star reexport": (
        "(move-symbol at: 'p/a.py:1:5' to: 'p/b.py')",
        {
            "p/__init__.py": "from .a import *\n",
            "p/a.py": "def f():\n    return 1\ndef g(): return 2\n",
            "p/b.py": "",
            "main.py": "from p import f\nimport p\nprint(f(), p.f())\n",
        },
    ),
    "move-symbol: star reexport unused": (
        "(move-symbol at: 'p/a.py:1:5' to: 'p/b.py')",
        {
            "p/__init__.py": "from .a import *\n",
            "p/a.py": "def f():\n    return 1\ndef g(): return 2\n",
            "p/b.py": "",
            "main.py": "import p\nprint('f' in dir(p), p.__dict__['f']())\n",
        },
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    refused(tmp_path, *REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_says_the_same(name: str, tmp_path: Path) -> None:
    says_the_same(tmp_path, DONE[name])
