"""How a project's tests are run is found from what lies in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.core.errors import ConfigError, NotFound
from forgewright.swarm.testing import TestOutput, TestSettings, discover, parse

EXAMPLE = Path(__file__).parents[3] / "examples" / "orders-api"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def environment(folder: Path, *packages: str) -> Path:
    write(folder, {"pyvenv.cfg": f"home = {Path(sys.executable).resolve().parent}\n"})
    for package in packages:
        write(folder, {f"lib/python3.11/site-packages/{package}/__init__.py": ""})
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    return folder


UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"


@pytest.mark.parametrize(
    ("files", "framework", "why"),
    [
        ({"pytest.ini": "[pytest]\n"}, "pytest", "pytest.ini"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest", "pyproject.toml"),
        ({"setup.cfg": "[tool:pytest]\n"}, "pytest", "setup.cfg"),
        ({"tests/conftest.py": "", "tests/test_a.py": UNITTEST}, "pytest", "conftest.py"),
        ({"tox.ini": "[testenv]\ncommands = pytest {posargs}\n"}, "pytest", "tox.ini"),
        ({"noxfile.py": "def t(s): s.run('pytest')\n"}, "pytest", "noxfile.py"),
        ({"test_a.py": "import pytest\n"}, "pytest", "imports pytest"),
        ({"test_a.py": "def test_a():\n    pass\n"}, "pytest", "plain test functions"),
        ({"tests/__init__.py": "", "tests/test_a.py": UNITTEST}, "unittest", "unittest module"),
        ({"tox.ini": "[testenv]\ncommands = trial x\n"}, "tox", "tox.ini"),
        ({"package.json": '{"scripts": {"test": "vitest run"}}'}, "vitest", "scripts.test"),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, "jest", "scripts.test"),
        ({"package.json": '{"scripts": {"test": "node --test"}}'}, "node", "scripts.test"),
        ({"package.json": '{"scripts": {"test": "tap"}}'}, "npm", "scripts.test"),
        ({"go.mod": "module x\n"}, "go", "go.mod"),
        ({"Cargo.toml": "[package]\n"}, "cargo", "Cargo.toml"),
        ({"Makefile": "CC := cc\ntest: all\n\t./t\n"}, "make", "target test"),
    ],
)
def test_each_kind_of_project(tmp_path: Path, files: dict[str, str], framework: str, why: str) -> None:
    plan = discover(write(tmp_path, files))
    assert plan.framework == framework
    assert why in plan.why


@pytest.mark.parametrize(
    "files",
    [
        {"readme.txt": "nothing"},
        {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
        {"package.json": "not json"},
        {"Makefile": "test := 1\n"},
    ],
)
def test_a_project_without_tests_says_what_to_write(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(NotFound, match=r"\[tests\]"):
        discover(write(tmp_path, files))


def test_the_configuration_comes_first(tmp_path: Path) -> None:
    write(tmp_path, {"pytest.ini": ""})
    settings = TestSettings(command=("make", "check"), workdir="sub", timeout_seconds=9)
    plan = discover(tmp_path, settings=settings)
    command = plan.command("/work")
    assert command.argv == ("make", "check")
    assert (command.workdir, command.timeout_seconds) == ("/work/sub", 9)
    assert plan.framework == "make"


def test_a_virtual_environment_of_the_user_is_mounted_and_the_copy_comes_first(tmp_path: Path) -> None:
    source = write(tmp_path / "user", {"src/pkg/__init__.py": "", "tests/test_a.py": "import pytest\n"})
    venv = environment(source / ".venv", "pytest")
    copy = write(tmp_path / "copy", {"src/pkg/__init__.py": "", "tests/test_a.py": "import pytest\n"})
    plan = discover(copy, source)
    assert plan.hint == ""
    command = plan.command("/work")
    assert command.argv[:3] == (f"{venv}/bin/python", "-m", "pytest")
    assert command.environment["PYTHONPATH"] == "/work/src:/work"
    mounts = {mount.source: mount.mode for mount in plan.mounts_at("/work")}
    assert mounts[str(venv)] == "ro"
    prefix = Path(sys.executable).resolve().parent.parent
    assert str(prefix).startswith("/usr") or mounts[str(prefix)] == "ro"


def test_missing_dependencies_are_hinted_at(tmp_path: Path) -> None:
    environment(tmp_path / ".venv")
    assert "pip install pytest" in discover(write(tmp_path, {"pytest.ini": ""})).hint
    with pytest.raises(ConfigError, match="virtual environment"):
        discover(tmp_path, settings=TestSettings(environment="nowhere"))


def test_node_modules_are_mounted_into_the_copy(tmp_path: Path) -> None:
    package = '{"scripts": {"test": "jest"}, "devDependencies": {"jest": "30"}}'
    source = write(tmp_path / "user", {"package.json": package})
    copy = write(tmp_path / "copy", {"package.json": package})
    assert "npm install" in discover(copy, source).hint
    (source / "node_modules").mkdir()
    plan = discover(copy, source)
    assert plan.hint == ""
    assert [(m.target, m.mode) for m in plan.mounts_at("/work")] == [("/work/node_modules", "cow")]


def test_markers_behind_links_are_not_read(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"Makefile": "test:\n"})
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Makefile").symlink_to(outside / "Makefile")
    with pytest.raises(NotFound):
        discover(tmp_path / "project")


@pytest.mark.parametrize(
    "files",
    [
        {"tests/__init__.py": "", "tests/test_a.py": UNITTEST},
        {"tests/test_a.py": UNITTEST},
        {"test_a.py": UNITTEST},
        {"tests/a_test.py": UNITTEST, "tests/__init__.py": ""},
        {"tests/unit/test_a.py": UNITTEST, "tests/unit/__init__.py": "", "tests/__init__.py": ""},
    ],
)
def test_the_found_command_finds_the_test(tmp_path: Path, files: dict[str, str]) -> None:
    plan = discover(write(tmp_path, files))
    command = plan.command(str(tmp_path))
    done = subprocess.run(
        command.argv, cwd=command.workdir, env=dict(command.environment), capture_output=True, check=False
    )
    report = parse(TestOutput(done.stdout, done.stderr, done.returncode), plan.framework)
    assert (report.passed, report.ok) == (1, True), report


def test_the_example_project_passes_with_the_command_that_is_found_for_it() -> None:
    plan = discover(EXAMPLE)
    command = plan.command(str(EXAMPLE))
    done = subprocess.run(
        ["/usr/bin/python3", *command.argv[1:]],
        cwd=command.workdir,
        env=dict(command.environment),
        capture_output=True,
        check=False,
    )
    report = parse(TestOutput(done.stdout, done.stderr, done.returncode), plan.framework)
    assert report.ok
    assert report.passed == 12
