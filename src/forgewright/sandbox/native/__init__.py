"""Two small static programs that come with the package: the resident agent and the launcher."""

from __future__ import annotations

import platform
from pathlib import Path

from forgewright.core.errors import Unavailable


def program(name: str) -> Path:
    """The path of `agent` or `launch` for this machine. Raises `Unavailable` where there is none."""
    found = Path(__file__).with_name(f"{name}-{platform.machine()}")
    if not found.exists():
        raise Unavailable(
            f"no {name} program for {platform.machine()} comes with this package",
            hint=f"build it: sh {found.parent}/build.sh (needs musl-gcc)",
        )
    return found
