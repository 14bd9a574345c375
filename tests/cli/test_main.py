"""The command line's rim: late imports, help that teaches, errors as messages and exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright import __version__
from forgewright.cli.exits import EXITS, MEANING, exit_of, exit_of_parked
from forgewright.cli.main import COMMANDS, available, main, overview, parser_for
from forgewright.cli.output import clean, one_line, say_error, table
from forgewright.core import errors
from forgewright.core.errors import ForgewrightError

IMPORTED = "import sys; {}; print(sorted(set({!r}) & set(sys.modules)))"
HEAVY = ["asyncio", "msgspec", "argparse", "ssl", "cryptography", "cedarpy", "tree_sitter", "rich", "typing"]


def python(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv], capture_output=True, text=True, check=False, timeout=60, **options
    )  # type: ignore[call-overload]  # options of run


def test_the_version_costs_nothing() -> None:
    code = "from forgewright.cli.main import main; main(['--version'])"
    done = python("-c", IMPORTED.format(code, HEAVY[:-1]))
    assert done.stdout == f"forgewright {__version__}\n[]\n"


def test_help_lists_the_commands_without_importing_them() -> None:
    code = "from forgewright.cli.main import main; main(['--help'])"
    done = python("-c", IMPORTED.format(code, ["asyncio", "msgspec", "argparse"]))
    assert done.stdout.endswith("[]\n")
    for name in available():
        assert f"\n  {name}" in done.stdout


@pytest.mark.parametrize("name", sorted(available()))
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"forgewright {name}" in shown
    assert len(shown.split("\n")) > 3


@pytest.mark.parametrize("name", sorted(available()))
def test_no_command_imports_an_engine_to_declare_its_arguments(name: str) -> None:
    code = f"from forgewright.cli.main import parser_for; parser_for({name!r})"
    done = python(
        "-c", IMPORTED.format(code, ["cryptography", "cedarpy", "tree_sitter", "rich", "ssl", "sqlite3"])
    )
    assert done.stdout == "[]\n", done.stderr


def test_every_command_takes_the_common_options() -> None:
    for name in available():
        parser = parser_for(name)
        text = parser.format_help() + "".join(
            child.format_help()
            for child in parser._subparsers._group_actions[0].choices.values()  # type: ignore[union-attr]  # made above
        )
        assert name in text
    args = parser_for("runs").parse_args(["runs", "--json", "--home", "/x"])
    assert (args.json, args.home, args.config) == (True, "/x", None)


@pytest.mark.parametrize("argv", [["--home", "/nowhere", "runs"], ["--json", "runs", "--home", "/nowhere"]])
def test_common_options_may_come_first(argv: list[str]) -> None:
    assert main(argv) == 0


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rusn"]) == 2
    assert "did you mean run" in capsys.readouterr().err


def test_without_a_command_the_overview_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out == overview()


def test_each_module_of_the_table_that_is_here_has_register_and_run() -> None:
    from importlib import import_module

    for name in available():
        module = import_module(f"forgewright.cli.{COMMANDS[name][0]}")
        assert callable(module.register)
        assert callable(module.run)


# ── errors and exit codes ────────────────────────────────────────────────────────────────────────────


def all_errors() -> list[type[ForgewrightError]]:
    found, todo = [], [ForgewrightError]
    while todo:
        cls = todo.pop()
        if cls.__module__ == errors.__name__:
            found.append(cls)
        todo += cls.__subclasses__()
    return found


def test_every_error_has_its_exit_code_and_every_exit_code_its_meaning() -> None:
    for cls in all_errors():
        assert cls.code in EXITS, cls
    assert set(EXITS.values()) <= set(MEANING)


def test_an_error_of_its_own_kind_gets_the_code_of_its_base() -> None:
    class Special(errors.ModelError):
        code = "special"

    assert exit_of(Special("x")) == 9


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("budget", 11), ("question", 12), ("approval", 12), ("unsafe", 12), ("stopped", 13), ("stuck", 14),
        ("interrupted", 130), ("model:model_auth", 9), ("error:sandbox", 10), ("error:exception", 14),
    ],
)  # fmt: skip
def test_a_parked_run_has_the_exit_code_of_its_reason(reason: str, code: int) -> None:
    assert exit_of_parked(reason) == code
    assert code in MEANING


def test_the_documentation_has_the_same_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    for code, meaning in MEANING.items():
        assert f"| {code} | {meaning} |" in text


def test_an_error_is_a_message_and_a_hint_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "last", "--home", "/nowhere"]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: there are no runs in /nowhere\n  → ")
    assert "Traceback" not in shown.err


def test_an_error_for_programs_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "last", "--home", "/nowhere", "--json"]) == 4
    shown = json.loads(capsys.readouterr().err)
    assert shown["error"] == "not_found"
    assert shown["hint"]


def test_a_mistake_of_our_own_shows_where_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> str:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("forgewright.cli.init.configuration", broken)
    assert main(["init", "--print"]) == 70
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: oops" in shown
    assert "Traceback" not in shown
    monkeypatch.setenv("FORGEWRIGHT_DEBUG", "1")
    assert main(["init", "--print"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("forgewright.cli.init.configuration", full)
    assert main(["init", "--print"]) == 8
    assert "No space left" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m forgewright completions bash | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() in ("0", "141")
    assert done.stderr == ""


# ── output ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    hostile = "a\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b1mb\u202egnp.exe\rc\x00\x08d\ttab\nline"
    assert clean("a\x1b[31mred\x1b[0m\n\tb") == "ared\n\tb"
    for character in "\x1b\x9b\u202e\r\x00\x08\x07":
        assert character not in clean(hostile)
    assert "\n" not in one_line("a\nb")
    assert len(one_line("x" * 500)) == 120


def test_an_error_of_many_lines_stays_readable(capsys: pytest.CaptureFixture[str]) -> None:
    say_error(ForgewrightError("first\nsecond", hint="do this"), as_json=False)
    assert capsys.readouterr().err == "error: first\n       second\n  → do this\n"


def test_a_table_lines_up() -> None:
    assert table([("a", "bb"), ("ccc", "d")], header=("X", "Y")) == "X    Y\na    bb\nccc  d"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", shell]) == 0
    shown = capsys.readouterr().out
    for name in available():
        assert name in shown
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=shown, text=True, check=False).returncode == 0


# ── init and doctor ──────────────────────────────────────────────────────────────────────────────────


def test_init_writes_files_that_are_valid_also_with_everything_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from forgewright.core.config import Config, parse_config, sections

    assert main(["init", str(tmp_path)]) == 0
    text = (tmp_path / "forgewright.toml").read_text()
    assert parse_config(text.encode()) == Config()
    keys = {f"{key} =" for _, kind in sections() for key in kind.__struct_fields__}
    lines = [
        line.removeprefix("# ") if any(line.startswith(f"# {key}") for key in keys) else line
        for line in text.split("\n")
    ]
    everything = parse_config("\n".join(lines).encode())
    for name, kind in sections():
        for key in kind.__struct_fields__:
            assert getattr(getattr(everything, name), key) not in (None, (), {}), (name, key)
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 5
    assert "nothing was written" in capsys.readouterr().err
    assert (tmp_path / "forgewright.toml").read_text() == text


def test_the_policy_that_init_writes_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 0
    policy = tmp_path / "policy.cedar"
    head, _, example = policy.read_text().partition("// @id")
    active = head + ("// @id" + example).replace("// ", "")
    policy.write_text(active)
    assert main(["policy", "check", str(policy)]) == 0, capsys.readouterr()


def test_doctor_tells_the_parts_and_what_adds_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    main(["doctor", "--json", "--home", str(tmp_path)])
    checks = {(c["part"], c["name"]): c for c in map(json.loads, capsys.readouterr().out.splitlines())}
    assert checks["base", "git"]["state"] == "good"
    assert checks["models", "openai"]["state"] == "good"
    assert checks["models", "anthropic"]["fix"] == "export ANTHROPIC_API_KEY=…"
    assert checks["home", str(tmp_path)]["state"] == "good"
    assert any(part == "sandbox" for part, _ in checks)


def test_doctor_ends_with_1_where_nothing_can_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor", "--home", str(tmp_path)]) == 1
    assert "apt-get install git" in capsys.readouterr().out


def test_json_goes_to_a_stream_line_by_line() -> None:
    from forgewright.cli.output import print_json

    stream = io.StringIO()
    print_json({"a": "ü"}, stream)
    assert stream.getvalue() == '{"a":"ü"}\n'
