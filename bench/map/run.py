"""Does the map of a repository show the file that a change touches? Asked of Django's patch releases: `make bench BENCH=map`.

    python bench/run.py map [--folder FOLDER] [--half train|held|all] [--speed]

Needs PyPI once: the source distributions of the releases go to var/bench-map/ (about 90 of 10 MB, of which the code is kept).
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
NOTES = "5.2.19"
"""The release whose documentation holds the notes of all others."""
OLDEST = (1, 7)
TOKENS = 4000
FIRST = 10


class Change(msgspec.Struct, frozen=True):
    """A patch release with one entry in its notes."""

    version: str
    before: str
    goal: str


# ── the set ──────────────────────────────────────────────────────────────────────────────────────────


def fetch(version: str, folder: Path, *, notes: bool = False) -> bool:
    """The code of a release below `folder`/VERSION; False where there is none."""
    target = folder / version
    if target.exists():
        return True
    with tempfile.TemporaryDirectory(dir=folder) as place:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            place,
        ]
        if subprocess.run([*pip, f"Django=={version}"], check=False, capture_output=True).returncode:
            return False
        (archive,) = Path(place).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            wanted = [
                m for m in tar.getmembers()
                if m.isfile() and (m.name.endswith((".py", ".js")) or (notes and "/docs/releases/" in m.name))
            ]  # fmt: skip
            tar.extractall(Path(place, "out"), wanted, filter="data")
        (inside,) = Path(place, "out").iterdir()
        shutil.move(inside, target)
    return True


def changes(notes: Path) -> list[Change]:
    """The releases whose notes have a single entry, each entry once, oldest first."""
    found: dict[str, Change] = {}
    for file in sorted(notes.glob("*.txt"), key=_version, reverse=True):
        version = _version(file)
        if len(version) != 3 or version < OLDEST:
            continue
        text = file.read_text()
        bullets = re.findall(r"^\* (.*?)(?=^\* |^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        advisories = re.findall(
            r"^(CVE-\d+-\d+.*?)\n[=-]+\n(.*?)(?=^\S.*\n[=-]{4,}\n|\Z)", text, re.MULTILINE | re.DOTALL
        )
        if len(bullets) + len(advisories) != 1:
            continue
        entry = bullets[0] if bullets else ". ".join(advisories[0])
        entry = " ".join(entry.split())
        cve = re.search(r"CVE-\d+-\d+", entry)
        key = cve[0] if cve else re.sub(r"\W+", "", entry)[:60]
        before = (*version[:2], version[2] - 1) if version[2] > 1 else version[:2]
        found.setdefault(key, Change(_dotted(version), _dotted(before), plain(entry)))
    return sorted(found.values(), key=lambda change: tuple(map(int, change.version.split("."))))


def plain(entry: str) -> str:
    """The entry without the markup of its notes, and without the numbers of tickets."""
    entry = re.sub(r":ticket:`\d+`|:cve:`[\d-]+`", "", entry)
    entry = re.sub(r":[\w:+-]+:`([^`<]*?)\s*<([^`>]*)>`", r"`\1` `\2`", entry)
    return re.sub(r":[\w:+-]+:`[~.!]?([^`]*)`", r"`\1`", entry)


def touched(before: Path, after: Path) -> dict[str, int]:
    """Files of the package that the release changed → changed lines. Not counted: the version, translations, new files."""
    found = {}
    for file in [*after.glob("django/**/*.py"), *after.glob("django/**/*.js")]:
        path = file.relative_to(after).as_posix()
        old = before / path
        if path == "django/__init__.py" or "/locale/" in path or ".min." in path or not old.exists():
            continue
        if old.read_bytes() != file.read_bytes():
            lines = [p.read_text("latin-1").splitlines() for p in (old, file)]
            found[path] = sum(line[0] in "+-" for line in difflib.unified_diff(*lines, lineterm="", n=0)) - 2
    return found


def _version(file: Path) -> tuple[int, ...]:
    return tuple(map(int, file.stem.split("."))) if re.fullmatch(r"\d+(\.\d+)+", file.stem) else ()


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


# ── the question ─────────────────────────────────────────────────────────────────────────────────────


def first_files(root: Path, goal: str) -> list[str]:
    """The first files of the map of at most `TOKENS` tokens."""
    from forgewright.code.engine import CodeEngine

    program = f"(repo-map goal: {json.dumps(goal)} tokens: {TOKENS})"
    result = CodeEngine(root).plan(program).results[0]
    assert len(result.text) <= TOKENS * 4
    files: list[str] = result.data["files"]
    return files[:FIRST]


def score(folder: Path, half: str) -> None:
    """Prints what is missed, and the figures of each half."""
    asked: list[tuple[Change, Mapping[str, int]]] = []
    for change in changes(folder / NOTES / "docs" / "releases"):
        if fetch(change.before, folder) and fetch(change.version, folder):
            files = touched(folder / change.before, folder / change.version)
            if files:
                asked.append((change, files))
    for name, part in (("train", asked[::2]), ("held", asked[1::2])):
        if half not in (name, "all"):
            continue
        any_, main = 0, 0
        for change, files in part:
            shown = first_files(folder / change.before, change.goal)
            most = max(files, key=lambda path: files[path])
            any_ += any(path in shown for path in files)
            main += most in shown
            if most not in shown:
                print(f"{change.version}: {most} is not among {', '.join(shown[:4])} … ({change.goal[:100]})")
        print(
            f"{name}: {len(part)} changes; the file changed most is shown in {main} ({100 * main / len(part):.0f} %), "
            f"any changed file in {any_} ({100 * any_ / len(part):.0f} %)",
            flush=True,
        )


def speed(root: Path) -> None:
    """Processor time of a process of its own, and its wall time: without the index, and with it."""
    program = "(repo-map goal: 'denial of service in django.utils.text.wrap()' tokens: 4000)"
    code = (
        "import sys, time; from pathlib import Path\nfrom forgewright.code.engine import CodeEngine\n"
        "CodeEngine(Path(sys.argv[1])).plan(sys.argv[2])\nprint(time.process_time())"
    )
    shutil.rmtree(root / ".forgewright", ignore_errors=True)
    files = sum(1 for _ in root.rglob("*.py"))
    for name in ("cold", "warm", "warm"):
        began = time.perf_counter()
        run = [sys.executable, "-c", code, str(root), program]
        said = subprocess.run(run, check=True, capture_output=True, text=True, env=os.environ).stdout
        wall = time.perf_counter() - began
        print(f"{files} Python files, {name}: {float(said):.2f} s CPU, {wall:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "bench-map")
    parser.add_argument("--half", choices=("train", "held", "all"), default="all")
    parser.add_argument("--speed", action="store_true", help="only how long a map takes")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if not fetch(NOTES, args.folder, notes=True):
        sys.exit(f"Django {NOTES} can't be had from PyPI")
    if args.speed:
        speed(args.folder / NOTES)
    else:
        score(args.folder, args.half)


if __name__ == "__main__":
    main()
