"""`doctor`: what this machine can do, and the command that adds what is missing."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

State = Literal["good", "missing", "bad"]
PROBE_SECONDS = 20.0


class Check(msgspec.Struct, frozen=True):
    """One line of the diagnosis."""

    part: str
    name: str
    state: State
    detail: str = ""
    fix: str = ""
    """The command that adds what is missing."""
    needed: bool = False
    """Whether nothing goes without it."""


def register(subparsers: Any) -> None:
    subparsers.add_parser(
        "doctor", help="what this machine can do, and what adds the rest",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Looks; changes nothing. Ends with 1 if something is missing that every run needs.",
        epilog="examples:\n  forgewright doctor\n  forgewright doctor --json | jq 'select(.state != \"good\")'\n",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    import asyncio

    from forgewright.cli.output import print_json

    checks = [*_base(), *_models(), *asyncio.run(_sandboxes()), *_home(args), *_tools()]
    if args.json:
        for check in checks:
            print_json(check)
    else:
        _print(checks)
    return int(any(check.needed and check.state != "good" for check in checks) or not _any_tier(checks))


def _any_tier(checks: list[Check]) -> bool:
    return any(check.part == "sandbox" and check.state == "good" and check.name != "wasm" for check in checks)


def _print(checks: list[Check]) -> None:
    from forgewright.cli.output import colored, say

    color = {"good": "\x1b[32m", "missing": "\x1b[33m", "bad": "\x1b[31m"} if colored(sys.stdout) else {}
    mark = {"good": "✔", "missing": "○", "bad": "✗"}
    width = max(len(check.name) for check in checks)
    part = ""
    for check in checks:
        if check.part != part:
            say(f"\n{check.part}" if part else check.part)
            part = check.part
        end = "\x1b[0m" if color else ""
        say(
            f"  {color.get(check.state, '')}{mark[check.state]}{end} {check.name.ljust(width)}  {check.detail}".rstrip()
        )
        if check.fix:
            say(f"    {' ' * width}  → {check.fix}")


def _base() -> list[Check]:
    from forgewright import __version__

    python = ".".join(map(str, sys.version_info[:3]))
    checks = [
        Check("base", "forgewright", "good", __version__),
        Check("base", "python", "good" if sys.version_info >= (3, 11) else "bad", python, needed=True),
    ]
    git = shutil.which("git")
    checks.append(
        Check("base", "git", "good", git, needed=True)
        if git
        else Check(
            "base", "git", "missing", "the run's own copy needs it", "apt-get install git", needed=True
        )
    )
    return checks


_KEYS = (
    ("anthropic", "ANTHROPIC_API_KEY"),
    ("openai", "OPENAI_API_KEY"),
)


def _models() -> list[Check]:
    checks = []
    for provider, key in _KEYS:
        if os.environ.get(key):
            checks.append(Check("models", provider, "good", f"{key} is set"))
        else:
            checks.append(Check("models", provider, "missing", f"{key} is not set", f"export {key}=…"))
    host = os.environ.get("OLLAMA_HOST") or "127.0.0.1:11434"
    reachable = _reachable(host)
    checks.append(
        Check("models", "ollama", "good", f"answers at {host}")
        if reachable
        else Check(
            "models",
            "ollama",
            "missing",
            f"nothing answers at {host}",
            "ollama serve, or any server with --base-url",
        )
    )
    return checks


def _reachable(host: str) -> bool:
    import socket

    name, _, port = host.removeprefix("http://").rstrip("/").rpartition(":")
    try:
        with socket.create_connection((name or "127.0.0.1", int(port)), timeout=0.5):
            return True
    except (OSError, ValueError):
        return False


async def _sandboxes() -> list[Check]:
    import asyncio

    from forgewright.core.errors import ForgewrightError
    from forgewright.sandbox import registry

    checks = []
    for name in registry.DRIVERS:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                probe = await registry.driver(name).probe()
        except TimeoutError:
            checks.append(Check("sandbox", name, "bad", f"no answer in {PROBE_SECONDS:.0f} s"))
            continue
        except ForgewrightError as error:
            checks.append(Check("sandbox", name, "missing", error.message, error.hint or ""))
            continue
        detail = " · ".join(
            filter(None, [f"tier {probe.tier}" if probe.tier != name else "", probe.version, probe.detail])
        )
        state: State = "good" if probe.available else "missing"
        checks.append(Check("sandbox", name, state, detail, "" if probe.available else probe.install))
    return checks


def _home(args: argparse.Namespace) -> list[Check]:
    from forgewright.cli.settings import home_of

    home = home_of(args)
    at = home
    while not at.exists() and at != at.parent:
        at = at.parent
    if not os.access(at, os.W_OK | os.X_OK):
        return [
            Check(
                "home", str(home), "bad", f"{at} can't be written", "name another: --home FOLDER", needed=True
            )
        ]
    import sqlite3

    free = shutil.disk_usage(at).free
    runs = _count(home / "runs")
    detail = f"{free >> 30} GiB free" + (f", runs: {runs}" if runs else "")
    state: State = "good" if free > 1 << 30 else "bad"
    return [
        Check("home", str(home), state, detail, "" if state == "good" else "free some space", needed=True),
        Check("home", "store", "good", f"SQLite {sqlite3.sqlite_version}, in the home"),
    ]


def _count(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return 0


_TOOLS: tuple[tuple[str, str, Callable[[], bool]], ...] = (
    ("JavaScript tests", "apt-get install nodejs npm", lambda: shutil.which("npm") is not None),
    ("Go tests", "apt-get install golang-go", lambda: shutil.which("go") is not None),
    ("Rust tests", "apt-get install cargo", lambda: shutil.which("cargo") is not None),
)


def _tools() -> list[Check]:
    return [
        Check("projects", name, "good") if there() else Check("projects", name, "missing", "", fix)
        for name, fix, there in _TOOLS
    ]
