"""A provider's refusal as one of our errors: what was asked, what came back, what to do about it."""

from __future__ import annotations

from typing import Any

import msgspec

from forgewright.core.errors import (
    ContextOverflow,
    ModelAuthError,
    ModelError,
    ModelOverloaded,
    ModelProtocolError,
    ModelRateLimited,
    ModelUnknown,
)
from forgewright.models.http import HttpResponse

_MESSAGE_MAX = 600
_OVERFLOW_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "request_too_large"})
_OVERFLOW_WORDS = (
    "prompt is too long",  # Anthropic
    "exceed context limit",  # Anthropic: input and max_tokens together
    "maximum context length",  # OpenAI, vLLM
    "context window",  # OpenAI Responses, others
    "available context size",  # llama.cpp
    "context length",  # LM Studio, Ollama
    "too many tokens",
)
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_not_active", "billing_error"})
_OVERLOADED_CODES = frozenset(
    {
        "overloaded_error",
        "api_error",
        "server_error",
        "timeout_error",
        "internal_error",
        "service_unavailable",
    }
)


class ReasoningRefused(ModelProtocolError):
    """The provider does not take back its own reasoning: another model thought it, or the conversation was
    changed since (shortened, say). It is asked again without."""


class Peer(msgspec.Struct, frozen=True):
    """Who was asked, for messages. Holds the secret only to keep it out of them."""

    name: str
    """As a person wrote it: `openai:gpt-5`."""
    model: str
    where: str
    """URL."""
    key_name: str
    """The variable that holds the key."""
    secret: str

    def __repr__(self) -> str:
        return f"Peer({self.name})"

    def clean(self, text: str) -> str:
        """Without the key, and of bounded length."""
        if self.secret:
            text = text.replace(self.secret, "…")
        text = " ".join(text.split())
        return text if len(text) <= _MESSAGE_MAX else text[: _MESSAGE_MAX - 1] + "…"


class Refusal(msgspec.Struct, frozen=True):
    """The error object of an answer, in whatever dialect."""

    message: str = ""
    code: str = ""
    """Its code or, lacking one, its type."""
    is_json: bool = False


def read_refusal(body: bytes) -> Refusal:
    """`{"error": {"message", "type", "code"}}` and the shapes that compatible servers use instead."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal(message=body[:_MESSAGE_MAX].decode("utf-8", "replace"))
    if isinstance(answer, list) and answer:  # Google's compatible endpoint wraps it in an array
        answer = answer[0]
    error: Any = answer.get("error", answer) if isinstance(answer, dict) else answer
    if not isinstance(error, dict):
        return Refusal(message=str(error), is_json=True)
    message = error.get("message") or error.get("detail") or ""
    code = error.get("code")
    if not isinstance(code, str) or not code:
        code = error.get("type")
    return Refusal(str(message), code if isinstance(code, str) else "", True)


def failure_of(response: HttpResponse, peer: Peer) -> ModelError:
    """The error for an answer whose status is not 200."""
    refusal = read_refusal(response.body)
    wait = retry_after_seconds(response.header(b"retry-after"), response.header(b"retry-after-ms"))
    return _classify(response.status, refusal, peer, wait)


def failure_in_stream(body: bytes, peer: Peer) -> ModelError:
    """The error for an error event inside a stream whose status was 200."""
    refusal = read_refusal(body)
    status = {
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "authentication_error": 401,
        "permission_error": 403,
        "not_found_error": 404,
        "invalid_request_error": 400,
        "invalid_prompt": 400,
    }.get(refusal.code, 500)
    return _classify(status, refusal, peer, None)


def _classify(status: int, refusal: Refusal, peer: Peer, wait: float | None) -> ModelError:
    said = peer.clean(refusal.message) or "no explanation"
    what = f"{peer.name} answered {status}: {said}"
    lower = refusal.message.lower()
    if refusal.code in _OVERFLOW_CODES or status == 413:
        return _overflow(peer, said)
    if status in (400, 422) and any(words in lower for words in _OVERFLOW_WORDS):
        return _overflow(peer, said)
    if status == 400 and _about_reasoning(refusal.code, lower):
        return ReasoningRefused(what, hint="begin the conversation anew, or use the model that began it")
    if status in (401, 403) or refusal.code == "invalid_api_key":
        key = f"check that {peer.key_name} holds a valid key with access to {peer.model}"
        return ModelAuthError(what, hint=key if peer.key_name else "this server wants a key: give api_key")
    if status == 402 or refusal.code in _QUOTA_CODES:
        return ModelAuthError(what, hint="the account has no credit left: check the provider's billing page")
    if refusal.code == "model_not_found" or (status == 404 and refusal.is_json and "model" in lower):
        return ModelUnknown(what, hint=_unknown_hint(peer))
    if status == 404:
        return ModelProtocolError(
            f"{peer.where} was not found on the server (404): {said}",
            hint="check the base URL; it usually ends in /v1",
        )
    if status == 429:
        return ModelRateLimited(what, retry_after_seconds=wait, hint="wait, or use another model or account")
    if status >= 500 or status in (408, 409, 425) or refusal.code in _OVERLOADED_CODES:
        return ModelOverloaded(what, retry_after_seconds=wait, hint="try again in a while")
    if 300 <= status < 400:
        return ModelProtocolError(
            f"{peer.where} redirects elsewhere ({status}), which is not followed",
            hint="put the final address into the base URL",
        )
    return ModelProtocolError(what, hint="the provider refused the request itself; its message says why")


def _about_reasoning(code: str, message: str) -> bool:
    """Anthropic: "Invalid `signature` in `thinking` block …", "`thinking` or `redacted_thinking` blocks in the
    latest assistant message cannot be modified". OpenAI: encrypted content that can't be read."""
    if code == "invalid_encrypted_content" or ("encrypted content" in message and "verif" in message):
        return True
    return "thinking" in message and any(
        word in message for word in ("signature", "cannot be modified", "bound to")
    )


def _overflow(peer: Peer, said: str) -> ContextOverflow:
    return ContextOverflow(
        f"the request does not fit the context of {peer.name}: {said}",
        hint="shorten or summarise the conversation, or use a model with a larger context",
    )


def _unknown_hint(peer: Peer) -> str:
    if peer.name.startswith("ollama:"):
        return f"run: ollama pull {peer.model}"
    return "check the model's name in the provider's list, and that your account has access to it"


def retry_after_seconds(value: str, milliseconds: str = "", *, now: float | None = None) -> float | None:
    """Both forms of Retry-After (RFC 9110 §10.2.3), and OpenAI's retry-after-ms. None where unreadable."""
    for text, scale in ((milliseconds, 0.001), (value, 1.0)):
        try:
            seconds = float(text) * scale
        except ValueError:
            continue
        if 0 <= seconds < 1e9:
            return seconds
    if "," not in value:  # every HTTP-date has one after the day's name or in the date
        return None
    from email.utils import parsedate_to_datetime
    from time import time

    try:
        then = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, then - (time() if now is None else now))
