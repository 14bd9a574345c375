"""Random refactorings of JavaScript and TypeScript other than renames, each judged and taken back.

    python -m tests.properties.no_harm.script_extracts [--count 300] [--seed 1] [--only inline] [--project rxjs]

The result parses with no new error node and keeps its names (the engine's own rules), `node --check` takes plain
JavaScript that it took before, TypeScript's compiler (`--compiler`) finds no name that is lost, declared twice or
used too early, and undo gives back the exact bytes.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.properties.no_harm import corpus
from tests.properties.no_harm.renames import Harm, _quoted
from tests.properties.no_harm.scripts import LANGUAGES, MESSAGE, OPTIONS, TSC
from tree_sitter import Node

from forgewright.code.engine import CodeEngine, Plan
from forgewright.code.languages import language_of
from forgewright.code.selectors.select import descendants
from forgewright.code.sources import SourceFile
from forgewright.core.errors import ForgewrightError

NAME = "madeHere"
PLAIN = ("express@5.1.0", "commander@14.0.1", "qs@6.14.0", "object-inspect@1.13.4", "minimist@1.2.8", "tape@5.9.0",
         "deep-equal@2.2.3", "underscore@1.13.7", "marked@4.3.0", "acorn@8.15.0", "js-yaml@4.1.0", "lodash@4.17.21")  # fmt: skip
TYPED = (
    "zod@4.1.12",
    "rxjs@7.8.2",
    "immer@10.1.3",
    "preact@10.27.2",
    "@reduxjs/toolkit@2.9.0",
    "effect@3.18.4",
)
SERIOUS = re.compile(r"TS(1\d\d\d|2304|2300|2448|2449|2451|2454|2588|18004|2552|2503)$")
"""Syntax; a name that is not known, declared twice, used before it has a value; a constant assigned."""
EXPRESSIONS = ("call_expression", "binary_expression", "member_expression", "subscript_expression", "object", "array",
               "template_string", "ternary_expression", "unary_expression", "await_expression", "new_expression",
               "arrow_function", "string", "number", "parenthesized_expression", "jsx_element", "regex",
               "as_expression", "assignment_expression", "function_expression")  # fmt: skip
BLOCKS = ("program", "statement_block", "switch_case")


class Place:
    """One file, and a random choice in it."""

    def __init__(self, path: str, data: bytes, rng: random.Random) -> None:
        self.path, self.data, self.rng = path, data, rng
        self.nodes = list(descendants(SourceFile(path, data).tree.root_node))

    def at(self, offset: int) -> str:
        line = self.data.count(b"\n", 0, offset) + 1
        text = self.data[self.data.rfind(b"\n", 0, offset) + 1 : offset].decode("utf-8", "replace")
        return f"{line}:{len(text) + 1}"

    def span(self, start: int, end: int) -> str:
        return _quoted(f"{self.path}:{self.at(start)}-{self.at(end)}")

    def choose(self, *types: str) -> Node | None:
        found = [node for node in self.nodes if node.type in types]
        return self.rng.choice(found) if found else None


def _expression(place: Place) -> str | None:
    kind = place.rng.choice(EXPRESSIONS)
    node = place.choose(kind) or place.choose(*EXPRESSIONS)
    return place.span(node.start_byte, node.end_byte) if node is not None else None


def _literal(place: Place) -> str | None:
    node = place.choose(
        "string", "number", "binary_expression", "unary_expression", "template_string", "regex"
    )
    return place.span(node.start_byte, node.end_byte) if node is not None else None


def _statements(place: Place) -> str | None:
    blocks = [n for n in place.nodes if n.type in BLOCKS and n.named_child_count]
    inner = [n for n in blocks if n.parent is not None] or blocks
    if not inner:
        return None
    block = place.rng.choice(inner)
    children = [c for c in block.named_children if c.type != "comment"]
    if not children:
        return None
    start = place.rng.randrange(len(children))
    stop = min(len(children), start + place.rng.randint(1, 4))
    return place.span(children[start].start_byte, children[stop - 1].end_byte)


def _ranged(
    operation: str, what: Callable[[Place], str | None], more: str = ""
) -> Callable[[Place], str | None]:
    def make(place: Place) -> str | None:
        span = what(place)
        return f"({operation} range: {span} name: '{NAME}'{more})" if span else None

    return make


def _named(operation: str, *types: str) -> Callable[[Place], str | None]:
    def make(place: Place) -> str | None:
        names = [n.child_by_field_name("name") for n in place.nodes if n.type in types]
        found = [n for n in names if n is not None and n.type.endswith("identifier")]
        if not found:
            return None
        node = place.rng.choice(found)
        return f"({operation} at: {_quoted(place.path + ':' + place.at(node.start_byte))})"

    return make


def _targeted(operation: str, *types: str) -> Callable[[Place], str | None]:
    def make(place: Place) -> str | None:
        node = place.choose(*types)
        return (
            f"({operation} target: {_quoted(place.path + ':' + place.at(node.start_byte))})" if node else None
        )

    return make


MAKERS: dict[str, Callable[[Place], str | None]] = {
    "extract-variable": _ranged("extract-variable", _expression),
    "extract-variable every": _ranged("extract-variable", _expression, " every: true"),
    "extract-function expression": _ranged("extract-function", _expression),
    "extract-function statements": _ranged("extract-function", _statements),
    "extract-function top": _ranged("extract-function", _statements, " top: true"),
    "extract-constant": _ranged("extract-constant", _literal),
    "inline variable": _named("inline", "variable_declarator"),
    "inline function": _named("inline", "function_declaration", "method_definition"),
    "extract-field": _ranged("extract-field", _literal),
    "introduce-parameter": _ranged("introduce-parameter", _expression, " as_default: true"),
    "to-f-string": _targeted("to-f-string", "binary_expression"),
    "if-to-match": _targeted("if-to-match", "if_statement"),
    "match-to-if": _targeted("match-to-if", "switch_statement"),
}


class Ground:
    """An npm package on disk."""

    def __init__(self, origin: Path, work: Path, *, compiler: bool) -> None:
        shutil.copytree(origin, work)
        self.name, self.root = origin.name, work
        if any(file.parent.name == "src" for file in work.rglob("src/*.ts")):
            shutil.rmtree(work / "dist", ignore_errors=True)
        self.engine = CodeEngine(work)
        found = [p for p in self.engine.project.paths() if language_of(p) in LANGUAGES]
        found = [
            p
            for p in found
            if not p.endswith((".d.ts", ".d.mts", ".d.cts", ".min.js")) and "node_modules" not in p
        ]
        sources = [p for p in found if "/src/" in f"/{p}"]
        self.paths = [
            p
            for p in (sources or found)
            if (work / p).stat().st_size < 150_000 and b"\n" in (work / p).read_bytes()
        ]
        self.compiler = compiler
        self.had = self.mistakes() if compiler else Counter()

    def mistakes(self) -> Counter[tuple[str, str]]:
        done = subprocess.run(
            [str(TSC), *OPTIONS, *self.paths], cwd=self.root, capture_output=True, text=True, timeout=300
        )
        found = [MESSAGE.match(line) for line in done.stdout.splitlines()]
        return Counter((m[1], f"{m[4]} {m[5]}") for m in found if m is not None and SERIOUS.match(m[4]))


def valid(path: Path) -> bool:
    done = subprocess.run(["node", "--check", str(path)], capture_output=True, timeout=60)
    return done.returncode == 0


def trial(ground: Ground, kind: str, rng: random.Random) -> tuple[str, str]:
    """(end, program or reason). Raises `Harm`."""
    path = rng.choice(ground.paths)
    place = Place(path, (ground.root / path).read_bytes(), rng)
    program = MAKERS[kind](place)
    if program is None:
        return "left out", ""
    try:
        plan = ground.engine.plan(program)
    except ForgewrightError as error:
        if "names would lose" in str(error) or "would not parse" in str(error):
            raise Harm(f"{ground.name}: {program}: caught by the engine's own check: {error}") from error
        return "refused", str(error).split("\n")[0]
    if not plan.changes:
        return "left out", ""
    check = path.endswith((".js", ".mjs", ".cjs")) and valid(ground.root / path)
    committed = ground.engine.commit(plan)
    try:
        if check and not valid(ground.root / path):
            raise Harm(f"{ground.name}: {program}: node does not take the result\n{plan.diff()}")
        fresh = (ground.mistakes() - ground.had) if ground.compiler else None
    finally:
        undone = ground.engine.commit(ground.engine.plan(committed.undo))
        assert undone is not None
    _same(ground, plan, program)
    if fresh:
        raise Harm(f"{ground.name}: {program}: {list(fresh)[:3]}\n{plan.diff()}")
    return "done", program


def _same(ground: Ground, plan: Plan, program: str) -> None:
    for change in plan.changes:
        if (ground.root / change.path).read_bytes() != change.before:
            raise Harm(f"{ground.name}: {program}: undo does not give back {change.path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="trials per project and kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--project", default="")
    parser.add_argument("--compiler", action="store_true")
    parser.add_argument("--reasons", action="store_true", help="say why trials were refused")
    chosen = parser.parse_args()
    ends: dict[str, Counter[str]] = {kind: Counter() for kind in MAKERS if chosen.only in kind}
    reasons: Counter[str] = Counter()
    harm = 0
    for requirement in (*PLAIN, *TYPED):
        if chosen.project not in requirement:
            continue
        with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            ground = Ground(corpus.npm(requirement), Path(folder) / "work", compiler=chosen.compiler)
            started = time.monotonic()
            for kind in ends:
                for number in range(chosen.count):
                    try:
                        end, said = trial(
                            ground, kind, random.Random(f"{chosen.seed}/{requirement}/{kind}/{number}")
                        )
                    except Exception as error:
                        end, said = "HARM", ""
                        harm += 1
                        text = str(error) if isinstance(error, Harm) else traceback.format_exc()[-3000:]
                        print(f"HARM {kind} {number}: {text}\n", flush=True)
                    ends[kind][end] += 1
                    if end == "refused":
                        reasons[re.sub(r"'[^']*'|\d+", "_", said)[:90]] += 1
            print(f"{requirement}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    for kind, count in ends.items():
        print(f"{kind:32} done {count['done']:5} refused {count['refused']:5} left out {count['left out']:5} "
              f"harm {count['HARM']:3}")  # fmt: skip
    if chosen.reasons:
        for reason, times in reasons.most_common(40):
            print(f"{times:5} {reason}")
    raise SystemExit(1 if harm else 0)


if __name__ == "__main__":
    main()
