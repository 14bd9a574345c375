"""`extract-function`, `extract-variable`, `extract-constant`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.aimed import Within
from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import python, script, span
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver

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
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
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
        Example(
            program="(extract-function range: 'app.ts:2:3-3:26' name: 'total')",
            before={
                "app.ts": "function bill(items: number[], tax: number) {\n  const net = sum(items);\n"
                "  const gross = net * tax;\n  print(net, gross);\n}\n"
            },
            after={
                "app.ts": "function bill(items: number[], tax: number) {\n"
                "  const { net, gross } = total(items, tax);\n  print(net, gross);\n}\n\n"
                "function total(items: number[], tax: number) {\n  const net = sum(items);\n"
                "  const gross = net * tax;\n  return { net, gross };\n}\n"
            },
        ),
        Example(
            program="(extract-function select: 'binary_expression' name: 'area')",
            before={"app.js": "class Box {\n  label() {\n    return `${this.w * this.h}`\n  }\n}\n"},
            after={
                "app.js": "class Box {\n  label() {\n    return `${this.area()}`\n  }\n\n"
                "  area() {\n    return this.w * this.h\n  }\n}\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.extract import extract_function
        from forgewright.code.python.refactor.extract_options import ExtractOptions

        path, start, end = span(scene, self.range, self.select, self.within)
        if (scripts := script(scene, path)) is not None:
            return self._script(scripts, path, start, end)
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
        splices = extract_function(resolver, resolver.file(path), start, end, self.name, options)
        return Outcome(splices=tuple(splices), text=f"extracted {self.name} in {path}")

    def _script(self, resolver: JavaScriptResolver, path: str, start: int, end: int) -> Outcome:
        from forgewright.code.javascript.refactor.extract_function import Wanted, extract_function

        for option in ("similar", "through_class", "pass_unbound"):
            if getattr(self, option):
                raise EditRefused(f"{option}: is for Python only", hint="leave it out")
        wanted = Wanted(kind=self.kind, place=self.place, top=self.top, keep_last=self.keep_last)
        made, notes = extract_function(resolver, path, start, end, self.name, self.what, wanted)
        return Outcome(splices=tuple(made), text=f"extracted {self.name} in {path}", notes=notes)


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
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-variable range: 'app.py:2:12-2:17' name: 'area')",
            before={"app.py": "def f(w, h):\n    return w * h + 1\n"},
            after={"app.py": "def f(w, h):\n    area = w * h\n    return area + 1\n"},
        ),
        Example(
            program="(extract-variable range: 'app.ts:2:13-2:22' name: 'count')",
            before={"app.ts": "function f(xs: string[]) {\n  return `${xs.length} of ${xs.join()}`;\n}\n"},
            after={
                "app.ts": "function f(xs: string[]) {\n  const count = xs.length;\n"
                "  return `${count} of ${xs.join()}`;\n}\n"
            },
        ),
        Example(
            program="(extract-variable select: 'binary_expression' name: 'area')",
            before={"app.js": "const areas = boxes.map(b => Math.round(b.w * b.h))\n"},
            after={
                "app.js": "const areas = boxes.map(b => {\n  const area = b.w * b.h\n  return Math.round(area)\n})\n"
            },
        ),
        Example(
            program="(extract-variable select: 'call[name=find]' name: 'found')",
            before={"app.js": "if (ready && find()) go();\n"},
            refused="computed only as the right side of &&",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.extract_variable import extract_variable

        path, start, end = span(scene, self.range, self.select, self.within)
        if (scripts := script(scene, path)) is not None:
            from forgewright.code.javascript.refactor.extract_variable import extract_variable as extract

            made, notes = extract(scripts, path, start, end, self.name, every=self.every)
            return Outcome(splices=tuple(made), text=f"extracted {self.name} in {path}", notes=notes)
        resolver = python(scene, path)
        splices = extract_variable(
            resolver, resolver.file(path), start, end, self.name, every=self.every, top=False
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
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-constant range: 'app.py:2:16-2:18' name: 'LIMIT')",
            before={"app.py": "def f(n):\n    return n < 50\n"},
            after={"app.py": "LIMIT = 50\ndef f(n):\n    return n < LIMIT\n"},
        ),
        Example(
            program="(extract-constant select: 'number' name: 'LIMIT')",
            before={
                "app.ts": "import { log } from './log';\n\nexport const small = (n: number) => n < 50;\n"
            },
            after={
                "app.ts": "import { log } from './log';\n\nconst LIMIT = 50;\n"
                "export const small = (n: number) => n < LIMIT;\n"
            },
        ),
        Example(
            program="(extract-constant range: 'app.js:4:15-4:17' name: 'LIMIT')",
            before={"app.js": "start()\n\nfunction start() {\n  return wait(50)\n}\n"},
            after={"app.js": "const LIMIT = 50\nstart()\n\nfunction start() {\n  return wait(LIMIT)\n}\n"},
            note="Where a function may be called before the line of its definition, the constant stands above the call.",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.extract_variable import extract_variable

        path, start, end = span(scene, self.range, self.select, self.within)
        if (scripts := script(scene, path)) is not None:
            from forgewright.code.javascript.refactor.extract_constant import extract_constant

            made, notes = extract_constant(scripts, path, start, end, self.name, every=self.every)
            return Outcome(splices=tuple(made), text=f"extracted {self.name} in {path}", notes=notes)
        resolver = python(scene, path)
        splices = extract_variable(
            resolver, resolver.file(path), start, end, self.name, every=self.every, top=True
        )
        return Outcome(splices=tuple(splices), text=f"extracted {self.name} in {path}")
