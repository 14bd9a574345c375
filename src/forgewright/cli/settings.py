"""What a command works with: home and configuration, from arguments, files and the environment in this order."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.config import FILE_NAME, Config, parse_config
from forgewright.core.errors import NotFound, Refused

if TYPE_CHECKING:
    from forgewright.runtime.budget import Budget
    from forgewright.sandbox.types import Limits, Mount, Tier
    from forgewright.swarm.testing import TestSettings


class Settings(msgspec.Struct, frozen=True):
    config: Config
    home: Path
    file: Path | None = None
    """The project's configuration file, where there is one."""


def find_config(folder: Path) -> Path | None:
    """`forgewright.toml` in `folder` or above it, up to the top of its git repository."""
    for at in (folder, *folder.parents):
        if (at / FILE_NAME).is_file():
            return at / FILE_NAME
        if (at / ".git").exists():
            return None
    return None


def user_file() -> Path:
    """The user's own configuration."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "forgewright" / FILE_NAME


def load_settings(args: argparse.Namespace, repository: Path | None = None) -> Settings:
    """Raises `ConfigError`, `NotFound`, and `Refused` where a repository's file reaches beyond it."""
    user = _read(user_file()) if user_file().is_file() else Config()
    file = Path(args.config) if args.config else find_config(repository.resolve()) if repository else None
    project = _read(file) if file is not None else Config()
    if file is not None and not args.config and project.reaching():
        raise Refused(
            f"{file} sets {', '.join(project.reaching())}: that reaches beyond its repository, where a stranger's "
            "file could send your keys elsewhere or show your folders to agents",
            hint=f"read it; if it is yours, name it: --config {file}, or move these keys to {user_file()}",
        )
    config = project.over(user)
    return Settings(config, _home(args, config), file)


def home_of(args: argparse.Namespace) -> Path:
    """The home of a command that needs no configuration of a repository."""
    return load_settings(args).home


def _home(args: argparse.Namespace, config: Config) -> Path:
    from forgewright.wiring import default_home

    if args.home:
        return Path(os.path.abspath(Path(args.home).expanduser()))
    if config.home.path and not os.environ.get("FORGEWRIGHT_HOME"):
        return Path(os.path.abspath(Path(config.home.path).expanduser()))
    return Path(os.path.abspath(default_home()))


def _read(file: Path) -> Config:
    try:
        return parse_config(file.read_bytes(), str(file))
    except OSError as error:
        raise NotFound(f"{file} could not be read: {error.strerror}", hint="run: forgewright init") from None


# ── from the file's words to the engine's values ─────────────────────────────────────────────────────


def models_of(config: Config, args: argparse.Namespace) -> dict[str, str]:
    """Actor → model, `default` for all others; what was given by hand comes first."""
    models: dict[str, str] = {}
    for role, model in config.run.models.items():
        models[role] = model
    if config.run.model:
        models["default"] = config.run.model
    if getattr(args, "model", None):
        models = {"default": args.model}
    for given in getattr(args, "models", None) or ():
        role, _, model = given.partition("=")
        models[role] = model
    return models


def fallback_of(config: Config, args: argparse.Namespace) -> Sequence[str]:
    return tuple(getattr(args, "fallback", None) or config.run.fallback)


def budget_of(config: Config, args: argparse.Namespace) -> Budget | None:
    """The limits that were set anywhere; None where none was."""
    from forgewright.runtime.budget import Budget

    def chosen(name: str) -> float | None:
        given: float | None = getattr(args, name, None)
        return given if given is not None else getattr(config.budget, name)

    tokens, money, steps = chosen("tokens"), chosen("money_usd"), chosen("steps")
    budget = Budget(
        tokens=None if tokens is None else int(tokens),
        cost_microdollars=None if money is None else round(money * 1e6),
        steps=None if steps is None else int(steps),
        wall_seconds=chosen("wall_seconds"),
    )
    return None if budget == Budget() else budget


def tests_of(config: Config, args: argparse.Namespace) -> TestSettings:
    from forgewright.swarm.testing import TestSettings

    command = getattr(args, "tests", None) or config.tests.command or ()
    settings = TestSettings(
        command=tuple(shlex.split(command)) if isinstance(command, str) else tuple(command),
        environment=config.tests.environment,
        workdir=config.tests.workdir or "",
    )
    seconds = config.tests.timeout_seconds
    return settings if seconds is None else msgspec.structs.replace(settings, timeout_seconds=seconds)


def sandbox_limits_of(config: Config) -> Limits:
    from forgewright.core.config import memory_bytes
    from forgewright.sandbox.types import Limits

    limits = Limits()
    if config.sandbox.memory:
        limits = msgspec.structs.replace(limits, memory_bytes=memory_bytes(config.sandbox.memory))
    if config.sandbox.cpus:
        limits = msgspec.structs.replace(limits, cpus=config.sandbox.cpus)
    return limits


def tier_of(config: Config) -> Tier:
    from forgewright.sandbox.types import Tier

    return Tier(config.sandbox.tier or "container")


def mounts_of(settings: Settings) -> tuple[Mount, ...]:
    """The further folders, their sources relative to the file that names them. Raises `NotFound`."""
    from forgewright.sandbox.types import Mount

    found = []
    for mount in settings.config.sandbox.mounts:
        source = Path(os.path.abspath(_base(settings) / Path(mount.source).expanduser()))
        if not source.exists():
            raise NotFound(
                f"[sandbox] mounts: {source} is not there", hint="make it, or take it out of the file"
            )
        found.append(Mount(str(source), mount.target, mount.mode))
    return tuple(found)


def _base(settings: Settings) -> Path:
    return settings.file.parent if settings.file else user_file().parent


def policies_of(settings: Settings) -> list[Path | str] | str:
    """The policy files that are named, relative to the file that names them; else the default set."""
    names = settings.config.policy.files
    if not names:
        return "default"
    base = _base(settings)
    from forgewright.policy.gate import SETS, policy_paths

    found: list[Path | str] = []
    for name in names:
        found += policy_paths(name) if name in SETS else [base / Path(name).expanduser()]
    return found
