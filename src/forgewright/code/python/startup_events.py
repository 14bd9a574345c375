"""What a module does while it is imported, in order: names it binds and reads, and modules it imports."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

Kind = Literal["bind", "load", "member", "import", "from", "star", "unsure", "sure"]


class Event(NamedTuple):
    kind: Kind
    line: int
    name: str
    """A name of the module; of `import` the name it binds, of `member` the one whose attribute is read."""
    module: tuple[str, ...] = ()
    level: int = 0
    member: str = ""
    """What is taken from the module, or from what `name` stands for."""


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def events(data: bytes) -> list[Event] | None:
    """None where this Python cannot parse the module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return None
    later = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
    return list(_Walk(later).block(tree.body, None))


class _Walk:
    def __init__(self, later: bool) -> None:
        self.later = later
        """Annotations are not evaluated."""

    def block(self, body: Iterable[ast.stmt], own: set[str] | None) -> Iterator[Event]:
        """`own`: the names that the class around has bound so far; None at the top of the module."""
        for statement in body:
            yield from self.statement(statement, own)

    def statement(self, node: ast.stmt, own: set[str] | None) -> Iterator[Event]:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield from self.definition(node, own)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from self.imported(node, own)
        elif isinstance(node, ast.If):
            yield from self.test(node, own)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            if node.handlers:
                yield Event("unsure", node.lineno, "")
            yield from self.block(node.body, own)
            for handler in node.handlers:
                if handler.name:
                    yield from self.bind(handler.name, node.lineno, own)
                yield from self.block(handler.body, own)
            if node.handlers:
                yield Event("sure", node.lineno, "")
            yield from self.block([*node.orelse, *node.finalbody], own)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            yield from self.expression(node.iter, own)
            yield from self.target(node.target, own)
            yield from self.block([*node.body, *node.orelse], own)
        elif isinstance(node, ast.While):
            yield from self.expression(node.test, own)
            yield from self.block([*node.body, *node.orelse], own)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                yield from self.expression(item.context_expr, own)
                if item.optional_vars is not None:
                    yield from self.target(item.optional_vars, own)
            yield from self.block(node.body, own)
        elif isinstance(node, ast.Match):
            yield from self.expression(node.subject, own)
            for case in node.cases:
                for part in ast.walk(case.pattern):
                    name = getattr(part, "name", None) or getattr(part, "rest", None)
                    if isinstance(name, str):
                        yield from self.bind(name, node.lineno, own)
                yield from self.block(case.body, own)
        else:
            yield from self.simple(node, own)

    def simple(self, node: ast.stmt, own: set[str] | None) -> Iterator[Event]:
        if isinstance(node, ast.AnnAssign):
            if not self.later:
                yield from self.expression(node.annotation, own)
            if node.value is not None:
                yield from self.expression(node.value, own)
                yield from self.target(node.target, own)
            return
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr):
            yield from self.expression(value, own)
        elif not isinstance(node, (ast.Global, ast.Nonlocal, ast.Delete)):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from self.expression(child, own)
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        for target in targets if not isinstance(node, ast.Delete) else ():
            if isinstance(target, ast.expr):
                yield from self.target(target, own)

    def test(self, node: ast.If, own: set[str] | None) -> Iterator[Event]:
        yield from self.expression(node.test, own)
        name = node.test.attr if isinstance(node.test, ast.Attribute) else getattr(node.test, "id", "")
        if name != "TYPE_CHECKING":
            yield Event("unsure", node.lineno, "")
            yield from self.block(node.body, own)
            yield from self.block(node.orelse, own)
            yield Event("sure", node.lineno, "")
        else:
            yield from self.block(node.orelse, own)

    def definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, own: set[str] | None
    ) -> Iterator[Event]:
        for decorator in node.decorator_list:
            yield from self.expression(decorator, own)
        if isinstance(node, ast.ClassDef):
            for base in (*node.bases, *(keyword.value for keyword in node.keywords)):
                yield from self.expression(base, own)
            # A generic class's parameters are names of its own.
            parameters = {p.name for p in getattr(node, "type_params", ())}
            yield from self.block(node.body, {*parameters, "__module__", "__qualname__"})
        else:
            arguments = node.args
            for default in (*arguments.defaults, *arguments.kw_defaults):
                if default is not None:
                    yield from self.expression(default, own)
            if not self.later and not getattr(node, "type_params", ()):
                every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
                for argument in (*every, arguments.vararg, arguments.kwarg):
                    if argument is not None and argument.annotation is not None:
                        yield from self.expression(argument.annotation, own)
                if node.returns is not None:
                    yield from self.expression(node.returns, own)
        yield from self.bind(node.name, node.lineno, own)

    def imported(self, node: ast.Import | ast.ImportFrom, own: set[str] | None) -> Iterator[Event]:
        for alias in node.names:
            if isinstance(node, ast.Import):
                parts = tuple(alias.name.split("."))
                name = alias.asname or parts[0]
                yield Event("import", node.lineno, name if own is None else "", parts)
            else:
                parts = tuple((node.module or "").split(".")) if node.module else ()
                name = alias.asname or alias.name
                if alias.name == "*":
                    yield Event("star", node.lineno, "", parts, node.level)
                    continue
                yield Event("from", node.lineno, name if own is None else "", parts, node.level, alias.name)
            if own is not None:
                own.add(name)

    def bind(self, name: str, line: int, own: set[str] | None) -> Iterator[Event]:
        if own is None:
            yield Event("bind", line, name)
        else:
            own.add(name)

    def target(self, node: ast.expr, own: set[str] | None) -> Iterator[Event]:
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                if isinstance(part.ctx, ast.Store):
                    yield from self.bind(part.id, part.lineno, own)
                elif own is None or part.id not in own:
                    yield Event("load", part.lineno, part.id)

    def expression(self, node: ast.expr, own: set[str] | None) -> Iterator[Event]:
        hidden = own or set()
        if isinstance(node, ast.Lambda):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    yield from self.expression(default, own)
            return
        if isinstance(node, _COMPREHENSIONS):
            yield from self.expression(node.generators[0].iter, own)
            return
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and node.id not in hidden:
                yield Event("load", node.lineno, node.id)
            return
        if isinstance(node, (ast.BoolOp, ast.IfExp)):
            # Which parts are evaluated is not known, but for the first.
            first = node.values[0] if isinstance(node, ast.BoolOp) else node.test
            yield from self.expression(first, own)
            return
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id not in hidden:
                yield Event("member", node.lineno, node.value.id, member=node.attr)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from self.expression(child, own)
            elif isinstance(child, ast.keyword):
                yield from self.expression(child.value, own)
        if isinstance(node, ast.NamedExpr):
            yield from self.bind(node.target.id, node.lineno, own)
