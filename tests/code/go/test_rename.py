"""Renames in Go: across packages, through interfaces and embedding, and what is refused."""

from __future__ import annotations

import pytest
from tests.code.renames import applied, opened, renamed, renaming

from forgewright.code.binding import RenameOptions
from forgewright.code.go.resolver import GoResolver
from forgewright.core.errors import EditRefused

ONE_FILE = [
    (
        "a short declaration is visible after its statement",
        "n",
        "func f(x int) { { <|>x := x + 1; _ = x } }",
        "func f(x int) { { n := x + 1; _ = n } }",
    ),
    (
        "redeclared by := in the same block",
        "problem",
        "func f() { a, <|>err := g(); b, err := g(); _ = err; _, _ = a, b }",
        "func f() { a, problem := g(); b, problem := g(); _ = problem; _, _ = a, b }",
    ),
    (
        "the if statement's own scope",
        "v",
        "func f() { if <|>x := g(); x > 0 { _ = x } else { _ = x }; x := 1; _ = x }",
        "func f() { if v := g(); v > 0 { _ = v } else { _ = v }; x := 1; _ = x }",
    ),
    (
        "type switch",
        "v",
        "func f(a any) { switch <|>x := a.(type) { case int: _ = x; default: _ = x } }",
        "func f(a any) { switch v := a.(type) { case int: _ = v; default: _ = v } }",
    ),
    (
        "label",
        "outer",
        "func f() { <|>a: for { b: for { continue a; break b } } }",
        "func f() { outer: for { b: for { continue outer; break b } } }",
    ),
    (
        "fields, promoted and in literals",
        "width",
        "type B struct { <|>w int }\ntype E struct { *B; h int }\n"
        'func f(e E, w int) { e.w = w; _ = B{w: w}; _ = []B{{w: 1}}; _ = map[string]*B{"w": {w: 2}} }',
        "type B struct { width int }\ntype E struct { *B; h int }\n"
        "func f(e E, w int) { e.width = w; _ = B{width: w}; _ = []B{{width: 1}}; "
        '_ = map[string]*B{"w": {width: 2}} }',
    ),
    (
        "an embedded field is called after its type",
        "Base",
        "type <|>B struct { n int }\ntype E struct { *B }\nvar e = E{B: &B{}}\nvar _ = e.B.n",
        "type Base struct { n int }\ntype E struct { *Base }\nvar e = E{Base: &Base{}}\nvar _ = e.Base.n",
    ),
    (
        "methods of a pointer and of an instance of a generic type",
        "Size",
        "type L[T any] struct { v T }\nfunc (l *L[T]) <|>Len() int { return 1 }\n"
        "func f(l L[int]) { l.Len(); (&l).Len() }",
        "type L[T any] struct { v T }\nfunc (l *L[T]) Size() int { return 1 }\n"
        "func f(l L[int]) { l.Size(); (&l).Size() }",
    ),
    (
        "type parameter",
        "Item",
        "func f[<|>T any](x T) []T { var y T = x; return []T{y} }\ntype T int",
        "func f[Item any](x Item) []Item { var y Item = x; return []Item{y} }\ntype T int",
    ),
    (
        "through ranges, calls and type arguments",
        "name",
        "type P struct { <|>n string }\nfunc all() []P { return nil }\nfunc id[T any](x T) T { return x }\n"
        'func f(m map[string]P, c chan P) { for _, p := range all() { _ = p.n }; _ = m["n"].n; '
        "_ = (<-c).n; _ = id(P{}).n }",
        "type P struct { name string }\nfunc all() []P { return nil }\nfunc id[T any](x T) T { return x }\n"
        'func f(m map[string]P, c chan P) { for _, p := range all() { _ = p.name }; _ = m["n"].name; '
        "_ = (<-c).name; _ = id(P{}).name }",
    ),
    (
        "the cases of a type switch",
        "Stop",
        "type A struct{}\nfunc (A) <|>Close() {}\ntype B struct{}\nfunc (B) Close() {}\n"
        "func f(x any) { switch v := x.(type) { case A: v.Close(); case *B: v.Close() } }\n"
        "func g(a A) { switch v := any(a).(type) { case A, B: _ = v } }",
        "type A struct{}\nfunc (A) Stop() {}\ntype B struct{}\nfunc (B) Close() {}\n"
        "func f(x any) { switch v := x.(type) { case A: v.Stop(); case *B: v.Close() } }\n"
        "func g(a A) { switch v := any(a).(type) { case A, B: _ = v } }",
    ),
    (
        "an interface's method with its implementations",
        "Stop",
        "type C interface { <|>Close() }\ntype A struct{}\nfunc (A) Close() {}\ntype O struct{}\n"
        "func (O) Close(n int) {}\n"
        "func f(c C) { c.Close(); A{}.Close() }",
        "type C interface { Stop() }\ntype A struct{}\nfunc (A) Stop() {}\ntype O struct{}\n"
        "func (O) Close(n int) {}\n"
        "func f(c C) { c.Stop(); A{}.Stop() }",
    ),
    (
        "doc comment and links",
        "Load",
        "// Read reads. See [Read] and [T.Read].\nfunc <|>Read() {}\n\n// T is like [Read].\n"
        "type T int\n\nfunc (T) Read() {}",
        "// Load reads. See [Load] and [T.Read].\nfunc Load() {}\n\n// T is like [Load].\ntype T int\n\n"
        "func (T) Read() {}",
    ),
]


@pytest.mark.parametrize(("new", "before", "after"), [c[1:] for c in ONE_FILE], ids=[c[0] for c in ONE_FILE])
def test_one_file(new: str, before: str, after: str) -> None:
    assert renamed({"a.go": f"package a\n\n{before}\n"}, new) == {"a.go": f"package a\n\n{after}\n"}


