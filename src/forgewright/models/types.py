"""What is said to a model and what it says, in no provider's dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec


class Text(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    text: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", tag_field="type", omit_defaults=True):
    """What the model thought aloud. Given back to the provider it came from, unchanged."""

    text: str
    opaque: str = ""
    """The provider's own item as JSON text (signature, encrypted content), where it must be sent back as it
    was; empty where there is none. (A `Raw | None` can be encoded but not decoded by msgspec.)"""


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call", tag_field="type"):
    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; not yet validated."""


Part = Text | Reasoning | ToolCall


class User(msgspec.Struct, frozen=True, tag="user", tag_field="role", weakref=True):
    text: str


class Assistant(msgspec.Struct, frozen=True, tag="assistant", tag_field="role", weakref=True):
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class ToolResult(msgspec.Struct, frozen=True, tag="tool", tag_field="role", weakref=True, omit_defaults=True):
    call: str
    """Id of the tool call that this answers."""
    name: str
    text: str
    error: bool = False


Message = User | Assistant | ToolResult


class ToolSpec(msgspec.Struct, frozen=True):
    name: str
    description: str
    parameters: msgspec.Raw
    """JSON Schema of an object."""


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Literal["auto", "required", "none"] = "auto"
    schema: msgspec.Raw | None = None
    """JSON Schema that the answer's text must fit (structured output)."""
    temperature: float | None = None
    max_output_tokens: int | None = None
    stop: tuple[str, ...] = ()
    role: str = ""
    """Who asks (an agent's role or a node's name). Recorded sessions answer by it; no provider sees it."""
    ordinal: int | None = None
    """How many requests of this role its run made before this one. With it a recorded session answers the
    same after a crash, in another process; without it, in the order of asking. No provider sees it."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    input_tokens: int = 0
    """All input tokens, cached ones included."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_microdollars: int = 0
    """Millionths of a US dollar; 0 where the price is not known."""


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    message: Assistant
    stop: Literal["end", "tools", "length", "refusal"] = "end"
    usage: Usage = Usage()
    model: str = ""
    """The model's name as the provider reports it."""


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class CallDelta(msgspec.Struct, frozen=True, gc=False):
    name: str
    arguments: str
    """The piece of the arguments that came."""


Delta = TextDelta | ReasoningDelta | CallDelta
OnDelta = Callable[[Delta], None]


class Model(Protocol):
    """One model behind one provider.

    `respond` raises `ModelUnknown`, `ModelAuthError`, `ModelRateLimited`, `ModelOverloaded`,
    `ModelProtocolError`, `ContextOverflow`, `ReplayExhausted`. Without `on_delta` it may ask for the
    answer in one piece; with it, it streams. It is cancelled like any coroutine and then closes its
    connection. It does not retry; `models.retry` and `models.fallback` wrap it.
    """

    name: str
    """As a person writes it: `anthropic:claude-…`."""

    context_tokens: int | None
    """The provider's limit, where known."""

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response: ...

    async def close(self) -> None: ...
