"""`forgewright edit`: changes code by a program of the language of code, or shows what it would change."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forgewright.core.errors import NotFound, UsageError

if TYPE_CHECKING:
    import argparse

    from forgewright.code.engine import CodeEngine, Plan

UNDO = "undo"
PROGRAM_BYTES_MAX = 1 << 22
EPILOG = """\
a program is one operation per form:

  forgewright edit "(rename symbol: 'function#fetch' new: 'load')"
  forgewright edit "(find pattern: 'print($X)')"
  forgewright edit --dry-run --diff program.fw
  forgewright edit --explain rename        what an operation takes; without a name: all operations
  forgewright edit --undo                  take the last edit back

exit codes: 0 done · 2 wrong argument · 4 no such file · 5 a file changed meanwhile · 6 refused · 10 wrong program
"""


def register(subparsers: Any) -> None:
    """Adds `edit`."""
    import argparse

    edit = subparsers.add_parser(
        "edit",
        help="change code by a program of the language of code",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    edit.add_argument("program", nargs="?", help="the program, a file that holds it, or - for standard input")
    edit.add_argument("--root", type=Path, default=Path(), metavar="FOLDER", help="root of the project (.)")
    edit.add_argument("--dry-run", action="store_true", help="plan and check, write nothing")
    edit.add_argument("--diff", action="store_true", help="print the unified diff")
    edit.add_argument(
        "--second-opinion",
        action="store_true",
        help="let renames ask a language server (ty; TypeScript's; gopls), which runs on this host, about uncertain places",
    )
    edit.add_argument("--undo", action="store_true", help="take the last edit of this root back")
    edit.add_argument("--format", action="store_true", help="print the program in its canonical layout")
    edit.add_argument(
        "--explain", nargs="?", const="", metavar="OPERATION", help="what an operation does, takes and gives"
    )


def run(args: argparse.Namespace) -> int:
    """Runs `edit`. Raises what the engine raises."""
    if args.explain is not None:
        return _explain(args.explain)
    if args.format:
        from forgewright.code.syntax.printer import format_text

        sys.stdout.write(format_text(_program(args)))
        return 0
    from forgewright.code.engine import CodeEngine

    engine = CodeEngine(args.root, servers=args.second_opinion)
    engine.recover()
    plan = engine.undo(_undo_program(engine)) if args.undo else engine.plan(_program(args))
    undo = ""
    if not args.dry_run and plan.changes:
        undo = engine.commit(plan).undo
        _remember(engine, undo)
    if getattr(args, "json", False):
        _print_json(plan, undo, args)
    else:
        _print(plan, args)
    return 0


def _program(args: argparse.Namespace) -> str:
    given = args.program
    if given is None:
        raise UsageError(
            "expected a program", hint='forgewright edit "(outline)"; forgewright edit --explain'
        )
    if given == "-":
        return sys.stdin.read(PROGRAM_BYTES_MAX)
    if given.lstrip()[:1] in ("(", "{", "[", ";"):
        return str(given)
    path = Path(given)
    if not path.is_file():
        raise NotFound(f"no file {given!r}", hint="a program begins with '('; a file or - for stdin is read")
    return path.read_text(encoding="utf-8")


def _undo_file(engine: CodeEngine) -> Path:
    return engine.root / ".forgewright" / "edit" / UNDO


def _undo_program(engine: CodeEngine) -> str:
    try:
        return _undo_file(engine).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            "there is no edit to take back in this root", hint="--undo knows the last one only"
        ) from None


def _remember(engine: CodeEngine, undo: str) -> None:
    """Keep the undo program of the last edit; the undo of an undo is the edit again."""
    file = _undo_file(engine)
    fresh = file.with_name("undo.new")
    fresh.write_text(undo, encoding="utf-8")
    fresh.replace(file)


def _print(plan: Plan, args: argparse.Namespace) -> None:
    from forgewright.cli.output import clean, colored, say

    text = plan.text()
    if text:
        say(clean(text))
    for result in plan.results:
        if result.uncertain:
            say(f"uncertain, left alone: {len(result.uncertain)}")
    if args.dry_run and plan.changes:
        say("nothing was written (--dry-run)")
    if args.diff:
        diff = clean(plan.diff())
        say(_painted(diff) if colored(sys.stdout) else diff.rstrip("\n"))


def _painted(diff: str) -> str:
    colors = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
    lines = diff.rstrip("\n").split("\n")
    return "\n".join(f"{colors[line[0]]}{line}\x1b[0m" if line[:1] in colors else line for line in lines)


def _print_json(plan: Plan, undo: str, args: argparse.Namespace) -> None:
    from forgewright.cli.output import print_json

    print_json(
        {
            "program": plan.program,
            "results": plan.results,
            "files": [
                {"path": path, "before": plan.before[path], "after": plan.after[path]} for path in plan.after
            ],
            "written": bool(undo),
            **({"diff": plan.diff()} if args.diff else {}),
            **({"undo": undo} if undo else {}),
        }
    )


def _explain(name: str) -> int:
    from forgewright.code.reference import explain

    sys.stdout.write(explain(name))
    return 0
