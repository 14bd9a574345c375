"""The engine's tools for MCP clients: each call is a run of its own, with gate, journal, approvals and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from mcp.shared.exceptions import MCPError

from forgewright.core.errors import NotFound
from forgewright.core.ids import RunId
from forgewright.core.version import VERSION
from forgewright.graph import END, Graph, State, Update
from forgewright.models.types import ToolCall
from forgewright.runtime.context import Context
from forgewright.sandbox.types import Command
from forgewright.tools import CallContext, FunctionTool, Tool, ToolOutput, tool
from forgewright.tools.mcp.interaction import InputNeeded, ServedCall
from forgewright.tools.mcp.server import ToolServer

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine
    from forgewright.runtime.engine import Engine

ACTOR = "mcp"
"""The principal that policies know MCP clients as."""
NAMESPACE = "mcp-calls"
"""Where the runs of clients' idempotency keys are remembered."""

INSTRUCTIONS = """\
Tools of a Forgewright engine. Code is read with code_query and changed with code_edit, by programs of the language of
code; run_command runs a command on a copy of the project, in a sandbox. What a policy refuses is refused with the
reason; what needs a person's approval says how it is given, and is then called again with the same arguments."""


class CallState(State):
    """One call and its result."""

    tool: str
    arguments: str
    text: str = ""
    error: bool = False


class _Outputs(msgspec.Struct):
    """What a call gave beside what the journal keeps of it."""

    output: ToolOutput | None = None
    ended: InputNeeded | MCPError | None = None
    """What ended it that only the protocol can say."""


class _Bridge:
    """A tool as the runtime calls it, with the client's context in the place of the runtime's where the tool
    wants it, and without its questions ending the run: they end the call."""

    def __init__(self, inner: Tool, served: ServedCall, outputs: _Outputs) -> None:
        self._inner, self._served, self._outputs = inner, served, outputs
        self.name, self.description, self.parameters = inner.name, inner.description, inner.parameters
        self.recovery, self.timeout_seconds, self.resource = (
            inner.recovery,
            inner.timeout_seconds,
            inner.resource,
        )
        self._wants_client = isinstance(inner, FunctionTool) and inner.signature.context_type is ServedCall

    def bind(self, arguments: str | bytes) -> dict[str, Any]:
        return self._inner.bind(arguments)

    async def call(self, arguments: dict[str, Any], context: CallContext | None = None) -> ToolOutput:
        try:
            output = await self._inner.call(arguments, self._served if self._wants_client else context)
        except InputNeeded as needed:
            self._outputs.ended = needed
            return ToolOutput(f"the client was asked for {needed}")
        except MCPError as error:
            self._outputs.ended = error
            return ToolOutput(str(error), error=True)
        self._outputs.output = output
        return output

    async def reconcile(
        self, arguments: dict[str, Any], context: CallContext | None = None
    ) -> ToolOutput | None:
        return await self._inner.reconcile(arguments, context)


class EngineCalls:
    """Performs a server's calls through an engine. A call that the client repeats under its own key is
    answered from the journal, or goes on where it waits."""

    def __init__(self, engine: Engine, code: CodeEngine | None = None) -> None:
        self._engine = engine
        self._code = code

    async def __call__(self, inner: Tool, arguments: bytes, served: ServedCall) -> ToolOutput:
        outputs = _Outputs()
        graph = _graph(_Bridge(inner, served, outputs))
        run = await self._run_of(served, graph, CallState(tool=inner.name, arguments=arguments.decode()))
        outcome = await self._engine.execute(run, graph, code=self._code)
        if outputs.ended is not None:
            raise outputs.ended
        if outcome.status == "finished":
            state = outcome.state
            made = outputs.output
            if made is not None and made.text == state.text:
                return made
            return ToolOutput(state.text, error=state.error)
        if outcome.reason in ("approval", "question", "unsafe"):
            return ToolOutput(
                f"this waits for a person ({outcome.reason}): {outcome.detail}\n"
                f"To answer: forgewright answer {run} …; then call again with the same key.",
                error=True,
            )
        return ToolOutput(f"this did not end ({outcome.reason}): {outcome.detail}", error=True)

    async def _run_of(self, served: ServedCall, graph: Graph[CallState], state: CallState) -> RunId:
        """The run of the client's key, if it made this very call before; else a new one."""
        memory = self._engine.journal.memory
        if served.repeatable:
            kept = await memory.get(NAMESPACE, served.key)
            if kept is not None:
                before = msgspec.json.decode(kept, type=dict[str, str])
                if (before["tool"], before["arguments"]) != (state.tool, state.arguments):
                    raise NotFound(
                        f"the key {served.key} was used for another call", hint="use a new key for each call"
                    )
                return RunId(before["run"])
        run = await self._engine.start(graph, state, goal=f"{state.tool} for an MCP client")
        if served.repeatable:
            kept = msgspec.json.encode({"tool": state.tool, "arguments": state.arguments, "run": run})
            await memory.put(NAMESPACE, served.key, kept)
        return run


def _graph(bridge: _Bridge) -> Graph[CallState]:
    graph = Graph("mcp-call", CallState)

    async def act(state: CallState, context: Context) -> Update:
        call = ToolCall("call", state.tool, state.arguments)
        result = await context.acting_as(ACTOR).tool(bridge, call)
        return Update(text=result.text, error=result.error)

    graph.add("act", act, to=[END])
    return graph


def project_tools(root: Path) -> Sequence[Tool]:
    """The tools that are offered of a project: reading and changing its code, and running commands on it."""
    from forgewright.agent.builtin.code import code_edit, code_query
    from forgewright.agent.workspace.work import TREE, WorkEffect

    @tool(recovery="pure")
    async def run_command(
        argv: list[str], context: Context, purpose: str = "shell", seconds: int = 600
    ) -> str:
        """Run a command on a copy of the project, in a sandbox without network; nothing that it writes remains, and what the
        policy does not let you read is empty there.

        Args:
            argv: Program and arguments
            purpose: tests, build, lint, or shell; the policy chooses the sandbox by it
            seconds: After which it is ended, at most 3600
        """
        command = Command(tuple(argv), workdir=TREE, timeout_seconds=float(max(1, min(seconds, 3600))))
        done = await context.perform(WorkEffect(command, purpose, root, changes=False))
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        return f"exit {done.code}{'' if done.reason == 'exit' else f' ({done.reason})'}\n{said}"

    return [code_query, code_edit, run_command]


def make_server(engine: Engine, root: Path) -> ToolServer:
    """The server over a project."""
    from forgewright.code.engine import CodeEngine

    code = CodeEngine(root)
    code.recover()
    return ToolServer(
        project_tools(root),
        version=VERSION,
        instructions=INSTRUCTIONS,
        call=EngineCalls(engine, code),
    )
