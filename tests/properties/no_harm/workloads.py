"""What some npm packages do, so that it can be compared before and after a refactoring of their code.

    FORGEWRIGHT_MODULES=…/node_modules python -m tests.properties.no_harm.workloads [--count 100] [--seed 1] [--only inline]

Random refactorings of the files that a workload loads; after each its output is the same, and undo gives back the
exact bytes. The folder holds the packages, installed with npm; all are plain JavaScript.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.properties.no_harm.script_extracts import MAKERS, Place

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError

MODULES = Path(os.environ.get("FORGEWRIGHT_MODULES", "node_modules"))
BYTES_MAX = 200_000
SOURCES = Path(__file__).parent / "script_workloads"
LOADED = "\nprocess.stderr.write(Object.keys(require.cache).join('\\n'))\n"


def source(name: str) -> str:
    return (SOURCES / f"{name}.js").read_text() + "\n"


class Ground:
    """A package on disk with what its workload says."""

    def __init__(self, name: str, work: Path) -> None:
        self.name, self.root = name, work
        shutil.copytree(MODULES / name, work)
        shutil.rmtree(work / "node_modules", ignore_errors=True)
        (work.parent / "load.js").write_text(source("prelude") + source(name) + LOADED)
        done = self.run()
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr[-2000:]}")
        self.said = done.stdout
        loaded = [Path(line) for line in done.stderr.splitlines() if line.startswith("/")]
        found = [p.resolve().relative_to(work.resolve()) for p in loaded if p.is_relative_to(work.resolve())]
        self.paths = [
            str(p) for p in found if (work / p).stat().st_size < BYTES_MAX and "node_modules" not in p.parts
        ] or [str(p) for p in found]
        self.engine = CodeEngine(work)

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", str(self.root.parent / "load.js")],
            cwd=self.root,
            env={**os.environ, "NODE_PATH": str(MODULES.resolve())},
            capture_output=True,
            text=True,
            timeout=60,
        )


def trial(ground: Ground, kind: str, rng: random.Random) -> tuple[str, str]:
    path = rng.choice(ground.paths)
    before = (ground.root / path).read_bytes()
    program = MAKERS[kind](Place(path, before, rng))
    if program is None:
        return "left out", ""
    try:
        plan = ground.engine.plan(program)
    except ForgewrightError as error:
        caught = "names would lose" in str(error) or "would not parse" in str(error)
        return ("HARM" if caught else "refused"), f"{program}: {error}"
    if not plan.changes:
        return "left out", ""
    committed = ground.engine.commit(plan)
    try:
        done = ground.run()
    finally:
        ground.engine.commit(ground.engine.plan(committed.undo))
    if (ground.root / path).read_bytes() != before:
        return "HARM", f"{program}: undo does not give back the file"
    if done.returncode or done.stdout != ground.said:
        return (
            "HARM",
            f"{program}: {done.stderr[-600:] if done.returncode else 'says something else'}\n{plan.diff()}",
        )
    return "done", ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="trials per package and kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--package", default="")
    chosen = parser.parse_args()
    ends: dict[str, Counter[str]] = {kind: Counter() for kind in MAKERS if chosen.only in kind}
    reasons: Counter[str] = Counter()
    for name in sorted(file.stem for file in SOURCES.glob("*.js") if file.stem != "prelude"):
        if chosen.package not in name:
            continue
        with TemporaryDirectory() as folder:
            ground = Ground(name, Path(folder) / "work")
            print(f"{name}: {len(ground.paths)} files, {ground.said.count(chr(10))} lines said", flush=True)
            for kind in ends:
                for number in range(chosen.count):
                    try:
                        end, said = trial(
                            ground, kind, random.Random(f"{chosen.seed}/{name}/{kind}/{number}")
                        )
                    except Exception:
                        end, said = "HARM", traceback.format_exc()[-2500:]
                    ends[kind][end] += 1
                    if end == "HARM":
                        print(f"HARM {name} {kind} {number}: {said[:3000]}\n", flush=True)
                    if end == "refused":
                        reasons[re.sub(r"'[^']*'|\d+", "_", said.partition(": ")[2].split("\n")[0])[:80]] += 1
                print(f"  {kind}: {dict(ends[kind])}", flush=True)
    for kind, count in ends.items():
        print(f"{kind:32} done {count['done']:5} refused {count['refused']:5} left out {count['left out']:5} "
              f"harm {count['HARM']:3}")  # fmt: skip
    for reason, times in reasons.most_common(30):
        print(f"{times:5} {reason}")
    raise SystemExit(1 if any(count["HARM"] for count in ends.values()) else 0)


if __name__ == "__main__":
    main()
