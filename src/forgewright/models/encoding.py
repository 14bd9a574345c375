"""The history as a provider wants it, each message encoded once however often it is sent.

Messages are frozen, so the bytes of one never change; they are kept as long as the message itself lives.
A turn then costs what is new in it, plus the copying of bytes into the request.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence

import msgspec

from forgewright.models.types import Assistant, Message, Reasoning, ToolSpec

_SPECS_MAX = 512
encode = msgspec.json.Encoder().encode


class _Known(weakref.ref[Message]):
    """A message that was encoded, and its bytes."""

    __slots__ = ("encoded", "key")
    key: int
    encoded: bytes


class MessageBytes:
    """Encoded messages by identity: hashing a long message would cost as much as encoding it."""

    def __init__(self, encode_message: Callable[[Message], bytes]) -> None:
        self._encode = encode_message
        self._known: dict[int, _Known] = {}

    def of(self, message: Message) -> bytes:
        """The bytes of one message, encoded now or before."""
        known = self._known.get(id(message))
        if known is not None and known() is message:
            return known.encoded
        return self._keep(message, message)

    def leave_out_reasoning(self, messages: Sequence[Message]) -> bool:
        """From now on these messages are sent without their providers' reasoning. Whether that changes any."""
        changed = False
        for message in messages:
            if isinstance(message, Assistant):
                kept = tuple(p for p in message.parts if not (isinstance(p, Reasoning) and p.opaque))
                if len(kept) < len(message.parts):
                    before = self.of(message)
                    changed |= self._keep(message, Assistant(kept)) != before
        return changed

    def _keep(self, message: Message, sent_as: Message) -> bytes:
        known = _Known(message, self._forget)
        known.key, known.encoded = id(message), self._encode(sent_as)
        self._known[known.key] = known
        return known.encoded

    def _forget(self, gone: weakref.ref[Message]) -> None:
        if isinstance(gone, _Known):
            self._known.pop(gone.key, None)

    def __len__(self) -> int:
        return len(self._known)


class ToolBytes:
    """Encoded tool definitions. Specs live as long as their tools, so the few there are are simply kept."""

    def __init__(self, encode_tool: Callable[[ToolSpec], bytes]) -> None:
        self._encode = encode_tool
        self._known: dict[int, tuple[ToolSpec, bytes]] = {}

    def all(self, tools: Sequence[ToolSpec]) -> bytes:
        """A JSON array of them."""
        return b"[" + b",".join([self._of(tool) for tool in tools]) + b"]"

    def _of(self, tool: ToolSpec) -> bytes:
        known = self._known.get(id(tool))
        if known is not None and known[0] is tool:
            return known[1]
        encoded = self._encode(tool)
        if len(self._known) >= _SPECS_MAX:
            self._known.clear()
        self._known[id(tool)] = (tool, encoded)
        return encoded


def is_strict_schema(schema: msgspec.Raw) -> bool:
    """Whether a JSON Schema keeps the rules of OpenAI's strict mode: every object closed, every property
    required. Only then is `strict` asked for; another schema is sent as guidance."""
    return _strict(msgspec.json.decode(schema), 0)


def _strict(node: object, depth: int) -> bool:
    if depth > 32:
        return False
    if isinstance(node, list):
        return all(_strict(item, depth + 1) for item in node)
    if not isinstance(node, dict):
        return True
    if node.get("type") == "object" or "properties" in node:
        properties = node.get("properties", {})
        required = node.get("required", [])
        if node.get("additionalProperties") is not False or not isinstance(properties, dict):
            return False
        if not isinstance(required, list) or set(required) != set(properties):
            return False
    return all(_strict(value, depth + 1) for value in node.values())
