"""Operations on the shape of imports: stars, absolute and relative, `from` and not."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.imports import File, run
from forgewright.code.operations.scripts import tidied


class ExpandStarImport(Operation, frozen=True, kw_only=True):
    """`from m import *` (scripts: `import * as m`) names what the file uses."""

    file: File
    every: Annotated[bool, Meta(description="Name everything public instead.")] = False
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(expand-star-import file: 'app.py')",
            before={
                "app.py": "from util import *\n\nload()\n",
                "util.py": "def load(): ...\ndef save(): ...\n",
            },
            after={"app.py": "from util import load\n\nload()\n"},
        ),
        Example(
            program="(expand-star-import file: 'app.ts')",
            before={
                "app.ts": "import * as util from './util';\n\nutil.load(util.path);\n",
                "util.ts": "export const path = '/';\nexport function load(path: string) {}\n",
            },
            after={"app.ts": "import { load, path } from './util';\n\nload(path);\n"},
        ),
        Example(
            program="(expand-star-import file: 'app.js')",
            before={"app.js": "import * as util from './util';\n\nconsole.log(util);\n"},
            refused="util is used as a whole",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.javascript.refactor.forms import expand_stars

        return tidied(
            scene,
            self.file,
            lambda: self._python(scene),
            expand_stars,
            python_only="every" if self.every else "",
        )

    def _python(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor import import_shapes

        return run(
            scene,
            self.file,
            lambda s, path: import_shapes.expand_stars(s.resolver, s.file(path), every=self.every),
        )


class AbsoluteImports(Operation, frozen=True, kw_only=True):
    """Relative imports by the full name of their module (scripts: by `paths` and `baseUrl` of tsconfig.json)."""

    file: File
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(absolute-imports file: 'pkg/app.py')",
            before={
                "pkg/__init__.py": "",
                "pkg/app.py": "from .util import load\n",
                "pkg/util.py": "load = 1\n",
            },
            after={"pkg/app.py": "from pkg.util import load\n"},
        ),
        Example(
            program="(absolute-imports file: 'src/ui/app.ts')",
            before={
                "tsconfig.json": '{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["src/*"] } } }',
                "src/ui/app.ts": "import { load } from '../util';\nimport z from 'zod';\n\nz(load);\n",
                "src/util/index.ts": "export const load = 1;\n",
            },
            after={"src/ui/app.ts": "import { load } from '@/util';\nimport z from 'zod';\n\nz(load);\n"},
        ),
        Example(
            program="(absolute-imports file: 'app.js')",
            before={"app.js": "import './util.js';\n", "util.js": "export {};\n"},
            refused="has `paths` or `baseUrl`",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.javascript.refactor import forms

        return tidied(scene, self.file, lambda: self._python(scene), forms.absolute)

    def _python(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor import import_shapes

        return run(scene, self.file, lambda s, path: import_shapes.absolute(s.resolver, s.file(path)))


class RelativeImports(Operation, frozen=True, kw_only=True):
    """`from` imports of the same package with dots (scripts: what `paths` and `baseUrl` name, relative)."""

    file: File
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(relative-imports file: 'pkg/app.py')",
            before={
                "pkg/__init__.py": "",
                "pkg/app.py": "from pkg.util import load\n",
                "pkg/util.py": "load = 1\n",
            },
            after={"pkg/app.py": "from .util import load\n"},
        ),
        Example(
            program="(relative-imports file: 'src/**/*.ts')",
            before={
                "tsconfig.json": '{ "compilerOptions": { "paths": { "~/*": ["./src/*"] } } }',
                "src/ui/app.ts": "import { load } from '~/util';\nimport z from 'zod';\n\nz(load);\n",
                "src/util.ts": "export const load = 1;\n",
            },
            after={"src/ui/app.ts": "import { load } from '../util';\nimport z from 'zod';\n\nz(load);\n"},
        ),
        Example(
            program="(relative-imports file: 'src/app.js')",
            before={
                "jsconfig.json": '{ "compilerOptions": { "baseUrl": "." } }',
                "src/app.js": "import { load } from 'src/util';\n\nload();\n",
                "src/util.js": "export const load = () => 1;\n",
            },
            after={"src/app.js": "import { load } from './util';\n\nload();\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.javascript.refactor import forms

        return tidied(scene, self.file, lambda: self._python(scene), forms.relative)

    def _python(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor import import_shapes

        return run(scene, self.file, lambda s, path: import_shapes.relative(s.resolver, s.file(path)))


class FromsToImports(Operation, frozen=True, kw_only=True):
    """`from a.b import c` and `c` become `import a.b` and `a.b.c`."""

    file: File
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(froms-to-imports file: 'app.py')",
            before={"app.py": "from os import sep\n\nprint(sep)\n"},
            after={"app.py": "import os\n\nprint(os.sep)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor import import_shapes

        return run(scene, self.file, lambda s, path: import_shapes.froms_to_imports(s.resolver, s.file(path)))


class ShortenImports(Operation, frozen=True, kw_only=True):
    """`import a.b.c.d` with a long path becomes `from a.b.c import d`."""

    file: File
    dots_max: Annotated[int, Meta(description="Paths with more dots than this are long.", ge=0)] = 2
    length_max: Annotated[int, Meta(description="Paths with more characters than this are long.", ge=0)] = 27
    group: ClassVar[str] = "imports"
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(shorten-imports file: 'app.py' dots_max: 1)",
            before={"app.py": "import a.b.c\n\nprint(a.b.c)\n", "a/b/c.py": ""},
            after={"app.py": "from a.b import c\n\nprint(c)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor import import_shapes

        return run(
            scene,
            self.file,
            lambda s, path: import_shapes.shorten(
                s.resolver, s.file(path), dots_max=self.dots_max, length_max=self.length_max
            ),
        )
