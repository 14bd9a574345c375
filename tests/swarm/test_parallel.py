"""Coders side by side in work trees of their own, merged into one change; also when the process dies in between."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.scripted import Reply, Scripted, results
from tests.runtime.test_recovery import Died, Mortal

from forgewright.core.errors import UsageError
from forgewright.core.ids import RunId
from forgewright.journal import events as ev
from forgewright.models.types import Request, User
from forgewright.swarm.graph import Limits
from forgewright.swarm.job import fork_job, run_job, start_job
from forgewright.swarm.workspace import Workspace
from forgewright.wiring import open_engine

BASE = "import os\n\n\ndef here():\n    return os.getcwd()\n"
PLAN = [
    {"title": "Write add", "group": "one"},
    {"title": "Write sub", "group": "one"},
    {"title": "Clash", "group": "one"},
    {"title": "Sum up"},
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "app.py").write_text(BASE)
    (folder / "notes.txt").write_text("one\ntwo\n")
    for argv in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *argv], cwd=folder, check=True)
    return folder


def define(name: str, sign: str) -> str:
    return f"{BASE}\n\ndef {name}(a, b):\n    return a {sign} b\n"


class Coders:
    """What planner and coders say; remembers what the coder who goes on was told."""

    def __init__(self) -> None:
        self.told = ""

    def __call__(self, request: Request) -> Reply:
        seen = results(request)
        prompt = next(m.text for m in request.messages if isinstance(m, User))
        if request.role == "planner":
            return [("write_plan", {"steps": PLAN})] if not seen else "Do it."
        if "@" not in request.role:
            self.told = prompt
            return "Add add and sub"
        match prompt.partition("nothing else: ")[2].partition("\n")[0]:
            case "Write add":
                work = [edit("app.py", "app-add"), edit("notes.txt", "notes-add")]
            case "Write sub":
                work = [edit("app.py", "app-sub")]
            case _:
                work = [edit("notes.txt", "notes-clash")]
        return work if not seen else f"done: {' '.join(seen)[:40]}"


TEXTS = {
    "app-add": define("add", "+"),
    "app-sub": define("sub", "-"),
    "notes-add": "one\nTWO\n",
    "notes-clash": "one\nzwei\n",
}


def edit(path: str, which: str) -> tuple[str, dict[str, object]]:
    text = TEXTS[which].replace("\n", "\\n")
    return "code_edit", {"program": f"(create-file path: '{path}' content: '{text}' overwrite: true)"}


async def work(home: Path, run: str, model: Scripted, **options: Any) -> tuple[str, str]:
    """Status and summary."""
    async with open_engine(home, models={"default": model}, **options) as engine:
        outcome = await run_job(engine, home, RunId(run))
        return outcome.status, f"{outcome.state.summary} {outcome.detail}"


async def start(home: Path, repository: Path, model: Scripted) -> RunId:
    async with open_engine(home, models={"default": model}) as engine:
        return await start_job(engine, home, "Add add and sub", repository, limits=Limits(1, 0))


async def records(home: Path, run: RunId) -> list[ev.Record]:
    async with open_engine(home) as engine:
        return list(await engine.records(run))


WANTED = define("add", "+") + "\n\ndef sub(a, b):\n    return a - b\n"


def check(home: Path, run: RunId, events: list[ev.Event]) -> None:
    workspace = Workspace.open(home, run)
    assert (workspace.root / "app.py").read_text() == WANTED
    assert (workspace.root / "notes.txt").read_text() == TEXTS["notes-add"], "the first side stands"
    assert workspace.git.text("rev-parse", f"{workspace.head}^{{tree}}") == workspace.tree_digest()
    asked = Counter(e.effect for e in events if isinstance(e, ev.Asked))
    answered = Counter(e.effect for e in events if isinstance(e, ev.Answered))
    assert set(asked.values()) == set(answered.values()) == {1}
    assert len(list((home / "runs").iterdir())) == 1, "the side trees are gone"
    branches = workspace.git.text("for-each-ref", "--format=%(refname)", "refs/heads/forgewright/").split()
    assert branches == [f"refs/heads/forgewright/{run}"]


async def test_what_coders_do_side_by_side_is_merged_and_a_clash_is_put_to_the_coder_who_goes_on(
    tmp_path: Path, repository: Path
) -> None:
    coders = Coders()
    model = Scripted(coders)
    home = tmp_path / "home"
    run = await start(home, repository, model)
    status, summary = await work(home, run, model)
    assert status == "finished", summary
    assert "Add add and sub" in summary
    check(home, run, [r.event for r in await records(home, run)])
    assert "- Write add: done:" in coders.told
    assert "In notes.txt: 1 places that both sides changed" in coders.told
    assert "line 2, the other side has:\nzwei" in coders.told
    assert (repository / "app.py").read_text() == BASE


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lane", range(3))
async def test_a_crash_while_they_work_or_are_merged_changes_nothing(
    tmp_path: Path, repository: Path, lane: int
) -> None:
    for at in range(2 + lane * 2, 60, 6):
        model = Scripted(Coders())
        home = tmp_path / f"home{at}"
        run = await start(home, repository, model)
        engine = open_engine(home, models={"default": model})
        await engine.open()
        Mortal(engine, at, after=bool(at % 4)).arm()
        try:
            outcome = await run_job(engine, home, run)
        except BaseException as error:
            assert isinstance(error, Died) or isinstance(error.__cause__, Died), error
            await engine.journal.store.close()
        else:
            await engine.close()
            assert outcome.status == "finished"
        status, detail = await work(home, run, Scripted(Coders()))
        assert status == "finished", (at, detail)
        check(home, run, [r.event for r in await records(home, run)])
        Workspace.open(home, run).remove()


async def test_a_fork_goes_from_before_or_after_them_and_not_from_between(
    tmp_path: Path, repository: Path
) -> None:
    model = Scripted(Coders())
    home = tmp_path / "home"
    run = await start(home, repository, model)
    await work(home, run, model)
    events = await records(home, run)
    between = next(r.sequence for r in events if isinstance(r.event, ev.AgentAnswered))
    after = next(r.sequence for r in events if isinstance(r.event, ev.NodeLeft) and r.sequence > between)
    async with open_engine(home, models={"default": model}) as engine:
        with pytest.raises(UsageError, match="side by side"):
            await fork_job(engine, home, run, between)
        fork = await fork_job(engine, home, run, after)
        assert (Workspace.open(home, fork).root / "app.py").read_text() == WANTED
        outcome = await run_job(engine, home, fork)
        assert outcome.status == "finished", outcome.detail
