"""`move-symbol`, `copy-symbol`, `move-module`, `move-method`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.aimed import At, Symbol
from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import locate, python, script
from forgewright.core.errors import EditRefused

From = Annotated[str, Meta(description="The file that it is in, or a glob.")]


class MoveSymbol(Operation, frozen=True, kw_only=True):
    """Move a function, class or variable to another module, verbatim; imports here, there and in every user follow."""

    symbol: Symbol = ""
    at: At = ""
    origin: Annotated[str, Meta(description="The file that it is in, or a glob.")] = ""
    to: Annotated[str, Meta(description="The file that it goes to; created if it is not there.")]
    style: Annotated[
        Literal["keep", "module", "from-module"],
        Meta(description="How users name it: as they did, as m.x after import m, or after from p import m."),
    ] = "keep"
    place: Annotated[
        Literal["end", "start"], Meta(description="Where in the file: last, or after the imports.")
    ] = "end"
    reexport: Annotated[bool, Meta(description="The old module imports it from the new one; users stay.")] = (
        False
    )
    allow_cycle: Annotated[bool, Meta(description="Go on although the two modules import each other.")] = (
        False
    )

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(move-symbol symbol: 'class[name=Cache]' origin: 'util.py' to: 'cache.py')",
            before={
                "util.py": "import os\n\n\nclass Cache:\n    root = os.sep\n\n\ndef load():\n    pass\n",
                "cache.py": "",
                "app.py": "from util import Cache, load\n\nCache()\nload()\n",
            },
            after={
                "util.py": "\n\ndef load():\n    pass\n",
                "cache.py": "import os\n\n\nclass Cache:\n    root = os.sep\n",
                "app.py": "from util import load\nfrom cache import Cache\n\nCache()\nload()\n",
            },
        ),
        Example(
            program="(move-symbol symbol: 'class[name=Cache]' origin: 'util.ts' to: 'cache.ts')",
            before={
                "util.ts": "import { sep } from 'path';\n\nconst SIZE = 10;\n\n/** Keeps. */\nexport class Cache {\n"
                "  root = sep.repeat(SIZE);\n}\n\nexport function load() {}\n",
                "index.ts": "export * from './util';\n",
                "app.ts": "import { Cache, load } from './util';\n\nnew Cache();\nload();\n",
            },
            after={
                "util.ts": "export const SIZE = 10;\n\nexport function load() {}\n",
                "cache.ts": "import { sep } from 'path';\nimport { SIZE } from './util';\n\n/** Keeps. */\n"
                "export class Cache {\n  root = sep.repeat(SIZE);\n}\n",
                "index.ts": "export * from './util';\nexport { Cache } from './cache';\n",
                "app.ts": "import { load } from './util';\nimport { Cache } from './cache';\n\nnew Cache();\nload();\n",
            },
            note="What it uses of its old module is exported there.",
        ),
        Example(
            program="(move-symbol symbol: 'function#area' origin: 'util.js' to: 'shapes.js' reexport: true)",
            before={
                "util.js": "export function area(box) {\n  return box.w * box.h;\n}\n\n"
                "export const one = area({ w: 1, h: 1 });\n",
                "shapes.js": "export const box = { w: 2, h: 3 };\n",
            },
            after={
                "util.js": "import { area } from './shapes';\nexport { area } from './shapes';\n\n"
                "export const one = area({ w: 1, h: 1 });\n",
                "shapes.js": "export const box = { w: 2, h: 3 };\n\nexport function area(box) {\n  return box.w * box.h;\n}\n",
            },
        ),
        Example(
            program="(move-symbol symbol: 'function#area' origin: 'util.ts' to: 'shapes.ts')",
            before={
                "util.ts": "const unit = 1;\n\nexport function area() {\n  return unit;\n}\n\nexport const one = area();\n"
            },
            refused="would import each other",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return _move(scene, self.symbol, self.at, self.origin, self.to, self.options())

    def options(self) -> dict[str, object]:
        return {
            "style": self.style,
            "place": self.place,
            "reexport": self.reexport,
            "allow_cycle": self.allow_cycle,
        }


class CopySymbol(Operation, frozen=True, kw_only=True):
    """Copy a function, class or variable to another module with the imports that it needs."""

    symbol: Symbol = ""
    at: At = ""
    origin: Annotated[str, Meta(description="The file that it is in, or a glob.")] = ""
    to: Annotated[str, Meta(description="The file that it goes to; created if it is not there.")]

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(copy-symbol symbol: 'function[name=load]' origin: 'util.py' to: 'other.py')",
            before={"util.py": "import os\n\n\ndef load():\n    return os.sep\n"},
            after={"other.py": "import os\n\n\ndef load():\n    return os.sep\n"},
        ),
        Example(
            program="(copy-symbol symbol: 'function#load' origin: 'util.ts' to: 'other.ts')",
            before={
                "util.ts": "import { sep } from 'path';\n\nexport function load(): string {\n  return sep;\n}\n"
            },
            after={
                "other.ts": "import { sep } from 'path';\n\nexport function load(): string {\n  return sep;\n}\n"
            },
        ),
        Example(
            program="(copy-symbol symbol: 'function#load' origin: 'util.js' to: 'lib/other.js')",
            before={
                "util.js": "import { root } from './root.js';\n\nexport const load = () => root;\n",
                "root.js": "export const root = 1;\n",
            },
            after={"lib/other.js": "import { root } from '../root.js';\n\nexport const load = () => root;\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return _move(scene, self.symbol, self.at, self.origin, self.to, {"copy": True})


def _move(scene: Scene, symbol: str, at: str, origin: str, to: str, options: dict[str, object]) -> Outcome:
    path, offset = locate(scene, symbol, at, origin)
    word = "copied" if options.get("copy") else "moved"
    scripts = script(scene, path)
    if scripts is not None:
        from forgewright.code.javascript.refactor.gather import move_symbol

        moved = move_symbol(scripts, path, offset, to, options)
        files = {splice.path for splice in moved.splices} | set(moved.created)
        text = f"{word} {moved.name} to {to}; {len(files)} files changed"
        return Outcome(splices=moved.splices, create=moved.created, text=text, notes=moved.notes)
    import msgspec

    from forgewright.code.python.refactor.move import MoveOptions, SymbolMove

    resolver = python(scene, path)
    keys, name = resolver.keys_at(path, offset)
    if not keys:
        raise EditRefused("no symbol of this project is named there", hint="point at a definition")
    move = SymbolMove(resolver, keys, name, to, msgspec.convert(options, MoveOptions))
    splices, created = move.plan()
    files = {splice.path for splice in splices} | set(created)
    return Outcome(
        splices=tuple(splices), create=created, text=f"{word} {name} to {to}; {len(files)} files changed"
    )


class MoveModule(Operation, frozen=True, kw_only=True):
    """Move a module or package to another folder; imports everywhere follow."""

    module: Annotated[str, Meta(description="Path of the module's file, or of the package's folder.")]
    to: Annotated[str, Meta(description="The folder it goes to; empty for the root.")]

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(move-module module: 'util.py' to: 'pkg')",
            before={
                "util.py": "def f():\n    pass\n",
                "pkg/__init__.py": "",
                "app.py": "import util\nfrom util import f\n\nutil.f()\n",
            },
            after={
                "util.py": None,
                "pkg/util.py": "def f():\n    pass\n",
                "app.py": "import pkg.util\nfrom pkg.util import f\n\npkg.util.f()\n",
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.move_module import ModuleMove

        path = self.module.strip("/")
        resolver = python(scene, path if path.endswith((".py", ".pyi")) else path + ".py")
        module = path if path in resolver.modules.folders else resolver.modules.module_of(path)
        splices, moves = ModuleMove(resolver, module, self.to.strip("/")).plan()
        return Outcome(
            splices=tuple(splices),
            move=tuple(moves),
            text="\n".join(f"{old} → {new}" for old, new in moves[:10]),
        )


class MoveMethod(Operation, frozen=True, kw_only=True):
    """Move a method to the class of one of its object's attributes; the old one calls the new one."""

    symbol: Symbol = ""
    at: At = ""
    within: From = ""
    attribute: Annotated[str, Meta(description="The attribute of self to whose class the method goes.")]
    name: Annotated[str, Meta(description="The method's name there; else the same.")] = ""

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(move-method symbol: 'method[name=area]' attribute: 'shape')",
            before={
                "app.py": "class Shape:\n    w = 2\n\n\nclass Box:\n    def __init__(self):\n        self.shape = Shape()\n\n"
                "    def area(self):\n        return self.shape.w * 2\n"
            },
            after={
                "app.py": "class Shape:\n    w = 2\n\n    def area(self):\n        return self.w * 2\n\n\nclass Box:\n"
                "    def __init__(self):\n        self.shape = Shape()\n\n"
                "    def area(self):\n        return self.shape.area()\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.move_method import move_method
        from forgewright.code.python.refactor.signature import function_at

        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = python(scene, path)
        method = function_at(resolver, path, offset)
        splices = move_method(resolver, method, self.attribute, self.name or method.name)
        return Outcome(
            splices=tuple(splices), text=f"moved {method.dotted()} to the class of {self.attribute}"
        )


class MethodToFunction(Operation, frozen=True, kw_only=True):
    """A method becomes a function of its module that takes the object first; calls follow."""

    symbol: Symbol = ""
    at: At = ""
    within: From = ""
    name: Annotated[str, Meta(description="The function's name; else the method's.")] = ""

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(method-to-function symbol: 'method#Box.area')",
            before={
                "box.py": "class Box:\n    w = 2\n\n    def area(self, h):\n        return self.w * h\n",
                "app.py": "from box import Box\n\nprint(Box().area(3))\n",
            },
            after={
                "box.py": "class Box:\n    w = 2\n\n\ndef area(self, h):\n    return self.w * h\n",
                "app.py": "from box import Box, area\n\nprint(area(Box(), 3))\n",
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.method_function import method_to_function
        from forgewright.code.python.refactor.signature import function_at

        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = python(scene, path)
        method = function_at(resolver, path, offset)
        splices = method_to_function(resolver, method, self.name or method.name)
        return Outcome(splices=tuple(splices), text=f"{method.dotted()} is a function now")


class FunctionToMethod(Operation, frozen=True, kw_only=True):
    """A function becomes a method of the class of one of its parameters; calls follow."""

    symbol: Symbol = ""
    at: At = ""
    within: From = ""
    parameter: Annotated[str, Meta(description="The parameter that becomes self; else the first.")] = ""
    into: Annotated[
        str, Meta(description="Selector of the class; else the parameter's annotation says it.")
    ] = ""
    name: Annotated[str, Meta(description="The method's name; else the function's.")] = ""

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(function-to-method symbol: 'function#area')",
            before={
                "box.py": "class Box:\n    w = 2\n\n\ndef area(box: Box, h):\n    return box.w * h\n",
                "app.py": "from box import Box, area\n\nprint(area(Box(), 3))\n",
            },
            after={
                "box.py": "class Box:\n    w = 2\n\n    def area(self, h):\n        return self.w * h\n",
                "app.py": "from box import Box\n\nprint(Box().area(3))\n",
            },
        ),
        Example(
            program="(function-to-method symbol: 'function#area')",
            before={"box.py": "def area(box, h):\n    return box.w * h\n"},
            refused="the class of box is not known",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.classes import class_at
        from forgewright.code.python.refactor.method_function import function_to_method
        from forgewright.code.python.refactor.signature import function_at

        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = python(scene, path)
        function = function_at(resolver, path, offset)
        cls = None
        if self.into:
            place = locate(scene, self.into, "", None)
            cls = class_at(resolver, *resolver.keys_at(*place), place)
        splices = function_to_method(resolver, function, self.parameter, cls, self.name or function.name)
        return Outcome(splices=tuple(splices), text=f"{function.name} is a method now")
