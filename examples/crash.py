"""A process is killed in the middle; the next one goes on, and no letter is sent twice.

python examples/crash.py
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from forgewright import END, Context, Engine, Graph, State, ToolCall, Update, tool

LETTERS = ("ada", "grace", "barbara")


def was_sent(to: str, context: Context) -> str | None:
    """What is asked when the engine died between sending and noting it down."""
    return "sent" if to in Path("outbox").read_text().split() else None


@tool(recovery="reconcilable", reconcile=was_sent)
def send(to: str, context: Context) -> str:
    """Send a letter; and, in this example, die of the second one."""
    with open("outbox", "a") as outbox:
        outbox.write(f"{to}\n")
    if to == "grace" and os.environ.get("DIE"):
        os.kill(os.getpid(), signal.SIGKILL)
    return "sent"


class Mailing(State):
    sent: int = 0


mailing = Graph("mailing", Mailing)


@mailing.node(to=[END])
async def post(state: Mailing, context: Context) -> Update:
    for number, to in enumerate(LETTERS):
        await context.tool(send, ToolCall(f"letter-{number}", "send", f'{{"to": "{to}"}}'))
    return Update(sent=len(LETTERS))


async def work() -> None:
    async with Engine(home="home") as engine:
        runs = await engine.journal.runs()
        run = runs[0].run if runs else await engine.start(mailing, Mailing())
        outcome = await engine.execute(run, mailing)
        print(outcome.status, outcome.state.sent, "letters")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "outbox").touch()
        command = [sys.executable, str(Path(__file__).resolve()), "work"]
        first = subprocess.run(command, cwd=folder, env=os.environ | {"DIE": "1"}, check=False)
        print(f"the first process ended with {first.returncode}", flush=True)
        subprocess.run(command, cwd=folder, check=True)
        print("outbox:", ", ".join(Path(folder, "outbox").read_text().split()))


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        asyncio.run(work())
    else:
        main()
