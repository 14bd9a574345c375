"""`init`: writes a commented `forgewright.toml` and a policy file; never over files that are there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EXAMPLES = {
    "run.model": '"anthropic:claude-…"   # or openai:…, ollama:…',
    "run.models": '{ planner = "openai:…", coder = "anthropic:…" }',
    "run.fallback": '["openai:…"]',
    "run.base_url": '"http://127.0.0.1:8000/v1"',
    "run.context_tokens": "32_768",
    "run.max_attempts": "3",
    "run.improvements": "1",
    "budget.tokens": "500_000",
    "budget.money_usd": "5.0",
    "budget.steps": "400",
    "budget.wall_seconds": "3600",
    "tests.command": '["python3", "-m", "pytest", "-q"]',
    "tests.environment": '".venv"',
    "tests.workdir": '"backend"',
    "tests.timeout_seconds": "600",
    "sandbox.tier": '"container"   # or "gvisor", "microvm"',
    "sandbox.memory": '"2GiB"',
    "sandbox.cpus": "2",
    "sandbox.mounts": '[{ source = "/data/fixtures", target = "/data/fixtures", mode = "ro" }]',
    "policy.files": '["default", "policy.cedar"]',
    "home.path": '"~/.local/share/forgewright"',
}


def register(subparsers: Any) -> None:
    init = subparsers.add_parser(
        "init", help="write a commented forgewright.toml and a policy",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Everything in the files is commented out: what they show are the keys, and examples of values.",
        epilog="examples:\n  forgewright init\n  forgewright init --print   # shows the configuration, writes nothing\n",
    )  # fmt: skip
    init.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="where to write them (here)")
    init.add_argument("--print", dest="show", action="store_true", help="print the configuration instead")


def run(args: argparse.Namespace) -> int:
    from forgewright.cli.output import print_json, say
    from forgewright.core.config import FILE_NAME
    from forgewright.core.errors import Conflict, NotFound

    if args.show:
        say(configuration().rstrip())
        return 0
    folder = Path(args.folder)
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder", hint="make it first, or give another")
    files = {folder / FILE_NAME: configuration(), folder / "policy.cedar": POLICY}
    there = [str(path) for path in files if path.exists() or path.is_symlink()]
    if there:
        raise Conflict(
            f"{' and '.join(there)} already there; nothing was written", hint="forgewright init --print"
        )
    for path, text in files.items():
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    if args.json:
        print_json({"written": [str(path) for path in files]})
    else:
        say("\n".join(f"wrote {path}" for path in files) + "\n  → forgewright doctor shows what is missing")
    return 0


def configuration() -> str:
    """A file with every key, explained and commented out."""
    from forgewright.core.config import descriptions, sections

    parts = ["# Configuration of Forgewright. Every key is optional.\n"]
    for name, section in sections():
        parts.append(f"[{name}]\n# {(section.__doc__ or '').strip()}\n")
        for key, sentence in descriptions(section).items():
            parts.append(f"# {sentence}\n# {key} = {EXAMPLES[f'{name}.{key}']}\n")
    return "\n".join(parts)


POLICY = """\
// A policy of Forgewright, in Cedar (https://docs.cedarpolicy.com). It takes effect once forgewright.toml names it:
//     [policy]  files = ["default", "policy.cedar"]
// What no policy permits is denied, and a forbid always wins. Check this file:  forgewright policy check policy.cedar
// See what it decides:  forgewright policy explain edit app.py --as coder --set policy.cedar

// @id("small-programs")
// @description("a change of more than two thousand lines is put to a person")
// @approval("owner")
// permit (principal, action == Action::"edit", resource)
// when { context has lines && context.lines > 2000 };
"""
