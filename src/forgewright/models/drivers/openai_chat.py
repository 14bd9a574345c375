"""OpenAI Chat Completions, which is also what compatible servers speak (Ollama, vLLM, llama.cpp, …).

Field names and events as in OpenAI's API reference, "Chat"; `reasoning_content` and `reasoning` as DeepSeek,
vLLM and OpenRouter add them.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from forgewright.core.errors import ModelProtocolError
from forgewright.models.drivers.base import Assembler, HttpModel, Stop
from forgewright.models.drivers.failures import Peer, failure_in_stream
from forgewright.models.encoding import MessageBytes, ToolBytes, encode, is_strict_schema
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

_CALLS_MAX = 256


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None
    index: int | None = None


class _Piece(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    content: str | list[_Piece] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None
    model: str | None = None


class _ChunkChoice(msgspec.Struct):
    delta: _Message | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_ChunkChoice] | None = None
    usage: _Usage | None = None
    model: str | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


class _OpaqueReasoning(msgspec.Struct, tag="chat_reasoning", tag_field="type", omit_defaults=True):
    """The fields of an assistant message that held its reasoning, to be sent back under the same names."""

    reasoning_content: str | None = None
    reasoning: str | None = None


_completion = msgspec.json.Decoder(_Completion)
_chunk = msgspec.json.Decoder(_Chunk)
_opaque = msgspec.json.Decoder(_OpaqueReasoning)
_STOPS: dict[str, Stop] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "refusal",
}


class OpenAIChat(HttpModel):
    def __init__(
        self,
        peer: Peer,
        settings: ModelSettings,
        price: Price | None,
        client: HttpClient | None = None,
        *,
        official: bool = False,
    ) -> None:
        """`official`: OpenAI's own server, which has names of its own for some fields."""
        headers = {"authorization": f"Bearer {peer.secret}"} if peer.secret else {}
        super().__init__(peer, headers, settings, price, client, MessageBytes(_encode_message))
        self._output_field = b',"max_completion_tokens":' if official else b',"max_tokens":'
        self._tools = ToolBytes(_encode_tool)
        self._head = b'{"model":' + encode(peer.model) + b',"messages":['

    def _encode(self, request: Request, *, stream: bool) -> bytes:
        of = self._messages.of
        messages = [of(message) for message in request.messages]
        if request.system:
            messages.insert(0, b'{"role":"system","content":' + encode(request.system) + b"}")
        body = [self._head, b",".join(messages), b"]"]
        add = body.append
        if request.tools:
            add(b',"tools":' + self._tools.all(request.tools))
            if request.tool_choice != "auto":
                add(b',"tool_choice":' + encode(request.tool_choice))
        if request.schema is not None:
            add(b',"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":')
            add(b"true" if is_strict_schema(request.schema) else b"false")
            add(b',"schema":' + encode(request.schema) + b"}}")
        if request.temperature is not None:
            add(b',"temperature":' + encode(request.temperature))
        limit = request.max_output_tokens or self._settings.max_output_tokens
        if limit:
            add(self._output_field + encode(limit))
        if request.stop:
            add(b',"stop":' + encode(request.stop))
        if self._settings.effort:
            add(b',"reasoning_effort":' + encode(self._settings.effort))
        if stream:
            add(b',"stream":true,"stream_options":{"include_usage":true}')
        add(self._extra)
        add(b"}")
        return b"".join(body)

    def _decode(self, body: bytes) -> Response:
        answer = self._parsed(_completion, body, "a chat completion")
        if not answer.choices:
            raise ModelProtocolError(
                f"{self.name} was expected to give one choice, found none: {self._begin(body)}",
                hint="try again; if it stays so, the server does not speak this API",
            )
        choice = answer.choices[0]
        message = choice.message
        calls = [_to_call(call.id, call.function) for call in message.tool_calls or ()]
        parts = _parts(message.reasoning_content, message.reasoning, _text(message), calls)
        stop = _STOPS.get(choice.finish_reason or "stop", "end")
        if message.refusal:
            stop = "refusal"
        return self._response(parts, stop, _to_usage(answer.usage), answer.model or self._peer.model)

    def _assembler(self, on_delta: OnDelta) -> Assembler:
        return _ChatStream(self, on_delta)


