"""Renames in Rust: modules, fields, traits, locals, lifetimes, macros, and what is refused."""

from __future__ import annotations

import pytest
from tests.code.renames import applied, opened, renamed, renaming

from forgewright.code.rust.resolver import RustResolver
from forgewright.core.errors import EditRefused

ONE_FILE = [
    (
        "a local is visible after its let",
        "n",
        "fn f(x: i32) { let <|>x = x + 1; { let x = x; g(x); } g(x) }",
        "fn f(x: i32) { let n = x + 1; { let x = n; g(x); } g(n) }",
    ),
    (
        "closure parameters shadow",
        "n",
        "fn f() { let <|>x = 1; let g = |x: i32| x + 1; g(x); }",
        "fn f() { let n = 1; let g = |x: i32| x + 1; g(n); }",
    ),
    (
        "if let and match bind for their own arm",
        "inner",
        "fn f(o: Option<i32>) { if let Some(<|>v) = o { g(v) } else { g(v) }; "
        "match o { Some(v) => g(v), _ => {} } }",
        "fn f(o: Option<i32>) { if let Some(inner) = o { g(inner) } else { g(v) }; "
        "match o { Some(v) => g(v), _ => {} } }",
    ),
    (
        "field in literals, patterns and accesses",
        "width",
        "struct B { <|>w: i32 }\n"
        "impl B { fn new(w: i32) -> Self { Self { w } } fn get(&self) -> i32 { self.w } }\n"
        'fn f(b: &B) { let B { w } = b; g(w); let c = B::new(1); c.w; println!("{}", b.w); '
        "for x in vec![c].iter() { x.w; } }",
        "struct B { width: i32 }\n"
        "impl B { fn new(w: i32) -> Self { Self { width: w } } fn get(&self) -> i32 { self.width } }\n"
        'fn f(b: &B) { let B { width: w } = b; g(w); let c = B::new(1); c.width; println!("{}", b.width); '
        "for x in vec![c].iter() { x.width; } }",
    ),
    (
        "a local that comes to be called like the field",
        "w",
        "struct B { w: i32 }\nfn f(<|>width: i32) -> B { B { w: width } }",
        "struct B { w: i32 }\nfn f(w: i32) -> B { B { w } }",
    ),
    (
        "trait method with its implementations and calls",
        "paint",
        "trait Draw { fn <|>draw(&self); }\nstruct A;\nimpl Draw for A { fn draw(&self) {} }\n"
        "struct O;\nimpl O { fn draw(&self) {} }\n"
        "fn f<T: Draw>(t: T, a: A, o: O) { t.draw(); a.draw(); o.draw(); A::draw(&a); "
        "<A as Draw>::draw(&a); }",
        "trait Draw { fn paint(&self); }\nstruct A;\nimpl Draw for A { fn paint(&self) {} }\n"
        "struct O;\nimpl O { fn draw(&self) {} }\n"
        "fn f<T: Draw>(t: T, a: A, o: O) { t.paint(); a.paint(); o.draw(); A::paint(&a); "
        "<A as Draw>::paint(&a); }",
    ),
    (
        "enum variant by all its paths",
        "Off",
        "enum S { <|>No, Yes(u8) }\nuse S::No as Nope;\n"
        "impl S { fn f(&self) { match self { Self::No => {}, S::Yes(_) => {} } } }\n"
        "fn g() { use self::S::*; let a = No; let b = Nope; }",
        "enum S { Off, Yes(u8) }\nuse S::Off as Nope;\n"
        "impl S { fn f(&self) { match self { Self::Off => {}, S::Yes(_) => {} } } }\n"
        "fn g() { use self::S::*; let a = Off; let b = Nope; }",
    ),
    (
        "lifetime",
        "'input",
        "struct P<'<|>a> { s: &'a str }\n"
        "impl<'a> P<'a> { fn f<'b>(&'a self, o: &'b str) -> &'a str { self.s } }",
        "struct P<'input> { s: &'input str }\n"
        "impl<'a> P<'a> { fn f<'b>(&'a self, o: &'b str) -> &'a str { self.s } }",
    ),
    (
        "label",
        "'outer",
        "fn f() { 'a: loop { '<|>b: loop { break 'a; continue 'b; } } }",
        "fn f() { 'a: loop { 'outer: loop { break 'a; continue 'outer; } } }",
    ),
    (
        "arguments of macros and names in format strings",
        "who",
        'fn f() { let <|>name = "x"; println!("{name} {name:?} {{name}} {}", name); '
        'assert_eq!(name, "name"); }',
        'fn f() { let who = "x"; println!("{who} {who:?} {{name}} {}", who); assert_eq!(who, "name"); }',
    ),
    (
        "type parameter",
        "Item",
        "fn f<<|>T: Clone>(x: T) -> Vec<T> where T: Copy { let y: T = x; vec![y] }\nstruct T;",
        "fn f<Item: Clone>(x: Item) -> Vec<Item> where Item: Copy { let y: Item = x; vec![y] }\nstruct T;",
    ),
    (
        "an alias alone",
        "Loader",
        "mod m { pub struct Reader; }\nuse m::Reader as <|>R;\nfn f(r: R) -> m::Reader { r }",
        "mod m { pub struct Reader; }\nuse m::Reader as Loader;\nfn f(r: Loader) -> m::Reader { r }",
    ),
    (
        "a parameter becomes self",
        "self",
        "struct A { n: i32 }\nimpl A { fn get(<|>a: &A) -> i32 { a.n } }\nfn f(a: A) { A::get(&a); }",
        "struct A { n: i32 }\nimpl A { fn get(&self) -> i32 { self.n } }\nfn f(a: A) { a.get(); }",
    ),
    (
        "self becomes a parameter",
        "a",
        "struct A { n: i32 }\nimpl A { fn get(&<|>self) -> i32 { self.n } }\nfn f(x: A) { x.get(); }",
        "struct A { n: i32 }\nimpl A { fn get(a: &Self) -> i32 { a.n } }\nfn f(x: A) { A::get(&x); }",
    ),
    (
        "an elided lifetime gets a name",
        "a",
        "fn f(x: &'<|>_ str) {}",
        "fn f<'a>(x: &'a str) {}",
    ),
]


