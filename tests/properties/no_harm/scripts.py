"""Random renames of JavaScript and TypeScript; TypeScript's compiler judges each."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.properties.no_harm.renames import FRESH, Harm, _quoted

from forgewright.code.engine import CodeEngine, Plan
from forgewright.code.languages import language_of
from forgewright.code.selectors.select import descendants
from forgewright.code.sources import SourceFile
from forgewright.core.errors import ForgewrightError

LANGUAGES = ("javascript", "typescript", "tsx")
NAMES = ("identifier", "property_identifier", "type_identifier", "private_property_identifier",
         "shorthand_property_identifier_pattern")  # fmt: skip
TOKEN = re.compile(r"[\w$#]+|[^\w\s$#]")
TSC = Path(__file__).parents[3] / ".venv" / "node" / "node_modules" / ".bin" / "tsc"
OPTIONS = ("--noEmit", "--pretty", "false", "--skipLibCheck", "--allowJs", "--checkJs", "--target", "esnext",
           "--module", "esnext", "--moduleResolution", "bundler", "--jsx", "preserve", "--types", "",
           "--noImplicitAny", "false", "--strict", "false")  # fmt: skip
MESSAGE = re.compile(r"^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$")


class Ground:
    """An npm package on disk, with what the compiler says of it before any rename."""

    def __init__(self, origin: Path, work: Path) -> None:
        self.name = origin.name
        shutil.copytree(origin, work)
        if any(file.parent.name == "src" for file in work.rglob("src/*.ts")):
            # What was built from the sources is not in their repository.
            shutil.rmtree(work / "dist", ignore_errors=True)
        self.root = work
        self.engine = CodeEngine(work)
        found = [p for p in self.engine.project.paths() if language_of(p) in LANGUAGES]
        sources = [p for p in found if "/src/" in f"/{p}" and not p.endswith(".d.ts")]
        self.paths = [
            p for p in (sources or found) if not p.endswith((".d.ts", ".d.mts", ".d.cts", ".min.js"))
        ]
        self.paths = [
            p for p in self.paths if (work / p).stat().st_size < 200_000 and b"\n" in (work / p).read_bytes()
        ]
        self.files = {p: (work / p).read_bytes() for p in self.paths}
        self.before = self.mistakes()

    def mistakes(self, more: Sequence[str] = ()) -> list[tuple[str, int, str, str]]:
        """(file, line, code, message) of each of the compiler's errors; `more`: files that are new."""
        paths = [path for path in (*self.paths, *more) if (self.root / path).exists()]
        done = subprocess.run(
            [str(TSC), *OPTIONS, *paths], cwd=self.root, capture_output=True, text=True, timeout=300
        )
        found = [MESSAGE.match(line) for line in done.stdout.splitlines()]
        return [(m[1], int(m[2]), m[4], m[5]) for m in found if m is not None]


def trial(ground: Ground, rng: random.Random) -> tuple[str, str]:
    """(kind, `done`, `refused` or `left out`). Raises `Harm`."""
    path = rng.choice(ground.paths)
    data = ground.files[path]
    source = SourceFile(path, data)
    nodes = [n for n in descendants(source.tree.root_node) if n.type in NAMES]
    if not nodes:
        return "-", "left out"
    node = rng.choice(nodes)
    old = data[node.start_byte : node.end_byte].decode()
    words = [data[n.start_byte : n.end_byte].decode() for n in nodes]
    new = FRESH if rng.random() < 0.5 else rng.choice(words).lstrip("#")
    if old.startswith("#"):
        new = "#" + new
    if old == new:
        return "-", "left out"
    line = data[data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte].decode()
    program = (
        f"(rename at: {_quoted(f'{path}:{node.start_point.row + 1}:{len(line) + 1}')} new: {_quoted(new)})"
    )
    try:
        try:
            plan = ground.engine.plan(program)
        except ForgewrightError:
            return "-", "refused"
        if not plan.changes:
            return "-", "left out"
        kind = plan.results[0].text.partition(" ")[0]
        committed = ground.engine.commit(plan)
        after = ground.mistakes()
        ground.engine.commit(ground.engine.plan(committed.undo))
        for change in plan.changes:
            if (ground.root / change.path).read_bytes() != change.before:
                raise Harm(f"undo does not give back {change.path}")
        for change in plan.changes:
            same_text(
                change.path, change.before or b"", change.after or b"", old.lstrip("#"), new.lstrip("#")
            )
        judge(ground, plan, after, old, new)
    except Exception as error:
        error.add_note(f"{ground.name}: {program}  ({old} → {new})")
        raise
    return kind, "done"


def same_text(path: str, before: bytes, after: bytes, old: str, new: str) -> None:
    """Word for word the same but for the name; what is added shapes a shorthand or an alias."""
    from difflib import SequenceMatcher

    left, right = before.decode().split("\n"), after.decode().split("\n")
    if len(left) != len(right):
        raise Harm(f"{path}: {len(left)} lines became {len(right)}")
    for b, a in zip(left, right, strict=True):
        if b == a:
            continue
        ours, theirs = TOKEN.findall(b), TOKEN.findall(a)
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
            gone, come = ours[i1:i2], theirs[j1:j2]
            if tag == "equal":
                continue
            if not {g.lstrip("#") for g in gone} <= {old, new, ":", "as", "default"} or not {
                c.lstrip("#") for c in come
            } <= {old, new, ":", "as", "default", ","}:
                raise Harm(f"{path}: {b.strip()[:150]!r} became {a.strip()[:150]!r}")


def judge(ground: Ground, plan: Plan, after: list[tuple[str, int, str, str]], old: str, new: str) -> None:
    """The compiler finds nothing wrong that was right; but for places that were listed as uncertain."""
    unsure = set()
    for result in plan.results:
        for place in result.uncertain:
            unsure.add((place.path, ground_line(ground, place.path, place.start)))
    had: Counter[tuple[str, int, str]] = Counter((f, n, c) for f, n, c, _ in ground.before)
    fresh = []
    for file, line, code, message in after:
        if had[file, line, code]:
            had[file, line, code] -= 1
        elif (file, line) not in unsure:
            fresh.append(f"{file}:{line} {code} {message}")
    if fresh and not unsure:
        raise Harm("; ".join(fresh[:3]))


def ground_line(ground: Ground, path: str, offset: int) -> int:
    data: Mapping[str, bytes] = ground.files
    text = data[path] if path in data else (ground.root / path).read_bytes()
    return text.count(b"\n", 0, offset) + 1
