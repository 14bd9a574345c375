"""`completions`: prints a completion script for a shell, made from the commands' own declarations."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "completions", help="completions for bash, zsh and fish",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  forgewright completions bash > ~/.local/share/bash-completion/completions/forgewright\n"
        "  forgewright completions zsh > ~/.zfunc/_forgewright\n"
        "  forgewright completions fish > ~/.config/fish/completions/forgewright.fish\n",
    )  # fmt: skip
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(args: argparse.Namespace) -> int:
    from forgewright.cli.output import say

    words = _words()
    say({"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell](words).rstrip())
    return 0


def _words() -> dict[str, tuple[str, list[str]]]:
    """Command → its summary, and its options and sub-commands."""
    from forgewright.cli.main import available, parser_for

    found = {}
    for name, (_, summary) in available().items():
        parser = parser_for(name)
        commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction)).choices
        found[name] = (summary, _of(commands[name]))
    return found


def _of(parser: argparse.ArgumentParser) -> list[str]:
    words = []
    for action in parser._actions:
        words += [option for option in action.option_strings if option.startswith("--")]
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                words += [name, *_of(child)]
    return list(dict.fromkeys(words))


def _bash(words: dict[str, tuple[str, list[str]]]) -> str:
    cases = "\n".join(f"    {name}) words='{' '.join(options)}' ;;" for name, (_, options) in words.items())
    return f"""\
_forgewright() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words
  case ${{COMP_WORDS[1]}} in
{cases}
    *) words='{" ".join(words)}' ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words='{" ".join(words)}'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
}}
complete -F _forgewright forgewright
"""


def _zsh(words: dict[str, tuple[str, list[str]]]) -> str:
    quoted = {name: summary.replace("'", "'\\''") for name, (summary, _) in words.items()}
    commands = "\n".join(f"    '{name}:{summary}'" for name, summary in quoted.items())
    cases = "\n".join(
        f"    {name}) compadd -- {' '.join(options)}; _files ;;" for name, (_, options) in words.items()
    )
    return f"""\
#compdef forgewright
local -a commands
commands=(
{commands}
)
if (( CURRENT == 2 )); then
  _describe command commands
else
  case $words[2] in
{cases}
  esac
fi
"""


def _fish(words: dict[str, tuple[str, list[str]]]) -> str:
    lines = []
    for name, (summary, options) in words.items():
        said = summary.replace("'", "")
        lines.append(f"complete -c forgewright -n __fish_use_subcommand -a {name} -d '{said}'")
        for option in options:
            flag = f"-l {option[2:]}" if option.startswith("--") else f"-a {option}"
            lines.append(f"complete -c forgewright -n '__fish_seen_subcommand_from {name}' {flag}")
    return "\n".join(lines)
