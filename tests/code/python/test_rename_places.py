# ruff: noqa: E501 - each source stands on one line, so that the marks can be read
"""A rename touches exactly the places that mean the symbol."""

from __future__ import annotations

import pytest

from tests.code.python.places import renamed

ONE_FILE = {
    "shadowed in a function": "«|x» = 1\ndef f(x):\n    return x\nprint(«x»)\n",
    "local of the same name": "def f():\n    «|x» = 1\n    return «x»\ndef g():\n    x = 1\n    return x\n",
    "comprehension variable": "x = 1\ny = [«|x» for «x» in range(3) if «x»]\nprint(x)\n",
    "comprehension reads the outer name first": "«|x» = [1]\ny = [x for x in «x»]\nprint(«x»)\n",
    "nested comprehension": "y = [(a, «b») for a in z for «|b» in a if «b»]\nb = 1\n",
    "dict comprehension": "y = {«k»: v for «|k», v in z.items()}\nk = 2\n",
    "lambda": "f = lambda «|x», y=1: «x» + y\nx = 2\n",
    "lambda default from outside": "«|x» = 2\nf = lambda x=«x»: x\n",
    "walrus": "if («|n» := 10) > 5:\n    print(«n»)\n",
    "walrus in a comprehension": "def f(v):\n    a = [«|y» := 1, «y» ** 2]\n    b = [«y» := x for x in v]\n    return «y»\n",
    "global": "«|n» = 0\ndef f():\n    global «n»\n    «n» += 1\n",
    "global bound in a function only": "def f():\n    global «|n»\n    «n» = 1\nprint(«n»)\n",
    "nonlocal": "def f():\n    «|n» = 0\n    def g():\n        nonlocal «n»\n        «n» += 1\n    return g\nn = 1\n",
    "closure": "def f(«|n»):\n    def g():\n        return «n»\n    return g\n",
    "class scope is no closure": "class A:\n    «|n» = 1\n    m = «n»\n    def f(self):\n        return n\nn = 2\n",
    "class attribute": "class A:\n    «|n» = 1\n    def f(self):\n        return self.«n» + A.«n»\nA.«n»\nA().«n»\n",
    "instance attribute": "class A:\n    def __init__(self):\n        self.«|n» = 1\n    def f(this):\n        return this.«n»\n",
    "attribute of another class": "class A:\n    def «|f»(self): pass\nclass B:\n    def f(self): pass\nA().«f»()\nB().f()\n",
    "inherited attribute": "class A:\n    def «|f»(self): pass\nclass B(A):\n    def g(self):\n        self.«f»()\nB().«f»()\n",
    "override": "class A:\n    def «|f»(self): pass\nclass B(A):\n    def «f»(self):\n        super().«f»()\n",
    "override from below": "class A:\n    def «f»(self): pass\nclass B(A):\n    def «|f»(self):\n        super().«f»()\n",
    "data attribute through the hierarchy": (
        "class A:\n    «|n»: int\nclass B(A):\n    def __init__(self):\n        self.«n» = 1\nB().«n»\n"
    ),
    "annotated parameter": "class A:\n    def «|f»(self): pass\ndef g(a: A, b):\n    a.«f»()\n    b.f()\n",
    "optional annotation": "from typing import Optional\nclass A:\n    def «|f»(self): pass\ndef g(a: Optional[A]):\n    if a:\n        a.«f»()\n",
    "union annotation": "class A:\n    def «|f»(self): pass\ndef g(a: 'A | None' = None):\n    a.«f»()\n",
    "list element": "class A:\n    def «|f»(self): pass\ndef g(many: list[A]):\n    for one in many:\n        one.«f»()\n    many[0].«f»()\n",
    "dict value": "class A:\n    def «|f»(self): pass\ndef g(many: dict[str, A]):\n    many['x'].«f»()\n    for k, v in many.items():\n        v.«f»()\n",
    "return annotation": "class A:\n    def «|f»(self): pass\ndef make() -> A: ...\nmake().«f»()\n",
    "returned value": "class A:\n    def «|f»(self): pass\ndef make():\n    a = A()\n    return a\nmake().«f»()\n",
    "chained calls": "class A:\n    def «|f»(self):\n        return self\nA().«f»().«f»()\n",
    "with target": "class A:\n    def __enter__(self):\n        return self\n    def __exit__(self, *a): pass\n    def «|f»(self): pass\nwith A() as a:\n    a.«f»()\n",
    "isinstance": "class A:\n    def «|f»(self): pass\ndef g(x):\n    if isinstance(x, A):\n        x.«f»()\n    x.f()\n",
    "early return on not isinstance": "class A:\n    def «|f»(self): pass\ndef g(x):\n    if not isinstance(x, A):\n        return\n    x.«f»()\n",
    "property with setter": "class A:\n    @property\n    def «|p»(self): return 1\n    @«p».setter\n    def «p»(self, v): pass\nA().«p» = 1\n",
    "property's type": "class B:\n    «|n» = 1\nclass A:\n    @property\n    def b(self) -> B: ...\nA().b.«n»\n",
    "class method": "class A:\n    @classmethod\n    def «|make»(cls): return cls()\n    def f(self): pass\nA.«make»().f()\n",
    "method of a class method's result": "class A:\n    @classmethod\n    def make(cls): return cls()\n    def «|f»(self): pass\nA.make().«f»()\n",
    "static method": "class A:\n    @staticmethod\n    def «|s»(x): pass\n    def f(self):\n        self.«s»(1)\nA.«s»(2)\n",
    "type(self)": "class A:\n    «|n» = 1\n    def f(self):\n        return type(self).«n», self.__class__.«n»\n",
    "slots": "class A:\n    __slots__ = ('«n»', 'm')\n    def __init__(self):\n        self.«|n» = 1\n",
    "slots from a base": "class A:\n    __slots__ = ['«n»']\nclass B(A):\n    def f(self):\n        self.«|n» = 1\n",
    "match args": "class A:\n    __match_args__ = ('«n»',)\n    def __init__(self, n):\n        self.«|n» = n\n",
    "__all__": "__all__ = ['«f»', 'g']\ndef «|f»(): pass\ndef g(): pass\n",
    "__all__ grown": "__all__ = []\n__all__ += ['«f»']\n__all__.extend(['g'])\ndef «|f»(): pass\n",
    "string annotation": "class «|A»: pass\ndef f(x: '«A»') -> 'list[«A»]': ...\n",
    "string in a generic": "from typing import List\nclass «|A»: pass\nx: List['«A»']\n",
    "literal is no annotation": "from typing import Literal\nclass «|A»: pass\nx: Literal['A']\ny: '«A»'\n",
    "string in an alias": "from typing import Union\nX = Union['«A»', int]\nclass «|A»: pass\n",
    "cast": "from typing import cast\nclass «|A»: pass\nx = cast('«A»', 1)\n",
    "type comment": "class «|A»: pass\nx = []  # type: list[«A»]\n",
    "function type comment": "class «|A»: pass\ndef f(a):\n    # type: («A») -> «A»\n    return a\n",
    "f-string": "«|n» = 1\nprint(f'{«n»} n {«n»!r:>{«n»}} {{n}}')\n",
    "keyword argument": "def f(a, «|b»=1):\n    return «b»\nf(1, «b»=2)\nf(b, c=b)\n".replace(
        "f(b, c=b)\n", ""
    ),
    "keyword of a method": "class A:\n    def f(self, «|b»): return «b»\nA().f(«b»=1)\nA.f(A(), «b»=2)\n",
    "keyword of a constructor": "class A:\n    def __init__(self, «|b»):\n        self.b = «b»\nA(«b»=1)\n",
    "keyword through a subclass": "class A:\n    def __init__(self, «|b»): pass\nclass B(A): pass\nB(«b»=1)\n",
    "keyword to super": "class A:\n    def __init__(self, «|b»): pass\nclass B(A):\n    def __init__(self, b):\n        super().__init__(«b»=b)\n",
    "keyword of __call__": "class A:\n    def __call__(self, «|b»): pass\na = A()\na(«b»=1)\n",
    "keyword through partial": "from functools import partial\ndef f(«|b»): pass\ng = partial(f, «b»=1)\n",
    "keyword-only": "def f(*, «|b»): pass\nf(«b»=1)\n",
    "keyword of a decorated function": "import functools\n@functools.lru_cache\ndef f(«|b»): pass\nf(«b»=1)\n",
    "same keyword of another": "def f(«|b»): pass\ndef g(b): pass\nf(«b»=1)\ng(b=1)\n",
    "kwargs are no parameter": "def f(**«|b»):\n    return «b»\nf(b=1)\n",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n    «|x»: int\n    y: int = 0\nP(«x»=1).«x»\n",
    "dataclass replace": "from dataclasses import dataclass, replace\n@dataclass\nclass P:\n    «|x»: int\nreplace(P(1), «x»=2)\n",
    "inherited dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n    «|x»: int\n@dataclass\nclass Q(P):\n    y: int\nQ(«x»=1, y=2)\n",
    "typed dict": "from typing import TypedDict\nclass T(TypedDict):\n    «|k»: int\ndef f(t: T):\n    return t['«k»']\nT(«k»=1)\n",
    "named tuple": "from typing import NamedTuple\nclass N(NamedTuple):\n    «|x»: int\nN(«x»=1)._replace(«x»=2).«x»\n",
    "enum": "from enum import Enum\nclass C(Enum):\n    «|RED» = 1\nC.«RED».value\nfor c in C:\n    c.name\n",
    "match capture": "def f(x):\n    match x:\n        case [«|a», *b]:\n            return «a»\n        case {'k': v, **r}:\n            return v\n",
    "match as": "def f(x):\n    match x:\n        case (1 | 2) as «|a»:\n            return «a»\n",
    "match class": "class «|A»: pass\ndef f(x):\n    match x:\n        case «A»():\n            return 1\n",
    "match class keyword": "class A:\n    «|n» = 1\ndef f(x):\n    match x:\n        case A(«n»=1):\n            return 1\n",
    "match value": "class A:\n    «|N» = 1\ndef f(x):\n    match x:\n        case A.«N»:\n            return 1\n",
    "type parameter": "def f[«|T»](x: «T») -> «T»: ...\nT = 1\n",
    "type parameter of a class": "class A[«|T»]:\n    def f(self, x: «T»): ...\n",
    "type parameter default": "class A[«|T» = int]:\n    x: «T»\n",
    "type alias": "type «|X» = list[int]\ny: «X»\n",
    "except as": "try:\n    pass\nexcept ValueError as «|e»:\n    print(«e»)\n",
    "with as": "with open('x') as «|f», open('y') as g:\n    print(«f», g)\n",
    "for": "for «|i», (j, k) in x:\n    print(«i», j)\nelse:\n    print(«i»)\n",
    "starred": "a, *«|b» = x\nprint(«b»)\n",
    "del": "«|x» = 1\ndel «x»\n",
    "decorator": "def «|d»(f): return f\n@«d»\ndef g(): pass\n",
    "conditional definitions": "if 1:\n    def «|f»(): pass\nelse:\n    def «f»(): pass\n«f»()\n",
    "try import": "try:\n    from fast import f«»\nexcept ImportError:\n    def «|f»(): pass\n«f»()\n",
    "alias of an outside import": "import numpy as «|np»\n«np».array\n",
    "from alias of an outside import": "from os import path as «|p»\n«p».join\n",
    "default value": "«|x» = 1\ndef f(x=«x»): return x\n",
    "class argument": "class «|A»: pass\nclass B(«A»): pass\n",
    "class body uses the outer name": "«|x» = 1\nclass A:\n    x = «x»\n",
    "nested class": "class A:\n    class «|B»: pass\n    def f(self) -> 'A.«B»': ...\nA.«B»()\n",
    "assigned twice": "class A:\n    def «|f»(self): pass\nclass B:\n    def f(self): pass\nx = A()\nx.«f»()\nx = B()\nx.f()\n",
    "conditional expression": "class A:\n    def «|f»(self): pass\nx = A() if y else None\nx.«f»()\n",
    "awaited": "class A:\n    def «|f»(self): pass\nasync def make() -> A: ...\nasync def g():\n    (await make()).«f»()\n",
    "context manager function": "from contextlib import contextmanager\nclass A:\n    def «|f»(self): pass\n@contextmanager\ndef m():\n    yield A()\nwith m() as a:\n    a.«f»()\n",
    "generator": "class A:\n    def «|f»(self): pass\ndef m():\n    yield A()\nfor a in m():\n    a.«f»()\n",
    "Self": "from typing import Self\nclass A:\n    def g(self) -> Self: ...\n    def «|f»(self): pass\nA().g().«f»()\n",
    "unpacked tuple": "class A:\n    def «|f»(self): pass\na, b = A(), 1\na.«f»()\n",
    "class in a variable": "class A:\n    def «|f»(self): pass\nK = A\nK().«f»()\n",
    "type annotation": "class A:\n    «|n» = 1\ndef g(k: type[A]):\n    k.«n»\n",
    "instance attribute's type": "class A:\n    def «|f»(self): pass\nclass B:\n    def __init__(self, a: A):\n        self.a = a\n    def g(self):\n        self.a.«f»()\n",
    "name mangled": "class A:\n    def __init__(self):\n        self.«|__n» = 1\n    def f(self):\n        return self.«__n»\n",
    "augmented": "«|x» = 1\n«x» += «x»\n",
    "inside a chain": "a.«x»\n«|x» = 1\n".replace("a.«x»", "a.x"),
    "unicode": "«|größe» = 'ß'\nprint(«größe», 'größe')\n",
    "crlf": "«|x» = 1\r\nprint(«x»)\r\n",
    "overloads": "from typing import overload\n@overload\ndef «|f»(a: int): ...\n@overload\ndef «f»(a: str): ...\ndef «f»(a): ...\n«f»(1)\n",
    "parameter of overloads": "from typing import overload\n@overload\ndef f(«a»: int): ...\n@overload\ndef f(«a»: str): ...\ndef f(«|a»): ...\nf(«a»=1)\n",
    "two functions of one name": "def f():\n    «|a» = 1\n    return «a»\ndef f():\n    a = 1\n    return a\n",
}


