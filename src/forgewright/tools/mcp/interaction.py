"""What a tool can do with the client that called it: report, ask a person, sample its model.

A question has a key. Where the protocol has a way back to the client (until 2025-11-25) it is asked at once;
where it has none (since 2026-07-28) the call ends with what is needed, the client calls again with the
answers, and the tool runs anew: it finds under the key what was answered. So a tool that asks has to be
harmless up to its question, and is written the same for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import mcp_types as mt
import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from forgewright.core.errors import ToolError

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

KEY_META = "forgewright/key"
"""In a call's `_meta`: the client's idempotency key, for calls that it may have to repeat."""
ANSWERS_MAX = 64
"""Answers that are carried from round to round."""


class Ask(msgspec.Struct, frozen=True):
    """A question to the person at the client; answered with `{"action": …, "content": {…}}`."""

    message: str
    schema: Mapping[str, Any]
    """JSON Schema of a flat object of primitives."""


class Sample(msgspec.Struct, frozen=True):
    """A completion by the client's model; answered with `{"content": …, "model": …}`."""

    prompt: str
    max_tokens: int = 1000


class Roots(msgspec.Struct, frozen=True):
    """The client's root folders; answered with `{"roots": […]}`."""


Need = Ask | Sample | Roots


class InputNeeded(BaseException):
    """Ends a call that waits for answers. Like a cancellation, it is no error of the tool."""

    def __init__(self, needs: Mapping[str, Need], answers: Mapping[str, Any]) -> None:
        super().__init__(", ".join(needs))
        self.needs = needs
        self.answers = answers


class ServedCall:
    """The context of a call that came in by MCP; a `CallContext` that can do more."""

    run = "mcp"
    key = ""
    """Idempotency key: the client's, or a random one."""

    def __init__(self, context: Context[Any, Any], key: str) -> None:
        self._context = context
        self.key = key
        self.repeatable = KEY_META in (context.request_context.meta or {})
        """Whether the client named the key itself, and may repeat the call under it."""
        self._answers = _earlier(context.request_state)
        for name, answer in (context.input_responses or {}).items():
            self._answers[name] = answer.model_dump(by_alias=True, mode="json", exclude_none=True)

    @property
    def stateless(self) -> bool:
        """Whether the protocol has no way back to the client while the call is under way."""
        return self._context.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def progress_token(self) -> str | int | None:
        """What the client correlates progress by; None if it asked for none."""
        meta = self._context.request_context.meta
        token = (meta or {}).get("progress_token")
        return token if isinstance(token, str | int) else None

    def can(self, need: Need) -> bool:
        """Whether the client said that it can answer such a thing."""
        found = self._context.client_capabilities
        if found is None:
            return False
        given = {Ask: found.elicitation, Sample: found.sampling, Roots: found.roots}[type(need)]
        return given is not None

    async def progress(self, done: float, total: float | None = None, text: str | None = None) -> None:
        """Says how far it is; nothing happens if the client did not ask for it."""
        await self._context.report_progress(done, total, text)

    async def log(self, level: mt.LoggingLevel, text: str) -> None:
        """A line for the client's log; since 2026-07-28 only where the client asked for it."""
        session = self._context.request_context.session
        await session.send_log_message(level, text, related_request_id=self._context.request_id)

    async def let_go(self) -> None:
        """Closes the response's stream; the client polls for the rest."""
        await self._context.close_sse_stream()

    async def ask(self, key: str, message: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Asks the person. Raises as `ask_all` does."""
        return (await self.ask_all({key: Ask(message, schema)}))[key]

    async def sample(self, key: str, prompt: str, *, max_tokens: int = 1000) -> dict[str, Any]:
        """Asks the client's model. Raises as `ask_all` does."""
        return (await self.ask_all({key: Sample(prompt, max_tokens)}))[key]

    async def ask_all(self, needs: Mapping[str, Need]) -> dict[str, dict[str, Any]]:
        """All answers, by key. Raises `ToolError` where a client of the older protocols cannot answer, and
        the protocol's error where one of the newer can't."""
        missing = {key: need for key, need in needs.items() if not self._fits(key, need)}
        unable = [need for need in missing.values() if not self.can(need)]
        if unable:
            names = sorted({_CAPABILITIES[type(need)] for need in unable})
            if not self.stateless:
                raise ToolError(f"the client does not support {', '.join(names)}")
            raise MCPError(
                mt.MISSING_REQUIRED_CLIENT_CAPABILITY,
                f"this call needs the client's capability {', '.join(names)}",
                {"requiredCapabilities": {name: {} for name in names}},
            )
        if missing and self.stateless:
            raise InputNeeded(
                missing, {key: self._answers[key] for key in self._answers if key not in missing}
            )
        for key, need in missing.items():
            self._answers[key] = await self._send(need)
        return {key: self._answers[key] for key in needs}

    def _fits(self, key: str, need: Need) -> bool:
        answer = self._answers.get(key)
        if not isinstance(answer, dict):
            return False
        return {Ask: "action", Sample: "content", Roots: "roots"}[type(need)] in answer

    async def _send(self, need: Need) -> dict[str, Any]:
        session = self._context.request_context.session
        related = self._context.request_id
        try:
            match need:
                case Ask():
                    found: Any = await session.elicit_form(need.message, dict(need.schema), related)
                case Sample():
                    found = await session.create_message(
                        [_user(need.prompt)], max_tokens=need.max_tokens, related_request_id=related
                    )
                case Roots():
                    found = await session.list_roots()
        except MCPError as error:
            raise ToolError(f"the client did not answer: {error}") from error
        dumped: dict[str, Any] = found.model_dump(by_alias=True, mode="json", exclude_none=True)
        return dumped


_CAPABILITIES = {Ask: "elicitation", Sample: "sampling", Roots: "roots"}


def wire(needed: InputNeeded) -> mt.InputRequiredResult:
    """The result that asks the client to call again with answers."""
    requests: dict[str, mt.InputRequest] = {}
    for key, need in needed.needs.items():
        match need:
            case Ask():
                form = mt.ElicitRequestFormParams(message=need.message, requested_schema=dict(need.schema))
                requests[key] = mt.ElicitRequest(params=form)
            case Sample():
                asked = mt.CreateMessageRequestParams(
                    messages=[_user(need.prompt)], max_tokens=need.max_tokens
                )
                requests[key] = mt.CreateMessageRequest(params=asked)
            case Roots():
                requests[key] = mt.ListRootsRequest()
    state = msgspec.json.encode(dict(needed.answers)).decode()
    return mt.InputRequiredResult(input_requests=requests, request_state=state)


def _user(text: str) -> mt.SamplingMessage:
    return mt.SamplingMessage(role="user", content=mt.TextContent(type="text", text=text))


def _earlier(state: str | None) -> dict[str, Any]:
    """Answers of earlier rounds. The server's boundary has verified that the state is its own."""
    if not state:
        return {}
    found = msgspec.json.decode(state, type=dict[str, Any])
    return dict(list(found.items())[:ANSWERS_MAX])
