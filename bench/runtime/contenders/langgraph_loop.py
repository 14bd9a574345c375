"""LangGraph: the documented loop of a model node and a ToolNode; durable with AsyncSqliteSaver, "sync"."""

from common import PROMPT, SYSTEM, Contender, main
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition


class LangGraph(Contender):
    async def open(self):
        self.model = ChatOpenAI(model="m", base_url=self.url, api_key="x", max_retries=0, timeout=300)
        self.wrapped = tool(self.tool)
        self.saver = self.manager = None
        if self.db:
            from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

            self.manager = AsyncSqliteSaver.from_conn_string(self.db)
            self.saver = await self.manager.__aenter__()

    def make(self, number):
        bound = self.model.bind_tools([self.wrapped])

        async def call(state):
            return {"messages": [await bound.ainvoke([SystemMessage(SYSTEM), *state["messages"]])]}

        graph = StateGraph(MessagesState)
        graph.add_node("agent", call)
        graph.add_node("tools", ToolNode([self.wrapped]))
        graph.add_edge(START, "agent")
        graph.add_conditional_edges("agent", tools_condition)
        graph.add_edge("tools", "agent")
        return graph.compile(checkpointer=self.saver)

    async def run(self, agent, number):
        config = {"recursion_limit": 5000, "configurable": {"thread_id": str(number)}}
        durable = {"durability": "sync"} if self.db else {}
        state = await agent.ainvoke({"messages": [HumanMessage(PROMPT)]}, config, **durable)
        return state["messages"][-1].content

    async def close(self):
        if self.manager:
            await self.manager.__aexit__(None, None, None)


if __name__ == "__main__":
    main(LangGraph)
