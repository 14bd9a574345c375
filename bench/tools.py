"""What a tool costs: to define, to bind and to call; and the import.

python bench/tools.py
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

from forgewright.tools import Catalogue, SchemaTool, tool

COUNT = 20_000


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


async def run(arguments: dict[str, object], _: object) -> str:
    return ""


async def main() -> None:
    started = time.perf_counter()
    for _ in range(500):
        made = tool(add)
    print(f"define add(a, b): {(time.perf_counter() - started) / 500 * 1e6:.0f} µs")

    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(COUNT):
            await made.call(made.bind(b'{"a":1,"b":2}'))
        best = min(best, time.perf_counter() - started)
    print(f"bind and call it: {best / COUNT * 1e6:.2f} µs")

    schema = {"type": "object", "properties": {"customer": {"type": "string"}}}
    many = [SchemaTool(f"tool_{n}", f"Does thing {n} for the customer", schema, run) for n in range(2000)]
    started = time.perf_counter()
    catalogue = Catalogue(many)
    print(f"a catalogue of 2,000: {(time.perf_counter() - started) * 1e3:.0f} ms", end="")
    started = time.perf_counter()
    catalogue.search("thing 1234 for a customer")
    print(f", a search {(time.perf_counter() - started) * 1e3:.1f} ms")

    for name in ("msgspec", "forgewright.tools"):
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
            times.append(time.perf_counter() - started)
        print(f"python -c 'import {name}': {min(times) * 1e3:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
