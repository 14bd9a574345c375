"""Members change their class: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "extract-superclass: property setter split": (
        (
            "(extract-superclass range: 'a.py:3-4' name: 'S')",
            {
                "a.py": (
                    "class A:\n    v = 1\n    @property\n    def p(self): return self.v\n    @p.setter\n"
                    "    def p(self, x): self.v = x\no=A(); o.p=3; print(o.p)\n"
                )
            },
        ),
        "A.p is made of several statements",
    ),
    "extract-superclass: property setter only": (
        (
            "(extract-superclass range: 'a.py:5-6' name: 'S')",
            {
                "a.py": (
                    "class A:\n    v = 1\n    @property\n    def p(self): return self.v\n    @p.setter\n"
                    "    def p(self, x): self.v = x\no=A(); o.p=3; print(o.p)\n"
                )
            },
        ),
        "A.p is made of several statements",
    ),
    "extract-superclass: slots itself": (
        (
            "(extract-superclass range: 'a.py:2-2' name: 'S')",
            {
                "a.py": (
                    "class A:\n    __slots__=('v',)\n    def f(self): return 1\no=A()\n"
                    "try: o.q=1; print('dict')\nexcept AttributeError: print('slots')\n"
                )
            },
        ),
        "__slots__ speaks of A itself",
    ),
    "extract-superclass: metaclass reg": (
        (
            "(extract-superclass range: 'a.py:5-5' name: 'S')",
            {
                "a.py": (
                    "class B:\n    subs=[]\n"
                    "    def __init_subclass__(cls): B.subs.append(cls.__name__)\nclass A(B):\n"
                    "    def f(self): pass\nprint(B.subs)\n"
                )
            },
        ),
        "__init_subclass__ of B makes something of the members of A",
    ),
    "extract-superclass: init_subclass moved": (
        (
            "(extract-superclass range: 'a.py:3-3' name: 'S')",
            {
                "a.py": (
                    "class A:\n    subs=[]\n"
                    "    def __init_subclass__(cls): A.subs.append(cls.__name__)\nclass C(A): pass\n"
                    "print(A.subs)\n"
                )
            },
        ),
        "__init_subclass__ speaks of A itself",
    ),
    "extract-superclass: __dict__/vars(cls)": (
        (
            "(extract-superclass range: 'a.py:2-2' name: 'S')",
            {
                "a.py": (
                    "class A:\n    def f(self): pass\n    def g(self): pass\n"
                    "print([n for n in vars(A) if n in 'fg'])\n"
                )
            },
        ),
        "a.py:4 goes through the members of a class",
    ),
    "extract-superclass: enum": (
        (
            "(extract-superclass range: 'a.py:4-4' name: 'S')",
            {
                "a.py": (
                    "import enum\nclass A(enum.Enum):\n    x = 1\n    def f(self): return 2\n"
                    "print(A.x.f(), list(A))\n"
                )
            },
        ),
        "Enum makes something of the members of A",
    ),
    "extract-superclass: namedtuple": (
        (
            "(extract-superclass range: 'a.py:4-4' name: 'S')",
            {
                "a.py": (
                    "from typing import NamedTuple\nclass A(NamedTuple):\n    x: int\n"
                    "    def f(self): return 2\nprint(A(1).f(), A(1))\n"
                )
            },
        ),
        "NamedTuple makes something of the members of A",
    ),
    "extract-superclass: typeddict/protocol": (
        (
            "(extract-superclass range: 'a.py:5-5' name: 'S')",
            {
                "a.py": (
                    "from typing import Protocol, runtime_checkable\n@runtime_checkable\n"
                    "class A(Protocol):\n    def g(self): ...\n    def f(self): ...\nclass C:\n"
                    "    def f(self): pass\n    def g(self): pass\nprint(isinstance(C(), A))\n"
                )
            },
        ),
        "Protocol makes something of the members of A",
    ),
    "extract-superclass: dataclass eq method": (
        (
            "(extract-superclass range: 'a.py:5-5' name: 'S')",
            {
                "a.py": (
                    "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int\n"
                    "    def __eq__(self, o): return True\nprint(A(1)==A(2))\n"
                )
            },
        ),
        "A gets a __eq__ of its own where it has none",
    ),
    "extract-superclass: dataclass post": (
        (
            "(extract-superclass range: 'a.py:5-5' name: 'S')",
            {
                "a.py": (
                    "import dataclasses\n@dataclasses.dataclass(order=True)\nclass A:\n    x: int\n"
                    "    def __repr__(self): return 'R'\nprint(A(1))\n"
                )
            },
        ),
        "A gets a __repr__ of its own where it has none",
    ),
    "extract-superclass: eq hash": (
        (
            "(extract-superclass range: 'a.py:2-2' name: 'S')",
            {
                "a.py": (
                    "class A:\n    def __eq__(self, o): return True\n"
                    "    def __hash__(self): return 1\nprint(len({A(),A()}))\n"
                )
            },
        ),
        "__eq__ and __hash__ go together: Python takes one from the class of the other",
    ),
    "extract-superclass: hash moved eq stays": (
        (
            "(extract-superclass range: 'a.py:3-3' name: 'S')",
            {
                "a.py": (
                    "class A:\n    def __eq__(self, o): return True\n"
                    "    def __hash__(self): return 1\nprint(len({A(),A()}))\n"
                )
            },
        ),
        "__hash__ and __eq__ go together: Python takes one from the class of the other",
    ),
    "extract-superclass: generic": (
        (
            "(extract-superclass range: 'a.py:4-4' name: 'S')",
            {
                "a.py": (
                    "from typing import Generic, TypeVar\nT=TypeVar('T')\nclass A(Generic[T]):\n"
                    "    def f(self): return 1\nprint(A[int]().f())\n"
                )
            },
        ),
        "Generic makes something of the members of A",
    ),
    "extract-superclass: __new__": (
        (
            "(extract-superclass range: 'a.py:2-2' name: 'S')",
            {
                "a.py": (
                    "class A(str):\n    def __new__(cls, x): return str.__new__(cls, x*2)\nprint(A('a'))\n"
                )
            },
        ),
        "__new__ speaks of A itself",
    ),
    "extract-superclass: meta kw": (
        (
            "(extract-superclass range: 'a.py:5-5' name: 'S')",
            {
                "a.py": (
                    "class B:\n    def __init_subclass__(cls, tag=None):\n        cls.tag = tag\n"
                    "class A(B, tag=3):\n    def f(self): pass\nprint(A.tag)\n"
                )
            },
        ),
        "__init_subclass__ of B makes something of the members of A",
    ),
    "extract-superclass: decorated class register": (
        (
            "(extract-superclass range: 'a.py:6-6' name: 'S')",
            {
                "a.py": (
                    "R={}\ndef reg(c):\n"
                    "    R[c.__name__]=sorted(n for n in vars(c) if n[0]!='_'); return c\n@reg\n"
                    "class A:\n    def f(self): pass\nprint(R)\n"
                )
            },
        ),
        "@reg may look at the members of A",
    ),
    "extract-superclass: comment docstring": (
        (
            "(extract-superclass range: 'a.py:2-2' name: 'S')",
            {"a.py": "class A:\n    '''doc'''\n    def f(self): pass\nprint(A.__doc__)\n"},
        ),
        "the docstring of A is selected",
    ),
    "extract-superclass: match_args": (
        (
            "(extract-superclass range: 'a.py:2-2' name: 'S')",
            {"a.py": "class A:\n    __module__ = 'zzz'\n    def f(self): pass\nprint(A.__module__)\n"},
        ),
        "__module__ speaks of A itself",
    ),
    "pull-up: sibling hasattr": (
        (
            "(pull-up range: 'a.py:4-4')",
            {
                "a.py": (
                    "class X:\n    pass\nclass A(X):\n    def f(self): return 1\nclass B(X): pass\n"
                    "print(hasattr(B(),'f'))\n"
                )
            },
        ),
        "a.py:6 asks whether there is a f",
    ),
    "pull-up: abstract protocol base": (
        (
            "(pull-up range: 'a.py:6-6')",
            {
                "a.py": (
                    "from typing import Protocol, runtime_checkable\n@runtime_checkable\n"
                    "class X(Protocol):\n    def g(self): ...\nclass A(X):\n    def f(self): return 1\n"
                    "class C:\n    def g(self): pass\nprint(isinstance(C(), X))\n"
                )
            },
        ),
        "Protocol makes something of the members of X",
    ),
    "pull-up: other subclass inherits from elsewhere": (
        (
            "(pull-up range: 'a.py:6-6')",
            {
                "a.py": (
                    "class X:\n    pass\nclass Y:\n    def f(self): return 'Y'\nclass A(X):\n"
                    "    def f(self): return 'A'\nclass B(X, Y): pass\nprint(B().f())\n"
                )
            },
        ),
        "B may have another f behind X",
    ),
    "pull-up: getattr hook": (
        (
            "(pull-up range: 'a.py:4-4')",
            {
                "a.py": (
                    "class X:\n    def __getattr__(self, n): return n\nclass A(X):\n    f = 1\n"
                    "class B(X): pass\nprint(B().f)\n"
                )
            },
        ),
        "X has __getattr__, which is asked for what is not there",
    ),
    "pull-up: enum base": (
        (
            "(pull-up range: 'a.py:5-5')",
            {
                "a.py": (
                    "import enum\nclass X(enum.Enum):\n    def g(self): return 1\nclass A(X):\n"
                    "    m = 1\nprint(list(A))\n"
                )
            },
        ),
        "Enum makes something of the members of X",
    ),
    "pull-up: plain annotated to dataclass": (
        (
            "(pull-up range: 'a.py:6-6')",
            {
                "a.py": (
                    "import dataclasses\n@dataclasses.dataclass\nclass X:\n    a: int = 1\nclass A(X):\n"
                    "    b: int = 2\nprint(X(), A())\n"
                )
            },
        ),
        "X makes something of the members of X",
    ),
    "pull-up: property pair": (
        (
            "(pull-up range: 'a.py:6-7')",
            {
                "a.py": (
                    "class X:\n    pass\nclass A(X):\n    @property\n    def p(self): return 1\n"
                    "    @p.setter\n    def p(self, v): pass\no=A(); o.p=1; print(o.p)\n"
                )
            },
        ),
        "A.p is made of several statements",
    ),
    "pull-up: instance setattr sibling": (
        (
            "(pull-up range: 'a.py:4-4')",
            {
                "a.py": (
                    "class X:\n    pass\nclass A(X):\n    size = property(lambda s: 1)\nclass B(X):\n"
                    "    def __init__(self): self.size = 3\nprint(B().size)\n"
                )
            },
        ),
        "B sets its own size",
    ),
    "pull-up: vars(cls)": (
        (
            "(pull-up range: 'a.py:4-4')",
            {"a.py": "class X:\n    pass\nclass A(X):\n    f = 1\nprint('f' in vars(A))\n"},
        ),
        "a.py:5 goes through the members of a class",
    ),
    "pull-up: metaclass enumerates": (
        (
            "(pull-up range: 'a.py:7-7')",
            {
                "a.py": (
                    "class M(type):\n    def __new__(m,n,b,ns):\n"
                    "        c=super().__new__(m,n,b,ns); c.fields=[k for k in ns if k[0]!='_']; return c\n"
                    "class X(metaclass=M):\n    z = 0\nclass A(X):\n    f = 1\n"
                    "print(A.fields, X.fields)\n"
                )
            },
        ),
        "the metaclass M makes something of the members of X",
    ),
    "push-down: external attr": (
        (
            "(push-down range: 'a.py:2-2')",
            {"a.py": "class X:\n    lim = 1\nclass A(X): pass\nprint(X.lim, A.lim)\n"},
        ),
        "a.py:4 takes lim from X itself",
    ),
    "push-down: mutable shared": (
        (
            "(push-down range: 'a.py:2-2')",
            {
                "a.py": (
                    "class X:\n    reg = []\nclass A(X): pass\nclass B(X): pass\nA.reg.append(1)\n"
                    "print(B.reg)\n"
                )
            },
        ),
        "the classes below X share one object",
    ),
}
DONE: Mapping[str, Case] = {
    "extract-superclass: slots": (
        "(extract-superclass range: 'a.py:3-3' name: 'S')",
        {
            "a.py": (
                "class A:\n    __slots__=('v',)\n    def f(self): return 1\no=A()\n"
                "try: o.q=1; print('dict')\nexcept AttributeError: print('slots')\n"
            )
        },
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    refused(tmp_path, *REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_says_the_same(name: str, tmp_path: Path) -> None:
    says_the_same(tmp_path, DONE[name])
