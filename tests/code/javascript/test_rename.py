"""Renames in JavaScript and TypeScript: what follows, what is expanded, what stays."""

from __future__ import annotations

import pytest
from tests.code.renames import opened, renamed, renaming

from forgewright.code.binding import RenameOptions
from forgewright.code.javascript.resolver import JavaScriptResolver
from forgewright.core.errors import EditRefused

# (name, new name, before, after)
ONE_FILE = [
    (
        "hoisted function used before it stands",
        "start",
        "run();\nfunction <|>run() { return run; }\n",
        "start();\nfunction start() { return start; }\n",
    ),
    (
        "a block's let does not reach outside",
        "n",
        "let x = 1;\n{ let <|>x = 2; x; }\nx;\n",
        "let x = 1;\n{ let n = 2; n; }\nx;\n",
    ),
    (
        "var is the function's",
        "n",
        "function f() { if (1) { var <|>x = 1; } return x; }\nvar x;\n",
        "function f() { if (1) { var n = 1; } return n; }\nvar x;\n",
    ),
    (
        "closure and parameter of the same name",
        "total",
        "const <|>sum = 0;\nconst add = (sum) => sum + 1;\nconst get = () => sum;\n",
        "const total = 0;\nconst add = (sum) => sum + 1;\nconst get = () => total;\n",
    ),
    (
        "default of a parameter sees the outer name",
        "base",
        "const <|>a = 1;\nfunction f(b = a, c = b) { return c + a; }\n",
        "const base = 1;\nfunction f(b = base, c = b) { return c + base; }\n",
    ),
    (
        "shorthand property is expanded",
        "amount",
        "const <|>count = 1;\nsend({ count, other: count });\n",
        "const amount = 1;\nsend({ count: amount, other: amount });\n",
    ),
    (
        "destructured variable keeps its property",
        "size",
        "const { <|>length, a: [b] } = load();\nuse(length, b);\n",
        "const { length: size, a: [b] } = load();\nuse(size, b);\n",
    ),
    (
        "property of a literal, destructured and accessed",
        "title",
        "const book = { <|>name: 'x' };\nbook.name;\nbook['name'];\nconst { name } = book;\nname;\n",
        "const book = { title: 'x' };\nbook.title;\nbook['title'];\nconst { title: name } = book;\nname;\n",
    ),
    (
        "label",
        "outer",
        "<|>a: for (;;) { b: for (;;) { continue a; } break a; }\n",
        "outer: for (;;) { b: for (;;) { continue outer; } break outer; }\n",
    ),
    (
        "private field",
        "#secret",
        "class A { #<|>key = 1; get() { return this.#key; } has(o) { return #key in o; } }\n",
        "class A { #secret = 1; get() { return this.#secret; } has(o) { return #secret in o; } }\n",
    ),
    (
        "the name of a function expression is its own",
        "again",
        "const f = function <|>g(n) { return n ? g(n - 1) : 0; };\nfunction g() {}\n",
        "const f = function again(n) { return n ? again(n - 1) : 0; };\nfunction g() {}\n",
    ),
    (
        "catch clause and switch",
        "problem",
        "try {} catch (<|>e) { switch (e) { case e: throw e; } }\nvar e;\n",
        "try {} catch (problem) { switch (problem) { case problem: throw problem; } }\nvar e;\n",
    ),
    (
        "template literal",
        "who",
        "const <|>name = 'x';\nconst s = `${name} name ${`${name}`}`;\n",
        "const who = 'x';\nconst s = `${who} name ${`${who}`}`;\n",
    ),
    (
        "member made in a constructor",
        "items",
        "class A { constructor() { this.<|>list = []; } add(x) { this.list.push(x); } }\nnew A().list;\n",
        "class A { constructor() { this.items = []; } add(x) { this.items.push(x); } }\nnew A().items;\n",
    ),
    (
        "member of a prototype",
        "stop",
        "function T() {}\nT.prototype.<|>end = function () {};\nnew T().end();\n",
        "function T() {}\nT.prototype.stop = function () {};\nnew T().stop();\n",
    ),
    (
        "JSDoc parameter and type",
        "Choice",
        "/** @typedef {{ a: number }} <|>Option */\n/** @param {Option} o */\nfunction f(o) {}\n",
        "/** @typedef {{ a: number }} Choice */\n/** @param {Choice} o */\nfunction f(o) {}\n",
    ),
    (
        "JSDoc names a parameter",
        "path",
        "/** @param {string} file where\n * @param file.x no */\nfunction f(<|>file) { return file; }\n",
        "/** @param {string} path where\n * @param path.x no */\nfunction f(path) { return path; }\n",
    ),
]

