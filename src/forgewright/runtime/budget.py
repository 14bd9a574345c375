"""What a run may spend, and what it has spent: folded from receipts, checked before each effect."""

from __future__ import annotations

import msgspec

from forgewright.journal.events import Asked, Event, ModelAnswered


class Budget(msgspec.Struct, frozen=True, omit_defaults=True):
    """Limits of a run; None is no limit."""

    tokens: int | None = None
    """Input and output tokens together."""
    cost_microdollars: int | None = None
    steps: int | None = None
    """Effects that pass the gate, model calls and tool calls among them."""
    wall_seconds: float | None = None
    """Time in which the run is executed; time while it is parked does not count."""


class Spent(msgspec.Struct):
    """Mutable running total."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_microdollars: int = 0
    steps: int = 0
    wall_ms: int = 0

    def add(self, event: Event) -> None:
        """Counts an event in."""
        if isinstance(event, ModelAnswered):
            self.input_tokens += event.input_tokens
            self.output_tokens += event.output_tokens
            self.cost_microdollars += event.cost_microdollars
        elif isinstance(event, Asked):
            self.steps += 1

    def over(self, budget: Budget, *, running_ms: int) -> str | None:
        """Which limit is reached, in words, or None. `running_ms`: of the session under way."""
        tokens = self.input_tokens + self.output_tokens
        if budget.tokens is not None and tokens >= budget.tokens:
            return f"{tokens:,} of {budget.tokens:,} tokens are spent"
        if budget.cost_microdollars is not None and self.cost_microdollars >= budget.cost_microdollars:
            return f"${self.cost_microdollars / 1e6:.4f} of ${budget.cost_microdollars / 1e6:.4f} are spent"
        if budget.steps is not None and self.steps >= budget.steps:
            return f"{self.steps:,} of {budget.steps:,} steps are done"
        wall = (self.wall_ms + running_ms) / 1000
        if budget.wall_seconds is not None and wall >= budget.wall_seconds:
            return f"{wall:.0f} of {budget.wall_seconds:.0f} seconds are over"
        return None
