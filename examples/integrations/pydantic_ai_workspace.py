"""A Pydantic AI agent that works in a Forgewright sandbox, and goes on there in its next run.

The model is scripted, so that this runs offline: pip install 'forgewright[pydantic-ai]'
"""

import asyncio

from pydantic_ai import Agent, RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from forgewright.integrations.pydantic_ai import ForgewrightWorkspace


def script(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    last = messages[-1].parts[-1]
    if isinstance(last, ToolReturnPart):
        return ModelResponse([TextPart(str(last.content))])
    return ModelResponse([ToolCallPart("shell", {"command": last.content})])


agent = Agent(FunctionModel(script))


@agent.tool
async def shell(context: RunContext[None], command: str) -> str:
    """Runs a command."""
    done = await context.workspace.run(command, shell=True)
    return f"exit {done.exit_code}: {done.stdout.strip()}"


async def main() -> None:
    workspace = ForgewrightWorkspace()
    try:
        print((await agent.run("echo kept > note; id -un", workspace=workspace)).output)
        again = ForgewrightWorkspace(ref=workspace.ref)
        print((await agent.run("cat note", workspace=again)).output)
    finally:
        await workspace.destroy()


asyncio.run(main())
