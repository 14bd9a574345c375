"""Operations on members and definitions: up, down, out to the top, into a superclass, and away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from forgewright.code.operations.base import Example, Outcome, Scene, occurrences_text
from forgewright.code.operations.classes import Named, Spanned, outcome
from forgewright.code.operations.targets import python, span
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    pass

Symbol = Annotated[str, Meta(description="Selector of the definition, as class[name=Cache].")]
At = Annotated[str, Meta(description="Or where its name stands: path:line:column.")]
Within = Annotated[str, Meta(description="Glob of the files in which the selector is looked up.")]
Files = Annotated[str, Meta(description="Glob: change these files only.")]
Range = Annotated[str, Meta(description="The code: path:line:column-line:column, or path:line-line.")]
Select = Annotated[str, Meta(description="Or a selector of it.")]


class ExtractSuperclass(Spanned, frozen=True, kw_only=True):
    """Members of a class go to a new class, from which it inherits."""

    name: Annotated[str, Meta(description="The new class's name; else Base and the class's name.")] = ""

    group: ClassVar[str] = "extract"
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
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.classes import extract_superclass, members_in

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        cls, nodes = members_in(resolver, resolver.file(path), start, end)
        name = self.name or f"Base{cls.name}"
        return outcome(extract_superclass(resolver, cls, nodes, name), f"extracted {name}")


class PullUp(Spanned, frozen=True, kw_only=True):
    """Members of a class go to the class that it inherits from."""

    base: Annotated[str, Meta(description="Which base, if there are several.")] = ""

    group: ClassVar[str] = "move"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(pull-up range: 'app.py:6-7')",
            before={"app.py": "class A:\n    pass\n\n\nclass B(A):\n    def f(self):\n        return 1\n"},
            after={"app.py": "class A:\n    def f(self):\n        return 1\n\n\nclass B(A):\n    pass\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.classes import members_in, pull_up

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        cls, nodes = members_in(resolver, resolver.file(path), start, end)
        return outcome(pull_up(resolver, cls, nodes, self.base), f"pulled up from {cls.name}")


class PushDown(Spanned, frozen=True, kw_only=True):
    """Members of a class go to every class that directly inherits from it."""

    group: ClassVar[str] = "move"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(push-down range: 'app.py:2-3')",
            before={"app.py": "class A:\n    def f(self):\n        return 1\n\n\nclass B(A):\n    pass\n"},
            after={"app.py": "class A:\n    pass\n\n\nclass B(A):\n    def f(self):\n        return 1\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.classes import members_in, push_down

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        cls, nodes = members_in(resolver, resolver.file(path), start, end)
        return outcome(push_down(resolver, cls, nodes), f"pushed down from {cls.name}")


class MakeTopLevel(Spanned, frozen=True, kw_only=True):
    """A function within a function or class goes to the top of its module; a class keeps a name for it."""

    group: ClassVar[str] = "move"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(make-top-level range: 'app.py:2-3')",
            before={"app.py": "def f():\n    def g(x):\n        return x\n    return g(1)\n"},
            after={"app.py": "def f():\n    return g(1)\n\n\ndef g(x):\n    return x\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.classes import make_top_level
        from forgewright.code.python.refactor.region import Region

        path, start, end = span(scene, self.range, self.select, self.within)
        resolver = python(scene, path)
        file = resolver.file(path)
        nodes = [node for node in Region(file, start, end, "statements").statements if node.type != "comment"]
        if len(nodes) != 1:
            raise EditRefused("expected one function", hint="select exactly one function with its decorators")
        return outcome(make_top_level(resolver, file, nodes[0]), "moved to the top of the module")


class SafeDelete(Named, frozen=True, kw_only=True):
    """Delete a definition if nothing uses it; else list its uses."""

    group: ClassVar[str] = "delete"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(safe-delete symbol: 'function[name=old]')",
            before={"app.py": "def old():\n    pass\n\n\ndef new():\n    pass\n"},
            after={"app.py": "def new():\n    pass\n"},
        ),
        Example(
            program="(safe-delete symbol: 'function[name=old]')",
            before={"app.py": "def old():\n    pass\n\n\nold()\n"},
            refused="is used in 1 place",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.classes import safe_delete

        resolver, keys, name, _, _ = self.found(scene)
        splices, used = safe_delete(resolver, keys, name)
        if used:
            count = "1 place" if len(used) == 1 else f"{len(used)} places"
            raise EditRefused(
                f"{name} is used in {count}:\n{occurrences_text(scene.project, used, 10)}",
                hint="change those first",
            )
        return outcome(splices, f"deleted {name}")
