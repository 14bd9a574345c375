"""`forgewright policy …`: check policies, explain a decision, run their tests, compare two sets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.cli import policy_versions
from forgewright.core.errors import NotFound, UsageError

if TYPE_CHECKING:
    from forgewright.journal.events import Record
    from forgewright.policy.diff import Difference
    from forgewright.policy.explain import Explanation
    from forgewright.policy.gate import CedarGate
    from forgewright.policy.types import Attempt, Verdict


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
        "action", nargs="?", help="model, tool, edit, exec, install, network, git, ask, read, publish, spend"
    )
    explain.add_argument("resource", nargs="?", help="what is touched: a path, a model, a host:port …")
    explain.add_argument(
        "facts", nargs="*", default=[], metavar="FACT=VALUE", help="purpose=tests lines=12 argv=pytest,-q"
    )
    explain.add_argument(
        "--run",
        dest="of_run",
        metavar="RUN",
        help="instead: every decision of a run (its id, the beginning of it, or: last), by the set that was in force",
    )
    explain.add_argument("--as", dest="principal", default="coder", metavar="AGENT", help="the agent (coder)")
    explain.epilog = (
        "examples:\n  forgewright policy explain exec tests argv=pytest,-q --as tester\n"
        "  forgewright policy explain --run last\n"
        "  forgewright policy explain --run 01k9 --json | jq 'select(.permit | not)'\n"
        "  forgewright policy explain --run last --set strict    # what that set would have said\n"
    )
    explain.formatter_class = argparse.RawDescriptionHelpFormatter
    _set_arguments(explain, positional=False)

    test = commands.add_parser("test", help="run tables of given attempts and expected verdicts")
    test.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help="TOML files of [[case]]s")
    _set_arguments(test, positional=False)

    diff = commands.add_parser("diff", help="what another set would decide differently of what was recorded")
    diff.add_argument("before", metavar="BEFORE", help="default, strict, a file or a folder")
    diff.add_argument("after", metavar="AFTER", help="likewise")
    diff.add_argument("--attempts", type=Path, help="JSON lines of attempts, instead of the home's journal")
    diff.add_argument("--entities", type=Path, help="a JSON file of entities")

    replay = commands.add_parser(
        "replay", help="what a set would decide of the journal, beside what was decided"
    )
    replay.add_argument("--run", dest="of_run", metavar="RUN", help="of this run only (or: last)")
    _set_arguments(replay)

    commands.add_parser("reference", help="actions, facts, labels and annotations, as a page of Markdown")

    policy_versions.register(commands)
    for command in commands.choices.values():
        command.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """0 if all is well (explain: permitted), 1 if not."""
    if args.policy_command in policy_versions.COMMANDS:
        return policy_versions.run(args)
    handlers: dict[str, Callable[[argparse.Namespace], int]] = {
        "check": _check,
        "explain": _explain,
        "test": _test,
        "diff": _diff,
        "replay": _replay,
        "reference": _reference,
    }
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
    return list(paths) if paths else "default"


def _check(args: argparse.Namespace) -> int:
    from forgewright.policy.check import check, read_files
    from forgewright.policy.gate import policy_paths
    from forgewright.policy.lint import lint

    checked = check(read_files(policy_paths(_named(args.paths))))
    findings = lint(checked.policies)
    if args.json:
        _print_json(
            {"policies": [p.id for p in checked.policies], "mistakes": checked.mistakes, "findings": findings}
        )
    else:
        for mistake in checked.mistakes:
            print(mistake)
        for finding in findings:
            print(f"{finding} [{finding.kind}]")
        print(f"{len(checked.policies)} policies, {len(checked.mistakes)} mistakes, {len(findings)} findings")
    return 1 if checked.mistakes or findings else 0


def _explain(args: argparse.Namespace) -> int:
    from forgewright.policy.explain import explain

    if args.of_run is not None:
        from forgewright.cli.policy_run import explain_run

        return explain_run(args)
    if args.action is None or args.resource is None:
        raise UsageError(
            "expected an action and a resource, or --run RUN",
            hint="for example: forgewright policy explain edit app.py --as coder",
        )
    found = explain(_gate(args), _attempt(args))
    if args.json:
        _print_json(found)
    else:
        _print_explanation(found)
    return 0 if found.verdict.permit else 1


def _print_explanation(found: Explanation, indent: str = "") -> None:
    print(indent + ("permitted: " if found.verdict.permit else "denied: ") + found.verdict.reason)
    for view in found.determining:
        print(f"{indent}  {view.effect} {view.id}  {view.file}:{view.line}")
        for part in view.parts:
            print(f"{indent}    {'holds' if part.holds else 'fails'}  {part.text}")
    if found.change:
        print(indent + found.change.replace("\n", "\n" + indent))


def _reference(args: argparse.Namespace) -> int:
    from forgewright.policy.reference import page

    sys.stdout.write(page())
    return 0


def _test(args: argparse.Namespace) -> int:
    from forgewright.policy.table import read_cases, run_cases

    gate = _gate(args)
    results = [r for table in args.tables for r in run_cases(gate, str(table), read_cases(table))]
    failed = [result for result in results if result.mistakes]
    if args.json:
        _print_json(results)
        return 1 if failed else 0
    for result in failed:
        print(f"{result.file}: {result.name}")
        for mistake in result.mistakes:
            print(f"  {mistake}")
        if result.explanation is not None and result.explanation.change:
            print("  " + result.explanation.change.replace("\n", "\n  "))
    print(f"{len(results) - len(failed)} of {len(results)} cases pass")
    return 1 if failed else 0


def _diff(args: argparse.Namespace) -> int:
    from forgewright.policy.diff import diff
    from forgewright.policy.gate import CedarGate
    from forgewright.policy.recorded import Recorded, read_attempts

    attempts = read_attempts(args.attempts) if args.attempts else Recorded(_records(args.home)).attempts
    before, after = (
        CedarGate.load(_named([s]), entities=args.entities or ()) for s in (args.before, args.after)
    )
    return _show_difference(diff(before, after, attempts), args)


def _replay(args: argparse.Namespace) -> int:
    from forgewright.policy.diff import diff
    from forgewright.policy.recorded import Recorded

    recorded = Recorded(_records(args.home, args.of_run))
    return _show_difference(diff(recorded, _gate(args), recorded.attempts), args)


def _records(home: Path, name: str | None = None) -> list[Record]:
    """All records of the home, or of one run."""
    if not home.is_dir():
        raise NotFound(
            f"there is no home at {home}", hint="name one with --home, or attempts with --attempts"
        )
    import asyncio

    from forgewright.cli.runs import find_run
    from forgewright.journal.journal import open_journal

    async def read() -> list[Record]:
        run = await find_run(home, name) if name is not None else None
        journal = await open_journal(home)
        try:
            if run is not None:
                return await journal.read(run)
            found: list[Record] = []
            while page := await journal.scan(start=len(found)):
                found += page
            return found
        finally:
            await journal.close()

    return asyncio.run(read())


def _show_difference(found: Difference, args: argparse.Namespace) -> int:
    if args.json:
        _print_json(found)
        return 1 if found.flips else 0
    for flip in found.flips:
        attempt = flip.attempt
        print(
            f"{flip.change}: {attempt.principal} {attempt.action} {attempt.resource} {_said(attempt.facts)}"
        )
        print(f"  before: {_obliged(flip.before)}\n  after:  {_obliged(flip.after)}")
    print(f"{found.attempts} attempts, {len(found.flips)} of them decided differently")
    return 1 if found.flips else 0


def _said(facts: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in facts.items() if value)[:200]


def _obliged(verdict: Verdict) -> str:
    if not verdict.permit:
        return f"denied ({', '.join(verdict.policies) or 'no policy permits it'})"
    parts = [verdict.tier and f"tier {verdict.tier}", verdict.approval and f"approval of {verdict.approval}"]
    parts += [f"{item} taken out" for item in verdict.redact]
    parts += [f"{name} ≤ {number}" for name, number in verdict.limits.items()]
    return f"permitted ({', '.join(verdict.policies)}) " + ", ".join(part for part in parts if part)


def _attempt(args: argparse.Namespace) -> Attempt:
    from forgewright.policy.types import Attempt, Fact
    from forgewright.policy.vocabulary import VOCABULARY, facts_of

    if args.action not in VOCABULARY:
        raise UsageError(f'expected an action of {", ".join(VOCABULARY)}; found "{args.action}"')
    kinds = {fact.name: fact.kind for fact in facts_of(args.action)} | {"paths": "Set<String>"}
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
