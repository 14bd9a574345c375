"""A tool that is given by its JSON Schema and not by a Python signature: another server's, or a generated one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from forgewright.core.errors import ToolArgumentError, UsageError
from forgewright.tools.mistakes import mistakes
from forgewright.tools.types import CallContext, Recovery, ToolOutput

ARGUMENTS_BYTES_MAX = 8 << 20

Function = Callable[[dict[str, Any], CallContext | None], Awaitable[Any]]


class SchemaTool:
    """Calls `function(arguments, context)`. The schema is kept as it is; references to the network are not
    followed, and keywords that are not understood here are left to whoever performs the call."""

    def __init__(
        self,
        name: str,
        description: str,
        schema: Mapping[str, Any],
        function: Function,
        *,
        recovery: Recovery = "unsafe",
        timeout_seconds: float | None = None,
        resource: str | None = None,
    ) -> None:
        if schema.get("type") != "object":
            raise UsageError(f'expected the schema of the tool {name} to be of type "object"')
        self.name = name
        self.description = description
        self.schema = dict(schema)
        self.parameters = msgspec.Raw(msgspec.json.encode(self.schema))
        self.recovery: Recovery = recovery
        self.timeout_seconds = timeout_seconds
        self.resource = resource or name
        self._function = function

    def __repr__(self) -> str:
        return f"<tool {self.name}>"

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        """The arguments, as they are. Raises `ToolArgumentError` with all mistakes."""
        if len(arguments) > ARGUMENTS_BYTES_MAX:
            raise ToolArgumentError(
                f"{self.name}: expected arguments of at most {ARGUMENTS_BYTES_MAX:,} bytes;"
                f" found {len(arguments):,}"
            )
        try:
            value = msgspec.json.decode(arguments or b"{}")
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ToolArgumentError(
                f"{self.name}: the arguments are not JSON: {error}", hint="send one JSON object"
            ) from None
        found = mistakes(value, self.schema)
        if found:
            raise ToolArgumentError(
                f"{self.name}: these arguments do not fit:\n"
                + "\n".join(f"- {message}" for message in found),
                hint="correct them and call again; nothing was done",
            )
        bound: dict[str, Any] = value
        return bound

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        """Raises what the function raises, and `ToolError` for a result without a JSON form."""
        from forgewright.tools.function import output

        return output(await self._function(arguments, context), self.name)

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        raise UsageError(f"the tool {self.name} is {self.recovery} and has nothing to reconcile")
