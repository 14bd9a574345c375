"""Forgewright: an agent with one tool, each agent a run of its own; durable with a home folder."""

from common import PROMPT, SYSTEM, Contender, main

from forgewright import Agent, Engine, tool
from forgewright.models import make_model


class Forgewright(Contender):
    async def open(self):
        self.wrapped = tool(self.tool, recovery="pure")
        self.engine = Engine(model=make_model("openai:m", base_url=self.url), home=self.db or None)
        await self.engine.open()

    def make(self, number):
        return Agent("worker", SYSTEM, tools=[self.wrapped], turns_max=2000)

    async def run(self, agent, number):
        outcome = await agent.run(PROMPT, self.engine)
        return outcome.state.answer

    async def crowd(self, agents):
        from forgewright import END, Context, Graph, State, Update
        from forgewright.agent.subagents import Task, delegate_all

        class Texts(State):
            texts: tuple[str, ...] = ()

        async def act(state: Texts, context: Context) -> Update:
            ended = await delegate_all(context, [Task(agent, PROMPT) for agent in agents])
            return Update(texts=tuple(one.text for one in ended))

        graph = Graph("crowd", Texts)
        graph.add("act", act, to=[END])
        outcome = await self.engine.run(graph, Texts())
        return list(outcome.state.texts)

    async def close(self):
        await self.engine.close()


if __name__ == "__main__":
    main(Forgewright)
