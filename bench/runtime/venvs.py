"""One virtual environment per contender, with pinned packages, byte-compiled, under var/bench-venvs/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / "var" / "bench-venvs"
PYTHON = "3.11"

PACKAGES: dict[str, tuple[str, ...]] = {
    "raw": (),
    "forgewright": (str(ROOT),),
    "langgraph": (
        "langgraph==1.2.22",
        "langchain==1.4.7",
        "langchain-openai==1.7.3",
        "langgraph-checkpoint-sqlite==3.1.2",
    ),
    "deepagents": ("deepagents==0.7.32", "langchain-openai==1.7.3", "langgraph-checkpoint-sqlite==3.1.2"),
    "pydantic-ai": ("pydantic-ai-slim[openai]==2.68.0",),
    "agent-framework": ("agent-framework-core==1.23.0", "agent-framework-openai==1.17.0"),
    "openai-agents": ("openai-agents==0.24.0",),
    "http-clients": ("aiohttp==3.14.5", "httpx==0.28.1", "openai==3.52.0"),
}


def python_of(name: str) -> Path:
    return VENVS / name / "bin" / "python"


def build(name: str) -> None:
    """Makes the environment unless it is there with these packages; this project's is made anew each time."""
    packages = PACKAGES[name]
    mark = VENVS / name / "packages"
    wanted = hashlib.sha256(" ".join(packages).encode()).hexdigest()
    own = str(ROOT) in packages
    if mark.exists() and mark.read_text() == wanted and not own:
        return
    print(f"building the environment of {name} …", file=sys.stderr)
    uv = Path(sys.executable).with_name("uv")
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    if not own or not mark.exists():
        shutil.rmtree(VENVS / name, ignore_errors=True)
        subprocess.run(
            [uv, "venv", "-q", "--no-python-downloads", "--python", PYTHON, str(VENVS / name)],
            check=True,
            env=environ,
        )
    if packages:
        again = ["--reinstall-package", "forgewright"] if own else []
        install = [uv, "pip", "install", "-q", "--python", str(python_of(name)), "--compile-bytecode", *again]
        constraints = ["-c", str(ROOT / "constraints.txt")] if own else []
        subprocess.run([*install, *constraints, *packages], check=True, env=environ)
    mark.write_text(wanted)


def versions(name: str) -> str:
    """The versions that are installed, for the results."""
    names = [package.partition("==")[0].partition("[")[0] for package in PACKAGES[name]]
    names = ["forgewright" if package == str(ROOT) else package for package in names]
    code = "import sys, importlib.metadata as m\nfor n in sys.argv[1:]: print(n, m.version(n))"
    shown = subprocess.run(
        [python_of(name), "-c", code, *names], check=True, capture_output=True, text=True
    ).stdout
    return ", ".join(shown.split("\n")).strip(", ")
