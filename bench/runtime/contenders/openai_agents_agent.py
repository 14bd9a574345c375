"""openai-agents: Agent and Runner on Chat Completions, tracing off; durable with SQLiteSession.

A session keeps the conversation when a run ends, not each step of it: less than the others promise.
"""

import os

os.environ.setdefault("OPENAI_AGENTS_DISABLE_TRACING", "1")
from agents import Agent, OpenAIChatCompletionsModel, Runner, SQLiteSession, function_tool
from common import PROMPT, SYSTEM, Contender, main
from openai import AsyncOpenAI


class OpenAIAgents(Contender):
    async def open(self):
        client = AsyncOpenAI(base_url=self.url, api_key="x", max_retries=0, timeout=300)
        self.model = OpenAIChatCompletionsModel("m", client)
        self.wrapped = function_tool(self.tool)

    def make(self, number):
        return Agent(name=f"agent_{number}", instructions=SYSTEM, model=self.model, tools=[self.wrapped])

    async def run(self, agent, number):
        session = SQLiteSession(str(number), self.db) if self.db else None
        return (await Runner.run(agent, PROMPT, max_turns=5000, session=session)).final_output


if __name__ == "__main__":
    main(OpenAIAgents)
