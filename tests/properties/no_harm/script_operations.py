"""Random operations of JavaScript and TypeScript other than renames; TypeScript's compiler judges each.

What keeps a program's meaning must give the compiler nothing new to say. What takes code away must still leave every
name bound and every import found.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from posixpath import dirname, relpath, splitext

from tests.properties.no_harm.renames import Harm, _quoted
from tests.properties.no_harm.scripts import Ground
from tree_sitter import Node

from forgewright.code.engine import Plan
from forgewright.code.languages import language_of
from forgewright.code.selectors import nodes
from forgewright.code.selectors.positions import node_at
from forgewright.code.selectors.select import descendants
from forgewright.code.sources import MemoryProject, SourceFile
from forgewright.code.validity import broken
from forgewright.core.errors import ForgewrightError

Made = str | None
Maker = Callable[["Place"], Made]
NAME = "madeHere"
NEUTRAL = "void 0;"

UNBOUND = frozenset(
    ("TS2304", "TS2305", "TS2306", "TS2307", "TS2459", "TS2503", "TS2552", "TS2614", "TS2724", "TS18004")
)
"""The compiler's words for a name or module that is not there; syntax errors are `TS1…`."""
EXPRESSIONS = ("call_expression", "binary_expression", "member_expression", "subscript_expression", "new_expression",
               "ternary_expression", "unary_expression", "arrow_function", "object", "array", "string",
               "template_string", "number", "await_expression", "parenthesized_expression")  # fmt: skip
REWRITES = [
    ("$A === $B", "($A === $B)"), ("$A !== undefined", "undefined !== $A"), ("!$A", "!($A)"),
    ("return $A", "return ($A)"), ("throw $E", "throw ($E)"), ("$A ? $B : $C", "($A ? $B : $C)"),
    ("$F($A)", "$F(($A))"), ("$F($$$A)", "($F)($$$A)"), ("() => $A", "() => ($A)"), ("await $A", "await ($A)"),
    ("$A && $B", "($A) && ($B)"), ("$A || $B", "($A || $B)"), ("[...$A]", "[...($A)]"),
    ("if ($A) { $$$B }", "if (($A)) { $$$B }"), ("function $F($$$A) { $$$B }", "function $F($$$A) { void 0; $$$B }"),
    ("for (const $A of $B) { $$$C }", "for (const $A of ($B)) { void 0; $$$C }"), ("$A + $B", "($A) + ($B)"),
    ("while ($A) { $$$B }", "while ($A) { void 0; $$$B }"), ("$A[$B]", "$A[($B)]"), ("const $A = $B", "const $A = ($B)"),
    ("export const $A = $B", "export const $A = ($B)"), ("let $A = $B", "let $A = ($B)"), ("typeof $A", "typeof ($A)"),
]  # fmt: skip


