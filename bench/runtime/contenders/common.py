"""What every contender shares: its modes, its clock, its memory. Imports next to nothing of its own.

A contender is a subclass of `Contender` and ends with `main(Subclass)`. It is started as

    python NAME.py MODE --url URL --db FILE --agents N --runs N

and prints one JSON object. Modes:

    first    one agent run; the driver takes the whole process's CPU from outside
    turn     `--runs` agent runs of 20 tool turns after one uncounted; CPU and wall of each
    fleet    `--agents` agents at once after one uncounted; CPU, wall and memory
    crowd    the same as sub-agents of one run, where the framework has such; else as `fleet`
    store    one durable run of 1,000 turns, each with a tool result of 500 bytes
"""

from __future__ import annotations

import json
import sys
import time

PROMPT = "Work step by step with the tool until you are done."
SYSTEM = "You are a helpful assistant. Use the tools."
PAYLOAD_BYTES = 500


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def fetch(page: int) -> str:
    """Fetch a page."""
    from base64 import b64encode
    from hashlib import shake_128

    return b64encode(
        shake_128(str(page).encode()).digest(PAYLOAD_BYTES * 3 // 4)
    ).decode()  # nothing to compress


class Contender:
    """One framework. `tool` is `add` or `fetch`; `db` is empty where nothing is to be durable."""

    def __init__(self, url: str, db: str, tool) -> None:
        self.url = url + "/v1"
        self.db = db
        self.tool = tool

    async def open(self) -> None:
        """Makes the model client and, with `db`, the durable storage."""

    def make(self, number: int):
        """One agent with the tool."""
        raise NotImplementedError

    async def run(self, agent, number: int) -> str:
        """Runs it to its final text."""
        raise NotImplementedError

    async def crowd(self, agents) -> list[str]:
        """Runs all of them as sub-agents of one run."""
        import asyncio

        return await asyncio.gather(*[self.run(agent, number) for number, agent in enumerate(agents, 1)])

    async def close(self) -> None:
        """Closes what `open` made."""


def main(contender: type[Contender]) -> None:
    import asyncio

    mode = sys.argv[1]
    options = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    tool = fetch if mode == "store" else add
    made = contender(options["--url"], options.get("--db", ""), tool)
    asyncio.run(_run(made, mode, options))


async def _run(contender: Contender, mode: str, options: dict[str, str]) -> None:
    await contender.open()
    measured = await {"first": _first, "turn": _turn, "fleet": _fleet, "crowd": _fleet, "store": _first}[
        mode
    ](contender, options | {"--mode": mode})
    await contender.close()
    sys.stdout.write(json.dumps(measured) + "\n")


async def _first(contender: Contender, options: dict[str, str]) -> dict:
    return {"text": await contender.run(contender.make(0), 0), "modules": len(sys.modules)}


async def _turn(contender: Contender, options: dict[str, str]) -> dict:
    text = await contender.run(contender.make(0), 0)
    cpu, wall = [], []
    for number in range(1, int(options["--runs"]) + 1):
        agent = contender.make(number)
        began, spent = time.perf_counter(), time.process_time()
        text = await contender.run(agent, number)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    middle = len(cpu) // 2
    return {"text": text, "cpu_seconds": sorted(cpu)[middle], "wall_seconds": sorted(wall)[middle]}


async def _fleet(contender: Contender, options: dict[str, str]) -> dict:
    import asyncio
    import gc

    count = int(options["--agents"])
    await contender.run(contender.make(0), 0)
    gc.collect()
    before = _memory()["VmRSS"]
    _forget_peak()
    began, spent = time.perf_counter(), time.process_time()
    agents = [contender.make(number) for number in range(1, count + 1)]
    if options["--mode"] == "crowd":
        texts = await contender.crowd(agents)
    else:
        texts = await asyncio.gather(*[contender.run(agent, n) for n, agent in enumerate(agents, 1)])
    cpu, wall = time.process_time() - spent, time.perf_counter() - began
    return {
        "text": texts[0],
        "good": sum(text.startswith("FINAL ") for text in texts),
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "kib_per_agent": (_memory()["VmHWM"] - before) / count,
    }


def _memory() -> dict[str, int]:
    """Resident and peak resident set in KiB, as the kernel counts them."""
    found = {}
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(("VmRSS", "VmHWM")):
                name, _, value = line.partition(":")
                found[name] = int(value.split()[0])
    return found


def _forget_peak() -> None:
    """Sets the peak back to what is resident now (man 5 proc, clear_refs)."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
