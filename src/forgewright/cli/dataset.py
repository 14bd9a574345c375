"""`forgewright dataset export`: training data from the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("dataset", help="training data from the journal")
    commands = parser.add_subparsers(dest="dataset_command", required=True, metavar="COMMAND")
    export = commands.add_parser(
        "export", help="goal, context, program and outcome, as JSONL with a data card"
    )
    export.add_argument("runs", nargs="*", metavar="RUN", help="these runs; all if left out")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    export.add_argument("--form", choices=("chat", "completion"), default="chat")
    export.add_argument(
        "--outcome",
        action="append",
        choices=("passed", "failed", "untested"),
        help="of the tests after the edit; `passed` if left out",
    )
    export.add_argument("--licence", action="append", default=[], metavar="SPDX", help="of the repository")


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from forgewright.core.ids import RunId
    from forgewright.journal.dataset.export import Filters, export
    from forgewright.journal.journal import open_journal
    from forgewright.journal.privacy.privacy import open_privacy

    journal = await open_journal(args.home)
    try:
        privacy = await open_privacy(journal)
        filters = Filters(
            tuple(RunId(name) for name in args.runs), tuple(args.outcome or ("passed",)), tuple(args.licence)
        )
        done = await export(journal, privacy, args.output, form=args.form, filters=filters)
        await privacy.close()
    finally:
        await journal.close()
    if args.json:
        import msgspec

        print(msgspec.json.encode(done).decode())
        return 0
    print(", ".join(f"{number} {split}" for split, number in done.examples.items()) + f" in {args.output}")
    for reason, number in sorted(done.left_out.items()):
        print(f"left out: {number} ({reason})")
    return 0
