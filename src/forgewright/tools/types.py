"""What a tool is to the engine: a name, a schema, what a lost receipt means, and a way to call it."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

Recovery = Literal["pure", "idempotent", "reconcilable", "unsafe"]
"""What is done with a call whose receipt was lost in a crash: `pure` and `idempotent` are repeated (the
latter with the same key), a `reconcilable` one is asked what happened, an `unsafe` one is put to a person."""


class CallContext(Protocol):
    """What a tool function may ask for by annotating a parameter with it (or with a class that fits).

    It is injected, is no part of the schema, and is the runtime's `Context` in a run.
    """

    @property
    def key(self) -> str:
        """Idempotency key of this call: the same when it is repeated after a crash."""

    @property
    def run(self) -> str: ...


class Media(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image, a sound or a file beside the text of an output."""

    media: str
    """Media type: `image/png`, `audio/wav`, `text/plain` …"""
    data: bytes
    uri: str = ""
    """Where it is from; with one it is an embedded resource."""


class ToolOutput(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a call gave: text for the model, optionally the value behind it for code."""

    text: str
    error: bool = False
    value: msgspec.Raw | None = None
    media: tuple[Media, ...] = ()


class Tool(Protocol):
    """Raises `ToolArgumentError` with a message that a model can act on; whatever else a tool function
    raises is turned into an output with `error=True` by the caller, except cancellation."""

    name: str
    description: str
    parameters: msgspec.Raw
    """JSON Schema of an object, `additionalProperties: false`."""
    recovery: Recovery
    timeout_seconds: float | None
    resource: str
    """What the policy sees as the touched resource; by default the tool's name."""

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        """The validated arguments of a call, converted to the annotated types."""

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput: ...

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        """What a call with this key did, or None if it did nothing. Only for `reconcilable` tools."""
