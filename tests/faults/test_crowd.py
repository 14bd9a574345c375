"""A hundred sub-agents at once over the real wire: ten fail, five hang, five need a yes, and the process is killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults.crowd import BUDGET
from tests.models.server import Exchange, ModelServer, answer, status

from forgewright.core.errors import UsageError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.journal.journal import open_journal
from forgewright.models.types import Assistant, Response, Text, ToolCall, Usage
from forgewright.runtime.engine import Engine

ROOT = Path(__file__).parents[2]
AGENTS = 100
KINDS = ["fail"] * 5 + ["silent"] * 5 + ["hang"] * 5 + ["ask"] * 5 + ["ok"] * 80
USAGE = Usage(100, 20)
POINTS = (5, 40, 90, 150)
"""Writes to the journal after which a process dies; a whole run takes about 200."""

pytestmark = [pytest.mark.timeout(540)]


class Crowded(ModelServer):
    """The last item is not answered before `last` is set, so that somebody works until then."""

    def __init__(self) -> None:
        super().__init__(forever())
        self.last = asyncio.Event()
        self.last.set()


def said(text: str) -> Response:
    return Response(Assistant((Text(text),)), "end", USAGE)


def calls(*made: tuple[str, dict[str, Any]]) -> Response:
    parts = tuple(ToolCall(f"call_{i}", name, json.dumps(given)) for i, (name, given) in enumerate(made))
    return Response(Assistant(parts), "tools", USAGE)


async def respond(exchange: Exchange) -> None:
    """The model: no state of its own, what a request holds decides the answer."""
    messages = exchange.asked.json["messages"]
    prompt = next(m["content"] for m in messages if m["role"] == "user")
    results = [m["content"] for m in messages if m["role"] == "tool"]
    if prompt == "go":
        if results:
            good = sum(text.startswith("item ") for text in results)
            await answer(said(f"{good} of {len(results)} did it"))(exchange)
        else:
            agents = {"hang": "sleeper"}
            tasks = [
                ("task", {"agent": agents.get(kind, "worker"), "prompt": f"{kind} {number}"})
                for number, kind in enumerate(KINDS)
            ]
            await answer(calls(*tasks))(exchange)
        return
    kind, number = prompt.split()
    if not results:
        used = "deploy" if kind == "ask" else "work"
        await answer(calls((used, {"item": int(number)})))(exchange)
    elif kind == "fail":
        await status(400, {"error": {"message": f"no item {number}", "type": "invalid_request_error"}})(
            exchange
        )
    elif kind == "silent":
        await answer(said(" "))(exchange)
    elif kind == "hang":
        exchange.server.waiting.set()
        await exchange.server.release.wait()
    else:
        if number == "99":
            assert isinstance(exchange.server, Crowded)
            await exchange.server.last.wait()
        await answer(said(f"item {number} is done"))(exchange)


def forever() -> Any:
    while True:
        yield respond


class Case:
    """One home, and the processes that work on its run one after the other."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.url = url
        self.run = RunId("")
        self.when_answered: Callable[[], None] = lambda: None
        """Called when all five questions are answered."""
        self.killed_with: dict[str, set[str]] = {}
        """Process → effects whose receipts stood in the journal when it had died."""

    async def process(self, what: str, *when: str, answers: bool = True) -> tuple[int, list[str]]:
        """Its exit code and what it printed last; a person answers meanwhile, in this process."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.crowd", str(self.home), self.url, what, *when,
            stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "OPENAI_API_KEY": "key-of-the-test"},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            if what == "start":
                self.run = RunId((await process.stdout.readline()).decode().strip())
            person = asyncio.create_task(self.answer_all()) if answers else None
            last = (await process.stdout.read()).decode().split()
            await process.wait()
            if person is not None:
                person.cancel()
                await asyncio.wait([person])
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode is not None
        return process.returncode, last

    async def answer_all(self) -> None:
        """Says yes to each question as it comes."""
        async with Engine(home=self.home) as engine:
            answered = {
                r.event.effect for r in await self.records() if isinstance(r.event, ev.QuestionAnswered)
            }
            async for record in engine.journal.follow(self.run):
                event = record.event
                if isinstance(event, ev.QuestionAsked) and event.effect not in answered:
                    try:
                        await engine.answer(self.run, "yes", by="ada", effect=event.effect)
                    except UsageError:  # it was closed meanwhile
                        pass
                    answered.add(event.effect)
                    if len(answered) == KINDS.count("ask"):
                        self.when_answered()

    async def records(self) -> list[ev.Record]:
        journal = await open_journal(self.home)
        try:
            return list(await journal.read(self.run))
        finally:
            await journal.close()

    def effects(self) -> list[list[str]]:
        return [line.split() for line in (self.home / "effects").read_text().splitlines()]

    async def remember(self) -> None:
        """After a kill: what was recorded as done must not be done again by a later process."""
        done = {r.event.effect for r in await self.records() if isinstance(r.event, ev.Answered)}
        before = {process for _, process in self.effects()} if (self.home / "effects").exists() else set()
        self.killed_with[" ".join(sorted(before))] = {f"{self.run}/{effect}" for effect in done}

    async def check(self, last: list[str]) -> None:
        """What criterion and journal say of the end."""
        records = await self.records()
        events = [r.event for r in records]
        assert last[:1] == ["finished"], last
        assert " ".join(last[3:]) == "85 of 100 did it"
        ended = Counter(e.status for e in events if isinstance(e, ev.AgentAnswered))
        assert ended == {"completed": 85, "failed": 10, "timeout": 5}
        answers = [e for e in events if isinstance(e, ev.QuestionAnswered)]
        assert sorted(e.by for e in answers) == ["ada"] * 5
        asked = Counter(e.effect for e in events if isinstance(e, ev.Asked))
        receipts = Counter(e.effect for e in events if isinstance(e, ev.Answered))
        assert set(asked.values()) == {1}
        assert receipts == asked, "each intent has exactly one receipt"
        tokens = sum(e.input_tokens + e.output_tokens for e in events if isinstance(e, ev.ModelAnswered))
        assert BUDGET.tokens is not None
        assert 100 * 120 < tokens <= BUDGET.tokens
        assert BUDGET.steps is not None
        assert len(asked) <= BUDGET.steps
        done = self.effects()
        assert len({key for key, _ in done}) == AGENTS
        for processes, recorded in self.killed_with.items():
            later = {key for key, process in done if process not in processes.split()}
            assert not later & recorded


@pytest.fixture
def server() -> Crowded:
    return Crowded()


async def test_a_hundred_sub_agents_end_each_in_its_own_way(tmp_path: Path, server: Crowded) -> None:
    """Five questions are answered from another process while the others work, and nothing has to be resumed."""
    server.last.clear()
    async with server:
        case = Case(tmp_path / "home", server.url)
        case.when_answered = server.last.set
        code, last = await case.process("start")
        assert code == 0
        await case.check(last)
        assert not [r for r in await case.records() if isinstance(r.event, ev.RunParked)]


async def test_questions_that_nobody_answers_park_the_run_when_all_others_are_done(
    tmp_path: Path, server: Crowded
) -> None:
    async with server:
        case = Case(tmp_path / "home", server.url)
        code, last = await case.process("start", answers=False)
        assert (code, last[:2]) == (0, ["parked", "approval"])
        events = [r.event for r in await case.records()]
        ended = Counter(e.status for e in events if isinstance(e, ev.AgentAnswered))
        assert ended == {"completed": 80, "failed": 10, "timeout": 5}
        open_questions = [e for e in events if isinstance(e, ev.QuestionAsked)]
        async with Engine(home=case.home) as person:
            for question in open_questions:
                await person.answer(case.run, "yes", by="ada", effect=question.effect)
        await case.remember()
        code, last = await case.process(case.run, answers=False)
        await case.check(last)


async def killed_and_resumed(folder: Path, url: str, when: str, at: int) -> None:
    case = Case(folder, url)
    code, _ = await case.process("start", when, str(at))
    assert code == -9, at
    await case.remember()
    code, last = await case.process(case.run)
    if last[:1] == ["parked"]:  # its last question was asked when nobody else worked any more
        code, last = await case.process(case.run)
    assert code == 0
    await case.check(last)


async def writes_of_a_whole_run(folder: Path, url: str) -> int:
    case = Case(folder, url)
    _, last = await case.process("start")
    return int(last[2])


@pytest.mark.parametrize("point", POINTS)
async def test_killed_in_the_middle_and_resumed(tmp_path: Path, server: Crowded, point: int) -> None:
    async with server:
        await killed_and_resumed(tmp_path / "home", server.url, "after", point)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("lane", range(2))
async def test_killed_at_every_write_and_resumed(
    tmp_path: Path, server: Crowded, when: str, lane: int
) -> None:
    async with server:
        writes = await writes_of_a_whole_run(tmp_path / "whole", server.url)
        # How many writes a run takes differs a little from run to run.
        for at in range(2 + lane, writes * 8 // 10, 2):
            await killed_and_resumed(tmp_path / f"home{at}", server.url, when, at)
