"""The Python that has a project's dependencies: its virtual environment, with all that has to be mounted."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from forgewright.core.errors import ConfigError
from forgewright.sandbox.types import Mount
from forgewright.swarm.testing.files import read
from forgewright.swarm.testing.plan import ROOT, TestSettings


class Environment(msgspec.Struct, frozen=True):
    """The Python that has the project's dependencies."""

    folder: Path | None
    program: str
    mounts: tuple[Mount, ...] = ()

    @classmethod
    def find(cls, source: Path, settings: TestSettings) -> Environment:
        names = [settings.environment] if settings.environment else [".venv", "venv", "env"]
        for name in names:
            folder = Path(os.path.abspath(source / name))
            if (folder / "pyvenv.cfg").is_file() and os.path.lexists(folder / "bin" / "python"):
                return cls(folder, str(folder / "bin" / "python"), _mounts(folder))
        if settings.environment:
            raise ConfigError(
                f"[tests] environment: {source / settings.environment} is no virtual environment",
                hint=f"make it: python3 -m venv {settings.environment}",
            )
        return cls(None, "python3")

    def has(self, package: str) -> bool:
        if self.folder is None:
            return Path(f"/usr/lib/python3/dist-packages/{package}").is_dir()
        return any(self.folder.glob(f"lib/python3*/site-packages/{package}/__init__.py"))


def _mounts(folder: Path) -> tuple[Mount, ...]:
    """The environment itself, and the Python it was made from where that is not the system's."""
    mounts = [Mount(str(folder), str(folder), "ro")]
    match = re.search(r"^home\s*=\s*(.+)$", read(folder / "pyvenv.cfg"), re.MULTILINE)
    for base in {Path(match[1].strip()), (folder / "bin" / "python").resolve().parent} if match else ():
        prefix = base.parent if base.name == "bin" else base
        if prefix != Path("/usr") and not str(prefix).startswith("/usr/") and prefix.is_dir() and prefix.name:
            mounts.append(Mount(str(prefix), str(prefix), "ro"))
    return tuple(dict.fromkeys(mounts))


def variables(source: Path, python: Environment) -> dict[str, str]:
    """The copy's own modules come before an editable install, which points at the user's files."""
    paths = [f"{ROOT}/src", ROOT] if (source / "src").is_dir() else [ROOT]
    variables = {"PYTHONPATH": ":".join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    if python.folder is not None:
        variables |= {
            "VIRTUAL_ENV": str(python.folder),
            "PATH": f"{python.folder}/bin:/usr/local/bin:/usr/bin:/bin",
        }
    return variables
