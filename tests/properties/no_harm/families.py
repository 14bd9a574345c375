"""Which member of a class overrides which: told from the syntax alone, to be compared before and after."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from tests.properties.no_harm.bytecode import parsed
from tests.properties.no_harm.lint import Project

Name = tuple[str, str]
"""(path, dotted name) of a class."""


class Class:
    """A class: its bases as they are written, and the members that it sets itself."""

    def __init__(self, path: str, node: ast.ClassDef, dotted: str) -> None:
        self.name = (path, dotted)
        self.bases = [ast.unparse(base) for base in node.bases]
        self.members: set[str] = set()
        for child in node.body:
            self._body(child)

    def _body(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.members.add(node.name)
            first = [a.arg for a in (*node.args.posonlyargs, *node.args.args)][:1]
            static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and not static:
                    if isinstance(inner.value, ast.Name) and [inner.value.id] == first:
                        self.members.add(inner.attr)
            return
        if isinstance(node, ast.ClassDef):
            self.members.add(node.name)
            return
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                self.members.add(inner.id)


def classes(path: str, data: bytes) -> list[Class]:
    found: list[Class] = []

    def visit(node: ast.AST, dotted: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                name = f"{dotted}.{child.name}" if dotted else child.name
                found.append(Class(path, child, name))
                visit(child, name)
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                visit(child, f"{dotted}.{child.name}" if dotted else child.name)
            else:
                visit(child, dotted)

    try:
        visit(parsed(data, path), "")
    except (SyntaxError, ValueError, RecursionError):
        return []
    return found


class Families:
    """All classes of a project."""

    def __init__(self, project: Project, by_file: Mapping[str, list[Class]]) -> None:
        self.project = project
        self.by_file = by_file
        self.by_name = {cls.name: cls for found in by_file.values() for cls in found}

    def ancestors(self, cls: Class, seen: frozenset[Name] = frozenset()) -> list[Class]:
        found: list[Class] = []
        for base in cls.bases:
            target = self.resolve(cls.name[0], cls.name[1], base)
            if target is not None and target.name not in seen and target is not cls:
                found.append(target)
                found += self.ancestors(target, seen | {cls.name, target.name})
        return found

    def resolve(self, path: str, dotted: str, base: str) -> Class | None:
        """The class that a base's name means, where the top level of the files tells."""
        outer = dotted.rpartition(".")[0]
        if outer and (path, f"{outer}.{base}") in self.by_name:
            return self.by_name[path, f"{outer}.{base}"]
        return self._top(path, base, 0)

    def _top(self, path: str, base: str, depth: int) -> Class | None:
        if (path, base) in self.by_name:
            return self.by_name[path, base]
        fact = self.project.facts.get(path)
        head, _, rest = base.partition(".")
        target = fact.aliases.get(head) if fact is not None else None
        if target is None or depth > 4:
            return None
        level, module, name = target
        if rest:
            whole = f"{module}.{name}" if name and module else name or module
            files = self.project.module(path, level, whole)
            return self._top(files[0], rest, depth + 1) if files else None
        files = self.project.module(path, level, module)
        return self._top(files[0], name, depth + 1) if files and name else None


def kept(before: Families, after: Families, old: str, new: str) -> str:
    """Empty if each member overrides the same ones after `old` has become `new` in some classes; else where not."""
    twin: dict[int, Class] = {}
    for path, listed in before.by_file.items():
        others = after.by_file.get(path, [])
        if len(others) != len(listed):
            return f"{path}: {len(listed)} classes became {len(others)}"
        twin.update((id(cls), other) for cls, other in zip(listed, others, strict=True))
    for listed in before.by_file.values():
        for cls in listed:
            if not cls.members & {old, new}:
                continue
            other = twin[id(cls)]
            if len(cls.members) != len(other.members):
                return f"{cls.name}: {old} and {new} have become one"
            for member in cls.members & {old, new}:
                now = new if member == old and old not in other.members else member
                was = {a.name for a in before.ancestors(cls) if member in a.members}
                is_ = {a.name for a in before.ancestors(cls) if now in twin[id(a)].members}
                if was != is_:
                    return f"{cls.name}.{member} overrode {sorted(was)}, and {now} overrides {sorted(is_)}"
    return ""
