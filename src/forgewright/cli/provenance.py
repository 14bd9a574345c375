"""`forgewright provenance FILE[:LINE]`: which model call, program, approval and test made a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from forgewright.journal.attest.lineage import Line, Origin


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("provenance", help="what made each line of a file that a run changed")
    parser.add_argument("place", metavar="FILE[:LINE]")
    parser.add_argument("--run", dest="run_id", metavar="RUN", help="the run that left the file as it is")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository; this folder if left out")


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from forgewright.cli.runs import find_run as known_run
    from forgewright.core.errors import NotFound, UsageError
    from forgewright.core.ids import digest
    from forgewright.journal.attest.lineage import find_run, lineage
    from forgewright.journal.journal import open_journal

    path, _, number = args.place.rpartition(":")
    if not path or not number.isdigit():
        path, number = args.place, ""
    root = args.root.resolve()
    try:
        file = (root / path).resolve()
        data = file.read_bytes()
        relative = file.relative_to(root).as_posix()
    except OSError as error:
        raise NotFound(f"{path} could not be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{path} is outside of {root}", hint="name the repository with --root") from None
    wanted = await known_run(args.home, args.run_id) if args.run_id else None
    journal = await open_journal(args.home)
    try:
        run_id = wanted or await find_run(journal, relative, digest(data))
        text = data.decode(errors="replace")
        lines = await lineage(journal, run_id, relative, text, digest(data))
    finally:
        await journal.close()
    if number:
        if not 0 < int(number) <= len(lines):
            raise NotFound(f"{path} has {len(lines)} lines, and no line {number}")
        lines = [lines[int(number) - 1]]
    if args.json:
        import msgspec

        print(msgspec.json.encode(lines).decode())
    else:
        _print(lines, run_id)
    return 0


def _print(lines: list[Line], run_id: str) -> None:
    last: Origin | None = None
    for line in lines:
        origin = line.origin
        if origin is not None and origin != last:
            print(f"── run {run_id}, record {origin.edit}: {_sentence(origin)}")
        elif origin is None and last is not None:
            print("── before the run")
        last = origin
        print(f"{line.number:>5}  {line.text}")


def _sentence(origin: Origin) -> str:
    parts = [
        f"asked for by {origin.model} in record {origin.answer}" if origin.model else "asked for by no model"
    ]
    parts.append(
        f"permitted by {', '.join(origin.policies)}" if origin.policies else "permitted without a policy"
    )
    if origin.approved_by:
        parts.append(f"approved by {origin.approved_by} in record {origin.approval}")
    if origin.tests is None:
        parts.append("not tested after")
    else:
        parts.append(f"tests {'passed' if origin.tests_passed else 'failed'} in record {origin.tests}")
    return "; ".join(parts)
