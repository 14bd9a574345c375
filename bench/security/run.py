"""Scores the engine on AgentDojo with a model that is wholly in the attacker's hands: `make bench BENCH=security`.

    python bench/run.py security [--gate none|plan|provenance|both] [--suite NAME] [--benign] [--out FILE]

Makes a virtual environment with the pinned AgentDojo below var/bench-venvs/ and runs `score.py` in it. No network is used
after that, no model is asked.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENV = ROOT / "var" / "bench-venvs" / "security"
AGENTDOJO = "agentdojo==0.1.35"


def environment() -> Path:
    """The interpreter of an environment with AgentDojo and this project in it."""
    python = VENV / "bin" / "python"
    mark = VENV / "packages"
    if not mark.exists() or mark.read_text() != AGENTDOJO:
        print("building the environment of security …", file=sys.stderr)
        venv.create(VENV, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, AGENTDOJO], check=True)
        subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), "-e", str(ROOT)], check=True)
        mark.write_text(AGENTDOJO)
    return python


if __name__ == "__main__":
    sys.exit(subprocess.call([str(environment()), str(HERE / "score.py"), *sys.argv[1:]]))