TYPED = [
    (
        "interface, what implements it, and a literal of it",
        "close",
        "interface R { <|>end(): void }\nclass A implements R { end() {} }\n"
        "class B extends A { end() { super.end(); } }\n"
        "const r: R = { end() {} };\nnew B().end();\nclass Other { end() {} }\n",
        "interface R { close(): void }\nclass A implements R { close() {} }\n"
        "class B extends A { close() { super.close(); } }\n"
        "const r: R = { close() {} };\nnew B().close();\nclass Other { end() {} }\n",
    ),
    (
        "static and instance members are different",
        "make",
        "class A { static <|>of() { return A.of(); } of() { return this.of(); } }\n",
        "class A { static make() { return A.make(); } of() { return this.of(); } }\n",
    ),
    (
        "parameter property",
        "port",
        "class S { constructor(private <|>p: number) { p; } m() { return this.p; } }\n",
        "class S { constructor(private port: number) { port; } m() { return this.port; } }\n",
    ),
    (
        "a type beside a value of the same name",
        "Item",
        "interface <|>Thing { a: number }\nfunction f(Thing: Thing) { return Thing; }\n",
        "interface Item { a: number }\nfunction f(Thing: Item) { return Thing; }\n",
    ),
    (
        "type parameter",
        "Value",
        "function f<<|>T extends object>(x: T): T[] { const y: T = x; return [y]; }\ntype T = string;\n",
        "function f<Value extends object>(x: Value): Value[] { const y: Value = x; return [y]; }\n"
        "type T = string;\n",
    ),
    (
        "declarations merge",
        "Shape",
        "interface <|>Box { a: number }\ninterface Box { b: number }\nnamespace Box { export const c = 1; }\n"
        "let b: Box; Box.c;\n",
        "interface Shape { a: number }\ninterface Shape { b: number }\n"
        "namespace Shape { export const c = 1; }\n"
        "let b: Shape; Shape.c;\n",
    ),
    (
        "enum member",
        "Off",
        "enum S { <|>No, Yes = No }\nS.No;\nS['No'];\nconst No = 1;\n",
        "enum S { Off, Yes = Off }\nS.Off;\nS['Off'];\nconst No = 1;\n",
    ),
    (
        "member of a union, after narrowing",
        "width",
        "interface A { k: 'a'; <|>w: number }\ninterface B { k: 'b'; w: number }\n"
        "function f(s: A | B) { if (s.k === 'b') return s.w; return s.w; }\n",
        "interface A { k: 'a'; width: number }\ninterface B { k: 'b'; w: number }\n"
        "function f(s: A | B) { if (s.k === 'b') return s.w; return s.width; }\n",
    ),
    (
        "through arrays, promises and generics",
        "title",
        "interface Doc { <|>name: string }\n"
        "async function f(ds: Doc[], p: Promise<Doc>, m: Map<string, Doc>) {\n"
        "  ds.map(d => d.name).length; for (const d of ds) d.name; (await p).name;\n"
        "  p.then(({ name }) => name); m.get('x')!.name; const [first] = ds; first.name;\n}\n",
        "interface Doc { title: string }\n"
        "async function f(ds: Doc[], p: Promise<Doc>, m: Map<string, Doc>) {\n"
        "  ds.map(d => d.title).length; for (const d of ds) d.title; (await p).title;\n"
        "  p.then(({ title: name }) => name); m.get('x')!.title; const [first] = ds; first.title;\n}\n",
    ),
    (
        "keys that a contextual type expects",
        "onDone",
        "interface O { <|>done(): void; next?: O }\ndeclare function go(o: O): void;\n"
        "go({ done() {}, next: { done: () => {} } });\nfunction make(): O { return { done() {} }; }\n"
        "const x = { done: 1 };\n",
        "interface O { onDone(): void; next?: O }\ndeclare function go(o: O): void;\n"
        "go({ onDone() {}, next: { onDone: () => {} } });\nfunction make(): O { return { onDone() {} }; }\n"
        "const x = { done: 1 };\n",
    ),
    (
        "mapped and indexed types",
        "id",
        "interface U { <|>key: number }\ntype P = Partial<U>;\ndeclare const p: P;\np.key;\n"
        "type K = U['key'];\n",
        "interface U { id: number }\ntype P = Partial<U>;\ndeclare const p: P;\np.id;\ntype K = U['id'];\n",
    ),
    (
        "a string that is a type",
        "large",
        "type Size = 'small' | '<|>big';\nconst s: Size = 'big';\nif (s === 'big') {}\nconst t = 'big';\n",
        "type Size = 'small' | 'large';\nconst s: Size = 'large';\nif (s === 'large') {}\nconst t = 'big';\n",
    ),
    (
        "typeof, satisfies and as",
        "defaults",
        "const <|>base = { a: 1 };\ntype B = typeof base;\nconst c = base satisfies B;\n(base as B).a;\n",
        "const defaults = { a: 1 };\ntype B = typeof defaults;\nconst c = defaults satisfies B;\n"
        "(defaults as B).a;\n",
    ),
    (
        "overloads",
        "parse",
        "function <|>read(a: string): string;\nfunction read(a: number): number;\n"
        "function read(a: any) { return a; }\nread(1);\n",
        "function parse(a: string): string;\nfunction parse(a: number): number;\n"
        "function parse(a: any) { return a; }\nparse(1);\n",
    ),
]


