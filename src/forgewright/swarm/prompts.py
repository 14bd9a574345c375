"""What each agent of the swarm is told. The description of the language comes from its declarations."""

from __future__ import annotations

import functools
from collections.abc import Callable

from forgewright.agent.builtin.plan import Step
from forgewright.swarm.state import JobState
from forgewright.swarm.testing import TestReport, render

PLANNER = """You plan a change of a code base; others will carry it out.
Look at the code first: begin with (outline) and read what the change will touch. Do not change anything.
Write the plan with write_plan: three to seven steps that each can be checked, the tests among them.
Steps that touch different files and do not need each other may be given the same group: they are done side by side.
Then answer with a short brief for the coder: what to change where, which names and conventions to follow,
what must keep working, and how the new tests should look. No code blocks."""

CODER = """You change a code base so that it reaches the goal, following the plan.
Look before you change: code_query reads, code_edit changes. New behaviour comes with tests, written in the
project's own manner. Keep the plan up to date with write_plan. Make small programs; when one is refused, read
the reason and mend it. You can't run anything yourself: when you are done, the project's tests are run, and you
are told what failed. End with one sentence that says what you changed, fit for a commit message."""

REFACTORER = """You improve code that was just written and whose tests pass, without changing what it does:
names, duplication, structure, dead code. Touch only what the change touched. Use code_query and code_edit. If
nothing is worth improving, change nothing and say so. Your work is undone when the tests then fail. End with one
sentence that says what you improved, fit for a commit message."""


@functools.cache
def languages() -> tuple[str, str]:
    """How the language of code is explained to those who only read, and to those who also write."""
    from forgewright.code.operations import registry
    from forgewright.code.prompt import prompt

    names = registry.names()
    reading = [name for name in names if not registry.load(name).writes]
    return prompt(reading), prompt([name for name in names if name != "restore"])


def with_language(role: str, section: str) -> str:
    """A role's instructions, followed by the language of code as the run allows it."""
    return f"{role}\n\n{section}"


def to_planner(state: JobState) -> str:
    """The first message to the planner."""
    return f"Goal: {state.goal}\n\n{_tests(state.baseline, 'before any change')}"


def to_coder(state: JobState, changes: Callable[[], str]) -> str:
    """The message that starts (or, after failed tests, restarts) the coder."""
    parts = [f"Goal: {state.goal}", f"The planner's brief:\n{state.brief}", _plan(state.plan)]
    if state.attempts and state.report is not None:
        parts.append(f"What you changed so far:\n{changes()}")
        parts.append(f"{_tests(state.report, 'with your change')}\nFind the cause and mend it.")
    return "\n\n".join(part for part in parts if part)


def to_refactorer(state: JobState, changes: str) -> str:
    """The message that starts the refactorer."""
    parts = [f"The goal was: {state.goal}", f"The change, whose tests pass:\n{changes}"]
    if state.undone:
        undone = "\n".join(f"- {what}" for what in state.undone)
        parts.append(f"Tried before, and undone because tests failed:\n{undone}")
    return "\n\n".join(parts)


def _plan(plan: tuple[Step, ...]) -> str:
    if not plan:
        return ""
    return "Plan:\n" + "\n".join(f"- [{step.status}] {step.title}" for step in plan)


def _tests(report: TestReport | None, when: str) -> str:
    return "" if report is None else f"The project's tests {when}:\n{render(report)}"
