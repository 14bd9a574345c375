"""A LangGraph graph whose checkpoints lie in a Forgewright home: it waits, and another process goes on.

Runs offline: pip install 'forgewright[langgraph]' langgraph
"""

import subprocess
import sys
import tempfile
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from forgewright.integrations.langgraph import ForgewrightSaver


class Order(TypedDict):
    steps: Annotated[list[str], lambda old, new: old + new]


def pack(state: Order) -> dict[str, list[str]]:
    return {"steps": ["packed"]}


def send(state: Order) -> dict[str, list[str]]:
    return {"steps": [f"sent to {interrupt('Where to?')}"]}


builder = StateGraph(Order)
builder.add_sequence([pack, send])
builder.add_edge(START, "pack")
thread = {"configurable": {"thread_id": "order-7"}}

if len(sys.argv) == 2:  # the second process: it only knows the home and the thread
    with ForgewrightSaver(sys.argv[1]) as saver:
        done = builder.compile(checkpointer=saver).invoke(Command(resume="Ada"), thread)
        print(f"second process: {', '.join(done['steps'])}")
else:
    with tempfile.TemporaryDirectory() as home:
        with ForgewrightSaver(home) as saver:
            waiting = builder.compile(checkpointer=saver).invoke({"steps": ["ordered"]}, thread)
            print(f"first process: {', '.join(waiting['steps'])}; {waiting['__interrupt__'][0].value}")
        subprocess.run([sys.executable, __file__, home], check=True)
