"""The rules of the house that a reviewer should not have to watch: floors, sizes, start-up imports, public names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "forgewright"
FILES = sorted(SOURCE.rglob("*.py"))
LINES_MAX = 400
LONGER = {
    "journal/bundle/verifier.py": (700, "one file on purpose: an auditor reads and runs it alone"),
    "code/": (900, "the cases of one grammar or of one refactoring are read together"),
}
"""Files, or folders, whose files may be longer, how long at most, and why."""

SYNCHRONOUS = ("code", "graph", "policy", "core")
"""Parts that know no event loop."""


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


def test_a_part_imports_parts_on_lower_floors_only() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_one_noun_and_says_why_it_exists(path: Path) -> None:
    lines = path.read_text().count("\n")
    name = name_of(path)
    lines_max = next((most for start, (most, _) in LONGER.items() if name.startswith(start)), LINES_MAX)
    assert lines <= lines_max, f"{lines} lines: usually two things"
    docstring = ast.get_docstring(tree_of(path))
    assert docstring, "opens with a docstring that says why it exists"


@pytest.mark.parametrize("part", SYNCHRONOUS)
def test_these_parts_know_no_event_loop(part: str) -> None:
    for path in sorted((SOURCE / part).rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert "asyncio" not in names, f"{name_of(path)}:{node.lineno}"


def test_nothing_swallows_every_exception() -> None:
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                pytest.fail(f"{name_of(path)}:{node.lineno}: a bare except")


def test_no_ignored_type_error_without_its_code() -> None:
    for path in FILES:
        for number, line in enumerate(path.read_text().split("\n"), 1):
            marked = "# type:" + " ignore"
            assert marked not in line or marked + "[" in line, f"{name_of(path)}:{number}"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import forgewright", {"asyncio", "msgspec", "ssl", "argparse"}),
        ("from forgewright.cli.main import main; main(['--version'])", {"asyncio", "msgspec", "argparse"}),
        ("import forgewright.core.config", {"asyncio", "tree_sitter", "cryptography"}),
        ("import forgewright.graph", {"asyncio", "tree_sitter", "cedarpy", "cryptography"}),
        (
            "from forgewright import Agent, Engine, Graph, tool",
            {"tree_sitter", "cedarpy", "cryptography", "rich"},
        ),
        ("import forgewright.swarm.testing", {"asyncio", "tree_sitter", "cedarpy", "cryptography"}),
        ("import forgewright.models.types", {"asyncio", "ssl"}),
    ],
)
def test_what_is_not_used_is_not_imported(code: str, absent: set[str]) -> None:
    assert modules_after(code) & absent == set()


def test_the_public_names_are_those_that_are_promised() -> None:
    import forgewright

    assert sorted(forgewright.__all__) == sorted(PUBLIC)
    for name in forgewright.__all__:
        assert getattr(forgewright, name) is not None


PUBLIC = [
    "END", "Agent", "Answer", "Assistant", "Branch", "Budget", "Context", "Effect", "End", "Engine",
    "ForgewrightError", "Goto", "Graph", "Message", "Middleware", "Outcome", "Request", "Response", "State",
    "ToolCall", "ToolOutput", "ToolResult", "Update", "User", "append", "extend", "merge", "tool",
]  # fmt: skip
"""What `from forgewright import …` gives; a change here is a change for everybody."""
