"""A Python function as a tool, and the decorator that makes it one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import msgspec

from forgewright.core.errors import ToolArgumentError, ToolError, UsageError
from forgewright.tools import docstring, sharing, signature
from forgewright.tools.mistakes import mistakes
from forgewright.tools.schema import nested, schema_of
from forgewright.tools.types import CallContext, Recovery, Tool, ToolOutput

P = ParamSpec("P")
R = TypeVar("R")

ARGUMENTS_BYTES_MAX = 8 << 20
"""Arguments of one call, as JSON."""
_COROUTINE = 0x80
_RECOVERIES = ("pure", "idempotent", "reconcilable", "unsafe")


class FunctionTool(Generic[P, R]):
    """A function with its schema; called with Python arguments it is still the function."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None = None,
        description: str | None = None,
        recovery: Recovery = "unsafe",
        timeout_seconds: float | None = None,
        resource: str | None = None,
        reconcile: Callable[..., Any] | None = None,
        blocking: bool = False,
        reads: Sequence[str] | None = None,
        writes: Sequence[str] | None = None,
        depth: int = 0,
    ) -> None:
        plain, _ = signature.underlying(function)
        self.name = name or plain.__name__
        if not (
            0 < len(self.name) <= 64
            and self.name.replace("-", "_").replace("_", "a").isalnum()
            and self.name.isascii()
        ):
            raise UsageError(
                f'expected a tool\'s name of 1–64 letters, digits, "_" and "-"; found "{self.name:.80}"',
                hint='give it one: @tool(name="…")',
            )
        if recovery not in _RECOVERIES:
            raise UsageError(f'expected recovery to be one of {", ".join(_RECOVERIES)}; found "{recovery}"')
        if (recovery == "reconcilable") != (reconcile is not None):
            raise UsageError(
                f"the tool {self.name} needs both or neither of recovery='reconcilable' and reconcile=…",
                hint="reconcile is a function with the same parameters that says what an earlier call did",
            )
        if timeout_seconds is not None and not timeout_seconds > 0:
            raise UsageError(
                f"expected a time-out of the tool {self.name} over 0 seconds; found {timeout_seconds}"
            )
        if blocking and plain.__code__.co_flags & _COROUTINE:
            raise UsageError(f"the tool {self.name} is async; blocking=True is for functions that are not")
        self.function = function
        said, docs = docstring.parse(function.__doc__ or plain.__doc__ or "")
        self.description = description or said
        self.recovery: Recovery = recovery
        self.timeout_seconds = timeout_seconds
        self.resource = resource or self.name
        self.blocking = blocking
        self.signature = signature.read(function, self.name, docs, signature.caller_names(depth + 1))
        self.touches = sharing.declared(reads, writes, self.signature.names, self.name)
        """What was declared of the things that a call reads and changes; None where nothing was."""
        self._decode = signature.decoder(self.signature.arguments).decode
        self._reconcile = reconcile
        self.schema = schema_of(self.signature.arguments)
        """JSON Schema of the arguments, decoded; not to be changed."""
        self.parameters = msgspec.Raw(msgspec.json.encode(self.schema))
        self._nested = nested(self.schema)
        self.__doc__ = function.__doc__
        self.__name__ = plain.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.name}({', '.join(self.signature.names)})>"

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        """The validated arguments, converted. Raises `ToolArgumentError` with all mistakes."""
        if len(arguments) > ARGUMENTS_BYTES_MAX:
            raise ToolArgumentError(
                f"{self.name}: expected arguments of at most {ARGUMENTS_BYTES_MAX:,} bytes;"
                f" found {len(arguments):,}"
            )
        try:
            bound = self._decode(arguments or b"{}")
        except (msgspec.DecodeError, UnicodeError) as error:
            raise self._wrong(arguments, error) from None
        except RecursionError:
            raise ToolArgumentError(f"{self.name}: the arguments are nested too deeply") from None
        if self._nested:
            found = mistakes(msgspec.json.decode(arguments or b"{}"), self.schema)
            if found:
                raise self._error(found)
        return {name: getattr(bound, name) for name in self.signature.names}

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        """Calls the function with bound arguments. Raises what it raises, and `ToolError` past its time."""
        return output(await self._run(self.function, arguments, context), self.name)

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        """What a call with these arguments and the context's key did, or None if it did nothing."""
        if self._reconcile is None:
            raise UsageError(f"the tool {self.name} is {self.recovery} and has nothing to reconcile")
        found = await self._run(self._reconcile, arguments, context)
        return None if found is None else output(found, self.name)

    async def _run(
        self,
        function: Callable[..., Any],
        arguments: dict[str, Any],
        context: CallContext | None,
    ) -> Any:
        given = dict(arguments)
        shape = self.signature
        if shape.context is not None:
            given[shape.context] = context
        positional = [given.pop(name) for name in shape.positional]
        if self.blocking:
            import asyncio

            result: Any = await self._bounded(asyncio.to_thread(function, *positional, **given))
        else:
            result = function(*positional, **given)
            if hasattr(result, "__await__"):
                result = await self._bounded(result)
        return result

    async def _bounded(self, awaitable: Awaitable[Any]) -> Any:
        if self.timeout_seconds is None:
            return await awaitable
        import asyncio

        scope = asyncio.timeout(self.timeout_seconds)
        try:
            async with scope:
                return await awaitable
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise ToolError(f"{self.name} gave no answer within {self.timeout_seconds:g} seconds") from error

    def _wrong(self, arguments: str | bytes, error: Exception) -> ToolArgumentError:
        try:
            value = msgspec.json.decode(arguments or b"{}")
        except (msgspec.DecodeError, UnicodeError, RecursionError) as broken:
            return ToolArgumentError(
                f"{self.name}: the arguments are not JSON: {broken}",
                hint="send one JSON object, with strings escaped and nothing after it",
            )
        return self._error(mistakes(value, self.schema) or [str(error).replace("`$.", "`")])

    def _error(self, found: list[str]) -> ToolArgumentError:
        return ToolArgumentError(
            f"{self.name}: {'these arguments do' if len(found) > 1 else 'this argument does'} not fit:\n"
            + "\n".join(f"- {message}" for message in found),
            hint="correct them and call again; nothing was done",
        )


