"""What is plainly wrong in a Python project: names bound nowhere, imports of what is not there, calls that do not fit.

Knows nothing of the engine: what it finds after an operation and did not find before, the operation has done.
"""

from __future__ import annotations

import ast
import builtins
import dis
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType

from tests.properties.no_harm.bytecode import parsed, widened

BUILTINS = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__doc__", "__path__", "__package__", "__spec__", "__loader__", "__builtins__",
    "__annotations__", "__module__", "__qualname__", "__debug__", "WindowsError", "__class__",
}  # fmt: skip


class Facts:
    """What one module says: names bound and used, imports, functions by their parameters."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        tree = parsed(data, path)
        self.stored: set[str] = set()
        self.loaded: set[str] = set()
        self.dynamic = False
        self._names(widened(data, path), True)
        self.imports: list[tuple[int, str, str]] = []
        """(level, module, name); the name is empty for `import m`."""
        self.aliases: dict[str, tuple[int, str, str] | None] = {}
        """Top-level name → the only import that binds it."""
        self.functions: dict[str, ast.arguments | None] = {}
        """Top-level function → its parameters, if it is defined once and not decorated."""
        self.attributes: set[tuple[str, str]] = set()
        self.calls: set[tuple[str, int, tuple[str, ...]]] = set()
        """(function, number of positional arguments, keywords), without those with stars."""
        self.exports: set[str] = set()
        self.stars: list[tuple[int, str]] = []
        self.local: set[str] = set()
        """Names that some function or class binds; calls and attributes of them are not judged."""
        self._tree(tree)

    def _names(self, code: CodeType, top: bool) -> None:
        body = not top and not code.co_flags & 2
        used = list(named(code))
        mine = {name for op, name in used if op == "STORE_NAME"} if body else set()
        for op, name in used:
            if op in ("STORE_GLOBAL", "DELETE_GLOBAL") or (op == "STORE_NAME" and top):
                self.stored.add(name)
            elif op == "LOAD_GLOBAL" or (op == "LOAD_NAME" and name not in mine):
                self.loaded.add(name)
                if name in ("globals", "exec", "vars", "locals"):
                    self.dynamic = True
        for const in code.co_consts:
            if isinstance(const, CodeType):
                self._names(const, False)

    def _tree(self, tree: ast.Module) -> None:
        self.local = local = _local_names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.name == "*":
                        self.stars.append((node.level, node.module or ""))
                    else:
                        self.imports.append((node.level, node.module or "", alias.name))
            elif isinstance(node, ast.Import):
                self.imports.extend((0, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id not in local:
                    self.attributes.add((node.value.id, node.attr))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in local:
                if not any(isinstance(a, ast.Starred) for a in node.args) and all(
                    k.arg for k in node.keywords
                ):
                    keywords = tuple(sorted(str(k.arg) for k in node.keywords))
                    self.calls.add((node.func.id, len(node.args), keywords))
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    name = alias.asname or alias.name
                    self._alias(name, (statement.level, statement.module or "", alias.name))
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    if alias.asname or "." not in alias.name:
                        self._alias(alias.asname or alias.name, (0, alias.name, ""))
            elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                once = statement.name not in self.functions and not statement.decorator_list
                self.functions[statement.name] = statement.args if once else None
            elif isinstance(statement, (ast.Assign, ast.AugAssign)):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
                    for node in ast.walk(statement.value):
                        if isinstance(node, ast.Constant) and isinstance(node.value, str):
                            self.exports.add(node.value)
        counted: dict[str, int] = {}
        for node in ast.walk(tree):
            for name in _bound(node):
                counted[name] = counted.get(name, 0) + 1
        for name in self.aliases:
            if counted.get(name, 0) != 1:
                self.aliases[name] = None
        for name in self.functions:
            if counted.get(name, 0) != 1:
                self.functions[name] = None

    def _alias(self, name: str, what: tuple[int, str, str]) -> None:
        self.aliases[name] = None if name in self.aliases else what


def _bound(node: ast.AST) -> Iterable[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif (isinstance(node, ast.ExceptHandler) and node.name) or (
        isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name
    ):
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _local_names(tree: ast.Module) -> set[str]:
    """Names that some function or class of the module binds: not judged, since they may hide those of the module."""
    found: set[str] = set()

    def visit(node: ast.AST, inside: bool) -> None:
        if inside:
            found.update(_bound(node))
        within = inside or isinstance(node, INNER)
        for child in ast.iter_child_nodes(node):
            visit(child, within)

    visit(tree, False)
    return found


INNER = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip


class Project:
    """The facts of all modules; `problems` are those of some."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.facts: dict[str, Facts | None] = {}
        for path, data in files.items():
            if path.endswith(".py"):
                self.facts[path] = facts(path, data)
        self.paths = set(self.facts)

    def changed(self, files: Mapping[str, bytes | None]) -> Project:
        """The project with other contents of some files (None: gone)."""
        other = Project({})
        other.facts = dict(self.facts)
        for path, data in files.items():
            if not path.endswith(".py"):
                continue
            if data is None:
                other.facts.pop(path, None)
            else:
                other.facts[path] = facts(path, data)
        other.paths = set(other.facts)
        return other

    def module(self, path: str, level: int, dotted: str) -> list[str] | None:
        """The files that an import may mean; None if it leads out of the project."""
        parts = [p for p in dotted.split(".") if p]
        folders = path.split("/")[:-1]
        if level:
            starts = [folders[: len(folders) - level + 1]] if level <= len(folders) + 1 else []
        else:
            starts = [folders[:n] for n in range(len(folders) + 1)] + [["src"], ["lib"]]
            starts = [s for s in starts if "/".join([*s, "__init__.py"]) not in self.paths]
            if parts and parts[0] in sys.stdlib_module_names:
                starts = []
        for start in starts:
            base = "/".join(start + parts)
            for name in (f"{base}/__init__.py", f"{base}.py"):
                if name.strip("/") in self.paths:
                    return [name.strip("/")]
        return None

    def has(self, path: str, name: str, depth: int = 0) -> bool:
        """Whether a module may have this name."""
        fact = self.facts.get(path)
        if fact is None or depth > 5 or fact.dynamic or "__getattr__" in fact.stored:
            return True
        if name in fact.stored or (name.startswith("__") and name.endswith("__")):
            return True
        if path.endswith("__init__.py"):
            folder = path.rpartition("/")[0]
            inner = f"{folder}/{name}" if folder else name
            if f"{inner}.py" in self.paths or any(p.startswith(inner + "/") for p in self.paths):
                return True
        return any(
            files is None or any(self.has(f, name, depth + 1) for f in files)
            for files in (self.module(path, level, dotted) for level, dotted in fact.stars)
        )

    def problems(self, path: str) -> set[tuple[str, ...]]:
        fact = self.facts.get(path)
        if fact is None:
            return set()
        found: set[tuple[str, ...]] = set()
        for name in fact.loaded - fact.stored - BUILTINS:
            if not fact.dynamic and not self.has(path, name):
                found.add(("not bound", name))
        for name in fact.exports:
            if not self.has(path, name):
                found.add(("exported and not bound", name))
        for level, dotted, name in fact.imports:
            if name:
                files = self.module(path, level, dotted)
                if files is None and level:
                    inner = self.module(path, level, f"{dotted}.{name}" if dotted else name)
                    if inner is None:
                        found.add(("no module", "." * level + dotted))
                if files is not None and not any(self.has(f, name) for f in files):
                    found.add(("not in its module", dotted, name))
        for name, attribute in fact.attributes:
            target = fact.aliases.get(name)
            if target is None or name not in fact.aliases:
                continue
            level, dotted, inner = target
            if inner:
                whole = f"{dotted}.{inner}" if dotted else inner
                files = self.module(path, level, whole)
                outer = self.module(path, level, dotted)
                if outer is not None and any(inner in (self._stored(f)) for f in outer):
                    continue
            else:
                files = self.module(path, level, dotted)
            if files is not None and not any(self.has(f, attribute) for f in files):
                found.add(("not in its module", name, attribute))
        for name, count, keywords in fact.calls:
            parameters = self._function(path, fact, name)
            if parameters is not None and not takes(parameters, count, keywords):
                found.add(("does not fit", name, str(count), *keywords))
        return found

    def _stored(self, path: str) -> set[str]:
        fact = self.facts.get(path)
        return fact.stored if fact is not None else set()

    def _function(self, path: str, fact: Facts, name: str) -> ast.arguments | None:
        if name in fact.functions:
            return fact.functions[name]
        target = fact.aliases.get(name)
        if target is None or not target[2]:
            return None
        files = self.module(path, target[0], target[1])
        other = self.facts.get(files[0]) if files else None
        return other.functions.get(target[2]) if other is not None else None


