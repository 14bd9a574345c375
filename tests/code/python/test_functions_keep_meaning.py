"""Functions become other things: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "make-top-level: fn attributes": (
        (
            "(make-top-level range: 'a.py:2-2')",
            {
                "a.py": (
                    "def f(n):\n    def g(): return getattr(g, 'c', 0)\n    r = g()\n    g.c = n\n"
                    "    return r\nprint(f(3), f(4))\n"
                )
            },
        ),
        "a.py:4 has to do with what is kept at g",
    ),
    "make-top-level: defaults evaluated": (
        (
            "(make-top-level range: 'a.py:2-2')",
            {
                "a.py": (
                    "def f(n):\n    def g(x, acc=[]): acc.append(x); return acc\n    return g(n)\n"
                    "print(f(3), f(4))\n"
                )
            },
        ),
        "the default of acc is made anew at each call",
    ),
    "make-top-level: decorator stateful": (
        (
            "(make-top-level range: 'a.py:3-4')",
            {
                "a.py": (
                    "import functools\ndef f(n):\n    @functools.lru_cache\n    def g(x): return [x]\n"
                    "    return g(1)\na=f(3); b=f(4); print(a is b)\n"
                )
            },
        ),
        "g is decorated anew at each call",
    ),
    "make-top-level: rebound": (
        (
            "(make-top-level range: 'a.py:2-2')",
            {
                "a.py": (
                    "def f(n):\n    def g(): return 1\n    g = deco(g)\n    return g()\n"
                    "def deco(h): return lambda: h()+1\nprint(f(3))\n"
                )
            },
        ),
        "g is bound more than once",
    ),
    "make-top-level: conditional def": (
        (
            "(make-top-level range: 'a.py:3-4')",
            {
                "a.py": (
                    "def f(n):\n    if n:\n        def g():\n            return 1\n    else:\n"
                    "        def g():\n            return 2\n    return g()\nprint(f(1), f(0))\n"
                )
            },
        ),
        "g is bound more than once",
    ),
    "make-top-level: local class name": (
        (
            "(make-top-level range: 'a.py:2-2')",
            {"a.py": "def f(n):\n    def g(): return locals()\n    return g()\nprint(f(1))\n"},
        ),
        "f looks at its own names: locals() in a.py:2",
    ),
    "make-top-level: locals() in outer": (
        (
            "(make-top-level range: 'a.py:2-2')",
            {"a.py": "def f(n):\n    def g(): return 1\n    return sorted(locals())\nprint(f(1))\n"},
        ),
        "f looks at its own names: locals() in a.py:3",
    ),
    "method-object: locals": (
        (
            "(method-object at: 'a.py:1:5' name: 'M')",
            {"a.py": "def f(a):\n    return sorted(locals())\nprint(f(1))\n"},
        ),
        "f looks at its own names: locals() in a.py:2",
    ),
    "method-object: import param": (
        (
            "(method-object at: 'a.py:1:5' name: 'M')",
            {
                "a.py": (
                    "def f(os=None):\n    if os is None:\n        import os\n    return os.sep\n"
                    "print(f(None))\n"
                )
            },
        ),
        "os is bound by a import, too",
    ),
    "method-object: match capture": (
        (
            "(method-object at: 'a.py:1:5' name: 'M')",
            {"a.py": "def f(a):\n    match [1]:\n        case [a]: pass\n    return a\nprint(f(None))\n"},
        ),
        "a is bound by a match, too",
    ),
    "method-object: frame depth": (
        (
            "(method-object at: 'a.py:2:5' name: 'M')",
            {
                "a.py": (
                    "import sys\ndef f(a):\n    return sys._getframe(1).f_code.co_name\n"
                    "def g(): return f(1)\nprint(g())\n"
                )
            },
        ),
        "f looks at who calls it: _getframe in a.py:3",
    ),
    "method-object: fstring =": (
        (
            "(method-object at: 'a.py:1:5' name: 'M')",
            {"a.py": "def f(a):\n    return f'{a=}'\nprint(f(3))\n"},
        ),
        "f looks at its own names: {a=} in a.py:2",
    ),
    "make-static: super override": (
        (
            "(make-static target: 'a.py::method#B.f')",
            {
                "a.py": (
                    "class A:\n    def f(self, x): return 1\nclass B(A):\n"
                    "    def f(self, x): return 2\nclass C(B):\n"
                    "    def f(self, x): return super().f(x)\n"
                    "print(B().f(1), C().f(1), A.f(B(), 1))\n"
                )
            },
        ),
        "a.py:7 takes it from the class and hands the object over",
    ),
    "make-static: call via class": (
        (
            "(make-static target: 'a.py::method#B.f')",
            {"a.py": "class B:\n    def f(self, x): return 2\nprint(B.f(B(), 1))\n"},
        ),
        "a.py:3 takes it from the class and hands the object over",
    ),
    "make-static: class attr call via other name": (
        (
            "(make-static target: 'a.py::method#B.f')",
            {"a.py": "class B:\n    def f(self, x): return 2\ng = B.f\nprint(g(None, 1))\n"},
        ),
        "a.py:3 takes it from the class and hands the object over",
    ),
    "make-static: class-body call": (
        (
            "(make-static target: 'a.py::method#B.f')",
            {"a.py": "class B:\n    def f(self, x): return 2\n    y = f(None, 1)\nprint(B.y)\n"},
        ),
        "a.py:3 uses it by its bare name, as a function of the object",
    ),
    "make-static: property-like registration": (
        (
            "(make-static target: 'a.py::method#B.f')",
            {"a.py": "class B:\n    def f(self): return 2\n    p = property(f)\nprint(B().p)\n"},
        ),
        "a.py:3 uses it by its bare name, as a function of the object",
    ),
    "make-static: base call": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": (
                    "class A:\n    def f(self, x): return 1\nclass B(A):\n"
                    "    def f(self, x): return A.f(self, x)+1\nprint(B().f(1))\n"
                )
            },
        ),
        "a.py:4 takes it from the class and hands the object over",
    ),
    "make-static: dunder": (
        (
            "(make-static target: 'a.py::method#A.__len__')",
            {"a.py": "class A:\n    def __len__(self): return 1\nprint(len(A()))\n"},
        ),
        "method '__len__' is called by Python itself",
    ),
    "make-static: __init__": (
        (
            "(make-static target: 'a.py::method#A.__init__')",
            {"a.py": "class A:\n    def __init__(self): pass\nprint(type(A()).__name__)\n"},
        ),
        "method '__init__' is called by Python itself",
    ),
    "make-static: __new__": (
        (
            "(make-static target: 'a.py::method#A.__init_subclass__')",
            {"a.py": "class A:\n    def __init_subclass__(cls): pass\nclass B(A): pass\nprint(1)\n"},
        ),
        "method '__init_subclass__' is called by Python itself",
    ),
    "make-static: decorated": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": (
                    "def deco(g):\n    def w(self, *a): return g(self, *a)\n    return w\nclass A:\n"
                    "    @deco\n    def f(self, x): return 1\nprint(A().f(2))\n"
                )
            },
        ),
        "method 'f' is a deco",
    ),
    "make-static: locals": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {"a.py": "class A:\n    def f(self, x): return sorted(locals())\nprint(A().f(2))\n"},
        ),
        "f looks at its own names: locals() in a.py:2",
    ),
    "make-static: signature inspect": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": (
                    "import inspect\nclass A:\n    def f(self, x): return 1\n"
                    "print(inspect.isfunction(vars(A)['f']))\n"
                )
            },
        ),
        "a.py:4 may take f from the class",
    ),
    "make-static: overrides base method that framework calls via class": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": (
                    "class A:\n    def f(self, x): return 1\ndef run(cls, o): return cls.f(o, 1)\n"
                    "print(run(A, A()))\n"
                )
            },
        ),
        "a.py:3 takes it from the class and hands the object over",
    ),
    "make-static: map unbound": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {"a.py": "class A:\n    def f(self): return 1\nprint(list(map(A.f, [A()])))\n"},
        ),
        "a.py:3 takes it from the class and hands the object over",
    ),
    "make-static: metaclass": (
        (
            "(make-static target: 'a.py::method#M.f')",
            {
                "a.py": (
                    "class M(type):\n    def f(cls): return 1\nclass A(metaclass=M): pass\nprint(A.f())\n"
                )
            },
        ),
        "a.py:4 takes it from the class and hands the object over",
    ),
    "make-static: patched": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": "class A:\n    def f(self, x): return x\n",
                "main.py": (
                    "import a\nfrom unittest import mock\ndef g(self, x): return x*2\n"
                    "with mock.patch.object(a.A,'f',g): print(a.A().f(1))\n"
                ),
            },
        ),
        "main.py:4 puts something else in its place, with the object",
    ),
    "make-static: autospec": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": "class A:\n    def f(self, x): return x\n",
                "main.py": (
                    "import a\nfrom unittest import mock\n"
                    "with mock.patch.object(a.A,'f',autospec=True) as m:\n"
                    "    o=a.A();o.f(1); print(len(m.call_args[0]))\n"
                ),
            },
        ),
        "main.py:3 puts something else in its place, with the object",
    ),
    "make-static: subclass classmethod etc via abstract": (
        (
            "(make-static target: 'a.py::method#A.f')",
            {
                "a.py": (
                    "class A:\n    def f(self, x): return x\nclass B(A):\n"
                    "    def f(self, x): return A().f(x)\n"
                    "print(B().f(1), [getattr(c,'f')(c(),1) for c in (A,)])\n"
                )
            },
        ),
        "a.py:5 takes it from the class and hands the object over",
    ),
}
DONE: Mapping[str, Case] = {
    "method-object: docstring": (
        "(method-object at: 'a.py:1:5' name: 'M')",
        {"a.py": "def f(a):\n    '''doc'''\n    return 1\nprint(f.__doc__)\n"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    refused(tmp_path, *REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_says_the_same(name: str, tmp_path: Path) -> None:
    says_the_same(tmp_path, DONE[name])
