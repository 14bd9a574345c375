"""Mounts that make a language's own programs and packages visible inside, at the paths they have outside."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from forgewright.core.errors import NotFound
from forgewright.sandbox.types import Mount

_OFFERED = ("/usr", "/bin", "/lib", "/lib64", "/sbin")
"""What the `host` image offers anyway."""


def python_mounts(venv: Path | str) -> tuple[Mount, ...]:
    """A virtual environment at its own path, read-only, and its base interpreter where that is not in /usr.

    Raises `NotFound` where `venv` has no `pyvenv.cfg`, or names a base that does not exist.
    """
    folder = Path(venv).absolute()
    config = folder / "pyvenv.cfg"
    if not config.is_file():
        raise NotFound(
            f"no virtual environment at {folder}: pyvenv.cfg is missing", hint=f"python3 -m venv {folder}"
        )
    program = (folder / "bin" / "python").resolve()
    home = _setting(config, "home")
    bases = [program.parent.parent]
    if home:
        bases.append(Path(home).parent)
        bases.append(Path(home).resolve().parent)
    if not program.exists():
        raise NotFound(
            f"{folder}/bin/python leads to {program}, which does not exist",
            hint=f"make it again: python3 -m venv --clear {folder}",
        )
    return _mounts([*bases, folder])


def node_mounts(project: Path | str | None = None) -> tuple[Mount, ...]:
    """The installation that `node` on PATH belongs to, and the project's `node_modules`, read-only.

    Raises `NotFound` where there is no `node`.
    """
    found = shutil.which("node")
    if found is None:
        raise NotFound("no node on PATH", hint="apt-get install nodejs")
    wanted = [Path(found).resolve().parent.parent]
    if project is not None:
        modules = Path(project).absolute() / "node_modules"
        if modules.is_dir():
            wanted.append(modules)
    return _mounts(wanted)


def _setting(config: Path, name: str) -> str:
    for line in config.read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == name:
            return value.strip()
    return ""


def _mounts(folders: Iterable[Path]) -> tuple[Mount, ...]:
    """Each folder once, outer ones before inner ones, without what is offered anyway or lies in another."""
    chosen: list[Path] = []
    for folder in sorted(set(folders)):
        if any(folder.is_relative_to(offered) for offered in _OFFERED) or folder == Path("/"):
            continue
        if not any(folder.is_relative_to(outer) for outer in chosen):
            chosen.append(folder)
    return tuple(Mount(source=str(folder), target=str(folder)) for folder in chosen)
