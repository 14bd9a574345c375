"""`extract-function`, `extract-variable`, `extract-constant`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.aimed import Within
from forgewright.code.operations.base import PYTHON, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import python, span

Range = Annotated[str, Meta(description="What to take out: path:line:column-line:column, or path:line-line.")]
Chosen = Annotated[str, Meta(description="Or a selector of the node to take out, as statement[index=0].")]


class ExtractFunction(Operation, frozen=True, kw_only=True):
    """Take statements or an expression out into a function or method of their own.

    What it reads becomes parameters, what is read afterwards is given back. Refused where control flow would
    change (yield, a return in the middle, break without its loop).
    """

    range: Range = ""
    select: Chosen = ""
    within: Within = ""
    name: Annotated[str, Meta(description="The new function's name.")]
    kind: Annotated[
        Literal["auto", "function", "method", "classmethod", "staticmethod"],
        Meta(description="What to make; auto: a method in a class, else a function."),
    ] = "auto"
    place: Annotated[
        Literal["after", "before"], Meta(description="Where, seen from the code's function.")
    ] = "after"
    what: Annotated[
        Literal["auto", "expression", "statements"], Meta(description="How to read a selection that is both.")
    ] = "auto"
    top: Annotated[bool, Meta(description="Put it at the top of the module.")] = False
    similar: Annotated[
        bool, Meta(description="Replace the same code elsewhere in the class or module too.")
    ] = False
    through_class: Annotated[bool, Meta(description="Call class methods through the class's name.")] = False
    pass_unbound: Annotated[bool, Meta(description="Pass names that are bound nowhere.")] = False
    keep_last: Annotated[
        bool, Meta(description="Give back the last variable assigned even if nothing reads it.")
    ] = False

    group: ClassVar[str] = "extract"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-function range: 'app.py:2:5-3:22' name: 'total')",
            before={
                "app.py": "def bill(items, tax):\n    net = sum(items)\n    gross = net * tax\n    print(gross)\n"
            },
            after={
                "app.py": "def bill(items, tax):\n    gross = total(items, tax)\n    print(gross)\n\n\n"
                "def total(items, tax):\n    net = sum(items)\n    gross = net * tax\n    return gross\n"
            },
        ),
        Example(
            program="(extract-function range: 'app.py:2:5-2:12' name: 'part')",
            before={"app.py": "def numbers():\n    yield 1\n"},
            refused="contains yield",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.extract import ExtractOptions, extract_function

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        options = ExtractOptions(
            kind=self.kind,
            place=self.place,
            what=self.what,
            top=self.top,
            similar=self.similar,
            through_class=self.through_class,
            pass_unbound=self.pass_unbound,
            keep_last=self.keep_last,
        )
        splices = extract_function(resolver.types, resolver.file(path), start, end, self.name, options)
        return Outcome(splices=tuple(splices), text=f"extracted {self.name} in {path}")


class ExtractVariable(Operation, frozen=True, kw_only=True):
    """Give an expression a name: assign it before its statement, and use the name instead."""

    range: Range = ""
    select: Chosen = ""
    within: Within = ""
    name: Annotated[str, Meta(description="The new variable's name.")]
    every: Annotated[bool, Meta(description="Replace the same expression elsewhere in the function too.")] = (
        False
    )

    group: ClassVar[str] = "extract"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-variable range: 'app.py:2:12-2:17' name: 'area')",
            before={"app.py": "def f(w, h):\n    return w * h + 1\n"},
            after={"app.py": "def f(w, h):\n    area = w * h\n    return area + 1\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.extract_variable import extract_variable

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        splices = extract_variable(
            resolver.types, resolver.file(path), start, end, self.name, every=self.every, top=False
        )
        return Outcome(splices=tuple(splices), text=f"extracted {self.name} in {path}")


class ExtractConstant(Operation, frozen=True, kw_only=True):
    """Give an expression a name at the top of the module, before its first use."""

    range: Range = ""
    select: Chosen = ""
    within: Within = ""
    name: Annotated[str, Meta(description="The constant's name.")]
    every: Annotated[bool, Meta(description="Replace the same expression in the whole module.")] = True

    group: ClassVar[str] = "extract"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-constant range: 'app.py:2:16-2:18' name: 'LIMIT')",
            before={"app.py": "def f(n):\n    return n < 50\n"},
            after={"app.py": "LIMIT = 50\ndef f(n):\n    return n < LIMIT\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.extract_variable import extract_variable

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        splices = extract_variable(
            resolver.types, resolver.file(path), start, end, self.name, every=self.every, top=True
        )
        return Outcome(splices=tuple(splices), text=f"extracted {self.name} in {path}")
