"""The main job's agents know what the project says, and remember from run to run."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Request
from forgewright.swarm.agents import project_scope
from forgewright.swarm.job import run_job, start_job
from forgewright.wiring import open_engine

FACT = "Prices are in cents."


def script(request: Request) -> Reply:
    told = results(request)
    if told:
        return told[-1]
    if request.role == "planner":
        return [("recall", {"query": "prices"})]
    return [("remember", {"text": FACT})]


async def test_project_files_skills_and_memory_reach_the_agents(tmp_path: Path) -> None:
    repository = tmp_path / "shop"
    skill = repository / ".forgewright" / "skills" / "price-things"
    skill.mkdir(parents=True)
    (repository / "AGENTS.md").write_text("Never use floats for money.")
    (repository / "shop.py").write_text("PRICE = 100\n")
    (skill / "SKILL.md").write_text(
        "---\nname: price-things\ndescription: How prices are made.\n---\nMultiply.\n"
    )
    model = Scripted(script)
    home = tmp_path / "home"
    async with open_engine(home, models={"default": model}) as engine:
        told = []
        for _ in range(2):
            run = await start_job(engine, home, "Look at it", repository, context_tokens=20_000)
            outcome = await run_job(engine, home, run)
            assert outcome.status == "finished", (outcome.reason, outcome.detail)
            told.append(outcome.state.brief)
    for request in model.requests:
        assert "Never use floats for money." in request.system
        assert "price-things (project's): How prices are made." in request.system
    assert told[0] == "nothing is remembered about that"
    assert FACT in told[1]
    assert str(project_scope(repository)) in told[1]


def test_folders_of_one_name_have_memories_of_their_own() -> None:
    one, other = project_scope(Path("/a/my shop")), project_scope(Path("/b/my shop"))
    assert one.startswith("project/my-shop-")
    assert one != other
