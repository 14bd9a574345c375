"""The swarm as an explicit state graph: who works when, and what each outcome leads to."""

from __future__ import annotations

import asyncio

import msgspec

from forgewright.agent.builtin.plan import latest_plan
from forgewright.core.errors import NotFound
from forgewright.graph import END, End, Goto, Graph, Update
from forgewright.models.types import Assistant, Message, ToolResult
from forgewright.runtime.context import Context
from forgewright.sandbox.types import Mount, SandboxSpec
from forgewright.swarm import prompts
from forgewright.swarm.agents import Agents
from forgewright.swarm.effects import Commit, Reset
from forgewright.swarm.parallel import code_side_by_side, group_of, told
from forgewright.swarm.state import Accepted, JobState
from forgewright.swarm.testing import TestOutput, TestPlan, TestReport, discover, headline, parse
from forgewright.swarm.workspace import Workspace

CHANGES_CHARS_MAX = 24_000
INSIDE = "/workspace"
"""Where the work tree is seen in the sandbox."""


class Limits(msgspec.Struct, frozen=True):
    """How often the swarm tries."""

    attempts: int = 3
    """Times the coder is sent back to mend failing tests."""
    improvements: int = 1
    """Times the refactorer is sent in."""


EDGES = {
    "baseline": ("plan",),
    "plan": ("code",),
    "code": ("test", "finish"),
    "test": ("code", "refactor", "finish"),
    "refactor": ("test", "finish"),
    "finish": (END,),
}
"""Node → where it may lead."""


class Swarm:
    """The four agents and their graph, over one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        tests: TestPlan | None,
        spec: SandboxSpec,
        limits: Limits,
        *,
        context_tokens: int | None = None,
    ) -> None:
        self.workspace = workspace
        self.tests = tests
        self.spec = spec
        self.limits = limits
        prefix = workspace.place.source.prefix
        self.root_inside = f"{INSIDE}/{prefix}" if prefix else INSIDE
        agents = Agents(workspace, context_tokens)
        self.planner, self.coder, self.refactorer = agents.planner, agents.coder, agents.refactorer
        self.graph = declare(self)

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────

    async def baseline(self, state: JobState, context: Context) -> Update:
        """What the project's tests say before anything is changed."""
        return Update(baseline=await self._run_tests(context))

    async def plan(self, state: JobState, context: Context) -> Update:
        answer = await self.planner.act(context.scope("planner", actor="planner"), prompts.to_planner(state))
        return Update(plan=latest_plan(answer.messages), brief=answer.text)

    async def code(self, state: JobState, context: Context) -> Goto:
        changes = await self._changes(context) if state.attempts else ""
        prompt = prompts.to_coder(state, lambda: changes)
        steps = () if state.attempts else group_of(state.plan)
        if steps:
            sides = await code_side_by_side(
                self.workspace, self.coder, steps, prompt, context.scope("coders", actor="coder")
            )
            prompt = f"{prompt}\n\n{told(sides)}"
        answer = await self.coder.act(context.scope("coder", actor="coder"), prompt)
        plan = latest_plan(answer.messages, state.plan)
        if not (_edited(answer.messages) or steps) and not state.attempts:
            return Goto("finish", plan=plan, told=answer.text, verdict="unchanged")
        return Goto("test", plan=plan, told=answer.text)

    async def test(self, state: JobState, context: Context) -> Goto:
        """Runs the tests and decides: accept (commit), send back, or undo."""
        report = await self._run_tests(context)
        good = report is None or accepted(report, state.baseline)
        if good:
            commit = await self._commit(state, context)
            more = state.improvements < self.limits.improvements
            return Goto(
                "refactor" if more else "finish",
                report=report,
                commits=commit,
                phase="improve",
                verdict="passed",
            )
        if state.phase == "improve":
            await context.perform(Reset(self.workspace, state.commits[-1].sha))
            more = state.improvements < self.limits.improvements
            return Goto("refactor" if more else "finish", undone=(_title(state.told),))
        if state.attempts >= self.limits.attempts:
            return Goto("finish", report=report, verdict="failed")
        return Goto("code", report=report, attempts=state.attempts + 1)

    async def refactor(self, state: JobState, context: Context) -> Goto:
        prompt = prompts.to_refactorer(state, await self._changes(context))
        answer = await self.refactorer.act(context.scope("refactorer", actor="refactorer"), prompt)
        count = state.improvements + 1
        if not _edited(answer.messages):
            return Goto("finish", improvements=count)
        return Goto("test", improvements=count, told=answer.text)

    async def finish(self, state: JobState, context: Context) -> End:
        diff = await asyncio.to_thread(self.workspace.diff)
        await context.artifact("change.patch", diff.encode(), media="text/x-diff")
        summary = summarise(state)
        await context.note("summary", summary)
        return End(summary=summary)

    # ── what they share ──────────────────────────────────────────────────────────────────────────────

    async def _run_tests(self, context: Context) -> TestReport | None:
        """The project's tests in the sandbox; None where the project has none."""
        plan = self.tests or await self._found_since(context)
        if plan is None:
            return None
        spec = msgspec.structs.replace(
            self.spec,
            mounts=(
                *self.spec.mounts,
                Mount(str(self.workspace.tree), INSIDE, "cow"),
                *plan.mounts_at(self.root_inside),
            ),
        )
        ended = await context.scope("tests", actor="tester").exec(
            plan.command(self.root_inside), purpose="tests", spec=spec
        )
        output = TestOutput(ended.stdout, ended.stderr, ended.code, ended.reason, ended.seconds)
        report = parse(output, plan.framework, root=self.root_inside)
        await context.note("tests", report)
        return report

    async def _found_since(self, context: Context) -> TestPlan | None:
        """How tests are run that the run itself brought to a project without any."""
        found = await context.read("test plan", self._look_for_tests, tuple[TestPlan, ...])
        return found[0] if found else None

    def _look_for_tests(self) -> tuple[TestPlan, ...]:
        source = self.workspace.place.source
        try:
            return (discover(self.workspace.root, source.root / source.prefix),)
        except NotFound:
            return ()

    async def _commit(self, state: JobState, context: Context) -> tuple[Accepted, ...]:
        title = _title(state.told) or state.goal
        when = await context.now()
        done = await context.scope("commit", actor="tester").perform(Commit(self.workspace, title, when))
        return (Accepted(done.sha, title, done.effect),)

    async def _changes(self, context: Context) -> str:
        """All that the run changed so far, committed or not, as far as a model can be told."""
        diff = await context.read("changes", lambda: asyncio.to_thread(self.workspace.diff_all), str)
        if len(diff) <= CHANGES_CHARS_MAX:
            return diff
        return diff[:CHANGES_CHARS_MAX] + f"\n… {len(diff) - CHANGES_CHARS_MAX:,} characters left out …"