def output(result: Any, name: str = "the tool") -> ToolOutput:
    """A function's result for the model: text as it is, another value as JSON. Raises `ToolError`."""
    if isinstance(result, ToolOutput):
        return result
    if isinstance(result, str):
        return ToolOutput(text=result)
    try:
        encoded = msgspec.json.encode(result, enc_hook=_encode_foreign)
    except (TypeError, ValueError, NotImplementedError, RecursionError) as error:
        raise ToolError(
            f"{name} returned a {type(result).__name__}, which has no JSON form: {error}"
        ) from error
    return ToolOutput(text=encoded.decode(), value=msgspec.Raw(encoded))


def _encode_foreign(value: Any) -> Any:
    if signature.is_pydantic(type(value)):
        return value.model_dump(mode="json")
    raise NotImplementedError(f"{type(value).__name__} can't be encoded")


@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    recovery: Recovery = "unsafe",
    timeout_seconds: float | None = None,
    resource: str | None = None,
    reconcile: Callable[..., Any] | None = None,
    blocking: bool = False,
    reads: Sequence[str] | None = None,
    writes: Sequence[str] | None = None,
) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...


def tool(function: Callable[P, R] | None = None, /, **options: Any) -> Any:
    """Makes a typed function a tool: `@tool`, or `@tool(recovery="pure", timeout_seconds=10)`.

    - `name`: what the model calls; the function's by default.
    - `description`: the docstring without its parameters by default.
    - `recovery`: what a lost receipt means; `unsafe` by default, so that a person is asked.
    - `timeout_seconds`: past it the call is cancelled and fails with `ToolError`.
    - `resource`: what the policy sees as touched; the name by default.
    - `reconcile`: for `reconcilable` tools, a function with the same parameters that says what a call did.
    - `blocking`: a function that is not async runs in a thread, which a time-out leaves behind; without it
      it runs on the event loop and should be quick.
    - `reads`, `writes`: names of the things that a call touches, `{parameter}` for an argument: `orders/{id}` is a part of
      `orders`. Calls of one turn that do not clash run side by side. Without them a `pure` tool may read everything
      and any other may change everything.

    Raises `UsageError` for a signature that cannot be asked of a model.
    """
    if function is not None:
        return FunctionTool(function, depth=1)

    def decorate(function: Callable[P, R]) -> FunctionTool[P, R]:
        return cast("FunctionTool[P, R]", FunctionTool(function, depth=1, **options))

    return decorate


def as_tool(thing: Tool | Callable[..., Any]) -> Tool:
    """The tool itself, or the tool that a plain function makes. Raises `UsageError`."""
    if hasattr(thing, "bind") and hasattr(thing, "parameters"):
        return cast("Tool", thing)
    return FunctionTool(thing, depth=1)
