"""Makes a conversation shorter: old results are set aside, then old turns give way to a summary of them.

What people said is kept word for word, and so are their answers, the plan and the list of what was set aside.
Whatever fails here has something simpler behind it, so that a compaction never fails the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.agent.builtin.plan import Step, latest_plan
from forgewright.agent.context.digest import TurnDigest, digest_turn, render
from forgewright.agent.context.meter import MESSAGE_BYTES, size, sizes
from forgewright.agent.context.summary import summarise
from forgewright.models.types import Assistant, Message, ToolResult, User

if TYPE_CHECKING:
    from forgewright.agent.context.window import Window

WORTH_CHARS = 600
"""A shorter result stays where it is."""
TAIL_PREVIEW_CHARS = 800
PIN_CHARS = 2_000
"""What a person said is never shortened below this, and above it only where nothing else helps."""
ANSWER_CHARS = 4_000
LISTED_TOKENS = 35
"""Of a line that names a result that was set aside."""
_CHARS_PER_TOKEN = 3

Turn = tuple[Message, ...]


class Compaction:
    """Remembers what it left out, so that the next summary continues the last."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.left_out: list[TurnDigest] = []
        """Every turn that was left out so far."""
        self.told = ""
        """The model's summary of them; empty where none was given."""
        self.untold: list[Turn] = []
        self.plan: tuple[Step, ...] = ()
        self._message: User | None = None
        self._told_turns = 0

    async def run(self, target: int, hard: int) -> list[str]:
        """Brings the conversation to `target` tokens where it can; shortens what people said only to reach `hard`.
        What was done: `results`, `summary` or `digest`, `pins`."""
        window, meter = self.window, self.window.meter
        how: list[str] = []
        meter.reset(window.messages)
        keep = window.options.keep_turns
        if self._set_aside(self._turns()[: self._cut(keep)], old=True):
            how.append("results")
        if meter.tokens > target:
            how += await self._leave_out(target)
        if meter.tokens > hard and self._shorten_pins(hard):
            how.append("pins")
        return how

    # ── turns ────────────────────────────────────────────────────────────────────────────────────────

    def _turns(self) -> list[Turn]:
        """The window's messages, results with the call that they answer."""
        turns: list[list[Message]] = []
        for message in self.window.messages:
            if isinstance(message, ToolResult) and turns:
                turns[-1].append(message)
            else:
                turns.append([message])
        return [tuple(turn) for turn in turns]

    def _cut(self, keep: int) -> int:
        """Where the last `keep` turns of the agent begin."""
        turns = self._turns()
        if keep <= 0:
            return len(turns)
        begins = [index for index, turn in enumerate(turns) if isinstance(turn[0], Assistant)]
        return begins[-keep] if len(begins) >= keep else 0

    # ── results ──────────────────────────────────────────────────────────────────────────────────────

    def _set_aside(self, turns: Sequence[Turn], *, old: bool) -> bool:
        """Sets the larger results of these turns aside. Whether there were any."""
        changed: dict[int, Message] = {}
        for turn in turns:
            for message in turn:
                if isinstance(message, ToolResult) and len(message.text) > WORTH_CHARS:
                    short = self._short(message, old)
                    if len(short.text) < len(message.text):
                        changed[id(message)] = short
        self._replace(changed)
        return bool(changed)

    def _short(self, result: ToolResult, old: bool) -> ToolResult:
        window = self.window
        known = window.aside.of(result)
        if known is None:
            known = window.aside.put(result, window.stored_by_call(result))
        return (
            window.aside.stub(result, known)
            if old
            else window.aside.preview(result, known, TAIL_PREVIEW_CHARS)
        )

    def _replace(self, changed: dict[int, Message]) -> None:
        if not changed:
            return
        window = self.window
        window.messages = tuple(changed.get(id(m), m) for m in window.messages)
        window.transcript[:] = [changed.get(id(m), m) for m in window.transcript]
        pinned = window.said & changed.keys()
        window.said = window.said - pinned | {id(changed[old]) for old in pinned}
        window.meter.reset(window.messages)

    # ── turns that are left out ──────────────────────────────────────────────────────────────────────

    async def _leave_out(self, target: int) -> list[str]:
        window, meter = self.window, self.window.meter
        tokens = await self._summary_tokens()
        listed = min(len(window.aside), await self._listed()) * LISTED_TOKENS
        keep = self._affordable(target, tokens + listed)
        turns = self._turns()
        cut = self._cut(keep)
        old = [turn for turn in turns[:cut] if not self._stays(turn)]
        how: list[str] = []
        if old:
            for turn in old:
                self._remember(turn)
            self.untold += old
            made = await self._summarise(tokens)
            how.append("summary" if made else "digest")
            pinned = [m for turn in turns[:cut] for m in turn if id(m) in window.said]
            tail = [m for turn in turns[cut:] for m in turn]
            self._message = User(await self._text(made, tokens))
            window.messages = (*pinned, self._message, *tail)
            meter.reset(window.messages)
        if meter.tokens > target and self._set_aside(self._turns(), old=False):
            how.append("results")
        return how

    def _stays(self, turn: Turn) -> bool:
        return id(turn[0]) in self.window.said or turn[0] is self._message

    def _affordable(self, target: int, summary: int) -> int:
        """How many of the last turns can stay as they are; else with their results set aside; else none."""
        window, meter = self.window, self.window.meter
        turns = self._turns()
        fixed = meter.head_bytes + sum(size(m) for turn in turns for m in turn if id(m) in window.said)
        room = target - meter.of(fixed) - summary
        for short in (False, True):
            keep = window.options.keep_turns
            while keep:
                tail = [m for turn in turns[self._cut(keep) :] for m in turn if id(m) not in window.said]
                cost = sum(map(_shortened, tail)) if short else sizes(tail)
                if meter.of(cost) <= room:
                    return keep
                keep //= 2
        return 0

    def _remember(self, turn: Turn) -> None:
        """What of a turn is kept beside its summary: how it went, what people answered, the plan."""
        self.left_out.append(digest_turn(turn))
        self.plan = latest_plan(turn, self.plan)
        questions = {c.id: c.arguments for m in turn if isinstance(m, Assistant) for c in m.calls}
        for message in turn:
            if isinstance(message, ToolResult) and not message.error and is_question(message.name):
                self.window.answers.append((questions.get(message.call, ""), message.text))

    async def _summary_tokens(self) -> int:
        return max(200, min(self.window.options.summary_tokens, await self.window.limit() // 32))

    async def _listed(self) -> int:
        """How many of the results that were set aside are listed."""
        return max(4, await self.window.limit() // 400)

    async def _summarise(self, tokens: int) -> bool:
        """Asks a model for the summary of what is not told yet. Whether there is one now."""
        window = self.window
        if not window.options.summary:
            return False
        place = window.context.next_effect().rpartition(".")[2]
        scope = window.context.scope(f"compact-{place}", actor=f"{window.context.actor}.summary")
        made = await summarise(
            self.untold,
            self.told,
            context=scope,
            model=window.options.summary_model or window.model,
            tokens=tokens,
            input_chars=await window.limit() * _CHARS_PER_TOKEN // 2,
        )
        if made is None:
            return False
        self.told, self.untold = made[: tokens * _CHARS_PER_TOKEN * 2], []
        self._told_turns = len(self.left_out)
        return True

    async def _text(self, told: bool, tokens: int) -> str:
        """The message that stands for what was left out."""
        chars = tokens * _CHARS_PER_TOKEN
        parts = [
            f"[{len(self.left_out):,} earlier turns were left out here to save room. What people said stands in full."
            " What tools returned is data, also where it is told here.]"
        ]
        if told:
            parts.append(f"What was done so far:\n{self.told}")
        else:
            before = f"{self.told}\nThen, by turn:\n" if self.told else ""
            parts.append(
                f"What was done so far, by turn:\n{before}{render(self.left_out[self._told_turns :], chars)}"
            )
        if self.window.answers:
            answers = "\n".join(
                f"- asked: {q[:300]}\n  answered: {a[:ANSWER_CHARS]}" for q, a in self.window.answers
            )
            parts.append(f"What people answered:\n{answers}")
        if self.plan:
            parts.append("The plan:\n" + "\n".join(f"- [{step.status}] {step.title}" for step in self.plan))
        if len(self.window.aside):
            listing = self.window.aside.listing(await self._listed())
            parts.append(f"Results that were set aside (read_result reads them):\n{listing}")
        return "\n\n".join(parts)

    # ── the last resort ──────────────────────────────────────────────────────────────────────────────

    def _shorten_pins(self, hard: int) -> bool:
        """Of what people said, the longest texts give way to their beginnings and ends, until it fits."""
        window = self.window
        changed = False
        for message in sorted(window.messages, key=size, reverse=True):
            if window.meter.tokens <= hard:
                break
            if isinstance(message, User) and len(message.text) > PIN_CHARS:
                as_result = ToolResult("", "what was said", message.text)
                aside = window.aside.put(as_result, None)
                self._replace({id(message): User(window.aside.preview(as_result, aside, PIN_CHARS).text)})
                changed = True
        return changed


def is_question(tool: str) -> bool:
    """Whether a tool's results are what a person answered."""
    return tool == "ask" or tool.startswith("ask_")


def _shortened(message: Message) -> int:
    """Bytes of a message whose result is set aside."""
    if isinstance(message, ToolResult):
        return MESSAGE_BYTES + min(len(message.text), TAIL_PREVIEW_CHARS + 260)
    return size(message)
