"""Renames in Java: locals, members, overrides, overloads, records, enums, types and files, and what is refused."""

from __future__ import annotations

import pytest
from tests.code.renames import renamed, renaming

from forgewright.code.binding import RenameOptions
from forgewright.core.errors import EditRefused

ONE_FILE = [
    (
        "a local shadows a field",
        "n",
        "class A { int x; int f() { int <|>x = this.x; { x++; } return x + new A().x; } int g() { return x; } }",
        "class A { int x; int f() { int n = this.x; { n++; } return n + new A().x; } int g() { return x; } }",
    ),
    (
        "a field, with and without this",
        "size",
        "class A { private int <|>x; A(int x) { this.x = x; } int f() { return x + this.x; } }",
        "class A { private int size; A(int x) { this.size = x; } int f() { return size + this.size; } }",
    ),
    (
        "a parameter in a lambda, an anonymous class and a nested one",
        "item",
        "class A { Runnable f(String <|>s) { return () -> { new Object() { String t = s; }; class B { String s; "
        "String u = s; } }; } }",
        "class A { Runnable f(String item) { return () -> { new Object() { String t = item; }; class B { String s; "
        "String u = s; } }; } }",
    ),
    (
        "lambda parameters",
        "each",
        "class A { void f(java.util.List<A> l, A a) { l.forEach(<|>x -> x.g(x)); l.forEach(x -> x.g(a)); } void g(A x) {} }",
        "class A { void f(java.util.List<A> l, A a) { l.forEach(each -> each.g(each)); l.forEach(x -> x.g(a)); } "
        "void g(A x) {} }",
    ),
    (
        "a pattern's variable",
        "text",
        "class A { int f(Object o) { if (o instanceof String <|>s && s.isEmpty()) return s.length(); String s = null; "
        "return s == null ? 0 : 1; } }",
        "class A { int f(Object o) { if (o instanceof String text && text.isEmpty()) return text.length(); "
        "String s = null; return s == null ? 0 : 1; } }",
    ),
    (
        "a negated pattern's variable is known after it",
        "text",
        "class A { int f(Object o) { if (!(o instanceof String <|>s)) return 0; return s.length(); } }",
        "class A { int f(Object o) { if (!(o instanceof String text)) return 0; return text.length(); } }",
    ),
    (
        "for, enhanced for, resources and catch",
        "v",
        "class A { void f(int[] a) throws Exception { for (int x : a) g(x); for (int <|>x = 0; x < 3; x++) g(x); "
        "try (AutoCloseable x = null) { g(1); } catch (Exception x) { throw x; } } void g(int x) {} }",
        "class A { void f(int[] a) throws Exception { for (int x : a) g(x); for (int v = 0; v < 3; v++) g(v); "
        "try (AutoCloseable x = null) { g(1); } catch (Exception x) { throw x; } } void g(int x) {} }",
    ),
    (
        "labels",
        "outer",
        "class A { void f() { <|>a: while (true) { b: for (;;) { if (g()) break a; continue b; } } } boolean g() "
        "{ return true; } }",
        "class A { void f() { outer: while (true) { b: for (;;) { if (g()) break outer; continue b; } } } boolean g() "
        "{ return true; } }",
    ),
    (
        "an overload by the number of arguments",
        "put",
        "class A { void <|>add(int x) { add(x, 1); } void add(int x, int y) { add(x); this.add(1, 2); } }",
        "class A { void put(int x) { add(x, 1); } void add(int x, int y) { put(x); this.add(1, 2); } }",
    ),
    (
        "an overload by the types of arguments",
        "put",
        'class A { void <|>add(String x) {} void add(int x) {} void f(String s) { add("x"); add(1); add(s); add(2 + 3); } }',
        'class A { void put(String x) {} void add(int x) {} void f(String s) { put("x"); add(1); put(s); add(2 + 3); } }',
    ),
    (
        "a method's overrides, and calls through the interface",
        "area",
        "interface S { double <|>size(); }\nclass Q implements S { public double size() { return 1; } }\n"
        "class R extends Q { @Override public double size() { return super.size(); } double size(int n) { return n; } }\n"
        "class U { double f(S s, R r) { return s.size() + r.size() + r.size(1); } int size() { return 0; } }",
        "interface S { double area(); }\nclass Q implements S { public double area() { return 1; } }\n"
        "class R extends Q { @Override public double area() { return super.area(); } double size(int n) { return n; } }\n"
        "class U { double f(S s, R r) { return s.area() + r.area() + r.size(1); } int size() { return 0; } }",
    ),
    (
        "two supertypes that meet in a class below",
        "go",
        "interface I { void <|>run(); }\nclass A { public void run() {} }\nclass B extends A implements I {}\n"
        "class C { void f(A a) { a.run(); Runnable r = a::run; } }",
        "interface I { void go(); }\nclass A { public void go() {} }\nclass B extends A implements I {}\n"
        "class C { void f(A a) { a.go(); Runnable r = a::go; } }",
    ),
    (
        "a generic method that is overridden with a type in its place",
        "accept",
        "interface H<T> { void <|>handle(T t); }\nclass S implements H<String> { public void handle(String t) {} }\n"
        "class U { void f(H<String> h, S s) { h.handle(null); s.handle(null); } }",
        "interface H<T> { void accept(T t); }\nclass S implements H<String> { public void accept(String t) {} }\n"
        "class U { void f(H<String> h, S s) { h.accept(null); s.accept(null); } }",
    ),
    (
        "an enum's constant",
        "RUBY",
        "enum E { <|>RED, BLUE { int n() { return RED.ordinal(); } }; static E first = RED; }\n"
        "class U { int f(E e) { switch (e) { case RED: return 1; default: return E.RED.ordinal(); } } }",
        "enum E { RUBY, BLUE { int n() { return RUBY.ordinal(); } }; static E first = RUBY; }\n"
        "class U { int f(E e) { switch (e) { case RUBY: return 1; default: return E.RUBY.ordinal(); } } }",
    ),
    (
        "a record's component: its field, its accessor, its place in the compact constructor",
        "width",
        "record R(int <|>w, int h) { R { if (w < 0) throw new Error(); } int area() { return w * h(); } "
        "public int w() { return w; } }\nclass U { int f(R r) { return r.w() + r.h(); } }",
        "record R(int width, int h) { R { if (width < 0) throw new Error(); } int area() { return width * h(); } "
        "public int width() { return width; } }\nclass U { int f(R r) { return r.width() + r.h(); } }",
    ),
    (
        "a class, its constructors and every use",
        "Shape",
        "class <|>Box<T> extends Object { Box() {} Box(Box<T> other) { this(); } static Box<String> of() "
        "{ return new Box<>(); } class In {} Box<T>.In in; Class<?> c = Box.class; boolean b = of() instanceof Box; "
        "java.util.function.Supplier<Box<T>> s = Box::new; }",
        "class Shape<T> extends Object { Shape() {} Shape(Shape<T> other) { this(); } static Shape<String> of() "
        "{ return new Shape<>(); } class In {} Shape<T>.In in; Class<?> c = Shape.class; boolean b = of() instanceof "
        "Shape; java.util.function.Supplier<Shape<T>> s = Shape::new; }",
    ),
    (
        "a type parameter",
        "K",
        "class A<<|>T extends Comparable<T>> { T t; <T> T f(T x) { return x; } A<T> g(T y) { return this; } }",
        "class A<K extends Comparable<K>> { K t; <T> T f(T x) { return x; } A<K> g(K y) { return this; } }",
    ),
    (
        "an annotation's element",
        "key",
        '@interface N { String <|>name() default ""; }\n@N(name = "x") class A { String name; }',
        '@interface N { String key() default ""; }\n@N(key = "x") class A { String name; }',
    ),
    (
        "what inference tells: var, chains, arrays, casts, containers",
        "title",
        "import java.util.*;\nclass P { String <|>name() { return null; } P self() { return this; } }\n"
        "class Q { String name() { return null; } }\n"
        "class U { void f(List<P> l, Map<String, P> m, P[] a, Object o, Q q) { var p = new P(); p.name(); "
        'p.self().self().name(); a[0].name(); ((P) o).name(); l.get(0).name(); m.get("x").name(); '
        "for (var x : l) x.name(); for (P y : a) y.name(); l.stream().filter(z -> z.name() != null).findFirst().get()"
        ".name(); m.forEach((k, v) -> v.name()); l.forEach(P::name); q.name(); } }",
        "import java.util.*;\nclass P { String title() { return null; } P self() { return this; } }\n"
        "class Q { String name() { return null; } }\n"
        "class U { void f(List<P> l, Map<String, P> m, P[] a, Object o, Q q) { var p = new P(); p.title(); "
        'p.self().self().title(); a[0].title(); ((P) o).title(); l.get(0).title(); m.get("x").title(); '
        "for (var x : l) x.title(); for (P y : a) y.title(); l.stream().filter(z -> z.title() != null).findFirst().get()"
        ".title(); m.forEach((k, v) -> v.title()); l.forEach(P::title); q.name(); } }",
    ),
]