@pytest.mark.parametrize(("new", "before", "after"), [c[1:] for c in ONE_FILE], ids=[c[0] for c in ONE_FILE])
def test_javascript(new: str, before: str, after: str) -> None:
    assert renamed({"a.js": before}, new) == {"a.js": after}


@pytest.mark.parametrize(("new", "before", "after"), [c[1:] for c in TYPED], ids=[c[0] for c in TYPED])
def test_typescript(new: str, before: str, after: str) -> None:
    assert renamed({"a.ts": before}, new) == {"a.ts": after}


def test_tsx_components_props_and_elements() -> None:
    before = (
        "declare namespace JSX { interface IntrinsicElements { div: { id?: string } } }\n"
        "interface Props { <|>label: string }\n"
        "function Button({ label }: Props) { return <div id={label}>label</div>; }\n"
        "const a = <Button label='x' />;\nconst ns = { Button };\n"
        "const b = <ns.Button label='y'></ns.Button>;\n"
    )
    after = (
        "declare namespace JSX { interface IntrinsicElements { div: { id?: string } } }\n"
        "interface Props { text: string }\n"
        "function Button({ text: label }: Props) { return <div id={label}>label</div>; }\n"
        "const a = <Button text='x' />;\nconst ns = { Button };\n"
        "const b = <ns.Button text='y'></ns.Button>;\n"
    )
    assert renamed({"a.tsx": before}, "text") == {"a.tsx": after}


MODULES = {
    "lib/core.ts": "export function <|>load() {}\nexport const other = load;\n"
    "export default class Store {}\n",
    "lib/index.ts": "export * from './core';\nexport { load as read } from './core';\n",
    "app.ts": "import { load } from './lib';\nimport { read } from './lib';\nimport * as all from './lib';\n"
    "load(); read(); all.load(); all.read();\n",
    "late.ts": "export async function f() { const { load } = await import('./lib/core'); load(); }\n",
    "unrelated.ts": "function load() {}\nload();\n",
}


