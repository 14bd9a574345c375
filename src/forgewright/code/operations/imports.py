"""Operations on a file's imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.scripts import tidied
from forgewright.code.operations.targets import python
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.project import Splice
    from forgewright.code.python.refactor.staged import Staged

Step = Callable[["Staged", str], "list[Splice]"]
File = Annotated[str, Meta(description="The file, or a glob of files.")]


def run(scene: Scene, glob: str, *steps: Step) -> Outcome:
    """Run steps one after the other on each file; one outcome for all."""
    from forgewright.code.python.refactor.staged import Staged

    paths = list(scene.project.paths(glob, "python"))
    if not paths:
        raise EditRefused(f"{glob} names no Python file", hint="give a path or a glob below the root")
    python(scene, paths[0])
    staged = Staged(scene.project)
    for path in paths:
        for step in steps:
            staged.apply(step(staged, path))
    splices = staged.splices()
    changed = sorted({splice.path for splice in splices})
    return Outcome(
        splices=tuple(splices),
        text=f"imports changed in {', '.join(changed)}" if changed else "nothing to do",
    )


def _unused(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import organise

    return organise.remove_unused(staged.resolver, staged.file(path))


def _duplicates(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import organise

    return organise.remove_duplicates(staged.resolver, staged.file(path))


def _duplicates_split(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import organise

    return organise.remove_duplicates(staged.resolver, staged.file(path), split=True)


def _split(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import organise

    return organise.split_imports(staged.file(path))


def _selfs(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import organise

    return organise.remove_self(staged.resolver, staged.file(path))


def _sort(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import import_order

    return import_order.sort_imports(staged.resolver, staged.file(path))


def _sort_top(staged: Staged, path: str) -> list[Splice]:
    from forgewright.code.python.refactor import import_order

    return import_order.sort_imports(staged.resolver, staged.file(path), to_top=True)


class AddImportStatement(Operation, frozen=True, kw_only=True):
    """Add an import as written, after the others, unless it is there; names of one module join its statement."""

    to: Annotated[str, Meta(description="The file.")]
    statement: Annotated[
        str, Meta(description="As it would be written: import a.b, or from a import b as c.")
    ]
    last: Annotated[bool, Meta(description="After the last import, even if that follows other code.")] = False

    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(add-import-statement to: 'app.py' statement: 'from os import path')",
            before={"app.py": "from os import sep\n\nprint(sep)\n"},
            after={"app.py": "from os import sep, path\n\nprint(sep)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.languages import parse
        from forgewright.code.python.refactor.imports import STATEMENTS, Imports

        root = parse("python", self.statement.encode()).root_node
        kinds = [child.type for child in root.named_children]
        if root.has_error or len(kinds) != 1 or kinds[0] not in STATEMENTS:
            raise EditRefused(
                f"expected one import statement, found {self.statement!r}",
                hint="write import a or from a import b",
            )
        file = python(scene, self.to).file(self.to)
        splices = Imports(file).add([self.statement.strip()], last=self.last)
        return Outcome(splices=tuple(splices), text="added" if splices else "it is there already")


class RemoveImport(Operation, frozen=True, kw_only=True):
    """Take an import out, or one name of it. Refused where the name is still used. Python, JavaScript, TypeScript."""

    module: Annotated[str, Meta(description="The module as the import writes it, as app.util or ./util.js.")]
    name: Annotated[str, Meta(description="Only this name of it; else the whole import.")] = ""
    in_: Annotated[str, Meta(description="The file, or a glob of files.", min_length=1)] = msgspec.field(
        name="in"
    )

    group: ClassVar[str] = "imports"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-import module: 'typing' name: 'Any' in: '*.py')",
            before={"a.py": "from typing import Any, Final\n\nX: Final = 1\n"},
            after={"a.py": "from typing import Final\n\nX: Final = 1\n"},
        ),
        Example(
            program="(remove-import module: './util.js' in: 'a.js')",
            before={"a.js": "import { load } from './util.js';\nimport './style.css';\n"},
            after={"a.js": "import './style.css';\n"},
        ),
        Example(
            program="(remove-import module: 'os' in: 'a.py')",
            before={"a.py": "import os\n\nprint(os.sep)\n"},
            refused="os is still used",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.removing import removed

        paths = list(scene.project.paths(self.in_)) or [scene.project.source(self.in_).path]
        splices = [
            splice for path in paths for splice in removed(scene.project.source(path), self.module, self.name)
        ]
        if not splices:
            raise EditRefused(
                f"{self.in_} has no import of {self.name or 'anything'} from {self.module}".replace(
                    "anything from ", ""
                ),
                hint="write the module as the import does",
            )
        return Outcome(splices=tuple(splices), text=f"taken out of {len({s.path for s in splices})} files")


class RemoveUnusedImports(Operation, frozen=True, kw_only=True):
    """Take out imports that nothing uses; those that other files take from this one stay."""

    file: File
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-unused-imports file: 'app.py')",
            before={"app.py": "import os\nimport sys\n\nprint(sys.path)\n"},
            after={"app.py": "import sys\n\nprint(sys.path)\n"},
        ),
        Example(
            program="(remove-unused-imports file: 'app.ts')",
            before={
                "app.ts": "import fs, { readFile, type Stats } from 'fs';\nimport './setup';\n\n"
                "export const read = (s: Stats) => readFile(s);\n"
            },
            after={
                "app.ts": "import { readFile, type Stats } from 'fs';\nimport './setup';\n\n"
                "export const read = (s: Stats) => readFile(s);\n"
            },
            note="A type is used where it is named, also in a documentation comment; `import './setup'` is for what it does.",
        ),
        Example(
            program="(remove-unused-imports file: 'app.js')",
            before={
                "app.js": "import * as fs from 'fs';\nimport { sep } from 'path';\n\nconsole.log(sep);\n"
            },
            after={"app.js": "import { sep } from 'path';\n\nconsole.log(sep);\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.javascript.refactor.organise import remove_unused

        return tidied(scene, self.file, lambda: run(scene, self.file, _unused), remove_unused)


class RemoveDuplicateImports(Operation, frozen=True, kw_only=True):
    """Take out imports that stand twice; `from` statements of one module become one."""

    file: File
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-duplicate-imports file: 'app.py')",
            before={"app.py": "from os import sep\nfrom os import sep, path\n"},
            after={"app.py": "from os import sep, path\n"},
        ),
        Example(
            program="(remove-duplicate-imports file: 'app.js')",
            before={
                "app.js": "import { sep } from 'path';\nimport path, { join } from 'path';\n\npath.parse(join(sep));\n"
            },
            after={"app.js": "import path, { sep, join } from 'path';\n\npath.parse(join(sep));\n"},
        ),
        Example(
            program="(remove-duplicate-imports file: 'app.ts')",
            before={
                "app.ts": "import type { A } from './a';\nimport type { B } from './a';\n\nexport type C = A | B;\n"
            },
            after={"app.ts": "import type { A, B } from './a';\n\nexport type C = A | B;\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.javascript.refactor.organise import remove_duplicates

        return tidied(scene, self.file, lambda: run(scene, self.file, _duplicates), remove_duplicates)


class SortImports(Operation, frozen=True, kw_only=True):
    """Sort imports in groups: future, standard library, other distributions, this project."""

    file: File
    to_top: Annotated[bool, Meta(description="Move imports that follow other code to the top too.")] = False
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(sort-imports file: 'app.py')",
            before={"app.py": "import util\nimport sys\nimport os\n", "util.py": ""},
            after={"app.py": "import os\nimport sys\n\nimport util\n"},
        ),
        Example(
            program="(sort-imports file: 'app.ts')",
            before={
                "app.ts": "import { b, a } from './util';\nimport z from 'zod';\n\nimport './setup';\n\nz(a, b);\n"
            },
            after={
                "app.ts": "import z from 'zod';\nimport { a, b } from './util';\n\nimport './setup';\n\nz(a, b);\n"
            },
            note="Packages before files; groups parted by a blank line or by `import './setup'` are sorted on their own.",
        ),
        Example(
            program="(sort-imports file: 'app.js')",
            before={
                "app.js": "// where\nimport path from 'path';\nimport fs from 'fs'; // read\n\nfs(path);\n"
            },
            after={
                "app.js": "// where\nimport fs from 'fs'; // read\nimport path from 'path';\n\nfs(path);\n"
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.javascript.refactor.organise import sort_imports

        steps = _sort_top if self.to_top else _sort
        only = "to_top" if self.to_top else ""
        return tidied(scene, self.file, lambda: run(scene, self.file, steps), sort_imports, python_only=only)


class OrganiseImports(Operation, frozen=True, kw_only=True):
    """Unused, double and self imports out, the rest sorted in groups."""

    file: File
    unused: Annotated[bool, Meta(description="Take out what is not used.")] = True
    split: Annotated[bool, Meta(description="One statement for each name.")] = False
    to_top: Annotated[bool, Meta(description="Move imports that follow other code to the top too.")] = False
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(organise-imports file: 'app.py')",
            before={"app.py": "import sys\nimport json\nimport os\n\nprint(os.sep, sys.path)\n"},
            after={"app.py": "import os\nimport sys\n\nprint(os.sep, sys.path)\n"},
        ),
        Example(
            program="(organise-imports file: 'app.ts')",
            before={
                "app.ts": "import { load, save } from './util';\nimport * as fs from 'fs';\nimport { join } from 'path';\n"
                "import { parse } from './util';\n\nexport const x = join(load(), parse());\n"
            },
            after={
                "app.ts": "import { join } from 'path';\nimport { load, parse } from './util';\n\n"
                "export const x = join(load(), parse());\n"
            },
        ),
        Example(
            program="(organise-imports file: 'app.js' split: true)",
            before={"app.js": "import { b, a } from 'x';\n"},
            refused="split is an option for Python",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        steps: list[Step] = [_unused] if self.unused else []
        steps += [_split, _duplicates_split] if self.split else [_duplicates]
        steps += [_selfs, _sort_top if self.to_top else _sort]
        from forgewright.code.javascript.refactor import organise

        scripts = (organise.remove_unused,) if self.unused else ()
        return tidied(
            scene,
            self.file,
            lambda: run(scene, self.file, *steps),
            *scripts,
            organise.remove_duplicates,
            organise.sort_imports,
            python_only="split" if self.split else "to_top" if self.to_top else "",
        )
