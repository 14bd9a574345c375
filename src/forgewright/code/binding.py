"""What names mean: the types between the language-neutral engine and each language's resolver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from forgewright.code.project import Splice

Role = Literal["definition", "reference", "write", "import", "export", "keyword", "string", "comment"]
"""What an occurrence is to its symbol; `keyword` is an argument's name at a call, or a key."""

Scope = Literal["off", "uncertain", "all"]
"""What is done with look-alikes in strings or prose: nothing, list them, or change them."""


class Occurrence(msgspec.Struct, frozen=True, order=True):
    """One place where a symbol's name stands: bytes `start:end` of `path`."""

    path: str
    start: int
    end: int
    role: Role
    certain: bool = True
    """False where syntax cannot tell whether this is the same symbol."""
    note: str = ""
    """Why it is not certain, in a few words."""


class Symbol(msgspec.Struct, frozen=True):
    """A named thing. `start:end` are the bytes of its defining name; `kind` is a selectors' kind."""

    name: str
    kind: str
    path: str
    start: int
    end: int
    container: str = ""
    """Dotted name of what it is defined in (`Cache`, `Cache.get`); empty at the top of a file."""


class RenameOptions(msgspec.Struct, frozen=True):
    """How far a rename reaches."""

    hierarchy: bool = True
    """Overriding and overridden methods are renamed with this one."""
    strings: Scope = "off"
    """Whole-word occurrences in string literals."""
    docs: Scope = "off"
    """Whole-word occurrences in comments and docstrings."""
    keywords: bool = True
    """For parameters and fields: the keyword arguments of the calls."""
    aliases: bool = False
    """Keep the old name importable where the symbol is public (an alias at its definition)."""
    shorthand: bool = True
    """Where one word is both a variable and a field (`{ x }`), write both; off: rename the other one too."""
    uncertain: bool = False
    """Change the uncertain places too."""
    allow_capture: bool = False
    """Go on although a name would be captured or shadowed."""


DEFAULTS = RenameOptions()


class Renaming(msgspec.Struct, frozen=True):
    """A rename, computed and not yet done."""

    splices: tuple[Splice, ...]
    moves: tuple[tuple[str, str], ...] = ()
    """Files that follow, as (from, to)."""
    uncertain: tuple[Occurrence, ...] = ()
    """Places that may be meant, and were left alone."""
    leftover: tuple[Occurrence, ...] = ()
    """Where else the old name stands, classified by role."""


class Resolver(Protocol):
    """One per language family; built by `make(project)` in the module that `languages.RESOLVERS` names."""

    def symbol_at(self, path: str, offset: int) -> Symbol | None:
        """The symbol that the identifier at this byte means; follows imports to the definition."""

    def definitions(self, path: str) -> Sequence[Symbol]:
        """All symbols that a file defines, in order."""

    def occurrences(self, symbol: Symbol) -> Sequence[Occurrence]:
        """All places in the project, the definition among them; uncertain ones are marked."""

    def names_at(self, path: str, offset: int) -> Mapping[str, Symbol | None]:
        """The names visible there and what they mean; None where that is not known."""

    def rename(self, symbol: Symbol, new_name: str, *, options: RenameOptions = DEFAULTS) -> Renaming:
        """The splices of a rename, shaped for the language (shorthand, aliases, keywords, overrides).

        Raises `EditRefused` on capture, clash, an invalid name, or a symbol outside the root.
        """