def test_an_export_is_followed_through_barrels_namespaces_and_dynamic_imports() -> None:
    after = renamed(MODULES, "fetch")
    assert after["lib/core.ts"].startswith("export function fetch() {}\nexport const other = fetch;")
    assert "export { fetch as read } from './core';" in after["lib/index.ts"]
    assert "import { fetch } from './lib';\nimport { read }" in after["app.ts"]
    assert "fetch(); read(); all.fetch(); all.read();" in after["app.ts"]
    assert "const { fetch: load } = await import('./lib/core'); load();" in after["late.ts"]
    assert after["unrelated.ts"] == MODULES["unrelated.ts"]


def test_public_names_are_kept_by_aliases_when_asked() -> None:
    files = {
        "a.ts": "const <|>x = 1;\nexport { x };\n",
        "b.ts": "import { x } from './a';\nx;\n",
    }
    after = renamed(files, "y", RenameOptions(aliases=True))
    assert after == {"a.ts": "const y = 1;\nexport { y as x };\n", "b.ts": files["b.ts"]}


def test_default_exports_follow_imports_of_the_same_name_only() -> None:
    files = {
        "a.ts": "export default class <|>Store {}\nnew Store();\n",
        "b.ts": "import Store from './a';\nimport S from './a';\nnew Store(); new S();\n",
    }
    after = renamed(files, "Shop")
    assert after["a.ts"] == "export default class Shop {}\nnew Shop();\n"
    assert after["b.ts"] == "import Shop from './a';\nimport S from './a';\nnew Shop(); new S();\n"


def test_commonjs_exports() -> None:
    files = {
        "a.js": "exports.<|>area = r => r * r;\nexports.area(1);\n",
        "b.js": "const { area } = require('./a');\nconst m = require('./a');\narea(2); m.area(3);\n",
    }
    after = renamed(files, "surface")
    assert after["a.js"] == "exports.surface = r => r * r;\nexports.surface(1);\n"
    assert (
        after["b.js"]
        == "const { surface: area } = require('./a');\nconst m = require('./a');\narea(2); m.surface(3);\n"
    )


def test_paths_of_tsconfig_and_packages_of_the_project() -> None:
    files = {
        "tsconfig.json": "{ // comment\n"
        ' "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["src/*"], } } }',
        "src/util.ts": "export const <|>now = 1;\n",
        "src/a.ts": "import { now } from '@/util';\nnow;\n",
        "packages/x/package.json": '{"name": "@me/x", "main": "./main.ts"}',
        "packages/x/main.ts": "export { now } from '../../src/util';\n",
        "src/b.ts": "import { now } from '@me/x';\nnow;\n",
    }
    after = renamed(files, "today")
    assert after["src/a.ts"] == "import { today } from '@/util';\ntoday;\n"
    assert after["packages/x/main.ts"] == "export { today } from '../../src/util';\n"
    assert after["src/b.ts"] == "import { today } from '@me/x';\ntoday;\n"


def test_scripts_share_their_globals() -> None:
    files = {
        "a.ts": "var <|>shared = 1;\n",
        "b.ts": "shared++;\n",
        "c.ts": "export {};\nconst shared = 2;\nshared;\n",
    }
    after = renamed(files, "common")
    assert after == {"a.ts": "var common = 1;\n", "b.ts": "common++;\n", "c.ts": files["c.ts"]}


def test_members_of_unknown_things_are_uncertain_and_left_alone() -> None:
    files = {"a.ts": "class A { <|>close() {} }\ndeclare const x: any;\nx.close();\nnew A().close();\n"}
    made = renaming(files, "end")
    assert renamed(files, "end")["a.ts"] == (
        "class A { end() {} }\ndeclare const x: any;\nx.close();\nnew A().end();\n"
    )
    (uncertain,) = made.uncertain
    assert not uncertain.certain
    assert uncertain.start == files["a.ts"].replace("<|>", "").index("x.close") + 2


