"""How a function is extracted."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["auto", "function", "method", "classmethod", "staticmethod"]
Place = Literal["after", "before"]


class ExtractOptions(msgspec.Struct, frozen=True):
    """How a function is extracted."""

    kind: Kind = "auto"
    place: Place = "after"
    what: Literal["auto", "expression", "statements"] = "auto"
    top: bool = False
    """To the top of the module, whatever the code stands in."""
    similar: bool = False
    """Replace the same code elsewhere in the class or module too."""
    through_class: bool = False
    """Call class and static methods as `Class.name()`."""
    pass_unbound: bool = False
    """Names that are bound nowhere become parameters."""
    keep_last: bool = False
    """Give back the variable assigned last even if nothing reads it."""
