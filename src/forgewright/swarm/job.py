"""A job: a goal and a repository in, a reviewed change and its record out. Started, resumed, forked here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError, NotFound, UsageError
from forgewright.core.ids import RunId, new_run_id
from forgewright.journal import events as ev
from forgewright.runtime.budget import Budget
from forgewright.runtime.execution import Outcome
from forgewright.sandbox.types import Limits as SandboxLimits
from forgewright.sandbox.types import Mount, SandboxSpec, Tier
from forgewright.swarm.effects import GitDone
from forgewright.swarm.graph import Limits, Swarm
from forgewright.swarm.parallel import SIDE, still_beside
from forgewright.swarm.state import JobState
from forgewright.swarm.testing import TestPlan, TestSettings, discover
from forgewright.swarm.workspace import Workspace

if TYPE_CHECKING:
    from forgewright.code.engine import CodeEngine
    from forgewright.runtime.engine import Engine


class JobOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a job was started with; journaled with the run, so that `resume RUN` needs nothing else."""

    repository: str
    """Absolute path of the user's folder."""
    tests: TestPlan | None = None
    limits: Limits = Limits()
    sandbox: SandboxLimits = SandboxLimits()
    models: Mapping[str, str] = {}
    """Actor → model as it was named; `default` for all others."""
    base_url: str | None = None
    notes: tuple[str, ...] = ()
    """What a person should know of the copy (files left out, uncommitted changes taken along)."""
    tier: Tier = Tier.CONTAINER
    """The weakest isolation that is accepted; the policy can ask for a stronger one."""
    mounts: tuple[Mount, ...] = ()
    """Further folders that sandboxed commands see."""
    context_tokens: int | None = None
    """Of the models, where a person said so."""


async def start_job(
    engine: Engine,
    home: Path,
    goal: str,
    repository: Path,
    *,
    limits: Limits = Limits(),
    sandbox: SandboxLimits = SandboxLimits(),
    tests: TestSettings | None = None,
    models: Mapping[str, str] | None = None,
    base_url: str | None = None,
    budget: Budget | None = None,
    tier: Tier = Tier.CONTAINER,
    mounts: tuple[Mount, ...] = (),
    context_tokens: int | None = None,
    subject: str | None = None,
) -> RunId:
    """Makes the run's copy of the repository and journals the run; nothing of it happens yet.

    Raises `NotFound`, `UsageError`, `StoreFull` and what git says.
    """
    run = new_run_id()
    workspace = Workspace.create(home, run, repository)
    notes = _notes(workspace)
    plan: TestPlan | None = None
    try:
        plan = discover(workspace.root, repository.resolve(), tests)
        notes += [plan.hint] if plan.hint else []
    except NotFound as error:
        notes.append(f"{error.message}; {error.hint}" if error.hint else error.message)
    options = JobOptions(
        str(repository.resolve()),
        plan,
        limits,
        sandbox,
        dict(models or {}),
        base_url,
        tuple(notes),
        tier,
        mounts,
        context_tokens,
    )
    state = JobState(goal=goal, base=workspace.place.base)
    graph = make_swarm(workspace, options).graph
    return await engine.start(
        graph, state, goal=goal, budget=budget, options=options, run=run, subject=subject
    )


def _notes(workspace: Workspace) -> list[str]:
    """What is other in the copy than a person may think."""
    place = workspace.place
    notes = list(place.notes)
    if place.snapshot and place.source.git_dir is not None and place.source.head is not None:
        notes.append("what is not committed came along, as a commit on the run's branch")
    shown = [f"{item.path} ({item.why})" for item in place.left_out[:8]]
    if shown:
        more = f" and {len(place.left_out) - 8} more" if len(place.left_out) > 8 else ""
        notes.append(f"left out of the copy: {', '.join(shown)}{more}")
    return notes


async def run_job(
    engine: Engine, home: Path, run: RunId, *, budget: Budget | None = None
) -> Outcome[JobState]:
    """Executes a job from where its journal stands, and returns how it ended."""
    options = await job_options(engine, run)
    workspace = Workspace.open(home, run)
    code = code_engine(workspace)
    code.recover()
    return await engine.execute(run, make_swarm(workspace, options).graph, code=code, budget=budget)


async def fork_job(engine: Engine, home: Path, run: RunId, sequence: int | None = None) -> RunId:
    """A new job that shares this one's past up to record `sequence`, with a work tree as it was then."""
    fork = await engine.fork(run, sequence)
    records = await engine.records(fork)
    parent = Workspace.open(home, run)
    commit = parent.place.base
    programs: list[ev.EditAsked] = []
    pending: dict[str, ev.Event] = {}
    beside: str | None = None
    for record in records:
        event = record.event
        beside = still_beside(event, beside)
        if isinstance(event, (ev.EditAsked, ev.GitAsked)):
            pending[event.effect] = event
        elif isinstance(event, ev.GitAnswered):
            done = msgspec.json.decode(await engine.journal.load(event.result), type=GitDone)
            commit, programs = done.sha, []
        elif isinstance(event, ev.EditAnswered) and f".{SIDE}" not in event.effect:
            asked = pending[event.effect]
            assert isinstance(asked, ev.EditAsked)
            programs.append(asked)
    if beside is not None:
        raise UsageError(
            "coders work side by side at this record, in copies that a fork does not have",
            hint=f"fork at a record before they began or after they were merged: forgewright show {run} --records",
        )
    workspace = Workspace.fork(home, fork, parent, commit)
    code = code_engine(workspace)
    for asked in programs:
        program = msgspec.json.decode(await engine.journal.load(asked.program), type=str)
        plan = code.plan(program)
        if dict(plan.after) != asked.after:
            raise IntegrityError(
                f"edit {asked.effect} of run {run} gives other files now than it gave then",
                hint="fork the run after the next commit instead",
            )
        code.commit(plan)
    return fork


async def replay_job(engine: Engine, home: Path, run: RunId) -> RunId:
    """A new job with the same goal, options and starting commit; the engine's model should be `run`'s answers."""
    options = await job_options(engine, run)
    first = (await engine.records(run))[0].event
    assert isinstance(first, ev.RunStarted)
    parent = Workspace.open(home, run)
    again = new_run_id()
    workspace = Workspace.fork(home, again, parent, parent.place.base)
    state = JobState(goal=first.goal, base=workspace.place.base)
    graph = make_swarm(workspace, options).graph
    return await engine.start(graph, state, goal=first.goal, options=options, run=again)


async def job_options(engine: Engine, run: RunId) -> JobOptions:
    """Raises `NotFound` where there is no such run, or it is no job."""
    await engine.open()
    records = await engine.journal.read(run, limit=1)
    if not records:
        raise NotFound(f"there is no run {run}", hint="run: forgewright runs")
    event = records[0].event
    if not isinstance(event, ev.RunStarted) or event.graph != "swarm":
        raise NotFound(f"run {run} is no job of the swarm, but of another program")
    return msgspec.json.decode(event.options, type=JobOptions)


def make_swarm(workspace: Workspace, options: JobOptions) -> Swarm:
    """The swarm of a job."""
    spec = SandboxSpec(tier=options.tier, limits=options.sandbox, mounts=options.mounts)
    return Swarm(workspace, options.tests, spec, options.limits, context_tokens=options.context_tokens)


def code_engine(workspace: Workspace) -> CodeEngine:
    """The language of code over a job's work tree."""
    from forgewright.code.engine import CodeEngine

    return CodeEngine(workspace.root)
