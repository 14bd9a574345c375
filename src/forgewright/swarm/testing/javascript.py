"""Reads what node's own runner (TAP or spec), jest, vitest and mocha print."""

from __future__ import annotations

import re
from itertools import islice

import msgspec

from forgewright.swarm.testing.report import (
    FAILURES_MAX,
    MESSAGE_CHARS_MAX,
    Counts,
    TestFailure,
    clip,
    relative,
)

_PLACE = re.compile(r"(?:\(|at |❯ |file://)((?:[^\s():]|\\ )+\.[cm]?[jt]sx?):(\d+)(?::\d+)?")
_SUMMARY = re.compile(r"^(?:#|ℹ) (tests|pass|fail|cancelled|skipped|todo) (\d+)$", re.MULTILINE)
_NOT_OK = re.compile(r"^( *)not ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$", re.MULTILINE)
_JEST = re.compile(r"^Tests: +((?:\d+ (?:failed|skipped|todo|passed|pending), )*\d+ total)$", re.MULTILINE)
_JEST_SUITES = re.compile(r"^Test Suites: +(.*\btotal)$", re.MULTILINE)
_JEST_FAILURE = re.compile(r"^  ● (.+)$", re.MULTILINE)
_VITEST = re.compile(r"^ +Tests  (.*\(\d+\)|no tests)\s*$", re.MULTILINE)
_VITEST_FAILURE = re.compile(r"^ ?FAIL {1,2}(?:\|?[\w-]+\| )?(\S.*)$", re.MULTILINE)
_MOCHA = re.compile(r"^  (\d+) (passing|failing|pending)\b.*$", re.MULTILINE)
_MOCHA_FAILURE = re.compile(r"^  (\d+)\) (.+)$", re.MULTILINE)


