"""`rename`: one symbol, everywhere it is meant, and nowhere else."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.binding import RenameOptions, Renaming, Symbol
from forgewright.code.globs import matcher
from forgewright.code.languages import language_of
from forgewright.code.operations.base import Example, Operation, Outcome, Scene, occurrences_text, plural
from forgewright.code.operations.targets import locate, symbol_of

Prose = Literal["off", "uncertain", "all"]


class Rename(Operation, frozen=True, kw_only=True):
    """Rename a symbol (variable, function, class, member, parameter, import alias, module) wherever it is meant.

    Imports, keyword arguments, overrides, `__all__` and string annotations follow. Places that syntax cannot
    decide are listed and left alone; a rename that would capture or clash with another name is refused.
    """

    symbol: Annotated[str, Meta(description="Selector of the definition, as function[name=load].")] = ""
    at: Annotated[str, Meta(description="Or where its name stands: path:line:column.")] = ""
    new: Annotated[str, Meta(description="The new name.")]
    within: Annotated[str, Meta(description="Glob of the files in which the selector is looked up.")] = ""
    files: Annotated[
        str, Meta(description="Glob: change these files only, and leave the others as they are.")
    ] = ""
    hierarchy: Annotated[bool, Meta(description="Overriding and overridden methods too.")] = True
    keywords: Annotated[bool, Meta(description="Keyword arguments of the calls too.")] = True
    strings: Annotated[
        Prose, Meta(description="Whole words in string literals: off, list them, or change them.")
    ] = "off"
    docs: Annotated[
        Prose, Meta(description="Whole words in comments and docstrings: off, list them, or change them.")
    ] = "off"
    alias: Annotated[bool, Meta(description="Keep the old name as an alias at the definition.")] = False
    uncertain: Annotated[bool, Meta(description="Change the uncertain places too.")] = False
    allow_capture: Annotated[bool, Meta(description="Go on although another name would be captured.")] = False

    group: ClassVar[str] = "rename"
    binds: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(rename symbol: 'function[name=load]' new: 'read')",
            before={
                "store.py": "def load(path):\n    return open(path)\n",
                "app.py": "from store import load\n\nload('x')\n",
            },
            after={
                "store.py": "def read(path):\n    return open(path)\n",
                "app.py": "from store import read\n\nread('x')\n",
            },
            note="Imports and uses in other files follow.",
        ),
        Example(
            program="(rename at: 'app.py:1:11' new: 'size')",
            before={"app.py": "def fetch(count):\n    return count\n\n\nfetch(count=3)\n"},
            after={"app.py": "def fetch(size):\n    return size\n\n\nfetch(size=3)\n"},
            note="Keyword arguments follow a renamed parameter.",
        ),
        Example(
            program="(rename symbol: 'function[name=load]' new: 'read')",
            before={"app.py": "def load():\n    pass\n\n\ndef read():\n    pass\n"},
            refused="read is already bound",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        symbol = meant_here(scene, path, offset) if self.at else symbol_of(scene, path, offset)
        options = RenameOptions(
            hierarchy=self.hierarchy,
            strings=self.strings,
            docs=self.docs,
            keywords=self.keywords,
            aliases=self.alias,
            uncertain=self.uncertain,
            allow_capture=self.allow_capture,
        )
        language = language_of(symbol.path)
        found = scene.resolver(language).rename(symbol, self.new, options=options)
        found = scene.weigh(language, symbol, self.new, found, options)
        return renamed(scene, symbol, self.new, found, self.files)


class RenameModule(Operation, frozen=True, kw_only=True):
    """Rename a module or package: its file or folder moves, and every import of it follows."""

    module: Annotated[str, Meta(description="Path of the module's file, or of the package's folder.")]
    new: Annotated[str, Meta(description="The new name, without suffix.")]

    group: ClassVar[str] = "rename"
    binds: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(rename-module module: 'util.py' new: 'helpers')",
            before={"util.py": "def f():\n    pass\n", "app.py": "import util\n\nutil.f()\n"},
            after={
                "util.py": None,
                "helpers.py": "def f():\n    pass\n",
                "app.py": "import helpers\n\nhelpers.f()\n",
            },
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path = self.module.strip("/")
        language = language_of(path)
        if language == "text":
            language = "python"
        name = path.rpartition("/")[2].partition(".")[0]
        if name == "__init__":
            name = path.rpartition("/")[0].rpartition("/")[2]
        found = scene.resolver(language).rename(Symbol(name, "module", path, 0, 0), self.new)
        return renamed(scene, Symbol(name, "module", path, 0, 0), self.new, found, "")


def meant_here(scene: Scene, path: str, offset: int) -> Symbol:
    """The symbol at a place; where another name stands for it there (an alias), what bears that name."""
    symbol = symbol_of(scene, path, offset)
    here = getattr(scene.resolver(language_of(path)), "symbol_here", None)
    alias: Symbol | None = here(path, offset) if here is not None else None
    return alias if alias is not None and alias.name != symbol.name else symbol


def renamed(scene: Scene, symbol: Symbol, new: str, found: Renaming, files: str) -> Outcome:
    """The outcome of a renaming, limited to some files."""
    splices, moves = found.splices, found.moves
    if files:
        wanted = matcher(files)
        splices = tuple(splice for splice in splices if wanted(splice.path))
        moves = tuple(move for move in moves if wanted(move[0]))
    paths = {splice.path for splice in splices}
    places = plural(len(splices), "place")
    text = f"{symbol.kind} {symbol.name} → {new}: {places} in {len(paths)} file" + (
        "" if len(paths) == 1 else "s"
    )
    if moves:
        text += "\nmoved: " + ", ".join(f"{old} → {new}" for old, new in moves[:5])
    if found.uncertain:
        text += f"\n{len(found.uncertain)} uncertain, left alone:\n"
        text += occurrences_text(scene.project, found.uncertain, 10)
    counts: dict[str, int] = {}
    for place in found.leftover:
        counts[place.note or place.role] = counts.get(place.note or place.role, 0) + 1
    if counts:
        text += f"\n{symbol.name} also stands in: " + ", ".join(f"{n} × {what}" for what, n in counts.items())
    return Outcome(splices=splices, move=moves, text=text, uncertain=found.uncertain)
