"""Keywords of a definition: async, static, visibility, export; and its bases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code import layout, lists
from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Match, Outcome, Scene
from forgewright.code.operations.fields import Targeted
from forgewright.code.operations.targets import python, script
from forgewright.code.project import Splice
from forgewright.code.selectors import nodes
from forgewright.code.selectors.select import descendants
from forgewright.code.syntax.diagnostics import SelectorError
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

ORDER: dict[str, tuple[tuple[str, ...], ...]] = {
    "python": (("async",),),
    "javascript": (("export",), ("static",), ("async",), ("get", "set")),
    "typescript": (
        ("export",),
        ("declare",),
        ("public", "protected", "private"),
        ("static",),
        ("abstract",),
        ("override",),
        ("readonly",),
        ("async",),
    ),
    "rust": (("pub", "pub(crate)", "pub(super)"), ("const",), ("async",), ("unsafe",)),
    "java": (
        ("public", "protected", "private"),
        ("abstract", "static"),
        ("final",),
        ("synchronized",),
    ),
}
"""In the order in which they are written; words of one group exclude each other."""
ORDER["tsx"] = ORDER["typescript"]


class SetModifiers(Targeted, frozen=True, kw_only=True):
    """Add and remove keywords of a definition: async, static, export, public, private, readonly, pub, final …

    Words that exclude each other replace each other. Only the definition changes: calls of a function
    that becomes async are not given `await`.
    """

    add: Annotated[tuple[str, ...], Meta(description="Keywords to add.")] = ()
    remove: Annotated[tuple[str, ...], Meta(description="Keywords to take off.")] = ()

    group: ClassVar[str] = "class members"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(set-modifiers target: 'method#A.go' add: [private async])",
            before={"a.ts": "class A {\n  public static go() {}\n}\n"},
            after={"a.ts": "class A {\n  private static async go() {}\n}\n"},
        ),
        Example(
            program="(set-modifiers target: 'function#f' add: [async])",
            before={"a.py": "@log\ndef f():\n    ...\n"},
            after={"a.py": "@log\nasync def f():\n    ...\n"},
        ),
        Example(
            program="(set-modifiers target: 'function#f' remove: [export] add: [pub])",
            before={"a.js": "export function f() {}\n"},
            refused="javascript has no keyword 'pub'",
        ),
        Example(
            program="(set-modifiers target: 'function#f' add: [pub])",
            before={"a.rs": "fn f() {}\n"},
            after={"a.rs": "pub fn f() {}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        if not self.add and not self.remove:
            raise SelectorError("expected keywords to add or remove, found none")
        return Outcome(splices=tuple(self._splice(match) for match in self.targets(scene)))

    def _splice(self, match: Match) -> Splice:
        language = match.source.language
        order = ORDER.get(language)
        if order is None:
            raise EditRefused(f"{language} has no keywords to set", hint="use (replace-text …)")
        known = [word for group in order for word in group]
        for word in (*self.add, *self.remove):
            if word not in known:
                raise EditRefused(f"{language} has no keyword {word!r}", hint=f"there are {', '.join(known)}")
        start = _head(match.node)
        data = match.source.data
        pattern = "|".join(re.escape(word) + r"(?!\()" for word in sorted(known, key=len, reverse=True))
        found = re.compile(rf"(?:(?:{pattern})\s+)*".encode()).match(data, start)
        assert found is not None
        there = re.findall(r"pub\(\w+\)|\w+", found.group().decode())
        kept = [word for word in there if word not in self.remove]
        for word in self.add:
            group = next(group for group in order if word in group)
            kept = [other for other in kept if other not in group]
            kept.append(word)
        kept.sort(key=lambda word: next(at for at, group in enumerate(order) if word in group))
        text = "".join(word + " " for word in kept).encode()
        return Splice(match.path, start, found.end(), text)


def _head(node: Node) -> int:
    """Where the keywords of a definition begin: behind its decorators, before `export`."""
    outer = node.parent
    if outer is not None and outer.type == "export_statement":
        node = outer
    elif node.type == "variable_declarator" or (outer is not None and outer.type == "variable_declarator"):
        node = nodes.whole(node)
    for child in node.children:
        if child.type not in ("decorator", "attribute_item", "comment", "modifiers"):
            return child.start_byte
        if child.type == "modifiers":
            plain = [word for word in child.children if "annotation" not in word.type]
            if plain:
                return plain[0].start_byte
    return node.start_byte


class MakeStatic(Targeted, frozen=True, kw_only=True):
    """Make a Python method a static method: refused if it uses its first parameter."""

    group: ClassVar[str] = "class members"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(make-static target: 'method#A.add')",
            before={"a.py": "class A:\n    def add(self, x):\n        return x + 1\n"},
            after={"a.py": "class A:\n    @staticmethod\n    def add(x):\n        return x + 1\n"},
        ),
        Example(
            program="(make-static target: 'method#A.add')",
            before={"a.py": "class A:\n    def add(self, x):\n        return self.n + x\n"},
            refused="uses 'self'",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature import function_at
        from forgewright.code.python.refactor.static import check_static
        from forgewright.code.query.symbols import name_node

        splices: list[Splice] = []
        for match in self.targets(scene):
            found = _static(match)
            resolver = python(scene, match.path)
            check_static(function_at(resolver, match.path, name_node(match.node).start_byte), resolver)
            splices.extend(found)
        return Outcome(splices=tuple(splices))


def _static(match: Match) -> list[Splice]:
    source, node = match.source, match.node
    if source.language != "python" or match.kind != "method":
        raise EditRefused(f"{match.kind} {match.name!r} is no Python method", hint="use (set-modifiers …)")
    whole = nodes.whole(node)
    decorators = [nodes.names(child)[0] for child in whole.children if child.type == "decorator"]
    if "staticmethod" in decorators:
        raise EditRefused(f"method {match.name!r} is static already")
    if decorators:
        raise EditRefused(f"method {match.name!r} is a {decorators[0]}", hint="take the decorator off first")
    if match.name.startswith("__") and match.name.endswith("__"):
        raise EditRefused(f"method {match.name!r} is called by Python itself", hint="leave it a method")
    parameters = node.child_by_field_name("parameters")
    found = lists.items(parameters) if parameters is not None else []
    if not found or found[0].type not in ("identifier", "typed_parameter"):
        raise EditRefused(f"method {match.name!r} has no first parameter to leave out")
    name = nodes.names(found[0])[0]
    body = node.child_by_field_name("body")
    assert body is not None
    words = ("identifier", "super")
    for inside in descendants(body):
        text = nodes.text(inside) if inside.type in words else ""
        if text in (name, "super", "__class__"):
            raise EditRefused(
                f"method {match.name!r} uses {text!r} in line {inside.start_point.row + 1}",
                hint="pass what it needs as a parameter first",
            )
    indent = layout.indentation(source.data, whole.start_byte)
    line = b"@staticmethod" + layout.line_end(source.data) + indent
    last = [child for child in whole.children if child.type == "decorator"]
    at = node.start_byte if last else whole.start_byte
    return [Splice(source.path, at, at, line), lists.delete(source, found[0])]


class RemoveBase(Targeted, frozen=True, kw_only=True):
    """Take a base class (in TypeScript also an interface) off a class."""

    base: Annotated[str, Meta(description="The base class, as it is written there.", min_length=1)]

    group: ClassVar[str] = "class members"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-base target: 'class#A' base: 'Old')",
            before={"a.py": "class A(Base, Old):\n    pass\n"},
            after={"a.py": "class A(Base):\n    pass\n"},
        ),
        Example(
            program="(remove-base target: 'class#A' base: 'object')",
            before={"a.py": "class A(object):\n    pass\n"},
            after={"a.py": "class A:\n    pass\n"},
        ),
        Example(
            program="(remove-base target: 'class#A' base: 'B')",
            before={"a.ts": "class A extends B<string> implements C, D {}\n"},
            after={"a.ts": "class A implements C, D {}\n"},
        ),
        Example(
            program="(remove-base target: 'class#A' base: 'B')",
            before={"a.js": "class A extends B {\n  go() {\n    return super.go();\n  }\n}\n"},
            refused="super is used at a.js:3",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        splices = []
        for match in self.targets(scene):
            resolver = script(scene, match.path)
            if resolver is not None:
                from forgewright.code.javascript.refactor.bases import remove_base

                splices.append(remove_base(resolver, match, self.base))
                continue
            bases = match.node.child_by_field_name("superclasses")
            found = [n for n in lists.items(bases) if nodes.text(n) == self.base] if bases is not None else []
            if not found:
                raise SelectorError(
                    f"{match.kind} {match.name!r} has no base {self.base!r}",
                    candidates=[nodes.text(n) for n in lists.items(bases)] if bases is not None else [],
                )
            splices.append(lists.delete(match.source, found[0]))
        return Outcome(splices=tuple(splices))
