"""Random renames of Python code, and the judgement of each."""

from __future__ import annotations

import ast
import random
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.properties.no_harm.bytecode import Comparison, Different, compiled, parsed
from tests.properties.no_harm.families import Families, classes, kept
from tests.properties.no_harm.lint import Project

from forgewright.code.engine import CodeEngine, Plan
from forgewright.core.errors import ForgewrightError

KINDS = ("function", "method", "class", "parameter", "variable", "attribute", "module")
WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
FRESH = "a_name_of_its_own"


class Harm(AssertionError):
    """An operation did something that it should not have done."""


class Ground:
    """One project on disk with what is known of it before any operation."""

    def __init__(self, origin: Path, work: Path) -> None:
        """Works on a copy of `origin` at `work`."""
        self.name = origin.name
        shutil.copytree(origin, work, ignore=shutil.ignore_patterns("*.pyc", ".git"), symlinks=True)
        self.root = root = work
        self.engine = CodeEngine(root)
        self.files: dict[str, bytes] = {}
        for path in self.engine.project.paths():
            try:
                self.files[path] = (root / path).read_bytes()
            except OSError:
                continue
        self.project = Project(self.files)
        self.python = sorted(p for p, f in self.project.facts.items() if f is not None)
        self.families = Families(
            self.project, {path: classes(path, self.files[path]) for path in self.python}
        )
        self._importers: dict[str, set[str]] = {}
        for path, fact in self.project.facts.items():
            for level, dotted, name in fact.imports if fact is not None else ():
                for whole in (dotted, f"{dotted}.{name}" if name and dotted else name or dotted):
                    for target in self.project.module(path, level, whole) or ():
                        self._importers.setdefault(target, set()).add(path)
            for level, dotted in fact.stars if fact is not None else ():
                for target in self.project.module(path, level, dotted) or ():
                    self._importers.setdefault(target, set()).add(path)

    def around(self, changed: set[str]) -> set[str]:
        """The changed files and those that import them."""
        found = set(changed)
        for path in changed:
            found |= self._importers.get(path, set())
        return found

    def apply(self, program: str) -> tuple[Plan, Mapping[str, bytes | None]] | None:
        """The changes of a program after they were carried out and undone; None if it was refused."""
        try:
            plan = self.engine.plan(program)
        except ForgewrightError as error:
            self.refusal = str(error)
            return None
        if not plan.changes:
            return plan, {}
        committed = self.engine.commit(plan)
        for change in plan.changes:
            file = self.root / change.path
            assert (file.read_bytes() if file.exists() else None) == change.after
        self.engine.commit(self.engine.plan(committed.undo))
        for change in plan.changes:
            file = self.root / change.path
            if (file.read_bytes() if file.exists() else None) != change.before:
                raise Harm(f"undo does not give back the bytes of {change.path}")
            if change.before != self.files.get(change.path):
                raise Harm(f"{change.path} is not what it was")
        return plan, {change.path: change.after for change in plan.changes}

    def judged(self, changed: Mapping[str, bytes | None], old: str = "", new: str = "") -> None:
        """Nothing is plainly wrong that was right before; what was wrong of `old` may be of `new`."""
        after = self.project.changed(changed)
        for path in sorted(self.around(set(changed)) & set(after.facts)):
            if path in changed and after.facts[path] is None:
                if path not in self.files or self.project.facts.get(path) is not None:
                    raise Harm(f"{path} does not compile any more")
            had = self.project.problems(path)
            fresh = after.problems(path) - had - {renamed(problem, old, new) for problem in had}
            fact = self.project.facts.get(path)
            if fact is not None and old in fact.local:  # was not judged before
                fresh = {problem for problem in fresh if problem[0] == "not bound" or problem[1] != new}
            if fresh and path in self.files:
                raise Harm(f"{path}: {sorted(fresh)[:4]}")


