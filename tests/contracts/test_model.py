"""What every `Model` has to do, drivers and wrappers alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.models.server import ModelServer, answer, hang

from forgewright.models import Fallback, Recording, Replay, Retrying, make_model
from forgewright.models.drivers.replay import Line
from forgewright.models.types import (
    Assistant,
    CallDelta,
    Delta,
    Model,
    Request,
    Response,
    Text,
    TextDelta,
    ToolCall,
    Usage,
    User,
)

Opened = AbstractAsyncContextManager[Model]
ASK = Request((User("Hi."),))


def said(text: str) -> Response:
    parts = (Text(text), ToolCall("call_1", "add", '{"a": 1}'))
    return Response(Assistant(parts), "tools", Usage(10, 5), "m")


def remote(name: str, wrap: Callable[[Model], Model] = lambda model: model) -> Callable[..., Opened]:
    @asynccontextmanager
    async def opened(responses: Sequence[Response], folder: Path) -> AsyncIterator[Model]:
        async with ModelServer([answer(response) for response in responses]) as server:
            model = wrap(make_model(name, base_url=server.url, api_key="k"))
            yield model
            await model.close()

    return opened


@asynccontextmanager
async def replay(responses: Sequence[Response], folder: Path) -> AsyncIterator[Model]:
    file = folder / "session.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(Line(response)) for response in responses))
    yield Replay(file)


@asynccontextmanager
async def recording(responses: Sequence[Response], folder: Path) -> AsyncIterator[Model]:
    async with remote("openai-chat:m")(responses, folder) as model:
        yield Recording(model, folder / "written.jsonl")


MODELS: dict[str, Callable[[Sequence[Response], Path], Opened]] = {
    "openai-chat": remote("openai-chat:m"),
    "openai-responses": remote("openai-responses:m"),
    "anthropic": remote("anthropic:m"),
    "replay": replay,
    "recording": recording,
    "retrying": remote("anthropic:m", Retrying),
    "fallback": remote("openai-responses:m", lambda model: Fallback([model])),
}
every_model = pytest.mark.parametrize("kind", MODELS)


@every_model
async def test_it_answers(kind: str, tmp_path: Path) -> None:
    async with MODELS[kind]([said("one"), said("two")], tmp_path) as model:
        assert isinstance(model.name, str)
        assert model.name
        assert model.context_tokens is None or model.context_tokens > 0
        assert await model.respond(ASK) == said("one")
        assert await model.respond(ASK) == said("two")


@every_model
async def test_deltas_add_up_to_the_answer(kind: str, tmp_path: Path) -> None:
    deltas: list[Delta] = []
    async with MODELS[kind]([said("Some text in pieces.")], tmp_path) as model:
        response = await model.respond(ASK, on_delta=deltas.append)
    assert response == said("Some text in pieces.")
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == response.message.text
    assert "".join(d.arguments for d in deltas if isinstance(d, CallDelta)) == '{"a": 1}'
    assert {d.name for d in deltas if isinstance(d, CallDelta)} == {"add"}


@every_model
async def test_requests_at_once_each_get_one_answer(kind: str, tmp_path: Path) -> None:
    texts = [f"answer {number}" for number in range(20)]
    async with MODELS[kind]([said(text) for text in texts], tmp_path) as model:
        responses = await asyncio.gather(*[model.respond(ASK) for _ in texts])
    assert sorted(response.message.text for response in responses) == sorted(texts)


@every_model
async def test_it_can_be_closed_twice(kind: str, tmp_path: Path) -> None:
    async with MODELS[kind]([said("one")], tmp_path) as model:
        await model.respond(ASK)
        await model.close()
        await model.close()


@every_model
async def test_an_answer_survives_the_journal(kind: str, tmp_path: Path) -> None:
    async with MODELS[kind]([said("one")], tmp_path) as model:
        response = await model.respond(ASK)
    assert msgspec.json.decode(msgspec.json.encode(response), type=Response) == response


@pytest.mark.parametrize("wrap", [lambda m: m, Retrying, lambda m: Fallback([m])])
async def test_cancelling_goes_through(wrap: Callable[[Model], Model]) -> None:
    async with ModelServer([hang(), answer(said("two"))]) as server:
        model = wrap(make_model("openai-chat:m", base_url=server.url, api_key="k"))
        asking = asyncio.ensure_future(model.respond(ASK))
        await server.waiting.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await model.respond(ASK)).message.text == "two"
        await model.close()
