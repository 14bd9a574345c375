"""What the operations on one symbol, or on a piece of code, have in common: how they are told where, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from forgewright.code.globs import matcher
from forgewright.code.operations.base import Operation, Outcome, Scene
from forgewright.code.operations.targets import locate, python
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forgewright.code.binding import Occurrence
    from forgewright.code.project import Splice
    from forgewright.code.python.keys import Keys
    from forgewright.code.python.resolver import PythonResolver

Symbol = Annotated[str, Meta(description="Selector of the definition, as class[name=Cache].")]
At = Annotated[str, Meta(description="Or where its name stands: path:line:column.")]
Within = Annotated[str, Meta(description="Glob of the files in which the selector is looked up.")]
Files = Annotated[str, Meta(description="Glob: change these files only.")]
Range = Annotated[str, Meta(description="The code: path:line:column-line:column, or path:line-line.")]
Select = Annotated[str, Meta(description="Or a selector of it.")]


class Named(Operation, frozen=True, kw_only=True):
    """What the operations on one symbol have in common."""

    symbol: Symbol = ""
    at: At = ""
    within: Within = ""

    def found(self, scene: Scene) -> tuple[PythonResolver, Keys, str, str, int]:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = python(scene, path)
        keys, name = resolver.keys_at(path, offset)
        if not keys:
            raise EditRefused("no symbol of this project is named there", hint="point at a name")
        return resolver, keys, name, path, offset


class Spanned(Operation, frozen=True, kw_only=True):
    """What the operations on a piece of code have in common."""

    range: Range = ""
    select: Select = ""
    within: Within = ""


def outcome(
    splices: Sequence[Splice], text: str, files: str = "", uncertain: Sequence[Occurrence] = ()
) -> Outcome:
    if files:
        wanted = matcher(files)
        splices = [splice for splice in splices if wanted(splice.path)]
    return Outcome(splices=tuple(splices), text=text, uncertain=tuple(uncertain))
