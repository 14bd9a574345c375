"""From the bytes a test command left to a report. Pure and bounded; the output may be hostile."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from forgewright.swarm.testing import compiled, javascript, python
from forgewright.swarm.testing.report import (
    REPORT_BYTES_MAX,
    Counts,
    TestFailure,
    TestOutput,
    TestReport,
    plain,
    tail,
)

_PARSERS: dict[str, Callable[[str, str], Counts | None]] = {
    "pytest": python.pytest,
    "unittest": python.unittest,
    "jest": javascript.jest,
    "vitest": javascript.vitest,
    "node": javascript.node,
    "mocha": javascript.mocha,
    "cargo": compiled.cargo,
    "go": compiled.go,
}

_REASONS = {
    "timeout": "the tests did not end in time and were stopped",
    "oom": "the tests ran out of memory and were stopped",
    "pids": "the tests started too many processes and were stopped",
    "disk": "the tests filled the disk they may use",
    "cancelled": "the tests were cancelled",
}


def parse(output: TestOutput, framework: str = "custom", *, root: str = "") -> TestReport:
    """The report of a test run. `root` is the project's folder as the tests saw it.

    A framework without a summary of its own (make, npm, tox …) is recognised by what it printed; where
    nothing is recognised the exit code decides, and the end of the output is kept.
    """
    stdout, stderr = plain(output.stdout), plain(output.stderr)
    both = f"{stdout}\n{stderr}"
    counts = _PARSERS[framework](both, root) if framework in _PARSERS else None
    if counts is None:
        for name, parser in _PARSERS.items():
            if name != framework and (counts := parser(both, root)) is not None:
                break
    note = _REASONS.get(output.reason, "")
    if output.reason == "signal":
        note = f"the test command was ended by signal {output.code - 128}"
    if counts is None:
        return _by_exit_code(output, framework, both, note)
    report = TestReport(
        passed=counts.passed,
        failed=counts.failed,
        errors=counts.errors,
        skipped=counts.skipped,
        failures=counts.failures,
        framework=counts.framework,
        code=output.code,
        note=note or counts.note,
        seconds=output.seconds,
    )
    if report.ok or report.failures:
        return fit(report)
    if not note and report.ran and output.code != 0 and not (report.failed or report.errors):
        note = f"all tests passed, but the command ended with exit code {output.code}"
    return _with(report, note=note or report.note, tail=tail(both))


def _by_exit_code(output: TestOutput, framework: str, text: str, note: str) -> TestReport:
    if output.code in (126, 127) and output.reason == "exit":
        note = note or "the test command could not be started"
        return TestReport(framework=framework, code=output.code, note=note, tail=tail(text))
    known = framework in _PARSERS
    if output.code == 0 and not known and output.reason == "exit":
        return TestReport(
            passed=1, framework=framework, note="judged by its exit code alone", seconds=output.seconds
        )
    note = note or (
        f"the output has no summary of {framework}; exit code {output.code}"
        if known
        else f"judged by its exit code alone: {output.code}"
    )
    errors = 0 if output.code == 0 else 1
    return TestReport(
        errors=errors,
        framework=framework,
        code=output.code,
        note=note,
        tail=tail(text),
        seconds=output.seconds,
    )


def fit(report: TestReport) -> TestReport:
    """The report within its bound: later failures lose their excerpts, then their place in it."""
    failures = list(report.failures)
    for last in range(len(failures) - 1, 0, -1):
        if _size(report, failures) <= REPORT_BYTES_MAX:
            break
        failures[last] = msgspec.structs.replace(failures[last], excerpt="")
    while len(failures) > 1 and _size(report, failures) > REPORT_BYTES_MAX:
        failures.pop()
    return msgspec.structs.replace(report, failures=tuple(failures))


def _size(report: TestReport, failures: list[TestFailure]) -> int:
    return len(msgspec.json.encode(msgspec.structs.replace(report, failures=tuple(failures))))


def _with(report: TestReport, *, note: str, tail: str) -> TestReport:
    return msgspec.structs.replace(report, note=note, tail=tail)
