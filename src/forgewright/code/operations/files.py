"""Files as wholes: create, delete, move."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from forgewright.code.operations.base import Example, Operation, Outcome, Scene
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

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


class DeleteFile(Operation, frozen=True, kw_only=True):
    """Delete a file. What imports it is not looked at."""

    path: Path

    group: ClassVar[str] = "files"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(delete-file path: 'old.py')",
            before={"old.py": "x\n", "b.py": ""},
            after={"old.py": None},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(delete=(scene.project.source(self.path).path,))


class MoveFile(Operation, frozen=True, kw_only=True):
    """Move or rename a file as it is. `move-module` also moves what imports it."""

    path: Path
    to: Annotated[str, Meta(description="New path, with the file's name.", min_length=1)]

    group: ClassVar[str] = "files"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(move-file path: 'a.txt' to: 'docs/a.txt')",
            before={"a.txt": "hello\r\n"},
            after={"a.txt": None, "docs/a.txt": "hello\r\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        source = scene.project.source(self.path)
        if self.to.endswith("/"):
            raise EditRefused(
                f"expected the new path of the file, found the folder {self.to!r}", hint="add its name"
            )
        return Outcome(move=((source.path, self.to),))