class _ChatStream:
    def __init__(self, model: OpenAIChat, on_delta: OnDelta) -> None:
        self._model = model
        self._tell = on_delta
        self._text: list[str] = []
        self._reasoning_content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, tuple[str | None, str, list[str]]] = {}
        self._finish = ""
        self._refused = False
        self._usage: _Usage | None = None
        self._name = ""

    def take(self, event: Event) -> bool:
        if event.data == b"[DONE]":
            return True
        chunk = self._model._parsed(_chunk, event.data, "a chunk of a chat completion")
        if bytes(chunk.error) != b"null" or event.type == "error":
            raise failure_in_stream(event.data, self._model._peer)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.model:
            self._name = chunk.model
        for choice in (chunk.choices or ())[:1]:
            if choice.delta is not None:
                self._delta(choice.delta)
            if choice.finish_reason:
                self._finish = choice.finish_reason
        return False

    def _delta(self, delta: _Message) -> None:
        if text := _text(delta):
            self._refused |= bool(delta.refusal)
            self._text.append(text)
            self._tell(TextDelta(text))
        if delta.reasoning_content:
            self._reasoning_content.append(delta.reasoning_content)
            self._tell(ReasoningDelta(delta.reasoning_content))
        elif delta.reasoning:
            self._reasoning.append(delta.reasoning)
            self._tell(ReasoningDelta(delta.reasoning))
        for call in delta.tool_calls or ():
            self._call_delta(call)

    def _call_delta(self, call: _Call) -> None:
        index = call.index
        if index is None:  # some servers leave it out: a name begins a new call, the rest goes on
            index = len(self._calls) - (0 if call.function.name or not self._calls else 1)
        if len(self._calls) >= _CALLS_MAX:
            raise ModelProtocolError(
                f"{self._model.name} asked for more than {_CALLS_MAX} tool calls at once"
            )
        known = self._calls.get(index)
        if known is None:
            known = self._calls[index] = (call.id, call.function.name or "", [])
        arguments = _arguments(call.function)
        known[2].append(arguments)
        self._tell(CallDelta(known[1], arguments))

    def result(self) -> Response:
        if not self._finish:
            raise self._model._cut("no finish_reason came")
        calls = [
            ToolCall(id or _new_id(), name, "".join(pieces) or "{}")
            for _, (id, name, pieces) in sorted(self._calls.items())
        ]
        parts = _parts("".join(self._reasoning_content), "".join(self._reasoning), "".join(self._text), calls)
        stop: Stop = "refusal" if self._refused else _STOPS.get(self._finish, "end")
        return self._model._response(
            parts, stop, _to_usage(self._usage), self._name or self._model._peer.model
        )


def _text(message: _Message) -> str:
    content = message.content
    if isinstance(content, list):
        content = "".join(piece.text for piece in content)
    return content or message.refusal or ""


def _arguments(function: _Function) -> str:
    if isinstance(function.arguments, dict):
        return encode(function.arguments).decode()
    return function.arguments or ""


def _to_call(id: str | None, function: _Function) -> ToolCall:
    return ToolCall(id or _new_id(), function.name or "", _arguments(function) or "{}")


def _new_id() -> str:
    """For servers that give a call none; it has to be there to tie the result to it."""
    return "call_" + os.urandom(9).hex()


def _parts(content: str | None, reasoning: str | None, text: str, calls: list[ToolCall]) -> list[Part]:
    parts: list[Part] = []
    if content or reasoning:
        opaque = encode(_OpaqueReasoning(content or None, reasoning or None))
        parts.append(Reasoning(content or reasoning or "", opaque.decode()))
    if text:
        parts.append(Text(text))
    parts.extend(calls)
    return parts


def _to_usage(usage: _Usage | None) -> Usage:
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details or _Details()
    return Usage(
        usage.prompt_tokens or 0,
        usage.completion_tokens or 0,
        details.cached_tokens or 0,
        details.cache_write_tokens or 0,
    )


def _encode_message(message: Message) -> bytes:
    if isinstance(message, User):
        return b'{"role":"user","content":' + encode(message.text) + b"}"
    if isinstance(message, ToolResult):
        content = encode(message.text)
        return b'{"role":"tool","tool_call_id":' + encode(message.call) + b',"content":' + content + b"}"
    return _encode_assistant(message)


def _encode_assistant(message: Assistant) -> bytes:
    text = message.text
    calls = [
        b'{"id":%b,"type":"function","function":{"name":%b,"arguments":%b}}'
        % (encode(call.id), encode(call.name), encode(call.arguments))
        for call in message.calls
    ]
    out = b'{"role":"assistant","content":' + (encode(text) if text or not calls else b"null")
    if calls:
        out += b',"tool_calls":[' + b",".join(calls) + b"]"
    for part in message.parts:
        if isinstance(part, Reasoning) and part.opaque:
            try:
                opaque = _opaque.decode(part.opaque)
            except msgspec.DecodeError:
                continue  # another provider's reasoning: of no use to this one
            if opaque.reasoning_content:
                out += b',"reasoning_content":' + encode(opaque.reasoning_content)
            if opaque.reasoning:
                out += b',"reasoning":' + encode(opaque.reasoning)
            break
    return out + b"}"


def _encode_tool(tool: ToolSpec) -> bytes:
    function = b'{"name":%b,"description":%b,"parameters":%b}' % (
        encode(tool.name),
        encode(tool.description),
        bytes(tool.parameters),
    )
    return b'{"type":"function","function":' + function + b"}"
