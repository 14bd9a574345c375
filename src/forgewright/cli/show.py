"""`runs` and `show`: which runs there are, and what one of them did."""

from __future__ import annotations

import argparse
import time
from typing import Any

from forgewright.core.ids import RunId


def register(subparsers: Any) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    runs = subparsers.add_parser(
        "runs", help="list the runs", formatter_class=raw, description="The newest first."
    )
    runs.add_argument("-n", dest="limit", type=int, default=20, metavar="N", help="how many (20)")
    show = subparsers.add_parser(
        "show", help="what a run did, and where it stands", formatter_class=raw,
        description="Reads the journal; nothing is executed.",
        epilog="examples:\n  forgewright show last\n  forgewright show 01k9 --records   # numbered, for fork RUN@N\n"
        "  forgewright show 01k9 --json | jq .event.kind\n",
    )  # fmt: skip
    show.add_argument("run", metavar="RUN", help="its id, the beginning of its id, or: last")
    show.add_argument("--log", action="store_true", help="all that happened, line by line")
    show.add_argument("--records", action="store_true", help="the records with their numbers")


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run(_runs(args) if args.command == "runs" else _show(args))


async def _runs(args: argparse.Namespace) -> int:
    from forgewright.cli.output import one_line, print_json, say, table
    from forgewright.cli.progress import Progress
    from forgewright.cli.settings import home_of
    from forgewright.runtime.engine import Engine

    home = home_of(args)
    rows: list[tuple[str, ...]] = []
    if home.is_dir():
        async with Engine(home=home) as engine:
            for row in (await engine.journal.runs())[: args.limit]:
                progress = Progress()
                for record in await engine.records(row.run):
                    progress.observe(record)
                if args.json:
                    print_json({"run": row.run, "records": row.sequence, **summary(progress)})
                cost = f"${progress.cost_microdollars / 1e6:.2f}" if progress.cost_microdollars else ""
                state = f"parked ({progress.reason})" if progress.status == "parked" else progress.status
                rows.append((row.run, _ago(progress.started_ms), state, cost, one_line(progress.goal, 60)))
    if not args.json:
        if rows:
            say(table(rows, header=("RUN", "STARTED", "STATE", "COST", "GOAL")))
        else:
            say(f"no runs in {home}\n  → forgewright run GOAL --model MODEL")
    return 0


async def _show(args: argparse.Namespace) -> int:
    from forgewright.cli.live import make_view
    from forgewright.cli.output import print_json, say
    from forgewright.cli.runs import find_run
    from forgewright.cli.settings import home_of
    from forgewright.runtime.engine import Engine

    home = home_of(args)
    run = await find_run(home, args.run)
    async with Engine(home=home) as engine:
        records = await engine.records(run)
    if args.records and not args.json:
        for record in records:
            say(f"{record.sequence:>5}  {record.actor:<11} {type(record.event).__struct_config__.tag}")
        return 0
    quiet = not (args.log or args.records or args.json)
    with make_view(as_json=args.json and (args.log or args.records), live=False) as view:
        for record in records:
            if quiet or (args.json and not (args.log or args.records)):
                view.progress.observe(record)
            else:
                view.on_record(record)
    if args.json and not (args.log or args.records):
        print_json({"run": run, "records": records[-1].sequence, **summary(view.progress)})
    elif quiet:
        say(_words(run, view.progress))
    return 0


def summary(progress: Any) -> dict[str, Any]:
    """What `--json` says of a run."""
    return {
        "goal": progress.goal,
        "status": progress.status,
        "reason": progress.reason if progress.status != "finished" else "",
        "detail": progress.detail if progress.status != "finished" else "",
        "repository": progress.repository,
        "node": progress.node,
        "plan": list(progress.plan),
        "tests": progress.tests,
        "tests_ok": progress.tests_ok,
        "commits": [{"sha": sha, "title": title} for sha, title in progress.commits],
        "undone": progress.undone,
        "refused": progress.refusals,
        "tokens": progress.tokens,
        "cost_microdollars": progress.cost_microdollars,
        "steps": progress.steps,
        "seconds": progress.seconds,
        "started_ms": progress.started_ms,
        "summary": progress.summary,
        "agents": list(progress.agents.rows.values()),
    }


def _words(run: RunId, progress: Any) -> str:
    from forgewright.cli.output import fields
    from forgewright.cli.progress import STEP

    state = progress.status + (f" ({progress.reason})" if progress.status == "parked" else "")
    parts = [
        progress.goal,
        fields(
            {
                "run": run + (f", forked from {progress.parent}" if progress.parent else ""),
                "state": state + (f": {progress.detail}" if progress.status in ("parked", "failed") else ""),
                "repository": progress.repository,
                "models": ", ".join(f"{role} {name}" for role, name in progress.models.items()),
                "spent": progress.meter(),
                "tests": progress.tests,
                "refused": f"{progress.refusals} by policy" if progress.refusals else "",
            }
        ),
    ]
    if progress.plan:
        parts.append(
            "\n".join(f"{STEP.get(step.status, ('○', ''))[0]} {step.title}" for step in progress.plan)
        )
    if progress.agents:
        tree = [text + (f"  ({detail})" if detail else "") for text, _, detail in progress.agents.lines()]
        parts.append("\n".join([progress.agents.totals(), *tree]))
    if progress.commits:
        parts.append("\n".join(f"{sha[:10]}  {title}" for sha, title in progress.commits))
    for question in progress.questions.values():
        parts.append(
            f"? {question.question}\n  → forgewright answer {run} {'|'.join(question.choices) or 'TEXT'}"
            + (f" --effect {question.effect}" if len(progress.questions) > 1 else "")
        )
    if progress.status == "finished":
        parts.append(f"→ forgewright diff {run}; forgewright apply {run}; forgewright show {run} --log")
    elif progress.status == "parked" and not progress.questions:
        parts.append(f"→ forgewright resume {run}")
    elif progress.status == "running":
        parts.append(f"→ forgewright follow {run}; if its process died: forgewright resume {run}")
    return "\n\n".join(part for part in parts if part)


def _ago(ms: int) -> str:
    seconds = max(0, time.time() - ms / 1000)
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name} ago"
    return "just now"
