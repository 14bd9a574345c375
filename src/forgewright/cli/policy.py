"""`forgewright policy …`: check policies, explain a decision, run their tests, compare two sets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import UsageError

if TYPE_CHECKING:
    from forgewright.policy.gate import CedarGate
    from forgewright.policy.types import Attempt


def register(subparsers: Any) -> None:
    """Adds `policy` and its commands."""
    policy = subparsers.add_parser("policy", help="check, explain, test and compare policies")
    commands = policy.add_subparsers(dest="policy_command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="parse and validate policy files; all mistakes with positions")
    _set_arguments(check)

    explain = commands.add_parser(
        "explain", help="which policy decides an attempt, and what would have to change"
    )
    explain.add_argument(
        "action", help="model, tool, edit, exec, install, network, git, ask, read, publish, spend"
    )
    explain.add_argument("resource", help="what is touched: a path, a model, a host:port …")
    explain.add_argument(
        "facts", nargs="*", metavar="FACT=VALUE", help="purpose=tests lines=12 argv=pytest,-q"
    )
    explain.add_argument("--as", dest="principal", default="coder", metavar="AGENT", help="the agent (coder)")
    _set_arguments(explain, positional=False)

    for command in commands.choices.values():
        command.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """0 if all is well (explain: permitted), 1 if not."""
    handlers: dict[str, Callable[[argparse.Namespace], int]] = {"check": _check, "explain": _explain}
    return handlers[args.policy_command](args)


def _set_arguments(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    if positional:
        parser.add_argument("paths", nargs="*", metavar="SET", help="default, strict, or files and folders")
    else:
        parser.add_argument(
            "--set", dest="paths", action="append", default=[], metavar="SET", help="likewise"
        )
    parser.add_argument("--entities", type=Path, help="a JSON file of entities (agents in groups …)")


def _gate(args: argparse.Namespace) -> CedarGate:
    from forgewright.policy.gate import CedarGate

    return CedarGate.load(_named(args.paths), entities=args.entities or ())


def _named(paths: list[str]) -> list[Path | str] | str:
    from forgewright.policy.gate import SETS

    if not paths:
        return "default"
    return paths[0] if len(paths) == 1 and paths[0] in SETS else list(paths)


def _check(args: argparse.Namespace) -> int:
    from forgewright.policy.check import check, read_files
    from forgewright.policy.gate import policy_paths

    checked = check(read_files(policy_paths(_named(args.paths))))
    if args.json:
        _print_json({"policies": [p.id for p in checked.policies], "mistakes": checked.mistakes})
    else:
        for mistake in checked.mistakes:
            print(mistake)
        print(f"{len(checked.policies)} policies, {len(checked.mistakes)} mistakes")
    return 1 if checked.mistakes else 0


def _explain(args: argparse.Namespace) -> int:
    from forgewright.policy.explain import explain

    found = explain(_gate(args), _attempt(args))
    if args.json:
        _print_json(found)
        return 0 if found.verdict.permit else 1
    print(("permitted: " if found.verdict.permit else "denied: ") + found.verdict.reason)
    for view in found.determining:
        print(f"  {view.effect} {view.id}  {view.file}:{view.line}")
        for part in view.parts:
            print(f"    {'holds' if part.holds else 'fails'}  {part.text}")
    if found.change:
        print(found.change)
    return 0 if found.verdict.permit else 1


def _attempt(args: argparse.Namespace) -> Attempt:
    from forgewright.policy.types import Attempt, Fact
    from forgewright.policy.vocabulary import VOCABULARY

    if args.action not in VOCABULARY:
        raise UsageError(f'expected an action of {", ".join(VOCABULARY)}; found "{args.action}"')
    kinds = {fact.name: fact.kind for fact in VOCABULARY[args.action].facts} | {"paths": "Set<String>"}
    facts: dict[str, Fact] = {}
    for item in args.facts:
        name, equals, text = item.partition("=")
        if not equals or name not in kinds:
            raise UsageError(
                f"expected FACT=VALUE with a fact of {', '.join(kinds)}; found {item!r}",
                hint="sets are written with commas: argv=pytest,-q",
            )
        facts[name] = _fact(name, kinds[name], text)
    return Attempt(args.principal, args.action, args.resource, facts)


def _fact(name: str, kind: str, text: str) -> bool | int | str | tuple[str, ...]:
    if kind == "Bool" and text in ("true", "false"):
        return text == "true"
    if kind == "Long" and text.removeprefix("-").isdigit():
        return int(text)
    if kind == "Set<String>":
        return tuple(part for part in text.split(",") if part)
    if kind == "String":
        return text
    raise UsageError(f"expected the fact {name} to be a {kind}; found {text!r}")


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
