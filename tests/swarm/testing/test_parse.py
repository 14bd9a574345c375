"""What test frameworks print, real output of each, becomes one report."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from forgewright.swarm.testing import TestOutput, TestReport, headline, parse, render

OUTPUTS = Path(__file__).parent / "outputs"

PYTEST_FILES = {
    "test_x.py": """
import unittest, pytest

class T(unittest.TestCase):
    def test_ok(self): pass
    def test_bad(self): self.assertEqual(1, 2, "why")
    def test_err(self): raise KeyError("x")
    @unittest.skip("no")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_xf(self): self.fail()

@pytest.fixture
def broken(): raise RuntimeError("fixture")

def test_fixture(broken): pass

@pytest.mark.parametrize("a", [1, "x - y]"])
def test_parameters(a):
    print("FAILED test_fake.py::test_fake - printed by a test")
    assert a == 1, "long\\nmessage"
""",
    "test_y.py": "import nothing_there\n",
}
UNITTEST_FILE = """
import unittest

class T(unittest.TestCase):
    def test_ok(self): pass
    def test_bad(self):
        self.assertEqual(1, 2, "why")
    def test_err(self):
        raise KeyError("x")
    @unittest.skip("no")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_xf(self): self.fail()
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertEqual(i, 0)
"""


def run(folder: Path, *argv: str) -> TestOutput:
    done = subprocess.run([sys.executable, *argv], cwd=folder, capture_output=True, check=False)
    return TestOutput(done.stdout, done.stderr, done.returncode)


def counts(report: TestReport) -> tuple[int, int, int, int]:
    return report.passed, report.failed, report.errors, report.skipped


def stored(name: str, framework: str, code: int = 1) -> TestReport:
    data = (OUTPUTS / f"{name}.txt").read_bytes()
    return parse(TestOutput(data, b"", code), framework, root="/project")


@pytest.mark.parametrize("color", ["no", "yes"])
def test_pytest(tmp_path: Path, color: str) -> None:
    for name, text in PYTEST_FILES.items():
        (tmp_path / name).write_text(text)
    argv = ["-m", "pytest", "-q", "-rfE", "--tb=short", f"--color={color}", "-p", "no:cacheprovider"]
    report = parse(run(tmp_path, *argv, "--continue-on-collection-errors"), "pytest", root=str(tmp_path))
    assert counts(report) == (2, 3, 2, 2)
    by_id = {failure.id: failure for failure in report.failures}
    assert set(by_id) == {
        "test_x.py::T::test_bad",
        "test_x.py::T::test_err",
        "test_x.py::test_parameters[x - y]]",
        "test_x.py::test_fixture",
        "test_y.py",
    } | ({"test_fake.py::test_fake"} if "test_fake.py::test_fake" in by_id else set())
    bad = by_id["test_x.py::T::test_bad"]
    assert (bad.file, bad.line) == ("test_x.py", 6)
    assert bad.message == "AssertionError: 1 != 2 : why"
    assert by_id["test_x.py::test_fixture"].message == "RuntimeError: fixture"
    assert by_id["test_y.py"].message == "ModuleNotFoundError: No module named 'nothing_there'"
    assert not report.ok
    assert report.ran


def test_pytest_without_tests_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    report = parse(run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider"), "pytest")
    assert not report.ran
    assert not report.ok
    assert headline(report).startswith("no test ran")


def test_pytest_with_an_option_it_does_not_know(tmp_path: Path) -> None:
    report = parse(run(tmp_path, "-m", "pytest", "--no-such-option"), "pytest")
    assert not report.ok
    assert "unrecognized arguments" in render(report)


def test_pytest_that_passes(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    report = parse(run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider"), "pytest")
    assert report.ok
    assert counts(report) == (1, 0, 0, 0)


@pytest.mark.parametrize("verbose", [(), ("-v",)])
def test_unittest(tmp_path: Path, verbose: tuple[str, ...]) -> None:
    (tmp_path / "test_x.py").write_text(UNITTEST_FILE)
    (tmp_path / "test_y.py").write_text("import nothing_there\n")
    report = parse(run(tmp_path, "-m", "unittest", *verbose), "unittest", root=str(tmp_path))
    assert counts(report) == (1, 3, 2, 2)
    by_id = {failure.id: failure for failure in report.failures}
    assert set(by_id) == {
        "test_x.T.test_bad", "test_x.T.test_err", "test_y",
        "test_x.T.test_sub (i=1)", "test_x.T.test_sub (i=2)",
    }  # fmt: skip
    bad = by_id["test_x.T.test_bad"]
    assert (bad.file, bad.line, bad.message) == ("test_x.py", 7, "AssertionError: 1 != 2 : why")
    assert by_id["test_x.T.test_err"].message == "KeyError: 'x'"
    assert by_id["test_y"].message == "ModuleNotFoundError: No module named 'nothing_there'"
    assert by_id["test_y"].line == 1


def test_unittest_without_tests(tmp_path: Path) -> None:
    report = parse(run(tmp_path, "-m", "unittest"), "unittest")
    assert not report.ran


@pytest.mark.parametrize(
    ("name", "framework", "expected", "failure"),
    [
        ("jest", "jest", (1, 1, 1, 1), ("sum › fails here", "sum.test.js", 4)),
        ("vitest", "vitest", (1, 1, 1, 1), ("sum.test.js > sum > fails here", "sum.test.js", 5)),
        ("mocha", "mocha", (1, 1, 0, 1), ("sum fails here", "sum.js", 5)),
        ("node-tap", "node", (1, 1, 0, 1), ("fails here", "sum.test.js", 6)),
        ("node-spec", "node", (1, 1, 0, 1), ("fails here", "sum.test.js", 6)),
        ("cargo", "cargo", (1, 1, 0, 1), ("tests::bad", "src/lib.rs", 4)),
        ("go", "go", (1, 1, 1, 1), ("example.org/sum.TestTable/two", "sum_test.go", 14)),
        ("go-text", "go", (1, 1, 0, 0), ("TestTable", "sum_test.go", 14)),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_other_frameworks_named_or_recognised(
    name: str, framework: str, expected: tuple[int, ...], failure: tuple[str, str, int], known: bool
) -> None:
    report = stored(name, framework if known else "make")
    assert report.framework == framework
    assert counts(report) == expected
    found = {one.id: one for one in report.failures}[failure[0]]
    assert (found.file, found.line) == failure[1:]
    assert found.message
    assert len(report.failures) == report.failed + report.errors


def test_a_build_that_fails_names_the_place() -> None:
    report = stored("cargo-build", "cargo", 101)
    assert report.errors
    assert (report.failures[0].file, report.failures[0].line) == ("src/lib.rs", 7)
    broken = {one.id: one for one in stored("go", "go").failures}["example.org/broken"]
    assert (broken.file, broken.line, broken.message) == ("broken/broken_test.go", 6, "undefined: Nothing")


@pytest.mark.parametrize(
    ("output", "ok", "says"),
    [
        (TestOutput(b"fine\n", b"", 0), True, "exit code alone"),
        (TestOutput(b"", b"make: *** [test] Error 1\n", 2), False, "*** [test] Error 1"),
        (TestOutput(b"", b"sh: pest: not found\n", 127), False, "could not be started"),
        (TestOutput(b"", b"", 137, "oom"), False, "out of memory"),
        (TestOutput(b"test_a ... ", b"", 137, "timeout"), False, "did not end in time"),
        (TestOutput(b"", b"", 139, "signal"), False, "signal 11"),
    ],
)
def test_without_a_summary_the_exit_code_decides(output: TestOutput, ok: bool, says: str) -> None:
    report = parse(output, "make")
    assert report.ok is ok
    assert says in render(report)


def test_a_summary_that_says_passed_does_not_outweigh_the_exit_code() -> None:
    report = parse(TestOutput(b"===== 3 passed in 0.1s =====\n", b"coverage too low\n", 1), "pytest")
    assert not report.ok
    assert "exit code 1" in render(report)
    assert "coverage too low" in render(report)


def test_an_unknown_end_of_a_known_framework_is_a_failure() -> None:
    assert not parse(TestOutput(b"nothing", b"", 0), "pytest").ok


@pytest.mark.parametrize(
    "framework", ["pytest", "unittest", "jest", "vitest", "node", "mocha", "cargo", "go"]
)
def test_hostile_output_is_read_in_bounded_time_and_space(framework: str) -> None:
    pieces = [
        b"=" * 70 + b"\nFAIL: a (b.c)\n", b"not ok 1 - x\n  ---\n", b"FAILED a[[[[ - - -\n", b"  1) x\n",
        b"  \xe2\x97\x8f x \xe2\x80\xba y\n", b" FAIL  a > b\nx\n", b"at (((",
        b"---- a stdout ----\npanicked at '", b"\x1b[31m" * 3, b"a" * 5000 + b".js:1",
        b"___ x ___\n", b"{\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"t\"}\n",
    ]  # fmt: skip
    ends = (
        b"\n1 failed in 0.1s\n\nRan 3 tests in 0.1s\n\nFAILED (failures=1)\nTests:  1 failed, 1 total\n"
        b"# pass 1\n# fail 1\n  1 passing\n      Tests  1 failed (1)\n"
        b"test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
    )
    for piece in pieces:
        data = piece * (500_000 // len(piece)) + ends
        started = time.process_time()
        report = parse(TestOutput(data, b"", 1), framework)
        assert time.process_time() - started < 3
        assert len(report.failures) <= 50
        assert len(render(report)) < 8_000


def test_a_report_fits_into_a_record() -> None:
    block = (
        "=" * 70
        + "\nFAIL: test_{0} (m.T.test_{0})\n"
        + "-" * 70
        + "\nTraceback (most recent call last):\n{1}\n\n"
    )
    body = '  File "m.py", line 3, in f\n' + "    é\n" * 400 + "AssertionError: " + "é" * 500
    text = "".join(block.format(i, body) for i in range(200))
    report = parse(
        TestOutput(b"", f"{text}Ran 200 tests in 1s\n\nFAILED (failures=200)\n".encode(), 1), "unittest"
    )
    assert report.failed == 200
    assert report.failures[0].excerpt
    assert len(msgspec.json.encode(report)) <= 16 << 10
    assert " more" in render(report, chars_max=40_000)
