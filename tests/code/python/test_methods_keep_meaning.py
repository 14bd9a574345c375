"""Methods go to other classes, and boolean functions turn round: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "move-method: assigns attribute": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n        self.shape = Shape()\n"
                    "        return self.shape.w\nprint(Box().area())\n"
                )
            },
        ),
        "a.py:7 sets shape, or asks whether it is there",
    ),
    "move-method: none check": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n"
                    "        if self.shape is None: return 0\n        return self.shape.w\nb=Box()\n"
                    "b.shape=None\nprint(b.area())\n"
                )
            },
        ),
        "a.py:7 sets shape, or asks whether it is there",
    ),
    "move-method: truth check": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n"
                    "        if not self.shape: return 0\n        return self.shape.w\nb=Box()\n"
                    "b.shape=None\nprint(b.area())\n"
                )
            },
        ),
        "a.py:7 sets shape, or asks whether it is there",
    ),
    "move-method: subclass of target has it": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n        return self.shape.w\n"
                    "class Sub(Shape):\n    def area(self): return 'sub'\nb=Box()\nb.shape=Sub()\n"
                    "print(b.area())\n"
                )
            },
        ),
        "Sub already has a area",
    ),
    "move-method: sub of owner sets other": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n        return 5\n"
                    "class Sub(Box):\n    def __init__(self): self.shape = None\nprint(Sub().area())\n"
                )
            },
        ),
        "Sub may have another shape",
    ),
    "move-method: locals": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n"
                    "        return sorted(locals())\nprint(Box().area())\n"
                )
            },
        ),
        "area looks at its own names: locals() in a.py:7",
    ),
    "move-method: frame": (
        (
            "(move-method at: 'a.py:7:9' attribute: 'shape')",
            {
                "a.py": (
                    "import sys\nclass Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n"
                    "        return sys._getframe(1).f_code.co_name\nprint(Box().area())\n"
                )
            },
        ),
        "area looks at who calls it: _getframe in a.py:8",
    ),
    "move-method: nested host": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n        host = 3\n"
                    "        return host + len(vars(self)) + self.shape.w\nprint(Box().area())\n"
                )
            },
        ),
        "area has a host of its own",
    ),
    "move-method: shape getattr": (
        (
            "(move-method at: 'a.py:7:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\n    def __getattr__(self, n): return 'G'\nclass Box:\n"
                    "    def __init__(self):\n        self.shape = Shape()\n    def area(self):\n"
                    "        return self.shape.w\nprint(Box().area(), Shape().area)\n"
                )
            },
        ),
        "Shape has __getattr__, which is asked for what is not there",
    ),
    "move-method: self in string": (
        (
            "(move-method at: 'a.py:6:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                    "        self.shape = Shape()\n    def area(self):\n"
                    "        return f'{self.shape.w=}'\nprint(Box().area())\n"
                )
            },
        ),
        "area looks at its own names: {self.shape.w=} in a.py:7",
    ),
    "move-method: enum target": (
        (
            "(move-method at: 'a.py:7:9' attribute: 'shape')",
            {
                "a.py": (
                    "class Shape:\n    w = 2\n"
                    "    def names(self): return [n for n in vars(Shape) if n[0] != '_']\n"
                    "class Box:\n    def __init__(self):\n        self.shape = Shape()\n"
                    "    def area(self):\n        return self.shape.w\n"
                    "print(Box().area(), Shape().names())\n"
                )
            },
        ),
        "a.py:3 makes something of the members of Shape",
    ),
    "invert-boolean: fn nonbool": (
        (
            "(invert-boolean at: 'a.py:1:5' new: 'odd')",
            {"a.py": "def even(n):\n    return n and [n]\nprint(even(2))\n"},
        ),
        "even is not known to be boolean: n and [n]",
    ),
    "invert-boolean: fn None": (
        (
            "(invert-boolean at: 'a.py:1:5' new: 'odd')",
            {"a.py": "def even(n):\n    if n: return re\n    return None\nre = 3\nprint(even(2))\n"},
        ),
        "even is not known to be boolean: re",
    ),
    "invert-boolean: fn patched": (
        (
            "(invert-boolean at: 'a.py:1:5' new: 'odd')",
            {
                "a.py": "def even(n):\n    return n == 2\ndef g(): return even(2)\n",
                "main.py": (
                    "import a\nfrom unittest import mock\n"
                    "with mock.patch('a.even', lambda n: True): print(a.g())\n"
                ),
            },
        ),
        "main.py:3 puts something else in the place of even",
    ),
}
DONE: Mapping[str, Case] = {
    "move-method: plain": (
        "(move-method at: 'a.py:6:9' attribute: 'shape')",
        {
            "a.py": (
                "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                "        self.shape = Shape()\n    def area(self):\n"
                "        return self.shape.w * 2\nprint(Box().area())\n"
            )
        },
    ),
    "move-method: defaults kw": (
        "(move-method at: 'a.py:6:9' attribute: 'shape')",
        {
            "a.py": (
                "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                "        self.shape = Shape()\n    def area(self, k=3, *, z=4):\n"
                "        return self.shape.w + k + z\nprint(Box().area(1, z=2))\n"
            )
        },
    ),
    "move-method: recursion": (
        "(move-method at: 'a.py:6:9' attribute: 'shape')",
        {
            "a.py": (
                "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                "        self.shape = Shape()\n    def area(self, n=2):\n"
                "        return self.area(n-1)+1 if n else 0\nprint(Box().area())\n"
            )
        },
    ),
    "move-method: generator": (
        "(move-method at: 'a.py:6:9' attribute: 'shape')",
        {
            "a.py": (
                "class Shape:\n    w = 2\nclass Box:\n    def __init__(self):\n"
                "        self.shape = Shape()\n    def area(self):\n        yield self.shape.w\n"
                "print(list(Box().area()))\n"
            )
        },
    ),
    "invert-boolean: fn": (
        "(invert-boolean at: 'a.py:1:5' new: 'odd')",
        {
            "a.py": (
                "def even(n):\n    return n % 2 == 0\n"
                "print(even(2), [even(x) for x in (1,2)], not even(3), even(2) is True,"
                " f'{even(2)}', even(1) or 3)\n"
            )
        },
    ),
    "invert-boolean: assert await": (
        "(invert-boolean at: 'a.py:2:9' new: 'odd')",
        {
            "a.py": (
                "class A:\n    def even(self, n):\n        return n == 2\n"
                "    def g(self): return self.even(2) and not self.even(3)\n"
                "print(A().g(), A().even(2))\n"
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
