"""Parameters of Go, Rust and Java: the declarations that belong together change, and all calls follow."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import pytest

from forgewright.code.languages import RESOLVERS, language_of
from forgewright.code.positional.change import Change, Signature, adding, probe, removing, reordering
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import EditRefused

GO = {
    "go.mod": "module example.com/app\n\ngo 1.22\n",
    "util/u.go": (
        "package util\n\ntype Shape interface {\n\tArea(scale int) int\n}\n\ntype Box struct{ w, h int }\n\n"
        "func (b Box) Area(scale int) int { return b.w * scale }\n\nfunc Total(a, b int, rest ...int) int { return b }\n\n"
        'func (b Box) String() string { return "box" }\n'
    ),
    "main.go": (
        'package main\n\nimport "example.com/app/util"\n\nfunc show(s util.Shape) int { return s.Area(2) }\n\n'
        "func main() { show(util.Box{}); util.Total(1, 2, 3, 4); util.Total(make(1), 2) }\n\n"
        "func make(n int) int { return n }\n"
    ),
}
RUST = {
    "l.rs": (
        "trait S { fn area(&self, k: i32) -> i32; }\nstruct B;\nimpl S for B { fn area(&self, k: i32) -> i32 { k } }\n"
        "fn free(a: i32, b: i32) -> i32 { a + b }\n"
        'fn main() { let b = B; println!("{}", b.area(1)); S::area(&b, 2); assert_eq!(free(1, b.area(3)), 4); }\n'
    )
}
JAVA = {
    "A.java": (
        "interface S { int area(int k); }\nclass B implements S {\n  public int area(int k) { return k; }\n"
        "  static int total(int a, int... b) { return a; }\n  int one(int a) { return a; }\n  int one(long a) { return 1; }\n"
        "  @Override public boolean accepts(Object o) { return true; }\n"
        "  void go(S s) { s.area(1); total(1); B.total(2, 3, 4); }\n}\n"
    )
}


def changed(files: Mapping[str, str], place: str, change: Change) -> dict[str, str]:
    """`place`: a file and the text that its function's name begins."""
    path, _, name = place.partition("::")
    project = MemoryProject({path: text.encode() for path, text in files.items()})
    resolver = import_module(RESOLVERS[language_of(path)]).make(project)
    symbol = resolver.symbol_at(path, files[path].index(name))
    assert symbol is not None
    after = dict(files)
    found = resolver.rename(symbol, probe(symbol))
    for splice in sorted(Signature(project, symbol, found).plan(change), reverse=True):
        data = after[splice.path].encode()
        after[splice.path] = (data[: splice.start] + splice.text + data[splice.end :]).decode()
    return after


@pytest.mark.parametrize(
    ("files", "place", "change", "lines"),
    [
        (GO, "util/u.go::Area", adding("u", "string", '"m"', None), ["Area(scale int, u string)", 's.Area(2, "m")']),
        (GO, "util/u.go::Area", adding("u", "string", '"m"', 0), ["Area(u string, scale int)", 's.Area("m", 2)']),
        (
            GO,
            "util/u.go::Total",
            adding("c", "int", "0", None),
            ["Total(a int, b int, c int, rest ...int)", "Total(1, 2, 0, 3, 4)", "Total(make(1), 2, 0)"],
        ),
        (
            GO,
            "util/u.go::Total",
            reordering(["b", "a"]),
            ["Total(b int, a int, rest ...int)", "Total(2, 1, 3, 4)", "Total(2, make(1))"],
        ),
        (RUST, "l.rs::area", adding("u", "i32", "7", 1), ["area(&self, u: i32, k: i32)", "b.area(7, 1)", "S::area(&b, 7, 2)"]),
        (RUST, "l.rs::free", reordering(["b", "a"]), ["free(b: i32, a: i32)", "assert_eq!(free(b.area(3), 1), 4)"]),
        (JAVA, "A.java::area", adding("u", "String", "null", 0), ["(String u, int k);", "(String u, int k) {", "area(null, 1)"]),
        (JAVA, "A.java::total", removing("b"), ["total(int a)", "total(1)", "B.total(2)"]),
    ],
)  # fmt: skip
def test_changes(files: Mapping[str, str], place: str, change: Change, lines: list[str]) -> None:
    after = changed(files, place, change)
    for line in lines:
        assert line in "".join(after.values())


@pytest.mark.parametrize(
    ("files", "place", "change", "why"),
    [
        (GO, "util/u.go::Area", removing("scale"), "scale is still used at util/u.go:9:"),
        (GO, "util/u.go::Area", adding("b", "int", "1", None), "b already means something"),
        (GO, "util/u.go::Total", removing("a"), "does something, and would no longer be computed"),
        (GO, "util/u.go::Total", adding("c", "int", "0", 3), "nothing can stand behind a variadic parameter"),
        (GO, "util/u.go::Total", adding("c", "int", None, None), "has nothing to pass for c"),
        (GO, "util/u.go::Total", adding("b", "int", "0", 0), "b already means something"),
        (GO, "main.go::main() {", adding("c", "int", "0", None), "called by the Go runtime"),
        (GO, "util/u.go::String", adding("c", "int", "0", None), "may be called from outside"),
        (RUST, "l.rs::free", removing("c"), "there is no parameter c"),
        (RUST, "l.rs::area", adding("u", "i32", "7", 0), "there is no place 0"),
        (JAVA, "A.java::one", removing("a"), "overloaded"),
        (JAVA, "A.java::accepts", adding("u", "int", "0", None), "not in this project"),
        (JAVA, "A.java::total", reordering(["x"]), "the new order names other parameters"),
    ],
)
def test_refusals(files: Mapping[str, str], place: str, change: Change, why: str) -> None:
    with pytest.raises(EditRefused, match=why.replace("(", r"\(")):
        changed(files, place, change)


def test_a_function_that_is_a_value_is_left_alone() -> None:
    files = {**GO, "main.go": GO["main.go"] + "\nvar f = util.Total\n"}
    with pytest.raises(EditRefused, match=r"used as a value at main.go:\d+"):
        changed(files, "util/u.go::Total", removing("rest"))


def test_a_call_that_may_be_one_of_it_is_a_refusal() -> None:
    files = {**GO, "main.go": GO["main.go"] + "\nfunc g() { unknown().Area(1) }\n"}
    with pytest.raises(EditRefused, match=r"not known whether main.go:\d+:\d+ calls it"):
        changed(files, "util/u.go::Area", adding("u", "int", "0", None))


def test_a_type_is_always_given() -> None:
    with pytest.raises(EditRefused, match="has no type"):
        adding("x", "", "1", None)
