"""The main job with its model behind a real server: each wire format, plain and streamed, with faults between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.models.server import ModelServer, Step, answer, reset, status

from forgewright.models.drivers.replay import load_session
from forgewright.models.types import Delta
from forgewright.swarm.graph import Limits
from forgewright.swarm.job import run_job, start_job
from forgewright.swarm.workspace import Workspace
from forgewright.wiring import open_engine

ROOT = Path(__file__).parents[2]
GOAL = "Add an endpoint GET /orders/{id} with tests"
ORDER = ("planner", "coder", "refactorer")


def script() -> list[Step]:
    """The session's answers in the order in which the job asks, with a fault before every fifth."""
    session = load_session(str(ROOT / "examples" / "orders-session.jsonl"))
    answers = [answer(lines[0].response) for role in ORDER for lines in session[role]]
    faults = [status(429, **{"Retry-After": "0"}), status(500), reset()]
    steps: list[Step] = []
    for number, step in enumerate(answers):
        if number % 5 == 0:
            steps.append(faults[number // 5 % len(faults)])
        steps.append(step)
    return steps


@pytest.mark.sandbox
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("provider", ["openai-chat", "openai-responses", "anthropic"])
async def test_the_job_over_each_wire_format(
    tmp_path: Path, provider: str, streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "key-of-the-test")
    repository = tmp_path / "orders"
    shutil.copytree(
        ROOT / "examples" / "orders-api", repository, ignore=shutil.ignore_patterns("__pycache__")
    )
    heard: list[Delta] = []
    async with ModelServer(script()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        listeners = {"on_delta": lambda run, actor, delta: heard.append(delta)} if streamed else {}
        async with open_engine(
            tmp_path / "home", models={"default": f"{provider}:test"}, **listeners
        ) as engine:
            run = await start_job(engine, tmp_path / "home", GOAL, repository, limits=Limits(3, 2))
            outcome = await run_job(engine, tmp_path / "home", run)
    assert outcome.status == "finished", (outcome.reason, outcome.detail)
    assert outcome.state.verdict == "passed"
    assert [len(outcome.state.commits), len(outcome.state.undone)] == [2, 1]
    assert bool(heard) == streamed
    workspace = Workspace.open(tmp_path / "home", run)
    assert "def find(get, what, id):" in (workspace.root / "orders_api" / "handlers.py").read_text()
    assert b"key-of-the-test" not in b"".join(p.read_bytes() for p in (tmp_path / "home").glob("journal*"))