PACKAGES = {
    "go.mod": "module example.com/m\n",
    "store/store.go": "package store\n\nfunc <|>Open() *DB { return &DB{} }\n\n"
    "type DB struct{ Path string }\n",
    "store/more.go": "package store\n\nvar _ = Open()\n",
    "store/store_test.go": 'package store_test\n\nimport "example.com/m/store"\n\nvar _ = store.Open()\n',
    "app/app.go": 'package app\n\nimport st "example.com/m/store"\n\n'
    'func Open() { st.Open().Path = "Open" }\n',
}


def test_an_exported_function_across_packages() -> None:
    after = renamed(PACKAGES, "Connect")
    assert after["store/store.go"].startswith("package store\n\nfunc Connect() *DB")
    assert after["store/more.go"] == "package store\n\nvar _ = Connect()\n"
    assert after["store/store_test.go"].endswith("var _ = store.Connect()\n")
    assert after["app/app.go"].endswith('func Open() { st.Connect().Path = "Open" }\n')


def test_a_field_across_packages() -> None:
    files = {path: text.replace("<|>", "") for path, text in PACKAGES.items()}
    files["store/store.go"] = files["store/store.go"].replace("Path string", "<|>Path string")
    assert "st.Open().File =" in renamed(files, "File")["app/app.go"]


def test_an_import_gets_and_loses_its_name() -> None:
    files = {
        "go.mod": "module m\n",
        "b/b.go": "package b\n\nconst N = 1\n",
        "a/a.go": 'package a\n\nimport "m/b"\n\nvar _ = <|>b.N\n',
    }
    after = renamed(files, "c")
    assert after["a/a.go"] == 'package a\n\nimport c "m/b"\n\nvar _ = c.N\n'
    files["a/a.go"] = after["a/a.go"].replace("c.N", "<|>c.N")
    assert renamed(files, "b")["a/a.go"] == 'package a\n\nimport "m/b"\n\nvar _ = b.N\n'


def test_all_receivers_of_a_type_when_one_is_renamed_where_it_is_declared() -> None:
    files = {
        "a.go": "package a\n\ntype T int\n\nfunc (<|>x T) A() { _ = x }\nfunc (y *T) B() { _ = y }\n"
        "func (_ T) C() {}\n"
    }
    assert renamed(files, "t") == {
        "a.go": "package a\n\ntype T int\n\nfunc (t T) A() { _ = t }\nfunc (t *T) B() { _ = t }\n"
        "func (_ T) C() {}\n"
    }


def test_a_package_moves_with_its_folder() -> None:
    files = {
        "go.mod": "module m\n",
        "old/a.go": "package <|>old\n\nfunc F() {}\n",
        "use/u.go": 'package use\n\nimport "m/old"\n\nfunc f() { old.F() }\n',
    }
    assert renamed_package(files, "fresh") == {
        "go.mod": "module m\n",
        "fresh/a.go": "package fresh\n\nfunc F() {}\n",
        "use/u.go": 'package use\n\nimport "m/fresh"\n\nfunc f() { fresh.F() }\n',
    }


def renamed_package(files: dict[str, str], new: str) -> dict[str, str]:
    resolver, path, offset, plain = opened(files)
    assert isinstance(resolver, GoResolver)
    symbol = resolver.symbol_here(path, offset)
    assert symbol is not None
    return applied(plain, resolver.rename(symbol, new))


def test_unknown_operands_are_uncertain() -> None:
    files = {"a.go": "package a\n\ntype T struct{ <|>n int }\n\nfunc f(t T) { _ = t.n; _ = mystery().n }\n"}
    made = renaming(files, "m")
    assert len(made.uncertain) == 1
    assert not made.uncertain[0].certain
    assert renamed(files, "m")["a.go"].endswith("{ _ = t.m; _ = mystery().n }\n")


REFUSED = [
    ("same block", "y", "func f() { <|>x := 1; y := 2; _, _ = x, y }", "same block"),
    ("shadowed at a use", "y", "func <|>g() {}\nfunc f() { y := 1; g(); _ = y }", "shadowed"),
    ("captures a use", "y", "var y = 1\nfunc f() { <|>x := 2; _, _ = x, y }", "would shadow"),
    ("captures a predeclared name", "len", "func f(<|>x []int) int { return len(x) }", "would shadow"),
    ("field of the name", "b", "type T struct { <|>a, b int }", "has one already"),
    ("method of the name", "B", "type T int\nfunc (T) <|>A() {}\nfunc (T) B() {}", "has one already"),
    ("keyword", "range", "var <|>x = 1", "identifier"),
    (
        "implements an interface",
        "N",
        "type I interface { M() }\ntype T int\nfunc (T) <|>M() {}",
        "assignable to interface",
    ),
    ("main", "start", "func <|>main() {}", "runtime"),
    ("broken file", "y", "var <|>x = 1\nfunc (", "syntax errors"),
]


@pytest.mark.parametrize(("new", "before", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(new: str, before: str, message: str) -> None:
    with pytest.raises(EditRefused, match=message):
        renaming({"a.go": f"package a\n\n{before}\n"}, new)


def test_a_name_used_by_other_packages_stays_exported() -> None:
    with pytest.raises(EditRefused, match="unexported"):
        renaming(PACKAGES, "open")


def test_capture_may_be_allowed() -> None:
    files = {"a.go": "package a\n\nfunc f() { <|>x := 1; y := 2; _, _ = x, y }\n"}
    assert "y := 1" in renamed(files, "y", RenameOptions(allow_capture=True))["a.go"]
