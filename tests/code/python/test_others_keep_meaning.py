"""Definitions go, and what is written another way: refused where somebody would notice, and otherwise as before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.code.python.unnoticed import Case, refused, says_the_same

REFUSED: Mapping[str, tuple[Case, str]] = {
    "delete-unused: override external": (
        (
            "(delete-unused at: 'a.py:3:9')",
            {
                "a.py": (
                    "import collections\nclass A(dict):\n    def __missing__(self, k): return 1\n"
                    "print(A()[3])\n"
                )
            },
        ),
        "__missing__ is called by Python itself",
    ),
    "delete-unused: decorated": (
        (
            "(delete-unused at: 'a.py:4:5')",
            {"a.py": "R=[]\ndef reg(f): R.append(f)\n@reg\ndef f(): pass\nprint(len(R))\n"},
        ),
        "@reg hears of f",
    ),
    "delete-unused: enum member": (
        (
            "(delete-unused at: 'a.py:4:5')",
            {"a.py": "import enum\nclass A(enum.Enum):\n    a = 1\n    b = 2\nprint(list(A))\n"},
        ),
        "Enum makes something of the members of A",
    ),
    "delete-unused: dataclass field": (
        (
            "(delete-unused at: 'a.py:4:5')",
            {"a.py": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    a: int = 1\nprint(A())\n"},
        ),
        "A makes something of the members of A",
    ),
    "delete-unused: subclass reg": (
        (
            "(delete-unused at: 'a.py:4:7')",
            {
                "a.py": (
                    "class B:\n    s=[]\n    def __init_subclass__(cls): B.s.append(1)\n"
                    "class A(B): pass\nprint(B.s)\n"
                )
            },
        ),
        "__init_subclass__ of B hears of A",
    ),
    "delete-unused: globals": (
        ("(delete-unused at: 'a.py:1:5')", {"a.py": "def h_a(): return 1\nprint(globals()['h_'+'a']())\n"}),
        "a.py:2 goes through the names of a.py",
    ),
    "delete-unused: dunder module": (
        (
            "(delete-unused at: 'a.py:1:1')",
            {"a.py": "__version__ = '1'\n", "main.py": "import a\nprint(getattr(a, '__'+'version__'))\n"},
        ),
        "__version__ is read by tools",
    ),
    "delete-unused: aug": (
        (
            "(delete-unused at: 'a.py:2:5')",
            {"a.py": "def f(l):\n    x = l\n    x += [1]\n    return 1\nl=[];f(l);print(l)\n"},
        ),
        "x is changed in place",
    ),
    "delete-unused: getattr nonlocal": (
        (
            "(delete-unused at: 'a.py:2:5')",
            {"a.py": "def f():\n    x = 1\n    return locals()\nprint(f())\n"},
        ),
        "f looks at its own names: locals() in a.py:3",
    ),
    "if-to-match: requires-python 3.8": (
        (
            "(if-to-match target: 'if')",
            {
                "a.py": (
                    "def f(x):\n    if x == 1:\n        return 1\n    elif x == 2:\n        return 2\n"
                    "print(f(1))\n"
                ),
                "pyproject.toml": "[project]\nname='x'\nrequires-python='>=3.8'\n",
            },
        ),
        "pyproject.toml says that Python 3.8 is enough, which has no match",
    ),
    "match-to-if: x rebound in guard": (
        (
            "(match-to-if target: 'switch')",
            {
                "a.py": (
                    "def f(x):\n    match x:\n        case 1 if (x := 2): return 'a' + str(x)\n"
                    "        case 1: return 'b'\nprint(f(1))\n"
                )
            },
        ),
        "the guard '(x := 2)' sets x anew",
    ),
    "match-to-if: guard rebinding falls": (
        (
            "(match-to-if target: 'switch')",
            {
                "a.py": (
                    "def f(x):\n    match x:\n        case 1 if (x := 0): return 'a' + str(x)\n"
                    "        case 1: return 'b'\nprint(f(1))\n"
                )
            },
        ),
        "the guard '(x := 0)' sets x anew",
    ),
}
DONE: Mapping[str, Case] = {
    "delete-unused: side-effect value": (
        "(delete-unused at: 'a.py:3:1')",
        {"a.py": "L=[]\ndef go(): L.append(1); return 2\nx = go()\nprint(L)\n"},
    ),
    "delete-unused: loop var / with": (
        "(delete-unused at: 'a.py:2:5')",
        {"a.py": "def f():\n    x = [].append(1)\n    return 1\nprint(f())\n"},
    ),
    "delete-unused: variable yield": (
        "(delete-unused at: 'a.py:2:5')",
        {"a.py": "def f():\n    x = yield 1\n    yield 2\nprint(list(f()))\n"},
    ),
    "delete-unused: local with call side effects": (
        "(delete-unused at: 'a.py:3:5')",
        {"a.py": "def f():\n    l=[1,2]\n    x = l.pop()\n    return l\nprint(f())\n"},
    ),
    "to-f-string: %s bytes warn/None width": (
        "(to-f-string target: 'binary_operator')",
        {"a.py": "x=None\nprint('%5s|%-5s|' % (x, [1]))\n"},
    ),
    "to-f-string: %s tuple member": (
        "(to-f-string target: 'binary_operator')",
        {"a.py": "x=(1,2)\nprint('%s %10s' % (x, 3))\n"},
    ),
    "to-f-string: %s none width": (
        "(to-f-string target: 'binary_operator')",
        {"a.py": "import fractions\nx=fractions.Fraction(1,3)\nprint('%10s|%s' % (x, x))\n"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    refused(tmp_path, *REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_says_the_same(name: str, tmp_path: Path) -> None:
    says_the_same(tmp_path, DONE[name])
