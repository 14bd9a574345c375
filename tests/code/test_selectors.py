"""What each form of a selector names, in several languages."""

from __future__ import annotations

import pytest

from forgewright.code.scene import Stage
from forgewright.code.selectors.select import select
from forgewright.code.sources import MemoryProject
from forgewright.code.syntax.diagnostics import SelectorError

PYTHON = '''\
"""Doc."""
import os.path
from app.util import fetch as load

LIMIT = 10


@cached
def area(width, height=2, *rest, key: int, **more):
    """Area."""
    total = width * height
    if total > LIMIT:
        print(os.path.join("a", "b"))
        return total
    return [x for x in rest]


class Cache(Base):
    size: int = 0

    def get(self, key):
        def inner():
            return self.data.get(key)

        return inner()

    @property
    def full(self):
        raise ValueError("no")
'''
TYPESCRIPT = """\
import { a } from './a'
export interface Shape { area(): number; name?: string }
export class Box<T> implements Shape {
  private size = 1
  area(): number { return this.size * 2 }
}
export const make = (n: number, ...rest: string[]) => new Box()
enum Color { Red, Green }
type Name = string | null
"""
GO = """\
package p

import "fmt"

type Box struct{ size int }
type Shape interface{ Area() int }

func (b *Box) Area() int { return b.size }
func main() { fmt.Println(1) }
"""
RUST = """\
use std::fmt;
struct Box { size: u32 }
trait Shape { fn area(&self) -> u32; }
impl Shape for Box { fn area(&self) -> u32 { self.size } }
fn main() { println!("{}", 1); }
"""
JAVA = """\
import java.util.List;
public class Box implements Shape {
  private int size = 1;
  public int area(int by) { return size * by; }
}
"""
FILES = {"a.py": PYTHON, "b.ts": TYPESCRIPT, "c.go": GO, "d.rs": RUST, "E.java": JAVA, "t.md": "# no code"}


def names(selector: str, within: str | None = None) -> list[str]:
    return [f"{m.path}:{m.name}" for m in select(MemoryProject(FILES), selector, within)]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("a.py::function", ["a.py:area", "a.py:inner"]),
        ("a.py::method", ["a.py:get", "a.py:full"]),
        ("a.py::callable", ["a.py:area", "a.py:get", "a.py:inner", "a.py:full"]),
        ("class", ["E.java:Box", "a.py:Cache", "b.ts:Box", "c.go:Box", "d.rs:Box"]),
        ("interface", ["b.ts:Shape", "c.go:Shape", "d.rs:Shape"]),
        ("b.ts::enum, type", None),
        ("b.ts::function", ["b.ts:make"]),
        ("c.go::method", ["c.go:Area", "c.go:Area"]),
        ("d.rs::method", ["d.rs:area", "d.rs:area"]),
        ("E.java::method > parameter", ["E.java:by"]),
        (
            "a.py::parameter",
            [
                "a.py:width",
                "a.py:height",
                "a.py:rest",
                "a.py:key",
                "a.py:more",
                "a.py:self",
                "a.py:key",
                "a.py:self",
            ],
        ),
        ("a.py::parameter[index=1]", ["a.py:height", "a.py:key"]),
        ("a.py::variable", ["a.py:LIMIT", "a.py:total"]),
        ("a.py::field", ["a.py:size"]),
        ("a.py::class#Cache > method", ["a.py:get", "a.py:full"]),
        ("a.py::class#Cache function", ["a.py:inner"]),
        ("#Cache.get", ["a.py:get"]),
        ("#area", ["E.java:area", "a.py:area", "b.ts:area", "b.ts:area", "d.rs:area", "d.rs:area"]),
        ("a.py::call[name=join]", ["a.py:join"]),
        ("a.py::call[function=os.path.join]", ["a.py:join"]),
        ("a.py::function:has(return):not([name=inner])", ["a.py:area"]),
        ("a.py::function:has(> if)", ["a.py:area"]),
        ("a.py::function:has(> call)", []),
        ("a.py::return:inside(function#inner)", None),
        ("a.py::import[name=fetch]", ["a.py:app.util"]),
        ("a.py::import[name='app.util']", ["a.py:app.util"]),
        ("a.py::callable[name^=in]", ["a.py:inner"]),
        ("a.py::callable[name~='^(get|full)$']", ["a.py:get", "a.py:full"]),
        ("a.py::callable[name*=re]", ["a.py:area"]),
        ("a.py::callable[name$=t]", ["a.py:get"]),
        ("a.py::callable[name!=area]:first", ["a.py:get"]),
        ("a.py::callable:last", ["a.py:full"]),
        ("a.py::callable:nth(2)", ["a.py:get"]),
        ("a.py::callable:nth(-2)", ["a.py:inner"]),
        ("a.py::decorator", ["a.py:cached", "a.py:property"]),
        ("a.py::docstring", None),
        ("a.py::function_definition[return_type]", []),
        ("a.py::`print($X)`", ["a.py:print"]),
        ("a.py::function:has(`print($$$)`)", ["a.py:area"]),
        ("*.{ts,java}::method", ["E.java:area", "b.ts:area", "b.ts:area"]),
        ("#Shape.Area", ["c.go:Area"]),
        ("#Box.Area", ["c.go:Area"]),
        ("t.md::*", []),
        ("a.py::if + return", None),
        ("a.py::nonsense_of_no_grammar", SelectorError),
        ("a.py::function[", SelectorError),
        ("a.py::function:foo()", SelectorError),
        ("a.py::function >", SelectorError),
        ("", SelectorError),
    ],
)
def test_selector(selector: str, found: list[str] | type[SelectorError] | None) -> None:
    if found is SelectorError:
        with pytest.raises(SelectorError):
            names(selector)
    elif found is None:
        assert names(selector)
    else:
        assert names(selector) == found


@pytest.mark.parametrize(
    ("place", "node_type", "name"),
    [
        ("a.py:5", "expression_statement", "LIMIT"),
        ("a.py:9", "function_definition", "area"),
        ("a.py:8", "function_definition", "area"),
        ("a.py:13", "expression_statement", "join"),
        ("a.py:9:5", "identifier", "area"),
        ("a.py:18:7", "identifier", "Cache"),
        ("b.ts:5:3", "property_identifier", "area"),
    ],
)
def test_places(place: str, node_type: str, name: str) -> None:
    (match,) = select(MemoryProject(FILES), place)
    if place.endswith(":13"):
        assert match.node.type == node_type
    else:
        assert (match.node.type, match.name) == (node_type, name)


def test_columns_count_characters() -> None:
    stage = Stage(MemoryProject({"a.py": "é = ü(1)\n"}))
    assert stage.position("a.py:1:5") == ("a.py", 5)
    assert stage.range("a.py:1:5-1:6") == ("a.py", 5, 7)
    assert stage.range("a.py:1-1") == ("a.py", 0, 10)


def test_several_are_listed_with_their_places() -> None:
    with pytest.raises(SelectorError) as caught:
        Stage(MemoryProject(FILES)).one("a.py::callable[name~='get|full']")
    assert "names 2 nodes, expected one" in str(caught.value)
    assert "a.py:21:5 method Cache.get  def get(self, key):" in str(caught.value)


def test_none_names_what_is_near() -> None:
    with pytest.raises(SelectorError) as caught:
        Stage(MemoryProject(FILES)).one("function#get", within="a.py")
    assert "a.py:21:5 method Cache.get" in str(caught.value)
    with pytest.raises(SelectorError, match=r"a\.py:9:1 function area"):
        Stage(MemoryProject(FILES)).one("a.py::function#aera")
