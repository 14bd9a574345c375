"""The shell: what a command changes is taken over as far as the policy goes, and what came of it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.agent.workspace.places import need_crun
from tests.agent.workspace.trees import Said, call, calling, content, gate, make_tree

from forgewright import Engine
from forgewright.agent.builtin.shell import shell_tool
from forgewright.journal import events as ev
from forgewright.sandbox import Limits, SandboxSpec
from forgewright.wiring.sandboxes import RegisteredSandboxes

pytestmark = pytest.mark.sandbox


async def run(root: Path, command: str, **more: object) -> str:
    outcome = await call(shell_tool(root), {"command": command, **more}, root.parent / "home")
    assert outcome.status == "finished", outcome.detail
    return outcome.state.text


async def test_what_a_command_changes_is_taken_over(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    before = content(root)
    text = await run(
        root,
        "echo two > notes/two.txt; sed -i s/app/program/ app.py; rm notes/one.txt; mkdir -p a/b; printf '\\0x' > a/b/c;"
        " chmod +x app.py; chmod -x run.sh; touch -d 2001-01-01 run.sh .gitignore; echo said",
    )
    assert text.startswith(
        "said\n[exit 0]\n[changed: .gitignore, a/b/c, app.py, notes/one.txt, notes/two.txt, run.sh]"
    )
    after = content(root)
    assert after == {
        **{path: text for path, text in before.items() if path != "notes/one.txt"},
        ".gitignore": "",
        "a/b/c": "\0x",
        "app.py": "print('program')\n",
        "notes/two.txt": "two\n",
    }
    assert os.access(root / "app.py", os.X_OK)
    assert not (root / "run.sh").stat().st_mode & 0o111


async def test_what_is_refused_is_told_with_the_reason(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    text = await run(root, "echo x > new.lock; echo y > locked/rules.txt; echo z > fine; ln -s fine link")
    assert "[changed: fine]" in text
    assert "Read-only file system" in text
    assert 'new.lock: helper may not edit "new.lock": forbidden by the policy no-edits-of-locked' in text
    assert "link: only regular files are taken over" in text
    assert not (root / "new.lock").exists()


async def test_each_command_sees_what_the_one_before_left_and_nothing_else_of_it(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    await run(
        root, "echo kept > kept; echo gone > /tmp/gone; mkdir -p node_modules/x; echo x > node_modules/x/y"
    )
    assert (await run(root, "cat kept /tmp/gone; ls -d node_modules")).startswith("kept\n")
    assert not (root / "node_modules").exists()


async def test_a_command_that_fails_is_told_and_its_changes_count(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    text = await run(root, "echo half > half; exit 3")
    assert "[exit 3]" in text
    assert (root / "half").read_text() == "half\n"
    assert "ended by: timeout" in await run(root, "sleep 60", seconds=1)
    assert "command not found" in await run(root, "no-such-program")


async def test_both_streams_come_in_their_order(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    assert (await run(root, "echo 1; echo 2 >&2; echo 3")).startswith("1\n2\n3\n[exit 0]")


async def test_long_output_is_cut_and_counted(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    spec = SandboxSpec(limits=Limits(output_bytes=20_000))
    outcome = await call(shell_tool(root, spec), {"command": "yes | head -c 100000"}, tmp_path / "home")
    assert "[80,000 more bytes of output were not kept]" in outcome.state.text


async def test_a_change_that_needs_a_yes_waits_for_it_and_needs_no_second_run(tmp_path: Path) -> None:
    need_crun()
    root = make_tree(tmp_path / "tree")
    graph = calling(shell_tool(root), {"command": "echo use flake > .envrc; date +%s%N > stamp; cat stamp"})
    home = tmp_path / "home"
    async with Engine(home=home, gate=gate(), sandboxes=RegisteredSandboxes()) as engine:
        outcome = await engine.run(graph, Said())
        assert (outcome.status, outcome.reason) == ("parked", "approval"), outcome.detail
        assert ".envrc" in outcome.detail
        assert not (root / ".envrc").exists()
        stamp = (root / "stamp").read_text()
    async with Engine(home=home, gate=gate(), sandboxes=RegisteredSandboxes()) as engine:
        await engine.open()
        await engine.answer(outcome.run, "yes", by="ada")
        outcome = await engine.execute(outcome.run, graph)
        assert outcome.status == "finished", outcome.detail
        assert (root / ".envrc").read_text() == "use flake\n"
        assert outcome.state.text.startswith(stamp)
        records = await engine.records(outcome.run)
    assert sum(isinstance(r.event, ev.ExecAsked) for r in records) == 1
    assert (root / "stamp").read_text() == stamp


async def test_a_no_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    need_crun()
    root = make_tree(tmp_path / "tree")
    graph = calling(shell_tool(root), {"command": "echo x > .envrc; echo y > other"})
    async with Engine(home=tmp_path / "home", gate=gate(), sandboxes=RegisteredSandboxes()) as engine:
        outcome = await engine.run(graph, Said())
        await engine.answer(outcome.run, "no", by="ada")
        outcome = await engine.execute(outcome.run, graph)
    assert "[changed: other]" in outcome.state.text
    assert ".envrc" in outcome.state.text.partition("not taken over")[2]
    assert not (root / ".envrc").exists()


async def test_without_a_policy_that_permits_it_nothing_runs(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    nothing = gate('@id("tools") permit (principal, action == Action::"tool", resource);')
    outcome = await call(shell_tool(root), {"command": "echo x > x"}, tmp_path / "home", policy=nothing)
    assert "denied" in outcome.state.text
    assert not (root / "x").exists()