@pytest.mark.parametrize("name", ONE_FILE)
def test_one_file(name: str) -> None:
    found, wanted = renamed({"main.py": ONE_FILE[name]})
    assert found == wanted


MANY_FILES: dict[str, dict[str, str]] = {
    "from import": {"a.py": "def «|f»(): pass\n", "b.py": "from a import «f»\n«f»()\n"},
    "from import as": {"a.py": "def «|f»(): pass\n", "b.py": "from a import «f» as g\ng()\nf = 1\n"},
    "the alias only": {
        "a.py": "def f(): pass\n",
        "b.py": "from a import f as «|g»\n«g»()\n",
        "c.py": "from b import «g»\n«g»()\n",
    },
    "module attribute": {"a.py": "«|x» = 1\n", "b.py": "import a\na.«x»\nx = 2\n"},
    "module alias": {"a.py": "«|x» = 1\n", "b.py": "import a as m\nm.«x»\n"},
    "started at the use": {"a.py": "«x» = 1\n", "b.py": "import a\na.«|x»\n"},
    "chain of imports": {
        "a.py": "def «|f»(): pass\n",
        "b.py": "from a import «f»\n",
        "c.py": "from b import «f»\n«f»()\n",
    },
    "star": {"a.py": "def «|f»(): pass\n", "b.py": "from a import *\n«f»()\n"},
    "star with __all__": {
        "a.py": "__all__ = ['«f»']\ndef «|f»(): pass\n",
        "b.py": "from a import *\n«f»()\n",
    },
    "star hides private names": {"a.py": "def «|_f»(): pass\n", "b.py": "from a import *\n_f()\n"},
    "package": {
        "p/__init__.py": "from .a import «f»\n__all__ = ['«f»']\n",
        "p/a.py": "def «|f»(): pass\n",
        "b.py": "import p\np.«f»()\nfrom p import «f»\n",
    },
    "relative": {
        "p/__init__.py": "",
        "p/a.py": "«|x» = 1\n",
        "p/q/__init__.py": "",
        "p/q/b.py": "from ..a import «x»\n",
    },
    "submodule": {
        "p/__init__.py": "",
        "p/a.py": "«|x» = 1\n",
        "b.py": "import p.a\np.a.«x»\nfrom p import a\na.«x»\n",
    },
    "stub": {
        "a.py": "def «|f»(x): pass\n",
        "a.pyi": "def «f»(x: int) -> None: ...\n",
        "b.py": "from a import «f»\n",
    },
    "stub's class": {
        "a.py": "class A:\n    def «f»(self): pass\n",
        "a.pyi": "class A:\n    def «f»(self) -> None: ...\n",
        "b.py": "from a import A\nA().«|f»()\n",
    },
    "keyword in another file": {
        "a.py": "def f(«|b»): pass\n",
        "b.py": "import a\na.f(«b»=1)\n",
        "c.py": "from a import f as g\ng(«b»=1)\n",
    },
    "method in another file": {
        "a.py": "class A:\n    def «|f»(self): pass\n",
        "b.py": "import a\nx = a.A()\nx.«f»()\n",
        "c.py": "from a import A\nclass B(A):\n    def «f»(self): pass\nB().«f»()\n",
    },
    "another symbol of that name": {"a.py": "def «|f»(): pass\n", "b.py": "def f(): pass\nf()\n"},
    "import under a condition": {
        "a.py": "class «|A»: pass\n",
        "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import «A»\ndef f(x: '«A»'): ...\n",
    },
    "import in a function": {
        "a.py": "def «|f»(): pass\n",
        "b.py": "def g():\n    from a import «f»\n    «f»()\nf = 1\n",
    },
    "namespace package": {"n/a.py": "def «|f»(): pass\n", "b.py": "from n.a import «f»\n"},
    "src layout": {
        "src/p/__init__.py": "",
        "src/p/a.py": "def «|f»(): pass\n",
        "tests/t.py": "from p.a import «f»\n",
    },
    "submodule of the package's own": {
        "p/__init__.py": "from . import a\nfrom .a import «x»\n",
        "p/a.py": "«|x» = 1\n",
        "b.py": "from p import a\na.«x»\n",
    },
    "parenthesised import": {
        "a.py": "def «|f»(): pass\ndef g(): pass\n",
        "b.py": "from a import (\n    g,\n    «f»,\n)\n",
    },
}


@pytest.mark.parametrize("name", MANY_FILES)
def test_many_files(name: str) -> None:
    found, wanted = renamed(MANY_FILES[name])
    assert found == wanted
