"""`follow`, `stop`: a run that another process executes, seen and steered from here."""

from __future__ import annotations

import argparse
import getpass
from typing import Any


def register(subparsers: Any) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    follow = subparsers.add_parser(
        "follow", help="watch a run that another process executes", formatter_class=raw,
        description="Shows what the run does as it is journaled, until it ends or is parked.",
        epilog="examples:\n  forgewright follow last\n  forgewright follow 01k9 --json\n",
    )  # fmt: skip
    follow.add_argument("run", metavar="RUN", help="its id, the beginning of its id, or: last")
    stop = subparsers.add_parser(
        "stop", help="park a run, wherever it is executed", formatter_class=raw,
        description="The run stops at its next record and keeps what it has; resume goes on with it.",
        epilog="examples:\n  forgewright stop last\n",
    )  # fmt: skip
    stop.add_argument("run", metavar="RUN")


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run({"follow": _follow, "stop": _stop}[args.command](args))


async def _follow(args: argparse.Namespace) -> int:
    from forgewright.cli.exits import OK, exit_of_parked
    from forgewright.cli.live import make_view
    from forgewright.cli.runs import find_run
    from forgewright.cli.settings import home_of
    from forgewright.runtime.engine import Engine

    home = home_of(args)
    run = await find_run(home, args.run)
    async with Engine(home=home) as engine:
        with make_view(as_json=args.json) as view:
            for record in await engine.records(run):
                view.on_record(record)
            if view.progress.status == "running":
                async for record in engine.journal.follow(run, after=view.progress.sequence):
                    view.on_record(record)
                    if view.progress.status != "running":
                        break
    progress = view.progress
    return exit_of_parked(progress.reason) if progress.status == "parked" else OK


async def _stop(args: argparse.Namespace) -> int:
    from forgewright.cli.output import print_json, say
    from forgewright.cli.progress import Progress
    from forgewright.cli.runs import find_run
    from forgewright.cli.settings import home_of
    from forgewright.runtime.engine import Engine

    home = home_of(args)
    run = await find_run(home, args.run)
    async with Engine(home=home) as engine:
        progress = Progress()
        for record in await engine.records(run):
            progress.observe(record)
        over = progress.status != "running"
        if not over:
            await engine.stop(run, by=getpass.getuser())
    if args.json:
        print_json({"run": run, "stopped": not over})
    elif over:
        say(f"run {run} is not executed anywhere\n  → where it stands: forgewright show {run}")
    else:
        say(f"run {run} is stopped\n  → go on with it: forgewright resume {run}")
    return 0
