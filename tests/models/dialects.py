"""How a `Response` looks on the wire in each of the three dialects: whole, and as a stream's events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from forgewright.models.types import Reasoning, Response, Text, ToolCall

Events = Iterator[tuple[str, Any]]
_CHAT_STOP = {"end": "stop", "tools": "tool_calls", "length": "length", "refusal": "content_filter"}
_ANTHROPIC_STOP = {"end": "end_turn", "tools": "tool_use", "length": "max_tokens", "refusal": "refusal"}


def _pieces(text: str, size: int = 5) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


# -- Chat Completions


def _chat_usage(response: Response) -> dict[str, Any]:
    usage = response.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
    }


def chat_whole(response: Response) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": response.message.text or None}
    reasoning = [part.text for part in response.message.parts if isinstance(part, Reasoning)]
    if reasoning:
        message["reasoning_content"] = "".join(reasoning)
    if response.message.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in response.message.calls
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": response.model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": _CHAT_STOP[response.stop]}
        ],
        "usage": _chat_usage(response),
    }


def chat_events(response: Response) -> Events:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> tuple[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return "", {**head, "choices": [choice], "usage": None}

    head: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000}
    head["model"] = response.model

    yield chunk({"role": "assistant", "content": ""})
    index = 0
    for part in response.message.parts:
        if isinstance(part, Reasoning):
            for piece in _pieces(part.text):
                yield chunk({"reasoning_content": piece})
        elif isinstance(part, Text):
            for piece in _pieces(part.text):
                yield chunk({"content": piece})
        else:
            function = {"name": part.name, "arguments": ""}
            yield chunk(
                {"tool_calls": [{"index": index, "id": part.id, "type": "function", "function": function}]}
            )
            for piece in _pieces(part.arguments):
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            index += 1
    yield chunk({}, _CHAT_STOP[response.stop])
    yield "", {**head, "choices": [], "usage": _chat_usage(response)}
    yield "", "[DONE]"


# -- Responses


def responses_whole(response: Response) -> dict[str, Any]:
    usage = response.usage
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "incomplete" if response.stop == "length" else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if response.stop == "length" else None,
        "error": None,
        "model": response.model,
        "output": [_item(index, part) for index, part in enumerate(response.message.parts)],
        "usage": {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {
                "cached_tokens": usage.cache_read_tokens,
                "cache_write_tokens": usage.cache_write_tokens,
            },
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _item(index: int, part: Text | Reasoning | ToolCall) -> dict[str, Any]:
    if isinstance(part, Text):
        content = [{"type": "output_text", "text": part.text, "annotations": []}]
        head = {"type": "message", "id": f"msg_{index}", "role": "assistant", "status": "completed"}
        return {**head, "content": content}
    if isinstance(part, Reasoning):
        return {
            "type": "reasoning",
            "id": f"rs_{index}",
            "summary": [{"type": "summary_text", "text": part.text}],
            "encrypted_content": "gAAAA",
        }
    return {
        "type": "function_call",
        "id": f"fc_{index}",
        "call_id": part.id,
        "name": part.name,
        "arguments": part.arguments,
        "status": "completed",
    }


def responses_events(response: Response) -> Events:
    whole = responses_whole(response)
    sequence = 0

    def event(type: str, **fields: Any) -> tuple[str, Any]:
        nonlocal sequence
        sequence += 1
        return type, {"type": type, "sequence_number": sequence, **fields}

    yield event("response.created", response={**whole, "output": [], "status": "in_progress", "usage": None})
    for index, (part, item) in enumerate(zip(response.message.parts, whole["output"], strict=True)):
        at = {"item_id": item["id"], "output_index": index}
        if isinstance(part, ToolCall):
            begun = {**item, "arguments": "", "status": "in_progress"}
            yield event("response.output_item.added", output_index=index, item=begun)
            for piece in _pieces(part.arguments):
                yield event("response.function_call_arguments.delta", **at, delta=piece)
            yield event(
                "response.function_call_arguments.done", **at, arguments=part.arguments, name=part.name
            )
        elif isinstance(part, Text):
            at["content_index"] = 0
            content = item["content"][0]
            begun = {**item, "content": [], "status": "in_progress"}
            yield event("response.output_item.added", output_index=index, item=begun)
            yield event("response.content_part.added", **at, part={**content, "text": ""})
            for piece in _pieces(part.text):
                yield event("response.output_text.delta", **at, delta=piece, logprobs=[])
            yield event("response.output_text.done", **at, text=part.text, logprobs=[])
            yield event("response.content_part.done", **at, part=content)
        else:
            at["summary_index"] = 0
            summary = item["summary"][0]
            yield event("response.output_item.added", output_index=index, item={**item, "summary": []})
            yield event("response.reasoning_summary_part.added", **at, part={**summary, "text": ""})
            for piece in _pieces(part.text):
                yield event("response.reasoning_summary_text.delta", **at, delta=piece)
            yield event("response.reasoning_summary_text.done", **at, text=part.text)
            yield event("response.reasoning_summary_part.done", **at, part=summary)
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.incomplete" if response.stop == "length" else "response.completed", response=whole)


# -- Anthropic Messages


def _block(part: Text | Reasoning | ToolCall) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Reasoning):
        return {"type": "thinking", "thinking": part.text, "signature": "c2ln"}
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.arguments)}


def anthropic_whole(response: Response) -> dict[str, Any]:
    usage = response.usage
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": response.model,
        "content": [_block(part) for part in response.message.parts],
        "stop_reason": _ANTHROPIC_STOP[response.stop],
        "stop_sequence": None,
        "usage": {
            "input_tokens": usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_input_tokens": usage.cache_read_tokens,
            "cache_creation_input_tokens": usage.cache_write_tokens,
        },
    }


def anthropic_events(response: Response) -> Events:
    whole = anthropic_whole(response)
    start = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield "message_start", {"type": "message_start", "message": start}
    yield "ping", {"type": "ping"}
    for index, (part, block) in enumerate(zip(response.message.parts, whole["content"], strict=True)):
        empty = {"text": "", "thinking": "", "signature": "", "input": {}}
        begun = {name: empty.get(name, value) for name, value in block.items()}
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": begun}
        deltas: list[dict[str, Any]]
        if isinstance(part, Text):
            deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(part.text)]
        elif isinstance(part, Reasoning):
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(part.text)]
            deltas.append({"type": "signature_delta", "signature": "c2ln"})
        else:
            deltas = [
                {"type": "input_json_delta", "partial_json": piece} for piece in _pieces(part.arguments)
            ]
        for delta in deltas:
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    yield (
        "message_delta",
        {
            "type": "message_delta",
            "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": response.usage.output_tokens},
        },
    )
    yield "message_stop", {"type": "message_stop"}


WHOLE: dict[str, Callable[[Response], dict[str, Any]]] = {
    "/chat/completions": chat_whole,
    "/responses": responses_whole,
    "/messages": anthropic_whole,
}
EVENTS: dict[str, Callable[[Response], Events]] = {
    "/chat/completions": chat_events,
    "/responses": responses_events,
    "/messages": anthropic_events,
}
