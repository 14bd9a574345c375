"""The tools for files: judged path by path, journaled, put together again after a crash, and clear to a model."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.agent.workspace.trees import SECRET, Said, calling, content, gate, make_tree

from forgewright import END, Context, Engine, Graph, Update
from forgewright.agent.builtin.files import file_tools
from forgewright.agent.workspace import RunFiles
from forgewright.core.errors import LeaseLost
from forgewright.files import DirectoryFiles
from forgewright.journal import events as ev
from forgewright.models.types import ToolCall
from forgewright.tools import Tool


class Desk:
    """A tree, its tools, and a journal of each call."""

    def __init__(self, folder: Path) -> None:
        self.root = make_tree(folder / "tree")
        self.home = folder / "home"
        self.tools: dict[str, Tool] = {
            t.name: t for t in file_tools(DirectoryFiles(self.root), code=(".py",))
        }
        self.before = content(self.root)

    async def __call__(self, name: str, *, actor: str = "helper", **arguments: object) -> str:
        async with Engine(home=self.home, gate=gate()) as engine:
            outcome = await engine.run(calling(self.tools[name], arguments, actor), Said())
        assert outcome.status == "finished", outcome.detail
        return outcome.state.text


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_what_they_answer(desk: Desk) -> None:
    assert await desk("ls", path="notes") == "notes/one.txt  4"
    assert await desk("read_file", path="notes/one.txt") == "     1\tone"
    assert await desk("write_file", path="notes/new.txt", text="a\nb\nc\n") == "wrote notes/new.txt"
    assert (
        await desk("edit_file", path="notes/new.txt", old="b", new="B") == "replaced 1 place in notes/new.txt"
    )
    assert (desk.root / "notes/new.txt").read_text() == "a\nB\nc\n"
    assert await desk("read_file", path="notes/new.txt", offset=1, limit=1) == (
        "     2\tB\n… 1 more lines: read with offset 2"
    )
    assert await desk("glob", pattern="*.txt") == "locked/rules.txt\nnotes/new.txt\nnotes/one.txt"
    assert await desk("grep", pattern="^(one|B)$", regex=True) == "notes/new.txt:2: B\nnotes/one.txt:1: one"
    assert await desk("delete_file", path="notes") == "deleted notes"
    assert await desk("glob", pattern="notes/*") == "no file fits"


@pytest.mark.parametrize("path", [".env", "private/plan.txt", "/private//deep/more.txt", "notes/../.env"])
async def test_what_may_not_be_read_is_not_there(desk: Desk, path: str) -> None:
    for name, arguments in (
        ("read_file", {"path": path}),
        ("edit_file", {"path": path, "old": "key", "new": "x"}),
        ("grep", {"pattern": "hunter2", "path": path}),
        ("grep", {"pattern": "hunter2"}),
        ("glob", {"pattern": "*"}),
        ("ls", {"path": "private"}),
    ):
        text = await desk(name, **arguments)
        assert "hunter2" not in text
        assert "plan.txt" not in text.replace("private/plan.txt", "") or name == "read_file"
        if name in ("glob", "ls"):
            assert "plan" not in text
            assert ".env" not in text
    assert content(desk.root) == desk.before


@pytest.mark.parametrize(
    "path", ["locked/rules.txt", "x.lock", ".git/hooks/pre-commit", ".github/workflows/x.yml"]
)
async def test_what_may_not_be_changed_is_refused_with_the_reason(desk: Desk, path: str) -> None:
    assert "forbidden by the policy no-edits" in await desk("write_file", path=path, text="harm")
    if (desk.root / path).exists():
        assert "forbidden by the policy" in await desk("edit_file", path=path, old="was", new="is")
        assert "forbidden by the policy" in await desk("delete_file", path=path)
        assert "forbidden by the policy" in await desk("delete_file", path=path.partition("/")[0])
    assert content(desk.root) == desk.before


async def test_code_is_left_to_the_language_of_code(desk: Desk) -> None:
    assert "code_edit" in await desk("write_file", path="new.py", text="x = 1")
    assert "code_edit" in await desk("edit_file", path="app.py", old="app", new="x")
    assert content(desk.root) == desk.before


async def test_a_policy_can_tell_their_changes_from_others(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    policy = gate("""
        @id("tools") permit (principal, action == Action::"tool", resource);
        @id("reading") permit (principal, action == Action::"read", resource);
        @id("small") permit (principal, action == Action::"edit", resource)
        when { context.operations.contains("edit_file") };
    """)
    tools = {t.name: t for t in file_tools(DirectoryFiles(root))}
    async with Engine(gate=policy) as engine:
        wrote = await engine.run(calling(tools["write_file"], {"path": "n", "text": "x"}), Said())
        edited = await engine.run(
            calling(tools["edit_file"], {"path": "notes/one.txt", "old": "one", "new": "1"}), Said()
        )
    assert "denied" in wrote.state.text
    assert edited.state.text.startswith("replaced")


async def test_mistakes_are_told_so_that_a_model_can_act(desk: Desk) -> None:
    assert "no file or folder 'nope'" in await desk("read_file", path="nope")
    assert "give the text exactly" in await desk("edit_file", path="notes/one.txt", old="two", new="x")
    assert "no text" not in await desk("read_file", path="run.sh")
    (desk.root / "b").write_bytes(b"\xff\xfe\x00")
    assert "is no text" in await desk("read_file", path="b")
    assert '".."' in await desk("read_file", path="../x")


async def test_a_read_that_needs_a_yes_waits_for_it_and_is_bound_to_the_content(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    policy = gate("""
        @id("asking") permit (principal, action == Action::"ask", resource);
        @id("tools") permit (principal, action == Action::"tool", resource);
        @id("secrets") @approval("owner") permit (principal, action == Action::"read", resource);
    """)
    tools = {t.name: t for t in file_tools(DirectoryFiles(root))}
    graph = calling(tools["read_file"], {"path": "notes/one.txt"})
    for changed in (False, True):
        async with Engine(home=tmp_path / f"home{changed}", gate=policy) as engine:
            outcome = await engine.run(graph, Said())
            assert (outcome.reason, outcome.detail) == (
                "approval",
                "May helper read notes/one.txt? (yes | no)",
            )
            if changed:
                (root / "notes/one.txt").write_text("another")
            await engine.answer(outcome.run, "yes", by="ada")
            outcome = await engine.execute(outcome.run, graph)
        assert ("not what was approved" in outcome.state.text) is changed
        assert ("one" in outcome.state.text.split("\t")[-1]) is not changed or changed


async def test_a_call_whose_answer_was_lost_is_put_together_again(tmp_path: Path) -> None:
    """The engine dies behind the change: the edit is not made again, and is no error either."""
    root = make_tree(tmp_path / "tree")
    tools = {t.name: t for t in file_tools(DirectoryFiles(root))}
    dying = {"yes"}
    inner = tools["edit_file"]

    class Dying:
        name, description, parameters = inner.name, inner.description, inner.parameters
        recovery, timeout_seconds, resource = inner.recovery, None, inner.resource
        bind = staticmethod(inner.bind)

        async def call(self, arguments: dict[str, object], context: object = None) -> object:
            output = await inner.call(arguments, context)  # type: ignore[arg-type]
            if dying:
                raise LeaseLost("the engine dies")  # no answer of the tool reaches the journal
            return output

        async def reconcile(self, *_: object) -> None:
            return None

    graph = Graph("call", Said)

    @graph.node(to=[END])
    async def call(state: Said, context: Context) -> Update:
        arguments = msgspec.json.encode(
            {"path": "notes/one.txt", "old": "one", "new": "one and one"}
        ).decode()
        result = await context.acting_as("helper").tool(Dying(), ToolCall("c", "edit_file", arguments))  # type: ignore[arg-type]
        return Update(text=result.text)

    async with Engine(home=tmp_path / "home", gate=gate()) as engine:
        lost = await engine.run(graph, Said())
        assert lost.status == "parked", lost
    assert (root / "notes/one.txt").read_text() == "one and one\n"
    dying.clear()
    async with Engine(home=tmp_path / "home", gate=gate()) as engine:
        outcome = await engine.execute(lost.run, graph)
        assert outcome.state.text == "replaced 1 place in notes/one.txt"
        asked = [r for r in await engine.records(lost.run) if isinstance(r.event, ev.CustomAsked)]
    assert len(asked) == 1
    assert (root / "notes/one.txt").read_text() == "one and one\n"


async def test_a_secret_in_a_file_is_written_but_not_journaled(desk: Desk) -> None:
    token = "ghp_" + "Zk3f9Qw2LmX7Bv1Rt8Yp4Nc6Hs0JdAe5GuTi"
    (desk.root / "conf.txt").write_text(f"token = {token}\nmode = old\n")
    assert "replaced" in await desk("edit_file", path="conf.txt", old="mode = old", new="mode = new")
    assert (desk.root / "conf.txt").read_text() == f"token = {token}\nmode = new\n"
    for file in desk.home.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file


async def test_over_the_files_of_a_run(tmp_path: Path) -> None:
    tools = {t.name: t for t in file_tools(lambda context: RunFiles(context))}
    graph = Graph("notes", Said)

    @graph.node(to=[END])
    async def work(state: Said, context: Context) -> Update:
        said = []
        for number, (name, arguments) in enumerate(
            [("write_file", {"path": "n/a", "text": "x"}), ("edit_file", {"path": "n/a", "old": "x", "new": "y"}),
             ("read_file", {"path": "n/a"})]
        ):  # fmt: skip
            made = ToolCall(str(number), name, msgspec.json.encode(arguments).decode())
            said.append((await context.acting_as("helper").tool(tools[name], made)).text)
        return Update(text="; ".join(said))

    async with Engine(home=tmp_path, gate=gate()) as engine:
        outcome = await engine.run(graph, Said())
    assert outcome.state.text == "wrote n/a; replaced 1 place in n/a;      1\ty"
    assert SECRET not in outcome.state.text
