"""Operations that keep a program's meaning, judged by the projects' own test suites, run in a container.

    python -m tests.properties.no_harm.suites COUNT [SEED [PROJECTS [OPERATIONS]]]

PROJECTS are names with commas between, OPERATIONS beginnings of names (`extract,inline`); a sample of some operations is
another sample than one of all, with a log of its own.

A suite runs twice on the untouched project; only tests that passed both times are judged. Operations begin in source
files, never in a test file, and may follow a name into the tests. An operation has done harm if a test that passed
passes in none of three runs.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import sys
import time
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.properties.no_harm import corpus
from tests.properties.no_harm.operations import MAKERS, trial
from tests.properties.no_harm.renames import Ground, Harm
from tests.properties.no_harm.soak import RESULTS, SCRATCH, requirement

from forgewright.sandbox import Command, Limits, Mount, SandboxSpec
from forgewright.sandbox.drivers.container import ContainerDriver

Ends = Mapping[str, str]
"""Test → how it ended."""


@dataclass(frozen=True)
class Suite:
    share: int
    """Of a hundred operations."""
    sources: tuple[str, ...]
    """Where operations begin: the files that the suite runs."""
    arguments: tuple[str, ...]
    """Of pytest; or of Django's own runner."""
    django: bool = False


SUITES = {
    "cachetools": Suite(8, ("src/",), ("tests",)),
    "pluggy": Suite(8, ("src/",), ("testing",)),
    "mistune": Suite(9, ("src/",), ("tests",)),
    "sqlparse": Suite(9, ("sqlparse/",), ("tests",)),
    "toolz": Suite(8, ("toolz/", "tlz/"), ("toolz",)),
    "click": Suite(9, ("src/",), ("tests",)),
    "marshmallow": Suite(9, ("src/",), ("tests",)),
    "jinja2": Suite(9, ("src/",), ("tests",)),
    "boltons": Suite(9, ("boltons/",), ("--noconftest", "tests")),
    "attrs": Suite(6, ("src/",), ("tests",)),
    "parso": Suite(6, ("parso/",), ("test",)),
    "packaging": Suite(4, ("src/",), ("tests", "--ignore", "tests/test_version.py")),
    "more-itertools": Suite(2, ("more_itertools/",), ("tests",)),
    "Django": Suite(
        4,
        ("django/utils/", "django/forms/", "django/template/"),
        ("--parallel", "1", "-v", "2", "utils_tests", "forms_tests", "template_tests"),
        django=True,
    ),
}
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
RUNS = 3
SLOWER = 5
"""A suite that takes this many times as long as two runs on the untouched project hangs."""
ENDS = "/tmp/ends.json"
RUNNER = f"""
import json, sys, pytest

class Said:
    def __init__(self):
        self.ends = {{}}
    def pytest_runtest_logreport(self, report):
        worse = self.ends.get(report.nodeid, "passed") != "passed"
        if not worse and (report.when == "call" or report.outcome != "passed"):
            self.ends[report.nodeid] = report.outcome

said = Said()
pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore", "--tb=no", *sys.argv[1:]], [said])
json.dump(said.ends, open({ENDS!r}, "w"))
"""
DJANGO = re.compile(r"^(\w+ \([\w.]+\))(?:\n[^\n]*?)? \.\.\. (ok|FAIL|ERROR|skipped|expected failure)", re.M)


async def ended(root: Path, suite: Suite, seconds: float = 900.0) -> Ends:
    """How each test of the project at `root` ends; none does if they take longer than `seconds`."""
    prefix, base, packages = Path(sys.prefix), Path(sys.base_prefix), corpus.packages()
    mounts = [
        Mount(str(root), "/work/project", "cow"),
        Mount(str(prefix), str(prefix)),
        Mount(str(packages), "/work/packages"),
    ]
    if not base.is_relative_to("/usr"):
        mounts.append(Mount(str(base), str(base)))
    spec = SandboxSpec(
        limits=Limits(memory_bytes=2 << 30, output_bytes=16 << 20),
        mounts=tuple(mounts),
        workdir="/work/project/tests" if suite.django else "/work/project",
        environment={
            "PYTHONPATH": "/work/project/src:/work/project:/work/packages",
            "HOME": "/tmp",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONHASHSEED": "0",
        },
    )
    start = ("runtests.py",) if suite.django else ("-c", RUNNER)
    made = await ContainerDriver("crun").create(spec)
    try:
        argv = (str(prefix / "bin" / "python"), *start, *suite.arguments)
        done = await made.run(Command(argv=argv, timeout_seconds=seconds))
        if suite.django:
            return dict(DJANGO.findall(done.stderr.decode(errors="replace")))
        found: Ends = json.loads(await made.read(ENDS)) if done.reason == "exit" else {}
        return found
    finally:
        await made.close()


