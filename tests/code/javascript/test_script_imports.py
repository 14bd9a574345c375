"""Imports of scripts: unused ones out, doubles merged, sorted; comments, quotes and side effects stay."""

from __future__ import annotations

import pytest
from tests.code.javascript.changes import changed


def unused(text: str, path: str = "a.ts", **more: str) -> str:
    return changed({path: text, **more}, f"(remove-unused-imports file: '{path}')").get(path, text) or ""


def organised(text: str, path: str = "a.ts") -> str:
    return changed({path: text}, f"(organise-imports file: '{path}')").get(path, text) or ""


KEPT = {
    "a value behind a type parameter": "import { T } from 'x';\nexport function f<T>(x: T) {\n  return new T();\n}\n",
    "a shorthand property": "import { a } from 'x';\nexport const o = { a };\n",
    "a re-export": "import { a } from 'x';\nexport { a as b };\n",
    "a default export": "import a from 'x';\nexport default a;\n",
    "a type in a type position": "import type { A } from 'x';\nexport let a: A;\n",
    "a namespace in a type": "import * as n from 'x';\nexport let a: n.B.C;\n",
    "typeof": "import { a } from 'x';\nexport let b: typeof a;\n",
    "a decorator": "import { a } from 'x';\n@a()\nexport class B {}\n",
    "heritage": "import { A, type I } from 'x';\nexport class B extends A implements I {}\n",
    "a documented type": "import { A } from 'x';\n/** See {@link A}. */\nexport const b = 1;\n",
    "an augmented module": "import { A } from 'x';\ndeclare module 'x' {\n  interface B {}\n}\n",
    "what it does": "import 'x';\nexport {};\n",
    "import = require": "import x = require('x');\nx();\n",
    "a computed key": "import { k } from 'x';\nexport const o = { [k]: 1 };\n",
    "a template": "import { k } from 'x';\nexport const o = `${k}`;\n",
    "an enum's value": "import { k } from 'x';\nexport enum E {\n  A = k,\n}\n",
    "export =": "import k from 'x';\nexport = k;\n",
    "satisfies": "import type { K } from 'x';\nexport const a = 1 satisfies K;\n",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_is_used_stays(text: str) -> None:
    assert unused(text) == text


GONE = {
    "a shadowed name": (
        "import { a } from 'x';\nexport function f(a: number) {\n  return a;\n}\n",
        "export function f(a: number) {\n  return a;\n}\n",
    ),
    "a property of that name": ("import { a } from 'x';\nexport const b = c.a;\n", "export const b = c.a;\n"),
    "a key of that name": ("import { a } from 'x';\nexport const b = { a: 1 };\n", "export const b = { a: 1 };\n"),
    "the default of several": ("import a, { b } from 'x';\nexport { b };\n", "import { b } from 'x';\nexport { b };\n"),
    "the names beside a default": ("import a, { b } from 'x';\nexport { a };\n", "import a from 'x';\nexport { a };\n"),
    "a namespace beside a default": ("import a, * as b from 'x';\nexport { a };\n", "import a from 'x';\nexport { a };\n"),
    "one of a list in lines": (
        "import {\n  a, // first\n  b,\n  c,\n} from \"x\"\nexport { a, c }\n",
        "import {\n  a, // first\n  c,\n} from \"x\"\nexport { a, c }\n",
    ),
    "with what speaks of its line": (
        "// @ts-ignore\nimport a from 'x'; // why\nimport b from 'y';\nexport { b };\n",
        "import b from 'y';\nexport { b };\n",
    ),
    "behind a licence": (
        "/* Copyright */\n\nimport a from 'x';\n\nexport const b = 1;\n",
        "/* Copyright */\n\nexport const b = 1;\n",
    ),
    "in CRLF": ("import a from 'x';\r\nexport const b = 1;\r\n", "export const b = 1;\r\n"),
    "the last one of a module": ("import a from 'x';\nconst b = 1;\n", "export {};\nconst b = 1;\n"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "wanted"), GONE.values(), ids=GONE)
def test_what_is_not_used_goes(before: str, wanted: str) -> None:
    assert unused(before) == wanted


def test_what_jsx_is_made_with() -> None:
    text = "import React from 'react';\nimport { h } from 'preact';\nexport const a = <b />;\n"
    assert unused(text, "a.tsx") == text
    modern = {"tsconfig.json": '{ "compilerOptions": { "jsx": "react-jsx" } }'}
    assert unused(text, "a.tsx", **modern) == "export const a = <b />;\n"
    told = {"tsconfig.json": '{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }'}
    assert unused(text, "a.tsx", **told) == "import { h } from 'preact';\nexport const a = <b />;\n"
    pragma = "/** @jsx h */\n" + text
    assert unused(pragma, "a.tsx") == pragma.replace("import React from 'react';\n", "")


def test_a_file_that_does_not_parse_keeps_what_may_be_used() -> None:
    text = "import { a, b } from 'x';\nexport const c = ( a;\n"
    assert unused(text) == "import { a } from 'x';\nexport const c = ( a;\n"


def test_types_in_comments_of_javascript() -> None:
    text = "import { A } from './a';\n/** @type {A} */\nexport let x;\n"
    assert unused(text, "a.js") == text


def test_groups_and_side_effects_are_kept() -> None:
    before = (
        "import { b } from './b';\nimport a from 'a';\nimport './side';\nimport d from 'd';\nimport c from 'c';\n\n"
        "import f from 'f';\nimport e from 'e';\nuse(a, b, c, d, e, f);\n"
    )
    wanted = (
        "import a from 'a';\nimport { b } from './b';\nimport './side';\nimport c from 'c';\nimport d from 'd';\n\n"
        "import e from 'e';\nimport f from 'f';\nuse(a, b, c, d, e, f);\n"
    )
    assert organised(before) == wanted


def test_comments_go_with_their_statement() -> None:
    before = "// licence\nimport b from 'b'; // two\n// about a\nimport a from 'a';\nuse(a, b);\n"
    assert (
        organised(before)
        == "// licence\n// about a\nimport a from 'a';\nimport b from 'b'; // two\nuse(a, b);\n"
    )


def test_types_and_namespaces_are_not_merged_with_names() -> None:
    text = "import type { A } from 'x';\nimport * as x from 'x';\nimport { b } from 'x';\nuse(x, b as A);\n"
    assert organised(text) == text


def test_attributes_keep_statements_apart() -> None:
    text = "import a from './a.json' with { type: 'json' };\nimport { b } from './a.json';\nuse(a, b);\n"
    assert organised(text) == text
