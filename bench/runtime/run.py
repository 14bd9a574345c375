"""Forgewright and its peers on the same work, interleaved, against one local model server.

    bench/run.py runtime                                   everything, 5 rounds
    bench/run.py runtime --rounds 3 --modes start,turn --only raw,forgewright
    bench/run.py runtime --show                            the tables of the last run of each mode

Each measurement is a process of its own. It counts only if the server saw exactly the requests that the work
needs and the final text carries the last tool's result; a run that does not is shown as such. Times are
medians; a ratio is that of medians to Forgewright's. Method and last results: README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import venvs

HERE = Path(__file__).resolve().parent
RESULTS = venvs.ROOT / "var" / "bench-runtime.json"
SCRATCH = venvs.ROOT / "var" / "bench-scratch"
PROGRAMS = {
    "raw": "raw.py",
    "forgewright": "forgewright_agent.py",
    "langgraph": "langgraph_loop.py",
    "deepagents": "deepagents_agent.py",
    "pydantic-ai": "pydantic_ai_agent.py",
    "agent-framework": "agent_framework_agent.py",
    "openai-agents": "openai_agents_agent.py",
}
DURABLE = ("raw", "forgewright", "langgraph", "deepagents", "openai-agents")
PER_STEP = ("raw", "forgewright", "langgraph", "deepagents")
"""Those that store each step and not only the conversation at its end."""
RUNS = 3


class Mode:
    """`requests`: how many the server has to see. `figures`: name, unit, and how it is computed."""

    def __init__(
        self, program: str, script: str, requests: int, figures: dict[str, Any], **options: Any
    ) -> None:
        self.program = program
        self.script = script
        self.requests = requests
        self.figures = figures
        self.durable: bool = options.get("durable", False)
        self.agents: int = options.get("agents", 1)
        self.contenders: tuple[str, ...] = options.get("contenders", tuple(PROGRAMS))
        self.once: bool = options.get("once", False)


_START = {
    "CPU ms": lambda r: r["cpu_ms"],
    "wall ms": lambda r: r["wall_ms"],
    "peak MiB": lambda r: r["peak_mib"],
}
_TURN = {
    "CPU ms/turn": lambda r: r["said"]["cpu_seconds"] / 21 * 1e3,
    "wall ms/turn": lambda r: r["said"]["wall_seconds"] / 21 * 1e3,
}
_FLEET = {
    "CPU s": lambda r: r["said"]["cpu_seconds"],
    "wall s": lambda r: r["said"]["wall_seconds"],
    "KiB/agent": lambda r: r["said"]["kib_per_agent"],
}
_STORE = {
    "stored/payload": lambda r: r["stored_bytes"] / 500_000,
    "MiB stored": lambda r: r["stored_bytes"] / (1 << 20),
    "CPU s": lambda r: r["cpu_ms"] / 1e3,
}
MODES = {
    "start": Mode("first", "k0-add", 1, _START),
    "turn": Mode("turn", "k20-add", 21 * (RUNS + 1), _TURN),
    "durable": Mode("turn", "k20-add", 21 * (RUNS + 1), _TURN, durable=True, contenders=DURABLE),
    "fleet1": Mode("fleet", "k5-d50-add", 12, _FLEET),
    "fleet100": Mode("fleet", "k5-d50-add", 6 * 101, _FLEET, agents=100),
    "fleet1000": Mode("fleet", "k5-d50-add", 6 * 1001, _FLEET, agents=1000),
    "crowd100": Mode("crowd", "k5-d50-add", 6 * 101, _FLEET, agents=100),
    "crowd100d": Mode("crowd", "k5-d50-add", 6 * 101, _FLEET, agents=100, durable=True, contenders=PER_STEP),
    "store": Mode("store", "k1000-fetch", 1001, _STORE, durable=True, contenders=PER_STEP, once=True),
}
TITLES = {
    "start": "Process start to the first answer of a model (whole process)",
    "turn": "One tool turn, nothing stored (run of 20 turns)",
    "durable": "One tool turn, durable (SQLite, synchronous=FULL where the framework lets one choose)",
    "fleet1": "1 agent of 5 turns, model takes 50 ms",
    "fleet100": "100 agents of 5 turns at once",
    "fleet1000": "1,000 agents of 5 turns at once",
    "crowd100": "100 sub-agents of 5 turns in one run",
    "crowd100d": "100 sub-agents of 5 turns in one run, durable",
    "store": "1,000 turns with 500-byte results in one run: bytes on disk per payload byte",
}


class Server:
    def __init__(self) -> None:
        environ = {**os.environ, "PYTHONPATH": str(venvs.ROOT / "src")}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "model_server.py")], stdout=subprocess.PIPE, text=True, env=environ
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def requests(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=30) as answer:
            return int(json.load(answer)["requests"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def measure(name: str, mode: Mode, server: Server, timeout_seconds: float) -> dict[str, Any]:
    """One process of one contender: what it said, what it cost, whether it counts."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    url = f"http://127.0.0.1:{server.port}/{mode.script}"
    db = str(SCRATCH / "db") if mode.durable else ""
    command = [str(venvs.python_of(name)), str(HERE / "contenders" / PROGRAMS[name]), mode.program]
    command += ["--url", url, "--db", db, "--agents", str(mode.agents), "--runs", str(RUNS)]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    before = server.requests()
    out, err = SCRATCH.parent / "bench-stdout", SCRATCH.parent / "bench-stderr"
    files = [
        (os.POSIX_SPAWN_OPEN, 1, str(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, str(err), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    began = time.monotonic()
    process = os.posix_spawn(command[0], command, environ, file_actions=files)
    watch = threading.Timer(timeout_seconds, os.kill, (process, signal.SIGKILL))
    watch.start()
    _, status, usage = os.wait4(process, 0)
    watch.cancel()
    code = os.waitstatus_to_exitcode(status)
    row: dict[str, Any] = {
        "wall_ms": (time.monotonic() - began) * 1e3,
        "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1e3,
        "peak_mib": usage.ru_maxrss / 1024,
        "stored_bytes": sum(path.stat().st_size for path in SCRATCH.rglob("*") if path.is_file()),
    }
    complaint = err.read_text(errors="replace").strip().splitlines()
    lines = [line for line in out.read_text().splitlines() if line.startswith("{")]
    row["said"] = json.loads(lines[-1]) if lines else {}
    asked = server.requests() - before
    if code == -signal.SIGKILL:
        row["bad"] = f"took longer than {timeout_seconds:.0f} s"
    elif code or not lines:
        row["bad"] = complaint[-1][:200] if complaint else f"exit code {code}"
    elif asked != mode.requests:
        row["bad"] = f"{asked} requests instead of {mode.requests}"
    elif not str(row["said"].get("text", "")).startswith("FINAL"):
        row["bad"] = f"wrong result {row['said'].get('text', '')!r}"
    elif row["said"].get("good", mode.agents) != mode.agents:
        row["bad"] = f"{row['said']['good']} of {mode.agents} agents came to the right end"
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--only", default=",".join(PROGRAMS), help="contenders, comma-separated")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for one process")
    parser.add_argument("--show", action="store_true", help="print the last run's tables")
    parser.add_argument("--keep-venvs", action="store_true", help="do not install this project anew")
    options = parser.parse_args()
    if options.show:
        print(tables(json.loads(RESULTS.read_text())))
        return
    names = options.only.split(",")
    for name in names:
        if not (options.keep_venvs and venvs.python_of(name).exists()):
            venvs.build(name)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    server = Server()
    try:
        for key in options.modes.split(","):
            mode = MODES[key]
            rounds = 1 if mode.once else options.rounds
            for number in range(
                -1 if key == "start" else 0, rounds
            ):  # one uncounted start fills the page cache
                for name in [name for name in names if name in mode.contenders]:
                    row = measure(name, mode, server, options.timeout)
                    shown = row.get("bad") or ", ".join(
                        f"{figure} {compute(row):.3g}" for figure, compute in mode.figures.items()
                    )
                    print(f"{key} {number + 1}/{rounds} {name}: {shown}", file=sys.stderr, flush=True)
                    if number >= 0:
                        rows.setdefault(key, {}).setdefault(name, []).append(row)
            known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            merged = {name: {**known.get(name, {}), **rows.get(name, {})} for name in MODES}
            RESULTS.write_text(json.dumps(merged))
    finally:
        server.stop()
        shutil.rmtree(SCRATCH, ignore_errors=True)
    print(tables(rows))


def tables(rows: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    """Medians and ratios to Forgewright in Markdown."""
    out: list[str] = []
    for key, contenders in rows.items():
        if not contenders:
            continue
        figures = MODES[key].figures
        out += [f"\n### {TITLES[key]}\n", "| | " + " | ".join(f"{name} | ×" for name in figures) + " |"]
        out.append("|---|" + "---:|---:|" * len(figures))
        own = contenders.get("forgewright", [])
        for name, measured in contenders.items():
            good = [row for row in measured if "bad" not in row]
            if not good:
                out.append(f"| {name} | {measured[0]['bad']} |")
                continue
            cells = []
            for compute in figures.values():
                value = statistics.median(compute(row) for row in good)
                base = statistics.median([compute(row) for row in own if "bad" not in row] or [0])
                cells.append(f"{value:.3g} | {value / base:.2g}" if base else f"{value:.3g} |")
            note = f" ({len(measured) - len(good)} bad)" if len(good) < len(measured) else ""
            out.append(f"| {name}{note} | " + " | ".join(cells) + " |")
    return "\n".join(out)


if __name__ == "__main__":
    main()
