"""Names, keys and base URLs: what a person can get wrong, and where a key may go."""

from __future__ import annotations

import subprocess
import sys

import pytest

from forgewright.core.errors import ForgewrightError, ModelAuthError, ModelUnknown, NotFound, UsageError
from forgewright.models import cost_microdollars, make_model, price_of
from forgewright.models.types import Usage

KEYS = {"OPENAI_API_KEY": "sk-env", "ANTHROPIC_API_KEY": "sk-ant"}


def where(name: str, environ: dict[str, str] | None = None, base_url: str | None = None) -> str:
    model = make_model(name, base_url=base_url, environ=KEYS if environ is None else environ)
    return str(model._endpoint.url)


def key_sent(name: str, environ: dict[str, str], base_url: str | None = None) -> bool:
    model = make_model(name, base_url=base_url, environ=environ)
    return b"sk-" in model._endpoint._head


@pytest.mark.parametrize(
    ("name", "base_url", "expected"),
    [
        ("openai:gpt-5", None, "https://api.openai.com/v1/responses"),
        ("openai:gpt-5", "https://api.openai.com/v1/", "https://api.openai.com/v1/responses"),
        ("openai-chat:gpt-5", None, "https://api.openai.com/v1/chat/completions"),
        ("openai:qwen", "http://box:8000/v1", "http://box:8000/v1/chat/completions"),
        ("openai-responses:qwen", "http://box:8000/v1", "http://box:8000/v1/responses"),
        ("anthropic:claude-x", None, "https://api.anthropic.com/v1/messages"),
        ("anthropic:claude-x", "http://box/v1", "http://box/v1/messages"),
        ("anthropic:claude-x", "http://box", "http://box/v1/messages"),
        ("ollama:qwen3:8b", None, "http://127.0.0.1:11434/v1/chat/completions"),
    ],
)
def test_where_a_name_leads(name: str, base_url: str | None, expected: str) -> None:
    assert where(name, base_url=base_url) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434/v1/chat/completions"),
        ("box:1234", "http://box:1234/v1/chat/completions"),
        ("https://box:1234", "https://box:1234/v1/chat/completions"),
    ],
)
def test_ollama_host(host: str, expected: str) -> None:
    assert where("ollama:qwen3:8b", {"OLLAMA_HOST": host}) == expected


def test_a_key_goes_to_its_provider_and_nowhere_else() -> None:
    assert key_sent("openai:gpt-5", KEYS)
    assert not key_sent("openai:gpt-5", KEYS, "http://elsewhere.example/v1")
    assert not key_sent("anthropic:claude-x", KEYS, "http://elsewhere.example")
    assert key_sent("openai:x", {"OPENAI_API_KEY": "sk-env", "OPENAI_BASE_URL": "http://mine.example/v1"})
    own = {"FORGEWRIGHT_API_KEY": "sk-own", "FORGEWRIGHT_BASE_URL": "https://mine.example"}
    assert key_sent("openai:x", own, "https://mine.example/v1")
    assert not key_sent("openai:x", own, "https://elsewhere.example/v1")
    assert not key_sent("openai:x", own, "http://mine.example/v1")
    assert not key_sent("openai:x", own, "https://mine.example:8443/v1")
    assert not key_sent("openai:x", {"FORGEWRIGHT_API_KEY": "sk-own"}, "https://mine.example/v1")
    assert key_sent("openai:x", {"FORGEWRIGHT_OPENAI_API_KEY": "sk-own"})


@pytest.mark.parametrize(
    ("name", "key"), [("openai:x", "OPENAI_API_KEY"), ("anthropic:x", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_is_named(name: str, key: str) -> None:
    with pytest.raises(ModelAuthError) as caught:
        make_model(name, environ={})
    assert key in str(caught.value)


def test_a_key_with_a_line_end_is_refused_and_not_repeated() -> None:
    with pytest.raises(ModelAuthError) as caught:
        make_model("openai:x", environ={"OPENAI_API_KEY": "sk-se\ncret"})
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("antropic:claude-x", "anthropic:claude-x"),
        ("openia:gpt-5", "openai:gpt-5"),
        ("claude-sonnet-4-5", "anthropic:claude-sonnet-4-5"),
        ("gpt-5", "openai:gpt-5"),
        ("OpenAI:gpt-5", "openai:gpt-5"),
        ("openai:", "openai:NAME"),
        ("openai: gpt-5", "openai:NAME"),
        ("", "anthropic:NAME"),
    ],
)
def test_a_wrong_name_says_which_is_near(name: str, says: str) -> None:
    with pytest.raises(ModelUnknown) as caught:
        make_model(name, environ=KEYS)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/v1",
        "api.example.com",
        "https://",
        "https://user:pw@x/v1",
        "https://x:99999/",
        "http://x/v1?a=b",
    ],
)
def test_a_wrong_base_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_model("openai:x", base_url=url, environ={})
    assert "pw" not in str(caught.value)


def test_a_missing_session_is_an_error_with_its_name() -> None:
    with pytest.raises(NotFound, match=r"gone\.jsonl"):
        make_model("replay:gone.jsonl")


def test_errors_are_in_the_one_tree() -> None:
    for name in ("", "x:y", "openai:"):
        with pytest.raises(ForgewrightError):
            make_model(name)


def test_prices() -> None:
    usage = Usage(1_000_000, 100_000, cache_read_tokens=500_000)
    price = price_of("gpt-5-2025-08-07")
    assert price is price_of("gpt-5")
    assert cost_microdollars(price, usage) == 625_000 + 62_500 + 1_000_000
    long = price_of("gpt-6-sol")
    assert cost_microdollars(long, Usage(272_000, 1000)) == 544_000 + 10_000
    assert cost_microdollars(long, Usage(272_001, 1000)) == 1_088_004 + 15_000
    assert cost_microdollars(price, Usage(1)) == 2, "a part of a millionth is rounded up"
    assert price_of("some-model") is None
    assert cost_microdollars(None, usage) == 0
    assert price_of("claude-haiku-4-5-20251001") is price_of("claude-haiku-4-5")


def test_importing_the_port_and_making_a_name_import_no_event_loop() -> None:
    code = (
        "import sys, forgewright.models, forgewright.models.types, forgewright.models.registry\n"
        "from forgewright.models import price_of, repair\n"
        "price_of('x'); repair(())\n"
        "assert 'asyncio' not in sys.modules and 'ssl' not in sys.modules, 'late imports'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
