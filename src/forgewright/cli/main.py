"""The command line: finds the command, and imports no more than that command needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forgewright import __version__

if TYPE_CHECKING:
    import argparse

COMMANDS: dict[str, tuple[str, str]] = {
    # name: (module, what it does)
    "run": ("run", "reach a goal in a repository"),
    "resume": ("run", "go on with a run that was parked or interrupted"),
    "follow": ("follow", "watch a run that another process executes"),
    "stop": ("follow", "park a run, wherever it is executed"),
    "answer": ("approvals", "answer what a run asks"),
    "approvals": ("approvals", "open questions and standing approvals of a run"),
    "runs": ("show", "list the runs"),
    "show": ("show", "what a run did, and where it stands"),
    "diff": ("change", "the change that a run made"),
    "apply": ("change", "bring a run's change into your files"),
    "fork": ("run", "a new run from any point of an old one"),
    "replay": ("run", "a run again, its model's answers read from the journal"),
    "remove": ("change", "remove a run's copy of the repository and its branch"),
    "audit": ("audit", "verify, export and search the journal"),
    "provenance": ("provenance", "which model call, program and test made a line"),
    "privacy": ("privacy", "persons' data in the journal: show, export, hold, erase"),
    "memory": ("memory", "what agents remember: read, correct, forget"),
    "dataset": ("dataset", "training data from the journal"),
    "edit": ("edit", "change code by a program of the language of code"),
    "policy": ("policy", "check, explain and compare policies"),
    "sandbox": ("sandbox", "run a command in a sandbox"),
    "mcp": ("mcp", "serve tools to MCP clients, or look at another server's"),
    "graph": ("graph", "draw the graph that agents follow"),
    "doctor": ("doctor", "what this machine can do, and what adds the rest"),
    "init": ("init", "write a commented forgewright.toml and a policy"),
    "completions": ("completions", "completions for bash, zsh and fish"),
}

_AT_HOME = ("audit", "memory", "provenance", "privacy", "dataset", "policy", "sandbox", "mcp")
"""Commands that find the home's path in `args.home`; `edit` needs none, the others ask `settings` for more."""

USAGE = """\
usage: forgewright COMMAND …

Give it a goal and a repository: agents plan, change the code, test it and improve it.

    forgewright run "Add an endpoint GET /orders/{id} with tests" --model anthropic:claude-…
"""


def available() -> dict[str, tuple[str, str]]:
    """The commands whose modules are here."""
    folder = os.path.dirname(__file__)
    return {
        name: entry
        for name, entry in COMMANDS.items()
        if os.path.exists(os.path.join(folder, entry[0] + ".py"))
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code. Never raises for a mistake of the user or of the world."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"forgewright {__version__}\n")
        return 0
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        if len(arguments) > 1 and arguments[1] in available():
            return main([arguments[1], "--help"])
        sys.stdout.write(overview())
        return 0 if arguments else 2
    at = next((i for i, part in enumerate(arguments) if not part.startswith("-")), 0)
    if at and arguments[at - 1] in ("--home", "--config"):
        at = next((i for i in range(at + 1, len(arguments)) if not arguments[i].startswith("-")), at)
    name = arguments[at]
    arguments = [name, *arguments[:at], *arguments[at + 1 :]]
    if name not in available():
        return _unknown(name)
    return _run(name, arguments)


def overview() -> str:
    """What `forgewright --help` prints."""
    commands = available()
    width = max(map(len, commands))
    lines = [f"  {name.ljust(width)}  {summary}" for name, (_, summary) in commands.items()]
    return (
        USAGE
        + "\ncommands:\n"
        + "\n".join(lines)
        + "\n\nforgewright COMMAND --help says more. With every command: --json for programs,"
        + "\n--home FOLDER for another place of journals and work trees, --config FILE for another configuration.\n"
    )


def parser_for(name: str) -> argparse.ArgumentParser:
    """The parser with one command in it."""
    import argparse
    from importlib import import_module

    parser = argparse.ArgumentParser(prog="forgewright", add_help=False, allow_abbrev=False)
    parser.set_defaults(json=False, home=None, config=None)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    import_module(f"forgewright.cli.{COMMANDS[name][0]}").register(subparsers)
    for command in subparsers.choices.values():
        _add_common(command)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Adds the options of all commands to every command of commands."""
    import argparse

    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if nested:
        for child in nested[0].choices.values():
            _add_common(child)
        return
    taken = {option for action in parser._actions for option in action.option_strings}
    common: list[tuple[str, dict[str, Any]]] = [
        ("--json", {"action": "store_true", "help": "one JSON object per line"}),
        ("--home", {"metavar": "FOLDER", "help": "place of journals and work trees"}),
        ("--config", {"metavar": "FILE", "help": "configuration to use instead of the one that is found"}),
    ]
    group = parser.add_argument_group("of every command")
    for option, settings in common:
        if option not in taken:
            group.add_argument(option, default=argparse.SUPPRESS, **settings)


def _run(name: str, arguments: list[str]) -> int:
    from importlib import import_module

    as_json = "--json" in arguments
    try:
        args = parser_for(name).parse_args(arguments)
        module = import_module(f"forgewright.cli.{COMMANDS[name][0]}")
        if name in _AT_HOME:
            from forgewright.cli.settings import home_of

            args.home = home_of(args)
        if name in ("audit", "provenance", "dataset"):
            from forgewright.cli.runs import resolve

            resolve(args, args.home)
        code: int = module.run(args)
        sys.stdout.flush()
        return code
    except SystemExit as ended:  # argparse has said what is wrong
        return ended.code if isinstance(ended.code, int) else 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to say, to nobody
        return 141
    except Exception as error:  # noqa: BLE001 - the outermost rim: all ends as a message and an exit code
        return _failed(error, as_json)


def _failed(error: Exception, as_json: bool) -> int:
    from forgewright.cli.exits import INTERNAL, exit_of
    from forgewright.cli.output import say_error
    from forgewright.core.errors import ForgewrightError, StoreFull

    if isinstance(error, OSError) and error.errno in (28, 30, 122):
        error = StoreFull(
            f"cannot write: {error}", hint="free some space or choose another place with --home"
        )
    if isinstance(error, ForgewrightError):
        say_error(error, as_json=as_json)
        return exit_of(error)
    error.hint = "a mistake in Forgewright; FORGEWRIGHT_DEBUG=1 shows where"  # type: ignore[attr-defined]  # shown by say_error
    say_error(error, as_json=as_json)
    return INTERNAL


def _unknown(name: str) -> int:
    from difflib import get_close_matches

    near = get_close_matches(name, list(available()), n=1)
    said = f"; did you mean {near[0]}?" if near else ""
    sys.stderr.write(
        f"error: there is no command {name!r}{said}\n  → forgewright --help lists the commands\n"
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
