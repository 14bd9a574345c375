"""Programs that say the same before and after a refactoring, run by node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.code.javascript.refactoring import refactored

pytestmark = pytest.mark.usefixtures("node")

FUNCTION = "(extract-function {range} name: 'made')"
VARIABLE = "(extract-variable {range} name: 'made')"
INLINE = "(inline {at})"
PROGRAMS = {
    "loop and two results": (FUNCTION, """
let log = [];
function f(xs) {
  let low = Infinity, high = 0;
  for (const x of xs) {
    «if (x < low) low = x;
    if (x > high) high = x;»
  }
  return [low, high];
}
console.log(f([3, 1, 2]), f([]));
"""),
    "shadowed names and closures": (FUNCTION, """
const x = 1;
function f(a) {
  const g = () => x + a;
  {
    const x = 10;
    «const y = g() + x;
    const z = [y].map(x => x * a);»
    console.log(z, y);
  }
}
f(2);
"""),
    "async with a try around": (FUNCTION, """
async function f(n) {
  try {
    «const a = await Promise.resolve(n);
    if (a > 1) throw new Error('big ' + a);
    return a;»
  } catch (e) {
    return e.message;
  }
}
f(1).then(console.log).then(() => f(2)).then(console.log);
"""),
    "private members of a class": (FUNCTION, """
class Counter {
  #n = 0;
  static made = 0;
  add(by = 1) {
    «this.#n += by;
    Counter.count++;»
    return this;
  }
  static count = 0;
  get n() { return this.#n }
}
console.log(new Counter().add().add(4).n, Counter.count);
""".replace("  static made = 0;\n", "")),
    "var in loops": (FUNCTION, """
function f(n) {
  var out = [];
  «for (var i = 0; i < n; i++) { var last = i * 2; out.push(last); }»
  for (var i = 5; i < 7; i++) out.push(i, last);
  return out;
}
console.log(f(3), f(0));
"""),
    "a label and a switch inside": (FUNCTION, """
function f(xs) {
  let found = 'none';
  «outer: for (const row of xs) {
    for (const x of row) {
      switch (x) {
        case 1: break;
        case 2: found = row; break outer;
        default: continue outer;
      }
    }
  }»
  return found;
}
console.log(f([[1, 3, 2], [1, 2]]), f([]));
"""),
    "destructuring with defaults": (FUNCTION, """
function f(o) {
  let a, rest;
  «({ a = 5, ...rest } = o);»
  return [a, rest];
}
console.log(f({ b: 1 }), f({ a: 2 }));
"""),
    "an arrow without braces": (VARIABLE, """
const f = xs => xs.map((x, i) => ({ x, d: «x * 2», i }));
console.log(f([1, 2]));
"""),
    "a value without parentheses": (INLINE, """
const f = (a, b) => {
  const «v» = a ? b : a + b;
  return [v * 2, `${v}`, v ?? 1, !v, typeof v, { v }, v.toString().length];
};
console.log(f(0, 2), f(1, 3));
"""),
    "a function in an operator": (INLINE, """
const «add» = (a, b = 2) => a + b;
console.log(add(1) * add(2, 3), -add(1, 1), [add(4)].length, `${add(1)}`);
"""),
    "statements with names of their own": (INLINE, """
function «swap»(pair) {
  const [a, b] = pair;
  pair[0] = b;
  pair[1] = a;
}
const xs = [1, 2];
swap(xs);
swap([xs]);
console.log(xs);
"""),
    "a method on this": (INLINE, """
class A {
  n = 2;
  «twice»(x) { return this.n + x; }
  go() { return this.twice(1) * 2; }
}
console.log(new A().go());
"""),
    "lines without semicolons": (INLINE, """
const log = []
const «first» = 1
;[first, 2].forEach(x => log.push(x))
console.log(log)
"""),
}  # fmt: skip


def said(path: Path) -> str:
    return subprocess.run(["node", str(path)], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_is_said(tmp_path: Path, name: str) -> None:
    operation, program = PROGRAMS[name]
    work = tmp_path / "work"
    work.mkdir()
    plain = tmp_path / "before.js"
    plain.write_text(program.replace("«", "").replace("»", ""))
    after = refactored(work, operation, program, "a.js")
    assert after != plain.read_text()
    assert said(work / "a.js") == said(plain) != ""
