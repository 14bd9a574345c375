"""Anthropic Messages. Blocks and events as in Anthropic's API reference, version 2023-06-01."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from forgewright.core.errors import ModelProtocolError
from forgewright.models.drivers.base import Assembler, HttpModel, Stop
from forgewright.models.drivers.failures import Peer, failure_in_stream
from forgewright.models.encoding import MessageBytes, ToolBytes, encode
from forgewright.models.http import HttpClient
from forgewright.models.prices import Price
from forgewright.models.settings import ModelSettings
from forgewright.models.sse import Event
from forgewright.models.types import (
    Assistant,
    CallDelta,
    Message,
    OnDelta,
    Part,
    Reasoning,
    ReasoningDelta,
    Request,
    Response,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    User,
)

_VERSION = "2023-06-01"
_MAX_TOKENS = 16_384
_BLOCKS_MAX = 1024
_CHOICES = {"required": b"any", "none": b"none"}
_NOT_IN_ID = re.compile("[^a-zA-Z0-9_-]")
_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class _Kind(msgspec.Struct):
    type: str = ""


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Answer(msgspec.Struct):
    content: list[msgspec.Raw]
    stop_reason: str | None = None
    usage: _Usage | None = None
    model: str = ""


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _StreamEvent(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: _Answer | None = None
    content_block: msgspec.Raw = msgspec.Raw()
    delta: _Delta | None = None
    usage: _Usage | None = None


_answer = msgspec.json.Decoder(_Answer)
_block = msgspec.json.Decoder(_Block)
_event = msgspec.json.Decoder(_StreamEvent)
_kind = msgspec.json.Decoder(_Kind)
_object = msgspec.json.Decoder(dict[str, Any])


class Anthropic(HttpModel):
    def __init__(
        self,
        peer: Peer,
        settings: ModelSettings,
        price: Price | None,
        client: HttpClient | None = None,
        *,
        official: bool = True,
    ) -> None:
        headers = {"anthropic-version": _VERSION}
        if peer.secret:
            headers["x-api-key"] = peer.secret
        super().__init__(peer, headers, settings, price, client, MessageBytes(_encode_blocks))
        self._tools = ToolBytes(_encode_tool)
        self._head = b'{"model":' + encode(peer.model) + b',"messages":['
        cached = official and settings.prompt_cache
        self._cache = b',"cache_control":{"type":"ephemeral"}' if cached else b""

    def _encode(self, request: Request, *, stream: bool) -> bytes:
        limit = request.max_output_tokens or self._settings.max_output_tokens or _MAX_TOKENS
        body = [self._head, self._turns(request.messages), b'],"max_tokens":', encode(limit), self._cache]
        add = body.append
        if request.system:
            add(b',"system":' + encode(request.system))
        if request.tools:
            add(b',"tools":' + self._tools.all(request.tools))
            if request.tool_choice != "auto":
                add(b',"tool_choice":{"type":"%b"}' % _CHOICES[request.tool_choice])
        config: list[bytes] = []
        if request.schema is not None:
            config.append(b'"format":{"type":"json_schema","schema":%b}' % bytes(request.schema))
        if self._settings.effort:
            config.append(b'"effort":' + encode(self._settings.effort))
        if config:
            add(b',"output_config":{' + b",".join(config) + b"}")
        if request.temperature is not None:
            add(b',"temperature":' + encode(request.temperature))
        if request.stop:
            add(b',"stop_sequences":' + encode(request.stop))
        if stream:
            add(b',"stream":true')
        add(self._extra)
        add(b"}")
        return b"".join(body)

    def _turns(self, messages: tuple[Message, ...]) -> bytes:
        """Messages as turns that alternate: results of parallel calls have to stand in one user turn."""
        of = self._messages.of
        out: list[bytes] = []
        role = b""
        for message in messages:
            blocks = of(message)
            if not blocks:
                continue
            now = b"assistant" if isinstance(message, Assistant) else b"user"
            if now is not role:
                out.append(
                    b']},{"role":"%b","content":[' % now if role else b'{"role":"%b","content":[' % now
                )
                role = now
            else:
                out.append(b",")
            out.append(blocks)
        if role:
            out.append(b"]}")
        return b"".join(out)

    def _decode(self, body: bytes) -> Response:
        answer = self._parsed(_answer, body, "a message")
        parts: list[Part] = []
        for raw in answer.content:
            block = self._parsed(_block, bytes(raw), "a content block")
            self._add_block(parts, block, bytes(block.input).decode() or "{}", bytes(raw))
        return self._finish(parts, answer.stop_reason, answer.usage or _Usage(), answer.model)

    def _add_block(self, parts: list[Part], block: _Block, arguments: str, raw: bytes) -> None:
        if block.type == "text":
            if block.text:
                parts.append(Text(block.text))
        elif block.type == "tool_use":
            if not block.id or not block.name:
                raise ModelProtocolError(
                    f"{self.name}: a tool call needs an id and a name, found {self._begin(raw)}",
                    hint="try again; if it stays so, the server does not speak this API",
                )
            parts.append(ToolCall(block.id, block.name, arguments))
        elif block.type in ("thinking", "redacted_thinking"):
            parts.append(Reasoning(block.thinking, raw.decode()))

    def _finish(self, parts: list[Part], stop_reason: str | None, usage: _Usage, model: str) -> Response:
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        counted = Usage((usage.input_tokens or 0) + read + written, usage.output_tokens or 0, read, written)
        return self._response(
            parts, _STOPS.get(stop_reason or "end_turn", "end"), counted, model or self._peer.model
        )

    def _assembler(self, on_delta: OnDelta) -> Assembler:
        return _MessageStream(self, on_delta)


class _Growing:
    """A content block under way."""

    __slots__ = ("block", "json", "raw", "signature", "text")

    def __init__(self, block: _Block, raw: bytes) -> None:
        self.block = block
        self.raw = raw
        self.text: list[str] = [block.text or block.thinking]
        self.json: list[str] = []
        self.signature: list[str] = [block.signature]


class _MessageStream:
    def __init__(self, model: Anthropic, on_delta: OnDelta) -> None:
        self._model = model
        self._tell = on_delta
        self._blocks: dict[int, _Growing] = {}
        self._stop_reason: str | None = None
        self._usage = _Usage()
        self._name = ""
        self._stopped = False

    def take(self, event: Event) -> bool:
        said = self._model._parsed(_event, event.data, "an event of a message")
        match said.type:
            case "content_block_delta" if said.delta is not None:
                self._delta(said.index, said.delta)
            case "content_block_start":
                self._start(said.index, bytes(said.content_block))
            case "message_start" if said.message is not None:
                self._name = said.message.model
                self._count(said.message.usage)
            case "message_delta":
                self._count(said.usage)
                if said.delta is not None:
                    self._stop_reason = said.delta.stop_reason or self._stop_reason
            case "message_stop":
                self._stopped = True
            case "error":
                raise failure_in_stream(event.data, self._model._peer)
            case _:
                pass  # ping, content_block_stop, and what later versions add
        return self._stopped

    def _count(self, usage: _Usage | None) -> None:
        """Later figures are totals and replace earlier ones; a missing one does not."""
        if usage is not None:
            for field in _Usage.__struct_fields__:
                value = getattr(usage, field)
                if value is not None:
                    setattr(self._usage, field, value)

    def _start(self, index: int, raw: bytes) -> None:
        if len(self._blocks) >= _BLOCKS_MAX:
            raise ModelProtocolError(f"{self._model.name} sent more than {_BLOCKS_MAX} content blocks")
        block = self._model._parsed(_block, raw, "a content block")
        self._blocks[index] = _Growing(block, raw)
        if block.type == "tool_use":
            self._tell(CallDelta(block.name, ""))
        elif block.text:
            self._tell(TextDelta(block.text))
        elif block.thinking:
            self._tell(ReasoningDelta(block.thinking))

    def _delta(self, index: int, delta: _Delta) -> None:
        growing = self._blocks.get(index)
        if growing is None:
            raise ModelProtocolError(
                f"{self._model.name}: a delta came for content block {index}, which was not begun",
                hint="try again; if it stays so, the server does not speak this API",
            )
        match delta.type:
            case "text_delta":
                growing.text.append(delta.text)
                self._tell(TextDelta(delta.text))
            case "input_json_delta":
                growing.json.append(delta.partial_json)
                self._tell(CallDelta(growing.block.name, delta.partial_json))
            case "thinking_delta":
                growing.text.append(delta.thinking)
                self._tell(ReasoningDelta(delta.thinking))
            case "signature_delta":
                growing.signature.append(delta.signature)
            case _:
                pass

    def result(self) -> Response:
        if not self._stopped:
            raise self._model._cut("no message_stop came")
        parts: list[Part] = []
        for _, growing in sorted(self._blocks.items()):
            block, raw, text = growing.block, growing.raw, "".join(growing.text)
            if block.type == "thinking":
                block.thinking = text
                signature = encode("".join(growing.signature))
                raw = b'{"type":"thinking","thinking":%b,"signature":%b}' % (encode(text), signature)
            else:
                block.text = text
            given = bytes(block.input).decode() or "{}"
            self._model._add_block(parts, block, "".join(growing.json) or given, raw)
        return self._model._finish(parts, self._stop_reason, self._usage, self._name)


def _encode_blocks(message: Message) -> bytes:
    """A message's content blocks, comma-separated; nothing for an empty one."""
    if isinstance(message, User):
        return _text_block(message.text)
    if isinstance(message, ToolResult):
        content = encode(message.text)
        error = b',"is_error":true' if message.error else b""
        return b'{"type":"tool_result","tool_use_id":%b,"content":%b%b}' % (_id(message.call), content, error)
    blocks: list[bytes] = []
    for part in message.parts:
        if isinstance(part, Text):
            block = _text_block(part.text)
        elif isinstance(part, ToolCall):
            block = b'{"type":"tool_use","id":%b,"name":%b,"input":%b}' % (
                _id(part.id),
                encode(part.name),
                _input(part.arguments),
            )
        else:
            block = _thinking_block(part)
        if block:
            blocks.append(block)
    return b",".join(blocks)


def _text_block(text: str) -> bytes:
    """Nothing for blank text, which the API refuses."""
    return b'{"type":"text","text":' + encode(text) + b"}" if text.strip() else b""


def _thinking_block(part: Reasoning) -> bytes:
    if not part.opaque:
        return b""
    try:
        kind = _kind.decode(part.opaque).type
    except msgspec.DecodeError:
        return b""
    return part.opaque.encode() if kind in ("thinking", "redacted_thinking") else b""


def _id(id: str) -> bytes:
    """Other providers' ids may hold characters that this API refuses."""
    return encode(_NOT_IN_ID.sub("_", id))


def _input(arguments: str) -> bytes:
    """The API wants an object; what a model wrote instead is shown to it inside one."""
    try:
        _object.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return encode({"arguments": arguments})
    return arguments.encode()


def _encode_tool(tool: ToolSpec) -> bytes:
    return b'{"name":%b,"description":%b,"input_schema":%b}' % (
        encode(tool.name),
        encode(tool.description),
        bytes(tool.parameters),
    )
