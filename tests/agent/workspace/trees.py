"""A tree of files with things that a policy protects, and a run in which an agent acts on it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from tests.agent.workspace.places import need_crun

from forgewright import END, Context, Engine, Graph, Outcome, State, Update
from forgewright.models.types import ToolCall
from forgewright.policy.gate import CedarGate
from forgewright.tools import Tool
from forgewright.wiring.sandboxes import RegisteredSandboxes

SECRET = "key=hunter2-the-canary"
POLICY = """
@id("asking") permit (principal, action == Action::"ask", resource);
@id("tools") permit (principal, action == Action::"tool", resource);
@id("exec") @tier("container") permit (principal, action == Action::"exec", resource);
@id("reading") permit (principal, action == Action::"read", resource);
@id("no-reading-of-secrets") forbid (principal, action == Action::"read", resource)
when { context.labels.contains("secret") };
@id("no-reading-of-private") forbid (principal, action == Action::"read", resource)
when { context.path like "private/*" };
@id("edits") permit (principal, action == Action::"edit", resource);
@id("no-edits-of-git") forbid (principal, action == Action::"edit", resource)
when { context.labels.contains("git") };
@id("no-edits-of-ci") forbid (principal, action == Action::"edit", resource)
when { context.labels.contains("ci") };
@id("no-edits-of-locked") forbid (principal, action == Action::"edit", resource)
when { context.path like "locked/*" || context.path like "*.lock" };
@id("edits-of-hooks") @approval("owner") permit (principal, action == Action::"edit", resource)
when { context.labels.contains("autorun") };
"""


def gate(text: str = POLICY) -> CedarGate:
    return CedarGate({"test.cedar": text})


def make_tree(root: Path) -> Path:
    for path, text in {
        "app.py": "print('app')\n",
        "run.sh": "echo run\n",
        "notes/one.txt": "one\n",
        "locked/rules.txt": "as it was\n",
        "poetry.lock": "as it was\n",
        ".github/workflows/ci.yml": "as it was\n",
        ".git/config": "[core]\n",
        ".git/hooks/pre-commit.sample": "sample\n",
        ".env": SECRET,
        "private/plan.txt": SECRET,
        "private/deep/more.txt": SECRET,
    }.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "run.sh").chmod(0o755)
    return root


def content(root: Path) -> dict[str, str]:
    """Path → text of every file of the tree."""
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


class Said(State):
    text: str = ""


def calling(tool: Tool, arguments: dict[str, object], actor: str = "helper") -> Graph[Said]:
    """A graph that calls the tool once."""
    graph = Graph("call", Said)

    @graph.node(to=[END])
    async def call(state: Said, context: Context) -> Update:
        made = ToolCall("c1", tool.name, msgspec.json.encode(arguments).decode())
        return Update(text=(await context.acting_as(actor).tool(tool, made)).text)

    return graph


async def call(
    tool: Tool, arguments: dict[str, object], home: Path, *, policy: CedarGate | None = None
) -> Outcome[Said]:
    need_crun()
    async with Engine(home=home, gate=policy or gate(), sandboxes=RegisteredSandboxes()) as engine:
        return await engine.run(calling(tool, arguments), Said())
