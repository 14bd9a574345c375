"""A share of a run's budget: what a line of work may spend, what it spent, and what is set aside for others.

Purses form the tree of the sub-agents. Before a model is asked, what the answer may cost is set aside in the
nearest purse that has a limit; what was not needed goes back. So a crowd that works side by side can't spend
more than one agent alone could: its tokens are reserved before they are spent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from forgewright.runtime.budget import Budget

TOKENS, COST, STEPS = range(3)
When = Literal["now", "later", "never"]
Amounts = tuple[int, int, int]
"""Tokens, millionths of a dollar, steps."""
NOTHING: Amounts = (0, 0, 0)


class Purse:
    """What is spent here is spent by all purses above, too. One event loop, no threads."""

    __slots__ = ("_asked", "_holders", "_waiting", "held", "limits", "parent", "spent")

    def __init__(self, budget: Budget, parent: Purse | None = None, spent: Amounts = NOTHING) -> None:
        self.parent = parent
        self.limits = (budget.tokens, budget.cost_microdollars, budget.steps)
        self.spent = list(spent)
        """By this purse and all below it, earlier sessions of the run included."""
        self.held = [0, 0, 0]
        """Set aside: shares of sub-agents as far as they are not spent, and requests under way."""
        self._asked = [0, 0, 0]
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._holders = tuple(None if parent is None else parent.limited(what) for what in range(3))

    def limited(self, what: int) -> Purse | None:
        """The nearest purse, from this one upwards, that has a limit on it."""
        purse: Purse | None = self
        while purse is not None and purse.limits[what] is None:
            purse = purse.parent
        return purse

    @property
    def bounded(self) -> bool:
        """Whether tokens or money have a limit anywhere above."""
        return self.limited(TOKENS) is not None or self.limited(COST) is not None

    def free(self, what: int) -> int | None:
        """What is neither spent nor set aside; None without a limit here."""
        limit = self.limits[what]
        return None if limit is None else limit - self.spent[what] - self.held[what]

    def reached(self) -> Purse | None:
        """The first purse, from this one upwards, of which a limit is spent."""
        purse: Purse | None = self
        while purse is not None:
            if any(limit is not None and purse.spent[i] >= limit for i, limit in enumerate(purse.limits)):
                return purse
            purse = purse.parent
        return None

    def in_words(self) -> str:
        """Which limit is reached."""
        tokens, cost, steps = self.limits
        if tokens is not None and self.spent[TOKENS] >= tokens:
            return f"{self.spent[TOKENS]:,} of {tokens:,} tokens are spent"
        if cost is not None and self.spent[COST] >= cost:
            return f"${self.spent[COST] / 1e6:.4f} of ${cost / 1e6:.4f} are spent"
        return f"{self.spent[STEPS]:,} of {steps:,} steps are done"

    def debit(self, what: int, amount: int) -> None:
        """Spends, here and in all purses above; of a share that was set aside above, that much less is held."""
        purse: Purse | None = self
        while purse is not None:
            limit, before = purse.limits[what], purse.spent[what]
            purse.spent[what] = before + amount
            holder = purse._holders[what]
            if limit is not None and holder is not None:
                holder.held[what] -= min(amount, max(0, limit - before))
                holder._wake()
            purse = purse.parent

    # ── shares: a purse with limits of its own is set aside in those above ────────────────────────────

    def fits(self) -> bool:
        """Whether what this purse may still spend is free above."""
        return all(
            holder is None or self._rest(what) <= (holder.free(what) or 0)
            for what, holder in enumerate(self._holders)
        )

    def could_fit(self) -> bool:
        """Whether it would be, if all that others hold came back."""
        return all(
            holder is None or self._rest(what) <= (holder.limits[what] or 0) - holder.spent[what]
            for what, holder in enumerate(self._holders)
        )

    def open(self) -> None:
        """Sets its share aside; what it spent in earlier sessions is spent above already."""
        self._hold(1)

    def close(self) -> None:
        """Gives back what was not spent."""
        self._hold(-1)

    def _rest(self, what: int) -> int:
        limit = self.limits[what]
        return 0 if limit is None else max(0, limit - self.spent[what])

    def _hold(self, sign: int) -> None:
        for what, holder in enumerate(self._holders):
            if holder is not None:
                holder.held[what] += sign * self._rest(what)
                holder._wake()

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────

    def may_ask(self, tokens: int, cost: int) -> When:
        """Whether a request that may cost this much can begin now, when others gave something back, or never.

        One alone may begin as long as anything is left, so that a small rest is not lost; what it may need beyond its
        own share has to be free above.
        """
        when: set[When] = {self._place(what, amount)[0] for what, amount in ((TOKENS, tokens), (COST, cost))}
        return "never" if "never" in when else "later" if "later" in when else "now"

    @contextmanager
    def asking(self, tokens: int, cost: int) -> Iterator[None]:
        """Sets aside what a request may cost, while it is under way; `may_ask` has just said that it may begin."""
        held = [
            (what, *at)
            for what, amount in ((TOKENS, tokens), (COST, cost))
            for at in self._place(what, amount)[1]
        ]
        for what, purse, amount in held:
            purse.held[what] += amount
            purse._asked[what] += 1
        try:
            yield
        finally:
            for what, purse, amount in held:
                purse.held[what] -= amount
                purse._asked[what] -= 1
                purse._wake()

    def _place(self, what: int, amount: int) -> tuple[When, list[tuple[Purse, int]]]:
        """When so much can be set aside, and in which purses."""
        purse = self.limited(what)
        if purse is None:
            return "now", []
        free, holder = purse.free(what) or 0, purse._holders[what]
        if free >= amount:
            return "now", [(purse, amount)]
        if free <= 0 or purse._asked[what]:
            return "later" if purse.held[what] > 0 else "never", []
        if holder is None:
            return "now", [(purse, amount)]
        when, more = holder._place(what, amount - free)
        # Not waited for: two that wait for each other's rest would wait for ever.
        return ("now", [(purse, amount), *more]) if when == "now" else ("never", [])

    async def turn(self, future: asyncio.Future[bool]) -> bool:
        """Returns True when something came back to this purse or one above, or what somebody else sets `future` to."""
        line: list[Purse] = []
        purse: Purse | None = self
        while purse is not None:
            line.append(purse)
            purse._waiting.append(future)
            purse = purse.parent
        try:
            return await future
        finally:
            for purse in line:
                if future in purse._waiting:
                    purse._waiting.remove(future)

    def _wake(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(True)