@pytest.mark.parametrize(
    ("new", "before", "after"), [case[1:] for case in ONE_FILE], ids=[c[0] for c in ONE_FILE]
)
def test_one_file(new: str, before: str, after: str) -> None:
    assert renamed({"A.java": before}, new)["A.java"] == after


def test_a_public_class_takes_its_file_along_and_imports_follow() -> None:
    files = {
        "src/a/Box.java": "package a;\npublic class <|>Box { public static final int MAX = 1; public static class In {} }\n",
        "src/a/Same.java": "package a;\nclass Same { Box b; Box.In i; }\n",
        "src/b/Use.java": "package b;\nimport a.Box;\nimport a.Box.In;\nimport static a.Box.MAX;\n"
        "class Use { Box b = new Box(); a.Box c; In i; int m = MAX + Box.MAX; }\n",
        "src/b/All.java": "package b;\nimport a.*;\nclass All { Box b; }\n",
        "src/c/Other.java": "package c;\nclass Box {}\nclass Other { Box b; }\n",
    }
    after = renamed(files, "Crate")
    assert "src/a/Box.java" not in after
    assert after["src/a/Crate.java"].startswith("package a;\npublic class Crate {")
    assert after["src/a/Same.java"] == "package a;\nclass Same { Crate b; Crate.In i; }\n"
    assert after["src/b/Use.java"] == (
        "package b;\nimport a.Crate;\nimport a.Crate.In;\nimport static a.Crate.MAX;\n"
        "class Use { Crate b = new Crate(); a.Crate c; In i; int m = MAX + Crate.MAX; }\n"
    )
    assert after["src/b/All.java"] == "package b;\nimport a.*;\nclass All { Crate b; }\n"
    assert after["src/c/Other.java"] == files["src/c/Other.java"]


