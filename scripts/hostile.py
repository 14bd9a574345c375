"""Writes docs/reference/hostile-programs.md from the hostile programs of the tests: what is tried, and what contains it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "hostile-programs.md"
sys.path.insert(0, str(ROOT))

KINDS = (
    ("EXHAUSTION", "Using up what there is"),
    ("OUTLIVING", "Outliving the time-out"),
    ("KERNEL", "System calls that reach into the kernel"),
    ("HOST", "Reaching for the host"),
    ("NETWORK", "Getting out over the network"),
    ("TRICKS", "Tricks, and what was found in others"),
)


def page() -> str:
    """The page, as the programs say it now."""
    from tests.security import hostile

    lines = [
        "# Hostile programs",
        "",
        "Written by `python scripts/hostile.py` from `tests/security/hostile.py`, which holds",
        f"{len(hostile.PROGRAMS)} programs. Each is run in each tier, with canaries on the host (a file, sockets, a port,",
        "variables, watched settings of the kernel) that prove that nothing got out. **refused**: the attempt",
        "fails. **own kernel**: it may succeed, against the kernel that the sandbox has for itself, and the host is",
        "as it was. A word in `code` is the reason by which the program is ended. In a virtual machine on an emulated",
        "processor those that use something up run under `make soak`.",
    ]
    for name, title in KINDS:
        lines += ["", f"## {title}", "", "| program | container | gVisor | micro-VM |", "|---|---|---|---|"]
        for program in getattr(hostile, name):
            first = _expected(program, own=False)
            other = _expected(program, own=program.own_kernel)
            lines.append(f"| {program.name} | {first} | {other} | {other} |")
    return "\n".join(lines) + "\n"


def _expected(program: object, *, own: bool) -> str:
    reason = getattr(program, "reason", "")
    if reason:
        return ", ".join(f"`{word}`" for word in reason.split("|"))
    return "own kernel" if own else "refused"


if __name__ == "__main__":
    PAGE.write_text(page())
