"""Two answers to one question: what both say is done, what only one says is uncertain."""

from __future__ import annotations

from collections.abc import Sequence

from forgewright.code.binding import Occurrence, Renaming
from forgewright.code.project import Splice

OURS_ONLY = "the language server does not see this place"
THEIRS_ONLY = "only the language server sees this place"


def agreed(own: Renaming, theirs: Sequence[Splice], wider: Sequence[Splice] = ()) -> Renaming:
    """`own` with the server's answer weighed in. `wider` are places that the server allows and does not ask for.

    Places that were uncertain become certain if the server names them, and drop out if it does not. Where
    one side is sure and the other does not see a place at all, the place is left alone and listed.
    """
    server = {(s.path, s.start): s for s in theirs}
    mine = {(s.path, s.start): s for s in own.splices}
    doubted = {(o.path, o.start): o for o in own.uncertain}
    allowed = server.keys() | {(s.path, s.start) for s in wider}
    splices = [splice for key, splice in mine.items() if key in allowed]
    splices += [server[key] for key in doubted if key in server and key not in mine]
    uncertain = [
        Occurrence(s.path, s.start, s.end, "reference", False, OURS_ONLY)
        for key, s in mine.items()
        if key not in allowed
    ]
    uncertain += [
        Occurrence(s.path, s.start, s.end, "reference", False, THEIRS_ONLY)
        for key, s in server.items()
        if key not in mine and key not in doubted
    ]
    return Renaming(tuple(sorted(splices)), own.moves, tuple(sorted(uncertain)), own.leftover)
