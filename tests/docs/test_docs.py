"""The documentation is true: each command in it runs, each configuration is valid, each link leads somewhere.

Blocks marked `sh` are run, in order, in a copy of the example project; `toml` is checked.
Blocks marked `text` show what something looks like.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.core.config import parse_config

ROOT = Path(__file__).parents[2]
SESSION = ROOT / "examples" / "orders-session.jsonl"
SKIPPED = {".venv", ".cache", "node_modules", ".git", "examples", "build", "dist", "var"}
PAGES = sorted(path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts[:-1]))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
MODEL = re.compile(r"\b(anthropic|openai|ollama):[\w-]*…")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def with_commands() -> list[Path]:
    return [page for page in PAGES if any("forgewright " in text for text in blocks(page, "sh"))]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "orders-api"
    shutil.copytree(ROOT / "examples" / "orders-api", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for argv in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *argv], cwd=folder, check=True)
    return folder


@pytest.mark.sandbox
@pytest.mark.parametrize("page", with_commands(), ids=name_of)
def test_the_commands_of_a_page_run_in_their_order(page: Path, project: Path, tmp_path: Path) -> None:
    if shutil.which("crun") is None and not os.environ.get("CI"):
        pytest.skip("crun is missing: apt-get install crun")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }
    prologue = "set -e\n"
    if not any("forgewright run" in text for text in blocks(page, "sh")):
        prologue += f"forgewright run 'Add GET /orders/{{id}}' --model replay:{SESSION}\n"
    script = prologue + "\n".join(blocks(page, "sh"))
    script = MODEL.sub(f"replay:{SESSION}", script)
    done = subprocess.run(
        ["bash", "-x", "-c", script],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_in_other_languages_are_valid(page: Path) -> None:
    for text in blocks(page, "toml"):
        if any(f"[{section}]" in text for section in ("run", "budget", "tests", "sandbox", "policy", "home")):
            parse_config(text.encode(), name_of(page))


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    session = Path(__file__).with_name("editor.jsonl")
    (example,) = blocks(ROOT / "README.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", MODEL.sub(f"replay:{session}", example)],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "Yes, it has three words.\n", done.stderr
    assert (tmp_path / ".local/share/forgewright/journal.db").exists()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(BLOCK.sub("", page.read_text())):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    if "reference" in page.parts:
        return  # made from declarations, and tested with them
    for kind, text in BLOCK.findall(page.read_text()):
        assert kind, f"a block without a language: {text[:60]}"


def test_every_command_is_documented() -> None:
    from forgewright.cli.main import available

    page = (ROOT / "docs" / "cli.md").read_text()
    for name in available():
        assert f"| `{name}" in page, name
