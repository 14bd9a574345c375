"""Microsoft's agent-framework: Agent on OpenAIChatCompletionClient. Its agents have no durable storage."""

from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient
from common import PROMPT, SYSTEM, Contender, main


class AgentFramework(Contender):
    async def open(self):
        self.model = OpenAIChatCompletionClient(
            model="m",
            api_key="x",
            base_url=self.url,
            function_invocation_configuration={"max_iterations": 5000},
        )

    def make(self, number):
        return Agent(self.model, SYSTEM, name=f"agent_{number}", tools=[self.tool])

    async def run(self, agent, number):
        return (await agent.run(PROMPT)).text


if __name__ == "__main__":
    main(AgentFramework)
