"""`allow`: what a program is permitted to do to names that it does not speak of."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.base import Example, Operation, Outcome, Scene


class Allow(Operation, frozen=True, kw_only=True):
    """Let the program go on although names elsewhere lose their meaning or get another one.

    Without it a program is refused after which a name that meant something is bound nowhere any more, or means a
    thing that the program has put in its way.
    """

    what: Annotated[
        list[Literal["lost", "captured"]],
        Meta(
            description="`lost`: names that are bound nowhere afterwards; `captured`: names that mean another thing."
        ),
    ]

    group: ClassVar[str] = "checks"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(delete-node target: 'a.py::function#load')",
            before={"a.py": "def load(): ...\n\n\nload()\n"},
            refused="a.py:1 load: bound nowhere any more",
            note="A definition that is used is not deleted by mistake.",
        ),
        Example(
            program="(allow what: [lost]) (delete-node target: 'a.py::function#load')",
            before={"a.py": "def load(): ...\n\n\nload()\n"},
            after={"a.py": "load()\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome()
