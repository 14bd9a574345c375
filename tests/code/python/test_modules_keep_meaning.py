"""Modules go elsewhere, or become packages: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "module-to-package: file": (
        ("(module-to-package module: 'a.py')", {"a.py": "import os\nprint(os.path.basename(__file__))\n"}),
        "a.py asks where it is: __file__ in a.py:2",
    ),
    "module-to-package: datafile": (
        (
            "(module-to-package module: 'p/a.py')",
            {
                "p/__init__.py": "",
                "p/a.py": "import os\nprint(open(os.path.join(os.path.dirname(__file__),'d.txt')).read())\n",
                "p/d.txt": "hi",
                "main.py": "import p.a\n",
            },
        ),
        "p/a.py asks where it is: __file__ in p/a.py:2",
    ),
    "module-to-package: package": (
        (
            "(module-to-package module: 'p/a.py')",
            {
                "p/__init__.py": "",
                "p/a.py": "from importlib import import_module\nprint(import_module('.b', __package__).x)\n",
                "p/b.py": "x=1\n",
                "main.py": "import p.a\n",
            },
        ),
        "p/a.py asks where it is: __package__ in p/a.py:2",
    ),
    "module-to-package: asked by another": (
        (
            "(module-to-package module: 'p/a.py')",
            {"p/__init__.py": "", "p/a.py": "x=1\n", "main.py": "import p.a\nprint(p.a.__package__)\n"},
        ),
        "main.py:2 asks for a.__package__",
    ),
    "module-to-package: __path__ / main": (
        (
            "(module-to-package module: 'a.py')",
            {
                "a.py": "if __name__=='__main__': print(1)\n",
                "main.py": "import runpy\nrunpy.run_module('a', run_name='__main__')\n",
            },
        ),
        "a.py is run as a script, too, by its path",
    ),
    "move-module: __file__": (
        (
            "(move-module module: 'q/a.py' to: 'p')",
            {
                "q/__init__.py": "",
                "q/a.py": "import os\nd=open(os.path.join(os.path.dirname(__file__),'d.txt')).read()\n",
                "q/d.txt": "hi",
                "p/__init__.py": "",
                "main.py": "import q.a\nprint(q.a.d)\n",
            },
        ),
        "q/a.py asks where it is: __file__ in q/a.py:2",
    ),
    "move-module: dynamic discover": (
        (
            "(move-module module: 'q/a.py' to: 'p')",
            {
                "q/__init__.py": "import pkgutil\nnames=sorted(m.name for m in pkgutil.iter_modules(__path__))\n",
                "q/a.py": "def d(): return 1\n",
                "p/__init__.py": "",
                "main.py": "import q\nprint(q.names)\n",
            },
        ),
        "q/__init__.py:2 looks for modules by computed names",
    ),
    "move-module: import_module relative": (
        (
            "(move-module module: 'q/a.py' to: 'p')",
            {
                "q/__init__.py": (
                    "from importlib import import_module\ndef get(n): return import_module('.'+n, __name__)\n"
                ),
                "q/a.py": "x=1\n",
                "p/__init__.py": "",
                "main.py": "import q\nprint(q.get('a').x)\n",
            },
        ),
        "q/__init__.py:2 looks for modules by computed names",
    ),
    "move-module: lazy dict": (
        (
            "(move-module module: 'q/a.py' to: 'p')",
            {
                "q/__init__.py": (
                    "import importlib\n_L={'x':'.a'}\ndef __getattr__(n):\n"
                    "    if n in _L: return getattr(importlib.import_module(_L[n], __name__), n)\n"
                    "    raise AttributeError(n)\n"
                ),
                "q/a.py": "x=1\n",
                "p/__init__.py": "",
                "main.py": "import q\nprint(q.x)\n",
            },
        ),
        "q/__init__.py:4 looks for modules by computed names",
    ),
    "move-module: stdlib shadow": (
        (
            "(move-module module: 'p/json.py' to: '')",
            {
                "p/__init__.py": "",
                "p/json.py": "x=1\n",
                "main.py": "import p.json\nimport json as j\nprint(p.json.x, j.dumps(1))\n",
            },
        ),
        "json is a module of the standard library",
    ),
    "move-module: star all": (
        (
            "(move-module module: 'q/a.py' to: 'p')",
            {
                "q/__init__.py": "__all__=['a']\n",
                "q/a.py": "v=1\n",
                "p/__init__.py": "",
                "main.py": "from q import *\nprint(a.v)\n",
            },
        ),
        "the __all__ of q/__init__.py names a",
    ),
    "move-module: name clash local": (
        (
            "(move-module module: 'a.py' to: 'p')",
            {
                "a.py": "v=1\n",
                "p/__init__.py": "",
                "main.py": "import a\ndef f(p): return a.v\nprint(f(1))\n",
            },
        ),
        "p means something else in main.py",
    ),
    "move-module: name clash global": (
        (
            "(move-module module: 'a.py' to: 'p')",
            {"a.py": "v=1\n", "p/__init__.py": "", "main.py": "import a\np = 3\nprint(a.v, p)\n"},
        ),
        "p means something else in main.py",
    ),
    "move-module: doctest": (
        (
            "(move-module module: 'a.py' to: 'p')",
            {
                "a.py": (
                    "def v():\n    '''\n    >>> from a import v\n    >>> v()\n    1\n    '''\n    return 1\n"
                ),
                "p/__init__.py": "",
                "main.py": "import doctest, a\nprint(doctest.testmod(a).failed)\n",
            },
        ),
        "the doctest at a.py:3 imports a",
    ),
}
DONE: Mapping[str, Case] = {
    "move-module: basic str": (
        "(move-module module: 'a.py' to: 'p')",
        {
            "a.py": "x=1\n",
            "p/__init__.py": "",
            "main.py": "import importlib\nprint(importlib.import_module('a').x)\n",
        },
    ),
    "move-module: patch str": (
        "(move-module module: 'q/a.py' to: 'p')",
        {
            "q/__init__.py": "",
            "q/a.py": "def d(): return 1\n",
            "p/__init__.py": "",
            "main.py": (
                "from unittest import mock\nimport q.a\nwith mock.patch('q.a.d', lambda: 2): print(q.a.d())\n"
            ),
        },
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    refused(tmp_path, *REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_says_the_same(name: str, tmp_path: Path) -> None:
    says_the_same(tmp_path, DONE[name])
