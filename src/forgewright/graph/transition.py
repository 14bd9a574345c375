"""What a node returns: changed fields, and where to go where it declared more than one way."""

from __future__ import annotations

from typing import Any, Final

END: Final = "end"
"""The name of the way out."""


class Update:
    """Changed fields of the state; the run goes on to the node's only target."""

    __slots__ = ("fields",)

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.fields)})"


class Branch:
    """One branch of a fan-out: a node that sees the state with these fields replaced (for it alone)."""

    __slots__ = ("fields", "node")

    def __init__(self, node: str, **fields: Any) -> None:
        self.node = node
        self.fields = fields

    def __repr__(self) -> str:
        return f"Branch({self.node!r}, {', '.join(self.fields)})"


class Goto(Update):
    """Changed fields and the next node, or several nodes or branches that run side by side."""

    __slots__ = ("to",)

    def __init__(self, *to: str | Branch, **fields: Any) -> None:
        super().__init__(**fields)
        self.to = to


class End(Goto):
    """Changed fields, and the run is done."""

    __slots__ = ()

    def __init__(self, **fields: Any) -> None:
        super().__init__(END, **fields)


Transition = Update | None
"""None: nothing changed, on to the only target."""