def declare(swarm: Swarm | type[Swarm]) -> Graph[JobState]:
    """The graph whose nodes are the methods of that name; of the class itself, it can be drawn but not run."""
    graph = Graph("swarm", JobState)
    for name, to in EDGES.items():
        graph.add(name, getattr(swarm, name), to=to)
    return graph


def swarm_graph() -> Graph[JobState]:
    """The graph, to be drawn."""
    return declare(Swarm)


def accepted(report: TestReport, baseline: TestReport | None) -> bool:
    """Whether a change may be committed: all tests pass, or none fails that did not fail before."""
    if report.ok:
        return True
    if baseline is None or baseline.ok or not report.ran:
        return False
    before = {failure.id for failure in baseline.failures}
    return bool(report.failures) and all(failure.id in before for failure in report.failures)


def summarise(state: JobState) -> str:
    """What came of the job, for people."""
    lines = []
    match state.verdict:
        case "passed":
            lines.append(f"Done: {state.goal}")
        case "unchanged":
            lines.append(f"Nothing was changed: {_title(state.told)}")
        case _:
            lines.append(f"Not reached: {state.goal}")
    lines += [f"- {commit.title} ({commit.sha[:10]})" for commit in state.commits]
    lines += [f"- undone, tests failed with it: {what}" for what in state.undone]
    if state.report is not None and state.verdict != "unchanged":
        lines.append(f"Tests: {headline(state.report)}")
    elif state.report is None and state.baseline is None:
        lines.append("Tests: the project has none that could be found, so nothing was run")
    return "\n".join(lines)


def _title(told: str) -> str:
    """The first sentence of what an agent said, as a commit's title."""
    line = next((line.strip() for line in told.strip().splitlines() if line.strip()), "")
    return line if len(line) <= 100 else line[:99].rstrip() + "…"


def _edited(messages: tuple[Message, ...]) -> bool:
    """Whether the conversation holds an edit that was applied."""
    failed = {m.call for m in messages if isinstance(m, ToolResult) and m.error}
    return any(
        call.name == "code_edit" and call.id not in failed
        for message in messages
        if isinstance(message, Assistant)
        for call in message.calls
    )
