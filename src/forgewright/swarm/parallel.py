"""Coders side by side, each in a work tree of its own, whose results are merged into the run's.

Steps that the planner put into one group do not depend on each other. Each is given to a coder as a sub-agent;
what they did is merged one after the other, and what can't be merged is put to the coder who goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.builtin.plan import Step
from forgewright.agent.subagents import Subagent, Task, delegate_all
from forgewright.core.ids import EffectId, RunId
from forgewright.journal import events as ev
from forgewright.runtime.effects.keep import keep, load
from forgewright.swarm.effects import GitDone, GitEffect
from forgewright.swarm.merge import Clash
from forgewright.swarm.merging import merge_trees
from forgewright.swarm.workspace import Workspace

if TYPE_CHECKING:
    from forgewright.agent.agent import Agent
    from forgewright.runtime.context import Context

SIDE = "side-"
"""What the numbers of effects in a work tree beside the run's begin with."""
CODERS_MAX = 8
"""Side by side; what is more is left to the coder who goes on."""


class SideTree(GitEffect):
    """Makes a work tree beside the run's, from the run's last commit. Idempotent."""

    operation = "worktree"
    recovery = "idempotent"

    def __init__(self, workspace: Workspace, name: str, base: str) -> None:
        super().__init__(workspace)
        self.name = name
        self.base = base

    def detail(self) -> dict[str, str | int]:
        return {"name": self.name, "base": self.base}

    async def perform(self, key: str, context: Context) -> GitDone:
        await asyncio.to_thread(side_tree, self.workspace, self.name, self.base)
        return GitDone(self.base, EffectId(key.rpartition("/")[2]))


class MergeDone(GitDone, frozen=True):
    """The merged tree as a commit beside the run's branch, and what is left to decide."""

    clashes: tuple[Clash, ...] = ()


class MergeTree(GitEffect):
    """Brings a side tree's change into the run's files. Idempotent: what is merged stands in the intent."""

    operation = "merge"
    recovery = "idempotent"

    def __init__(self, workspace: Workspace, side: Workspace, trees: Trees) -> None:
        super().__init__(workspace)
        self.side = side
        self.trees = trees

    def detail(self) -> dict[str, str | int]:
        return {"base": self.trees.base, "ours": self.trees.ours, "theirs": self.trees.theirs}

    async def perform(self, key: str, context: Context) -> GitDone:
        effect = EffectId(key.rpartition("/")[2])
        trees = self.trees
        merged = await asyncio.to_thread(
            merge_trees, self.workspace, self.side, trees.base, trees.ours, trees.theirs, effect
        )
        return MergeDone(merged.sha, effect, tuple(merged.clashes))

    async def answered(self, effect: EffectId, answer: GitDone, ms: int, context: Context) -> ev.Answered:
        return ev.GitAnswered(effect, await keep(answer, context), ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> GitDone:
        assert isinstance(answered, ev.GitAnswered)
        return await load(answered.result, MergeDone, context)


class Trees(msgspec.Struct, frozen=True):
    """What is merged: a commit and two trees."""

    base: str
    ours: str
    theirs: str


class Side(msgspec.Struct, frozen=True):
    """What came of one step."""

    title: str
    status: str
    told: str
    """The coder's last words, or what went wrong."""
    clashes: tuple[Clash, ...] = ()


def group_of(plan: Sequence[Step]) -> tuple[Step, ...]:
    """The first steps of one group that are not begun, at least two; none where the plan has no such."""
    groups: dict[str, list[Step]] = {}
    for step in plan:
        if step.group and step.status == "pending":
            groups.setdefault(step.group, []).append(step)
    return next((tuple(steps[:CODERS_MAX]) for steps in groups.values() if len(steps) > 1), ())


async def code_side_by_side(
    workspace: Workspace, coder: Agent, steps: Sequence[Step], brief: str, context: Context
) -> tuple[Side, ...]:
    """Gives each step to a coder of its own, and merges what they did in the order of the steps."""
    from forgewright.code.engine import CodeEngine

    base = await context.read("head", lambda: asyncio.to_thread(lambda: workspace.head), str)
    sides: list[Workspace] = []
    for number, _ in enumerate(steps, 1):
        await context.scope(f"tree-{number}").perform(SideTree(workspace, f"{SIDE}{number}", base))
        sides.append(await asyncio.to_thread(side_tree, workspace, f"{SIDE}{number}", base))
    tasks = []
    for step, side in zip(steps, sides, strict=True):
        code = CodeEngine(side.root)
        code.recover()
        others = "\n".join(f"- {other.title}" for other in steps if other is not step)
        prompt = (
            f"{brief}\n\nDo this step, and nothing else: {step.title}\n"
            f"Other coders do these meanwhile, in copies of their own; leave them to them:\n{others}"
        )
        tasks.append(Task(Subagent(coder), prompt, code))
    ended = await delegate_all(context.scope(SIDE + "all"), tasks)
    done = []
    for number, (step, side, one) in enumerate(zip(steps, sides, ended, strict=True), 1):
        clashes: tuple[Clash, ...] = ()
        if one.ok:
            scope = context.scope(f"merge-{number}")
            look = partial(asyncio.to_thread, _trees, workspace, side, base)
            trees = await scope.read("trees", look, Trees)
            merged = await scope.perform(MergeTree(workspace, side, trees))
            clashes = merged.clashes if isinstance(merged, MergeDone) else ()
        done.append(Side(step.title, one.status, one.text, clashes))
    for side in sides:
        await asyncio.to_thread(side.remove)
    return tuple(done)


def still_beside(event: ev.Event, visit: str | None) -> str | None:
    """The node visit in which coders work side by side after this event, given the one before it."""
    if isinstance(event, ev.GitAsked) and event.operation == "worktree":
        return event.effect.partition(".")[0]
    if visit is not None:
        if isinstance(event, ev.ModelAsked) and event.effect.startswith(f"{visit}.coder."):
            return None  # the coder who goes on
        if isinstance(event, ev.NodeLeft) and str(event.visit) == visit:
            return None
    return visit


def side_tree(workspace: Workspace, name: str, base: str) -> Workspace:
    """The work tree of that name, made where it is not there."""
    run = RunId(f"{workspace.place.run}-{name}")
    return Workspace.fork(workspace.folder.parents[1], run, workspace, base)


def _trees(workspace: Workspace, side: Workspace, base: str) -> Trees:
    return Trees(base, workspace.tree_digest(), side.tree_digest())


def told(sides: Sequence[Side]) -> str:
    """What the coder who goes on is told of the others' work."""
    lines = ["Other coders did these steps; what they did is merged into your files:"]
    for side in sides:
        lines.append(f"- {side.title}: {side.status if side.status != 'completed' else side.told}")
        for clash in side.clashes:
            lines.append(
                f"  In {clash.path}: {clash.why}. Your files hold the first side; bring the other in:"
            )
            for place in clash.places:
                theirs = place.theirs.decode(errors="replace")
                lines.append(f"  line {place.line}, the other side has:\n{theirs}")
            if not clash.places:
                whole = (
                    "the other side deleted it"
                    if clash.theirs is None
                    else clash.theirs.decode(errors="replace")
                )
                lines.append(f"  the other side, whole:\n{whole[:8000]}")
    return "\n".join(lines)
