"""How far a tool's output is believed, field by field: declared once by whoever brings the tool."""

from __future__ import annotations

from typing import Literal

import msgspec

Trust = Literal["trusted", "party", "untrusted"]
"""`trusted`: vouched for by the system that answers. `party`: an identity which that system vouches for, of somebody
who chose to be there (a mail's sender). `untrusted`: what others wrote."""


class Outputs(msgspec.Struct, frozen=True):
    """What a tool gives back. Fields are named by their own name, wherever they stand in the result; a field that is
    named nowhere is `otherwise`.

        Outputs(trusted=("id", "date"), party=("sender",))      # the rest, such as `body`, is untrusted
        Outputs(otherwise="trusted")                            # a clock, one's own contacts
    """

    trusted: tuple[str, ...] = ()
    party: tuple[str, ...] = ()
    otherwise: Trust = "untrusted"
    keys: Trust | None = None
    """Keys of mappings that are data and no field names (`{"London Luxury": …}`); None: they are field names."""

    def trust(self, field: str) -> Trust:
        """Of a field, by its own name."""
        if field in self.trusted:
            return "trusted"
        return "party" if field in self.party else self.otherwise

    @property
    def clean(self) -> bool:
        """Whether nothing untrusted can be in it."""
        return self.otherwise != "untrusted" and self.keys != "untrusted"


UNKNOWN = Outputs()
"""Of a tool nobody said anything about: nothing of it is believed."""
