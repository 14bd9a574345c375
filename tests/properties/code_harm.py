"""Random structural operations on real code, each with the check that its meaning demands."""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from forgewright.code.engine import CodeEngine, Plan
from forgewright.code.languages import language_of
from forgewright.code.scene import Stage
from forgewright.code.selectors import nodes
from forgewright.code.selectors.select import descendants
from forgewright.code.sources import MemoryProject, SourceFile
from forgewright.code.syntax.printer import print_string
from forgewright.code.syntax.program import parse
from forgewright.code.validity import compiled, mistake
from forgewright.core.errors import EditRefused, ForgewrightError

STATEMENT = {"python": "harmless_call(1)", "javascript": "harmlessCall(1);"}


class Harm(AssertionError):
    """An operation did something that it should not have done."""


def quoted(text: str) -> str:
    return print_string(text)


def run(files: dict[str, bytes], program: str) -> dict[str, bytes]:
    """The files after a program, in memory, with the engine's own checks."""
    stage = Stage(MemoryProject(files))
    for operation in parse(program):
        stage.apply(operation.plan(stage))
    after = dict(files)
    for path, source in stage.overlay.changed().items():
        if source is None:
            del after[path]
        else:
            after[path] = source.data
    return after


def shape(data: bytes) -> str:
    """What Python sees: the syntax tree without positions."""
    return ast.dump(ast.parse(data))


