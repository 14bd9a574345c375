"""Operations on classes, fields and functions that change where code lives or how it is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.aimed import Files, Named, Spanned, outcome
from forgewright.code.operations.base import (
    PYTHON,
    SCRIPTS,
    Example,
    Languages,
    Operation,
    Outcome,
    Scene,
    plural,
)
from forgewright.code.operations.targets import locate, python, script, span
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgewright.code.project import Splice
    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Scope


class EncapsulateField(Named, frozen=True, kw_only=True):
    """Give a field a getter and a setter, and use them outside of its class.

    In JavaScript and TypeScript accessors under the field's own name, over a private field.
    """

    getter: Annotated[str, Meta(description="Name of the getter; else get_ and the field's name.")] = ""
    setter: Annotated[str, Meta(description="Name of the setter; else set_ and the field's name.")] = ""
    files: Files = ""

    group: ClassVar[str] = "classes"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(encapsulate-field at: 'app.py:3:14')",
            before={
                "app.py": "class A:\n    def __init__(self):\n        self.size = 1\n\n\na = A()\na.size = a.size + 1\n"
            },
            after={
                "app.py": "class A:\n    def __init__(self):\n        self.size = 1\n\n    def get_size(self):\n"
                "        return self.size\n\n    def set_size(self, value):\n        self.size = value\n\n\n"
                "a = A()\na.set_size(a.get_size() + 1)\n"
            },
        ),
        Example(
            program="(encapsulate-field at: 'a.ts:2:3')",
            before={
                "a.ts": "class A {\n  size: number = 1;\n  grow() {\n    this.size++;\n  }\n}\nnew A().size = 2;\n"
            },
            after={
                "a.ts": "class A {\n  private _size: number = 1;\n\n  get size(): number {\n    return this._size;\n  }\n\n"
                "  set size(value: number) {\n    this._size = value;\n  }\n  grow() {\n    this._size++;\n  }\n}\n"
                "new A().size = 2;\n"
            },
        ),
        Example(
            program="(encapsulate-field at: 'a.js:3:10')",
            before={"a.js": "class A {\n  constructor() {\n    this.n = 1;\n  }\n}\nnew A().n++;\n"},
            after={
                "a.js": "class A {\n  #n;\n  constructor() {\n    this.#n = 1;\n  }\n\n  get n() {\n    return this.#n;\n"
                "  }\n\n  set n(value) {\n    this.#n = value;\n  }\n}\nnew A().n++;\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor import restructuring

            return restructuring.encapsulate_field(scripts, path, offset, self)
        from forgewright.code.python.refactor.fields import encapsulate_field

        resolver, keys, name, _, _ = self.found(scene)
        splices, unsure = encapsulate_field(
            resolver, keys, name, self.getter or f"get_{name}", self.setter or f"set_{name}"
        )
        return outcome(splices, f"encapsulated {name}", self.files, unsure)


class LocalToField(Named, frozen=True, kw_only=True):
    """A local variable of a method becomes an attribute of its object."""

    group: ClassVar[str] = "classes"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(local-to-field at: 'app.py:3:9')",
            before={"app.py": "class A:\n    def f(self):\n        n = 1\n        return n\n"},
            after={"app.py": "class A:\n    def f(self):\n        self.n = 1\n        return self.n\n"},
        ),
        Example(
            program="(local-to-field at: 'a.ts:3:11')",
            before={"a.ts": "class A {\n  f() {\n    const n = 1;\n    return { n };\n  }\n}\n"},
            after={
                "a.ts": "class A {\n  private n!: number;\n\n  f() {\n    this.n = 1;\n    return { n: this.n };\n  }\n}\n"
            },
        ),
        Example(
            program="(local-to-field at: 'a.js:3:9')",
            before={"a.js": "class A {\n  f() {\n    let n = 1;\n    return () => n;\n  }\n}\n"},
            refused="n is used inside another function",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor import restructuring

            return restructuring.local_to_field(scripts, path, offset, self)
        from forgewright.code.python.refactor.fields import local_to_field

        resolver, keys, name, _, _ = self.found(scene)
        return outcome(local_to_field(resolver, keys, name), f"{name} is a field now")


class ExtractField(Spanned, frozen=True, kw_only=True):
    """An expression of a method becomes an attribute of its class; in JavaScript a static field."""

    name: Annotated[str, Meta(description="The field's name.")]

    group: ClassVar[str] = "extract"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(extract-field range: 'app.py:3:16-3:18' name: 'limit')",
            before={"app.py": "class A:\n    def f(self):\n        return 50\n"},
            after={"app.py": "class A:\n    limit = 50\n    def f(self):\n        return self.limit\n"},
        ),
        Example(
            program="(extract-field select: 'number' name: 'limit')",
            before={"app.ts": "class A {\n  f() {\n    return 50;\n  }\n}\n"},
            after={"app.ts": "class A {\n  static limit = 50;\n  f() {\n    return A.limit;\n  }\n}\n"},
        ),
        Example(
            program="(extract-field select: 'call' name: 'limit')",
            before={"app.js": "class A {\n  f() {\n    return now()\n  }\n}\n"},
            refused="computed each time",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.fields import extract_field

        path, start, end = span(scene, self.range, self.select, self.within)
        if (scripts := script(scene, path)) is not None:
            from forgewright.code.javascript.refactor.extract_field import extract_field as extract

            return outcome(extract(scripts, path, start, end, self.name), f"extracted {self.name}")
        resolver = python(scene, path)
        return outcome(
            extract_field(resolver, resolver.file(path), start, end, self.name), f"extracted {self.name}"
        )


class InvertBoolean(Named, frozen=True, kw_only=True):
    """Turn a boolean variable or function round: what it is given is negated, what is read is `not` it."""

    new: Annotated[str, Meta(description="A new name for it.")] = ""

    group: ClassVar[str] = "classes"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(invert-boolean at: 'app.py:2:5' new: 'closed')",
            before={"app.py": "def f(x):\n    open_ = x == 1\n    return open_\n"},
            after={"app.py": "def f(x):\n    closed = x != 1\n    return (not closed)\n"},
        ),
        Example(
            program="(invert-boolean symbol: 'function#is_open' new: 'is_closed')",
            before={
                "app.py": "def is_open(n):\n    if n is None:\n        return False\n    return n > 1\n\n\n"
                "print(1 if not is_open(2) else is_open(3) == True)\n"
            },
            after={
                "app.py": "def is_closed(n):\n    if n is None:\n        return True\n    return not n > 1\n\n\n"
                "print(1 if is_closed(2) else (not is_closed(3)) == True)\n"
            },
        ),
        Example(
            program="(invert-boolean at: 'a.ts:2:9' new: 'closed')",
            before={
                "a.ts": "function f(x: number) {\n  const open = x === 1;\n  return !open || { open };\n}\n"
            },
            after={
                "a.ts": "function f(x: number) {\n  const closed = x !== 1;\n  return closed || { open: !closed };\n}\n"
            },
        ),
        Example(
            program="(invert-boolean symbol: 'function#isOpen' new: 'isClosed')",
            before={
                "a.js": "export function isOpen(n) {\n  if (n == null) return false;\n  return n > 1;\n}\n",
                "b.js": "import { isOpen } from './a.js';\n\nif (!isOpen(2)) {\n  console.log(isOpen(3));\n}\n",
            },
            after={
                "a.js": "export function isClosed(n) {\n  if (n == null) return true;\n  return !(n > 1);\n}\n",
                "b.js": "import { isClosed } from './a.js';\n\nif (isClosed(2)) {\n  console.log(!isClosed(3));\n}\n",
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor import restructuring

            return restructuring.invert_boolean(scripts, path, offset, self)
        from forgewright.code.python.refactor.fields import invert_boolean

        resolver, keys, name, path, offset = self.found(scene)
        sites = [site for key in keys if not key.is_module for site in resolver.identity.sites(key)]
        if any(site.kind == "function" for site in sites):
            return self._function(scene, resolver, path, offset)
        splices = invert_boolean(resolver, keys, name)
        key = next(key for key in keys if not key.is_module)

        def site(scope: Scope) -> int:
            binding = scope.bindings.get(name)
            sites = [*scope.self_sites.get(name, ()), *(binding.sites if binding is not None else ())]
            first: int = min(one.start for one in sites)
            return first

        return self._renamed(scene, splices, name, (key.path, key.scope), site)

    def _function(self, scene: Scene, resolver: PythonResolver, path: str, offset: int) -> Outcome:
        from forgewright.code.python.refactor.invert_function import invert_function
        from forgewright.code.python.refactor.signature import function_at

        function = function_at(resolver, path, offset)

        def site(scope: Scope) -> int:
            assert scope.site is not None
            return scope.site.start

        splices = invert_function(resolver, function)
        return self._renamed(scene, splices, function.name, (function.file.path, function.index), site)

    def _renamed(
        self,
        scene: Scene,
        splices: list[Splice],
        name: str,
        place: tuple[str, int],
        site: Callable[[Scope], int],
    ) -> Outcome:
        """Inverted first, then renamed: two steps on one stage. `place`: path and number of a scope, in which `site` is."""
        from forgewright.code.operations.modules import staged_outcome
        from forgewright.code.python.refactor.staged import Staged

        staged = Staged(scene.project)
        staged.apply(splices)
        if self.new:
            file = staged.file(place[0])
            scope = next(s for s in file.scopes if s.index == place[1])
            symbol = staged.resolver.symbol_at(file.path, site(scope))
            assert symbol is not None
            found = staged.resolver.rename(symbol, self.new)
            if found.uncertain:
                raise EditRefused(f"some uses of {name} are not certain", hint="rename it first")
            staged.apply(found.splices)
        return staged_outcome(staged, f"inverted {name}")


class IntroduceFactory(Named, frozen=True, kw_only=True):
    """A static method (or a function of the module) makes a class's instances; constructions call it."""

    name: Annotated[str, Meta(description="The factory's name.")] = "create"
    module_level: Annotated[
        bool, Meta(description="A function of the module instead of a static method.")
    ] = False
    files: Files = ""

    group: ClassVar[str] = "classes"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(introduce-factory symbol: 'class[name=A]' name: 'make')",
            before={"app.py": "class A:\n    size = 1\n\n\na = A()\n"},
            after={
                "app.py": "class A:\n    size = 1\n\n    @staticmethod\n    def make(*args, **kwds):\n"
                "        return A(*args, **kwds)\n\n\na = A.make()\n"
            },
        ),
        Example(
            program="(introduce-factory symbol: 'class#A' name: 'make')",
            before={
                "a.ts": "class A<T> {\n  constructor(private x: T, n = 1) {}\n}\nconst a = new A<string>('x');\n"
            },
            after={
                "a.ts": "class A<T> {\n  constructor(private x: T, n = 1) {}\n\n  static make<T>(x: T, n = 1): A<T> {\n"
                "    return new A<T>(x, n);\n  }\n}\nconst a = A.make<string>('x');\n"
            },
        ),
        Example(
            program="(introduce-factory symbol: 'class#A')",
            before={"a.js": "class A {\n  size = 1;\n}\nconst a = new A;\n"},
            after={
                "a.js": "class A {\n  size = 1;\n\n  static create() {\n    return new A();\n  }\n}\nconst a = A.create();\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        scripts = script(scene, path)
        if scripts is not None:
            from forgewright.code.javascript.refactor import restructuring

            return restructuring.introduce_factory(scripts, path, offset, self)
        from forgewright.code.python.refactor.classes import introduce_factory

        resolver, keys, name, path, offset = self.found(scene)
        splices = introduce_factory(
            resolver, keys, name, self.name, (path, offset), module_level=self.module_level
        )
        return outcome(splices, f"{name} is made by {self.name}", self.files)


class UseFunction(Named, frozen=True, kw_only=True):
    """Code that does what a function's body does becomes a call of it."""

    style: Annotated[
        Literal["from", "module"],
        Meta(description="How other files name it: f after from m import f, or m.f."),
    ] = "from"

    group: ClassVar[str] = "extract"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(use-function symbol: 'function[name=double]')",
            before={"app.py": "def double(x):\n    return x * 2\n\n\nprint(3 * 2)\n"},
            after={"app.py": "def double(x):\n    return x * 2\n\n\nprint(double(3))\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.alike import Alike
        from forgewright.code.python.refactor.signature import function_at

        resolver, _, name, path, offset = self.found(scene)
        function = function_at(resolver, path, offset)
        splices = Alike(resolver, function).plan(style=self.style)
        return outcome(splices, f"{len(splices)} places use {name}")


class MethodObject(Named, frozen=True, kw_only=True):
    """A function becomes a class whose instances are called: its parameters are their attributes."""

    name: Annotated[str, Meta(description="The class's name.")]

    group: ClassVar[str] = "classes"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(method-object symbol: 'function[name=add]' name: 'Adder')",
            before={"app.py": "def add(a, b):\n    return a + b\n"},
            after={
                "app.py": "def add(a, b):\n    return Adder(a, b)()\n\n\nclass Adder(object):\n\n"
                "    def __init__(self, a, b):\n        self.a = a\n        self.b = b\n\n"
                "    def __call__(self):\n        return self.a + self.b\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.method_object import method_object
        from forgewright.code.python.refactor.signature import function_at

        resolver, _, _, path, offset = self.found(scene)
        return outcome(method_object(function_at(resolver, path, offset), self.name), f"made {self.name}")


class ReplaceUses(Named, frozen=True, kw_only=True):
    """In the function, class or module around a place, let the uses of one name use another."""

    new: Annotated[str, Meta(description="The other name, dots allowed.")]
    calls_only: Annotated[bool, Meta(description="Only where it is called.")] = False

    group: ClassVar[str] = "rename"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(replace-uses at: 'app.py:10:5' new: 'new' calls_only: true)",
            before={"app.py": "def old():\n    pass\n\n\ndef new():\n    pass\n\n\nf = old\nx = old()\n"},
            after={"app.py": "def old():\n    pass\n\n\ndef new():\n    pass\n\n\nf = old\nx = new()\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.uses import replace_uses

        path, offset = locate(scene, self.symbol, self.at, self.within)
        splices = replace_uses(python(scene, path), path, offset, self.new, calls_only=self.calls_only)
        return outcome(splices, plural(len(splices), "place"))


class ModuleToPackage(Operation, frozen=True, kw_only=True):
    """`m.py` becomes `m/__init__.py`; its relative imports follow."""

    module: Annotated[str, Meta(description="Path of the module's file.")]

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(module-to-package module: 'pkg/util.py')",
            before={"pkg/__init__.py": "", "pkg/util.py": "from . import other\n", "pkg/other.py": ""},
            after={"pkg/util.py": None, "pkg/util/__init__.py": "from .. import other\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.uses import module_to_package

        splices, moves = module_to_package(python(scene, self.module), self.module)
        return Outcome(splices=tuple(splices), move=tuple(moves), text=f"{self.module} is a package now")
