"""`answer` and `approvals`: a run's questions and standing approvals, from another process."""

from __future__ import annotations

import argparse
import getpass
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forgewright.runtime.approvals import Standing
    from forgewright.runtime.questions import Question


def register(subparsers: Any) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    answer = subparsers.add_parser(
        "answer", help="answer what a run asks", formatter_class=raw,
        description="Answers an approval or a question; a parked run then goes on with: forgewright resume RUN",
        epilog="examples:\n  forgewright answer last yes\n  forgewright answer last 'no: not on a Friday'\n"
        "  forgewright answer last yes --for-run --where 'command=pytest *' --until 18:00\n"
        "  forgewright answer last --edit '{\"argv\": [\"pytest\", \"-x\"]}'\n"
        "  forgewright answer last --result 'I did it myself'\n",
    )  # fmt: skip
    answer.add_argument("run", metavar="RUN")
    answer.add_argument(
        "answer", metavar="ANSWER", nargs="?", help="yes, no, no: why; a text, a number, JSON"
    )
    answer.add_argument("--effect", metavar="ID", help="which question, where there are several")
    answer.add_argument("--edit", metavar="JSON", help="do it, with these arguments instead")
    answer.add_argument("--result", metavar="TEXT", help="do not do it: this is its result")
    answer.add_argument("--for-run", action="store_true", help="yes, and to the same again in this run")
    answer.add_argument("--until", metavar="TIME", help="with --for-run: HH:MM, or a number with m, h or d")
    answer.add_argument("--times", metavar="N", type=int, help="with --for-run: how often at most")
    answer.add_argument(
        "--where", metavar="NAME=PATTERN", action="append", default=[],
        help="with --for-run: what an argument has to match (*, ?)",
    )  # fmt: skip
    approvals = subparsers.add_parser(
        "approvals", help="open questions and standing approvals of a run", formatter_class=raw,
        description="Lists what a run waits for and which approvals stand, and revokes one.",
        epilog="examples:\n  forgewright approvals last\n  forgewright approvals last --revoke 1.approve-1.3.1\n",
    )  # fmt: skip
    approvals.add_argument("run", metavar="RUN")
    approvals.add_argument("--revoke", metavar="ID", help="ends a standing approval")
    approvals.add_argument(
        "--reason", metavar="TEXT", default="", help="why it is revoked; stands in the journal"
    )


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run({"answer": _answer, "approvals": _approvals}[args.command](args))


async def _answer(args: argparse.Namespace) -> int:
    from forgewright.cli.output import print_json, say
    from forgewright.cli.runs import find_run
    from forgewright.cli.settings import home_of
    from forgewright.runtime.engine import Engine

    given = _given(args)
    home = home_of(args)
    run = await find_run(home, args.run)
    async with Engine(home=home) as engine:
        await engine.answer(run, given, by=getpass.getuser(), effect=args.effect)
    if args.json:
        print_json({"run": run, "answer": given})
    else:
        say(f"answered; if the run is parked: forgewright resume {run}")
    return 0


def _given(args: argparse.Namespace) -> Any:
    """The answer that the options make. Raises `UsageError`."""
    import msgspec

    from forgewright.core.errors import UsageError

    ways = [args.answer is not None, args.edit is not None, args.result is not None]
    if sum(ways) != 1:
        raise UsageError(f"expected one of ANSWER, --edit and --result; found {sum(ways)}")
    if (args.until or args.times or args.where) and not args.for_run:
        raise UsageError("--until, --times and --where say how far --for-run goes; it is not given")
    if args.edit is not None:
        try:
            return {"do": "edit", "arguments": msgspec.json.decode(args.edit)}
        except msgspec.DecodeError as error:
            raise UsageError(f"--edit: expected the arguments as JSON: {error}") from error
    if args.result is not None:
        return {"do": "answer", "result": args.result}
    if not args.for_run:
        return args.answer
    if args.answer.lower() not in ("yes", "y"):
        raise UsageError(f"--for-run goes with yes; found {args.answer!r}")
    remember: dict[str, Any] = {}
    if args.until:
        remember["until"] = until(args.until, time.time())
    if args.times is not None:
        remember["times"] = args.times
    for pair in args.where:
        name, equals, pattern = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--where: expected NAME=PATTERN; found {pair!r}")
        remember.setdefault("where", {})[name] = pattern
    return {"do": "approve", "remember": remember}


def until(text: str, now: float) -> int:
    """`18:00` (the next time the clock says so), `30m`, `2h`, `1d`, as milliseconds since 1970. Raises `UsageError`."""
    from datetime import datetime, timedelta

    from forgewright.core.errors import UsageError

    units = {"m": 60, "h": 3600, "d": 86400}
    if text[:-1].isascii() and text[:-1].isdigit() and text[-1] in units:
        return int((now + int(text[:-1]) * units[text[-1]]) * 1000)
    try:
        at = datetime.strptime(text, "%H:%M")
    except ValueError as error:
        raise UsageError(f"expected a time like 18:00, 30m, 2h or 1d; found {text!r}") from error
    day = datetime.fromtimestamp(now).astimezone()
    then = day.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if then <= day:
        then += timedelta(days=1)
    return int(then.timestamp() * 1000)


async def _approvals(args: argparse.Namespace) -> int:
    from forgewright.cli.output import print_json, say
    from forgewright.cli.runs import find_run
    from forgewright.cli.settings import home_of
    from forgewright.runtime.engine import Engine

    home = home_of(args)
    run = await find_run(home, args.run)
    async with Engine(home=home) as engine:
        if args.revoke:
            await engine.revoke(run, args.revoke, by=getpass.getuser(), reason=args.reason)
            if args.json:
                print_json({"run": run, "revoked": args.revoke})
            else:
                say(f"revoked; what it covered is asked about again: {args.revoke}")
            return 0
        questions, standing = await engine.questions(run), await engine.approvals(run)
    if args.json:
        for question in questions:
            print_json({"kind": "question", "effect": question.effect, "to": question.to, "text": question.text,
                        "choices": question.choices, "form": question.form, "about": question.about})  # fmt: skip
        for one in standing:
            print_json({"kind": "approval", "id": one.approval, "by": one.by, "remember": one.remember,
                        "used": one.used, "about": one.about,
                        "holds": one.lasts(int(time.time() * 1000))})  # fmt: skip
        return 0
    say(_shown(questions, standing) or f"run {run} asks nothing, and no approval stands")
    return 0


def _shown(questions: Sequence[Question], standing: Sequence[Standing]) -> str:
    from forgewright.cli.ask import details
    from forgewright.cli.output import clean, table

    out = [
        f"? {question.effect}  {clean(question.text)}\n{details(question)}".rstrip() for question in questions
    ]
    now = int(time.time() * 1000)
    rows = [
        (
            one.approval,
            clean(f"{one.about.get('principal')}: {one.about.get('action')} {one.about.get('resource')}"),
            clean(
                " ".join(f"{name}={pattern}" for name, pattern in one.remember.where.items())
                or "any arguments"
            ),
            _lasts(one, now),
            clean(one.by),
        )
        for one in standing
    ]
    if rows:
        out.append(table(rows, header=("approval", "for", "where", "holds", "by")))
    return "\n".join(out)


def _lasts(one: Standing, now: int) -> str:
    if not one.lasts(now):
        return "no longer"
    said = []
    if one.remember.until is not None:
        said.append(f"until {time.strftime('%Y-%m-%d %H:%M', time.localtime(one.remember.until / 1000))}")
    if one.remember.times is not None:
        said.append(f"{one.remember.times - one.used} more times")
    return ", ".join(said) or "for this run"
