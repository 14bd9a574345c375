"""What is wrong with a program: every mistake, its place, what was expected, the nearest right thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from forgewright.core.errors import ProgramError

CANDIDATES_MAX = 12


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mistake. `line` and `column` count from 1 in the program's text; 0 where there is none (JSON)."""

    message: str
    """What was expected and what was found."""
    hint: str = ""
    """What to write instead."""
    line: int = 0
    column: int = 0
    operation: str = ""
    """Name and number of the operation, as `2 rename`."""
    candidates: tuple[str, ...] = ()
    """Places that could have been meant, as `path:line:column kind name`."""

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        place += f"({self.operation}) " if self.operation else ""
        lines = [place + self.message]
        if self.candidates:
            lines.extend("    " + candidate for candidate in self.candidates[:CANDIDATES_MAX])
            if len(self.candidates) > CANDIDATES_MAX:
                lines.append(f"    … and {len(self.candidates) - CANDIDATES_MAX} more")
        if self.hint:
            lines.append("  → " + self.hint)
        return "\n".join(lines)


class InvalidProgram(ProgramError):
    """A program that cannot be planned; `problems` holds all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SelectorError(InvalidProgram):
    """A selector, position or pattern that cannot be read, or that names none or several nodes."""

    def __init__(self, message: str, *, hint: str = "", candidates: Sequence[str] = ()) -> None:
        super().__init__([Problem(message, hint=hint, candidates=tuple(candidates))])


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing if no known word is near."""
    from difflib import get_close_matches

    found = get_close_matches(word.lower(), list(known), 1, 0.6)
    return f"did you mean {found[0]!r}?" if found else ""