class Case:
    """One file and one random operation on it."""

    def __init__(self, path: str, data: bytes, rng: random.Random) -> None:
        self.path = path
        self.data = data
        self.rng = rng
        self.source = SourceFile(path, data)
        self.language = self.source.language
        self.family = "python" if self.language == "python" else "javascript"

    def pick(self, kind: str) -> tuple[str, str] | None:
        """A random node of a kind: its place as a selector, and its text."""
        found = [n for n in descendants(self.source.tree.root_node) if nodes.is_kind(n, kind, self.language)]
        found = [n for n in found if not n.has_error]
        if not found:
            return None
        node = self.rng.choice(found)
        line = self.data[self.data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
        column = len(line.decode("utf-8", "surrogateescape")) + 1
        self.node = node
        return f"{self.path}:{node.start_point.row + 1}:{column}", nodes.text(node)

    def apply(self, program: str) -> bytes | None:
        """The file afterwards; None if the engine refused."""
        try:
            after = run({self.path: self.data}, program)[self.path]
        except EditRefused:
            return None
        except ForgewrightError as error:
            if "names" in str(error):
                return None
            raise
        if mistake(SourceFile(self.path, self.data), SourceFile(self.path, after)):
            return None  # the engine refuses it
        return after


def replace_by_itself(case: Case) -> bool:
    """A node replaced by its own text leaves the file's meaning alone (and its bytes, for one line)."""
    found = case.pick(case.rng.choice(["expression", "call", "function", "method", "class", "statement"]))
    if found is None or "\r" in found[1]:
        return False
    at, text = found
    selector = exact(case)
    if selector is None:
        return False
    after = case.apply(f"(replace-node target: {quoted(selector)} code: {quoted(text)})")
    if after is None:
        return False
    if "\n" not in text and after != case.data:
        raise Harm(f"bytes changed by replacing {text!r} by itself at {at}")
    if case.language == "python" and shape(after) != shape(case.data):
        raise Harm(f"meaning changed by replacing {text!r} by itself at {at}")
    return True


def exact(case: Case) -> str | None:
    """A selector that names the picked node by type and place, if one does."""
    node = case.node
    name = nodes.names(node)[0]
    if not name or any(char in name for char in "'\"[]`\n") or len(name) > 60:
        return None
    for selector in (f"{case.path}::{node.type}[name='{name}']",):
        found = list(Stage(MemoryProject({case.path: case.data})).select(selector))
        for number, match in enumerate(found, 1):
            if (match.start, match.end) == (node.start_byte, node.end_byte):
                return f"{selector}:nth({number})"
    return None


def insert_beside(case: Case) -> bool:
    """A statement put beside another is there once more, and nothing else changed."""
    found = case.pick("statement")
    if found is None:
        return False
    selector = exact(case)
    if selector is None or case.node.type in ("future_import_statement",):
        return False
    word = case.rng.choice(["before", "after"])
    code = STATEMENT[case.family]
    in_class = case.node.parent is not None and case.node.parent.type in ("class_body", "interface_body")
    if in_class:
        return False
    after = case.apply(f"(insert-{word} target: {quoted(selector)} code: {quoted(code)})")
    if after is None:
        return False
    return _grown(case, after)


def insert_into(case: Case) -> bool:
    """A statement put into a body is there once more, and nothing else changed."""
    found = case.pick(case.rng.choice(["function", "method", "class", "if", "for", "module"]))
    if found is None:
        return False
    selector = f"{case.path}::module" if nodes.is_kind(case.node, "module", case.language) else exact(case)
    if selector is None or (case.family == "javascript" and "class" in case.node.type):
        return False
    word = case.rng.choice(["first", "last"])
    after = case.apply(f"(insert-{word} target: {quoted(selector)} code: {quoted(STATEMENT[case.family])})")
    if after is None:
        return False
    return _grown(case, after)


def _grown(case: Case, after: bytes) -> bool:
    name = STATEMENT[case.family].partition("(")[0].encode()
    if after.count(name) != case.data.count(name) + 1:
        raise Harm("the statement is not there exactly once")
    if case.language == "python":

        class Without(ast.NodeTransformer):
            def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
                if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == name.decode():
                    return None
                return self.generic_visit(node)

        left, right = Without().visit(ast.parse(after)), ast.parse(case.data)
        if _loose(left) != _loose(right):
            raise Harm(f"something else changed around {nodes.text(case.node)[:200]!r}")
    else:
        kept = after.replace(STATEMENT["javascript"].encode(), b"")
        if kept.split() != case.data.split() and b"".join(kept.split()).replace(b";", b"") != b"".join(
            case.data.split()
        ).replace(b";", b""):
            raise Harm(f"something else changed around {nodes.text(case.node)[:200]!r}")
    return True


def _loose(tree: ast.AST) -> str:
    """A dump in which an empty body and `pass` or `...` are the same (a placeholder may have gone)."""
    return ast.dump(tree).replace("[Pass()]", "[]").replace("[Expr(value=Constant(value=Ellipsis))]", "[]")


def delete_statement(case: Case) -> bool:
    """A deleted statement is gone, and nothing else is."""
    found = case.pick("statement")
    selector = exact(case) if found else None
    if selector is None:
        return False
    after = case.apply(f"(delete-node target: {quoted(selector)})")
    if after is None:
        return False
    if case.language == "python":
        before, now = ast.parse(case.data), ast.parse(after)
        if _count(now) > _count(before):
            raise Harm("there are more statements than before")
        gone = _lines(case)
        kept = [
            n for n in ast.walk(before) if isinstance(n, ast.stmt) and not (gone[0] <= n.lineno <= gone[1])
        ]
        if sum(isinstance(n, ast.stmt) for n in ast.walk(now)) < len(kept):
            raise Harm(f"more than one statement is gone: {nodes.text(case.node)[:200]!r}")
    return True


def _lines(case: Case) -> tuple[int, int]:
    outer = nodes.whole(case.node)
    return outer.start_point.row + 1, outer.end_point.row + 1


def _count(tree: ast.AST) -> int:
    return sum(isinstance(n, ast.stmt) for n in ast.walk(tree))


def delete_item(case: Case) -> bool:
    """An item taken out of a list leaves the list one shorter."""
    found = case.pick(case.rng.choice(["argument", "item", "pair"]))
    selector = exact(case) if found else None
    if selector is None:
        return False
    after = case.apply(f"(delete-node target: {quoted(selector)})")
    if after is None:
        return False
    if case.language == "python":
        parent = case.node.parent
        assert parent is not None
        old, new = _sizes(case.data), _sizes(after)
        if sum(old) - sum(new) < 1:
            raise Harm("nothing is gone")
        if len(old) - len(new) > _inner(case.node):
            raise Harm(
                f"a list is gone: {nodes.text(parent)[:200]!r} without {nodes.text(case.node)[:100]!r}"
            )
    return True


def _inner(node: object) -> int:
    from tree_sitter import Node

    assert isinstance(node, Node)
    kinds = ("list", "tuple", "set", "dictionary", "call")
    return sum(found.type in kinds for found in descendants(node))


def _sizes(data: bytes) -> list[int]:
    found = []
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            found.append(len(node.elts))
        elif isinstance(node, ast.Dict):
            found.append(len(node.values))
        elif isinstance(node, ast.Call):
            found.append(len(node.args) + len(node.keywords))
        elif isinstance(node, ast.ClassDef):
            found.append(len(node.bases) + len(node.keywords))
    return found


def wrap_and_unwrap(case: Case) -> bool:
    """Wrapped in an `if` and taken out again, a statement is as it was."""
    found = case.pick("statement")
    selector = exact(case) if found else None
    if selector is None or case.node.type == "future_import_statement" or "\r" in nodes.text(case.node):
        return False
    if case.node.parent is not None and case.node.parent.type in ("class_body", "interface_body"):
        return False
    template = "if wrapped_here:\n    $BODY" if case.family == "python" else "if (wrappedHere) {\n  $BODY\n}"
    wrapped = case.apply(f"(wrap target: {quoted(selector)} template: {quoted(template)})")
    if wrapped is None:
        return False
    again = Case(case.path, wrapped, case.rng)
    name = "wrapped_here" if case.family == "python" else "wrappedHere"
    after = again.apply(f"(unwrap target: {quoted(f'{case.path}::if[condition*={name}]')})")
    if after is None:
        raise Harm("cannot be unwrapped again")
    if case.language == "python" and shape(after) != shape(case.data):
        raise Harm(f"meaning changed by wrap and unwrap of {nodes.text(case.node)[:300]!r}")
    if after.split() != case.data.split():
        raise Harm(f"text changed by wrap and unwrap of {nodes.text(case.node)[:300]!r}")
    return True


def rewrite_by_itself(case: Case) -> bool:
    """A call rewritten to itself by pattern and template keeps the file's meaning."""
    found = case.pick("call")
    if found is None:
        return False
    name = nodes.names(case.node)[-1]
    if not name or not all(part.isidentifier() for part in name.split(".")) or len(name) < 3:
        return False
    pattern = f"{name}($$$ARGS)"
    if case.node.type == "new_expression":
        pattern = f"new {pattern}"
    after = case.apply(f"(rewrite pattern: {quoted(pattern)} template: {quoted(pattern)})")
    if after is None:
        return False
    if case.language == "python" and shape(after) != shape(case.data):
        raise Harm(f"meaning changed by rewriting {pattern} to itself")
    if b"".join(after.split()) != b"".join(case.data.split()):
        plain = b"".join(after.split()).replace(b",", b"").replace(b";", b"")
        comments = b"#" in case.data or b"//" in case.data or b"/*" in case.data
        if not comments and plain != b"".join(case.data.split()).replace(b",", b"").replace(b";", b""):
            raise Harm(f"text changed by rewriting {pattern} to itself")
    return True


def add_import(case: Case) -> bool:
    """An import is added once, and twice is the same as once."""
    if case.family == "python":
        program = f"(add-import module: 'harmless.module' name: 'harmless_name' in: '{case.path}')"
    else:
        program = f"(add-import module: './harmless' name: 'harmlessName' in: '{case.path}')"
    after = case.apply(program)
    if after is None:
        return False
    if after.count(b"harmless") != case.data.count(b"harmless") + 2:
        raise Harm("the import is not there exactly once")
    if Case(case.path, after, case.rng).apply(program) != after:
        raise Harm("adding the import twice changes the file again")
    if case.language == "python":
        added = len(ast.parse(after).body) - len(ast.parse(case.data).body)
        if added != 1:
            raise Harm(f"{added} statements were added")
        if ast.get_docstring(ast.parse(after)) != ast.get_docstring(ast.parse(case.data)):
            raise Harm("the docstring is gone")
    return True


OPERATIONS: tuple[Callable[[Case], bool], ...] = (
    replace_by_itself,
    insert_beside,
    insert_into,
    delete_statement,
    delete_item,
    wrap_and_unwrap,
    rewrite_by_itself,
    add_import,
)


def sources(folder: Path, suffixes: tuple[str, ...] = (".py",)) -> list[Path]:
    """Source files that their own language takes."""
    found = [
        p for p in sorted(folder.rglob("*")) if p.suffix in suffixes and p.is_file() and not p.is_symlink()
    ]
    return [p for p in found if 0 < p.stat().st_size < 120_000]


def usable(path: str, data: bytes) -> bool:
    source = SourceFile(path, data)
    if source.language == "python":
        return not compiled(source)
    return language_of(path) != "text" and not source.tree.root_node.has_error


def trials(files: list[Path], seed: int, count: int) -> Iterator[tuple[str, bool]]:
    """`count` random operations that were carried out: (name, whether it was refused or not applicable)."""
    rng = random.Random(seed)
    done = 0
    tried = 0
    while done < count and tried < count * 20:
        tried += 1
        file = rng.choice(files)
        data = file.read_bytes()
        path = "pkg/" + file.name
        if not usable(path, data):
            continue
        operation = rng.choice(OPERATIONS)
        case = Case(path, data, random.Random(rng.random()))
        try:
            applied = operation(case)
        except Exception as error:
            error.add_note(f"seed {seed}, {operation.__name__} on {file}")
            raise
        done += applied
        yield operation.__name__, applied


def undo_gives_back(root: Path, program: str) -> Plan:
    """Commit a program and its undo; the bytes are as they were."""
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and ".forgewright" not in p.parts}
    engine = CodeEngine(root)
    plan = engine.plan(program)
    committed = engine.commit(plan)
    engine.commit(engine.plan(committed.undo))
    after = {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and ".forgewright" not in p.parts}
    if before != after:
        raise Harm("undo does not give back the bytes")
    return plan


def main() -> None:
    """`python -m tests.properties.code_harm FOLDER COUNT SEED`"""
    import traceback
    from collections import Counter

    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    files = sources(folder, tuple(sys.argv[4:]) or (".py",))
    tally: Counter[str] = Counter()
    for number in range(count):
        try:
            for name, applied in trials(files, seed + number, 1):
                tally[name + (" done" if applied else " left out")] += 1
        except Exception as error:
            tally["FAILED"] += 1
            print("".join(traceback.format_exception(error)[-3:]))
    for name, found in sorted(tally.items()):
        print(found, name)


if __name__ == "__main__":
    main()
