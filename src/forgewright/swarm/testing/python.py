"""Reads what pytest and unittest print."""

from __future__ import annotations

import re

from forgewright.swarm.testing.report import (
    FAILURES_MAX,
    MESSAGE_CHARS_MAX,
    Counts,
    TestFailure,
    clip,
    relative,
)

_PYTEST_END = re.compile(
    r"^=* ?((?:\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|rerun)(?:, )?)+"
    r"|no tests ran|no tests collected[^=\n]*) in [\d.]+s\b.*$",
    re.MULTILINE,
)
_PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed|xpassed)")
_PYTEST_LINE = re.compile(r"^(FAILED|ERROR) (\S.*)$", re.MULTILINE)
_PYTEST_SECTION = re.compile(r"^_{3,} (.+?) _{3,}$", re.MULTILINE)
_PYTEST_PLACE = re.compile(r"^(\S[^\n:]*\.py):(\d+): ", re.MULTILINE)
_PYTEST_BANNER = re.compile(r"^={3,} .* ={3,}$", re.MULTILINE)

_UNITTEST_END = re.compile(r"^Ran (\d+) tests? in [\d.]+s$", re.MULTILINE)
_UNITTEST_VERDICT = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", re.MULTILINE)
_UNITTEST_BLOCK = re.compile(r"^={70}\n(FAIL|ERROR): (.+)\n(?:.+\n){0,20}?-{70}\n", re.MULTILINE)
_UNITTEST_NAME = re.compile(r"^(\S+) \(([\w.]+)\)(.*)$")
_TRACEBACK_PLACE = re.compile(r'^\s*File "([^"\n]+)", line (\d+)', re.MULTILINE)


def pytest(text: str, root: str) -> Counts | None:
    """None where `text` isn't pytest's."""
    ends = list(_PYTEST_END.finditer(text))
    if not ends:
        if re.search(
            r"^ERROR: (usage:|.*unrecognized arguments|not found:|file or directory)", text, re.MULTILINE
        ):
            return Counts("pytest", note=_first(r"^ERROR: .*$", text))
        return None
    counts = {name: int(number) for number, name in _PYTEST_COUNT.findall(ends[-1][1])}
    sections = _sections(text)
    failures: list[TestFailure] = []
    for kind, rest in _PYTEST_LINE.findall(text)[: FAILURES_MAX * 2]:
        node, _, summary = _split_summary(rest)
        body = sections.get(_section_name(kind, node), "") or sections.get(node, "")
        if any(known.id == node for known in failures):
            continue
        failures.append(_pytest_failure(node, summary, body, root))
    return Counts(
        "pytest",
        passed=counts.get("passed", 0) + counts.get("xpassed", 0),
        failed=counts.get("failed", 0),
        errors=counts.get("error", 0),
        skipped=counts.get("skipped", 0) + counts.get("xfailed", 0),
        failures=tuple(failures[:FAILURES_MAX]),
    )


def _split_summary(rest: str) -> tuple[str, str, str]:
    """Node id and message: the dash that separates them is the first outside the parameters' brackets."""
    depth = 0
    for at, char in enumerate(rest):
        depth += (char == "[") - (char == "]")
        if depth <= 0 and rest.startswith(" - ", at):
            return rest[:at], " - ", rest[at + 3 :]
    return rest.partition(" - ")


def _section_name(kind: str, node: str) -> str:
    path, _, name = node.partition("::")
    return name.replace("::", ".") if name else f"collecting {path}"


def _sections(text: str) -> dict[str, str]:
    """Heading → body of the sections that pytest draws for failures and errors."""
    out: dict[str, str] = {}
    found = list(_PYTEST_SECTION.finditer(text))
    for i, head in enumerate(found):
        end = found[i + 1].start() if i + 1 < len(found) else len(text)
        body = text[head.end() : end]
        banner = _PYTEST_BANNER.search(body)
        body = body[: banner.start()] if banner else body
        name = head[1].strip().removeprefix("ERROR ")
        name = re.sub(r"^at (setup|teardown) of ", "", name)
        out.setdefault(name, body)
    return out


def _pytest_failure(node: str, summary: str, body: str, root: str) -> TestFailure:
    says = re.findall(r"^E\s{1,7}(.*)$", body, re.MULTILINE)
    places = [(relative(file, root), int(line)) for file, line in _PYTEST_PLACE.findall(body)]
    own = [place for place in places if not place[0].startswith(("/", ".venv/"))]
    file, line = (own or places or [(node.partition("::")[0], 0)])[-1]
    message = says[0] if says else summary
    return TestFailure(node, file, line, message[:MESSAGE_CHARS_MAX], clip(body))


def unittest(text: str, root: str) -> Counts | None:
    """None where `text` isn't unittest's."""
    ends = list(_UNITTEST_END.finditer(text))
    if not ends:
        return None
    total = int(ends[-1][1])
    verdict = _UNITTEST_VERDICT.search(text, ends[-1].end())
    numbers = {
        name: int(number)
        for part in ((verdict[1] if verdict else "") or "").split(", ")
        for name, _, number in [part.partition("=")]
        if number.isdigit()
    }
    failures = []
    found = list(_UNITTEST_BLOCK.finditer(text))
    for i, head in enumerate(found[:FAILURES_MAX]):
        end = found[i + 1].start() if i + 1 < len(found) else ends[-1].start()
        failures.append(_unittest_failure(head[2], text[head.end() : end].rstrip("-\n \t"), root))
    failed = numbers.get("failures", 0) + numbers.get("unexpected successes", 0)
    errors = numbers.get("errors", 0)
    skipped = numbers.get("skipped", 0) + numbers.get("expected failures", 0)
    # Sub-tests that fail are counted each, but only their test is in the total.
    broken = len({failure.id.partition(" ")[0] for failure in failures}) if failures else failed + errors
    passed = max(0, total - skipped - max(0, min(failed + errors, broken)))
    return Counts("unittest", passed, failed, errors, skipped, tuple(failures))


def _unittest_failure(heading: str, body: str, root: str) -> TestFailure:
    named = _UNITTEST_NAME.match(heading)
    name = heading
    if named is not None:
        method, owner, rest = named.groups()
        full = owner if owner.rpartition(".")[2] == method else f"{owner}.{method}"
        if ".loader._FailedTest" in full:
            full = method
        name = full + (f" {rest.strip()}" if rest.strip() else "")
    places = [(relative(file, root), int(line)) for file, line in _TRACEBACK_PLACE.findall(body)]
    own = [place for place in places if not place[0].startswith("/")]
    file, line = own[-1] if own else ("", 0)
    lines = [line for line in body.split("\n") if line and not line.startswith((" ", "\t"))]
    said = [
        one for one in lines if re.match(r"[\w.]+(Error|Exception|Exit|Interrupt|Warning)\b|[\w.]+: ", one)
    ]
    message = (said or lines or [""])[-1]
    return TestFailure(name, file, line, message[:MESSAGE_CHARS_MAX], clip(body))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[0][:MESSAGE_CHARS_MAX] if found else ""