def test_uncertain_places_are_changed_when_told_to() -> None:
    files = {"a.ts": "class A { <|>close() {} }\ndeclare const x: any;\nx.close();\n"}
    after = renamed(files, "end", RenameOptions(uncertain=True))
    assert after["a.ts"] == "class A { end() {} }\ndeclare const x: any;\nx.end();\n"


def test_what_is_left_of_the_name_is_classified() -> None:
    files = {"a.js": "// load it\nconst s = 'load';\nfunction <|>load() {}\nother.load;\n"}
    assert [(left.role, left.start) for left in renaming(files, "read").leftover] == [
        ("comment", 3),
        ("string", 22),
        ("reference", 54),
    ]


REFUSED = [
    (
        "captured by an inner name",
        "inner",
        "const <|>x = 1;\nfunction f(inner) { return x; }\n",
        "would then mean",
    ),
    ("already in the scope", "y", "let <|>x = 1;\nlet y = 2;\n", "already declared"),
    (
        "captures another's use",
        "y",
        "let y = 1;\nfunction f() { let <|>x = 2; return y; }\n",
        "would then mean",
    ),
    (
        "global captured",
        "fetch",
        "function f() { const <|>get = 1; return fetch(get); }\n",
        "would then mean",
    ),
    ("member of the name", "b", "class A { <|>a() {} b() {} }\n", "already has a member"),
    ("reserved word", "class", "let <|>x = 1;\n", "identifier"),
    ("no identifier", "a-b", "let <|>x = 1;\n", "identifier"),
    ("its own name", "x", "let <|>x = 1;\n", "already"),
    ("label of the name", "b", "<|>a: for (;;) { b: for (;;) { break a; } }\n", "label"),
]


@pytest.mark.parametrize(("new", "before", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(new: str, before: str, message: str) -> None:
    with pytest.raises(EditRefused, match=message):
        renaming({"a.js": before}, new)


def test_what_is_not_the_projects_own_is_refused() -> None:
    files = {
        "node_modules/dep/index.d.ts": "export declare function run(): void;\n",
        "a.ts": "import { run } from 'dep';\n<|>run();\n",
    }
    resolver, path, offset, _ = opened(files)
    assert isinstance(resolver, JavaScriptResolver)
    symbol = resolver.symbol_here(path, offset)
    assert symbol is not None
    with pytest.raises(EditRefused, match="installed package"):
        resolver.rename(symbol, "go")


def test_shadowing_is_no_clash_where_nothing_is_captured() -> None:
    before = "const <|>x = 1;\nfunction f(y) { return y; }\nx;\n"
    assert renamed({"a.js": before}, "y") == {"a.js": "const y = 1;\nfunction f(y) { return y; }\ny;\n"}


def test_words_in_strings_and_comments_as_the_options_say() -> None:
    files = {"a.js": "// load it\nconst s = 'load all';\nfunction <|>load() {}\n"}
    assert renamed(files, "read", RenameOptions(docs="all", strings="all"))["a.js"] == (
        "// read it\nconst s = 'read all';\nfunction read() {}\n"
    )
    made = renaming(files, "read", RenameOptions(docs="uncertain"))
    assert [(place.role, place.certain) for place in made.uncertain] == [("comment", False)]
    assert [place.role for place in made.leftover] == ["string"]


def test_one_class_of_a_hierarchy_alone() -> None:
    files = {"a.ts": "class A { go() {} }\nclass B extends A { <|>go() {} }\nnew B().go();\nnew A().go();\n"}
    assert renamed(files, "run", RenameOptions(hierarchy=False))["a.ts"] == (
        "class A { go() {} }\nclass B extends A { run() {} }\nnew B().run();\nnew A().go();\n"
    )