def passed(ends: Ends) -> set[str]:
    return {test for test, end in ends.items() if end in ("passed", "ok")}


def after(
    ground: Ground, suite: Suite, changed: Mapping[str, bytes | None], expected: set[str], seconds: float
) -> list[str]:
    """The tests that passed and pass in none of the runs with these files changed."""
    with TemporaryDirectory(dir=SCRATCH) as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "after"
        shutil.copytree(ground.root, root)
        for path, data in changed.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data) if data is not None else (root / path).unlink()
        worse = set(expected)
        for _ in range(RUNS):
            worse -= passed(asyncio.run(ended(root, suite, seconds)))
            if not worse:
                break
    return sorted(worse)


def chosen(operations: str) -> tuple[str, ...]:
    """The makers that begin with one of these, with commas between; all that keep what a suite uses if empty."""
    return tuple(name for name in KEPT if name.startswith(tuple(operations.split(","))))


def of_project(
    project: str, numbers: Collection[int], seed: int, log: Path, makers: tuple[str, ...] = KEPT
) -> None:
    """One line in the log for each number: a random operation and what the suite says of it."""
    suite = SUITES[project]
    with TemporaryDirectory(dir=SCRATCH) as folder:
        Path(folder).chmod(0o755)
        ground = Ground(corpus.python(requirement(project, corpus.PYTHON)), Path(folder) / "work")
        ground.python = [p for p in ground.python if p.startswith(suite.sources) and not of_tests(p)]
        started = time.monotonic()
        runs = [passed(asyncio.run(ended(ground.root, suite))) for _ in range(2)]
        seconds = 60.0 + SLOWER * (time.monotonic() - started)
        expected = runs[0] & runs[1]
        assert len(expected) > 50, (project, [len(run) for run in runs])
        for number in numbers:
            rng = random.Random(f"{seed}/{project}/{number}")
            entry: dict[str, object] = {"project": project, "number": number, "tests": len(expected)}
            entry["flaky"] = len(runs[0] ^ runs[1])
            for _ in range(TRIES):
                try:
                    name, end, program, changed = trial(ground, rng, rng.choice(makers))
                except Harm as error:
                    entry.update(operation="-", end="HARM", program=str(error), worse=[])
                    break
                if end == "done":
                    worse = after(ground, suite, changed, expected, seconds)
                    entry.update(operation=name, end="HARM" if worse else "done", program=program)
                    entry.update(worse=worse[:10], count=len(worse), files=sorted(changed))
                    break
            else:
                continue
            with log.open("a") as file:
                file.write(json.dumps(entry) + "\n")


def of_tests(path: str) -> bool:
    return any(part.startswith(("test", "conftest")) for part in path.split("/"))


def run(count: int, seed: int, only: str = "", operations: str = "") -> tuple[str, int]:
    RESULTS.mkdir(parents=True, exist_ok=True)
    makers = chosen(operations)
    some = f"-{zlib.crc32(repr(makers).encode()):08x}" if operations else ""
    log = RESULTS / f"suites-{seed}{some}.jsonl"
    for project, suite in SUITES.items():
        if only and project not in only.split(","):
            continue
        entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        had = {entry["number"] for entry in entries if entry["project"] == project}
        numbers = [n for n in range(max(1, round(suite.share * count / 100))) if n not in had]
        if numbers:
            of_project(project, numbers, seed, log, makers)
            print(project, flush=True)
    return table(log)


def table(log: Path) -> tuple[str, int]:
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    harm = [e for e in entries if e["end"] == "HARM"]
    rows = [f"{'':16} {'tests':>6} {'operations':>10} {'worse':>6}"]
    counted = Counter((e["project"], e["end"]) for e in entries)
    for project in SUITES:
        tests = max((e["tests"] for e in entries if e["project"] == project), default=0)
        done, worse = counted[project, "done"], counted[project, "HARM"]
        rows.append(f"{project:16} {tests:6} {done + worse:10} {worse:6}")
    rows.append(f"{len(entries)} operations, {len(entries) - len(harm)} suites as before")
    rows += [f"{e['project']} {e['number']}: {e['program']}  {e['count']}: {e['worse'][:3]}" for e in harm]
    return "\n".join(rows), len(harm)


if __name__ == "__main__":
    count, seed, only, some = (*sys.argv[1:], "", "", "", "")[:4]
    print(run(int(count or 100), int(seed or 1), only, some)[0])
