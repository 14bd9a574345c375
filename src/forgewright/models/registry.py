"""From a model's name to a model: `anthropic:NAME`, `openai:NAME`, `ollama:NAME`, `replay:FILE`.

A key from the environment is sent to its provider's own server, or to the base URL that the environment
itself names, and nowhere else: a base URL may come from a repository's configuration, which must not be able to
collect keys.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

import msgspec

from forgewright.core.errors import ModelAuthError, ModelUnknown, UsageError
from forgewright.models.types import Model

if TYPE_CHECKING:
    from forgewright.models.http import HttpClient, Url
    from forgewright.models.settings import ModelSettings


class Provider(msgspec.Struct, frozen=True):
    driver: str
    """Dotted path of the class, below this package."""
    base_url: str
    """Without the endpoint's own path; empty where there is no server."""
    path: str
    """The endpoint, below the base URL."""
    key: str = ""
    """The variable that holds the key; FORGEWRIGHT_ before it makes one that wins over it."""
    base_url_key: str = ""
    """The variable that may name another server."""
    local: bool = False
    """Runs on one's own machine: no key needed, costs nothing."""


_OWN_SERVER, _OWN_KEY = "FORGEWRIGHT_BASE_URL", "FORGEWRIGHT_API_KEY"
"""A server of one's own and the key for it."""
_CHAT = "drivers.openai_chat:OpenAIChat"
_RESPONSES = "drivers.openai_responses:OpenAIResponses"
_OPENAI = ("https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL")

_PROVIDERS: dict[str, Provider] = {
    "anthropic": Provider(
        "drivers.anthropic:Anthropic",
        "https://api.anthropic.com/v1",
        "/messages",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
    ),
    "openai": Provider(_RESPONSES, _OPENAI[0], "/responses", *_OPENAI[1:]),
    "openai-chat": Provider(_CHAT, _OPENAI[0], "/chat/completions", *_OPENAI[1:]),
    "openai-responses": Provider(_RESPONSES, _OPENAI[0], "/responses", *_OPENAI[1:]),
    "ollama": Provider(
        _CHAT, "http://127.0.0.1:11434/v1", "/chat/completions", base_url_key="OLLAMA_HOST", local=True
    ),
    "replay": Provider("drivers.replay:Replay", "", "", local=True),
}


def providers() -> Mapping[str, Provider]:
    """The table of providers by the prefix of a model's name."""
    return _PROVIDERS


def make_model(
    name: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    settings: ModelSettings | None = None,
    environ: Mapping[str, str] | None = None,
    client: HttpClient | None = None,
) -> Model:
    """The model of that name. Nothing is sent yet; what the server knows shows with the first request.

    `openai:` speaks Responses with OpenAI's own server and Chat Completions with a `base_url`;
    `openai-chat:` and `openai-responses:` choose. `client` shares connections between models.
    Raises `ModelUnknown` (prefix), `ModelAuthError` (no key), `UsageError` (base URL), `NotFound` and
    `ConfigError` (a recorded session).
    """
    environ = os.environ if environ is None else environ
    prefix, colon, model = name.partition(":")
    provider = _PROVIDERS.get(prefix)
    if provider is None or not colon or not model.strip() or model != model.strip():
        raise _unknown(name, prefix, model)
    if prefix == "replay":
        from forgewright.models.drivers.replay import Replay

        return Replay(model)
    return _remote(name, prefix, provider, model, base_url, api_key, settings, environ, client)


