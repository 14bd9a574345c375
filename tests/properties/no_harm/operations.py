"""Random operations other than renames, most of which keep a program's meaning."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping

from tests.properties.no_harm.bytecode import parsed
from tests.properties.no_harm.renames import Ground, Harm, _quoted, sites

Made = str | None
Maker = Callable[["Place"], Made]
NAME = "made_here"


class Place:
    """One file of a project, and a random choice in it."""

    def __init__(self, ground: Ground, path: str, rng: random.Random) -> None:
        self.ground = ground
        self.path = path
        self.rng = rng
        self.data = ground.files[path]
        self.lines = self.data.decode("utf-8", "surrogateescape").split("\n")
        self.tree = parsed(self.data, path)

    def column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1].encode("utf-8", "surrogateescape")[:offset]
        return len(text.decode("utf-8", "surrogateescape")) + 1

    def at(self, node: ast.AST) -> str:
        """`path:line:column` of a node's first character."""
        line, offset = node.lineno, node.col_offset  # type: ignore[attr-defined]  # of statements and expressions
        return _quoted(f"{self.path}:{line}:{self.column(line, offset)}")

    def span(self, first: ast.AST, last: ast.AST | None = None) -> str:
        """`path:line:column-line:column` from the first character of one node to the last of another."""
        last = last or first
        start, end = first.lineno, last.end_lineno  # type: ignore[attr-defined]  # of statements and expressions
        left = self.column(start, first.col_offset)  # type: ignore[attr-defined]
        right = self.column(end, last.end_col_offset)  # type: ignore[attr-defined]
        return _quoted(f"{self.path}:{start}:{left}-{end}:{right}")

    def defined(self, *kinds: str) -> tuple[str, str] | None:
        """(`path:line:column`, name) of something that the file defines."""
        found = [s for kind in kinds for s in sites(self.data, self.path)[kind]]
        found = [s for s in found if not s[2].startswith("__")]
        if not found:
            return None
        line, column, name = self.rng.choice(found)
        return _quoted(f"{self.path}:{line}:{column}"), name

    def any(self, *types: type[ast.AST], top: bool = False) -> ast.AST | None:
        nodes = self.tree.body if top else ast.walk(self.tree)
        found = [node for node in nodes if isinstance(node, types)]
        return self.rng.choice(found) if found else None

    def function(self) -> tuple[str, ast.FunctionDef] | None:
        found = [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef)]
        if not found:
            return None
        node = self.rng.choice(found)
        line = next(
            (n for n in range(node.lineno, node.lineno + 3) if f"def {node.name}" in self.lines[n - 1]), 0
        )
        if not line:
            return None
        column = self.lines[line - 1].index(f"def {node.name}") + 5
        return _quoted(f"{self.path}:{line}:{column}"), node

    def other(self) -> str:
        """Another module near this one, or a new one."""
        folder = self.path.rpartition("/")[0]
        beside = [p for p in self.ground.python if p.rpartition("/")[0] == folder and p != self.path]
        if beside and self.rng.random() < 0.7:
            return self.rng.choice(beside)
        return f"{folder}/{NAME}.py" if folder else f"{NAME}.py"


def _block(place: Place) -> str | None:
    bodies = [
        getattr(node, field)
        for function in ast.walk(place.tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        for field in ("body", "orelse")
        if isinstance(getattr(node, field, None), list) and getattr(node, field)
    ]
    bodies = [b for b in bodies if all(isinstance(s, ast.stmt) for s in b)]
    if not bodies:
        return None
    body = place.rng.choice(bodies)
    start = place.rng.randrange(len(body))
    stop = min(len(body), start + place.rng.randint(1, 4))
    return place.span(body[start], body[stop - 1])


def _expression(place: Place) -> str | None:
    found = [
        n
        for function in ast.walk(place.tree)
        if isinstance(function, ast.FunctionDef)
        for n in ast.walk(function)
        if isinstance(n, (ast.Call, ast.BinOp, ast.Attribute, ast.Subscript, ast.Compare, ast.BoolOp, ast.List,
                          ast.Tuple, ast.Dict, ast.Constant, ast.IfExp, ast.UnaryOp, ast.JoinedStr, ast.ListComp))
        and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)
        and hasattr(n, "lineno")
    ]  # fmt: skip
    return place.span(place.rng.choice(found)) if found else None


def _ranged(name: str, what: Callable[[Place], str | None], more: str = "") -> Maker:
    def make(place: Place) -> Made:
        span = what(place)
        return f"({name} range: {span} name: '{NAME}'{more})" if span else None

    return make


def _symbol(name: str, *kinds: str, more: str = "") -> Maker:
    def make(place: Place) -> Made:
        found = place.defined(*kinds)
        return f"({name} at: {found[0]}{more})" if found else None

    return make


