"""Files as wholes: create, delete, move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from forgewright.code.binding import Occurrence
from forgewright.code.operations.base import Example, Operation, Outcome, Scene, occurrences_text
from forgewright.code.operations.targets import python
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
Path = Annotated[str, Meta(description="Path relative to the root.", min_length=1)]


class CreateFile(Operation, frozen=True, kw_only=True):
    """Create a file, with the folders above it."""

    path: Path
    content: Annotated[str, Meta(description="The whole text. A missing line break at the end is added.")] = (
        ""
    )
    overwrite: Annotated[bool, Meta(description="Replace the file if there is one.")] = False

    group: ClassVar[str] = "files"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(create-file path: 'app/cache.py' content: '''\n  class Cache:\n      pass\n  ''')",
            before={},
            after={"app/cache.py": "class Cache:\n    pass\n"},
        ),
        Example(
            program="(create-file path: 'a.py' content: 'x = 2')",
            before={"a.py": "x = 1\n"},
            refused="is there already",
        ),
        Example(
            program="(create-file path: '../a.py' content: '')",
            before={},
            refused="expected a path inside the root",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        content = self.content
        if content and not content.endswith("\n"):
            content += "\n"
        data = content.encode("utf-8", "surrogatepass")
        if self.overwrite and scene.project.exists(self.path):
            old = scene.project.source(self.path)
            return Outcome(splices=(Splice(old.path, 0, len(old.data), data),))
        return Outcome(create={self.path: data})


class CreateFiles(Operation, frozen=True, kw_only=True):
    """Create several files; names that a Python file uses and one module of the project defines are imported.

    The files may use each other. They are listed in the order of their imports, what is imported first.
    Names that nothing defines, or several modules do, are listed and left alone.
    """

    files: Annotated[Mapping[str, str], Meta(description="Path → the whole text.", min_length=1)]

    group: ClassVar[str] = "files"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="""(create-files files: {
  'app/service.py': '''
    def total(cart: Cart) -> int:
        return sum(cart.prices) + FEE
    '''
  'app/cart.py': '''
    class Cart:
        prices: list[int]
    '''})""",
            before={"app/__init__.py": "", "app/settings.py": "FEE = 5\n"},
            after={
                "app/service.py": "from app.cart import Cart\nfrom app.settings import FEE\n\n\n"
                "def total(cart: Cart) -> int:\n    return sum(cart.prices) + FEE\n",
                "app/cart.py": "class Cart:\n    prices: list[int]\n",
            },
            result="created app/cart.py, app/service.py",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.generate import generated

        data = {
            path: (text if not text or text.endswith("\n") else text + "\n").encode("utf-8", "surrogatepass")
            for path, text in self.files.items()
        }
        there = [path for path in data if scene.project.exists(path)]
        if there:
            raise EditRefused(
                f"{', '.join(there)} is there already", hint="delete it first, or choose another path"
            )
        created, order, unknown = generated(scene.project, data)
        return Outcome(
            create=created,
            text=f"created {', '.join(order)}",
            notes=tuple(
                f"{path}: nothing, or more than one thing, is named {name}" for path, name in unknown
            ),
        )


class DeleteFile(Operation, frozen=True, kw_only=True):
    """Delete a file. What still imports it is listed."""

    path: Path

    group: ClassVar[str] = "files"
    binds: ClassVar[bool] = False  # what imports it is listed
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(delete-file path: 'old.py')",
            before={"old.py": "x\n", "b.py": ""},
            after={"old.py": None},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        source = scene.project.source(self.path)
        left = importers(scene, source.path)
        text = (
            f"{source.path} is still imported:\n{occurrences_text(scene.project, left, 10)}" if left else ""
        )
        return Outcome(delete=(source.path,), text=text, uncertain=tuple(left))


class MoveFile(Operation, frozen=True, kw_only=True):
    """Move or rename a file. Imports of it, and its own relative ones, follow (Python, JavaScript, TypeScript)."""

    path: Path
    to: Annotated[str, Meta(description="New path, with the file's name.", min_length=1)]
    imports: Annotated[bool, Meta(description="Let imports follow; false: move the bytes as they are.")] = (
        True
    )

    group: ClassVar[str] = "files"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(move-file path: 'a.txt' to: 'docs/a.txt')",
            before={"a.txt": "hello\r\n"},
            after={"a.txt": None, "docs/a.txt": "hello\r\n"},
        ),
        Example(
            program="(move-file path: 'src/util.ts' to: 'src/lib/text.ts')",
            before={
                "src/util.ts": "import { a } from './a';\nexport const b = a;\n",
                "src/a.ts": "export const a = 1;\n",
                "src/app.ts": "import { b } from './util.js';\nexport * from \"./util\";\nconsole.log(b);\n",
            },
            after={
                "src/util.ts": None,
                "src/lib/text.ts": "import { a } from '../a';\nexport const b = a;\n",
                "src/app.ts": "import { b } from './lib/text.js';\nexport * from \"./lib/text\";\nconsole.log(b);\n",
            },
        ),
        Example(
            program="(move-file path: 'pkg/util.py' to: 'pkg/text.py')",
            before={
                "pkg/__init__.py": "from .util import f\n",
                "pkg/util.py": "def f():\n    pass\n",
            },
            after={
                "pkg/__init__.py": "from .text import f\n",
                "pkg/util.py": None,
                "pkg/text.py": "def f():\n    pass\n",
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        source = scene.project.source(self.path)
        if self.to.endswith("/"):
            raise EditRefused(
                f"expected the new path of the file, found the folder {self.to!r}", hint="add its name"
            )
        splices: list[Splice] = []
        if self.imports and _is_module(source.path) and _is_module(self.to):
            splices = _module_moved(scene, source.path, self.to)
        elif self.imports and source.path.endswith(ENDINGS) and self.to.endswith(ENDINGS):
            from forgewright.code.javascript.moving import follow

            splices = follow(scene.project, source.path, self.to)
        files = {splice.path for splice in splices} - {source.path}
        text = f"{len(files)} files import it by its new path" if files else ""
        return Outcome(splices=tuple(splices), move=((source.path, self.to),), text=text)


def _is_module(path: str) -> bool:
    return path.endswith((".py", ".pyi")) and not path.endswith(
        ("__init__.py", "__init__.pyi", "conftest.py")
    )


def _module_moved(scene: Scene, path: str, to: str) -> list[Splice]:
    """What follows a Python module: renamed where it is, or moved to another folder."""
    from forgewright.code.binding import Symbol
    from forgewright.code.python.refactor.move_module import ModuleMove

    resolver = python(scene, path)
    module = resolver.modules.module_of(path)
    home, _, name = module.rpartition("/")
    folder, _, last = to.rpartition("/")
    if folder == home:
        return list(resolver.rename(Symbol(name, "module", path, 0, 0), last.rpartition(".")[0]).splices)
    return ModuleMove(resolver, module, folder, last.rpartition(".")[0], new_folder=True).plan()[0]


def importers(scene: Scene, path: str) -> list[Occurrence]:
    """The imports of a file in other files, as far as this language's imports are known."""
    if path.endswith(ENDINGS):
        from forgewright.code.javascript.moving import importing

        return importing(scene.project, path)
    if not path.endswith((".py", ".pyi")):
        return []
    from forgewright.code.python.keys import Key

    resolver = python(scene, path)
    module = resolver.modules.module_of(path)
    if len(resolver.modules.files(module)) > 1:
        return []
    keys = frozenset({Key(module, -1, "")})
    _, places = resolver.finder.find(keys, module.rpartition("/")[2], hierarchy=False)
    return [place for place in places if place.role == "import" and place.certain and place.path != path]
