"""Operations that keep a program's meaning, judged by the projects' own test suites, run in a container.

python -m tests.properties.no_harm.suites COUNT [SEED]
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.properties.no_harm import corpus
from tests.properties.no_harm.operations import MAKERS, trial
from tests.properties.no_harm.renames import Ground, Harm
from tests.properties.no_harm.soak import RESULTS, SCRATCH, requirement

from forgewright.sandbox import Command, Limits, Mount, SandboxSpec
from forgewright.sandbox.drivers.container import ContainerDriver

PROJECTS = {"cachetools": "tests", "pluggy": "testing", "mistune": "tests", "sqlparse": "tests", "toolz": "toolz",
            "click": "tests"}  # fmt: skip
CHANGING = (
    "delete-unused",
    "safe-delete",
    "introduce-factory",
    "move-module",
    "push-down",
    "encapsulate-field",
)
"""Operations that take away or rename what a suite may use from outside by name."""
KEPT = tuple(name for name in MAKERS if not name.startswith(CHANGING))
TRIES = 40
COUNTS = re.compile(rb"(\d+) (passed|failed|error)")


async def suite(root: Path, tests: str) -> Counter[str]:
    """How many tests passed and failed."""
    prefix = Path(sys.prefix)
    base = Path(sys.base_prefix)
    mounts = [Mount(str(root), "/work/project", "cow"), Mount(str(prefix), str(prefix))]
    if not base.is_relative_to("/usr"):
        mounts.append(Mount(str(base), str(base)))
    spec = SandboxSpec(
        limits=Limits(memory_bytes=1 << 30), mounts=tuple(mounts), workdir="/work/project",
        environment={"PYTHONPATH": "src:.", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    made = await ContainerDriver("crun").create(spec)
    try:
        argv = (str(prefix / "bin" / "python"), "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
                "-p", "no:randomly", "-W", "ignore", "--tb=no", tests)  # fmt: skip
        ended = await made.run(Command(argv=argv, timeout_seconds=300.0))
    finally:
        await made.close()
    last = ended.stdout.strip().rpartition(b"\n")[2]
    return Counter({word.decode(): int(count) for count, word in COUNTS.findall(last)})


def of_project(project: str, count: int, seed: int, log: Path) -> None:
    with TemporaryDirectory(dir=SCRATCH) as folder:
        ground = Ground(corpus.python(requirement(project, corpus.PYTHON)), Path(folder) / "work")
        Path(folder).chmod(0o755)
        ground.python = [path for path in ground.python if "test" not in path]  # a test moved is a test less
        expected = asyncio.run(suite(ground.root, PROJECTS[project]))
        assert expected["passed"] > 50, (project, expected)
        rng = random.Random(f"{seed}/{project}")
        done = tried = 0
        while done < count and tried < count * TRIES:
            tried += 1
            try:
                name, end, program, changed = trial(ground, rng, rng.choice(KEPT))
            except Harm as error:
                name, end, program, changed = "-", "HARM", str(error), {}
            if end != "done" and end != "HARM":
                continue
            found: Counter[str] = expected
            if end == "done":
                after = Path(folder) / "after"
                shutil.copytree(ground.root, after)
                for path, data in changed.items():
                    (after / path).parent.mkdir(parents=True, exist_ok=True)
                    (after / path).write_bytes(data) if data is not None else (after / path).unlink()
                found = asyncio.run(suite(after, PROJECTS[project]))
                shutil.rmtree(after)
                end = "done" if found["passed"] >= expected["passed"] else "HARM"
            done += 1
            entry = {"project": project, "operation": name, "end": end, "program": program,
                     "before": expected, "after": found}  # fmt: skip
            with log.open("a") as file:
                file.write(json.dumps(entry) + "\n")


def run(count: int, seed: int) -> tuple[str, int]:
    RESULTS.mkdir(parents=True, exist_ok=True)
    log = RESULTS / f"suites-{seed}.jsonl"
    had = (
        Counter(json.loads(line)["project"] for line in log.read_text().splitlines()) if log.exists() else {}
    )
    share = -(-count // len(PROJECTS))
    for project in PROJECTS:
        if had.get(project, 0) < share:
            of_project(project, share - had.get(project, 0), seed + had.get(project, 0), log)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    harm = [e for e in entries if e["end"] == "HARM"]
    rows = [f"{len(entries)} operations, {len(entries) - len(harm)} suites as before"]
    rows += [f"{e['project']}: {e['program']}  {e['before']} → {e['after']}" for e in harm]
    return "\n".join(rows), len(harm)


if __name__ == "__main__":
    print(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)[0])
