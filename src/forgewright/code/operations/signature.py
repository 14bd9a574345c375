"""Operations on a function's parameters; its calls follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.languages import language_of
from forgewright.code.operations.aimed import At, Within
from forgewright.code.operations.base import (
    POSITIONAL,
    PYTHON,
    SCRIPTS,
    Example,
    Languages,
    Operation,
    Outcome,
    Scene,
    plural,
)
from forgewright.code.operations.targets import locate, python, script
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.refactor.calls import Call
    from forgewright.code.python.refactor.signature import Change

Function = Annotated[
    str, Meta(description="Selector of the function, as function[name=load] or class#Cache > method.")
]
Calls = Annotated[
    Literal["keep", "positional", "keywords"],
    Meta(description="How arguments are written: as they were, by position where possible, or by name."),
]
Hierarchy = Annotated[bool, Meta(description="Overriding and overridden methods too.")]


def changed(
    scene: Scene,
    target: Target,
    change: Change,
    *,
    calls: str = "keep",
    include: Callable[[Call], bool] | None = None,
) -> Outcome:
    from forgewright.code.python.refactor.signature import change_signature, function_at

    path, offset = locate(scene, target.symbol, target.at, target.within)
    resolver = python(scene, path)
    function = function_at(resolver, path, offset)
    style: Literal["keep", "positional", "keywords"] = (
        "positional" if calls == "positional" else "keywords" if calls == "keywords" else "keep"
    )
    splices = change_signature(
        resolver, function, change, style=style, hierarchy=target.hierarchy, chosen=include
    )
    files = {splice.path for splice in splices}
    return Outcome(
        splices=tuple(splices),
        text=f"{function.dotted()}: {plural(len(splices), 'place')} in {plural(len(files), 'file')}",
    )


class Target(Operation, frozen=True, kw_only=True):
    """What the operations of this file have in common."""

    symbol: Function = ""
    at: At = ""
    within: Within = ""
    hierarchy: Hierarchy = True

    group: ClassVar[str] = "signature"
    languages: ClassVar[Languages] = PYTHON


class AddParameter(Target, frozen=True, kw_only=True):
    """Add a parameter, with a default, or with a value that each call passes, or both."""

    name: Annotated[str, Meta(description="Its name.")]
    type: Annotated[str, Meta(description="Its annotation.")] = ""
    default: Annotated[str | None, Meta(description="Its default, as code.")] = None
    value: Annotated[str | None, Meta(description="What the calls pass, as code.")] = None
    index: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Its place, from 0 (self counts); else last.")
    ] = None
    keyword_only: Annotated[bool, Meta(description="To be given by name only.")] = False
    include: Annotated[str, Meta(description="Glob: only calls in these files pass the value.")] = ""
    exclude: Annotated[str, Meta(description="Glob: calls in these files do not pass the value.")] = ""
    calls: Calls = "keep"

    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS, *POSITIONAL)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(add-parameter symbol: 'function[name=fetch]' name: 'timeout' type: 'float' default: '10.0')",
            before={"app.py": "def fetch(url):\n    return url\n\n\nfetch('x')\n"},
            after={"app.py": "def fetch(url, timeout: float = 10.0):\n    return url\n\n\nfetch('x')\n"},
        ),
        Example(
            program="(add-parameter symbol: 'function[name=fetch]' name: 'session' index: 0 value: 'None')",
            before={"app.py": "def fetch(url):\n    return url\n\n\nfetch('x')\n"},
            after={"app.py": "def fetch(session, url):\n    return url\n\n\nfetch(None, 'x')\n"},
            note="Without a default, every call passes the value.",
        ),
        Example(
            program="(add-parameter symbol: 'function[name=fetch]' name: 'url')",
            before={"app.py": "def fetch(url):\n    return url\n"},
            refused="already has a parameter url",
        ),
        Example(
            program="(add-parameter symbol: 'function#fetchAll' name: 'limit' type: 'number' default: '10')",
            before={"a.ts": "function fetchAll(url: string) {\n  return url;\n}\nfetchAll('x');\n"},
            after={
                "a.ts": "function fetchAll(url: string, limit: number = 10) {\n  return url;\n}\nfetchAll('x');\n"
            },
        ),
        Example(
            program="(add-parameter symbol: 'function#load' name: 'session' index: 0 value: 'null')",
            before={
                "net.js": "function load(url) {}\nmodule.exports = { load };\n",
                "app.js": "const net = require('./net');\nnet.load('x');\n",
            },
            after={
                "net.js": "function load(session, url) {}\nmodule.exports = { load };\n",
                "app.js": "const net = require('./net');\nnet.load(null, 'x');\n",
            },
        ),
        Example(
            program="(add-parameter symbol: 'function#parse' name: 'base' default: '10')",
            before={"a.js": "function parse(text) {}\n['1', '2'].map(parse);\n"},
            refused="parse is handed on at a.js:2",
            note="`map` passes more than one argument, of which the new parameter would take one.",
        ),
        Example(
            program="(add-parameter symbol: '#Shape.Area' name: 'unit' type: 'string' value: '\"cm\"')",
            before={
                "box.go": "package box\n\ntype Shape interface{ Area(n int) int }\n\ntype Box struct{}\n\n"
                "func (b Box) Area(n int) int { return n }\n\nfunc use(s Shape) int { return s.Area(2) }\n"
            },
            after={
                "box.go": "package box\n\ntype Shape interface{ Area(n int, unit string) int }\n\ntype Box struct{}\n\n"
                "func (b Box) Area(n int, unit string) int { return n }\n\n"
                'func use(s Shape) int { return s.Area(2, "cm") }\n'
            },
            note="Go, Rust and Java: what implements or overrides it follows.",
        ),
        Example(
            program="(add-parameter symbol: 'function#area' name: 'unit' type: 'i32' value: '1')",
            before={"a.rs": "fn area(n: i32) -> i32 { n }\nfn main() { area(2); }\n"},
            after={"a.rs": "fn area(n: i32, unit: i32) -> i32 { n }\nfn main() { area(2, 1); }\n"},
        ),
        Example(
            program="(add-parameter symbol: 'method#area' name: 'unit' type: 'int' value: '1' index: 0)",
            before={
                "A.java": "class A {\n  static int area(int n) { return n; }\n  int go() { return area(2); }\n}\n"
            },
            after={
                "A.java": "class A {\n  static int area(int unit, int n) { return n; }\n"
                "  int go() { return area(1, 2); }\n}\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = script(scene, path)
        if resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.add_parameter(resolver, path, offset, self)
        if language_of(path) in POSITIONAL:
            from forgewright.code.positional import changes as positional

            return positional.add_parameter(scene, path, offset, self)
        from forgewright.code.globs import matcher
        from forgewright.code.python.refactor.signature_changes import adding
        from forgewright.code.python.rename import check_name

        check_name(self.name)
        wanted = matcher(self.include) if self.include else None
        unwanted = matcher(self.exclude) if self.exclude else None

        def chosen(call: Call) -> bool:
            path = call.file.path
            return (wanted is None or wanted(path)) and (unwanted is None or not unwanted(path))

        change = adding(
            self.name,
            self.index,
            default=self.default,
            value=self.value,
            annotation=self.type or None,
            keyword_only=self.keyword_only,
        )
        if (wanted or unwanted) and self.default is None:
            raise EditRefused("calls that do not pass the value need a default", hint="give default: too")
        return changed(scene, self, change, calls=self.calls, include=chosen)


class RemoveParameter(Target, frozen=True, kw_only=True):
    """Remove a parameter, and its argument from every call."""

    name: Annotated[str, Meta(description="Its name.")] = ""
    index: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Or its place, from 0 (self counts).")
    ] = None
    calls: Calls = "keep"

    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS, *POSITIONAL)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-parameter symbol: 'function[name=fetch]' name: 'retry')",
            before={"app.py": "def fetch(url, retry):\n    return url\n\n\nfetch('x', retry=2)\n"},
            after={"app.py": "def fetch(url):\n    return url\n\n\nfetch('x')\n"},
        ),
        Example(
            program="(remove-parameter symbol: 'function#load' name: 'retry')",
            before={
                "net.ts": "/**\n * @param url where\n * @param retry how often\n */\n"
                "export function load(url: string, retry = 2) {\n  return url;\n}\n",
                "app.ts": "import { load as get } from './net';\n\nget('x', 3);\n",
            },
            after={
                "net.ts": "/**\n * @param url where\n */\nexport function load(url: string) {\n  return url;\n}\n",
                "app.ts": "import { load as get } from './net';\n\nget('x');\n",
            },
        ),
        Example(
            program="(remove-parameter symbol: 'function#double' name: 'n')",
            before={"a.js": "function double(n) {\n  return n * 2;\n}\n"},
            refused="n is used in a.js:2",
        ),
        Example(
            program="(remove-parameter symbol: 'function#Open' name: 'mode')",
            before={
                "f.go": 'package f\n\nfunc Open(path string, mode int) {}\n\nfunc g() { Open("x", 1) }\n'
            },
            after={"f.go": 'package f\n\nfunc Open(path string) {}\n\nfunc g() { Open("x") }\n'},
        ),
        Example(
            program="(remove-parameter symbol: 'function#open' name: 'mode')",
            before={"f.rs": 'fn open(path: &str, mode: i32) {}\nfn g() { open("x", 1); }\n'},
            after={"f.rs": 'fn open(path: &str) {}\nfn g() { open("x"); }\n'},
        ),
        Example(
            program="(remove-parameter symbol: 'method#open' name: 'mode')",
            before={
                "F.java": "class F {\n  void open(int mode) {}\n  void g() { open(next()); }\n  int next() { return 1; }\n}\n"
            },
            refused="does something, and would no longer be computed",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = script(scene, path)
        if resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.remove_parameter(resolver, path, offset, self)
        if language_of(path) in POSITIONAL:
            from forgewright.code.positional import changes as positional

            return positional.remove_parameter(scene, path, offset, self)
        from forgewright.code.python.refactor.signature_changes import removing

        which = self.name or self.index
        if which is None:
            raise EditRefused("expected name: or index:", hint="say which parameter")
        return changed(scene, self, removing(which), calls=self.calls)


class ReorderParameters(Target, frozen=True, kw_only=True):
    """Put parameters in another order; calls by position follow."""

    order: Annotated[
        list[str], Meta(description="Names in their new order; those not named keep their places.")
    ]
    default: Annotated[
        str | None, Meta(description="Default for parameters that would follow one with a default.")
    ] = None
    calls: Calls = "keep"

    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS, *POSITIONAL)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(reorder-parameters symbol: 'function[name=put]' order: ['value', 'key'])",
            before={"app.py": "def put(key, value):\n    pass\n\n\nput(1, 2)\n"},
            after={"app.py": "def put(value, key):\n    pass\n\n\nput(2, 1)\n"},
        ),
        Example(
            program="(reorder-parameters symbol: 'class#A > method#put' order: ['value', 'key'])",
            before={
                "a.ts": "interface Store {\n  put(key: string, value: number): void;\n}\n"
                "class A implements Store {\n  put(key: string, value: number) {}\n}\n"
                "const s: Store = new A();\ns.put('a', 1);\n"
            },
            after={
                "a.ts": "interface Store {\n  put(value: number, key: string): void;\n}\n"
                "class A implements Store {\n  put(value: number, key: string) {}\n}\n"
                "const s: Store = new A();\ns.put(1, 'a');\n"
            },
        ),
        Example(
            program="(reorder-parameters symbol: 'function#put' order: ['value', 'key'])",
            before={"a.js": "const put = (key, value = 1) => {};\nput('a');\n"},
            after={"a.js": "const put = (value = 1, key) => {};\nput(undefined, 'a');\n"},
        ),
        Example(
            program="(reorder-parameters symbol: 'function#Put' order: ['value', 'key'])",
            before={"f.go": 'package f\n\nfunc Put(key, value string) {}\n\nfunc g() { Put("a", "b") }\n'},
            after={
                "f.go": 'package f\n\nfunc Put(value string, key string) {}\n\nfunc g() { Put("b", "a") }\n'
            },
        ),
        Example(
            program="(reorder-parameters symbol: 'function#put' order: ['value', 'key'])",
            before={"f.rs": "fn put(key: i32, value: i32) {}\nfn g() { put(1, 2); }\n"},
            after={"f.rs": "fn put(value: i32, key: i32) {}\nfn g() { put(2, 1); }\n"},
        ),
        Example(
            program="(reorder-parameters symbol: 'method#put' order: ['value', 'key'])",
            before={"F.java": "class F {\n  void put(int key, int value) {}\n  void g() { put(1, 2); }\n}\n"},
            after={"F.java": "class F {\n  void put(int value, int key) {}\n  void g() { put(2, 1); }\n}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = script(scene, path)
        if resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.reorder_parameters(resolver, path, offset, self)
        if language_of(path) in POSITIONAL:
            from forgewright.code.positional import changes as positional

            return positional.reorder_parameters(scene, path, offset, self)
        from forgewright.code.python.refactor.signature import function_at
        from forgewright.code.python.refactor.signature_changes import reordering

        function = function_at(python(scene, path), path, offset)
        if self.calls == "keywords" and any(p.kind in ("star", "kwargs") for p in function.parameters):
            raise EditRefused(f"{function.name} takes any number of arguments", hint="calls: keep")
        return changed(scene, self, reordering(self.order, self.default), calls=self.calls)


class KeywordOnly(Target, frozen=True, kw_only=True):
    """Make parameters keyword-only; calls that passed them by position name them."""

    names: Annotated[list[str], Meta(description="The parameters.")]

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(keyword-only symbol: 'function[name=fetch]' names: ['retry'])",
            before={"app.py": "def fetch(url, retry=0):\n    pass\n\n\nfetch('x', 2)\n"},
            after={"app.py": "def fetch(url, *, retry=0):\n    pass\n\n\nfetch('x', retry=2)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature_changes import keyword_only

        return changed(scene, self, keyword_only(self.names))


class NormaliseCalls(Target, frozen=True, kw_only=True):
    """Write the arguments of all calls one way: by position, or by name."""

    calls: Calls = "keywords"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(normalise-calls symbol: 'function[name=put]' calls: 'keywords')",
            before={"app.py": "def put(key, value):\n    pass\n\n\nput(1, value=2)\n"},
            after={"app.py": "def put(key, value):\n    pass\n\n\nput(key=1, value=2)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return changed(scene, self, lambda slots: slots, calls=self.calls)
