"""Functions, methods, classes and parameter objects: what follows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused
from tests.code.python.edits import edited, write


def test_a_parameter_object_of_a_method(tmp_path: Path) -> None:
    files = {
        "net.py": "DEFAULT = 80\n\n# the client\nclass Client:\n"
        "    def send(self, data: bytes, host, *, port: 'int' = DEFAULT, retry=None):\n"
        "        def inner():\n            return host, [port for _ in range(3)]\n"
        "        print(f'{port!r}')\n        return inner(), retry\n\n"
        "    def go(self):\n        return self.send(b'', 'h', retry=3)\n",
        "app.py": "import net as n\nc = n.Client()\nc.send(b'x', port=1, host=(lambda: 2)())\n"
        "n.Client.send(c, b'', 'h')\n",
    }
    program = (
        "(introduce-parameter-object symbol: 'method#Client.send' parameters: ['host', 'port', 'retry'] "
        "name: 'Target')"
    )
    after, _ = edited(tmp_path, program, files)
    assert (
        "@dataclass(frozen=True)\nclass Target:\n    host: Any\n    port: 'int' = DEFAULT\n"
        "    retry: Any = None\n\n\n# the client\nclass Client:\n    def send(self, data: bytes, target: Target):\n"
        "        def inner():\n            return target.host, [target.port for _ in range(3)]\n"
        "        print(f'{target.port!r}')\n        return inner(), target.retry\n\n"
        "    def go(self):\n        return self.send(b'', Target(host='h', retry=3))\n"
    ) in after["net.py"]
    assert "c.send(b'x', Target(port=1, host=(lambda: 2)()))\n" in after["app.py"]
    assert "n.Client.send(c, b'', Target(host='h'))\n" in after["app.py"]


def test_functions_with_state_become_a_class(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from .store import load, save\nfrom . import store\n",
        "pkg/store.py": "# reads\ndef load(root: str, db, key, *, n=1):\n"
        '    """Doc\n    of load."""\n    x = """a\n  b"""\n    return [root for db2 in db], x\n\n\nLIMIT = 3\n\n\n'
        "async def save(key, root, db):\n    def inner():\n        return root\n    load(root, db, key)\n"
        "    return load(inner(), db, key, n=LIMIT)\n\n\ndef both(root, db): return save('k', db=db, root=root)\n",
        "app.py": "import pkg.store\nfrom pkg.store import save, both as b\npkg.store.load('a', 2, 'k')\n"
        "b(1, 2)\nsave('k', db=1, root=2)\n",
    }
    program = (
        "(functions-to-class symbols: ['load', 'save', 'both'] origin: 'pkg/store.py' name: 'Store' "
        "state: ['root', 'db'])"
    )
    after, _ = edited(tmp_path, program, files)
    assert after["pkg/store.py"] == (
        "# reads\nclass Store:\n    def __init__(self, root: str, db):\n        self.root = root\n        self.db = db\n\n"
        '    def load(self, key, *, n=1):\n        """Doc\n    of load."""\n        x = """a\n  b"""\n'
        "        return [self.root for db2 in self.db], x\n\n"
        "    async def save(self, key):\n        def inner():\n            return self.root\n        self.load(key)\n"
        "        return Store(inner(), self.db).load(key, n=LIMIT)\n\n"
        "    def both(self): return self.save('k')\n\n\nLIMIT = 3\n"
    )
    assert after["pkg/__init__.py"] == "from .store import Store\nfrom . import store\n"
    assert after["app.py"] == (
        "import pkg.store\nfrom pkg.store import Store\npkg.store.Store('a', 2).load('k')\n"
        "Store(1, 2).both()\nStore(root=2, db=1).save('k')\n"
    )


def test_a_method_becomes_a_function_and_a_function_a_method(tmp_path: Path) -> None:
    files = {
        "box.py": "class Box:\n    w = 2\n\n    # the area\n    async def area(self, h, *, k=1):\n"
        "        return self.w * h + await self.area(h - 1)\n\n    def other(self):\n        return self.area(3)\n",
        "app.py": "import box\nb = box.Box()\nprint((b if b else b).area(3, k=2))\n",
    }
    after, _ = edited(tmp_path, "(method-to-function symbol: 'method#Box.area' name: 'compute')", files)
    assert after["box.py"] == (
        "class Box:\n    w = 2\n\n    def other(self):\n        return compute(self, 3)\n\n\n"
        "# the area\nasync def compute(self, h, *, k=1):\n    return self.w * h + await compute(self, h - 1)\n"
    )
    assert after["app.py"].endswith("print(compute((b if b else b), 3, k=2))\n")
    program = "(function-to-method symbol: 'function#compute' into: 'class#Box' name: 'area')"
    again, _ = edited(tmp_path, program, {})
    assert "    # the area\n    async def area(self, h, *, k=1):\n" in again["box.py"]
    assert "return self.w * h + await self.area(h - 1)\n" in again["box.py"]
    assert "(b if b else b).area(3, k=2)" in again["app.py"]


@pytest.mark.parametrize(
    ("program", "files", "reason"),
    [
        (
            "(introduce-parameter-object symbol: 'function#f' parameters: ['a'] name: 'O')",
            {"m.py": "def f(a, b):\n    return a + b\nmap(f, [1])\n"},
            "is used other than by a call",
        ),
        (
            "(introduce-parameter-object symbol: 'function#f' parameters: ['a'] name: 'O')",
            {"m.py": "def f(a=[]):\n    return a\n"},
            "default of a",
        ),
        (
            "(introduce-parameter-object symbol: 'function#f' parameters: ['a'] name: 'O')",
            {"m.py": "def f(a, o):\n    return a, o\n"},
            "o means something in f already",
        ),
        (
            "(method-to-function symbol: 'method#Box.area')",
            {"box.py": "class Box:\n    def area(self): pass\n", "z.py": "def f(q):\n    return q.area(3)\n"},
            "area may be used in z.py:2",
        ),
        (
            "(method-to-function symbol: 'method#Box.area')",
            {"box.py": "class Base:\n    def area(self): pass\nclass Box(Base):\n    def area(self): pass\n"},
            "overrides or is overridden",
        ),
        (
            "(functions-to-class symbols: ['f', 'g'] origin: 'm.py' name: 'C')",
            {"m.py": "def f(x):\n    return g(x)\n\ny = f(1)\n\ndef g(x=y):\n    return f\n"},
            "g needs y",
        ),
        (
            "(functions-to-class symbols: ['f'] origin: 'm.py' name: 'C' state: ['x'])",
            {"m.py": "def f(x):\n    return 1\n\n\nmap(f, [1])\n"},
            "no state to give|other than by a call",
        ),
        (
            "(invert-boolean symbol: 'function#f')",
            {"m.py": "def f(x):\n    if x:\n        return True\n"},
            "can end without a return",
        ),
    ],
)
def test_what_would_not_follow_is_refused(
    tmp_path: Path, program: str, files: dict[str, str], reason: str
) -> None:
    write(tmp_path, files)
    with pytest.raises(EditRefused, match=reason):
        CodeEngine(tmp_path).plan(program)


def test_a_comment_at_the_end_of_the_line_above_stays_there(tmp_path: Path) -> None:
    files = {"m.py": "X = 1  # one\ndef f(a, b):\n    return a\n"}
    after, _ = edited(
        tmp_path, "(introduce-parameter-object symbol: 'function#f' parameters: ['a'] name: 'O')", files
    )
    assert "X = 1  # one\n\n\n@dataclass(frozen=True)\nclass O:\n" in after["m.py"]
