"""Fields, booleans, bases, comments and factories of scripts: what follows, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.code.javascript.ran import runs_as_before
from tests.code.python.edits import edited, write

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError

CHANGES: dict[str, tuple[str, str, Mapping[str, str], Mapping[str, str]]] = {
    "a protected static readonly field": (
        "(encapsulate-field at: 'a.ts:2:29')", "a.ts",
        {"a.ts": "class A {\n  protected static readonly n: string;\n  f() { return A.n }\n}\n"},
        {"a.ts": "class A {\n  private static readonly _n: string;\n\n  protected static get n(): string {\n"
         "    return A._n;\n  }\n  f() { return A.n }\n}\n"},
    ),
    "an optional field beside private names": (
        "(encapsulate-field at: 'a.ts:2:3')", "a.ts",
        {"a.ts": "class A {\n  n?: string;\n  #x = 1;\n"
         "  f(o: A) { const { n } = this; return o.n + this.n + (() => this.n)() }\n}\n"},
        {"a.ts": "class A {\n  #n?: string;\n  #x = 1;\n\n  get n(): string | undefined {\n    return this.#n;\n  }\n\n"
         "  set n(value: string | undefined) {\n    this.#n = value;\n  }\n"
         "  f(o: A) { const { n } = this; return o.n + this.#n + (() => this.#n)() }\n}\n"},
    ),
    "a variable without a value": (
        "(local-to-field at: 'a.ts:3:7')", "a.ts",
        {"a.ts": "class A {\n\tm(k: string) {\n\t\tlet q: string[] | undefined;\n\t\tq = [k];\n\t\treturn q;\n\t}\n}\n"},
        {"a.ts": "class A {\n\tprivate q!: string[] | undefined;\n\n\tm(k: string) {\n\t\tthis.q = undefined;\n"
         "\t\tthis.q = [k];\n\t\treturn this.q;\n\t}\n}\n"},
    ),
    "a variable turned round": (
        "(invert-boolean at: 'a.js:1:5' new: 'closed')", "a.js",
        {"a.js": "let open = true;\nopen = !open;\nif (open && f(open)) open = a > 1;\nz = open ? !(open) : open.toString();\n"},
        {"a.js": "let closed = false;\nclosed = !closed;\nif (!closed && f(!closed)) closed = !(a > 1);\n"
         "z = !closed ? (closed) : (!closed).toString();\n"},
    ),
    "a function that calls itself turned round": (
        "(invert-boolean symbol: 'function#f')", "a.js",
        {"a.js": "const f = (n) => n === 0 || f(n - 1);\nconst g = (n) => { if (n) return f(n); return !f(1); };\n"},
        {"a.js": "const f = (n) => !(n === 0 || !f(n - 1));\nconst g = (n) => { if (n) return !f(n); return f(1); };\n"},
    ),
    "constructions everywhere": (
        "(introduce-factory symbol: 'class#A')", "a.ts",
        {"a.ts": "export class A {}\nclass B extends A {\n  constructor() { super() }\n}\n",
         "b.ts": "import { A as C } from './a';\nimport * as m from './a';\nnew C;\nnew m.A();\nlet x: C;\nthrow new C();\n"},
        {"a.ts": "export class A {\n  static create(): A {\n    return new A();\n  }\n}\nclass B extends A {\n"
         "  constructor() { super() }\n}\n",
         "b.ts": "import { A as C } from './a';\nimport * as m from './a';\nC.create();\nm.A.create();\nlet x: C;\n"
         "throw C.create();\n"},
    ),
    "a constructor that takes its argument apart": (
        "(introduce-factory symbol: 'class#A' name: 'of')", "a.ts",
        {"a.ts": "class A {\n  constructor({ a }: { a: number }) {}\n}\nnew A({ a: 1 });\n"},
        {"a.ts": "class A {\n  constructor({ a }: { a: number }) {}\n\n"
         "  static of(...args: ConstructorParameters<typeof A>): A {\n    return new A(...args);\n  }\n}\nA.of({ a: 1 });\n"},
    ),
    "a static method, by the names of its class": (
        "(make-static target: 'method#Box.m')", "b.ts",
        {"a.ts": "export class Box {\n  async m() {}\n  k() { this.m(); }\n}\n",
         "b.ts": "import { Box as B } from './a';\nconst b = new B();\nb.m();\n"},
        {"a.ts": "export class Box {\n  static async m() {}\n  k() { Box.m(); }\n}\n",
         "b.ts": "import { Box as B } from './a';\nconst b = new B();\nB.m();\n"},
    ),
    "a function of a generic class's object": (
        "(method-to-function symbol: 'method#Box.area' name: 'areaOf')", "a.ts",
        {"a.ts": "export class Box<T> {\n  constructor(public w: T) {}\n\n  /** Its area. */\n"
         "  async area(h = 2, ...rest: T[]) {\n    const f = () => this.w;\n    return `a\n  ${f()}`;\n  }\n\n"
         "  other() {\n    this.area().then(1);\n  }\n}\n",
         "b.ts": "import type { Box } from './a';\nfunction g(b: Box<number>) { return b.area(b.area(1).x, 2) }\n"},
        {"a.ts": "export class Box<T> {\n  constructor(public w: T) {}\n\n  other() {\n    areaOf(this).then(1);\n  }\n}\n\n"
         "/** Its area. */\nexport async function areaOf<T>(box: Box<T>, h = 2, ...rest: T[]) {\n"
         "  const f = () => box.w;\n  return `a\n  ${f()}`;\n}\n",
         "b.ts": "import type { Box } from './a';\nimport { areaOf } from './a';\n"
         "function g(b: Box<number>) { return areaOf(b, areaOf(b, 1).x, 2) }\n"},
    ),
    "calls of calls as functions": (
        "(method-to-function symbol: 'method#Box.area' name: 'areaOf')", "a.js",
        {"a.js": "class Box {\n  area(n) { return this; }\n}\nnew Box().area(1).area(2);\n"},
        {"a.js": "class Box {\n}\n\nfunction areaOf(box, n) { return box; }\nareaOf(areaOf(new Box(), 1), 2);\n"},
    ),
    "a method that calls itself": (
        "(function-to-method symbol: 'function#area' name: 'areaOf')", "a.ts",
        {"a.ts": "class Box {\n  w = 1;\n}\n\n/** Doc. */\n"
         "function area<T>(box: Box, n?: T): any { return n ? area(box) : { box, x: box.w } }\n\n"
         "area(area(new Box), 2);\narea(a || b);\n"},
        {"a.ts": "class Box {\n  w = 1;\n\n  /** Doc. */\n"
         "  areaOf<T>(n?: T): any { return n ? this.areaOf() : { box: this, x: this.w } }\n}\n\n"
         "(new Box).areaOf().areaOf(2);\n(a || b).areaOf();\n"},
    ),
    "a comment replaced": (
        "(set-docstring target: 'method#m' text: 'New.\n\nMore.')", "a.ts",
        {"a.ts": "@dec\nexport class A {\n\t/** Old. */\n\t@x() m() {}\n}\n"},
        {"a.ts": "@dec\nexport class A {\n\t/**\n\t * New.\n\t *\n\t * More.\n\t */\n\t@x() m() {}\n}\n"},
    ),
    "a comment taken away": (
        "(set-docstring target: 'function#f' text: '')", "a.ts",
        {"a.ts": "/** Doc. */\nexport const f = () => 1;\n"}, {"a.ts": "export const f = () => 1;\n"},
    ),
    "a comment above decorators": (
        "(set-docstring target: 'class#A' text: 'New')", "a.ts",
        {"a.ts": "@dec\nexport class A {}\n"}, {"a.ts": "/** New */\n@dec\nexport class A {}\n"},
    ),
    "a base before interfaces": (
        "(add-base target: 'class#A' base: 'B<T>')", "a.ts",
        {"a.ts": "class A<T> implements C {}\nclass B<T> {}\n"},
        {"a.ts": "class A<T> extends B<T> implements C {}\nclass B<T> {}\n"},
    ),
    "an interface's last base": (
        "(remove-base target: 'interface#A' base: 'C')", "a.ts",
        {"a.ts": "interface A<T> extends B, C<T> {}\n"}, {"a.ts": "interface A<T> extends B {}\n"},
    ),
    "types of an arrow": (
        "(set-types symbol: 'function#f' types: {x: 'number'} returns: 'string')", "a.ts",
        {"a.ts": "const f = x => `${x}`;\n"}, {"a.ts": "const f = (x: number): string => `${x}`;\n"},
    ),
}  # fmt: skip

REFUSALS: dict[str, tuple[str, Mapping[str, str], str]] = {
    "declared twice": ("(encapsulate-field at: 'a.ts:1:11')",
                       {"a.ts": "class A { n = 1 }\nclass B extends A { n = 2 }\n"}, "is also declared at a.ts:2"),
    "a parameter property": ("(encapsulate-field at: 'a.ts:1:31')", {"a.ts": "class A { constructor(private n = 1) {} }\n"},
                             "n at a.ts:1 is no field"),
    "getter names": ("(encapsulate-field at: 'a.ts:1:11' getter: 'getN')", {"a.ts": "class A { n = 1 }\n"},
                     "accessors have the name of the field"),
    "a variable of no method": ("(local-to-field at: 'a.ts:1:7')", {"a.ts": "const n = 1;\n"}, "no variable that a method"),
    "a member beside": ("(local-to-field at: 'a.ts:1:29')", {"a.ts": "class A { n = 1; f() { const n = 1; } }\n"},
                        "has a member n"),
    "no boolean": ("(invert-boolean at: 'a.js:1:7')", {"a.js": "const a = g();\n"}, "may be no boolean"),
    "an exported variable": ("(invert-boolean at: 'a.js:1:14')", {"a.js": "export const a = true;\n"}, "is exported"),
    "a function handed on": ("(invert-boolean symbol: 'function#f')",
                             {"a.js": "const f = (n) => n > 1;\nxs.filter(f);\n"}, "is handed on"),
    "a return of nothing": ("(invert-boolean symbol: 'function#f')",
                            {"a.js": "function f(n) { if (n) return; return n > 1; }\n"}, "returns nothing"),
    "a component class": ("(introduce-factory symbol: 'class#A')",
                          {"a.tsx": "class A {}\nconst x = <A/>;\n"}, "is a component"),
    "an override made static": ("(make-static target: 'class#A > method#m')",
                               {"a.js": "class A { m() {} }\nclass B extends A { m() {} }\n"}, "is also declared at a.js:2"),
    "a class that is not known": (
        "(make-static target: 'method#m')",
        {"a.ts": "export class A { m() {} }\nexport const a = new A();\n", "b.ts": "import { a } from './a';\na.m();\n"},
        "A is not known at b.ts:2"),
    "this in a function of its own": (
        "(function-to-method at: 'a.ts:2:10')",
        {"a.ts": "class A {}\nfunction f(a: A) { return function () { return a } }\n"}, "cannot be this"),
    "CommonJS": (
        "(method-to-function symbol: 'method#m' name: 'f')",
        {"a.js": "class A { m() {} }\nmodule.exports = { A };\n", "b.js": "const { A } = require('./a');\nnew A().m();\n"},
        "is no ES module"),
    "a second base": ("(add-base target: 'class#A' base: 'B')", {"a.js": "class A extends C {}\n"}, "extends C already"),
    "implements in JavaScript": ("(add-base target: 'class#A' base: 'implements B')", {"a.js": "class A {}\n"},
                                 "JavaScript has no `implements`"),
    "no base": ("(remove-base target: 'class#A' base: 'B')", {"a.js": "class A {}\n"}, "has no base"),
    "no comment": ("(set-docstring target: 'function#f' text: '')", {"a.js": "function f() {}\n"}, "no comment /** */"),
    "a callback's comment": ("(set-docstring target: 'arrow_function' text: 'x')", {"a.js": "xs.map(() => 1);\n"},
                             "no declaration that a comment belongs to"),
    "no type": ("(set-types symbol: 'function#f' types: {a: '1 +'})", {"a.ts": "function f(a) {}\n"}, "expected a type"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "path", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_change(
    program: str, path: str, before: Mapping[str, str], after: Mapping[str, str], tmp_path: Path
) -> None:
    found, _ = edited(tmp_path, program, before)
    assert found[path] == after[path]
    assert found == after


@pytest.mark.parametrize(("program", "files", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refusal(program: str, files: Mapping[str, str], reason: str, tmp_path: Path) -> None:
    write(tmp_path, files)
    with pytest.raises(ForgewrightError) as caught:
        CodeEngine(tmp_path).plan(program)
    assert reason in str(caught.value)


PROGRAMS = {
    "invert": ("(invert-boolean symbol: 'function#even' new: 'odd')",
               "function even(n) { if (n === 0) return true; return !even(n - 1); }\n"
               "console.log(even(4), even(7) === false, !even(2) ? 1 : 2, [even(1)]);\n"),
    "invert a variable": ("(invert-boolean at: 'a.js:1:5' new: 'off')",
                          "let on = 1 > 0;\nfor (let i = 0; i < 3; i++) { console.log(on, !on, `${on}`, { on }); on = !on; }\n"),
    "encapsulate": ("(encapsulate-field at: 'a.js:1:11')",
                    "class A { n = 1; grow() { this.n += 1; return this; } }\nconst a = new A().grow();\n"
                    "a.n *= 3;\nconsole.log(a.n, new A().n++);\n"),
    "a field": ("(local-to-field at: 'a.js:1:23')",
                "class A { f(x) { let n = x * 2; n += 1; return { n, m: n }; } }\nconsole.log(new A().f(3));\n"),
    "a factory": ("(introduce-factory symbol: 'class#A')",
                  "class A { constructor(a, b = 2) { this.s = a + b; } }\nconsole.log(new A(1), new A(1, 3).s, new (A)(0));\n"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "text"), PROGRAMS.values(), ids=PROGRAMS)
def test_it_runs_as_before(program: str, text: str, tmp_path: Path, node: str) -> None:
    runs_as_before(tmp_path, node, program, text)