@pytest.mark.parametrize(("new", "before", "after"), [c[1:] for c in ONE_FILE], ids=[c[0] for c in ONE_FILE])
def test_one_file(new: str, before: str, after: str) -> None:
    assert here({"lib.rs": before}, new) == {"lib.rs": after}


def here(files: dict[str, str], new: str) -> dict[str, str]:
    resolver, path, offset, plain = opened(files)
    assert isinstance(resolver, RustResolver)
    symbol = resolver.symbol_here(path, offset)
    assert symbol is not None
    return applied(plain, resolver.rename(symbol, new))


CRATE = {
    "src/lib.rs": "mod store;\npub mod app;\npub use store::open as connect;\n",
    "src/store.rs": "pub mod disk;\npub fn <|>open() -> disk::Disk { disk::Disk { path: 1 } }\n",
    "src/store/disk.rs": "use super::open;\npub struct Disk { pub path: i32 }\npub fn again() { open(); }\n",
    "src/app.rs": "use crate::store::{self, disk::Disk, open};\n"
    "fn f() { open(); store::open().path; crate::connect(); self::open(); }\nfn other(open: i32) { open; }\n",
}


def test_a_function_across_modules() -> None:
    after = renamed(CRATE, "load")
    assert after["src/lib.rs"].endswith("pub use store::load as connect;\n")
    assert after["src/store/disk.rs"].startswith("use super::load;\n")
    assert "pub fn again() { load(); }" in after["src/store/disk.rs"]
    assert after["src/app.rs"] == (
        "use crate::store::{self, disk::Disk, load};\n"
        "fn f() { load(); store::load().path; crate::connect(); self::load(); }\n"
        "fn other(open: i32) { open; }\n"
    )


def test_a_module_moves_with_its_files() -> None:
    files = {path: text.replace("<|>", "") for path, text in CRATE.items()}
    files["src/lib.rs"] = files["src/lib.rs"].replace("mod store", "mod <|>store")
    after = renamed(files, "files")
    assert set(after) == {"src/lib.rs", "src/files.rs", "src/files/disk.rs", "src/app.rs"}
    assert after["src/lib.rs"] == "mod files;\npub mod app;\npub use files::open as connect;\n"
    assert after["src/app.rs"].startswith(
        "use crate::files::{self, disk::Disk, open};\nfn f() { open(); files::open()"
    )


def test_unknown_receivers_are_uncertain() -> None:
    files = {"lib.rs": "struct A;\nimpl A { fn <|>go(&self) {} }\nfn f(a: A) { a.go(); mystery().go(); }\n"}
    made = renaming(files, "run")
    assert len(made.uncertain) == 1
    assert renamed(files, "run")["lib.rs"].endswith("fn f(a: A) { a.run(); mystery().go(); }\n")


REFUSED = [
    ("item of the name", "b", "fn <|>a() {}\nfn b() {}", "already declared"),
    ("field of the name", "b", "struct S { <|>a: i32, b: i32 }", "already has"),
    ("shadowed at a use", "y", "fn f(<|>x: i32) { let y = 1; x + y; }", "would then mean"),
    ("keyword", "match", "fn <|>a() {}", "Invalid name"),
    (
        "a trait that is not the project's",
        "show",
        "impl std::fmt::Display for S { fn <|>fmt(&self) {} }\nstruct S;",
        "non-local",
    ),
    ("the underscore, used twice", "_", "fn f(<|>x: i32) { x; }", "multiple times"),
    ("self in a free function", "self", "fn f(<|>x: i32) {}", "free function"),
    ("self of another type", "self", "struct S;\nimpl S { fn f(<|>x: i32) {} }", "differs"),
]


@pytest.mark.parametrize(("new", "before", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(new: str, before: str, message: str) -> None:
    with pytest.raises(EditRefused, match=message):
        renaming({"lib.rs": before}, new)