class Place:
    """One file of a package, and a random choice in it."""

    def __init__(self, ground: Ground, path: str, rng: random.Random) -> None:
        self.ground = ground
        self.path = path
        self.rng = rng
        self.source = SourceFile(path, ground.files[path])
        self._project = MemoryProject({path: ground.files[path]})
        self.nodes = list(descendants(self.source.tree.root_node))

    def any(self, *types: str) -> Node | None:
        """One that a position names."""
        return self._named([node for node in self.nodes if node.type in types], self.at)

    def statement(self) -> Node | None:
        """One that a line names."""
        found = [n for n in self.nodes if nodes.is_statement(n) and n.parent is not None]
        return self._named(
            [n for n in found if n.parent and n.parent.type in ("program", "statement_block")], self.line
        )

    def _named(self, found: list[Node], place: Callable[[Node], str]) -> Node | None:
        for node in self.rng.sample(found, min(len(found), 30)):
            there = node_at(self._project, place(node)[1:-1]).node
            if (there.start_byte, there.end_byte, there.type) == (node.start_byte, node.end_byte, node.type):
                return node
        return None

    def line(self, node: Node) -> str:
        return _quoted(f"{self.path}:{node.start_point.row + 1}")

    def at(self, node: Node) -> str:
        """`path:line:column` of a node's first character."""
        line = self.source.data[self.source.data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
        return _quoted(f"{self.path}:{node.start_point.row + 1}:{len(line.decode()) + 1}")

    def lines(self, node: Node) -> str:
        return _quoted(f"{self.path}:{node.start_point.row + 1}-{node.end_point.row + 1}")

    def text(self, node: Node) -> str:
        return self.source.data[node.start_byte : node.end_byte].decode()


def _targeted(name: str, more: str, *types: str) -> Maker:
    """An operation on a node of one of these types; on a statement without them."""

    def make(place: Place) -> Made:
        node = place.any(*types) if types else place.statement()
        if node is None:
            return None
        return f"({name} target: {place.at(node) if types else place.line(node)}{more})"

    return make


def _parenthesised(place: Place) -> Made:
    node = place.any(*EXPRESSIONS)
    if node is None or not nodes.is_expression(node) or node.parent is None or node.parent.type == "pair":
        return None
    return f"(replace-node target: {place.at(node)} code: {_quoted('(' + place.text(node) + ')')})"


def _rewrite(place: Place) -> Made:
    pattern, template = place.rng.choice(REWRITES)
    where = "" if place.rng.random() < 0.3 else f" in: {_quoted(place.path)}"
    return f"(rewrite pattern: {_quoted(pattern)} template: {_quoted(template)}{where})"


def _wrap(place: Place) -> Made:
    node = place.statement()
    if node is None or node.type in ("import_statement", "export_statement", "lexical_declaration", "return_statement",
                                     "class_declaration", "function_declaration") or "declaration" in node.type:  # fmt: skip
        return None
    template = place.rng.choice(
        ["{\n  $BODY\n}", "if (true) {\n  $BODY\n}", "do {\n  $BODY\n} while (false);"]
    )
    return f"(wrap range: {place.lines(node)} template: {_quoted(template)})"


def _module(place: Place, other: str) -> str:
    found = relpath(other, dirname(place.path) or ".")
    return splitext(found if found.startswith(".") else "./" + found)[0]


def _imported(place: Place) -> str | None:
    node = place.any("import_statement")
    source = node.child_by_field_name("source") if node is not None else None
    return place.text(source)[1:-1] if source is not None else None


def _add_import(place: Place) -> Made:
    other = place.rng.choice(place.ground.paths)
    names = [
        place.ground.files[other][n.start_byte : n.end_byte].decode()
        for d in descendants(SourceFile(other, place.ground.files[other]).tree.root_node)
        if d.type == "export_statement" and (inner := d.child_by_field_name("declaration")) is not None
        if (n := inner.child_by_field_name("name")) is not None
    ]
    if other == place.path or not names or place.any("import_statement") is None:
        return None
    name = place.rng.choice(names)
    return f"(add-import module: {_quoted(_module(place, other))} name: '{name}' in: {_quoted(place.path)})"


def _remove_import(place: Place) -> Made:
    module = _imported(place)
    return f"(remove-import module: {_quoted(module)} in: {_quoted(place.path)})" if module else None


def _move_file(place: Place) -> Made:
    folder = place.rng.choice(
        [dirname(place.rng.choice(place.ground.paths)), f"{dirname(place.path)}/{NAME}"]
    )
    target = f"{folder}/{NAME}{splitext(place.path)[1]}".lstrip("/")
    return f"(move-file path: {_quoted(place.path)} to: {_quoted(target)})"


def _symbol(name: str, more: str, *types: str) -> Maker:
    def make(place: Place) -> Made:
        node = place.any(*types)
        found = node.child_by_field_name("name") if node is not None else None
        return f"({name} symbol: {place.at(found)}{more})" if found is not None else None

    return make


def _parameter(name: str) -> Maker:
    def make(place: Place) -> Made:
        node = place.any("function_declaration", "method_definition")
        found = node.child_by_field_name("parameters") if node is not None else None
        names = (
            [n for n in found.named_children if n.type in ("identifier", "required_parameter")]
            if found
            else []
        )
        if node is None or not names:
            return None
        label = node.child_by_field_name("name")
        taken = place.rng.choice(names)
        taken = taken.child_by_field_name("pattern") or taken
        return f"({name} at: {place.at(label or node)} name: {_quoted(place.text(taken))})"

    return make


def _add_parameter(place: Place) -> Made:
    node = place.any("function_declaration", "method_definition")
    label = node.child_by_field_name("name") if node is not None else None
    kind = place.rng.choice(["default: '1'", "value: '0'", "type: 'number' default: '1'"])
    return f"(add-parameter at: {place.at(label)} name: '{NAME}' {kind})" if label is not None else None


_FUNCTIONS = ("function_declaration", "method_definition", "arrow_function", "function_expression")
_DEFINED = ("function_declaration", "class_declaration", "interface_declaration", "type_alias_declaration",
            "method_definition", "variable_declarator", "enum_declaration")  # fmt: skip

MAKERS: dict[str, tuple[Maker, bool]] = {
    "insert-before": (_targeted("insert-before", f" code: '{NEUTRAL}'"), True),
    "insert-after": (_targeted("insert-after", f" code: '{NEUTRAL}'"), True),
    "insert-first": (_targeted("insert-first", f" code: '{NEUTRAL}'", *_FUNCTIONS), True),
    "insert-last": (_targeted("insert-last", f" code: '{NEUTRAL}'", *_FUNCTIONS), True),
    "insert a member": (_targeted("insert-last", f" code: '{NAME}() {{}}'", "class_declaration"), True),
    "replace-node by itself in parentheses": (_parenthesised, True),
    "replace-body": (_targeted("replace-body", " code: 'throw new Error();'", *_FUNCTIONS), False),
    "delete-node": (_targeted("delete-node", ""), False),
    "delete-node of an item": (_targeted("delete-node", "", "pair", "import_specifier", "export_specifier",
                                         "method_definition", "enum_assignment", "property_signature"), False),
    "safe-delete": (_targeted("safe-delete", "", *_DEFINED), True),
    "wrap": (_wrap, True),
    "unwrap": (_targeted("unwrap", "", "if_statement", "for_statement", "try_statement", "while_statement"), False),
    "guard-clause": (_targeted("guard-clause", "", "if_statement"), True),
    "rewrite": (_rewrite, True),
    "add-import": (_add_import, True),
    "remove-import": (_remove_import, True),
    "set-modifiers": (_targeted("set-modifiers", " remove: [export]", *_DEFINED), False),
    "move-file": (_move_file, True),
    "extract-interface": (_symbol("extract-interface", " name: 'MadeHere'", "class_declaration"), True),
    "add-parameter": (_add_parameter, True),
    "remove-parameter": (_parameter("remove-parameter"), False),
    "inline": (_symbol("inline", "", "variable_declarator", "function_declaration"), True),
    "move-symbol": (_symbol("move-symbol", f" to: 'src/{NAME}.ts'", *_DEFINED), True),
}  # fmt: skip
"""Operation → its maker, and whether it keeps the program's meaning."""


def trial(ground: Ground, rng: random.Random, only: str = "") -> tuple[str, str]:
    """(operation, `done`, `refused` or `left out`). Raises `Harm` with the program in its notes."""
    name = only or rng.choice(list(MAKERS))
    maker, keeps = MAKERS[name]
    program = maker(Place(ground, rng.choice(ground.paths), rng))
    if program is None:
        return name, "left out"
    try:
        try:
            plan = ground.engine.plan(program)
        except ForgewrightError as error:
            return name, "left out" if "not known for" in error.message else "refused"
        if not plan.changes:
            return name, "left out"
        _parses(plan)
        committed = ground.engine.commit(plan)
        try:
            after = ground.mistakes([new for _, new in plan.moves])
        finally:
            ground.engine.commit(ground.engine.undo(committed.undo))
        for change in plan.changes:
            here = ground.root / change.path
            if (here.read_bytes() if here.exists() else None) != change.before:
                raise Harm(f"undo does not give back {change.path}")
        _judge(ground, plan, after, keeps)
    except Exception as error:
        error.add_note(f"{ground.name}: {program}")
        raise
    return name, "done"


def _parses(plan: Plan) -> None:
    moved = {new: old for old, new in plan.moves}
    before = {change.path: change.before for change in plan.changes}
    for change in plan.changes:
        if change.after is None or language_of(change.path) == "text":
            continue
        old = change.before if change.before is not None else before.get(moved.get(change.path, ""))
        had = len(broken(SourceFile(change.path, old))) if old is not None else 0
        if len(broken(SourceFile(change.path, change.after))) > had:
            raise Harm(f"{change.path} has a new error node")


def _judge(ground: Ground, plan: Plan, after: list[tuple[str, int, str, str]], keeps: bool) -> None:
    """Lines move, so what the compiler says is counted by file and words."""
    moved = {new: old for old, new in plan.moves}
    had = Counter((file, code, message) for file, _, code, message in ground.before)
    fresh = []
    for file, line, code, message in after:
        said = (moved.get(file, file), code, message)
        if had[said]:
            had[said] -= 1
        elif keeps or code in UNBOUND or (code.startswith("TS1") and len(code) == 6):
            fresh.append(f"{file}:{line} {code} {message}")
    if fresh:
        raise Harm("; ".join(fresh[:3]))
