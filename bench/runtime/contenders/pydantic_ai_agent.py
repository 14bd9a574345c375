"""pydantic-ai: Agent on OpenAIChatModel. It has no durable storage of its own."""

from common import PROMPT, SYSTEM, Contender, main
from pydantic_ai import Agent, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class PydanticAI(Contender):
    async def open(self):
        self.model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=self.url, api_key="x"))

    def make(self, number):
        return Agent(self.model, instructions=SYSTEM, tools=[self.tool])

    async def run(self, agent, number):
        return (await agent.run(PROMPT, usage_limits=UsageLimits(request_limit=None))).output


if __name__ == "__main__":
    main(PydanticAI)
