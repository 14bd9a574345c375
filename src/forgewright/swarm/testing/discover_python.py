"""How the tests of a Python project are run: pytest where anything asks for it, unittest otherwise."""

from __future__ import annotations

import os
import re
from pathlib import Path

from forgewright.swarm.testing.environment import Environment, variables
from forgewright.swarm.testing.files import read, toml
from forgewright.swarm.testing.plan import TestPlan, TestSettings

_TEST_FILES_MAX = 2_000


def python(root: Path, source: Path, settings: TestSettings) -> TestPlan | None:
    files = _test_files(root)
    marks = [
        name
        for name in (
            "pyproject.toml",
            "setup.py",
            "setup.cfg",
            "pytest.ini",
            "tox.ini",
            "noxfile.py",
            "conftest.py",
        )
        if (root / name).is_file()
    ]
    if not files and not marks:
        return None
    why = _asks_for_pytest(root, files)
    found = Environment.find(source, settings)
    surroundings = variables(root, found)
    argv: tuple[str, ...]
    if why:
        hint = ""
        if not found.has("pytest"):
            hint = (
                f"pytest is not in {found.folder or 'the system Python'}: python3 -m venv .venv && "
                ".venv/bin/pip install pytest -e ."
            )
        argv = (
            found.program,
            "-m",
            "pytest",
            "-q",
            "-rfE",
            "--tb=short",
            "--color=no",
            "-p",
            "no:cacheprovider",
        )
        return TestPlan(
            argv=argv,
            framework="pytest",
            why=why,
            environment=surroundings | {"COLUMNS": "200"},
            mounts=found.mounts,
            hint=hint,
        )
    if files:
        argv = (found.program, "-m", "unittest", *_unittest_start(root, files))
        return TestPlan(
            argv=argv,
            framework="unittest",
            why=f"{files[0]} is a unittest module",
            environment=surroundings,
            mounts=found.mounts,
        )
    for name, framework in (("tox.ini", "tox"), ("noxfile.py", "nox")):
        if name in marks:
            return TestPlan(
                argv=(framework,),
                framework=framework,
                why=name,
                environment=surroundings,
                mounts=found.mounts,
                hint=f"{framework} makes environments of its own; without a network it can't",
            )
    return None


def _test_files(root: Path) -> list[str]:
    """Python test modules, relative, at most four folders deep."""
    found: list[str] = []
    todo = [""]
    seen = 0
    while todo and seen < _TEST_FILES_MAX:
        folder = todo.pop(0)
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if path.count("/") < 4 and not entry.name.startswith(".") and entry.name not in _SKIPPED:
                    todo.append(path)
            elif re.fullmatch(r"test.*\.py|.*_test\.py", entry.name) and entry.is_file(follow_symlinks=False):
                found.append(path)
    return found


_SKIPPED = {"node_modules", "venv", "env", "build", "dist", "__pycache__", "target", "vendor"}


def _asks_for_pytest(root: Path, files: list[str]) -> str:
    """What says that pytest runs the tests; empty where nothing does."""
    if (root / "pytest.ini").is_file():
        return "pytest.ini"
    project = toml(root / "pyproject.toml")
    if "pytest" in project.get("tool", {}):
        return "pyproject.toml, [tool.pytest]"
    for name, pattern in (("setup.cfg", r"^\[tool:pytest\]"), ("tox.ini", r"^\[pytest\]")):
        if re.search(pattern, read(root / name), re.MULTILINE):
            return f"{name}, its section for pytest"
    for name in ("conftest.py", "tests/conftest.py", "test/conftest.py"):
        if (root / name).is_file():
            return name
    for name in ("tox.ini", "noxfile.py"):
        if re.search(r"\bpytest\b|\bpy\.test\b", read(root / name)):
            return f"{name} runs pytest"
    for path in files[:200]:
        text = read(root / path)
        if re.search(r"^\s*(import pytest|from pytest)\b", text, re.MULTILINE):
            return f"{path} imports pytest"
    for path in files[:200]:
        text = read(root / path)
        if "unittest" not in text and re.search(r"^(async )?def test_|^class Test", text, re.MULTILINE):
            return f"{path} has plain test functions"
    return ""


def _unittest_start(root: Path, files: list[str]) -> tuple[str, ...]:
    """Arguments after which unittest finds all the files."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in files}
    folders = {path.rpartition("/")[0] for path in files}
    loose = any(folder and not (root / folder / "__init__.py").is_file() for folder in folders)
    pattern = () if all(Path(path).name.startswith("test") for path in files) else ("-p", "*test*.py")
    if len(tops) == 1 and loose and "" not in tops:
        return (
            "discover",
            "-s",
            next(iter(tops)),
            "-t",
            "." if _package(root, folders) else next(iter(tops)),
            *pattern,
        )
    return ("discover", *pattern) if pattern else ()


def _package(root: Path, folders: set[str]) -> bool:
    return all((root / folder / "__init__.py").is_file() for folder in folders)