def test_static_imports_of_members_follow() -> None:
    files = {
        "a/M.java": "package a;\npublic class M { public static int <|>twice(int x) { return 2 * x; } }\n",
        "b/U.java": "package b;\nimport static a.M.twice;\nclass U { int n = twice(1) + a.M.twice(2); }\n",
        "b/V.java": "package b;\nimport static a.M.*;\nclass V { int n = twice(1); }\n",
    }
    after = renamed(files, "doubled")
    assert "import static a.M.doubled;\nclass U { int n = doubled(1) + a.M.doubled(2); }" in after["b/U.java"]
    assert "int n = doubled(1);" in after["b/V.java"]


def test_what_is_not_known_is_listed_and_left_alone() -> None:
    files = {
        "P.java": "class P { void <|>close() {} }\n",
        "U.java": "class U { void f(Unseen u, P p) { u.make().close(); p.close(); u.close(); g(x -> x.close()); } }\n",
    }
    made = renaming(files, "end")
    assert [(o.path, o.note) for o in made.uncertain] == [
        ("U.java", "the type of what it belongs to is not known")
    ]
    after = renamed(files, "end")["U.java"]
    assert "p.end();" in after
    assert "u.close();" in after
    assert renamed(files, "end", RenameOptions(uncertain=True))["U.java"].count("end()") == 2


REFUSED = [
    ("no identifier", "class", "class A { int <|>x; }", "expected a Java identifier"),
    ("a field of that name", "y", "class A { int <|>x; int y; }", "already has a field y"),
    (
        "a field of that name below",
        "y",
        "class A { int <|>x; }\nclass B extends A { int y; }",
        "already has a field y",
    ),
    ("a local of that name", "y", "class A { void f() { int <|>x = 1; int y = 2; } }", "already declared"),
    (
        "a local of that name around",
        "y",
        "class A { void f(int y) { { int <|>x = 1; } } }",
        "already declared",
    ),
    (
        "a local that would capture",
        "y",
        "class A { int y; int f() { int <|>x = 1; return y; } }",
        "would mean what is renamed",
    ),
    (
        "a field captured by a local",
        "y",
        "class A { int <|>x; int f(int y) { return x; } }",
        "means something else",
    ),
    (
        "a method of that signature",
        "g",
        "class A { void <|>f(int a) {} void g(int b) {} }",
        "already has a method g",
    ),
    (
        "a method of every object",
        "same",
        "class A { public boolean <|>equals(Object o) { return true; } }",
        "every object",
    ),
    (
        "a method from outside",
        "go",
        "class A implements Runnable { @Override public void <|>run() {} }",
        "outside of the project",
    ),
    ("a type of that name", "B", "class <|>A {}\nclass B {}", "already has a type B"),
    ("a broken file", "y", "class A { int <|>x; void f( { }", "syntax errors"),
]


@pytest.mark.parametrize(
    ("new", "before", "reason"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_what_would_break_is_refused(new: str, before: str, reason: str) -> None:
    with pytest.raises(EditRefused, match=reason):
        renaming({"A.java": before}, new)
