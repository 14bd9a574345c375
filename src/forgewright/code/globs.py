"""Globs over paths: `*` and `?` stay in a folder, `**` crosses folders, `{a,b}`, `[a-z]`, `!` excludes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache


def matcher(glob: str | Sequence[str] | None) -> Callable[[str], bool]:
    """A test of paths. None matches all; a folder's name matches all below it; `!glob` excludes.

    A glob without `/` matches in every folder, as in `.gitignore`: `*.py` is `**/*.py`.
    """
    if glob is None:
        return lambda path: True
    globs = [glob] if isinstance(glob, str) else list(glob)
    wanted = [compiled(g) for g in globs if not g.startswith("!")]
    unwanted = [compiled(g[1:]) for g in globs if g.startswith("!")]

    def test(path: str) -> bool:
        if unwanted and any(pattern.match(path) for pattern in unwanted):
            return False
        return not wanted or any(pattern.match(path) for pattern in wanted)

    return test


@lru_cache(512)
def compiled(glob: str) -> re.Pattern[str]:
    """The regular expression of one glob, matching the file itself or a folder above it."""
    glob = glob.removeprefix("./")
    anchored = "/" in glob.rstrip("/")
    body = translate(glob.strip("/"))
    return re.compile(("" if anchored else "(?:.*/)?") + body + r"(?:/.*)?\Z", re.DOTALL)


def translate(glob: str) -> str:
    """The body of the regular expression of a glob, unanchored."""
    out: list[str] = []
    at = 0
    depth = 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
            continue
        if glob.startswith("**", at):
            out.append(".*")
            at += 2
            continue
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (close := glob.find("]", at + 2)) > 0:
            inside = glob[at + 1 : close].replace("\\", "\\\\").replace("[", "\\[")
            inside = "^" + inside[1:] if inside[0] in "!^" else inside
            out.append(f"[{inside}]")
            at = close
        elif char == "{" and "}" in glob[at:]:
            out.append("(?:")
            depth += 1
        elif char == "}" and depth:
            out.append(")")
            depth -= 1
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
        at += 1
    return "".join(out) + ")" * depth
