"""Classes that are more than their statements: made of their fields, or closed to new attributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

_MADE = re.compile(r"^@(?:\w+\.)*(?:dataclass|dataclass_transform|s|attrs|attrib|define|frozen|mutable)\b")
_SPECIAL = ("NamedTuple", "TypedDict", "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")


def is_made(cls: Scope) -> bool:
    """Whether a class is made of its fields: a dataclass, an enum, a named tuple."""
    made = any(_MADE.search(cls.file.text(node)) for node in cls.decorators)
    return made or any(cls.file.text(base).rpartition(".")[2] in _SPECIAL for base in cls.bases)


def check_fields(cls: Scope, nodes: list[Node]) -> None:
    """Refuse to take fields out of a class of which something is made: of a dataclass, an enum."""
    if is_made(cls) and any(node.type == "expression_statement" for node in nodes):
        raise EditRefused(f"{cls.name} is made of its fields", hint="move methods only")


_CLOSED = re.compile(r"\b(?:slots|frozen)\s*=\s*True|^@(?:attrs?\.)?(?:define|frozen|mutable)\b")


def check_open(cls: Scope) -> None:
    """Refuse where objects of a class take no new attributes."""
    closed = "__slots__" in cls.bindings and "__dict__" not in cls.slots
    for node in cls.decorators:
        closed = closed or _CLOSED.search(cls.file.text(node)) is not None
    for base in cls.bases:
        closed = closed or cls.file.text(base).rpartition(".")[2] in ("NamedTuple", "Enum", "IntEnum", "Flag")
    if closed or "__setattr__" in cls.bindings:
        raise EditRefused(
            f"objects of {cls.name} take no attributes but their own",
            hint="add the attribute to the class first",
        )
