"""Commits and resets of the run's own work tree, as effects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from forgewright.core.ids import EffectId
from forgewright.journal import events as ev
from forgewright.policy.types import Fact
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep, load

if TYPE_CHECKING:
    from forgewright.runtime.context import Context
    from forgewright.swarm.workspace import Workspace


class GitDone(msgspec.Struct, frozen=True):
    """Where the run's branch stands after it."""

    sha: str
    effect: EffectId


class GitEffect(Effect[GitDone]):
    """Base of both: its resource is the run's branch, its operation stands in the facts."""

    action = "git"
    operation: Literal["commit", "reset", "worktree", "merge"]

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.resource = "branch"

    def facts(self) -> Mapping[str, Fact]:
        return {"operation": self.operation}

    def detail(self) -> Mapping[str, str | int]:
        raise NotImplementedError

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        return ev.GitAsked(effect, decision, self.operation, msgspec.Raw(msgspec.json.encode(self.detail())))

    def matches(self, asked: ev.Asked) -> bool:
        return (
            isinstance(asked, ev.GitAsked)
            and asked.operation == self.operation
            and asked.detail == self.cleaner.raw(msgspec.Raw(msgspec.json.encode(self.detail())))
        )

    async def answered(self, effect: EffectId, answer: GitDone, ms: int, context: Context) -> ev.Answered:
        return ev.GitAnswered(effect, await keep(answer, context), ms)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> GitDone:
        assert isinstance(answered, ev.GitAnswered)
        return await load(answered.result, GitDone, context)


class Commit(GitEffect):
    """Reconcilable: the commit names the effect it came from, and can be found by it."""

    operation = "commit"
    recovery = "reconcilable"

    def __init__(self, workspace: Workspace, message: str, when_ms: int) -> None:
        super().__init__(workspace)
        self.message = message
        self.when_ms = when_ms

    def detail(self) -> Mapping[str, str | int]:
        return {"message": self.message, "when_ms": self.when_ms}

    async def perform(self, key: str, context: Context) -> GitDone:
        effect = EffectId(key.rpartition("/")[2])
        sha = await asyncio.to_thread(self.workspace.commit, self.message, effect, self.when_ms)
        return GitDone(sha, effect)

    async def reconcile(self, key: str, asked: ev.Asked, context: Context) -> GitDone | None:
        sha = await asyncio.to_thread(self.workspace.find_commit, asked.effect)
        return None if sha is None else GitDone(sha, asked.effect)


class Reset(GitEffect):
    """Idempotent: the files become those of a commit, however often."""

    operation = "reset"
    recovery = "idempotent"

    def __init__(self, workspace: Workspace, sha: str) -> None:
        super().__init__(workspace)
        self.sha = sha

    def detail(self) -> Mapping[str, str | int]:
        return {"to": self.sha}

    async def perform(self, key: str, context: Context) -> GitDone:
        await asyncio.to_thread(self.workspace.reset, self.sha)
        return GitDone(self.sha, EffectId(key.rpartition("/")[2]))
