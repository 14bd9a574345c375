"""`diff`, `apply`, `remove`: the change that a run made, and what becomes of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def register(subparsers: Any) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    diff = subparsers.add_parser(
        "diff", help="the change that a run made", formatter_class=raw,
        description="A unified diff from where the run started to its last accepted step.",
        epilog="examples:\n  forgewright diff last\n  forgewright diff 01k9 --stat\n  forgewright diff 01k9 > change.patch\n",
    )  # fmt: skip
    diff.add_argument("run", metavar="RUN", help="its id, the beginning of its id, or: last")
    diff.add_argument("--stat", action="store_true", help="the changed files only")
    diff.add_argument("--uncommitted", action="store_true", help="also what was not accepted (yet)")
    apply = subparsers.add_parser(
        "apply", help="bring a run's change into your files", formatter_class=raw,
        description="Writes the change into your repository, uncommitted: all of it, or nothing. Refuses where the "
        "repository moved since the run started, and says how to go on.",
        epilog="examples:\n  forgewright apply last\n  forgewright apply 01k9 --to ~/code/other-checkout\n",
    )  # fmt: skip
    apply.add_argument("run", metavar="RUN")
    apply.add_argument("--to", metavar="FOLDER", help="another checkout than the one the run started from")
    remove = subparsers.add_parser(
        "remove", help="remove a run's copy of the repository and its branch", formatter_class=raw,
        description="The journal keeps what happened; the copy, the branch and its commits go.",
        epilog="examples:\n  forgewright remove 01k9\n",
    )  # fmt: skip
    remove.add_argument("run", metavar="RUN")


def run(args: argparse.Namespace) -> int:
    import asyncio

    from forgewright.cli.runs import find_run
    from forgewright.cli.settings import home_of
    from forgewright.swarm.workspace import Workspace

    home = home_of(args)
    name = asyncio.run(find_run(home, args.run))
    workspace = Workspace.open(home, name)
    if args.command == "remove":
        return asyncio.run(_remove(args, home, workspace))
    return {"diff": _diff, "apply": _apply}[args.command](args, workspace)


def _diff(args: argparse.Namespace, workspace: Any) -> int:
    from forgewright.cli.output import clean, colored, print_json, say

    changes = workspace.changes(head=workspace.tree_digest() if args.uncommitted else None)
    if args.json:
        print_json({"run": workspace.place.run, "base": workspace.place.base, "changes": list(changes)})
        return 0
    if args.stat:
        say("\n".join(f"{c.kind:<9} +{c.added_lines} −{c.removed_lines}  {clean(c.path)}" for c in changes))
        return 0
    text = workspace.diff_all() if args.uncommitted else workspace.diff()
    if colored(sys.stdout):
        text = "\n".join(_colored(clean(line)) for line in text.split("\n"))
        sys.stdout.write(text)
    else:
        sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
    return 0


def _colored(line: str) -> str:
    codes = {"+": "32", "-": "31", "@": "36", "d": "1", "i": "2"}
    code = codes.get(line[:1]) if not line.startswith(("+++", "---")) else "1"
    return f"\x1b[{code}m{line}\x1b[0m" if code else line


def _apply(args: argparse.Namespace, workspace: Any) -> int:
    from forgewright.cli.output import clean, print_json, say
    from forgewright.swarm.applying import apply

    applied = apply(workspace, Path(args.to).expanduser() if args.to else None)
    if args.json:
        print_json({"run": workspace.place.run, "written": applied.written, "changes": list(applied.changes)})
        return 0
    if not applied.changes:
        say("the run changed nothing")
    elif not applied.written:
        say("everything is there already")
    else:
        say("\n".join(f"{c.kind:<9} {clean(c.path)}" for c in applied.changes))
        say(f"{applied.written} files written, none committed\n  → look at them: git diff; then commit them")
    return 0


async def _remove(args: argparse.Namespace, home: Path, workspace: Any) -> int:
    """Holds the run's lease meanwhile: a run that is executed keeps its copy, and none can begin to be."""
    from forgewright.cli.output import print_json, say
    from forgewright.core.errors import Conflict, LeaseLost
    from forgewright.journal.journal import open_journal
    from forgewright.runtime.leases import Leases

    run = workspace.place.run
    journal = await open_journal(home)
    leases = Leases(journal.leases)
    try:
        try:
            await leases.hold(run, lambda *_: None)
        except LeaseLost as error:
            raise Conflict(
                f"run {run} is executed now, and would lose its files: {error.message}",
                hint=f"stop it first: forgewright stop {run}",
            ) from error
        workspace.remove()
    finally:
        await leases.close()
        await journal.close()
    if args.json:
        print_json({"run": run, "removed": True})
    else:
        say(f"the copy and the branch of run {run} are removed; its journal stays")
    return 0
