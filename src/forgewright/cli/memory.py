"""`forgewright memory`: what agents remember from run to run, for whoever it belongs to to read, correct and remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from forgewright.agent.memory.entry import Entry, Scope
    from forgewright.agent.memory.longterm import LongTerm


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "memory", help="what agents remember: list, show, search, edit, forget, export"
    )
    commands = parser.add_subparsers(dest="memory_command", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="all that is remembered, oldest first")
    listing.add_argument("--scope", metavar="SCOPE", help="user, project/NAME or agent/NAME")
    listing.add_argument("--unverified", action="store_true", help="only what no person has vouched for")

    show = commands.add_parser("show", help="one memory, and where it is from")
    show.add_argument("id")

    search = commands.add_parser("search", help="what is remembered about something")
    search.add_argument("query")
    search.add_argument("--scope", metavar="SCOPE")

    add = commands.add_parser("add", help="remember something yourself")
    add.add_argument("text")
    add.add_argument("--scope", metavar="SCOPE", default="user")
    add.add_argument("--days", type=int, metavar="N", help="forget it after so many days")

    edit = commands.add_parser("edit", help="change what it says, how long it is kept, or vouch for it")
    edit.add_argument("id")
    edit.add_argument("--text")
    edit.add_argument("--days", type=int, metavar="N", help="forget it so many days from now")
    edit.add_argument("--believe", action="store_true", help="vouch for it as it stands")

    forget = commands.add_parser("forget", help="remove it from every file of the home")
    forget.add_argument("ids", nargs="+", metavar="ID")

    export = commands.add_parser("export", help="all of it, one JSON object per line")
    export.add_argument("--scope", metavar="SCOPE")


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from forgewright.agent.memory.longterm import LongTerm
    from forgewright.journal.journal import open_journal

    journal = await open_journal(args.home)
    try:
        commands = {
            "list": _list,
            "show": _show,
            "search": _search,
            "add": _add,
            "edit": _edit,
            "forget": _forget,
            "export": _export,
        }
        return await commands[args.memory_command](args, LongTerm(journal))
    finally:
        await journal.close()


async def _list(args: argparse.Namespace, longterm: LongTerm) -> int:
    found = await longterm.entries(_scopes(args.scope))
    if args.unverified:
        found = [entry for entry in found if entry.trust == "untrusted"]
    _print(args, found)
    return 0


async def _search(args: argparse.Namespace, longterm: LongTerm) -> int:
    found = await longterm.search(args.query, _scopes(args.scope), limit=50)
    _print(args, found)
    return 0 if found else 1


async def _show(args: argparse.Namespace, longterm: LongTerm) -> int:
    from forgewright.agent.memory.entry import describe
    from forgewright.cli.output import clean

    entry = await longterm.find(args.id)
    if args.json:
        _json([entry])
        return 0
    print(clean(describe(entry)))
    print()
    if entry.run:
        print(f"written by {entry.by} in run {entry.run}, call {entry.effect}")
        print(f"  → forgewright show {entry.run} --log")
    else:
        print(f"written by {entry.by}")
    if entry.after:
        print(f"after reading {', '.join(entry.after)}")
    if entry.subject:
        print(f"about {entry.subject}, and erased with that person's data")
    if entry.expires is not None:
        print(f"forgotten on {_day(entry.expires)}")
    return 0


async def _add(args: argparse.Namespace, longterm: LongTerm) -> int:
    import os

    from forgewright.agent.memory.entry import Entry, parse_scope
    from forgewright.core.ids import base32

    now = longterm.now()
    entry = Entry(
        id=base32(int.from_bytes(os.urandom(6)), 9),
        scope=parse_scope(args.scope),
        text=args.text,
        trust="person",
        by=_me(),
        created=now,
        expires=_expires(args.days, now),
    )
    await longterm.write(entry)
    _said(args, entry, "remembered as")
    return 0


async def _edit(args: argparse.Namespace, longterm: LongTerm) -> int:
    from forgewright.core.errors import UsageError

    if args.text is None and args.days is None and not args.believe:
        raise UsageError("expected --text, --days or --believe", hint="forgewright memory edit --help")
    entry = await longterm.find(args.id)
    if args.text is not None or args.days is not None:
        expires = _expires(args.days, longterm.now())
        entry = await longterm.edit(entry.id, text=args.text, expires=expires, by=_me())
    if args.believe:
        entry = await longterm.believe(entry.id, by=_me())
    _said(args, entry, "changed")
    return 0


async def _forget(args: argparse.Namespace, longterm: LongTerm) -> int:
    found = [await longterm.find(id) for id in args.ids]
    for number, entry in enumerate(found, 1):
        await longterm.forget(entry, by=_me(), purge=number == len(found))
        _said(args, entry, "forgot")
    return 0


async def _export(args: argparse.Namespace, longterm: LongTerm) -> int:
    _json(await longterm.entries(_scopes(args.scope)))
    return 0


def _scopes(named: str | None) -> list[Scope] | None:
    from forgewright.agent.memory.entry import parse_scope

    return None if named is None else [parse_scope(named)]


def _expires(days: int | None, now: int) -> int | None:
    from forgewright.core.errors import UsageError

    if days is not None and days < 1:
        raise UsageError(f"expected at least one day, found {days}")
    return None if days is None else now + days * 86_400_000


def _print(args: argparse.Namespace, found: list[Entry]) -> None:
    from forgewright.cli.output import one_line

    if args.json:
        _json(found)
        return
    width = max((len(str(entry.scope)) for entry in found), default=0)
    for entry in found:
        mark = "?" if entry.trust == "untrusted" else " "
        print(f"{entry.id} {mark} {str(entry.scope).ljust(width)}  {one_line(entry.text, 100)}")


def _said(args: argparse.Namespace, entry: Entry, what: str) -> None:
    if args.json:
        _json([entry])
    else:
        print(f"{what} {entry.id}")


def _json(entries: list[Entry]) -> None:
    import msgspec

    for entry in entries:
        print(msgspec.json.encode(entry).decode())


def _day(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d")


def _me() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "owner"
