"""How large a request is in tokens: counted by the provider where it told, estimated for what came since.

No tokenizer is asked: each provider has its own, and its usage figures are the truth that is billed and limited.
"""

from __future__ import annotations

from collections.abc import Iterable

from forgewright.models.types import Assistant, Message, Text, ToolCall, Usage

TOKENS_PER_BYTE = 0.3
"""Before a provider told better: on the high side for English and code (0.22–0.28)."""
_LEAST, _MOST = 0.1, 1.0
MESSAGE_BYTES = 24
"""What a message costs beside its text: its role, its ids, its brackets."""


def size(message: Message) -> int:
    """UTF-8 bytes of a message, its framing included."""
    if not isinstance(message, Assistant):
        return MESSAGE_BYTES + _bytes(message.text)
    total = MESSAGE_BYTES
    for part in message.parts:
        if isinstance(part, ToolCall):
            total += MESSAGE_BYTES + _bytes(part.name) + _bytes(part.arguments)
        else:
            total += _bytes(part.text) + (0 if isinstance(part, Text) else len(part.opaque))
    return total


def sizes(messages: Iterable[Message]) -> int:
    return sum(map(size, messages))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Meter:
    """Tokens of one growing conversation. `head_bytes`: system prompt, tools and schema."""

    def __init__(self, head_bytes: int) -> None:
        self.head_bytes = head_bytes
        self.rate = TOKENS_PER_BYTE
        """Tokens per byte of this conversation, as the provider counts it."""
        self._known_tokens = 0
        """Of the last request and its answer, as the provider counted them; 0: not counted yet."""
        self._since_bytes = 0
        self.bytes = head_bytes
        """Of everything that the next request will hold."""

    def head(self, head_bytes: int) -> None:
        """What really stands before the messages, once middleware has added to it."""
        self.bytes += head_bytes - self.head_bytes
        self._since_bytes += max(0, head_bytes - self.head_bytes)
        self.head_bytes = head_bytes

    @property
    def tokens(self) -> int:
        """Of the next request."""
        if self._known_tokens:
            return self._known_tokens + self.of(self._since_bytes)
        return self.of(self.bytes)

    def of(self, size_bytes: int) -> int:
        """Tokens of so many bytes."""
        return int(size_bytes * self.rate)

    def add(self, message: Message) -> None:
        """A message that the next request holds as well."""
        count = size(message)
        self.bytes += count
        self._since_bytes += count

    def answered(self, answer: Assistant, usage: Usage) -> None:
        """The provider took the request and counted it; its answer is part of the next one."""
        if usage.input_tokens:
            rate = usage.input_tokens / max(1, self.bytes)
            self.rate = min(_MOST, max(_LEAST, rate))
        self.bytes += size(answer)
        # A server that counts wrongly (nothing, or without what it had cached) must not hide a full context.
        counted = usage.input_tokens + usage.output_tokens
        self._known_tokens = max(counted, int(self.bytes * _LEAST)) if usage.input_tokens else 0
        self._since_bytes = 0

    def reset(self, messages: Iterable[Message]) -> None:
        """The conversation was changed: from here on it is estimated, until the provider counts again."""
        self.bytes = self.head_bytes + sizes(messages)
        self._known_tokens = self._since_bytes = 0

    def too_low(self, limit: int) -> None:
        """The provider refused a request as larger than `limit` tokens: so it was."""
        self.rate = min(_MOST, max(self.rate, limit / max(1, self.bytes)))
