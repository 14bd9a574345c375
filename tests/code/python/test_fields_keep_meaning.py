"""Local names become fields, fields hide, booleans turn round: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "encapsulate-field: class attr": (
        (
            "(encapsulate-field at: 'a.py:2:5')",
            {
                "a.py": "class A:\n    x = 1\n",
                "main.py": "import a\nprint(a.A.x, a.A().x)\na.A.x = 3\nprint(a.A.x)\n",
            },
        ),
        "main.py:2 takes it from the class itself",
    ),
    "encapsulate-field: enum member": (
        (
            "(encapsulate-field at: 'a.py:3:5')",
            {
                "a.py": "import enum\nclass A(enum.Enum):\n    x = 1\n",
                "main.py": "import a\nprint(a.A.x, list(a.A))\n",
            },
        ),
        "A is a Enum, which is more than its objects",
    ),
    "encapsulate-field: subclass override": (
        (
            "(encapsulate-field at: 'a.py:3:14')",
            {
                "a.py": (
                    "class A:\n    def __init__(self):\n        self.x = 1\nclass B(A):\n"
                    "    def get_x(self): return 9\n    def f(self): return self.x\n"
                ),
                "main.py": "import a\no=a.B()\nprint(o.x)\n",
            },
        ),
        "B already has a get_x",
    ),
    "encapsulate-field: slots/NamedTuple": (
        (
            "(encapsulate-field at: 'a.py:3:5')",
            {
                "a.py": "from typing import NamedTuple\nclass A(NamedTuple):\n    x: int = 1\n",
                "main.py": "import a\no=a.A()\nprint(o.x)\n",
            },
        ),
        "A is a NamedTuple, which is more than its objects",
    ),
    "encapsulate-field: Protocol": (
        (
            "(encapsulate-field at: 'a.py:4:5')",
            {
                "a.py": (
                    "from typing import Protocol, runtime_checkable\n@runtime_checkable\n"
                    "class A(Protocol):\n    x: int\n"
                ),
                "main.py": "import a\nclass C: x=1\nprint(isinstance(C(), a.A))\n",
            },
        ),
        "A is a Protocol, which is more than its objects",
    ),
    "local-to-field: recursion": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": (
                    "class A:\n    def f(self, n):\n        r = n\n        if n: self.f(n-1)\n"
                    "        return r\n"
                ),
                "main.py": "import a\nprint(a.A().f(3))\n",
            },
        ),
        "f may be called again before it ends, by f",
    ),
    "local-to-field: generator": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": "class A:\n    def f(self, n):\n        r = n\n        yield r\n        yield r\n",
                "main.py": "import a\no=a.A()\nx,y=o.f(1),o.f(2)\nprint(next(x),next(y),next(x),next(y))\n",
            },
        ),
        "f is a generator or async: several calls of it run at a time",
    ),
    "local-to-field: async": (
        (
            "(local-to-field at: 'a.py:4:9')",
            {
                "a.py": (
                    "import asyncio\nclass A:\n    async def f(self, n):\n        r = n\n"
                    "        await asyncio.sleep(0)\n        return r\n"
                ),
                "main.py": (
                    "import a, asyncio\nasync def m():\n    o=a.A()\n"
                    "    print(await asyncio.gather(o.f(1),o.f(2)))\nasyncio.run(m())\n"
                ),
            },
        ),
        "f is a generator or async: several calls of it run at a time",
    ),
    "local-to-field: vars": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": (
                    "class A:\n    def f(self, n):\n        r = n\n        return r\n"
                    "    def d(self): return vars(self)\n"
                ),
                "main.py": "import a\no=a.A();o.f(1)\nprint(o.d())\n",
            },
        ),
        "a.py:5 goes through an object's attributes",
    ),
    "local-to-field: getattr hook": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": (
                    "class A:\n    def f(self, n):\n        r = n\n        return r\n"
                    "    def __getattr__(self, k): return 'none'\n"
                ),
                "main.py": "import a\no=a.A();o.f(1)\nprint(o.r)\n",
            },
        ),
        "A has __getattr__, which would notice it",
    ),
    "local-to-field: inherited setattr": (
        (
            "(local-to-field at: 'a.py:5:9')",
            {
                "a.py": (
                    "class B:\n    def __setattr__(self, k, v): raise AttributeError(k)\nclass A(B):\n"
                    "    def f(self, n):\n        r = n\n        return r\n"
                ),
                "main.py": "import a\no=a.A();print(o.f(1))\n",
            },
        ),
        "objects of B take no attributes but their own",
    ),
    "local-to-field: subclass has name": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": (
                    "class A:\n    def f(self, n):\n        r = n\n        return r\nclass B(A):\n"
                    "    def r(self): return 5\n"
                ),
                "main.py": "import a\no=a.B();o.f(1);print(o.r())\n",
            },
        ),
        "B has another r",
    ),
    "local-to-field: subclass self name": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": (
                    "class A:\n    def f(self, n):\n        r = n\n        return r\nclass B(A):\n"
                    "    def __init__(self): self.r=7\n"
                ),
                "main.py": "import a\no=a.B();o.f(1);print(o.r)\n",
            },
        ),
        "B has another r",
    ),
    "local-to-field: external writes": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": "class A:\n    def f(self, n):\n        r = n\n        return r\n",
                "main.py": "import a\no=a.A();o.r=9;o.f(1);print(o.r)\n",
            },
        ),
        "main.py:2 has to do with such an attribute",
    ),
    "local-to-field: self rebound": (
        (
            "(local-to-field at: 'a.py:4:9')",
            {
                "a.py": (
                    "class A:\n    def f(self, n):\n        self = A()\n        r = n\n"
                    "        self = 3\n        return r\n"
                ),
                "main.py": "import a\no=a.A();print(o.f(1))\n",
            },
        ),
        "self is set anew in f",
    ),
    "local-to-field: nested function default/closure": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": "class A:\n    def f(self, n):\n        r = n\n        return lambda: r\n",
                "main.py": "import a\no=a.A();x=o.f(1);y=o.f(2);print(x(),y())\n",
            },
        ),
        "a function within f keeps r",
    ),
    "local-to-field: locals()": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": "class A:\n    def f(self, n):\n        r = n\n        return sorted(locals())\n",
                "main.py": "import a\no=a.A();print(o.f(1))\n",
            },
        ),
        "f looks at its own names: locals() in a.py:4",
    ),
    "local-to-field: in __init__ eq": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": (
                    "class A:\n    def __init__(self, n):\n        r = n\n        self.a = r\n"
                    "    def __eq__(self, o): return self.__dict__ == o.__dict__\n"
                ),
                "main.py": "import a\nprint(a.A(1)==a.A(1))\n",
            },
        ),
        "a.py:5 goes through an object's attributes",
    ),
    "local-to-field: class with property of Exception args": (
        (
            "(local-to-field at: 'a.py:3:9')",
            {
                "a.py": "class A(Exception):\n    def f(self, n):\n        args = n\n        return args\n",
                "main.py": "import a\no=a.A(1,2);print(o.f((3,)), o.args)\n",
            },
        ),
        "Exception may have a args of its own",
    ),
    "local-to-field: external base member": (
        (
            "(local-to-field at: 'a.py:4:9')",
            {
                "a.py": (
                    "import threading\nclass A(threading.Thread):\n    def f(self, n):\n"
                    "        name = 3\n        return n + name\n"
                ),
                "main.py": "import a\no=a.A(name='q');o.f(1);print(o.name)\n",
            },
        ),
        "threading.Thread may have a name of its own",
    ),
    "invert-boolean: class attr default + setattr": (
        (
            "(invert-boolean at: 'a.py:2:5' new: 'q')",
            {
                "a.py": (
                    "class A:\n    c = False\n    def __init__(self, **k):\n"
                    "        for n,v in k.items(): setattr(self,n,v)\n"
                ),
                "main.py": "import a\no=a.A(c=True)\nprint(o.c)\n",
            },
        ),
        "a.py:4 may reach c by a text",
    ),
    "invert-boolean: enum": (
        (
            "(invert-boolean at: 'a.py:3:5' new: 'q')",
            {
                "a.py": "import enum\nclass A(enum.Enum):\n    c = False\n",
                "main.py": "import a\nprint(a.A.c.value)\n",
            },
        ),
        "A is made of its fields",
    ),
    "invert-boolean: f-string": (
        (
            "(invert-boolean at: 'a.py:2:5' new: 'q')",
            {"a.py": "def f(x):\n    c = x == 1\n    return f'{c}', f'{c!r:>5}', f'{c=}'\nprint(f(1))\n"},
        ),
        "f looks at its own names: {c=} in a.py:3",
    ),
    "invert-boolean: clash local new": (
        (
            "(invert-boolean at: 'a.py:2:5' new: 'q')",
            {"a.py": "def f(x):\n    c = x > 0\n    q = 5\n    return c, q\nprint(f(3))\n"},
        ),
        "q is already bound in f in a.py",
    ),
    "invert-boolean: clash attr new": (
        (
            "(invert-boolean at: 'a.py:3:14' new: 'q')",
            {
                "a.py": (
                    "class A:\n    def __init__(self):\n        self.c = False\n    def q(self): return 1\n"
                ),
                "main.py": "import a\no=a.A()\nprint(o.c, o.q())\n",
            },
        ),
        "A already has a member q",
    ),
    "invert-boolean: locals()": (
        (
            "(invert-boolean at: 'a.py:2:5' new: 'q')",
            {"a.py": "def f(x):\n    c = x > 0\n    return locals()['c']\nprint(f(3))\n"},
        ),
        "f looks at its own names: locals() in a.py:3",
    ),
    "introduce-factory: TypedDict": (
        (
            "(introduce-factory at: 'a.py:2:7' name: 'mk')",
            {"a.py": "from typing import TypedDict\nclass A(TypedDict):\n    x: int\nprint(A(x=2))\n"},
        ),
        "TypedDict makes something of the members of A",
    ),
    "introduce-factory: metaclass namespace": (
        (
            "(introduce-factory at: 'a.py:4:7' name: 'mk')",
            {
                "a.py": (
                    "class M(type):\n    def __new__(m,n,b,ns):\n"
                    "        c=super().__new__(m,n,b,ns); c.names=[k for k in ns if not"
                    " k.startswith('_')]; return c\n"
                    "class A(metaclass=M):\n    x = 1\nprint(A.names, type(A()).__name__)\n"
                )
            },
        ),
        "the metaclass M makes something of the members of A",
    ),
    "introduce-factory: nested class": (
        (
            "(introduce-factory at: 'a.py:2:11' name: 'mk')",
            {
                "a.py": (
                    "class O:\n    class A:\n        x = 1\n"
                    "    def f(self): return self.A().x, O.A().x\nprint(O().f())\n"
                )
            },
        ),
        "A stands in another class, where its name is not seen",
    ),
    "introduce-factory: rebinding name (decorated returns other)": (
        (
            "(introduce-factory at: 'a.py:3:7' name: 'mk')",
            {"a.py": "def deco(c): return lambda *a: c(*a).x\n@deco\nclass A:\n    x = 1\nprint(A())\n"},
        ),
        "@deco may look at the members of A",
    ),
    "introduce-factory: protocol": (
        (
            "(introduce-factory at: 'a.py:3:7' name: 'mk')",
            {
                "a.py": (
                    "from typing import Protocol, runtime_checkable\n@runtime_checkable\n"
                    "class A(Protocol):\n    def f(self): ...\nclass C:\n    def f(self): pass\n"
                    "print(isinstance(C(), A))\n"
                )
            },
        ),
        "Protocol makes something of the members of A",
    ),
    "introduce-factory: subclass has method of that name": (
        (
            "(introduce-factory at: 'a.py:1:7' name: 'mk')",
            {
                "a.py": (
                    "class A:\n    pass\nclass B(A):\n    def mk(self): return 5\n"
                    "print(type(A()).__name__, B().mk())\n"
                )
            },
        ),
        "B already has a mk",
    ),
}
DONE: Mapping[str, Case] = {
    "invert-boolean: multi in expression without parens": (
        "(invert-boolean at: 'a.py:2:5' new: 'q')",
        {
            "a.py": (
                "def f(x):\n    c = x > 0\n"
                "    return c + 1, c == True, c.real, c if c else 3, (c), {c: 1}, -c, lambda: c\n"
                "print(f(3)[:-1])\n"
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
