"""Operations on members and definitions: up, down, out to the top, into a superclass, and away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.aimed import Named, Spanned, Within, outcome
from forgewright.code.operations.base import (
    PYTHON,
    SCRIPTS,
    Example,
    Languages,
    Operation,
    Outcome,
    Scene,
    occurrences_text,
    plural,
)
from forgewright.code.operations.targets import locate, python, script, span
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forgewright.code.binding import Occurrence
    from forgewright.code.project import Splice


class ExtractSuperclass(Spanned, frozen=True, kw_only=True):
    """Members of a class go to a new class, from which it inherits."""

    name: Annotated[str, Meta(description="The new class's name; else Base and the class's name.")] = ""

    group: ClassVar[str] = "extract"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-superclass range: 'app.py:2-3' name: 'Base')",
            before={
                "app.py": "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
            },
            after={
                "app.py": "class Base:\n    def f(self):\n        return 1\n\n\n"
                "class A(Base):\n    def g(self):\n        return 2\n"
            },
        ),
        Example(
            program="(extract-superclass range: 'app.ts:6-8' name: 'Base')",
            before={
                "app.ts": "/** A shape. */\nexport class A {\n  constructor(private readonly n: number) {\n"
                "    this.g();\n  }\n  f() {\n    return 1;\n  }\n\n  g() {}\n}\n"
            },
            after={
                "app.ts": "class Base {\n  f() {\n    return 1;\n  }\n}\n\n/** A shape. */\nexport class A extends Base {\n"
                "  constructor(private readonly n: number) {\n    super();\n    this.g();\n  }\n\n  g() {}\n}\n"
            },
        ),
        Example(
            program="(extract-superclass select: 'method#B.g')",
            before={
                "app.js": "class A {}\nclass B extends A {\n  n = 1;\n  g() {\n    return this.n;\n  }\n}\n"
            },
            refused="`this` has no n in BaseB",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, start, end = span(scene, self.range, self.select, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor.outward import extract_superclass as extract

            name, splices = extract(scripts, path, start, end, self.name)
            return outcome(splices, f"extracted {name}")
        from forgewright.code.python.refactor.classes import extract_superclass, members_in

        resolver = python(scene, path)
        cls, nodes = members_in(resolver, resolver.file(path), start, end)
        name = self.name or f"Base{cls.name}"
        return outcome(extract_superclass(resolver, cls, nodes, name), f"extracted {name}")


class PullUp(Spanned, frozen=True, kw_only=True):
    """Members of a class go to the class that it inherits from."""

    base: Annotated[str, Meta(description="Which base, if there are several.")] = ""

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(pull-up range: 'app.py:6-7')",
            before={"app.py": "class A:\n    pass\n\n\nclass B(A):\n    def f(self):\n        return 1\n"},
            after={"app.py": "class A:\n    def f(self):\n        return 1\n\n\nclass B(A):\n    pass\n"},
        ),
        Example(
            program="(pull-up range: 'app.ts:4-6')",
            before={
                "app.ts": "class A {}\n\nclass B extends A {\n  f(): number {\n    return 1;\n  }\n  g() {}\n}\n",
            },
            after={
                "app.ts": "class A {\n  f(): number {\n    return 1;\n  }\n}\n\nclass B extends A {\n  g() {}\n}\n",
            },
        ),
        Example(
            program="(pull-up select: 'method#B.f')",
            before={
                "app.js": "class A {}\nclass B extends A {\n  n = 1;\n  f() {\n    return this.n;\n  }\n}\n"
            },
            refused="`this` has no n in A",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, start, end = span(scene, self.range, self.select, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor.members import pull_up as pull

            name, splices = pull(scripts, path, start, end, self.base)
            return outcome(splices, f"pulled up from {name}")
        from forgewright.code.python.refactor.classes import members_in, pull_up

        resolver = python(scene, path)
        cls, nodes = members_in(resolver, resolver.file(path), start, end)
        return outcome(pull_up(resolver, cls, nodes, self.base), f"pulled up from {cls.name}")


class PushDown(Spanned, frozen=True, kw_only=True):
    """Members of a class go to every class that directly inherits from it."""

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(push-down range: 'app.py:2-3')",
            before={"app.py": "class A:\n    def f(self):\n        return 1\n\n\nclass B(A):\n    pass\n"},
            after={"app.py": "class A:\n    pass\n\n\nclass B(A):\n    def f(self):\n        return 1\n"},
        ),
        Example(
            program="(push-down select: 'method#A.f')",
            before={
                "app.ts": "class A {\n  f() {\n    return 1;\n  }\n}\n\nclass B extends A {\n  g() {}\n}\n\n"
                "class C extends A {}\n",
            },
            after={
                "app.ts": "class A {\n}\n\nclass B extends A {\n  g() {}\n\n  f() {\n    return 1;\n  }\n}\n\n"
                "class C extends A {\n  f() {\n    return 1;\n  }\n}\n",
            },
        ),
        Example(
            program="(push-down select: 'method#A.f')",
            before={"app.js": "class A {\n  f() {}\n}\nclass B extends A {}\nnew A().f();\n"},
            refused="is used of what may be a A",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, start, end = span(scene, self.range, self.select, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor.members import push_down as push

            name, splices, uncertain = push(scripts, path, start, end)
            return outcome(splices, f"pushed down from {name}", uncertain=uncertain)
        from forgewright.code.python.refactor.classes import members_in, push_down

        resolver = python(scene, path)
        cls, nodes = members_in(resolver, resolver.file(path), start, end)
        return outcome(push_down(resolver, cls, nodes), f"pushed down from {cls.name}")


class MakeTopLevel(Spanned, frozen=True, kw_only=True):
    """A function within a function or class goes to the top of its module; a class keeps a name for it."""

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(make-top-level range: 'app.py:2-3')",
            before={"app.py": "def f():\n    def g(x):\n        return x\n    return g(1)\n"},
            after={"app.py": "def f():\n    return g(1)\n\n\ndef g(x):\n    return x\n"},
        ),
        Example(
            program="(make-top-level range: 'app.js:2-4')",
            before={
                "app.js": "export function f() {\n  function g(x) {\n    return x;\n  }\n\n  return g(1);\n}\n\nf();\n"
            },
            after={
                "app.js": "export function f() {\n  return g(1);\n}\n\nfunction g(x) {\n  return x;\n}\n\nf();\n"
            },
        ),
        Example(
            program="(make-top-level select: 'function#g')",
            before={
                "app.ts": "function f(y: number) {\n  function g() {\n    return y;\n  }\n  return g();\n}\n"
            },
            refused="g uses y of the function it is in",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, start, end = span(scene, self.range, self.select, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor.outward import make_top_level as make

            name, splices = make(scripts, path, start, end)
            return outcome(splices, f"moved {name} to the top of the module")
        from forgewright.code.python.refactor.region import Region
        from forgewright.code.python.refactor.top_level import make_top_level

        resolver = python(scene, path)
        file = resolver.file(path)
        nodes = [node for node in Region(file, start, end, "statements").statements if node.type != "comment"]
        if len(nodes) != 1:
            raise EditRefused("expected one function", hint="select exactly one function with its decorators")
        return outcome(make_top_level(resolver, file, nodes[0]), "moved to the top of the module")


class DeleteUnused(Named, frozen=True, kw_only=True):
    """Delete the definition of the symbol at a place if nothing uses it; an emptied class keeps `pass`."""

    group: ClassVar[str] = "delete"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(delete-unused symbol: 'function[name=old]')",
            before={"app.py": "def old():\n    pass\n\n\ndef new():\n    pass\n"},
            after={"app.py": "def new():\n    pass\n"},
        ),
        Example(
            program="(delete-unused symbol: 'function[name=old]')",
            before={"app.py": "def old():\n    pass\n\n\nold()\n"},
            refused="is used in 1 place",
        ),
        Example(
            program="(delete-unused symbol: 'variable#old')",
            before={"app.ts": "/** Was. */\nexport const old = 1,\n  other = 2;\n\nexport { other as k };\n"},
            after={"app.ts": "/** Was. */\nexport const other = 2;\n\nexport { other as k };\n"},
        ),
        Example(
            program="(delete-unused symbol: 'variable#old')",
            before={"app.js": "const old = open();\n"},
            refused="which may do something",
        ),
        Example(
            program="(delete-unused symbol: 'function#old')",
            before={
                "app.js": "export function old() {}\n",
                "use.js": "import { old } from './app';\n\nold();\n",
            },
            refused="is used in 2 places",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        splices: Sequence[Splice]
        used: Sequence[Occurrence]
        path, offset = locate(scene, self.symbol, self.at, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor.removal import removal

            gone = removal(scripts, path, offset)
            name, splices, used = gone.name, gone.splices, gone.used
        else:
            from forgewright.code.python.refactor.classes import safe_delete

            resolver, keys, name, _, _ = self.found(scene)
            splices, used = safe_delete(resolver, keys, name)
        if used:
            count = plural(len(used), "place")
            raise EditRefused(
                f"{name} is used in {count}:\n{occurrences_text(scene.project, used, 10)}",
                hint="change those first",
            )
        return outcome(splices, f"deleted {name}")


class ExtractInterface(Operation, frozen=True, kw_only=True):
    """The public face of a class as a protocol or abstract base (Python), or an interface it implements (TypeScript)."""

    symbol: Annotated[str, Meta(description="Selector of the class, as class[name=Store].", min_length=1)]
    within: Within = ""
    name: Annotated[str, Meta(description="The interface's name.", min_length=1)]
    members: Annotated[tuple[str, ...], Meta(description="Its members; else all public ones.")] = ()
    style: Annotated[
        Literal["protocol", "abstract"],
        Meta(description="Python: a typing.Protocol, or an abstract base that the class inherits from."),
    ] = "protocol"

    group: ClassVar[str] = "extract"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-interface symbol: 'class#Disk' name: 'Store')",
            before={
                "store.py": "class Disk:\n    def get(self, key: str) -> bytes:\n        return self._read(key)\n\n"
                "    def _read(self, key):\n        return b''\n"
            },
            after={
                "store.py": "from typing import Protocol\n\n\nclass Store(Protocol):\n"
                "    def get(self, key: str) -> bytes: ...\n\n\n"
                "class Disk:\n    def get(self, key: str) -> bytes:\n        return self._read(key)\n\n"
                "    def _read(self, key):\n        return b''\n"
            },
        ),
        Example(
            program="(extract-interface symbol: 'class#Disk' name: 'Store' members: ['get'])",
            before={
                "store.ts": "export class Disk {\n  private root = '/';\n  get(key: string, n = 1): string {\n"
                "    return this.root + key;\n  }\n  close(): void {}\n}\n"
            },
            after={
                "store.ts": "export interface Store {\n  get(key: string, n?: unknown): string;\n}\n\n"
                "export class Disk implements Store {\n  private root = '/';\n  get(key: string, n = 1): string {\n"
                "    return this.root + key;\n  }\n  close(): void {}\n}\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        match = scene.one(self.symbol, within=self.within or None)
        if match.source.language in ("typescript", "tsx"):
            from forgewright.code import typescript_interface

            splices = typescript_interface.extract_interface(
                match.source, match.node, self.name, self.members
            )
            return outcome(splices, f"extracted the interface {self.name}")
        from forgewright.code.python.refactor.classes import class_at
        from forgewright.code.python.refactor.interface import extract_interface

        place = locate(scene, self.symbol, "", self.within or None)
        resolver = python(scene, place[0])
        cls = class_at(resolver, *resolver.keys_at(*place), place)
        splices = extract_interface(resolver, cls, self.name, self.members, self.style)
        return outcome(splices, f"extracted the {self.style} {self.name}")