def _file(name: str, more: str = "", field: str = "file") -> Maker:
    return lambda place: f"({name} {field}: {_quoted(place.path)}{more})"


def _move(place: Place) -> Made:
    node = place.any(ast.FunctionDef, ast.ClassDef, ast.Assign, top=True)
    if node is None:
        return None
    found = [s for kind in ("function", "class", "variable") for s in sites(place.data, place.path)[kind]]
    first, last = node.lineno, node.end_lineno or 0  # type: ignore[attr-defined]  # statements
    found = [s for s in found if first <= s[0] <= last][:1]
    if not found:
        return None
    at = _quoted(f"{place.path}:{found[0][0]}:{found[0][1]}")
    style = place.rng.choice(["", "", " style: 'module'", " style: 'from-module'", " reexport: true"])
    return f"(move-symbol at: {at} to: {_quoted(place.other())}{style})"


def _copy(place: Place) -> Made:
    found = place.defined("function", "class")
    return f"(copy-symbol at: {found[0]} to: {_quoted(place.other())})" if found else None


def _module(place: Place) -> Made:
    name = place.path.rpartition("/")[2]
    if name in ("__init__.py", "__main__.py", "setup.py", "conftest.py"):
        return None
    folder = place.rng.choice(place.ground.python).rpartition("/")[0]
    if folder == place.path.rpartition("/")[0]:
        return None
    return f"(move-module module: {_quoted(place.path)} to: {_quoted(folder)})"


def _add_parameter(place: Place) -> Made:
    found = place.function()
    if found is None:
        return None
    kind = place.rng.choice(
        ["default: 'None'", "value: '0'", "default: '1' value: '2'", "default: 'None' keyword_only: true"]
    )
    index = (
        ""
        if place.rng.random() < 0.5 or "keyword" in kind
        else f" index: {len(found[1].args.args) and place.rng.randint(1, len(found[1].args.args))}"
    )
    return f"(add-parameter at: {found[0]} name: '{NAME}' {kind}{index})"


def _parameters(place: Place) -> tuple[str, list[str]] | None:
    found = place.function()
    if found is None:
        return None
    names = [a.arg for a in found[1].args.args if a.arg not in ("self", "cls")]
    return (found[0], names) if names else None


def _reorder(place: Place) -> Made:
    found = place.function()
    if found is None or len(found[1].args.args) < 2:
        return None
    names = [argument.arg for argument in found[1].args.args]
    fixed = 1 if names[0] in ("self", "cls") else 0
    rest = names[fixed:]
    place.rng.shuffle(rest)
    order = " ".join(_quoted(name) for name in names[:fixed] + rest)
    return f"(reorder-parameters at: {found[0]} order: [{order}])"


def _parameter(name: str, field: str = "name") -> Maker:
    def make(place: Place) -> Made:
        found = _parameters(place)
        if found is None:
            return None
        value = _quoted(place.rng.choice(found[1]))
        return f"({name} at: {found[0]} {field}: {f'[{value}]' if field == 'names' else value})"

    return make


def _function(name: str, more: str = "") -> Maker:
    def make(place: Place) -> Made:
        found = place.function()
        return f"({name} at: {found[0]}{more})" if found else None

    return make


def _member(name: str, more: str = "") -> Maker:
    def make(place: Place) -> Made:
        cls = place.any(ast.ClassDef)
        if not isinstance(cls, ast.ClassDef):
            return None
        node = place.rng.choice(cls.body)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        return f"({name} range: {_quoted(f'{place.path}:{first}-{node.end_lineno}')}{more})"

    return make


def _conversion(name: str, *types: type[ast.AST]) -> Maker:
    def make(place: Place) -> Made:
        node = place.any(*types)
        return f"({name} target: {place.at(node)})" if node is not None else None

    return make


def _rewrite(place: Place) -> Made:
    pattern, template = place.rng.choice(
        [("not $A in $B", "$A not in $B"), ("$A == None", "$A is None"), ("len($A)", "$A.__len__()"),
         ("isinstance($A, $B)", "isinstance($A, $B)"), ("dict()", "{}"), ("list()", "[]"),
         ("if $A:\n    return True\nreturn False", "return bool($A)"), ("$A.get($B, None)", "$A.get($B)"),
         ("not ($A == $B)", "$A != $B"), ("super().__init__($$$A)", "super().__init__($$$A)"),
         ("$A + $B", "$A + $B"), ("$A and $B", "$A and $B"), ("$A % $B", "$A % $B")]
    )  # fmt: skip
    return f"(rewrite pattern: {_quoted(pattern)} template: {_quoted(template)} in: {_quoted(place.path)})"


def _safe_delete(place: Place) -> Made:
    found = place.defined("function", "class", "method")
    return f"(safe-delete target: {found[0]})" if found else None