def _counted(text: str) -> dict[str, int]:
    return {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", text)}


def _failure(name: str, body: str, root: str, message: str = "") -> TestFailure:
    places = [(relative(file, root), int(line)) for file, line in _PLACE.findall(body)]
    own = [place for place in places if "node_modules/" not in place[0] and not place[0].startswith("node:")]
    file, line = own[0] if own else ("", 0)
    if not message:
        said = re.search(r"^\s*(?:→ )?((?:\w*Error|expect\().*)$", body, re.MULTILINE)
        message = said[1] if said else next((one.strip() for one in body.split("\n") if one.strip()), "")
    return TestFailure(name.strip(), file, line, message.strip()[:MESSAGE_CHARS_MAX], clip(body))


def node(text: str, root: str) -> Counts | None:
    """node's own runner; also any TAP stream that ends with its summary."""
    found = {name: int(number) for name, number in _SUMMARY.findall(text)}
    if "pass" not in found or "fail" not in found:
        return None
    failures = _tap_failures(text, root) or _spec_failures(text, root)
    failed = found["fail"] + found.get("cancelled", 0)
    return Counts(
        "node",
        passed=found["pass"],
        failed=failed,
        skipped=found.get("skipped", 0) + found.get("todo", 0),
        failures=tuple(failures[:FAILURES_MAX]),
    )


def _tap_failures(text: str, root: str) -> list[TestFailure]:
    heads = list(islice((head for head in _NOT_OK.finditer(text) if not head[3]), FAILURES_MAX * 4))
    out = []
    for head in heads:
        indent = head[1] + "  "
        lines = []
        for line in text[head.end() + 1 : head.end() + 20_000].split("\n"):
            if not line.startswith(indent):
                break
            lines.append(line[len(indent) :])
        body = "\n".join(line for line in lines if line not in ("---", "..."))
        if re.search(r"^failureType: 'subtestsFailed'", body, re.MULTILINE):
            continue  # the suite around a failed test
        said = re.search(r"^error: (?:\|-\n((?:  .*\n?)+)|'?(.*?)'?$)", body, re.MULTILINE)
        message = " ".join(((said[1] or said[2]) if said else "").split())
        failure = _failure(head[2].replace("\\#", "#"), body, root, message)
        where = re.search(r"^location: '(.+?):(\d+):\d+'$", body, re.MULTILINE)
        places = [place for place in _PLACE.findall(body.partition("stack:")[2]) if place[0][:5] != "node:"]
        for file, line in places[:1] or ([(where[1], where[2])] if where else []):
            failure = msgspec.structs.replace(failure, file=relative(file, root), line=int(line))
        out.append(failure)
    return out


def _spec_failures(text: str, root: str) -> list[TestFailure]:
    part = text.partition("failing tests:")[2]
    blocks = re.split(r"^test at ", part, flags=re.MULTILINE)[1:]
    out = []
    for block in blocks:
        first, _, body = block.partition("\n")
        name = re.match(r"✖ (.*?)(?: \([\d.]+ms\))?$", body.split("\n")[0])
        failure = _failure(name[1] if name else first, "\n".join(body.split("\n")[1:]), root)
        where = re.match(r"(.+?):(\d+)", first)
        if where is not None and not failure.file:
            failure = msgspec.structs.replace(failure, file=relative(where[1], root), line=int(where[2]))
        out.append(failure)
    return out


def jest(text: str, root: str) -> Counts | None:
    ends = list(_JEST.finditer(text))
    suites = _JEST_SUITES.search(text)
    if not ends and not suites:
        return None
    counts = _counted(ends[-1][1]) if ends else {}
    broken = 0
    heads = list(_JEST_FAILURE.finditer(text))
    failures: dict[str, TestFailure] = {}
    for i, head in enumerate(heads):
        end = heads[i + 1].start() if i + 1 < len(heads) else len(text)
        body = re.split(
            r"^(?:Test Suites:|PASS |FAIL |Summary of all)", text[head.end() : end], flags=re.MULTILINE
        )[0]
        name = head[1].strip()
        if name.startswith(("Console", "Cannot log")) or name in failures:
            continue
        if "Test suite failed to run" in name:
            broken += 1
            before = re.findall(r"^FAIL +(\S+)", text[: head.start()], re.MULTILINE)
            name = before[-1] if before else name
        failures[name] = _failure(name, body, root)
    return Counts(
        "jest",
        passed=counts.get("passed", 0),
        failed=counts.get("failed", 0),
        errors=broken,
        skipped=counts.get("skipped", 0) + counts.get("todo", 0) + counts.get("pending", 0),
        failures=tuple(failures.values())[:FAILURES_MAX],
    )


def vitest(text: str, root: str) -> Counts | None:
    ends = list(_VITEST.finditer(text))
    if not ends:
        return None
    counts = _counted(ends[-1][1])
    heads = list(_VITEST_FAILURE.finditer(text))
    failures: dict[str, TestFailure] = {}
    broken = 0
    for i, head in enumerate(heads):
        end = heads[i + 1].start() if i + 1 < len(heads) else len(text)
        body = re.split(r"^⎯{3,}|^ +Test Files ", text[head.end() : end], flags=re.MULTILINE)[0]
        name = head[1].strip()
        if name in failures or not body.strip():
            continue
        if " > " not in name:
            broken += 1
        failures[name] = _failure(name, body, root)
    return Counts(
        "vitest",
        passed=counts.get("passed", 0),
        failed=counts.get("failed", 0),
        errors=broken,
        skipped=counts.get("skipped", 0) + counts.get("todo", 0),
        failures=tuple(failures.values())[:FAILURES_MAX],
    )


def mocha(text: str, root: str) -> Counts | None:
    ends = list(_MOCHA.finditer(text))
    if not any(end[2] == "passing" for end in ends):
        return None
    counts = {end[2]: int(end[1]) for end in ends}
    part = text[ends[-1].end() :]
    heads = list(_MOCHA_FAILURE.finditer(part))
    failures = []
    for i, head in enumerate(heads):
        body = part[head.end() : heads[i + 1].start() if i + 1 < len(heads) else len(part)]
        names = [head[2]]
        lines = body.strip("\n").split("\n")
        while lines and re.match(r"^ {5,}\S", lines[0]) and not names[-1].endswith(":"):
            names.append(lines.pop(0).strip())
        failures.append(_failure(" ".join(names).rstrip(":"), "\n".join(lines), root))
    return Counts(
        "mocha",
        passed=counts.get("passing", 0),
        failed=counts.get("failing", 0),
        skipped=counts.get("pending", 0),
        failures=tuple(failures[:FAILURES_MAX]),
    )
