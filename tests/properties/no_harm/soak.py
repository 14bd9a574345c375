"""The long run: 2,000 renames and 1,300 other operations, in processes of their own, resumable.

    python -m tests.properties.no_harm.soak [--share 0.1] [--seed 1] [--workers 2] [--skip P,Q]
        [--only rename|other|script|script-other]
    python -m tests.properties.no_harm.soak --again [--seed 1]

Every trial's end is a line in `var/no-harm/SEED.jsonl`; a run that was broken off goes on behind the last one.
`--again` repeats the trials that were flagged; what was said of them the first time is kept with each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.properties.no_harm import corpus, operations, renames, script_operations, scripts

RESULTS = Path(__file__).parents[3] / "var" / "no-harm"
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None
TRIES = 12
"""Trials for one operation that is carried out, at most."""

RENAMES = {"Django": 200, "sympy": 40, "sqlalchemy": 40, "Flask": 140, "jinja2": 140, "werkzeug": 140, "attrs": 140,
           "click": 140, "requests": 100, "boltons": 140, "marshmallow": 120, "parso": 100, "pyparsing": 60,
           "packaging": 60, "sqlparse": 60, "mistune": 60, "toolz": 50, "pluggy": 40, "cachetools": 30,
           "more-itertools": 20}  # fmt: skip
SCRIPTS = {"zod": 20, "rxjs": 50, "express": 10, "commander": 30, "effect": 10, "three": 10, "immer": 30,
           "preact": 30, "@reduxjs/toolkit": 30}  # fmt: skip
SCRIPT_OTHERS = {"zod": 40, "rxjs": 60, "express": 30, "commander": 50, "immer": 50, "preact": 50,
                 "@reduxjs/toolkit": 40}  # fmt: skip
OTHERS = {"Django": 120, "sympy": 20, "sqlalchemy": 30, "Flask": 80, "jinja2": 80, "werkzeug": 80, "attrs": 80,
          "click": 80, "requests": 70, "boltons": 80, "marshmallow": 60, "parso": 50, "pyparsing": 40,
          "packaging": 40, "sqlparse": 30, "mistune": 30, "toolz": 30, "pluggy": 20, "cachetools": 15,
          "more-itertools": 15}  # fmt: skip


def tasks(share: float) -> list[tuple[str, str, int]]:
    """(what, project, how many)."""
    found = []
    for what, table in (
        ("rename", RENAMES),
        ("other", OTHERS),
        ("script", SCRIPTS),
        ("script-other", SCRIPT_OTHERS),
    ):
        found += [(what, project, max(1, round(count * share))) for project, count in table.items()]
    return sorted(found, key=lambda task: -task[2])


def requirement(project: str, table: tuple[str, ...]) -> str:
    return next(r for r in table if r.lower().startswith(project.lower() + ("==" if "==" in r else "@")))


def work(task: tuple[str, str, int], seed: int, log: Path) -> None:
    what, project, count = task
    ends: Counter[str] = Counter()
    tried = 0
    for line in log.read_text().splitlines() if log.exists() else ():
        kept = json.loads(line)
        if (kept["what"], kept["project"]) == (what, project):
            ends[kept["end"]] += 1
            tried = max(tried, kept["number"] + 1)
    if ends["done"] >= count or tried >= count * TRIES:
        return
    with TemporaryDirectory(dir=SCRATCH) as folder:
        ground = prepared(what, project, Path(folder) / "work")
        while ends["done"] < count and tried < count * TRIES:
            entry = {
                "what": what,
                "project": project,
                "number": tried,
                **one(what, ground, f"{seed}/{what}/{project}/{tried}"),
            }
            with log.open("a") as file:
                file.write(json.dumps(entry) + "\n")
            ends[str(entry["end"])] += 1
            tried += 1
    print(f"{what} {project}: {dict(ends)}", flush=True)


def prepared(what: str, project: str, work: Path) -> Any:
    """A copy of the project with what is known of it."""
    if what.startswith("script"):
        return scripts.Ground(corpus.npm(requirement(project, corpus.NPM)), work)
    return renames.Ground(corpus.python(requirement(project, corpus.PYTHON)), work)


def again(seed: int) -> tuple[str, int]:
    """Repeats the trials that were flagged."""
    log = RESULTS / f"{seed}.jsonl"
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    for entry in entries:
        if entry["end"] != "HARM":
            continue
        what, project = entry["what"], entry["project"]
        with TemporaryDirectory(dir=SCRATCH) as folder:
            ground = prepared(what, project, Path(folder) / "work")
            now = one(what, ground, f"{seed}/{what}/{project}/{entry['number']}")
        entry.update(now, was=[*entry.get("was", []), entry["text"]])
        if now["end"] != "HARM":
            del entry["text"]
        print(f"{what} {project} {entry['number']}: {now['end']}", flush=True)
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return table(log)


def one(what: str, ground: Any, seed: str) -> dict[str, Any]:
    rng = random.Random(seed)
    started = time.monotonic()
    try:
        if what == "rename":
            kind, end = renames.trial(ground, rng)
        elif what == "script":
            kind, end = scripts.trial(ground, rng)
        elif what == "script-other":
            kind, end = script_operations.trial(ground, rng)
        else:
            kind, end, _, _ = operations.trial(ground, rng)
    except Exception as error:
        text = "".join(traceback.format_exception_only(error))
        if not isinstance(error, renames.Harm):
            text += "".join(traceback.format_tb(error.__traceback__)[-3:])
        return {"kind": "-", "end": "HARM", "text": text, "seconds": round(time.monotonic() - started, 2)}
    return {"kind": kind, "end": end, "seconds": round(time.monotonic() - started, 2)}


def table(log: Path) -> tuple[str, int]:
    """The result as a table, and how many trials did harm."""
    kinds: dict[str, Counter[str]] = {}
    harm = []
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        kinds.setdefault(entry["what"] + " " + entry["kind"], Counter())[entry["end"]] += 1
        kinds.setdefault(entry["what"] + " (all)", Counter())[entry["end"]] += 1
        if entry["end"] == "HARM":
            harm.append(entry)
    rows = [f"{'':44} {'done':>6} {'refused':>8} {'left out':>9} {'harm':>5}"]
    for kind, ends in sorted(kinds.items()):
        rows.append(f"{kind:44} {ends['done']:6} {ends['refused']:8} {ends['left out']:9} {ends['HARM']:5}")
    rows += [f"{e['what']} {e['project']} {e['number']}: {e['text'].strip()[:900]}" for e in harm]
    return "\n".join(rows), len(harm)


def run(share: float, seed: int, workers: int, only: str = "", skip: str = "") -> tuple[str, int]:
    RESULTS.mkdir(parents=True, exist_ok=True)
    log = RESULTS / f"{seed}.jsonl"
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, maxtasksperchild=1) as pool:
        chosen = [task for task in tasks(share) if not only or task[0] == only]
        chosen = [task for task in chosen if task[1] not in skip.split(",")]
        for _ in pool.imap_unordered(_work, [(task, seed, log) for task in chosen], chunksize=1):
            pass
    return table(log)


def _work(given: tuple[tuple[str, str, int], int, Path]) -> None:
    task, seed, log = given
    try:
        work(task, seed, log)
    except Exception:
        traceback.print_exc()
        print(f"{task}: broken off", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", default="", help="projects to leave out, with commas")
    parser.add_argument("--again", action="store_true")
    chosen = parser.parse_args()
    if chosen.again:
        said, harm = again(chosen.seed)
    else:
        said, harm = run(chosen.share, chosen.seed, chosen.workers, chosen.only, chosen.skip)
    print(said)
    raise SystemExit(1 if harm else 0)


if __name__ == "__main__":
    main()
