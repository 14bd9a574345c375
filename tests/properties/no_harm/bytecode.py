"""Whether two versions of a module are the same program but for one name: compiled, and compared instruction by instruction.

Names of variables are compared by what they are bound to as well: two uses that meant one variable before mean
one variable after, and two that did not, do not.
"""

from __future__ import annotations

import ast
import dis
import warnings
from functools import lru_cache
from types import CodeType
from typing import Any

LOCAL = frozenset({"LOAD_FAST", "STORE_FAST", "DELETE_FAST"})
CELL = frozenset(
    {"LOAD_DEREF", "STORE_DEREF", "DELETE_DEREF", "LOAD_CLOSURE", "MAKE_CELL", "LOAD_CLASSDEREF"}
)
GLOBAL = frozenset({"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "STORE_NAME", "DELETE_NAME"})
IGNORED = frozenset({"EXTENDED_ARG", "PUSH_NULL", "CACHE"})
UNORDERED = frozenset({"MAKE_CELL", "LOAD_CLOSURE"})
"""Instructions whose order within a run follows the alphabet of the names."""


class Different(AssertionError):
    """The two are not the same program."""


class Comparison:
    """Compares the code of a file before and after; `globals` maps the module's names to those after."""

    def __init__(self, old: str, new: str) -> None:
        self.old = old
        self.new = new
        self.globals: dict[str, str] = {}
        self._taken: dict[object, dict[str, str]] = {}
        self._means: dict[object, dict[str, str]] = {}

    def modules(self, before: bytes, after: bytes, path: str) -> None:
        """Raises `Different`."""
        plain = compiled(before, path), compiled(after, path)
        self.code(*plain, (), ("", ""))
        self._taken.clear()
        self._means.clear()
        self.code(widened(before, path), widened(after, path), (), ("", ""))
        self.globals = dict(self._means.get("globals", {}))

    def code(self, b: CodeType, a: CodeType, outer: tuple[CodeType, ...], classes: tuple[str, str]) -> None:
        where = f"{b.co_qualname} at line {b.co_firstlineno}"
        for field in ("co_argcount", "co_kwonlyargcount", "co_posonlyargcount", "co_flags"):
            if getattr(b, field) != getattr(a, field):
                raise Different(f"{where}: {field} {getattr(b, field)} became {getattr(a, field)}")
        if not self.same_text(b.co_qualname, a.co_qualname):
            raise Different(f"{where}: became {a.co_qualname}")
        body = not b.co_flags & 2 and bool(outer)
        if body:
            classes = (b.co_name, a.co_name)
        if self.untouched(b, a):
            for left, right in zip(b.co_consts, a.co_consts, strict=True):
                if isinstance(left, CodeType) and isinstance(right, CodeType):
                    self.code(left, right, (*outer, b), classes)
            return
        before, after = instructions(b), instructions(a)
        if len(before) != len(after):
            raise Different(f"{where}: {len(before)} instructions became {len(after)}")
        stored = {name for op, name in before if op == "STORE_NAME"} if body else set()
        index = 0
        while index < len(before):
            stop = index + 1
            if before[index][0] in UNORDERED:
                while stop < len(before) and before[stop][0] == before[index][0]:
                    stop += 1
                self.run(before[index:stop], after[index:stop], where, classes, b, outer)
                index = stop
                continue
            (op, left), (other, right) = before[index], after[index]
            if op != other:
                raise Different(f"{where}: {op} {left!r} became {other} {right!r}")
            if isinstance(left, CodeType) and isinstance(right, CodeType):
                self.code(left, right, (*outer, b), classes)
            elif stop < len(before) and before[stop] == after[stop] == (
                "STORE_NAME",
                "__static_attributes__",
            ):
                pass  # Python 3.13: what is assigned to attributes of a first parameter that is named `self`
            elif not self.value(op, left, right, classes):
                raise Different(f"{where}: {op} {left!r} became {right!r}")
            if isinstance(left, str):
                self.bound(
                    op, left, plain(left, classes[0]), plain(right, classes[1]), b, outer, stored, where
                )
            index = stop
        for left, right in zip(
            b.co_varnames[: b.co_argcount + b.co_kwonlyargcount], a.co_varnames, strict=False
        ):
            x, y = plain(left, classes[0]), plain(right, classes[1])
            if not self.same(x, y):
                raise Different(f"{where}: parameter {left} became {right}")
            self.bound("STORE_FAST", left, x, y, b, outer, stored, where)

    def untouched(self, b: CodeType, a: CodeType) -> bool:
        """Whether neither name stands in this code, and all but the code inside it is the same."""
        if b.co_code != a.co_code or len(b.co_consts) != len(a.co_consts):
            return False
        if (b.co_names, b.co_varnames, b.co_cellvars, b.co_freevars) != (
            a.co_names, a.co_varnames, a.co_cellvars, a.co_freevars,
        ):  # fmt: skip
            return False
        ends = (self.old, self.new)
        if any(n.endswith(ends) for n in (*b.co_names, *b.co_varnames, *b.co_cellvars, *b.co_freevars)):
            return False
        return all(
            isinstance(x, CodeType) or (type(x) is type(y) and x == y)
            for x, y in zip(b.co_consts, a.co_consts, strict=True)
        )

    def run(
        self,
        before: list[tuple[str, Any]],
        after: list[tuple[str, Any]],
        where: str,
        classes: tuple[str, str],
        code: CodeType,
        outer: tuple[CodeType, ...],
    ) -> None:
        """Instructions in the order of the alphabet: the same names, but for the changed one."""
        left = sorted(plain(name, classes[0]) for _, name in before)
        right = sorted(plain(name, classes[1]) for _, name in after)
        for name in list(left):
            if name in right:
                left.remove(name)
                right.remove(name)
        if (
            any(op != before[0][0] for op, _ in after)
            or len(left) > 1
            or (left, right)
            not in (
                ([], []),
                ([self.old], [self.new]),
            )
        ):
            raise Different(f"{where}: the closure {left} became {right}")

    def value(self, op: str, left: object, right: object, classes: tuple[str, str]) -> bool:
        if type(left) is not type(right):
            return False
        if op == "IMPORT_NAME":
            assert isinstance(left, str)
            assert isinstance(right, str)
            return len(left.split(".")) == len(right.split(".")) and all(
                map(self.same, left.split("."), right.split("."))
            )
        if isinstance(left, str) and isinstance(right, str):
            if op in LOCAL | CELL | GLOBAL or op.endswith("_ATTR") or op == "IMPORT_FROM":
                return self.same(plain(left, classes[0]), plain(right, classes[1]))
            # A parameter that is annotated is named by a string, which the class mangles too.
            return self.same_text(left, right) or self.same(plain(left, classes[0]), plain(right, classes[1]))
        if isinstance(left, tuple) and isinstance(right, tuple):
            return len(left) == len(right) and all(
                self.value("", x, y, classes) for x, y in zip(left, right, strict=True)
            )
        return left == right

    def same(self, left: str, right: str) -> bool:
        return left == right or (left == self.old and right == self.new)

    def same_text(self, left: str, right: str) -> bool:
        """Strings that hold names: of annotations, of `__all__`, of `__qualname__`."""
        if left == right:
            return True
        import re

        ours = re.split(r"(\W+)", left)
        theirs = re.split(r"(\W+)", right)
        return len(ours) == len(theirs) and all(map(self.same, ours, theirs))

    def bound(
        self,
        op: str,
        raw: str,
        left: str,
        right: str,
        code: CodeType,
        outer: tuple[CodeType, ...],
        stored: set[str],
        where: str,
    ) -> None:
        key: object
        if op in LOCAL:
            key = id(code)
        elif op in CELL:
            if op == "LOAD_CLASSDEREF":
                return
            owners = [c for c in (*outer, code) if raw in c.co_cellvars]
            if not owners:
                return
            key = id(owners[-1])
        elif op in GLOBAL:
            if outer and not code.co_flags & 2 and op.endswith("_NAME"):
                if op == "LOAD_NAME" and left in stored:
                    return  # of the class or of the module: known only when it runs
                key = id(code) if left in stored else "globals"
            else:
                key = "globals"
        else:
            return
        means = self._means.setdefault(key, {})
        taken = self._taken.setdefault(key, {})
        if means.setdefault(left, right) != right:
            raise Different(f"{where}: {left} is {means[left]} in one place and {right} in another")
        if taken.setdefault(right, left) != left:
            raise Different(f"{where}: {left} and {taken[right]} have both become {right}")


def plain(name: str, cls: str) -> str:
    """A private name without the class that it was mangled with."""
    prefix = f"_{cls.lstrip('_')}__"
    return name[len(prefix) - 2 :] if cls.lstrip("_") and name.startswith(prefix) else name


def instructions(code: CodeType) -> list[tuple[str, Any]]:
    """(operation, argument), jumps as numbers of instructions."""
    found = [i for i in dis.get_instructions(code) if i.opname not in IGNORED]
    number: dict[int, int] = {}
    pending: list[int] = []
    index = 0
    for i in dis.get_instructions(code):
        if i.opname in IGNORED:
            pending.append(i.offset)
            continue
        number[i.offset] = index
        for offset in pending:
            number[offset] = index
        pending.clear()
        index += 1
    jumps = set(dis.hasjrel) | set(dis.hasjabs)
    # A method of what some import of the file names is loaded in two steps.
    return [
        (
            i.opname.replace("LOAD_METHOD", "LOAD_ATTR"),
            number.get(i.argval, i.argval) if i.opcode in jumps else i.argval,
        )
        for i in found
    ]


@lru_cache(maxsize=256)
def compiled(data: bytes, path: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(data, path, "exec", dont_inherit=True)


def parsed(data: bytes, path: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(data, path)


@lru_cache(maxsize=256)
def widened(data: bytes, path: str) -> CodeType:
    """The module compiled so that every annotation is evaluated: quoted, local, or put off by a future import."""
    tree = ast.fix_missing_locations(Widen().visit(parsed(data, path)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


class Widen(ast.NodeTransformer):
    def __init__(self) -> None:
        self.function = False

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module == "__future__":
            node.names = [a for a in node.names if a.name != "annotations"] or [ast.alias("division")]
        return node

    def _function(self, node: Any) -> ast.AST:
        arguments = node.args
        for arg in (
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ):
            if arg is not None and arg.annotation is not None:
                arg.annotation = unquoted(arg.annotation)
        if node.returns is not None:
            node.returns = unquoted(node.returns)
        around, self.function = self.function, True
        self.generic_visit(node)
        self.function = around
        return node  # type: ignore[no-any-return]  # an ast.AST

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        around, self.function = self.function, False
        self.generic_visit(node)
        self.function = around
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.annotation = unquoted(node.annotation)
        self.generic_visit(node)
        return [ast.Expr(node.annotation, lineno=node.lineno, col_offset=0), node] if self.function else node


def unquoted(node: ast.expr) -> ast.expr:
    """An annotation with the names in its strings as names."""

    class Unquote(ast.NodeTransformer):
        def visit_Constant(self, constant: ast.Constant) -> ast.AST:
            if isinstance(constant.value, str):
                try:
                    inner = ast.parse(constant.value.strip(), mode="eval").body
                except (SyntaxError, ValueError):
                    return constant
                for part in ast.walk(inner):
                    if isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr)):
                        return constant
                return inner
            return constant

        def visit_Subscript(self, subscript: ast.Subscript) -> ast.AST:
            name = ast.unparse(subscript.value).rpartition(".")[2]
            if name == "Literal":
                return subscript
            if name == "Annotated":
                return subscript
            return self.generic_visit(subscript)

    return Unquote().visit(node)  # type: ignore[no-any-return]  # an ast.expr
