"""What a test run said, in one shape for every framework: counts, and each failure with its place."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import msgspec

TEXT_BYTES_MAX = 4 << 20
"""Of each stream, the last part that is parsed."""
LINE_CHARS_MAX = 2_000
FAILURES_MAX = 50
EXCERPT_CHARS_MAX = 1_500
MESSAGE_CHARS_MAX = 300
REPORT_BYTES_MAX = 16 << 10
"""Of a report, encoded: it stands in the journal as it is. Excerpts go first, then the last failures."""

Framework = Literal[
    "pytest",
    "unittest",
    "node",
    "jest",
    "vitest",
    "mocha",
    "go",
    "cargo",
    "tox",
    "nox",
    "npm",
    "make",
    "custom",
]


class TestOutput(msgspec.Struct, frozen=True):
    """How the command ended."""

    __test__: ClassVar[bool] = False

    stdout: bytes
    stderr: bytes
    code: int
    reason: str = "exit"
    """As in the sandbox: `exit`, `signal`, `timeout`, `oom`, `pids`, `disk`, `cancelled`."""
    seconds: float = 0.0


class TestFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    __test__: ClassVar[bool] = False

    id: str
    """As the framework names it, so that it can be run alone."""
    file: str = ""
    """Relative to the project where that is known; empty where it isn't."""
    line: int = 0
    """Of the failing statement, from 1; 0 where it isn't known."""
    message: str = ""
    excerpt: str = ""


class TestReport(msgspec.Struct, frozen=True, omit_defaults=True):
    __test__: ClassVar[bool] = False

    passed: int = 0
    failed: int = 0
    errors: int = 0
    """Tests that could not be run: an import, a fixture, the build."""
    skipped: int = 0
    failures: tuple[TestFailure, ...] = ()
    """At most fifty; of failed and broken tests together."""
    framework: str = ""
    code: int = 0
    note: str = ""
    """What the counts don't say: a time-out, no test found, a failure outside any test."""
    tail: str = ""
    """The end of the output, where there are no failures that say what is wrong."""
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped

    @property
    def ran(self) -> bool:
        """Whether any test ran. A run without tests is neither passed nor failed."""
        return self.passed + self.failed + self.errors > 0

    @property
    def ok(self) -> bool:
        """Tests ran, none failed, and the command ended well."""
        return self.ran and self.code == 0 and not self.failed and not self.errors


class Counts(msgspec.Struct, frozen=True):
    """What a parser found in the text of its framework."""

    framework: str
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    failures: tuple[TestFailure, ...] = ()
    note: str = ""


_ANSI = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b\x0c\x0e-\x1f]"
)


_LONG_LINE = re.compile(r"[^\n]{2001,}")


def plain(data: bytes) -> str:
    """The end of `data` as text, without colours and control characters, with `\\n` line ends."""
    cut = data[-TEXT_BYTES_MAX:]
    text = cut.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    text = _ANSI.sub("", text)
    return _LONG_LINE.sub(lambda line: f"{line[0][:LINE_CHARS_MAX]}…", text)


def clip(text: str, chars_max: int = EXCERPT_CHARS_MAX) -> str:
    """`text` without its middle where it is too long; both ends of a failure tell something."""
    text = text.strip("\n")
    if len(text) <= chars_max:
        return text
    half = chars_max // 2 - 10
    return f"{text[:half].rstrip()}\n   […]\n{text[-half:].lstrip()}"


def tail(text: str, lines: int = 20) -> str:
    """The last lines that are not empty."""
    kept = [line for line in text.split("\n") if line.strip()][-lines:]
    return clip("\n".join(kept))


def relative(path: str, root: str) -> str:
    """A path of the output relative to the project, as far as that can be told."""
    path = path.removeprefix("file://").removeprefix("./")
    if root and path.startswith(root.rstrip("/") + "/"):
        return path[len(root.rstrip("/")) + 1 :]
    return path


def render(report: TestReport, *, failures_max: int = 8, chars_max: int = 6_000) -> str:
    """Short text for a model or a person: the verdict, then each failure with its place."""
    lines = [headline(report)]
    for failure in report.failures[:failures_max]:
        place = f"{failure.file}:{failure.line}" if failure.file and failure.line else failure.file
        lines.append(f"\n✗ {failure.id}" + (f"  ({place})" if place else ""))
        if failure.message:
            lines.append(f"  {failure.message}")
        if failure.excerpt and failure.excerpt.strip() != failure.message.strip():
            lines += [f"    {line}" for line in failure.excerpt.split("\n")]
        if sum(map(len, lines)) > chars_max:
            break
    shown = sum(line.startswith("\n✗") for line in lines)
    hidden = report.failed + report.errors - shown
    if shown and hidden > 0:
        lines.append(f"\n… and {hidden} more")
    if report.tail:
        lines.append(f"\nend of the output:\n{report.tail}")
    return clip("\n".join(lines), chars_max)


def headline(report: TestReport) -> str:
    """One line: `12 passed, 1 failed (pytest, 0.8 s)`."""
    names = ("passed", "failed", "errors", "skipped")
    counts = [f"{getattr(report, name)} {name}" for name in names if getattr(report, name)]
    said = ", ".join(counts) if report.ran else "no test ran"
    if not report.ran and report.skipped:
        said += f" ({report.skipped} skipped)"
    where = ", ".join(filter(None, [report.framework, f"{report.seconds:.1f} s" if report.seconds else ""]))
    said += f" ({where})" if where else ""
    return f"{said}: {report.note}" if report.note else said
