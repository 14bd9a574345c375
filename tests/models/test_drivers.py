"""Every driver against a real server that speaks its wire format, plain and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from tests.models.server import ModelServer, answer, events, status

from forgewright.core.errors import ModelProtocolError
from forgewright.models import ModelSettings, make_model
from forgewright.models.types import (
    Assistant,
    CallDelta,
    Delta,
    Model,
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

NAMES = ["openai-chat:m-1", "openai-responses:m-1", "anthropic:m-1"]
SCHEMA = msgspec.Raw(
    b'{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}'
)
ADD = ToolSpec("add", "Adds.", SCHEMA)
USAGE = Usage(100, 20, 40)
HELLO = Response(Assistant((Text("Hello, “wörld” 🦊, how are you?"),)), "end", USAGE, "m-1-2026")
CALLS = Response(
    Assistant(
        (
            Reasoning("I have to add twice."),
            Text("Adding."),
            ToolCall("call_1", "add", '{"a": 1}'),
            ToolCall("call_2", "add", '{"a": 2, "text": "ü"}'),
        )
    ),
    "tools",
    USAGE,
    "m-1-2026",
)
ASK = Request((User("Say hello."),), system="Be brief.", tools=(ADD,))


def model_at(server: ModelServer, name: str, **settings: object) -> Model:
    return make_model(name, base_url=server.url, api_key="sk-test", settings=ModelSettings(**settings))


def without_opaque(response: Response) -> Response:
    parts = tuple(
        Reasoning(part.text) if isinstance(part, Reasoning) else part for part in response.message.parts
    )
    return msgspec.structs.replace(response, message=Assistant(parts))


def assert_same_opaque(one: Response, other: Response) -> None:
    for a, b in zip(one.message.parts, other.message.parts, strict=True):
        if isinstance(a, Reasoning) and isinstance(b, Reasoning):
            assert json.loads(a.opaque) == json.loads(b.opaque)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("response", [HELLO, CALLS], ids=["text", "calls"])
@pytest.mark.parametrize("drip", [0, 1, 7])
async def test_plain_and_streamed_answers_are_the_same(name: str, response: Response, drip: int) -> None:
    deltas: list[Delta] = []
    async with ModelServer([answer(response), answer(response, drip=drip)]) as server:
        model = model_at(server, name)
        plain = await model.respond(ASK)
        streamed = await model.respond(ASK, on_delta=deltas.append)
        await model.close()
        assert server.connections == 1, (
            "the connection has to be kept after a whole and before a streamed answer"
        )
    assert without_opaque(plain) == response
    assert without_opaque(streamed) == response
    assert_same_opaque(plain, streamed)
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == response.message.text
    said = "".join(d.arguments for d in deltas if isinstance(d, CallDelta))
    assert said == "".join(call.arguments for call in response.message.calls)
    thought = "".join(d.text for d in deltas if isinstance(d, ReasoningDelta))
    assert thought == "".join(p.text for p in response.message.parts if isinstance(p, Reasoning))


@pytest.mark.parametrize("name", NAMES)
async def test_the_conversation_goes_back_as_the_provider_gave_it(name: str) -> None:
    async with ModelServer([answer(CALLS), answer(HELLO)]) as server:
        model = model_at(server, name)
        first = await model.respond(ASK)
        results = (ToolResult("call_1", "add", "2"), ToolResult("call_2", "add", "boom", error=True))
        await model.respond(
            Request((*ASK.messages, first.message, *results), system="Be brief.", tools=(ADD,))
        )
        await model.close()
        sent = server.asked[1].json
    EXPECTED_HISTORY[name](sent)


def _chat_history(sent: dict) -> None:
    roles = [message["role"] for message in sent["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool"]
    turn = sent["messages"][2]
    assert turn["content"] == "Adding."
    assert turn["reasoning_content"] == "I have to add twice."
    assert [call["id"] for call in turn["tool_calls"]] == ["call_1", "call_2"]
    assert sent["messages"][3] == {"role": "tool", "tool_call_id": "call_1", "content": "2"}


def _responses_history(sent: dict) -> None:
    assert sent["store"] is False
    assert sent["instructions"] == "Be brief."
    items = sent["input"]
    assert [item.get("type", item.get("role")) for item in items] == [
        "user",
        "reasoning",
        "assistant",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert items[1]["encrypted_content"] == "gAAAA"
    assert items[5] == {"type": "function_call_output", "call_id": "call_1", "output": "2"}


def _anthropic_history(sent: dict) -> None:
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "user"]
    blocks = sent["messages"][1]["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "I have to add twice.", "signature": "c2ln"}
    assert blocks[2] == {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1}}
    results = sent["messages"][2]["content"]
    assert [block["tool_use_id"] for block in results] == ["call_1", "call_2"]
    assert results[1]["is_error"] is True
    assert sent["max_tokens"] == 16_384
    assert sent["system"] == "Be brief."


EXPECTED_HISTORY: dict[str, Callable[[dict], None]] = dict(
    zip(NAMES, [_chat_history, _responses_history, _anthropic_history], strict=True)
)


@pytest.mark.parametrize("name", NAMES)
async def test_reasoning_of_another_provider_is_left_out(name: str) -> None:
    async with ModelServer([answer(CALLS)] * 3) as server:
        parts: list[Reasoning] = []
        for other in NAMES:
            if other != name:
                model = model_at(server, other)
                response = await model.respond(ASK)
                await model.close()
                parts += [part for part in response.message.parts if isinstance(part, Reasoning)]
        assert len(parts) == 2
        model = model_at(server, name)
        await model.respond(Request((User("Hi."), Assistant((*parts, Text("Yes."))), User("Go on."))))
        await model.close()
        assert "I have to add twice." not in server.asked[2].body.decode()


@pytest.mark.parametrize("name", NAMES)
async def test_structured_output_tool_choice_and_limits_are_asked_for(name: str) -> None:
    request = Request(
        (User("One, please."),),
        tools=(ADD,),
        tool_choice="required",
        schema=SCHEMA,
        temperature=0.5,
        max_output_tokens=77,
    )
    async with ModelServer([answer(HELLO)]) as server:
        model = model_at(server, name, effort="low", extra=msgspec.Raw(b'{"user": "u-1"}'))
        await model.respond(request)
        await model.close()
        sent = server.asked[0].json
    schema = json.loads(bytes(SCHEMA))
    assert sent["temperature"] == 0.5
    assert sent["user"] == "u-1"
    if name.startswith("openai-chat"):
        assert sent["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": schema}
        assert sent["tool_choice"] == "required"
        assert sent["max_tokens"] == 77
        assert sent["reasoning_effort"] == "low"
        assert sent["tools"][0]["function"]["parameters"] == schema
    elif name.startswith("openai-responses"):
        assert sent["text"]["format"]["schema"] == schema
        assert sent["text"]["format"]["strict"] is True
        assert sent["tool_choice"] == "required"
        assert sent["max_output_tokens"] == 77
        assert sent["reasoning"] == {"effort": "low"}
        assert sent["tools"][0]["parameters"] == schema
    else:
        assert sent["output_config"] == {"format": {"type": "json_schema", "schema": schema}, "effort": "low"}
        assert sent["tool_choice"] == {"type": "any"}
        assert sent["max_tokens"] == 77
        assert sent["tools"][0]["input_schema"] == schema


@pytest.mark.parametrize("name", NAMES)
async def test_keys_are_sent_and_never_shown(name: str) -> None:
    async with ModelServer([answer(HELLO)]) as server:
        model = model_at(server, name)
        await model.respond(ASK)
        await model.close()
        headers = server.asked[0].headers
    assert "sk-test" in (headers.get("authorization", "") + headers.get("x-api-key", ""))
    assert "sk-test" not in repr(model)
    assert "sk-test" not in repr(vars(model))


@pytest.mark.parametrize("name", NAMES)
async def test_a_message_is_encoded_once(name: str) -> None:
    message = User("x" * 1000)
    async with ModelServer([answer(HELLO)] * 3) as server:
        model = model_at(server, name)
        for _ in range(3):
            await model.respond(Request((message,)))
        cache = model._messages
        first = cache.of(message)
        assert cache.of(message) is first
        assert len(cache) == 1
        del message, first
        assert len(cache) == 0, "the encoded bytes go when the message goes"
        await model.close()


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("anthropic:m-1", "messages.1.content.0: Invalid `signature` in `thinking` block"),
        ("anthropic:m-1", "`thinking` blocks in the latest assistant message cannot be modified."),
        ("openai-responses:m-1", "The encrypted content could not be verified."),
    ],
)
async def test_reasoning_that_is_not_taken_back_is_left_out(name: str, refusal: str) -> None:
    refused = status(400, {"error": {"message": refusal, "type": "invalid_request_error"}})
    async with ModelServer([answer(CALLS), refused, answer(CALLS), answer(HELLO), refused]) as server:
        model = model_at(server, name)
        first = await model.respond(ASK)
        results = (ToolResult("call_1", "add", "2"), ToolResult("call_2", "add", "3"))
        again = Request((*ASK.messages, first.message, *results), tools=(ADD,))
        second = await model.respond(again)
        assert "I have to add twice." in server.asked[1].body.decode()
        assert "I have to add twice." not in server.asked[2].body.decode()
        assert "Adding." in server.asked[2].body.decode()
        third = Request((*again.messages, second.message, *results), tools=(ADD,))
        assert (await model.respond(third)).message == HELLO.message
        assert server.asked[3].body.decode().count("I have to add twice.") == 1, "what came since is sent"
        with pytest.raises(ModelProtocolError):
            await model.respond(ASK)  # nothing to leave out: the refusal stands
        await model.close()


async def test_what_compatible_servers_do_differently() -> None:
    """Calls without index or id, arguments as an object, null choices, empty events, calls with `stop`."""

    def call(**function: object) -> dict:
        return {"choices": [{"index": 0, "delta": {"tool_calls": [{"function": function}]}}]}

    stream = events(
        {"choices": None},
        "",
        call(name="add", arguments='{"a":'),
        call(arguments=" 1}"),
        call(name="sub", arguments={"a": 2}),
        {"choices": [{"index": 0, "delta": {"reasoning": "Hm."}, "finish_reason": "stop"}]},
    )
    whole = status(
        200,
        {
            "choices": [
                {
                    "message": {
                        "content": [{"type": "text", "text": "Hi"}],
                        "tool_calls": [{"id": "7", "function": {"name": "add", "arguments": {"a": 1}}}],
                    }
                }
            ]
        },
    )
    async with ModelServer([stream, whole]) as server:
        model = model_at(server, "openai-chat:m-1")
        streamed = await model.respond(ASK, on_delta=lambda _: None)
        plain = await model.respond(ASK)
        await model.close()
    calls = streamed.message.calls
    assert [(c.name, c.arguments) for c in calls] == [("add", '{"a": 1}'), ("sub", '{"a":2}')]
    assert len({c.id for c in calls}) == 2
    assert streamed.stop == "tools"
    assert plain == Response(
        Assistant((Text("Hi"), ToolCall("7", "add", '{"a":1}'))), "tools", Usage(), "m-1"
    )
