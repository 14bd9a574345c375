"""No harm, in small: random renames and other operations over installed packages, and what the long runs have found.

The long run over published projects is `make soak`; see `tests/properties/no_harm/`.
"""

from __future__ import annotations

import importlib.util
import random
import shutil
from pathlib import Path

import pytest
from tests.properties.no_harm import operations, renames
from tests.properties.no_harm.renames import Ground

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused


@pytest.fixture(scope="module", params=["pluggy", "click"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    spec = importlib.util.find_spec(request.param)
    assert spec is not None
    assert spec.origin
    origin = tmp_path_factory.mktemp("origin")
    shutil.copytree(Path(spec.origin).parent, origin / request.param)
    return Ground(origin, tmp_path_factory.mktemp("ground") / "work")


def test_random_renames(ground: Ground) -> None:
    ended = [renames.trial(ground, random.Random(seed))[1] for seed in range(40)]
    assert ended.count("done") >= 10


def test_random_operations(ground: Ground) -> None:
    ended = [operations.trial(ground, random.Random(seed))[1] for seed in range(60)]
    assert ended.count("done") >= 5


FOUND = {
    "a member that others reach becomes private": (
        "(rename at: 'a.py:2:5' new: '__size')",
        {"a.py": "class A:\n    size = 1\n\n\ndef f(a: A):\n    return a.size\n"},
        "a name of its own in each of the classes",
    ),
    "a global that a class uses becomes private": (
        "(rename at: 'a.py:1:5' new: '__f')",
        {"a.py": "def f(): ...\n\n\nclass A:\n    def g(self):\n        return f()\n"},
        "a name of its own in each of the classes",
    ),
    "a private member that is named as Python does": (
        "(rename at: 'a.py:2:5' new: 'size')",
        {"a.py": "class A:\n    __size = 1\n\n\nA._A__size\n"},
        "names it _A__size",
    ),
    "a class below has the new name": (
        "(rename at: 'a.py:2:9' new: 'stop')",
        {"a.py": "class A:\n    def halt(self): ...\n\n\nclass B(A):\n    def stop(self): ...\n"},
        "stop of B in a.py would override",
    ),
    "a name that the compiler knows": (
        "(rename at: 'a.py:3:9' new: 'super')",
        {"a.py": "class A:\n    def f(self):\n        it = 1\n        return it\n"},
        "more than a name to the compiler",
    ),
    "a name that is bound nowhere yet": (
        "(rename at: 'a.py:1:1' new: 'header')",
        {"a.py": "a = 1\nprint(header, a)\n"},
        "header at a.py:2 would mean the renamed one",
    ),
    "a relative import moves to another package": (
        "(move-method at: 'a/one.py:6:9' attribute: 'other')",
        {
            "a/__init__.py": "",
            "a/help.py": "def f(): ...\n",
            "a/one.py": (
                "from b.two import Two\n\n\nclass One:\n    other: Two\n    def go(self):\n"
                "        from .help import f\n        return f(self.other.x)\n"
            ),
            "b/__init__.py": "",
            "b/two.py": "class Two:\n    x = 1\n",
        },
        "names would lose their meaning",
    ),
    "a nested function becomes an object": (
        "(method-object at: 'a.py:2:9' name: 'Made')",
        {"a.py": "def f(outer):\n    def g(x):\n        return x + outer\n    return g(1)\n"},
        "names would lose their meaning",
    ),
    "a list that is added to is inlined": (
        "(inline at: 'a.py:2:5')",
        {"a.py": "def f(x):\n    found = []\n    found.append(x)\n    return found\n"},
        "calls or makes something",
    ),
    "a text is inverted": (
        "(invert-boolean at: 'a.py:2:5' new: 'other')",
        {"a.py": "def f(x):\n    c = x[0]\n    return c == '('\n"},
        "not known to be boolean",
    ),
    "a module reached through its package moves": (
        "(move-module module: 'pkg/auth.py' to: 'other')",
        {
            "pkg/__init__.py": "from . import base\n",
            "pkg/base.py": "from .auth import f\n",
            "pkg/auth.py": "def f(): ...\n",
            "other/__init__.py": "",
            "use.py": "import pkg\n\npkg.auth.f()\n",
        },
        "reaches pkg.auth through its package",
    ),
    "a class is copied to where it is imported": (
        "(copy-symbol at: 'pkg/a.py:1:7' to: 'pkg/__init__.py')",
        {"pkg/__init__.py": "from .a import Error\n", "pkg/a.py": "class Error(Exception): ...\n"},
        "already has a Error",
    ),
    "a copy would make two modules import each other": (
        "(copy-symbol at: 'pkg/func.py:4:5' to: 'pkg/keys.py')",
        {
            "pkg/__init__.py": "from . import keys\n\nclass Cache: ...\n",
            "pkg/func.py": "from . import Cache\n\n\ndef make():\n    return Cache()\n",
            "pkg/keys.py": "key = 1\n",
        },
        "pkg/keys.py:1 Cache: not yet in pkg",
    ),
    "a member that the base inherits is pulled up": (
        "(pull-up range: 'a.py:10-11')",
        {
            "a.py": "class Cache:\n    def size(self):\n        return 1\n\n\nclass Timed(Cache):\n    x = 1\n\n"
            "class Endless(Timed):\n    def size(self):\n        return 2\n"
        },
        "Timed inherits another size",
    ),
    "a special method is pulled up": (
        "(pull-up range: 'a.py:5-6')",
        {"a.py": "class A:\n    x = 1\n\nclass B(A):\n    def __eq__(self, other):\n        return True\n"},
        "inherits another __eq__",
    ),
    "a field of the base's own type is pulled up": (
        "(pull-up range: 'a.py:6-6')",
        {"a.py": "class Expr:\n    x = 1\n\n\nclass Part(Expr):\n    node: Expr\n    y = 1\n"},
        "a.py:4 Expr: read before it is bound",
    ),
    "a method with a private name leaves its class": (
        "(method-object at: 'a.py:4:9' name: 'Made')",
        {"a.py": "class A:\n    __x = 1\n\n    def f(self):\n        return self.__x\n"},
        "names after its class",
    ),
    "a method that getattr reaches gets a parameter": (
        "(add-parameter at: 'a.py:5:9' name: 'new' value: '0')",
        {
            "a.py": "class A:\n    def go(self, kind):\n        return getattr(self, f'visit_{kind}')()\n\n"
            "    def visit_one(self): ...\n"
        },
        "called by what is put together at a.py:3",
    ),
    "a function that is handed on gets a parameter": (
        "(add-parameter at: 'a.py:1:5' name: 'new' value: '0')",
        {"a.py": "def f(x): ...\n\n\nlist(map(f, [1]))\n"},
        "handed on in a.py:4",
    ),
    "a parameter comes before others of a function that is handed on": (
        "(add-parameter at: 'a.py:1:5' name: 'new' default: 'None' index: 0)",
        {"a.py": "def f(x=1): ...\n\n\nlist(map(f, [1]))\n"},
        "handed on in a.py:4",
    ),
    "a parameter would take what goes to the star": (
        "(add-parameter at: 'a.py:1:5' name: 'new' default: 'None' index: 0)",
        {"a.py": "def f(*all): ...\n\n\nf(1)\n"},
        "which the new one would take",
    ),
    "calls by name of a function that a test replaces": (
        "(normalise-calls at: 'a.py:1:5')",
        {
            "a.py": "def f(x): ...\n\n\nf(1)\n",
            "test_a.py": "import a\n\n\ndef test(monkeypatch):\n    monkeypatch.setattr(a, 'f', lambda *all: 1)\n",
        },
        "in the place of f at test_a.py:5",
    ),
    "a script's function that is used goes": (
        "(delete-node target: 'a.ts::function#load')",
        {"a.ts": "export function load() {}\n", "b.ts": "import { load } from './a'\nload()\n"},
        "b.ts:1 load: not to be imported from there any more",
    ),
    "a script's local name goes": (
        "(delete-node target: 'a.js::function#load')",
        {"a.js": "function load() {}\nload()\n"},
        "a.js:1 load: bound nowhere any more",
    ),
    "a script's name is captured": (
        "(insert-first target: 'a.js::function#f' code: 'const size = 1;')",
        {"a.js": "const size = 2;\nfunction f() {\n  return size;\n}\n"},
        "a.js:4 size: would mean the new size at a.js:3",
    ),
    "a global of the platform is captured": (
        "(insert-first target: 'a.js::function#f' code: 'const console = 1;')",
        {"a.js": "function f() {\n  return console;\n}\n"},
        "would mean the new console",
    ),
    "a parameter of a function that is handed on becomes keyword-only": (
        "(keyword-only at: 'a.py:1:5' names: ['y'])",
        {"a.py": "def f(x, y): ...\n\n\nregister(f)\n"},
        "handed on in a.py:4",
    ),
    "a function with another self within becomes an object": (
        "(method-object at: 'a.py:1:5' name: 'Made')",
        {"a.py": "def f(key):\n    def g(self):\n        return key(self)\n    return g\n"},
        "has a self of its own",
    ),
    "a method that the import system calls is inlined": (
        "(inline at: 'a.py:5:9')",
        {
            "a.py": "class Loader:\n    def go(self, spec):\n        return self.create_module(spec)\n\n"
            "    def create_module(self, spec):\n        return spec.name\n"
        },
        "called by Python itself",
    ),
    "a function that nothing calls is inlined": (
        "(inline at: 'a.py:1:5')",
        {"a.py": "def f(x):\n    return x\n"},
        "called nowhere",
    ),
    "a function that a table names is inlined": (
        "(inline at: 'a.py:4:5')",
        {"a.py": "names = ['f']\n\n\ndef f(x):\n    return x\n\n\nf(1)\n"},
        "stands in a text at a.py:1",
    ),
    "a private name goes to a superclass": (
        "(extract-superclass range: 'a.py:2-3' name: 'Base')",
        {
            "a.py": "class A:\n    def __init__(self):\n        self.__x = 1\n\n"
            "    def f(self):\n        return self.__x\n"
        },
        "names after its class",
    ),
    "a dataclass's field goes to a superclass": (
        "(extract-superclass range: 'a.py:6-6' name: 'Base')",
        {"a.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    x: int\n    y: int\n"},
        "made of its fields",
    ),
    "what is made each time becomes a constant": (
        "(extract-constant range: 'a.py:2:12-2:14' name: 'NONE')",
        {"a.py": "def f():\n    return []\n"},
        "computed each time",
    ),
    "super() becomes a field": (
        "(extract-field range: 'a.py:3:16-3:23' name: 'up')",
        {"a.py": "class A:\n    def f(self):\n        return super().f()\n"},
        "computed each time",
    ),
    "a special method gets a parameter": (
        "(introduce-parameter range: 'a.py:3:16-3:25' name: 'new')",
        {"a.py": "class A:\n    def __repr__(self):\n        return self.name\n"},
        "called by Python itself",
    ),
    "a local of a class with slots becomes a field": (
        "(local-to-field at: 'a.py:4:9')",
        {"a.py": "class A:\n    __slots__ = ('x',)\n    def f(self):\n        y = 1\n        return y\n"},
        "take no attributes but their own",
    ),
    "a type parameter in code that does not parse": (
        "(rename at: 'a.ts:2:4' new: 'T')",
        {"a.ts": "interface I {\n  <S>(a: S): (b: S) => S\n  <S, A extends any[]>(a: (s: S) => S): S\n}\n"},
        "stands in code that does not parse",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_found_and_refused(name: str, tmp_path: Path) -> None:
    program, files, reason = FOUND[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    with pytest.raises(EditRefused, match=reason):
        CodeEngine(tmp_path).plan(program)


def test_a_star_keeps_what_others_take(tmp_path: Path) -> None:
    (tmp_path / "filters.py").write_text("def include(): ...\ndef exclude(): ...\ndef other(): ...\n")
    (tmp_path / "public.py").write_text("from filters import *\n")
    (tmp_path / "use.py").write_text("import public\nfrom public import include\n\npublic.exclude(include)\n")
    plan = CodeEngine(tmp_path).plan("(expand-star-import file: 'public.py')")
    assert [c.after for c in plan.changes] == [b"from filters import exclude, include\n"]


def test_an_export_under_another_name_is_renamed_itself(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("export function Base() {}\nnew Base()\n")
    (tmp_path / "b.js").write_text("export { Base as Part } from './a'\n")
    plan = CodeEngine(tmp_path).plan("(rename at: 'b.js:1:18' new: 'Piece')")
    assert [(c.path, c.after) for c in plan.changes] == [("b.js", b"export { Base as Piece } from './a'\n")]


def test_a_parameter_beside_a_star_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(*all): ...\n\n\nf(1)\nlist(map(f, [1]))\n")
    plan = CodeEngine(tmp_path).plan("(add-parameter at: 'a.py:1:5' name: 'new' default: 'None')")
    assert plan.changes[0].after == b"def f(*all, new=None): ...\n\n\nf(1)\nlist(map(f, [1]))\n"


def test_a_pattern_may_be_a_constant(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import re\n\n\ndef f(x):\n    return re.compile('a').match(x) and x in [1, 2]\n"
    )
    engine = CodeEngine(tmp_path)
    assert engine.plan("(extract-constant range: 'a.py:5:12-5:27' name: 'P')").changes
    assert engine.plan("(extract-constant range: 'a.py:5:46-5:52' name: 'SOME')").changes


def test_a_comment_for_a_tool_goes_with_its_import(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os  # type: ignore\nimport sys  # the system\nx = 1\n")
    plan = CodeEngine(tmp_path).plan("(remove-unused-imports file: 'a.py')")
    assert plan.changes[0].after == b"  # the system\nx = 1\n"


def test_what_comes_from_outside_keeps_its_name_there(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("import { Part } from 'package'\nnew Part()\n")
    plan = CodeEngine(tmp_path).plan("(rename at: 'a.js:2:5' new: 'Piece')")
    assert [c.after for c in plan.changes] == [b"import { Part as Piece } from 'package'\nnew Piece()\n"]


def test_a_parameter_property_after_instanceof(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(
        "class E { constructor(readonly meta: any) {} }\n"
        "try { f() } catch (e) { if (e instanceof E) { const { meta } = e; g(e.meta, meta) } }\n"
        "const h = (x: any) => { const { meta } = x; return x.meta }\n"
    )
    plan = CodeEngine(tmp_path).plan("(rename at: 'a.ts:1:32' new: 'info')")
    assert plan.changes[0].after == (
        b"class E { constructor(readonly info: any) {} }\n"
        b"try { f() } catch (e) { if (e instanceof E) { const { info: meta } = e; g(e.info, meta) } }\n"
        b"const h = (x: any) => { const { meta } = x; return x.meta }\n"
    )
    assert len(plan.results[0].uncertain) == 2


def test_an_export_of_a_name_twice(tmp_path: Path) -> None:
    """Was a crash: an export that had been there under the same name."""
    (tmp_path / "a.ts").write_text("export { x }\nexport { x as y }\nexport { z as y }\nconst x = 1, z = 2\n")
    CodeEngine(tmp_path).plan("(rename symbol: 'a.ts::variable#z' new: 'w')")


def test_what_could_not_be_undone_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(EditRefused, match="NUL"):
        CodeEngine(tmp_path).plan("(create-file path: 'a.py' content: 'x = 1 # \\x00')")


def test_a_package_names_its_module(tmp_path: Path) -> None:
    for path, text in {
        "p/__init__.py": "from .one import *\none.f()\n",
        "p/one.py": "def f(): ...\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    plan = CodeEngine(tmp_path).plan("(rename-module module: 'p/one.py' new: 'two')")
    assert plan.changes[0].after == b"from .two import *\ntwo.f()\n"
    (tmp_path / "p/__init__.py").write_text("from .one import *\nlist = 1\n")
    with pytest.raises(EditRefused, match="would take its place"):
        CodeEngine(tmp_path).plan("(rename-module module: 'p/one.py' new: 'list')")


@pytest.mark.soak
@pytest.mark.timeout(36_000)
def test_two_thousand_renames_and_a_thousand_others() -> None:
    """Goes on where the last run was broken off; `var/no-harm/1.jsonl` holds every trial."""
    from tests.properties.no_harm import soak

    said, harm = soak.run(share=1.0, seed=1, workers=2)
    print(said)
    assert harm == 0, said


@pytest.mark.soak
@pytest.mark.sandbox
@pytest.mark.timeout(36_000)
def test_their_own_suites_still_pass() -> None:
    from tests.properties.no_harm import suites

    said, harm = suites.run(100, seed=1)
    print(said)
    assert harm == 0, said
