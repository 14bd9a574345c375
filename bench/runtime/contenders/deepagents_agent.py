"""Deep Agents: create_deep_agent as documented; durable with AsyncSqliteSaver, "sync"."""

from common import PROMPT, SYSTEM, Contender, main
from deepagents import create_deep_agent
from langchain_openai import ChatOpenAI


class DeepAgents(Contender):
    async def open(self):
        self.model = ChatOpenAI(model="m", base_url=self.url, api_key="x", max_retries=0, timeout=300)
        self.saver = self.manager = None
        if self.db:
            from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

            self.manager = AsyncSqliteSaver.from_conn_string(self.db)
            self.saver = await self.manager.__aenter__()

    def make(self, number):
        return create_deep_agent(self.model, tools=[self.tool], system_prompt=SYSTEM, checkpointer=self.saver)

    async def run(self, agent, number):
        config = {"recursion_limit": 10_000, "configurable": {"thread_id": str(number)}}
        durable = {"durability": "sync"} if self.db else {}
        asked = {"messages": [{"role": "user", "content": PROMPT}]}
        state = await agent.ainvoke(asked, config, **durable)
        return state["messages"][-1].content

    async def close(self):
        if self.manager:
            await self.manager.__aexit__(None, None, None)


if __name__ == "__main__":
    main(DeepAgents)
