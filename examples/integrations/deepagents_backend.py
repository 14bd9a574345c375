"""A Deep Agent whose files and shell are a Forgewright sandbox: what it writes and runs touches nothing here.

The model is scripted, so that this runs offline: pip install 'forgewright[deepagents]'
"""

from collections.abc import Sequence
from typing import Any

from deepagents import create_deep_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage

from forgewright.integrations.deepagents import ForgewrightBackend


class Scripted(GenericFakeChatModel):
    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Scripted":
        return self


def call(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": name}])


answers = [
    call("write_file", file_path="/home/sandbox/six.py", content="print(6 * 7)\n"),
    call("execute", command="python3 six.py; whoami; cat /etc/hostname"),
    AIMessage("It printed 42."),
]

with ForgewrightBackend() as backend:
    agent = create_deep_agent(model=Scripted(messages=iter(answers)), backend=backend)
    result = agent.invoke({"messages": [("user", "What does six.py print?")]})

for message in result["messages"]:
    if isinstance(message, ToolMessage):
        print(f"{message.name}: {' '.join(str(message.content).split())}")
print(result["messages"][-1].content)
