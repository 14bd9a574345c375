"""Run before/after cases: `python -m tests.cases.run FILE…` (or `make cases CASES="FILE…"`).

Prints per file how many cases are right, wrong, refused and left out. A case is right if all files are the same
text as expected, or the same syntax tree where only layout differs; a case of kind `error` if it is refused.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forgewright.core.errors import ForgewrightError
from tests.cases import here, mapping, same
from tests.cases.left_out import LEFT_OUT
from tests.cases.scene import MemoryScene

DIALECTS = {"typescript": "tsx", "javascript": "tsx"}
"""The grammar in which two versions of a case's files are compared."""


def run_case(case: dict[str, Any]) -> tuple[str, str]:
    """(`right`, `wrong`, `refused`, `left out`; why)."""
    if case["id"] in LEFT_OUT:
        return "left out", LEFT_OUT[case["id"]]
    if case["kind"] not in ("changes", "error"):
        return "left out", f"kind {case['kind']}"
    scene = MemoryScene(case["files"])
    try:
        operations = mapping.operations(case, scene)
        if operations is None:
            return "refused", f"no operation for {case['op']}"
        for operation in operations:
            scene.run(operation() if callable(operation) else operation)
        scene.check()
        after = scene.files()
    except ForgewrightError as error:
        return ("right" if case["kind"] == "error" else "refused"), str(error)
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    if case["kind"] == "error":
        return "wrong", "was expected to be refused\n" + _diffs(case["files"], after)
    before = {path.lstrip("/"): text for path, text in case["files"].items()}
    expected = {path.lstrip("/"): text for path, text in case["expected"].items()}
    wanted = {**before, **expected}
    gone = set(expected) - set(before)
    if gone:
        moved = {path for path in before if path not in expected and path not in after}
        wanted = {path: text for path, text in wanted.items() if path not in moved}
    bad = [
        path
        for path in sorted(set(wanted) | set(after))
        if not _fits(wanted.get(path), after.get(path), case)
    ]
    if not bad:
        return "right", ""
    return "wrong", "\n".join(_diff(path, wanted.get(path, ""), after.get(path, "")) for path in bad)


def _fits(wanted: str | None, found: str | None, case: dict[str, Any]) -> bool:
    if wanted is None or found is None:
        return (wanted or found or "").strip() == "" and case["lang"] == "python"
    return wanted == found or same.trees(wanted, found, DIALECTS.get(case["lang"], case["lang"]))


def _diffs(before: dict[str, str], after: dict[str, str]) -> str:
    return "\n".join(
        _diff(path, before.get(path, ""), text) for path, text in after.items() if before.get(path) != text
    )


def _diff(path: str, wanted: str, found: str) -> str:
    lines = difflib.unified_diff(
        wanted.splitlines(), found.splitlines(), f"{path} expected", f"{path} found", lineterm=""
    )
    return "\n".join(lines)


def read_cases(path: Path, parser: argparse.ArgumentParser) -> Iterator[dict[str, Any]]:
    """Ends the program with exit code 2 where the file is none of cases."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"{path} cannot be read ({error}); expected a file with one JSON object a line")
    for number, line in enumerate(lines, 1):
        try:
            case = json.loads(line)
            missing = {"id", "op", "kind", "args", "files", "lang"} - case.keys()
        except (json.JSONDecodeError, AttributeError):
            parser.error(f"{path}:{number} is not a JSON object: {line[:60]!r}")
        if missing:
            parser.error(f"{path}:{number} is no case: it has no {', '.join(sorted(missing))}")
        yield case


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make cases", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="cases, one JSON object a line")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if a case is wrong or refused")
    parser.add_argument("--show", default="", help="only cases whose id contains this, in full")
    parser.add_argument("--op", default="", help="only cases of this operation")
    parser.add_argument("--list", action="store_true", help="name the cases that are not right")
    parser.add_argument("--json", action="store_true", help="one JSON object per case")
    parser.add_argument("--server", action="store_true", help="with a language server's second opinion")
    options = parser.parse_args(argv)
    here.SERVER = options.server
    total: Counter[str] = Counter()
    for path in options.files:
        counts: Counter[str] = Counter()
        by_op: dict[str, Counter[str]] = {}
        for case in read_cases(path, parser):
            if options.show not in case["id"] or options.op not in ("", case["op"]):
                continue
            verdict, why = run_case(case)
            counts[verdict] += 1
            kind = f"{case['op']}{' (error)' if case['kind'] == 'error' else ''}"
            by_op.setdefault(kind, Counter())[verdict] += 1
            if options.json:
                print(json.dumps({"id": case["id"], "op": case["op"], "verdict": verdict, "why": why}))
            elif options.show:
                show(case, verdict, why)
            elif options.list and verdict in ("wrong", "refused"):
                print(f"  {verdict:8} {case['op']:20} {case['id']}  {why.splitlines()[0] if why else ''}")
        total += counts
        if not options.json:
            print(summary(path.name, counts))
            if len(by_op) > 1:
                for kind, part in sorted(by_op.items()):
                    print(summary(f"    {kind}", part))
    if len(options.files) > 1 and not options.json:
        print(summary("all", total))
    return 1 if options.strict and total["wrong"] + total["refused"] else 0


def summary(name: str, counts: Counter[str]) -> str:
    judged = counts["right"] + counts["wrong"] + counts["refused"]
    share = f"{100 * counts['right'] / judged:5.1f} %" if judged else "    –"
    return (
        f"{name:40} {share} right  {counts['right']:4} right {counts['wrong']:4} wrong "
        f"{counts['refused']:4} refused {counts['left out']:4} left out"
    )


def show(case: dict[str, Any], verdict: str, why: str) -> None:
    print(f"==== {case['id']}  {case['op']}  {case['kind']}\n{json.dumps(case['args'])}")
    for path, text in case["files"].items():
        print(f"---- {path}\n{text}")
    for path, text in (case.get("expected") or {}).items():
        if case["files"].get(path) != text:
            print(f"---- {path} expected\n{text}")
    print(f"==== {verdict}: {why}\n")


if __name__ == "__main__":
    sys.exit(main())
