"""What an expression can be, as far as syntax and annotations tell."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from forgewright.code.python.scopes import Scope


class ModuleValue(NamedTuple):
    module: str


class ClassValue(NamedTuple):
    scope: Scope


class Instance(NamedTuple):
    scope: Scope


class Function(NamedTuple):
    scope: Scope
    receiver: Scope | None = None
    """The class through which a method was reached."""


class Super(NamedTuple):
    """`super()` in a class: lookups start after it."""

    scope: Scope


class External(NamedTuple):
    """Something of the standard library or another distribution, by its dotted name."""

    name: str


class ExternalInstance(NamedTuple):
    """An instance of something external, with what its type arguments stand for."""

    name: str
    args: tuple[tuple[Value, ...], ...] = ()


class Unknown(NamedTuple):
    """Syntax does not tell."""


UNKNOWN = Unknown()
Value: TypeAlias = (
    ModuleValue | ClassValue | Instance | Function | Super | External | ExternalInstance | Unknown
)
Values: TypeAlias = tuple[Value, ...]
"""The alternatives; empty where there is nothing (yet), which counts as unknown."""

NOTHING: Values = ()
UNSURE: Values = (UNKNOWN,)


def union(*many: Values) -> Values:
    """All alternatives, each once, in order."""
    if len(many) == 1:
        return many[0]
    return tuple(dict.fromkeys(value for values in many for value in values))
