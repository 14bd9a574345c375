"""OpenAI Responses. Items and events as in OpenAI's API reference, "Responses".

Nothing is stored at the provider (`store: false`): the journal is the record, and a conversation can go on
with another provider. Reasoning comes back encrypted and is given back as it was.
"""

from __future__ import annotations

import msgspec

from forgewright.core.errors import ModelProtocolError, UsageError
from forgewright.models.drivers.base import Assembler, HttpModel, Stop
from forgewright.models.drivers.failures import Peer, failure_in_stream
from forgewright.models.encoding import MessageBytes, ToolBytes, encode, is_strict_schema
from forgewright.models.http import HttpClient
from forgewright.models.prices import Price
from forgewright.models.settings import ModelSettings
from forgewright.models.sse import Event
from forgewright.models.types import (
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

_REASONING_MODELS = ("gpt-5", "gpt-6", "o1", "o3", "o4", "codex")
"""Beginnings of names; only these know the field that asks for encrypted reasoning."""


class _Kind(msgspec.Struct):
    type: str = ""


class _Content(msgspec.Struct):
    type: str = ""
    text: str = ""
    refusal: str = ""


class _Item(msgspec.Struct):
    """A message, a function call or a reasoning item, told apart by `type`."""

    type: str
    content: list[_Content] | None = None
    summary: list[_Content] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _Answer(msgspec.Struct):
    output: list[msgspec.Raw]
    status: str | None = None
    error: msgspec.Raw = msgspec.Raw()
    incomplete_details: _Incomplete | None = None
    usage: _Usage | None = None
    model: str | None = None


class _StreamEvent(msgspec.Struct):
    type: str = ""
    delta: str | None = None
    output_index: int = 0
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


_answer = msgspec.json.Decoder(_Answer)
_item = msgspec.json.Decoder(_Item)
_event = msgspec.json.Decoder(_StreamEvent)
_kind = msgspec.json.Decoder(_Kind)


class OpenAIResponses(HttpModel):
    def __init__(
        self, peer: Peer, settings: ModelSettings, price: Price | None, client: HttpClient | None = None
    ) -> None:
        headers = {"authorization": f"Bearer {peer.secret}"} if peer.secret else {}
        super().__init__(peer, headers, settings, price, client, MessageBytes(_encode_message))
        self._tools = ToolBytes(_encode_tool)
        self._head = b'{"model":' + encode(peer.model) + b',"store":false,"input":['
        self._include = (
            b',"include":["reasoning.encrypted_content"]' if peer.model.startswith(_REASONING_MODELS) else b""
        )

    def _encode(self, request: Request, *, stream: bool) -> bytes:
        if request.stop:
            raise UsageError(
                f"{self.name}: the Responses API has no stop sequences, found {len(request.stop)}",
                hint=f"leave them away, or name the model openai-chat:{self._peer.model}",
            )
        of = self._messages.of
        items = [encoded for message in request.messages if (encoded := of(message))]
        body = [self._head, b",".join(items), b"]", self._include]
        add = body.append
        if request.system:
            add(b',"instructions":' + encode(request.system))
        if request.tools:
            add(b',"tools":' + self._tools.all(request.tools))
            if request.tool_choice != "auto":
                add(b',"tool_choice":' + encode(request.tool_choice))
        if request.schema is not None:
            strict = b"true" if is_strict_schema(request.schema) else b"false"
            schema = encode(request.schema)
            add(
                b',"text":{"format":{"type":"json_schema","name":"answer","strict":%b,"schema":%b}}'
                % (strict, schema)
            )
        if request.temperature is not None:
            add(b',"temperature":' + encode(request.temperature))
        limit = request.max_output_tokens or self._settings.max_output_tokens
        if limit:
            add(b',"max_output_tokens":' + encode(limit))
        if self._settings.effort:
            add(b',"reasoning":{"effort":' + encode(self._settings.effort) + b"}")
        if stream:
            add(b',"stream":true')
        add(self._extra)
        add(b"}")
        return b"".join(body)

    def _decode(self, body: bytes) -> Response:
        answer = self._parsed(_answer, body, "a response object")
        error = bytes(answer.error) or b"null"
        if answer.status == "failed" or error != b"null":
            raise failure_in_stream(b'{"error":%b}' % error, self._peer)
        parts: list[Part] = []
        refused = False
        for raw in answer.output:
            refused |= self._add_item(parts, raw)
        stop: Stop = "refusal" if refused else "end"
        if answer.status == "incomplete":
            reason = answer.incomplete_details.reason if answer.incomplete_details else None
            stop = "refusal" if reason == "content_filter" else "length"
        elif answer.status not in ("completed", None):
            raise self._cut(f"its status is {answer.status}")
        usage = answer.usage or _Usage()
        details = usage.input_tokens_details or _InputDetails()
        counted = Usage(
            usage.input_tokens or 0,
            usage.output_tokens or 0,
            details.cached_tokens or 0,
            details.cache_write_tokens or 0,
        )
        return self._response(parts, stop, counted, answer.model or self._peer.model)

    def _add_item(self, parts: list[Part], raw: msgspec.Raw) -> bool:
        """Adds an output item's part; whether it holds a refusal."""
        item = self._parsed(_item, bytes(raw), "an output item")
        if item.type == "function_call":
            if not item.call_id or not item.name:
                raise ModelProtocolError(
                    f"{self.name}: a function call needs call_id and name, found {self._begin(bytes(raw))}",
                    hint="try again; if it stays so, the server does not speak this API",
                )
            parts.append(ToolCall(item.call_id, item.name, item.arguments or "{}"))
        elif item.type == "message":
            contents = item.content or []
            text = "".join(content.text or content.refusal for content in contents)
            if text:
                parts.append(Text(text))
            return any(content.type == "refusal" for content in contents)
        elif item.type == "reasoning":
            pieces = [content.text for content in (item.summary or []) + (item.content or [])]
            parts.append(Reasoning("\n\n".join(pieces), bytes(raw).decode()))
        return False

    def _assembler(self, on_delta: OnDelta) -> Assembler:
        return _ResponsesStream(self, on_delta)


class _ResponsesStream:
    """The last event carries the whole response; the ones before it are only shown."""

    def __init__(self, model: OpenAIResponses, on_delta: OnDelta) -> None:
        self._model = model
        self._tell = on_delta
        self._names: dict[int, str] = {}
        self._items: dict[int, msgspec.Raw] = {}
        self._response: bytes | None = None

    def take(self, event: Event) -> bool:
        if event.data == b"[DONE]":
            return True
        said = self._model._parsed(_event, event.data, "an event of a response")
        match said.type:
            case "response.output_text.delta" | "response.refusal.delta":
                if said.delta:
                    self._tell(TextDelta(said.delta))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                if said.delta:
                    self._tell(ReasoningDelta(said.delta))
            case "response.function_call_arguments.delta":
                self._tell(CallDelta(self._names.get(said.output_index, ""), said.delta or ""))
            case "response.output_item.added":
                item = self._model._parsed(_item, bytes(said.item), "an output item")
                if item.type == "function_call":
                    self._names[said.output_index] = item.name or ""
                    self._tell(CallDelta(item.name or "", ""))
            case "response.output_item.done":
                self._items[said.output_index] = msgspec.Raw(bytes(said.item))
            case "response.completed" | "response.incomplete" | "response.failed":
                self._response = bytes(said.response)
                return True
            case "error":
                raise failure_in_stream(event.data, self._model._peer)
            case _:
                pass  # further events tell of the same things in other words
        return False

    def result(self) -> Response:
        if self._response is None:
            raise self._model._cut("no response.completed came")
        answer = self._model._decode(self._response)
        if answer.message.parts or not self._items:
            return answer
        parts: list[Part] = []  # some compatible servers leave `output` of the last event empty
        for _, raw in sorted(self._items.items()):
            self._model._add_item(parts, raw)
        return self._model._response(parts, answer.stop, answer.usage, answer.model)


def _encode_message(message: Message) -> bytes:
    """One or several input items, comma-separated; nothing for an empty assistant turn."""
    if isinstance(message, User):
        return b'{"role":"user","content":' + encode(message.text) + b"}"
    if isinstance(message, ToolResult):
        return b'{"type":"function_call_output","call_id":%b,"output":%b}' % (
            encode(message.call),
            encode(message.text),
        )
    items: list[bytes] = []
    for part in message.parts:
        if isinstance(part, Text):
            items.append(b'{"role":"assistant","content":' + encode(part.text) + b"}")
        elif isinstance(part, ToolCall):
            items.append(
                b'{"type":"function_call","call_id":%b,"name":%b,"arguments":%b}'
                % (encode(part.id), encode(part.name), encode(part.arguments))
            )
        elif part.opaque and _kind_of(part.opaque) == "reasoning":
            items.append(part.opaque.encode())
    return b",".join(items)


def _kind_of(raw: str) -> str:
    try:
        return _kind.decode(raw).type
    except msgspec.DecodeError:
        return ""


def _encode_tool(tool: ToolSpec) -> bytes:
    strict = b"true" if is_strict_schema(tool.parameters) else b"false"
    return b'{"type":"function","name":%b,"description":%b,"strict":%b,"parameters":%b}' % (
        encode(tool.name),
        encode(tool.description),
        strict,
        bytes(tool.parameters),
    )
