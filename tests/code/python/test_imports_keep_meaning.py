"""Imports are cleaned and written another way: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "sort-imports: order overriding": (
        (
            "(sort-imports file: 'a.py')",
            {
                "a.py": "from c import f\nfrom b import f\nprint(f())\n",
                "b.py": "def f(): return 1\n",
                "c.py": "def f(): return 2\n",
            },
        ),
        "a.py:2 may bind f anew, and would come first",
    ),
    "sort-imports: order stars": (
        (
            "(sort-imports file: 'a.py')",
            {
                "a.py": "from c import *\nfrom b import *\nprint(f())\n",
                "b.py": "def f(): return 1\n",
                "c.py": "def f(): return 2\n",
            },
        ),
        "a.py:2 may bind f anew, and would come first",
    ),
    "sort-imports: side effects": (
        (
            "(sort-imports file: 'a.py')",
            {
                "a.py": "import zz\nimport bb\nprint(bb.V)\n",
                "zz.py": "import sys\nsys.flag = 1\n",
                "bb.py": "import sys\nV = getattr(sys,'flag',0)\n",
            },
        ),
        "zz.py:2 runs when it is imported, and would do so at another time",
    ),
    "sort-imports: circle": (
        (
            "(sort-imports file: 'p/__init__.py')",
            {
                "p/__init__.py": "from .z import base\nfrom .a import derived\n",
                "p/z.py": "base = 1\n",
                "p/a.py": "from p import base\nderived = base + 1\n",
                "main.py": "import p; print(p.derived)\n",
            },
        ),
        "names would lose",
    ),
    "sort-imports: monkeypatch ext": (
        (
            "(sort-imports file: 'a.py')",
            {
                "a.py": "import gevent_like\nimport bb\nprint(bb.V)\n",
                "gevent_like.py": "import time\ntime.sleep = 5\n",
                "bb.py": "from time import sleep as V\n",
            },
        ),
        "gevent_like.py:2 runs when it is imported, and would do so at another time",
    ),
    "expand: star side underscore": (
        (
            "(expand-star-import file: 'a.py')",
            {
                "a.py": "from b import *\n",
                "b.py": "x=1\n_y=2\n",
                "main.py": "import a\nprint('x' in dir(a))\n",
            },
        ),
        "main.py:2 asks for names of a.py by texts",
    ),
    "expand: star dyn all": (
        (
            "(expand-star-import file: 'a.py')",
            {"a.py": "from b import *\nprint(x)\n", "b.py": "__all__ = [n for n in ('x','y')]\nx=1\ny=2\n"},
        ),
        "the names of b.py are computed",
    ),
    "expand: star eval": (
        (
            "(expand-star-import file: 'a.py')",
            {"a.py": "from b import *\nprint(eval('x'))\n", "b.py": "x=1\n"},
        ),
        "a.py:2 asks for names of a.py by texts",
    ),
    "expand: star globals update": (
        (
            "(expand-star-import file: 'a.py')",
            {"a.py": "from b import *\nprint(x)\n", "b.py": "globals().update(x=1)\n"},
        ),
        "the names of b.py are computed",
    ),
    "absolute-imports: namespace pkg": (
        (
            "(absolute-imports file: 'ns/p/a.py')",
            {
                "ns/p/__init__.py": "",
                "ns/p/a.py": "from .b import x\nprint(x)\n",
                "ns/p/b.py": "x=1\n",
                "main.py": "import ns.p.a\n",
            },
        ),
        "main.py imports p as ns.p",
    ),
    "relative-imports: conftest": (
        (
            "(relative-imports file: 'tests/a.py')",
            {
                "tests/__init__.py": "",
                "tests/a.py": "from tests.b import x\nprint(x)\nif __name__ == '__main__': pass\n",
                "tests/b.py": "x=1\n",
                "main.py": "import tests.a\n",
            },
        ),
        "tests/a.py is run as a script, too, where relative imports fail",
    ),
    "froms-to-imports: a name of the own package": (
        (
            "(froms-to-imports file: 'p/a.py')",
            {
                "p/__init__.py": "from p.a import A\nfrom . import f\n",
                "p/f.py": "S = 1\n",
                "p/a.py": "from p import f as g\n\n\nclass A:\n    s = g.S\n",
                "main.py": "import p\nprint(p.A.s)\n",
            },
        ),
        "needs p while p is still being imported",
    ),
    "froms-to-imports: local shadow": (
        (
            "(froms-to-imports file: 'a.py')",
            {"a.py": "from os import sep\ndef f(os): return sep\nprint(f(1))\n"},
        ),
        "os means something else at a.py:2",
    ),
    "froms-to-imports: rebound": (
        (
            "(froms-to-imports file: 'a.py')",
            {
                "a.py": "from b import x, bump\nbump()\nprint(x)\n",
                "b.py": "x = 1\ndef bump():\n    global x\n    x += 1\n",
            },
        ),
        "x gets another value at b.py:4, which is not seen here",
    ),
    "froms-to-imports: patched": (
        (
            "(froms-to-imports file: 'a.py')",
            {
                "a.py": "from b import f\ndef g(): return f()\n",
                "b.py": "def f(): return 1\n",
                "main.py": (
                    "from unittest import mock\nimport a\nwith mock.patch('a.f', lambda: 2): print(a.g())\n"
                ),
            },
        ),
        "main.py:3 speaks of f in a.py",
    ),
    "froms-to-imports: assigned name": (
        (
            "(froms-to-imports file: 'a.py')",
            {"a.py": "from b import f\nf = f or 2\nprint(f)\n", "b.py": "f=1\n"},
        ),
        "f is bound anew at a.py:2",
    ),
    "froms-to-imports: submodule shadowed by name": (
        (
            "(froms-to-imports file: 'a.py')",
            {
                "a.py": "from p.f import f\nprint(f())\n",
                "p/__init__.py": "from .f import f\n",
                "p/f.py": "def f(): return 1\n",
            },
        ),
        "f of p is not its module",
    ),
    "froms-to-imports: del": (
        ("(froms-to-imports file: 'a.py')", {"a.py": "from b import f\nprint(f)\ndel f\n", "b.py": "f=1\n"}),
        "f is bound anew at a.py:3",
    ),
    "froms-to-imports: doctest": (
        (
            "(froms-to-imports file: 'a.py')",
            {
                "a.py": (
                    "from math import floor\ndef f():\n    '''\n    >>> floor(1.5)\n    1\n    '''\n"
                    "    return floor(2.5)\n"
                ),
                "main.py": "import a, doctest; print(doctest.testmod(a).failed)\n",
            },
        ),
        "the doctest at a.py:4 uses floor",
    ),
}
DONE: Mapping[str, Case] = {
    "remove-unused-imports: side effect": (
        "(remove-unused-imports file: 'main.py')",
        {
            "reg.py": "import sys\nsys.marker = 5\n",
            "main.py": "import sys\nimport reg\nprint(getattr(sys, 'marker', None))\n",
        },
    ),
    "remove-unused-imports: plugin registration": (
        "(remove-unused-imports file: 'p/__init__.py')",
        {
            "p/__init__.py": "from . import core\nfrom . import plug\n\ndef go():\n    return core.R\n",
            "p/core.py": "R = []\n",
            "p/plug.py": "from .core import R\nR.append(1)\n",
            "main.py": "import p\nprint(p.go())\n",
        },
    ),
    "remove-unused-imports: submodule attr": (
        "(remove-unused-imports file: 'p/__init__.py')",
        {
            "p/__init__.py": "import p.core\n",
            "p/core.py": "def f(): return 1\n",
            "main.py": "import p\nprint(p.core.f())\n",
        },
    ),
    "remove-unused-imports: patched": (
        "(remove-unused-imports file: 'a.py')",
        {
            "a.py": "import time\nX=1\n",
            "main.py": "from unittest import mock\nimport a\nwith mock.patch('a.time'): print(1)\n",
        },
    ),
    "remove-unused-imports: exec/eval": (
        "(remove-unused-imports file: 'a.py')",
        {"a.py": "import math\ndef f(): return eval('math.pi')\n", "main.py": "import a; print(a.f())\n"},
    ),
    "remove-unused-imports: globals": (
        "(remove-unused-imports file: 'a.py')",
        {
            "a.py": "import math\ndef f(): return globals()['math'].pi\n",
            "main.py": "import a; print(a.f())\n",
        },
    ),
    "remove-unused-imports: doctest": (
        "(remove-unused-imports file: 'a.py')",
        {
            "a.py": "import math\ndef f():\n    '''\n    >>> math.floor(1.5)\n    1\n    '''\n",
            "main.py": "import a, doctest; print(doctest.testmod(a).failed)\n",
        },
    ),
    "remove-unused-imports: dynamic getattr of module": (
        "(remove-unused-imports file: 'a.py')",
        {
            "a.py": "from b import x, y\n",
            "b.py": "x=1\ny=2\n",
            "main.py": "import a\nfor n in 'xy': print(getattr(a, n))\n",
        },
    ),
    "remove-unused-imports: star __all__ dynamic": (
        "(remove-unused-imports file: 'a.py')",
        {"a.py": "from b import *\n", "b.py": "x=1\n", "main.py": "import a\nprint(vars(a)['x'])\n"},
    ),
    "remove-unused-imports: circle order": (
        "(remove-unused-imports file: 'main.py')",
        {"main.py": "import a\nimport b\nprint(b.x)\n", "a.py": "import b\nb.x = 2\n", "b.py": "x = 1\n"},
    ),
    "remove-duplicate-imports: dup different scope": (
        "(remove-duplicate-imports file: 'a.py')",
        {"a.py": "import os\nx = os.sep\nos = 5\nimport os\nprint(os.sep)\n"},
    ),
    "remove-duplicate-imports: from merge over rebinding": (
        "(remove-duplicate-imports file: 'a.py')",
        {"a.py": "from b import x\ny = x\nfrom b import z\nprint(y)\n", "b.py": "x=1\nz=2\n"},
    ),
    "remove-duplicate-imports: from merge over condition": (
        "(remove-duplicate-imports file: 'a.py')",
        {"a.py": "import b\nfrom b import x\nb.z = 3\nfrom b import z\nprint(x,z)\n", "b.py": "x=1\n"},
    ),
    "remove-duplicate-imports: from same name overriding": (
        "(remove-duplicate-imports file: 'a.py')",
        {
            "a.py": "from b import f\nfrom c import f\nfrom b import g\nfrom b import f\nprint(f())\n",
            "b.py": "def f(): return 1\ndef g(): pass\n",
            "c.py": "def f(): return 2\n",
        },
    ),
    "organise-imports: self submodule": (
        "(organise-imports file: 'p/__init__.py')",
        {
            "p/__init__.py": "from . import build\n",
            "p/build.py": "import sys\nsys.built = 1\n",
            "main.py": "import p, sys\nprint(sys.built)\n",
        },
    ),
    "remove-unused-imports: own registry": (
        "(remove-unused-imports file: 'p/__init__.py')",
        {
            "p/__init__.py": "from . import build\n",
            "p/build.py": (
                "class B:\n    def go(self):\n        import sys\n        sys.built = 1\nb = B()\nb.go()\n"
            ),
            "main.py": "import p, sys\nprint(sys.built)\n",
        },
    ),
    "expand: star conditional name": (
        "(expand-star-import file: 'a.py')",
        {"a.py": "from b import *\nx = x if True else 0\nprint(x)\n", "b.py": "x=1\n"},
    ),
    "expand: star submodule": (
        "(expand-star-import file: 'a.py')",
        {
            "a.py": "from p import *\nprint(sub.x)\n",
            "p/__init__.py": "__all__=['sub']\n",
            "p/sub.py": "x=1\n",
        },
    ),
    "expand: star def override": (
        "(expand-star-import file: 'a.py')",
        {"a.py": "from b import *\nold = x\ndef x(): return 2\nprint(old, x())\n", "b.py": "x=1\n"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    refused(tmp_path, *REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_says_the_same(name: str, tmp_path: Path) -> None:
    says_the_same(tmp_path, DONE[name])