def renamed(problem: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """A mistake as it is named after a rename."""
    kind, *names = problem
    return (kind, *(".".join(new if part == old else part for part in name.split(".")) for name in names))


def sites(data: bytes, path: str) -> dict[str, list[tuple[int, int, str]]]:
    """(line, column, name) of what a module defines, by kind; columns in characters, both from 1."""
    tree = parsed(data, path)
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    found: dict[str, list[tuple[int, int, str]]] = {kind: [] for kind in KINDS}

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode("utf-8", "surrogateescape")[:offset].decode("utf-8", "replace")) + 1

    def visit(node: ast.AST, inside: str, first: str) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            kind = (
                "class" if isinstance(node, ast.ClassDef) else "method" if inside == "class" else "function"
            )
            text = lines[node.lineno - 1]
            match = re.compile(r"(?:class|def)\s+(" + re.escape(node.name) + r")\b").search(
                text, max(0, column(node.lineno, node.col_offset) - 1)
            )
            if match is not None:
                found[kind].append((node.lineno, match.start(1) + 1, node.name))
            arguments = getattr(node, "args", None)
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)] if arguments else []
            for child in ast.iter_child_nodes(node):
                visit(
                    child,
                    "class" if kind == "class" else "function",
                    names[0] if kind == "method" and names else "",
                )
            return
        if isinstance(node, ast.arg):
            found["parameter"].append((node.lineno, column(node.lineno, node.col_offset), node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            kind = "attribute" if inside == "class" else "variable"
            found[kind].append((node.lineno, column(node.lineno, node.col_offset), node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if (
                isinstance(node.value, ast.Name)
                and node.value.id == first
                and node.end_col_offset is not None
            ):
                end = column(node.end_lineno or node.lineno, node.end_col_offset)
                found["attribute"].append((node.end_lineno or node.lineno, end - len(node.attr), node.attr))
        for child in ast.iter_child_nodes(node):
            visit(child, inside, first)

    visit(tree, "module", "")
    return found


class Trial:
    """One random rename: what, where, to which name."""

    def __init__(self, ground: Ground, rng: random.Random) -> None:
        self.ground = ground
        self.rng = rng
        self.kind = rng.choice(KINDS)
        self.path = rng.choice(ground.python)
        self.data = ground.files[self.path]
        self.program = ""

    def choose(self) -> bool:
        rng = self.rng
        if self.kind == "module":
            name = self.path.rpartition("/")[2].rpartition(".")[0]
            if name in ("__init__", "__main__", "setup", "conftest"):
                return False
            self.old, self.new = name, self.name(name)
            self.program = f"(rename-module module: {_quoted(self.path)} new: {_quoted(self.new)})"
            return True
        found = sites(self.data, self.path)[self.kind]
        found = [s for s in found if not (s[2].startswith("__") and s[2].endswith("__"))]
        if not found:
            return False
        line, column, self.old = rng.choice(found)
        self.new = self.name(self.old)
        self.program = f"(rename at: {_quoted(f'{self.path}:{line}:{column}')} new: {_quoted(self.new)})"
        return True

    def name(self, old: str) -> str:
        """A name of its own, or one that is in the way."""
        choice = self.rng.random()
        words = [w.decode() for w in WORD.findall(self.data)]
        if choice < 0.4:
            return FRESH
        if choice < 0.6:
            return self.rng.choice(words or [FRESH])
        if choice < 0.85:
            names = [name for found in sites(self.data, self.path).values() for _, _, name in found]
            return self.rng.choice(names or words or [FRESH])
        if choice < 0.92:
            return self.rng.choice(["list", "id", "print", "self", "cls", "super", "type", "Exception", "_"])
        return self.rng.choice(
            [f"_{old.strip('_')}", f"__{old.strip('_')}", f"{old}_", old.upper(), old.lower()]
        )

    def judge(self, plan: Plan, changed: Mapping[str, bytes | None]) -> None:
        ground = self.ground
        moved = dict(plan.moves)
        back = {new: old for old, new in moved.items()}
        maps: dict[str, dict[str, str]] = {}
        for path, after in changed.items():
            before = ground.files.get(back.get(path, path))
            if after is None:
                if path not in moved:
                    raise Harm(f"{path} is gone")
                continue
            if before is None:
                raise Harm(f"{path} has come from nowhere")
            if not path.endswith(".py"):
                if before != after and not path.endswith(".pyi"):
                    raise Harm(f"{path} was changed")
                continue
            comparison = Comparison(self.old, self.new)
            try:
                comparison.modules(before, after, path)
            except Different as error:
                raise Harm(f"{path}: {error}") from None
            except SyntaxError as error:
                try:
                    compiled(before, path)
                except SyntaxError:
                    continue
                raise Harm(f"{path} does not compile: {error}") from None
            maps[path] = {b: a for b, a in comparison.globals.items() if a != b}
        ground.judged(changed, self.old, self.new)
        if not plan.moves:
            self.imports(maps, changed)
            self.families(changed)

    def families(self, changed: Mapping[str, bytes | None]) -> None:
        """Members override the ones that they overrode."""
        before = self.ground.families
        new = {p: classes(p, d) for p, d in changed.items() if d is not None and p in before.by_file}
        after = Families(self.ground.project.changed(changed), {**before.by_file, **new})
        wrong = kept(before, after, self.old, self.new)
        if wrong:
            raise Harm(wrong)

    def imports(self, maps: Mapping[str, Mapping[str, str]], changed: Mapping[str, bytes | None]) -> None:
        """What was renamed in a module is imported by its new name, and nothing else is."""
        ground = self.ground
        for path in ground.around(set(changed)):
            after = changed.get(path, ground.files.get(path))
            if after is None or path not in ground.files or not path.endswith(".py"):
                continue
            if self.old.encode() not in ground.files[path]:
                continue
            try:
                left, right = parsed(ground.files[path], path), parsed(after, path)
            except SyntaxError:
                continue
            for b, a in zip(imported(left), imported(right), strict=True):
                if b[2] != self.old and b[2] == a[2]:
                    continue
                files = ground.project.module(path, b[0], b[1])
                fact = ground.project.facts.get(files[0]) if files else None
                if not files or fact is None or b[2] not in fact.stored:
                    continue
                expected = maps.get(files[0], {}).get(b[2], b[2])
                if a[2] != expected:
                    raise Harm(f"{path}: from {b[1]} import {b[2]} became {a[2]}, expected {expected}")


def imported(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.level, node.module or "", alias.name


def _quoted(text: str) -> str:
    from forgewright.code.syntax.printer import print_string

    return print_string(text)


def trial(ground: Ground, rng: random.Random) -> tuple[str, str]:
    """(kind, `done`, `refused` or `left out`). Raises `Harm` with the program in its notes."""
    one = Trial(ground, rng)
    if not one.choose() or one.old == one.new:
        return one.kind, "left out"
    try:
        applied = ground.apply(one.program)
        if applied is None:
            return one.kind, "refused"
        if not applied[0].changes:
            return one.kind, "left out"
        one.judge(*applied)
    except Exception as error:
        error.add_note(f"{ground.name}: {one.program}  ({one.old} → {one.new})")
        raise
    return one.kind, "done"
