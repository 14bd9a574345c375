"""Operations on whole modules: several definitions moved together, modules merged, one split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code.operations.base import PYTHON, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import python
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forgewright.code.binding import Occurrence
    from forgewright.code.python.refactor.staged import Staged

Origin = Annotated[str, Meta(description="Path of the module that they are in.", min_length=1)]
Names = Annotated[list[str], Meta(description="Names of its functions, classes and variables.", min_length=1)]
Cycle = Annotated[bool, Meta(description="Go on although the two modules import each other then.")]


def staged_outcome(staged: Staged, text: str, uncertain: Iterable[Occurrence] = ()) -> Outcome:
    """What all the steps come to."""
    splices = staged.splices()
    files = {splice.path for splice in splices} | set(staged.created()) | set(staged.deleted())
    return Outcome(
        splices=tuple(splices),
        create=staged.created(),
        delete=staged.deleted(),
        text=f"{text}; {len(files)} files changed",
        uncertain=tuple(uncertain),
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
    languages: ClassVar[Languages] = PYTHON
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
    )

    def plan(self, scene: Scene) -> Outcome:
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
    languages: ClassVar[Languages] = PYTHON
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
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.gather import mentions, merge_module

        if self.into in self.modules:
            raise EditRefused(f"{self.into} cannot be merged into itself", hint="leave it out of modules:")
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
    languages: ClassVar[Languages] = PYTHON
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
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.gather import move_all
        from forgewright.code.python.refactor.move import MoveOptions

        named = [name for names in self.parts.values() for name in names]
        twice = {name for name in named if named.count(name) > 1}
        if twice:
            raise EditRefused(f"{', '.join(sorted(twice))} would go to two modules", hint="name each once")
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
