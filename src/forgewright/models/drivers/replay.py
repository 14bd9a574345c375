"""A recorded session that answers like the model it was recorded from: offline, free, the same every time.

A session is a file of JSON lines: `{"role": "coder", "match": {…}, "response": {…}}`, where `response` is a
`models.types.Response`. The lines of a role answer its requests in order. A line with `"or": true` is another
answer for the same request as the line before; the first one whose `match` holds is given. Blank lines and
lines that begin with `#` are left out, and a call's `arguments` may be written as an object.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from forgewright.core.errors import ConfigError, NotFound, ReplayExhausted, StoreError
from forgewright.models.types import Model, OnDelta, Request, Response, ToolResult, User

SESSION_BYTES_MAX = 256 << 20


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What has to be true of a request; all that is given."""

    last_result_contains: str | None = None
    last_result_error: bool | None = None
    results: int | None = None
    """How many tool results the request holds."""
    last_user_contains: str | None = None
    tool: str | None = None
    """A tool of this name is offered."""

    def fails(self, request: Request) -> str:
        """Why it does not hold; empty if it does."""
        results = [message for message in request.messages if isinstance(message, ToolResult)]
        last = results[-1] if results else None
        users = [message for message in request.messages if isinstance(message, User)]
        if self.last_result_contains is not None and self.last_result_contains not in (
            last.text if last else ""
        ):
            return f"the last tool result holds no {self.last_result_contains!r}"
        if self.last_result_error is not None and self.last_result_error != bool(last and last.error):
            return (
                "the last tool result is no error"
                if self.last_result_error
                else "the last tool result is an error"
            )
        if self.results is not None and self.results != len(results):
            return f"there are {len(results)} tool results, not {self.results}"
        if self.last_user_contains is not None and (
            not users or self.last_user_contains not in users[-1].text
        ):
            return f"the last user message holds no {self.last_user_contains!r}"
        if self.tool is not None and all(tool.name != self.tool for tool in request.tools):
            return f"no tool {self.tool!r} is offered"
        return ""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    response: Response
    role: str = ""
    match: Match | None = None
    alternative: bool = msgspec.field(default=False, name="or")


Session = dict[str, list[tuple[Line, ...]]]
"""By role, the answers in order, each with its alternatives. Whatever yields one can be replayed."""


def load_session(path: str) -> Session:
    """Reads a file of JSON lines. Raises `NotFound`, and `ConfigError` with every wrong line."""
    try:
        with open(path, "rb") as file:
            text = file.read(SESSION_BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFound(
            f"there is no recorded session {path!r}", hint="give the file's path after replay:"
        ) from None
    except OSError as error:
        raise StoreError(f"the recorded session {path!r} could not be read: {error.strerror}") from error
    if len(text) > SESSION_BYTES_MAX:
        raise ConfigError(f"the recorded session {path!r} is larger than {SESSION_BYTES_MAX} bytes")
    session: Session = {}
    mistakes: list[str] = []
    for number, raw in enumerate(text.split(b"\n"), 1):
        stripped = raw.strip()
        if not stripped or stripped.startswith(b"#"):
            continue
        try:
            line = _read_line(stripped)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            mistakes.append(f"line {number}: {error}")
            continue
        answers = session.setdefault(line.role, [])
        if not line.alternative:
            answers.append((line,))
        elif answers:
            answers[-1] += (line,)
        else:
            mistakes.append(f'line {number}: "or" needs a line of the same role before it')
    if mistakes:
        shown = "\n  ".join(mistakes[:20])
        raise ConfigError(
            f"{path} is no recorded session:\n  {shown}",
            hint='each line has to be {"role": "…", "response": {"message": {"parts": […]}}}',
        )
    return session


def _read_line(raw: bytes) -> Line:
    value = msgspec.json.decode(raw)
    if isinstance(value, dict):
        _arguments_as_text(value.get("response"))
    return msgspec.convert(value, Line)


def _arguments_as_text(response: Any) -> None:
    message = response.get("message") if isinstance(response, dict) else None
    parts = message.get("parts") if isinstance(message, dict) else None
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("arguments"), dict):
            part["arguments"] = msgspec.json.encode(part["arguments"]).decode()


class Replay:
    """Answers from a session: by `role` and `ordinal` of the request where it has them, and then without any
    memory of its own; by order of asking otherwise. Lines without a role answer whoever has none of his
    own; those of `reviewer` answer each sub-agent of that name, unless it has some as `reviewer@2.4`."""

    context_tokens: int | None = None

    def __init__(self, source: str | os.PathLike[str] | Session, *, name: str | None = None) -> None:
        self._session = source if isinstance(source, dict) else load_session(os.fspath(source))
        self.name = name or ("replay:" if isinstance(source, dict) else f"replay:{os.fspath(source)}")
        self._asked: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Replay({self.name!r})"

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        alike = (request.role, request.role.partition("@")[0])  # one sub-agent, or all of its name
        role = next((name for name in alike if name in self._session), "")
        answers = self._session.get(role, [])
        if request.ordinal is not None and (role or not request.role):
            position = request.ordinal
        else:
            position = self._asked.get(role, 0)
            self._asked[role] = position + 1
        if position >= len(answers):
            raise ReplayExhausted(
                f"{self.name} has {len(answers)} answers{_for(request.role)}, but request {position + 1}"
                f" came; {_last_of(request)}",
                hint="record the session again, or go on with another model",
            )
        reasons = []
        for line in answers[position]:
            reason = line.match.fails(request) if line.match else ""
            if not reason:
                if on_delta is not None:
                    from forgewright.models.deltas import tell_whole

                    tell_whole(line.response, on_delta)
                return line.response
            reasons.append(reason)
        raise ReplayExhausted(
            f"{self.name} has no answer for request {position + 1}{_for(request.role)}:"
            f" {'; '.join(reasons)}; {_last_of(request)}",
            hint="the run took another way than the recorded one; record the session again",
        )

    async def close(self) -> None:
        return None


def _for(role: str) -> str:
    return f" for {role!r}" if role else ""


def _last_of(request: Request) -> str:
    if not request.messages:
        return "it holds no messages"
    last = request.messages[-1]
    if isinstance(last, ToolResult):
        return f"its last message is the result of {last.name}: {last.text[:120]!r}"
    return f"its last message is {last.text[:120]!r}"


class Recording:
    """A model whose answers are written down as a session, in the order in which they come."""

    def __init__(self, model: Model, path: str | os.PathLike[str]) -> None:
        self.name = model.name
        self.context_tokens = model.context_tokens
        self._model = model
        self._path = os.fspath(path)

    def __repr__(self) -> str:
        return f"Recording({self._model!r}, {self._path!r})"

    async def respond(self, request: Request, *, on_delta: OnDelta | None = None) -> Response:
        response = await self._model.respond(request, on_delta=on_delta)
        line = msgspec.json.encode(Line(response, request.role)) + b"\n"
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(
                f"the answer could not be recorded in {self._path}: {error.strerror}",
                hint="free space there, or record to another file",
            ) from error
        return response

    async def close(self) -> None:
        await self._model.close()