def _remote(
    name: str,
    prefix: str,
    provider: Provider,
    model: str,
    base_url: str | None,
    api_key: str | None,
    settings: ModelSettings | None,
    environ: Mapping[str, str],
    client: HttpClient | None,
) -> Model:
    from forgewright.models.drivers.failures import Peer
    from forgewright.models.http import parse_url
    from forgewright.models.prices import FREE, price_of
    from forgewright.models.settings import ModelSettings

    from_environ = environ.get(provider.base_url_key, "").strip() if provider.base_url_key else ""
    if prefix == "ollama" and from_environ:
        from_environ = _ollama_url(from_environ)
    base = (base_url or from_environ or provider.base_url).rstrip("/")
    official = base == provider.base_url
    if prefix == "openai" and not official:
        provider = _PROVIDERS["openai-chat"]
    if prefix == "anthropic" and not base.endswith("/v1"):
        base += "/v1"
    url = parse_url(base + provider.path)
    key, key_name = _key(provider, url, official or not base_url, api_key, environ)
    if official and provider.key and not key:
        raise ModelAuthError(
            f"{name} needs a key; expected one in {provider.key}, found none",
            hint=f"run: export {provider.key}=…",
        )
    local = provider.local or _is_loopback(url.host)
    price = FREE if local else price_of(model) if official else None
    peer = Peer(name, model, str(url), key_name, key)
    module, _, class_name = provider.driver.partition(":")
    driver = getattr(import_module(f"{__package__}.{module}"), class_name)
    options = {} if class_name == "OpenAIResponses" else {"official": official}
    return cast(Model, driver(peer, settings or ModelSettings(), price, client, **options))


def _key(
    provider: Provider, url: Url, trusted: bool, api_key: str | None, environ: Mapping[str, str]
) -> tuple[str, str]:
    """The key and the name to call it by in messages. `trusted`: the server is one the environment names."""
    if api_key is not None:
        return _clean_key(api_key, "api_key"), "api_key"
    if trusted:
        names = ["FORGEWRIGHT_" + provider.key, provider.key] if provider.key else []
    else:
        from forgewright.models.http import parse_url

        own = environ.get(_OWN_SERVER, "").strip()
        names = [_OWN_KEY] if own and parse_url(own).origin == url.origin else []
    for name in names:
        if environ.get(name, "").strip():
            return _clean_key(environ[name], name), name
    return "", provider.key if trusted else f"{_OWN_KEY} (for the server that {_OWN_SERVER} names)"


def _clean_key(key: str, name: str) -> str:
    key = key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ModelAuthError(
            f"the key in {name} holds blanks, line ends or other characters that no key has",
            hint="copy it again from the provider's page",
        )
    return key


def _ollama_url(value: str) -> str:
    """OLLAMA_HOST is `host`, `host:port` or a URL, and 0.0.0.0 where the server listens everywhere."""
    url = value if "://" in value else "http://" + value
    url = url.replace("//0.0.0.0", "//127.0.0.1").rstrip("/")
    if ":" not in url.partition("://")[2]:
        url += ":11434"
    return url if url.endswith("/v1") else url + "/v1"


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _unknown(name: str, prefix: str, model: str) -> ModelUnknown | UsageError:
    from difflib import get_close_matches

    known = ", ".join(f"{provider}:…" for provider in _PROVIDERS)
    if prefix in _PROVIDERS:
        found = "surrounding blanks" if model.strip() else "nothing"
        return ModelUnknown(
            f"a model's name has to follow {prefix}:, found {found} in {name[:80]!r}",
            hint=f"write it like {prefix}:NAME",
        )
    guess = _guess(name)
    near = [f"{match}:{model or 'NAME'}" for match in get_close_matches(prefix.lower(), _PROVIDERS, 2, 0.5)]
    hint = f"did you mean {' or '.join([guess, *near] if guess else near)}?" if guess or near else None
    return ModelUnknown(
        f"no provider {prefix[:40]!r}; a model is named by one of {known} found {name[:80]!r}",
        hint=hint or "name it like anthropic:NAME, or openai:NAME with a base URL",
    )


def _guess(name: str) -> str:
    """For a bare model name, whose provider everybody knows."""
    if name.startswith("claude"):
        return f"anthropic:{name}"
    if name.startswith(("gpt-", "o1", "o3", "o4", "codex")):
        return f"openai:{name}"
    return ""
