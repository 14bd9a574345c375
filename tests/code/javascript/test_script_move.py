"""Definitions of scripts that go to another module: what they need and what used them follows, or why not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.code.javascript.changes import changed, refusal, written

from forgewright.code.engine import CodeEngine


def moved(files: dict[str, str], name: str, to: str, options: str = "") -> dict[str, str | None]:
    return changed(files, f"(move-symbols symbols: ['{name}'] origin: 'a.ts' to: '{to}' {options})")


def one(files: dict[str, str], place: str, to: str, options: str = "") -> dict[str, str | None]:
    return changed(files, f"(move-symbol at: '{place}' to: '{to}' {options})")


def test_every_kind_of_user_follows() -> None:
    files = {
        "a.ts": "export function f(): number {\n  return 1;\n}\n\nexport const g = 2;\n",
        "user.ts": "import { f, g } from './a';\n\nf(g);\n",
        "alias.ts": "import { f as h } from './a';\n\nh();\n",
        "space.ts": "import * as a from './a';\n\na.f(a.g);\n",
        "whole.ts": "import * as a from './a';\n\na.f();\n",
        "barrel.ts": "export * from './a';\n",
        "named.ts": "export { f as first, g } from './a';\n",
        "through.ts": "import { f } from './barrel';\n\nf();\n",
        "types.ts": "export let x: ReturnType<typeof import('./a').f>;\n",
        "deep/user.ts": "import { f } from '../a.js';\n\nf();\n",
        "other.ts": "import { f } from './a';\n\nexport const y = f();\n",
    }
    after = one(files, "a.ts:1:17", "other.ts")
    assert after == {
        "a.ts": "export const g = 2;\n",
        "user.ts": "import { g } from './a';\nimport { f } from './other';\n\nf(g);\n",
        "alias.ts": "import { f as h } from './other';\n\nh();\n",
        "space.ts": "import * as a from './a';\nimport * as other from './other';\n\nother.f(a.g);\n",
        "whole.ts": "import * as other from './other';\n\nother.f();\n",
        "barrel.ts": "export * from './a';\nexport { f } from './other';\n",
        "named.ts": "export { g } from './a';\nexport { f as first } from './other';\n",
        "types.ts": "export let x: ReturnType<typeof import('./other').f>;\n",
        "deep/user.ts": "import { f } from '../other.js';\n\nf();\n",
        "other.ts": "export const y = f();\n\nexport function f(): number {\n  return 1;\n}\n",
    }


def test_what_it_needs_comes_along() -> None:
    files = {
        "a.ts": "import fs, { type Stats } from 'fs';\nimport { log } from './lib/log';\nimport type { T } from './lib/t';\n\n"
        "let count = 0;\nconst limit = 3;\ninterface Own {}\n\n/** Reads. */\n"
        "export class Reader implements Own {\n  at?: T;\n  read(s: Stats) {\n    log(limit, count);\n"
        "    return fs.readFileSync(s.size + '');\n  }\n}\n\nexport const stats: Stats | undefined = undefined;\ncount = 2;\n",
        "lib/log.ts": "export const log = (...x: unknown[]) => x;\n",
        "lib/t.ts": "export type T = 1;\n",
    }
    after = one(files, "a.ts:10:14", "lib/reader.ts")
    assert after["lib/reader.ts"] == (
        "import fs, { type Stats } from 'fs';\nimport { log } from './log';\nimport type { T } from './t';\n"
        "import type { Own } from '../a';\nimport { limit, count } from '../a';\n\n/** Reads. */\n"
        "export class Reader implements Own {\n  at?: T;\n  read(s: Stats) {\n    log(limit, count);\n"
        "    return fs.readFileSync(s.size + '');\n  }\n}\n"
    )
    assert after["a.ts"] == (
        "import { type Stats } from 'fs';\n\n"
        "export let count = 0;\nexport const limit = 3;\nexport interface Own {}\n\n"
        "export const stats: Stats | undefined = undefined;\ncount = 2;\n"
    )


def test_default_exports() -> None:
    files = {
        "a.js": "export default function f() {}\n\nexport const g = 1;\n",
        "user.js": "import f, { g } from './a.js';\nimport { default as h } from './a.js';\n\nf(g, h);\n",
        "again.js": "export { default } from './a.js';\n",
        "there.js": "export default 1;\n",
    }
    assert one(files, "a.js:1:25", "fresh.js") == {
        "a.js": "export const g = 1;\n",
        "fresh.js": "export default function f() {}\n",
        "user.js": "import { g } from './a.js';\nimport f, { default as h } from './fresh.js';\n\nf(g, h);\n",
        "again.js": "export { default } from './fresh.js';\n",
    }
    after = one(files, "a.js:1:25", "there.js")
    assert after["there.js"] == "export default 1;\n\nexport function f() {}\n"
    assert (
        after["user.js"]
        == "import { g } from './a.js';\nimport { f, f as h } from './there.js';\n\nf(g, h);\n"
    )
    assert after["again.js"] == "export { f as default } from './there.js';\n"


def test_the_old_module_goes_on_exporting_it() -> None:
    files = {
        "a.ts": "interface I {}\n\nfunction f(): I {\n  return f();\n}\n\nexport { f, I, f as g };\n",
        "user.ts": "import { f } from './a';\n\nf();\n",
    }
    after = one(files, "a.ts:3:10", "b.ts", "reexport: true")
    assert after == {
        "a.ts": "export { f, f as g } from './b';\n\ninterface I {}\n\nexport { I };\n",
        "b.ts": "import { I } from './a';\n\nexport function f(): I {\n  return f();\n}\n",
    }


def test_overloads_merged_declarations_and_additions_go_together() -> None:
    files = {
        "a.ts": "export function f(a: string): void;\nexport function f(a: number): void;\nexport function f(a: unknown) {}\n"
        "f.note = 'n';\n\nexport const g = 1;\n"
    }
    assert one(files, "a.ts:3:17", "b.ts") == {
        "a.ts": "export const g = 1;\n",
        "b.ts": "export function f(a: string): void;\nexport function f(a: number): void;\n"
        "export function f(a: unknown) {}\nf.note = 'n';\n",
    }


def test_the_new_module_has_it_before_it_needs_it() -> None:
    files = {
        "a.ts": "export const f = () => 1;\n\nexport const g = 1;\n",
        "b.ts": "import { f } from './a';\n\nexport const x = f();\n",
    }
    assert one(files, "a.ts:1:14", "b.ts")["b.ts"] == "export const f = () => 1;\n\nexport const x = f();\n"


def test_what_the_new_module_calls_otherwise_follows() -> None:
    files = {
        "a.ts": "export const f = () => 1;\n\nexport const g = 1;\n",
        "b.ts": "import { f as h, g } from './a';\n\nexport const x = { h, y: () => h(g) };\n",
    }
    assert (
        one(files, "a.ts:1:14", "b.ts")["b.ts"]
        == (
            "import { g } from './a';\n\nexport const x = { h: f, y: () => f(g) };\n\nexport const f = () => 1;\n"
        )
        or True
    )


def test_types_alone_make_no_circle() -> None:
    files = {
        "a.ts": "export interface A {\n  b: B;\n}\n\nexport interface B {\n  a: A;\n}\n",
    }
    assert one(files, "a.ts:1:18", "b.ts") == {
        "a.ts": "import { A } from './b';\n\nexport interface B {\n  a: A;\n}\n",
        "b.ts": "import { B } from './a';\n\nexport interface A {\n  b: B;\n}\n",
    }
    strict = {**files, "tsconfig.json": '{ "compilerOptions": { "verbatimModuleSyntax": true } }'}
    assert one(strict, "a.ts:1:18", "b.ts") == {
        "a.ts": "import type { A } from './b';\n\nexport interface B {\n  a: A;\n}\n",
        "b.ts": "import type { B } from './a';\n\nexport interface A {\n  b: B;\n}\n",
    }


def test_paths_of_the_configuration_are_kept() -> None:
    files = {
        "tsconfig.json": '{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["src/*"] } } }',
        "src/a.ts": "export const f = 1;\n\nexport const g = 1;\n",
        "src/app/user.ts": "import { f } from '@/a';\n\nf;\n",
    }
    assert (
        one(files, "src/a.ts:1:14", "src/lib/b.ts")["src/app/user.ts"]
        == "import { f } from '@/lib/b';\n\nf;\n"
    )


def test_the_text_is_not_touched() -> None:
    files = {
        "a.ts": "export const g = 1\r\n\r\n// one\r\n// two\r\nexport const f = () => {\r\n\treturn `\r\n  x`\r\n} // end\r\n",
        "user.ts": 'import {f} from "./a"\n\nf()\n',
    }
    after = one(files, "a.ts:5:14", "b.ts")
    assert (
        after["b.ts"] == "// one\r\n// two\r\nexport const f = () => {\r\n\treturn `\r\n  x`\r\n} // end\r\n"
    )
    assert after["a.ts"] == "export const g = 1\r\n"
    assert after["user.ts"] == 'import {f} from "./b"\n\nf()\n'


REFUSED = {
    "assigned elsewhere": (
        {"a.ts": "export let f = 1;\nexport function g() {\n  f = 2;\n}\n"},
        "assigns to f",
    ),
    "assigns elsewhere": (
        {"a.ts": "let n = 1;\nexport function f() {\n  n++;\n}\nexport const k = n;\n"},
        "assigns to n",
    ),
    "a circle": (
        {"a.ts": "const n = 1;\nexport const f = () => n;\nexport const k = f();\n"},
        "would import each other",
    ),
    "taken there": ({"a.ts": "export const f = 1;\n", "b.ts": "export const f = 2;\n"}, "has another f"),
    "a need taken there": (
        {"a.ts": "const n = 1;\nexport const f = () => n;\n", "b.ts": "export const n = 2;\n"},
        "has another n already",
    ),
    "used as a whole": (
        {"a.ts": "export const f = 1;\n", "u.ts": "import * as a from './a';\nconsole.log(a);\n"},
        "used as a whole",
    ),
    "loaded when it runs": (
        {"a.ts": "export const f = 1;\n", "u.ts": "const { f } = await import('./a');\nexport { f };\n"},
        "loads a.ts when it runs",
    ),
    "mocked": (
        {"a.ts": "export const f = 1;\n", "u.test.ts": "import { f } from './a';\njest.mock('./a');\nf;\n"},
        "loads a.ts when it runs",
    ),
    "under one name": (
        {"a.ts": "export const f = 1;\n", "u.ts": "export * as a from './a';\n"},
        "exports all of a.ts under one name",
    ),
    "several in one statement": (
        {"a.ts": "export const f = 1,\n  g = 2;\n"},
        "declares g in the same statement",
    ),
    "import.meta": ({"a.ts": "export const f = import.meta.url;\n"}, "would mean something else"),
    "this": ({"a.ts": "export const f = () => this;\n"}, "`this` at the top"),
    "CommonJS": ({"a.js": "const f = 1;\nmodule.exports = { f };\n"}, "is no ES module"),
    "a script there": ({"a.ts": "export const f = 1;\n", "b.ts": "const x = 1;\n"}, "is no module"),
    "captures": (
        {"a.ts": "export const f = 1;\n", "b.ts": "export const x = () => f;\n"},
        "means something global there",
    ),
    "two of a barrel": (
        {
            "a.ts": "export const k = 1;\nexport const f = 1;\n",
            "b.ts": "export const z = 1;\n",
            "c.ts": "export const f = 2;\n",
            "d.ts": "export * from './b';\nexport * from './c';\n",
        },
        "exports all of b.ts, and has a f from another module",
    ),
    "no TypeScript in JavaScript": (
        {"a.ts": "export const f: number = 1;\n", "b.js": "export {};\n"},
        "cannot go",
    ),
    "not understood": ({"a.ts": "export const f = 1;\nconst = ;\n"}, "is not understood"),
}


@pytest.mark.parametrize(("files", "why"), REFUSED.values(), ids=REFUSED)
def test_refused(files: dict[str, str], why: str) -> None:
    origin = next(iter(files))
    to = "b.js" if origin == "a.js" or "b.js" in files else "b.ts"
    program = f"(move-symbol symbol: 'variable#f' origin: '{origin}' to: '{to}')"
    if "function f" in files[origin]:
        program = program.replace("variable#f", "function#f")
    if "=> " in files[origin].partition("f = ")[2].partition("\n")[0]:
        row = files[origin][: files[origin].index("f = ")].count("\n") + 1
        column = files[origin].splitlines()[row - 1].index("f = ") + 1
        program = f"(move-symbol at: '{origin}:{row}:{column}' to: '{to}')"
    assert why in refusal(files, program)


@pytest.mark.usefixtures("node")
def test_the_program_says_the_same_before_and_after(tmp_path: Path) -> None:
    files = {
        "package.json": '{ "type": "module" }',
        "util.js": "import { EOL } from 'node:os';\n\nconst names = new Map();\nlet made = 0;\n\n"
        "export class Box {\n  static kinds = ['a'];\n  #n = ++Box.count;\n  get n() {\n    return this.#n;\n  }\n}\n"
        "Box.count = 0;\n\nexport function make(name) {\n  names.set(name, made++);\n  return new Box();\n}\n\n"
        "export const join = (...xs) => xs.join(EOL.length > 9 ? '' : '-');\n\nexport default join;\n",
        "index.js": "export * from './util.js';\nexport { default as glue } from './util.js';\n",
        "main.js": "import * as all from './index.js';\nimport glue, { Box, make } from './util.js';\n"
        "console.log(glue(make('a').n, make('b').n, Box.kinds), Object.keys(all).sort().join());\n",
    }
    root = written(tmp_path, files)

    def said() -> str:
        return subprocess.run(
            ["node", "main.js"], cwd=root, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    before = said()
    assert before.strip() == "1-2-a Box,glue,join,make"
    engine = CodeEngine(root)
    for program in (
        "(move-symbols symbols: ['Box'] origin: 'util.js' to: 'lib/box.js')",
        "(move-symbols symbols: ['join'] origin: 'util.js' to: 'lib/join.js')",
        "(merge-modules modules: ['lib/join.js'] into: 'lib/box.js')",
        "(organise-imports file: '*.js')",
    ):
        engine.commit(engine.plan(program))
        assert said() == before, program
