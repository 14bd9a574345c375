"""An agent with a shell: what the policy denies to its tools, a shell command cannot do either.

The model is scripted, so that this runs offline; the sandbox and the policy are the real ones.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from forgewright import Agent, Assistant, Engine, Request, Response, ToolCall
from forgewright.agent.builtin.files import file_tools
from forgewright.agent.builtin.shell import shell_tools
from forgewright.files import DirectoryFiles
from forgewright.journal.events import ToolAnswered
from forgewright.models.types import Text, ToolResult, Usage
from forgewright.policy.gate import CedarGate
from forgewright.wiring.sandboxes import RegisteredSandboxes

CALLS = [
    ToolCall(
        "1", "shell", '{"command": "cat .env; sed -i s/draft/final/ notes/plan.md; wc -l notes/plan.md"}'
    ),
    ToolCall("2", "shell", '{"command": "echo true > x; mv -f x .github/workflows/ci.yml"}'),
    ToolCall("3", "shell", '{"command": "mkdir -p .circleci; echo harm > .circleci/config.yml; echo ok"}'),
    ToolCall("4", "write_file", '{"path": ".github/workflows/ci.yml", "text": "harm"}'),
    ToolCall("5", "grep", '{"pattern": "final"}'),
]


class Scripted:
    """Asks for one call after the other, and then says that it is done."""

    name = "scripted:example"
    context_tokens = None

    async def respond(self, request: Request, *, on_delta: object = None) -> Response:
        made = sum(isinstance(message, ToolResult) for message in request.messages)
        usage = Usage(input_tokens=1, output_tokens=1)
        if made == len(CALLS):
            return Response(Assistant((Text("Done."),)), "end", usage)
        return Response(Assistant((CALLS[made],)), "tools", usage)

    async def close(self) -> None:
        pass


def project(root: Path) -> Path:
    for path, text in {
        ".env": "TOKEN=the-secret\n",
        ".github/workflows/ci.yml": "on: push\n",
        "notes/plan.md": "draft\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder))
        tools = [*shell_tools(root), *file_tools(DirectoryFiles(root))]
        helper = Agent("helper", "You tidy up.", tools=tools)
        engine = Engine(model=Scripted(), gate=CedarGate.load("default"), sandboxes=RegisteredSandboxes())
        async with engine:
            outcome = await helper.run("Tidy up the project.", engine)
            for record in await engine.records(outcome.run):
                if isinstance(record.event, ToolAnswered):  # what the tools answered, from the journal
                    answer = json.loads(await engine.journal.load(record.event.result))
                    print(f"── {answer['text']}")
        print(f"ci.yml: {(root / '.github/workflows/ci.yml').read_text().strip()}")
        print(f".circleci is there: {(root / '.circleci').exists()}")


if __name__ == "__main__":
    asyncio.run(main())