def takes(parameters: ast.arguments, count: int, keywords: tuple[str, ...]) -> bool:
    normal = [p.arg for p in (*parameters.posonlyargs, *parameters.args)]
    if count > len(normal) and parameters.vararg is None:
        return False
    byname = {p.arg for p in (*parameters.args, *parameters.kwonlyargs)}
    if parameters.kwarg is None and not set(keywords) <= byname:
        return False
    if set(keywords) & set(normal[:count]) and parameters.kwarg is None:
        return False
    needed = normal[: len(normal) - len(parameters.defaults)][count:]
    needed += [p.arg for p, d in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if d is None]
    return set(needed) <= set(keywords)


def named(code: CodeType) -> Iterator[tuple[str, str]]:
    """The instructions that name globals (CPython 3.11: two bytes each, caches among them)."""
    wide = 0
    data = code.co_code
    for at in range(0, len(data), 2):
        op = NAMING.get(data[at], "")
        argument = wide << 8 | data[at + 1]
        wide = argument if op == "EXTENDED_ARG" else 0
        if op and op != "EXTENDED_ARG":
            yield op, code.co_names[argument >> 1 if op == "LOAD_GLOBAL" else argument]


NAMING = {
    dis.opmap[op]: op
    for op in ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "STORE_NAME", "EXTENDED_ARG")
}


@lru_cache(maxsize=512)
def facts(path: str, data: bytes) -> Facts | None:
    try:
        return Facts(path, data)
    except (SyntaxError, ValueError, RecursionError):
        return None
