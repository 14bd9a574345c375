"""Parameters of functions in JavaScript and TypeScript: what follows them, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.code.javascript.ran import runs_as_before
from tests.code.python.edits import edited, write

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError

ADD_0 = "(add-parameter symbol: 'function#f' name: 'n' index: 0 value: '7')"
ADD_DEFAULT = "(add-parameter symbol: 'function#f' name: 'n' default: '1')"
REMOVE_A = "(remove-parameter symbol: 'function#f' name: 'a')"
SWAP = "(reorder-parameters symbol: 'function#f' order: ['b', 'a'])"
PACK = "(introduce-parameter-object symbol: 'function#f' parameters: ['a', 'b'] name: 'Options')"
FOLD_B = "(inline-parameter symbol: 'function#f' name: 'b')"

CHANGES: dict[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
    "calls inside calls": (
        ADD_0,
        {"a.js": "function f(a) { return a }\nf(f(f(1)));\n"},
        {"a.js": "function f(n, a) { return a }\nf(7, f(7, f(7, 1)));\n"},
    ),
    "every import": (
        ADD_0,
        {
            "a.ts": "export default function f(a: number) {}\nexport { f as g };\n",
            "b.ts": "import h, { g } from './a';\nimport * as m from './a';\nh(1); g(2); m.g(3); m.default(4);\n"
            "export { g as k } from './a';\n",
            "c.ts": "export * from './b';\n",
            "d.ts": "import { k } from './c';\nk(5);\n",
        },
        {
            "a.ts": "export default function f(n: number, a: number) {}\nexport { f as g };\n",
            "b.ts": "import h, { g } from './a';\nimport * as m from './a';\nh(7, 1); g(7, 2); m.g(7, 3); "
            "m.default(7, 4);\nexport { g as k } from './a';\n",
            "d.ts": "import { k } from './c';\nk(7, 5);\n",
        },
    ),
    "CommonJS": (
        ADD_0,
        {
            "a.js": "function f(a) {}\nmodule.exports = f;\n",
            "b.js": "const k = require('./a');\nk(1);\nrequire('./a')(2);\n",
        },
        {
            "a.js": "function f(n, a) {}\nmodule.exports = f;\n",
            "b.js": "const k = require('./a');\nk(7, 1);\nrequire('./a')(7, 2);\n",
        },
    ),
    "CommonJS by name": (
        ADD_0,
        {
            "a.js": "function f(a) {}\nexports.g = f;\n",
            "c.js": "const { g, g: h } = require('./a');\ng(3);\nh(4);\n",
        },
        {
            "a.js": "function f(n, a) {}\nexports.g = f;\n",
            "c.js": "const { g, g: h } = require('./a');\ng(7, 3);\nh(7, 4);\n",
        },
    ),
    "other names": (
        ADD_0,
        {"a.js": "const f = (a) => a;\nconst g = f;\nconst o = { h: f };\ng(1);\no.h(2);\nf.call(null, 3);\nf?.(4);\n"},
        {
            "a.js": "const f = (n, a) => a;\nconst g = f;\nconst o = { h: f };\ng(7, 1);\no.h(7, 2);\n"
            "f.call(null, 7, 3);\nf?.(7, 4);\n"
        },
    ),
    "a bare arrow": (ADD_DEFAULT, {"a.js": "const f = a => a;\n"}, {"a.js": "const f = (a, n = 1) => a;\n"}),
    "overloads": (
        "(remove-parameter at: 'a.ts:2:10' index: 0)",
        {"a.ts": "function f(a: string, b: string): void;\nfunction f(a: number): void;\nfunction f(a: any, b?: any) {}\n"
         "f('x', 'y');\nf(1);\n"},
        {"a.ts": "function f(b: string): void;\nfunction f(): void;\nfunction f(b?: any) {}\nf('y');\nf();\n"},
    ),
    "interfaces and overrides": (
        "(add-parameter symbol: 'class#A > method#go' name: 'n' default: '1' value: '2')",
        {
            "a.ts": "export interface I { go(a: string): void }\nexport abstract class B { abstract go(a: string): void }\n"
            "export class A extends B implements I { go(x: string) {} }\nclass C extends A { go(y: string) { super.go(y); } }\n"
            "const o: I = { go(z) {} };\nfunction use(i: I) { i.go('s'); }\n"
        },
        {
            "a.ts": "export interface I { go(a: string, n?: number): void }\n"
            "export abstract class B { abstract go(a: string, n?: number): void }\n"
            "export class A extends B implements I { go(x: string, n = 1) {} }\n"
            "class C extends A { go(y: string, n = 1) { super.go(y, 2); } }\n"
            "const o: I = { go(z, n = 1) {} };\nfunction use(i: I) { i.go('s', 2); }\n"
        },
    ),
    "constructors": (
        "(add-parameter symbol: 'class#A' name: 'n' index: 0 value: '7')",
        {
            "a.ts": "export class A { constructor(private a: string) {} }\nexport class B extends A {}\n"
            "class C extends B { constructor() { super('c'); } }\n",
            "b.ts": "import { A, B } from './a';\nnew A('a');\nnew B('b');\nlet x: A;\nx instanceof A;\n",
        },
        {
            "a.ts": "export class A { constructor(n: number, private a: string) {} }\nexport class B extends A {}\n"
            "class C extends B { constructor() { super(7, 'c'); } }\n",
            "b.ts": "import { A, B } from './a';\nnew A(7, 'a');\nnew B(7, 'b');\nlet x: A;\nx instanceof A;\n",
        },
    ),
    "layout": (
        REMOVE_A,
        {"a.js": "function f(\n\ta, // the first\n\tb, // the second\n) {}\nf(\n\t1,\n\t// two\n\t2,\n);\nf( 1, 2 );\n"},
        {"a.js": "function f(\n\tb, // the second\n) {}\nf(\n\t// two\n\t2,\n);\nf( 2 );\n"},
    ),
    "left out arguments": (
        SWAP,
        {"a.js": "function f(a, b) {}\nf(1);\nf();\nf(1, 2, 3);\n"},
        {"a.js": "function f(b, a) {}\nf(undefined, 1);\nf();\nf(2, 1, 3);\n"},
    ),
    "comments": (
        SWAP,
        {"a.js": "/**\n * @param {string} a one\n *   more\n * @param {number} b two\n * @returns {void}\n */\n"
         "function f(a, b) {}\n"},
        {"a.js": "/**\n * @param {number} b two\n * @param {string} a one\n *   more\n * @returns {void}\n */\n"
         "function f(b, a) {}\n"},
    ),
    "a new line in the comment": (
        ADD_DEFAULT,
        {"a.js": "/**\n * @param {string} a one\n */\nfunction f(a) {}\n"},
        {"a.js": "/**\n * @param {string} a one\n * @param {number} [n=1]\n */\nfunction f(a, n = 1) {}\n"},
    ),
    "spread behind": (
        REMOVE_A,
        {"a.ts": "function f(a: number, ...rest: number[]) {}\nf(1, ...xs);\nf(1, 2, 3);\n"},
        {"a.ts": "function f(...rest: number[]) {}\nf(...xs);\nf(2, 3);\n"},
    ),
    "handed to what is known to pass less": (
        ADD_DEFAULT,
        {"a.ts": "function f(a: string) {}\nfunction each(g: (a: string) => void) { g('x'); }\neach(f);\n"},
        {"a.ts": "function f(a: string, n = 1) {}\nfunction each(g: (a: string) => void) { g('x'); }\neach(f);\n"},
    ),
    "await with types": (
        ADD_0,
        {"a.ts": "export const f = async <T,>(a: T): Promise<T> => a;\nawait f<string>('x');\n"},
        {"a.ts": "export const f = async <T,>(n: number, a: T): Promise<T> => a;\nawait f<string>(7, 'x');\n"},
    ),
    "constructor functions": (
        "(add-parameter symbol: 'function#F' name: 'n' index: 0 value: '7')",
        {"a.js": "function F(a) {}\nF.prototype.go = function (b) { return new F(b) };\nfunction G(a) { F.call(this, a) }\n"},
        {"a.js": "function F(n, a) {}\nF.prototype.go = function (b) { return new F(7, b) };\n"
         "function G(a) { F.call(this, 7, a) }\n"},
    ),
    "this parameter": (
        ADD_0,
        {"a.ts": "function f(this: Window, a: number) {}\nf.call(window, 1);\n"},
        {"a.ts": "function f(this: Window, n: number, a: number) {}\nf.call(window, 7, 1);\n"},
    ),
    "an object with type parameters": (
        PACK,
        {"a.ts": "function f<T>(a: T, b?: number, c = 1): void {}\nf(1, 2);\nf('x');\nf(1, undefined, 3);\n"},
        {
            "a.ts": "interface Options<T> {\n  a: T;\n  b?: number;\n}\n\nfunction f<T>({ a, b }: Options<T>, c = 1): void {}\n"
            "f({ a: 1, b: 2 });\nf({ a: 'x' });\nf({ a: 1, b: undefined }, 3);\n"
        },
    ),
    "an object that may be left out": (
        PACK,
        {"a.ts": "const f = (a = 1, b?: string) => a;\nf();\nf(2);\n"},
        {
            "a.ts": "interface Options {\n  a?: number;\n  b?: string;\n}\n\n"
            "const f = ({ a = 1, b }: Options = {}) => a;\nf();\nf({ a: 2 });\n"
        },
    ),
    "a constant in its places": (
        FOLD_B,
        {"a.js": "function f(a, b = 3) { const q = (b) => b; return { b, q, x: b.y, z: 2 ** b } }\nf('a');\nf('b', 3);\n"},
        {"a.js": "function f(a) { const q = (b) => b; return { b: 3, q, x: (3).y, z: 2 ** 3 } }\nf('a');\nf('b');\n"},
    ),
}  # fmt: skip

REFUSALS: dict[str, tuple[str, Mapping[str, str], str]] = {
    "map": (ADD_DEFAULT, {"a.ts": "function f(a: string) {}\n['x'].map(f);\n"}, "f is handed on at a.ts:2"),
    "an unknown callback": (ADD_DEFAULT, {"a.js": "function f(a) {}\napp.get('/', f);\n"}, "f is handed on"),
    "two exports": (ADD_0, {"a.js": "function f(a) {}\nmodule.exports = f;\nmodule.exports.g = f;\n"},
                    "is exported with another export"),
    "only declared": (
        "(remove-parameter symbol: 'method#m' name: 'a')",
        {"a.ts": "type T = { m(a: number): void };\nfunction f(t: T) { t.m(1); }\n"}, "what implements it is not known"),
    "a module that is handed on": (ADD_0, {"a.ts": "export function f(a) {}\n",
                                   "b.ts": "import * as m from './a';\nregister(m);\n"}, "an object that is handed on"),
    "an export that is handed on": (
        "(remove-parameter symbol: 'method#go' name: 'a')",
        {"a.js": "module.exports = { go(a) {} };\n", "b.js": "const m = require('./a');\nregister(m);\n"},
        "an object that is handed on"),
    "a default export that is handed on": (
        "(remove-parameter symbol: 'method#go' name: 'a')",
        {"a.ts": "export default { go(a) {} };\n", "b.ts": "import m from './a';\nregister(m);\n"},
        "an object that is handed on"),
    "names put together elsewhere": (
        "(remove-parameter at: 'a.js:1:25' name: 'a')",
        {"a.js": "module.exports = { h: { go: function (a) {} } };\n", "b.js": "var m = require('./a');\nm.h[k](1);\n"},
        "whose members are named at run time"),
    "names put together": (
        "(remove-parameter symbol: 'method#go' name: 'a')",
        {"a.js": "const h = { go(a) {} };\nfunction run(k) { return h[k](1); }\n"}, "whose members are named at run time"),
    "names put together in the class": (
        "(remove-parameter symbol: 'method#go' name: 'a')",
        {"a.js": "class A { go(a) {}\n run(k) { return this[k](1); } }\n"}, "a name put together at run time"),
    "a template": (ADD_0, {"a.js": "function f(a) {}\nf`x`;\n"}, "is called by a template"),
    "apply": (ADD_0, {"a.js": "function f(a) {}\nf.apply(null, xs);\n"}, "is called by apply"),
    "a component": (REMOVE_A, {"a.tsx": "function f(a) {}\nconst F = f;\nconst x = <F/>;\n"}, "is a component"),
    "a decorator": (ADD_0, {"a.ts": "function f(a) {}\n@f class A {}\n"}, "is a decorator"),
    "its type": (REMOVE_A, {"a.ts": "function f(a: 1) {}\ntype P = Parameters<typeof f>;\n"}, "has its type taken"),
    "a type in a comment": (SWAP, {"a.js": "/** @type {(a: string, b: number) => void} */\nfunction f(a, b) {}\n"},
                            "a type that says what its parameters are"),
    "a predicate": (PACK, {"a.ts": "function f(a: any, b: any): a is string { return true }\n"}, "speaks of a"),
    "a typed variable": (REMOVE_A, {"a.ts": "const f: H = (a) => 1;\n"}, "a type that says what its parameters are"),
    "spread": (SWAP, {"a.js": "function f(a, b) {}\nf(...xs);\n"}, "spreads its arguments"),
    "arguments": (SWAP, {"a.js": "function f(a, b) { return arguments[0] }\n"}, "reads `arguments`"),
    "a default before its parameter": (SWAP, {"a.js": "function f(a, b = a) {}\n"}, "reads a, which would come after"),
    "use strict": (ADD_DEFAULT, {"a.js": "function f(a) { 'use strict'; }\n"}, "use strict"),
    "an argument that acts": (REMOVE_A, {"a.js": "function f(a) {}\nf(x = 1);\n"}, "would be left out"),
    "an order of effects": (SWAP, {"a.js": "async function f(a, b) {}\nf(await g(), h());\n"}, "in another order"),
    "a name that is used": (ADD_DEFAULT.replace("'n'", "'g'"), {"a.js": "function g() {}\nfunction f(a) { g(a) }\n"},
                            "would mean the new parameter"),
    "a shorthand": (REMOVE_A, {"a.js": "function f(a) { return { a } }\n"}, "a is used in a.js:1"),
    "required after optional": (
        "(reorder-parameters symbol: 'function#f' order: ['b', 'a'])",
        {"a.ts": "function f(a: number, b?: number) {}\n"}, "a is required, but would follow b?"),
    "unknown calls": (
        "(remove-parameter symbol: 'method#m' name: 'a')",
        {"a.ts": "class A { m(a: number) {} }\nfunction g(x) { x.m(1); }\n"}, "what it belongs to is not known"),
    "an unknown base": (
        "(remove-parameter symbol: 'method#m' name: 'a')",
        {"a.ts": "import { B } from 'b';\nclass A extends B { m(a: number) {} }\n"}, "may override one of"),
    "an object that is handed on": (
        "(remove-parameter symbol: 'method#get' name: 'key')",
        {"a.js": "const h = { get(target, key) {} };\nnew Proxy({}, h);\n"}, "an object that is handed on"),
    "a field": (
        "(remove-parameter symbol: 'class#A' name: 'a')",
        {"a.ts": "class A { constructor(private a: number) {}\n g() { return this.a } }\n"}, "is a field too"),
    "two expressions": (ADD_0.replace("'7'", "'1, 2'"), {"a.js": "function f(a) {}\n"}, "expected one expression"),
    "no value": ("(add-parameter symbol: 'function#f' name: 'n')", {"a.js": "function f(a) {}\nf(1);\n"},
                 "neither a default nor a value"),
    "keywords": (ADD_DEFAULT.replace(")", " keyword_only: true)"), {"a.js": "function f(a) {}\n"}, "keyword-only"),
    "types in JavaScript": (ADD_DEFAULT.replace(")", " type: 'number')"), {"a.js": "function f(a) {}\n"},
                            "JavaScript has no annotations"),
    "a constant that differs": (FOLD_B, {"a.js": "function f(a, b) {}\nf(1, 2);\nf(1, 3);\n"}, "different values"),
    "a variable": (FOLD_B, {"a.js": "function f(a, b) {}\nf(1, x);\n"}, "is no constant"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_change(program: str, before: Mapping[str, str], after: Mapping[str, str], tmp_path: Path) -> None:
    found, _ = edited(tmp_path, program, before)
    assert found == after


@pytest.mark.parametrize(("program", "files", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refusal(program: str, files: Mapping[str, str], reason: str, tmp_path: Path) -> None:
    write(tmp_path, files)
    with pytest.raises(ForgewrightError) as caught:
        CodeEngine(tmp_path).plan(program)
    assert reason in str(caught.value)


def test_line_ends_stay(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"function f(\r\n  a: number,\r\n  b: number,\r\n) {}\r\nf(1, 2);\r\n")
    engine = CodeEngine(tmp_path)
    engine.commit(engine.plan(PACK))
    assert (tmp_path / "a.ts").read_bytes() == (
        b"interface Options {\r\n  a: number;\r\n  b: number;\r\n}\r\n\r\n"
        b"function f(\r\n  { a, b }: Options,\r\n) {}\r\nf({ a: 1, b: 2 });\r\n"
    )


def test_what_is_not_known_is_listed(tmp_path: Path) -> None:
    files = {"a.ts": "class A { m(a: number) {} }\nfunction g(x) { x.m(1); }\n"}
    found, plan = edited(tmp_path, "(add-parameter symbol: 'method#m' name: 'n' default: '1')", files)
    assert found == {"a.ts": "class A { m(a: number, n = 1) {} }\nfunction g(x) { x.m(1); }\n"}
    assert [place.start for place in plan.results[0].uncertain] == [46]


def test_what_is_called_no_more_is_said(tmp_path: Path) -> None:
    files = {"a.js": "function f(a, b) { return b }\nf(g(), 1);\nfunction g() {}\n"}
    _, plan = edited(tmp_path, REMOVE_A, files)
    assert plan.results[0].notes == ("g() at a.js:2 is not called any more",)


def test_declarations_by_hand_are_named(tmp_path: Path) -> None:
    files = {"a.js": "export function f(a) {}\n", "a.d.ts": "export function f(a: string): void;\n"}
    _, plan = edited(tmp_path, "(remove-parameter at: 'a.js:1:17' name: 'a')", files)
    assert plan.results[0].notes == ("a.d.ts names f too, and was not changed",)


PROGRAMS = {
    "swap": (SWAP, "const f = (a, b = 2) => [a, b];\nconsole.log(f(1), f(1, 3), f(), f(1, undefined, 4));\n"),
    "pack": (PACK, "function f(a, b = a) { a += 1; return [a, b]; }\nconsole.log(f(1), f(1, 3), f(1, undefined));\n"),
    "add": (ADD_0, "class A { static m() { return f(f(2)); } }\nfunction f(a) { return a + 1; }\nconsole.log(A.m());\n"),
    "fold": (FOLD_B, "function f(a, b) { return -b ** 0 + b.toFixed(a) + `${b}`; }\nconsole.log(f(1, 2), f(2, 2));\n"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "text"), PROGRAMS.values(), ids=PROGRAMS)
def test_it_runs_as_before(program: str, text: str, tmp_path: Path, node: str) -> None:
    text = text.replace("-b ** 0", "(-b) ** 0")
    runs_as_before(tmp_path, node, program, text)
