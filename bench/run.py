"""Runs benchmarks: `bench/run.py` lists them, `bench/run.py NAME [OPTIONS]` runs one (`make bench BENCH=NAME`).

A benchmark is a program `bench/NAME.py`, or `bench/NAME/run.py` beside its method and last results.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def benchmarks() -> dict[str, Path]:
    found = {path.stem: path for path in HERE.glob("*.py") if path.name != "run.py"}
    found |= {path.parent.name: path for path in HERE.glob("*/run.py")}
    return dict(sorted(found.items()))


def main() -> int:
    known = benchmarks()
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        print("benchmarks: " + ", ".join(known))
        return 0 if len(sys.argv) < 2 else 2
    return subprocess.call([sys.executable, str(known[sys.argv[1]]), *sys.argv[2:]])


if __name__ == "__main__":
    sys.exit(main())
