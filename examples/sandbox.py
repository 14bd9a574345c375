"""Sandboxes as a library: a command with limits, an image of one's own, a server inside, a host that is refused.

python examples/sandbox.py
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from forgewright.sandbox import Command, Limits, Mount, Network, SandboxSpec, open_sandbox
from forgewright.sandbox.images import fetch

SERVER = "import socket; s = socket.create_server(('127.0.0.1', 8080)); print('up', flush=True); s.accept()[0].send(b'hello')"
ASK = "import urllib.request as u; print(u.urlopen('http://169.254.169.254/').status)"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data.txt").write_text("from the host\n")
        spec = SandboxSpec(
            limits=Limits(memory_bytes=128 << 20, processes=64),
            mounts=(Mount(folder, "/work", "cow"),),
            network=Network(allow=("packages.example:443",)),
            workdir="/work",
        )
        sandbox = await open_sandbox(spec)
        try:
            ended = await sandbox.run(
                Command(argv=("sh", "-c", "cat data.txt; echo changed > data.txt; cat data.txt"))
            )
            print(ended.stdout.decode(), end="")
            print("on the host:", (Path(folder) / "data.txt").read_text(), end="")
            ended = await sandbox.run(Command(argv=("python3", "-c", "x = bytearray(1 << 30)")))
            print("too much memory:", ended.reason)
            ended = await sandbox.run(Command(argv=("python3", "-c", ASK)))
            print("the metadata address:", "403" if b"403" in ended.stderr else ended)
            await reach_a_server(sandbox)
        finally:
            await sandbox.close()
        image = fetch(f"dir:{folder}")
        assert image is not None
        print("an image of that folder:", image.digest[:14] + "…")


async def reach_a_server(sandbox: object) -> None:
    from forgewright.sandbox.session import AgentSandbox

    assert isinstance(sandbox, AgentSandbox)
    up = asyncio.Event()
    process = sandbox.start(Command(argv=("python3", "-c", SERVER)), on_output=lambda stream, data: up.set())
    await up.wait()
    published = await sandbox.publish(8080)
    reader, writer = await asyncio.open_connection("127.0.0.1", published.port)
    print("a server inside says:", (await reader.read()).decode())
    writer.close()
    await process.wait(10)


asyncio.run(main())
