"""What a client for model APIs costs by itself: from process start to the first answer, and per request.

The same POST to the same local server by a bare asyncio protocol, by this project's client, and by those that
one would take instead. Interleaved; medians of the whole process's CPU. `python bench/run.py http_clients [ROUNDS]`
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "runtime"))

import venvs
from run import Server

BODY = '{"model": "m", "messages": [{"role": "user", "content": "Hi."}]}'
MANY = 2000
COMMON = f"""
import asyncio, sys
URL, COUNT, BODY = sys.argv[1], int(sys.argv[2]), {BODY.encode()!r}
"""
PROGRAMS = {
    "python itself": ("raw", "pass"),
    "bare asyncio": (
        "raw",
        COMMON
        + f"""
sys.path.insert(0, {str(Path(__file__).resolve().parent / "runtime" / "contenders")!r})
from raw import Raw
async def main():
    client = Raw(URL, "", __import__("common").add)
    await client.open()
    for _ in range(COUNT): await client.post(BODY)
asyncio.run(main())
""",
    ),
    "forgewright": (
        "forgewright",
        COMMON
        + """
from forgewright.models.http import HttpClient, parse_url
async def main():
    client = HttpClient()
    endpoint = client.endpoint(parse_url(URL + "/v1/chat/completions"), {"authorization": "Bearer x"})
    for _ in range(COUNT): await endpoint.fetch(BODY)
    await client.close()
asyncio.run(main())
""",
    ),
    "aiohttp": (
        "http-clients",
        COMMON
        + """
import aiohttp
async def main():
    async with aiohttp.ClientSession() as client:
        for _ in range(COUNT):
            async with client.post(URL + "/v1/chat/completions", data=BODY) as answer: await answer.read()
asyncio.run(main())
""",
    ),
    "httpx": (
        "http-clients",
        COMMON
        + """
import httpx
async def main():
    async with httpx.AsyncClient() as client:
        for _ in range(COUNT): (await client.post(URL + "/v1/chat/completions", content=BODY)).content
asyncio.run(main())
""",
    ),
    "openai package": (
        "http-clients",
        COMMON
        + """
from openai import AsyncOpenAI
async def main():
    client = AsyncOpenAI(base_url=URL + "/v1", api_key="x")
    for _ in range(COUNT):
        await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi."}])
asyncio.run(main())
""",
    ),
}


def cpu_ms(name: str, url: str, count: int) -> float:
    venv, code = PROGRAMS[name]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(venvs.python_of(venv)), "-c", code, url, str(count)]
    process = os.posix_spawn(command[0], command, environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{name} failed")
    return (usage.ru_utime + usage.ru_stime) * 1e3


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for venv in ("raw", "forgewright", "http-clients"):
        venvs.build(venv)
    server = Server()
    try:
        url = f"http://127.0.0.1:{server.port}/k0-add"
        first: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        many: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        for number in range(-1, rounds):
            for name in PROGRAMS:
                cost = cpu_ms(name, url, 1)
                if number >= 0:
                    first[name].append(cost)
        for _ in range(3):
            for name in list(PROGRAMS)[1:]:
                many[name].append(cpu_ms(name, url, MANY + 1))
    finally:
        server.stop()
    print("| client | start to first answer, CPU ms | one more request, CPU ms |\n|---|---:|---:|")
    for name in PROGRAMS:
        start = statistics.median(first[name])
        each = f"{(statistics.median(many[name]) - start) / MANY:.3f}" if many[name] else ""
        print(f"| {name} | {start:.0f} | {each} |")


if __name__ == "__main__":
    main()
