"""Commands in the background: they go on between the turns, others run beside them, and their changes are taken over."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from tests.agent.workspace.places import need_crun
from tests.agent.workspace.trees import Said, gate, make_tree

from forgewright import END, Context, Engine, Graph, Update
from forgewright.agent.builtin.shell import shell_tools
from forgewright.agent.workspace.background import Job, jobs_of
from forgewright.models.types import ToolCall
from forgewright.wiring.sandboxes import RegisteredSandboxes

pytestmark = pytest.mark.sandbox
Do = Callable[..., Awaitable[str]]
SERVER = "python3 -u -m http.server 8123 --bind 127.0.0.1"


async def act(folder: Path, script: Callable[[Do, Context], Awaitable[str]]) -> tuple[str, Path]:
    """Runs a script that calls the tools in a run; its answer, and the tree."""
    need_crun()
    root = make_tree(folder / "tree")
    tools = {t.name: t for t in shell_tools(root)}
    graph = Graph("work", Said)

    @graph.node(to=[END])
    async def work(state: Said, context: Context) -> Update:
        number = 0

        async def do(tool: str, /, **arguments: object) -> str:
            nonlocal number
            number += 1
            call = ToolCall(str(number), tool, msgspec.json.encode(arguments).decode())
            return (await context.acting_as("helper").tool(tools[tool], call)).text

        return Update(text=await script(do, context))

    async with Engine(home=folder / "home", gate=gate(), sandboxes=RegisteredSandboxes()) as engine:
        outcome = await engine.run(graph, Said())
    assert outcome.status == "finished", outcome.detail
    return outcome.state.text, root


async def test_a_server_is_called_from_beside_and_stopped(tmp_path: Path) -> None:
    async def script(do: Do, context: Context) -> str:
        said = [await do("shell_start", name="web", command=SERVER)]
        said.append(
            await do("shell", inside="web", command="python3 -c \"import urllib.request as r; "
                     "print(r.urlopen('http://127.0.0.1:8123/notes/one.txt').read())\"")
        )  # fmt: skip
        said.append(await do("shell_look", name="web"))
        said.append(await do("shell_stop", name="web"))
        said.append(await do("shell", inside="web", command="true"))
        return "\n".join(said)

    text, _ = await act(tmp_path, script)
    assert "[web is running]" in text
    assert "b'one\\n'" in text
    assert '"GET /notes/one.txt' in text
    assert "[web was ended]" in text
    assert "no background command 'web' is running" in text


async def test_output_comes_in_parts_and_changes_at_the_end(tmp_path: Path) -> None:
    async def script(do: Do, context: Context) -> str:
        first = await do(
            "shell_start", name="build", command="echo begins; while [ ! -e go ]; do sleep 0.02; done; echo built > built;"
            " echo x > new.lock; echo ends",
        )  # fmt: skip
        assert "begins" in first
        assert "[hidden from commands by the policy: .env, private]" in first
        again = await do("shell_look", name="build")
        assert again == "[build is running]"
        await do("shell", inside="build", command="touch go")
        await asyncio.wait((jobs_of(context)["build"].task,))
        return await do("shell_look", name="build")

    text, root = await act(tmp_path, script)
    assert text.startswith("ends\n[exit 0]\n[changed: built, go]")
    assert "no-edits-of-locked" in text
    assert (root / "built").read_text() == "built\n"
    assert not (root / "new.lock").exists()


async def test_what_may_not_be_read_is_not_seen_there_either(tmp_path: Path) -> None:
    async def script(do: Do, context: Context) -> str:
        started = await do("shell_start", name="s", command="cat .env private/plan.txt; sleep 60")
        return started + await do(
            "shell", inside="s", command="cat .env private/plan.txt /proc/*/root/work/.env"
        )

    text, _ = await act(tmp_path, script)
    assert "hunter2" not in text


async def test_they_are_bounded_and_told_apart(tmp_path: Path) -> None:
    async def script(do: Do, context: Context) -> str:
        for n in range(4):
            await do("shell_start", name=str(n), command="echo up; sleep 60")
        return "\n".join(
            [
                await do("shell_start", name="1", command="true"),
                await do("shell_start", name="5", command="true"),
                await do("shell_look", name="nope"),
            ]
        )

    text, _ = await act(tmp_path, script)
    assert "1 is running already" in text
    assert "at most 4" in text
    assert "nope is not there" in text


async def test_with_the_run_they_end(tmp_path: Path) -> None:
    kept: list[Job] = []

    async def script(do: Do, context: Context) -> str:
        await do("shell_start", name="web", command="echo up; sleep 600")
        kept.append(jobs_of(context)["web"])
        return "left it"

    await act(tmp_path, script)
    gc.collect()
    await asyncio.wait((kept[0].task,), timeout=30)
    assert kept[0].task.cancelled()
