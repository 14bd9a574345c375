"""Operations on whole modules: several definitions moved together, modules merged, one split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import python, script
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forgewright.code.binding import Occurrence
    from forgewright.code.python.refactor.staged import Staged
    from forgewright.code.staging import Staging

Origin = Annotated[str, Meta(description="Path of the module that they are in.", min_length=1)]
Names = Annotated[list[str], Meta(description="Names of its functions, classes and variables.", min_length=1)]
Cycle = Annotated[bool, Meta(description="Go on although the two modules import each other then.")]


def staged_outcome(
    staged: Staging, text: str, uncertain: Iterable[Occurrence] = (), notes: Iterable[str] = ()
) -> Outcome:
    """What all the steps come to."""
    splices = staged.splices()
    files = {splice.path for splice in splices} | set(staged.created()) | set(staged.deleted())
    return Outcome(
        splices=tuple(splices),
        create=staged.created(),
        delete=staged.deleted(),
        text=f"{text}; {len(files)} files changed",
        uncertain=tuple(uncertain),
        notes=tuple(notes),
    )


def start(scene: Scene, path: str) -> Staged:
    """A stage over the project. Raises `NotFound` for no file and `EditRefused` for one of another language."""
    from forgewright.code.python.refactor.staged import Staged

    python(scene, scene.project.source(path).path)
    return Staged(scene.project)


class MoveSymbols(Operation, frozen=True, kw_only=True):
    """Move several functions, classes and variables of a module to another one together."""

    symbols: Names
    origin: Origin
    to: Annotated[str, Meta(description="The file they go to; created if it is not there.", min_length=1)]
    allow_cycle: Cycle = False

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(move-symbols symbols: ['area', 'Box'] origin: 'util.py' to: 'shapes.py')",
            before={
                "util.py": "def area(box):\n    return box.w * box.h\n\n\nclass Box:\n    def size(self):\n"
                "        return area(self)\n\n\ndef load():\n    return 1\n",
                "app.py": "from util import Box, area, load\n\nprint(area(Box()), load())\n",
            },
            after={
                "util.py": "def load():\n    return 1\n",
                "shapes.py": "def area(box):\n    return box.w * box.h\n\n\nclass Box:\n    def size(self):\n"
                "        return area(self)\n",
                "app.py": "from util import load\nfrom shapes import area, Box\n\nprint(area(Box()), load())\n",
            },
            note="What they use of each other goes along and needs no import.",
        ),
        Example(
            program="(move-symbols symbols: ['missing'] origin: 'util.py' to: 'shapes.py')",
            before={"util.py": "def load():\n    return 1\n"},
            refused="util.py defines no missing",
        ),
        Example(
            program="(move-symbols symbols: ['area', 'Box'] origin: 'util.ts' to: 'shapes.ts')",
            before={
                "util.ts": "export interface Box {\n  w: number;\n  h: number;\n}\n\n"
                "export const area = (box: Box) => box.w * box.h;\n\nexport const load = () => 1;\n",
                "app.ts": "import { area, type Box, load } from './util';\n\n"
                "export const f = (box: Box) => area(box) + load();\n",
            },
            after={
                "util.ts": "export const load = () => 1;\n",
                "shapes.ts": "export interface Box {\n  w: number;\n  h: number;\n}\n\n"
                "export const area = (box: Box) => box.w * box.h;\n",
                "app.ts": "import { load } from './util';\nimport { area, type Box } from './shapes';\n\n"
                "export const f = (box: Box) => area(box) + load();\n",
            },
        ),
        Example(
            program="(move-symbols symbols: ['a'] origin: 'util.js' to: 'other.js')",
            before={"util.js": "export const a = 1,\n  b = 2;\n"},
            refused="declares b in the same statement",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        if script(scene, self.origin) is not None:
            from forgewright.code.javascript.refactor.gather import Gathering

            gathering = Gathering(scene.project)
            gathering.move(self.origin, self.symbols, self.to)
            if not self.allow_cycle:
                gathering.check_circles([self.to])
            text = f"moved {len(self.symbols)} definitions to {self.to}"
            return staged_outcome(gathering.staged, text, notes=gathering.notes)
        from forgewright.code.python.refactor.gather import move_all
        from forgewright.code.python.refactor.move import MoveOptions

        staged = start(scene, self.origin)
        move_all(staged, self.origin, self.symbols, self.to, MoveOptions(), cycle=self.allow_cycle)
        return staged_outcome(staged, f"moved {len(self.symbols)} definitions to {self.to}")


class MergeModules(Operation, frozen=True, kw_only=True):
    """Move all that some modules define into another one, and delete them; imports everywhere follow."""

    modules: Annotated[
        list[str], Meta(description="Paths of the modules that are merged away.", min_length=1)
    ]
    into: Annotated[str, Meta(description="The module they go to; created if it is not there.", min_length=1)]

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(merge-modules modules: ['strings.py'] into: 'text.py')",
            before={
                "strings.py": '"""Strings."""\n\nimport re\n\nSPACE = re.compile(" +")\n\n\ndef squeeze(text):\n'
                '    return SPACE.sub(" ", text)\n',
                "text.py": "from strings import squeeze\n\n\ndef title(text):\n    return squeeze(text).title()\n",
                "app.py": "import strings\nfrom text import title\n\nprint(title(strings.squeeze('a  b')))\n",
            },
            after={
                "strings.py": None,
                "text.py": "import re\n\n\ndef title(text):\n    return squeeze(text).title()\n\n\n"
                'SPACE = re.compile(" +")\n\n\ndef squeeze(text):\n    return SPACE.sub(" ", text)\n',
                "app.py": "from text import title\nimport text\n\nprint(title(text.squeeze('a  b')))\n",
            },
        ),
        Example(
            program="(merge-modules modules: ['setup_.py'] into: 'text.py')",
            before={"setup_.py": "print('hello')\n", "text.py": ""},
            refused="runs when the module is imported",
        ),
        Example(
            program="(merge-modules modules: ['strings.js'] into: 'text.js')",
            before={
                "strings.js": "const space = / +/g;\n\nexport const squeeze = (text) => text.replace(space, ' ');\n",
                "text.js": "import { squeeze } from './strings';\n\nexport const title = (text) => squeeze(text).trim();\n",
                "app.js": "import * as strings from './strings';\nimport { title } from './text';\n\n"
                "title(strings.squeeze('a  b'));\n",
            },
            after={
                "strings.js": None,
                "text.js": "export const title = (text) => squeeze(text).trim();\n\nconst space = / +/g;\n\n"
                "export const squeeze = (text) => text.replace(space, ' ');\n",
                "app.js": "import { title } from './text';\nimport * as text from './text';\n\n"
                "title(text.squeeze('a  b'));\n",
            },
        ),
        Example(
            program="(merge-modules modules: ['setup.ts'] into: 'text.ts')",
            before={"setup.ts": "export {};\nconsole.log('hello');\n", "text.ts": ""},
            refused="runs when the module is imported",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        if self.into in self.modules:
            raise EditRefused(f"{self.into} cannot be merged into itself", hint="leave it out of modules:")
        if script(scene, self.modules[0]) is not None:
            from forgewright.code.javascript.refactor.gather import Gathering, merge

            gathering = Gathering(scene.project)
            count = sum(merge(gathering, path, self.into) for path in self.modules)
            gathering.check_circles([self.into], self.modules)
            text = f"merged {count} definitions into {self.into}"
            return staged_outcome(gathering.staged, text, notes=gathering.notes)
        from forgewright.code.python.refactor.gather import mentions, merge_module

        staged = start(scene, self.modules[0])
        names: list[str] = []
        gone = [staged.resolver.modules.dotted(staged.resolver.modules.module_of(p)) for p in self.modules]
        for path in self.modules:
            names += merge_module(staged, path, self.into)
        left = [place for dotted in gone for place in mentions(staged.overlay, dotted) if "." in dotted]
        return staged_outcome(staged, f"merged {len(names)} definitions into {self.into}", left)


class SplitModule(Operation, frozen=True, kw_only=True):
    """Move the definitions of a module to several others, each with the imports it needs."""

    module: Annotated[str, Meta(description="Path of the module that is split.", min_length=1)]
    parts: Annotated[
        Mapping[str, list[str]],
        Meta(description="Path of a module → names of what goes there.", min_length=1),
    ]
    allow_cycle: Cycle = False

    group: ClassVar[str] = "move"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(split-module module: 'all.py' parts: {'read.py': ['load'], 'write.py': ['save']})",
            before={
                "all.py": "import json\n\n\ndef load(path):\n    return json.load(open(path))\n\n\n"
                "def save(path, value):\n    json.dump(value, open(path, 'w'))\n\n\nVERSION = 1\n",
                "app.py": "import all\n\nall.save('b', all.load('a'))\n",
            },
            after={
                "all.py": "VERSION = 1\n",
                "read.py": "import json\n\n\ndef load(path):\n    return json.load(open(path))\n",
                "write.py": "import json\n\n\ndef save(path, value):\n    json.dump(value, open(path, 'w'))\n",
                "app.py": "import read\nimport write\n\nwrite.save('b', read.load('a'))\n",
            },
        ),
        Example(
            program="(split-module module: 'all.ts' parts: {'read.ts': ['load'], 'write.ts': ['save']})",
            before={
                "all.ts": "import fs from 'fs';\n\nexport const VERSION = 1;\n\n"
                "export function load(path: string) {\n  return fs.readFileSync(path);\n}\n\n"
                "export function save(path: string) {\n  fs.writeFileSync(path, load(path));\n}\n",
                "app.ts": "import { load, save, VERSION } from './all';\n\nsave(String(load('a')) + VERSION);\n",
            },
            after={
                "all.ts": "export const VERSION = 1;\n",
                "read.ts": "import fs from 'fs';\n\nexport function load(path: string) {\n  return fs.readFileSync(path);\n}\n",
                "write.ts": "import fs from 'fs';\nimport { load } from './read';\n\n"
                "export function save(path: string) {\n  fs.writeFileSync(path, load(path));\n}\n",
                "app.ts": "import { VERSION } from './all';\nimport { load } from './read';\nimport { save } from './write';\n\n"
                "save(String(load('a')) + VERSION);\n",
            },
        ),
        Example(
            program="(split-module module: 'all.js' parts: {'read.js': ['load']})",
            before={"all.js": "export const save = () => 1;\n"},
            refused="all.js defines no load",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        named = [name for names in self.parts.values() for name in names]
        twice = {name for name in named if named.count(name) > 1}
        if twice:
            raise EditRefused(f"{', '.join(sorted(twice))} would go to two modules", hint="name each once")
        if script(scene, self.module) is not None:
            from forgewright.code.javascript.refactor.gather import Gathering

            gathering = Gathering(scene.project)
            for path, names in self.parts.items():
                gathering.move(self.module, names, path)
            if not self.allow_cycle:
                gathering.check_circles([*self.parts, self.module])
            text = f"split {self.module} into {len(self.parts)} more modules"
            return staged_outcome(gathering.staged, text, notes=gathering.notes)
        from forgewright.code.python.refactor.gather import move_all
        from forgewright.code.python.refactor.move import MoveOptions

        staged = start(scene, self.module)
        for path, names in self.parts.items():
            move_all(staged, self.module, names, path, MoveOptions(), cycle=self.allow_cycle)
        return staged_outcome(staged, f"split {self.module} into {len(self.parts)} more modules")


class FunctionsToClass(Operation, frozen=True, kw_only=True):
    """Functions of a module become methods of a new class: static, or with shared parameters as its state."""

    symbols: Names
    origin: Origin
    name: Annotated[str, Meta(description="The class's name.", min_length=1)]
    state: Annotated[
        tuple[str, ...], Meta(description="Parameters that all of them take and that the class keeps.")
    ] = ()

    group: ClassVar[str] = "classes"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(functions-to-class symbols: ['load', 'save'] origin: 'store.py' name: 'Store' state: ['root'])",
            before={
                "store.py": "def load(root, key):\n    return open(root + key).read()\n\n\n"
                "def save(root, key, value):\n    if load(root, key) != value:\n"
                "        open(root + key, 'w').write(value)\n",
                "app.py": "from store import load, save\n\nsave('/tmp/', 'a', load('/tmp/', 'b'))\n",
            },
            after={
                "store.py": "class Store:\n    def __init__(self, root):\n        self.root = root\n\n"
                "    def load(self, key):\n        return open(self.root + key).read()\n\n"
                "    def save(self, key, value):\n        if self.load(key) != value:\n"
                "            open(self.root + key, 'w').write(value)\n",
                "app.py": "from store import Store\n\nStore('/tmp/').save('a', Store('/tmp/').load('b'))\n",
            },
        ),
        Example(
            program="(functions-to-class symbols: ['area'] origin: 'shapes.py' name: 'Shapes')",
            before={"shapes.py": "def area(w, h):\n    return w * h\n\n\nprint(map(area, [1], [2]))\n"},
            after={
                "shapes.py": "class Shapes:\n    @staticmethod\n    def area(w, h):\n        return w * h\n\n\n"
                "print(map(Shapes.area, [1], [2]))\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.class_of_functions import FunctionsToClass as Refactoring

        path = scene.project.source(self.origin).path
        splices = Refactoring(python(scene, path), path, self.symbols, self.name, self.state).plan()
        files = {splice.path for splice in splices}
        return Outcome(
            splices=tuple(splices),
            text=f"{len(self.symbols)} functions are methods of {self.name}; {len(files)} files changed",
        )
