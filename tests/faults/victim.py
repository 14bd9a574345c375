"""Runs or resumes the demo's job in a process of its own, which kills itself at the n-th write to the journal.

    python -m tests.faults.victim HOME REPOSITORY start|RUN [before|after N]

Prints the run's id when it is journaled, and `finished` with the number of writes at the end.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.faults.dying import dying

from forgewright.core.ids import RunId
from forgewright.swarm.graph import Limits
from forgewright.swarm.job import run_job, start_job
from forgewright.wiring import open_engine

SESSION = Path(__file__).parents[2] / "examples" / "orders-session.jsonl"
GOAL = "Add an endpoint GET /orders/{id} with tests"


async def main(home: Path, repository: Path, what: str, when: str, at: int) -> None:
    async with open_engine(home, models={"default": f"replay:{SESSION}"}) as engine:
        writes = dying(engine, when, at)
        run = RunId(what)
        if what == "start":
            run = await start_job(engine, home, GOAL, repository, limits=Limits(3, 2))
            print(run, flush=True)
        outcome = await run_job(engine, home, run)
        print(outcome.status, outcome.reason, writes(), flush=True)
        print(outcome.detail, file=sys.stderr)


if __name__ == "__main__":
    rest = [*sys.argv[4:], "never", "0"]
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], rest[0], int(rest[1])))
