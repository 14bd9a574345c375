"""What a walk over a project leaves out: version control, caches, and what `.gitignore` names."""

from __future__ import annotations

import re

from forgewright.code.globs import translate

SKIPPED_FOLDERS = frozenset(
    (
        ".git",
        ".hg",
        ".svn",
        ".jj",
        "node_modules",
        "__pycache__",
        ".venv",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".forgewright",
    )
)

IGNORE_BYTES_MAX = 1 << 18


class Ignored:
    """The rules of the `.gitignore` files on the way down, the deepest last (gitignore(5))."""

    __slots__ = ("_rules",)

    def __init__(self, rules: tuple[tuple[str, re.Pattern[str], bool, bool], ...] = ()) -> None:
        self._rules = rules

    def with_file(self, file: str, prefix: str) -> Ignored:
        """These rules and those of the `.gitignore` file of the folder `prefix`."""
        try:
            with open(file, encoding="utf-8", errors="replace") as opened:
                lines = opened.read(IGNORE_BYTES_MAX).splitlines()
        except OSError:
            return self
        return Ignored(self._rules + tuple(rule for line in lines if (rule := _rule(line, prefix))))

    def matches(self, path: str, folder: bool) -> bool:
        for prefix, pattern, negated, folders_only in reversed(self._rules):
            if (folder or not folders_only) and path.startswith(prefix) and pattern.match(path, len(prefix)):
                return not negated
        return False


def _rule(line: str, prefix: str) -> tuple[str, re.Pattern[str], bool, bool] | None:
    line = line.rstrip()
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    line = line[1:] if negated else line.removeprefix("\\")
    folders_only = line.endswith("/")
    line = line.rstrip("/")
    anchored = "/" in line
    body = ("" if anchored else "(?:.*/)?") + translate(line.lstrip("/"))
    try:
        return prefix, re.compile(body + r"\Z", re.DOTALL), negated, folders_only
    except re.error:
        return None
