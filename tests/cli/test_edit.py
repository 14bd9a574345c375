"""`forgewright edit`: plans, writes, shows, explains, takes back; each kind of failure has its exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.cli.main import main

PROGRAM = "(replace-node target: 'number' code: '2')"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_edit_and_undo(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", PROGRAM, "--diff"]) == 0
    assert (root / "a.py").read_text() == "x = 2\n"
    shown = capsys.readouterr().out
    assert "1 file changed: a.py" in shown
    assert "-x = 1\n+x = 2" in shown
    assert main(["edit", "--undo"]) == 0
    assert (root / "a.py").read_text() == "x = 1\n"
    assert main(["edit", "--undo"]) == 0  # the undo of an undo is the edit again
    assert (root / "a.py").read_text() == "x = 2\n"


def test_dry_run_writes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "--dry-run", PROGRAM]) == 0
    assert (root / "a.py").read_text() == "x = 1\n"
    assert not (root / ".forgewright").exists()
    assert "nothing was written" in capsys.readouterr().out


def test_program_from_file_and_standard_input(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "p.fw").write_text("; a comment\n" + PROGRAM)
    assert main(["edit", "p.fw", "--dry-run"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO('{"operations": [{"op": "outline", "in": null}]}'))
    (root / "b.py").write_text("def f(a): ...\n")
    assert main(["edit", "-"]) == 0
    assert "function f(a)" in capsys.readouterr().out


def test_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", PROGRAM, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] is True
    assert said["files"][0]["path"] == "a.py"
    assert said["files"][0]["after"].startswith("sha256:")
    assert said["undo"].startswith("(restore")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["(find)"], 10, "expected either selector or pattern"),
        (["(fnd pattern: 'x')"], 10, "did you mean 'find'?"),
        (["(replace-node target: 'number' code: '(')"], 6, "would not parse"),
        (["missing.fw"], 4, "no file"),
        ([], 2, "expected a program"),
        (["(read target: '../x.py')"], 6, "inside the root"),
        (["--root", "nowhere", "(outline)"], 4, "no folder"),
        (["--explain", "fnd"], 10, "did you mean 'find'?"),
    ],
)
def test_failures(
    root: Path, arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edit", *arguments]) == code
    assert words in capsys.readouterr().err
    assert (root / "a.py").read_text() == "x = 1\n"


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "--explain"]) == 0
    assert "replace-node " in capsys.readouterr().out
    assert main(["edit", "--explain", "replace-node"]) == 0
    shown = capsys.readouterr().out
    assert "(replace-node target: … code: …" in shown
    assert "(required)" in shown


def test_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "--format", '( find ; why\n  pattern:   "a" )']) == 0
    assert capsys.readouterr().out == "(find\n  ; why\n  pattern: 'a'\n)\n"


def test_nothing_is_imported_that_is_not_used(root: Path) -> None:
    code = (
        "import sys; from forgewright.cli.main import main; main(['edit', '(find selector: number)', '--dry-run']);"
        "print([m for m in ('asyncio', 'ssl', 'rich', 'cedarpy', 'cryptography', 'forgewright.wiring',"
        " 'tree_sitter_rust', 'tree_sitter_typescript') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