def _method(place: Place) -> Made:
    cls = place.any(ast.ClassDef)
    if not isinstance(cls, ast.ClassDef):
        return None
    methods = [m for m in cls.body if isinstance(m, ast.FunctionDef)]
    attributes = sorted(
        {
            n.attr
            for m in methods
            for n in ast.walk(m)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
        }
    )
    if not methods or not attributes:
        return None
    method = place.rng.choice(methods)
    line = next(
        (n for n in range(method.lineno, method.lineno + 3) if f"def {method.name}" in place.lines[n - 1]), 0
    )
    if not line:
        return None
    column = place.lines[line - 1].index(f"def {method.name}") + 5
    at = _quoted(f"{place.path}:{line}:{column}")
    return f"(move-method at: {at} attribute: '{place.rng.choice(attributes)}')"


MAKERS: dict[str, Maker] = {
    "extract-function": _ranged("extract-function", _block),
    "extract-function of an expression": _ranged("extract-function", _expression),
    "extract-variable": _ranged("extract-variable", _expression),
    "extract-variable everywhere": _ranged("extract-variable", _expression, " every: true"),
    "extract-constant": _ranged("extract-constant", _expression),
    "extract-field": _ranged("extract-field", _expression),
    "introduce-parameter": _ranged("introduce-parameter", _expression),
    "introduce-parameter as a default": _ranged("introduce-parameter", _expression, " as_default: true"),
    "inline a variable": _symbol("inline", "variable"),
    "inline a function": _symbol("inline", "function", "method"),
    "move-symbol": _move,
    "copy-symbol": _copy,
    "move-module": _module,
    "move-method": _method,
    "add-parameter": _add_parameter,
    "remove-parameter": _parameter("remove-parameter"),
    "reorder-parameters": _reorder,
    "keyword-only": _parameter("keyword-only", "names"),
    "normalise-calls by name": _function("normalise-calls"),
    "normalise-calls by position": _function("normalise-calls", " calls: 'positional'"),
    "inline-default": _parameter("inline-default"),
    "inline-parameter": _parameter("inline-parameter"),
    "remove-unused-imports": _file("remove-unused-imports"),
    "remove-duplicate-imports": _file("remove-duplicate-imports"),
    "sort-imports": _file("sort-imports"),
    "organise-imports": _file("organise-imports"),
    "expand-star-import": _file("expand-star-import"),
    "absolute-imports": _file("absolute-imports"),
    "relative-imports": _file("relative-imports"),
    "froms-to-imports": _file("froms-to-imports"),
    "module-to-package": _file("module-to-package", field="module"),
    "encapsulate-field": _symbol("encapsulate-field", "attribute"),
    "local-to-field": _symbol("local-to-field", "variable"),
    "invert-boolean": _symbol("invert-boolean", "variable", "attribute", more=f" new: '{NAME}'"),
    "introduce-factory": _symbol("introduce-factory", "class", more=f" name: '{NAME}'"),
    "extract-superclass": _member("extract-superclass", " name: 'MadeHere'"),
    "pull-up": _member("pull-up"),
    "push-down": _member("push-down"),
    "make-top-level": _member("make-top-level"),
    "delete-unused": _symbol("delete-unused", "function", "class", "variable"),
    "safe-delete": _safe_delete,
    "use-function": _symbol("use-function", "function"),
    "method-object": _function("method-object", " name: 'MadeHere'"),
    "make-static": _conversion("make-static", ast.FunctionDef),
    "to-f-string": _conversion("to-f-string", ast.Call, ast.BinOp),
    "guard-clause": _conversion("guard-clause", ast.If),
    "if-to-match": _conversion("if-to-match", ast.If),
    "match-to-if": _conversion("match-to-if", ast.Match),
    "rewrite": _rewrite,
}  # fmt: skip


def trial(
    ground: Ground, rng: random.Random, only: str = ""
) -> tuple[str, str, str, Mapping[str, bytes | None]]:
    """(operation, `done`, `refused` or `left out`, program, changes). Raises `Harm` with the program in its notes."""
    name = only or rng.choice(list(MAKERS))
    place = Place(ground, rng.choice(ground.python), rng)
    program = MAKERS[name](place)
    if program is None:
        return name, "left out", "", {}
    try:
        applied = ground.apply(program)
        if applied is None:
            return name, "refused", program, {}
        if not applied[0].changes:
            return name, "left out", program, {}
        ground.judged(applied[1])
        for path, data in applied[1].items():
            if path.endswith(".py") and data is not None and path not in ground.files:
                if ground.project.changed({path: data}).facts[path] is None:
                    raise Harm(f"{path} does not compile")
    except Exception as error:
        error.add_note(f"{ground.name}: {program}")
        raise
    return name, "done", program, applied[1]
