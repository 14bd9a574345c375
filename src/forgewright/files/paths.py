"""Paths as backends take them, and globs over them."""

from __future__ import annotations

import re
from functools import lru_cache

from forgewright.core.errors import UnsafePath, UsageError

PATH_BYTES_MAX = 4096
NAME_BYTES_MAX = 255
PATTERN_CHARACTERS_MAX = 1_000


def clean(path: str) -> str:
    """The path without a leading `/`, `.` and doubled slashes; the root is the empty string.

    Raises `UnsafePath`.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    for part in parts:
        if part == "..":
            raise UnsafePath(f'expected a path inside the root; found ".." in {path!r:.200}')
        if len(part) > NAME_BYTES_MAX or len(part.encode("utf-8", "surrogateescape")) > NAME_BYTES_MAX:
            raise UnsafePath(f"expected names of at most {NAME_BYTES_MAX} bytes; found {part!r:.60}")
    if "\0" in path:
        raise UnsafePath(f"expected a path without a null character; found {path!r:.200}")
    joined = "/".join(parts)
    if len(joined.encode("utf-8", "surrogateescape")) > PATH_BYTES_MAX:
        raise UnsafePath(f"expected a path of at most {PATH_BYTES_MAX:,} bytes; found {joined!r:.60}…")
    return joined


def last(path: str) -> str:
    """The last component of a clean path."""
    return path.rpartition("/")[2]


def inside(path: str, folder: str) -> bool:
    """Whether a clean path is the folder or lies below it."""
    return not folder or path == folder or path.startswith(folder + "/")


@lru_cache(maxsize=256)
def matcher(pattern: str) -> re.Pattern[str]:
    """A compiled glob. A pattern without `/` fits the name at any depth. Raises `UsageError`."""
    if not pattern or len(pattern) > PATTERN_CHARACTERS_MAX:
        raise UsageError(
            f"expected a glob of 1 to {PATTERN_CHARACTERS_MAX} characters; found {len(pattern)} characters"
        )
    body = pattern.lstrip("/")
    if "/" not in pattern:
        body = "**/" + body
    return re.compile("".join(_expressions(body)), re.DOTALL)


def expression(pattern: str, *, regex: bool) -> re.Pattern[str]:
    """What a grep looks for. Raises `UsageError`."""
    if not pattern or len(pattern) > PATTERN_CHARACTERS_MAX:
        raise UsageError(
            f"expected a text of 1 to {PATTERN_CHARACTERS_MAX} characters to look for; found {len(pattern)}"
        )
    try:
        return re.compile(pattern if regex else re.escape(pattern))
    except re.error as error:
        raise UsageError(
            f"expected a regular expression; {pattern!r:.100} is none: {error}",
            hint="escape its special characters, or look for plain text",
        ) from error


def _expressions(body: str) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(body):
        if body.startswith("**/", at):
            if out[-1:] != ["(?:[^/]+/)*"]:  # `**/**/` means no more, and backtracks more
                out.append("(?:[^/]+/)*")
            at += 3
        elif body.startswith("**", at):
            out.append(".*")
            at += 2
            while body.startswith("*", at):
                at += 1
        elif body[at] == "*":
            out.append("[^/]*")
            at += 1
        elif body[at] == "?":
            out.append("[^/]")
            at += 1
        elif body[at] == "[" and (end := body.find("]", at + 2)) > 0:
            inner = body[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("/", "")
            out.append("[^/" + inner[1:] + "]" if inner[:1] in ("!", "^") else "[" + (inner or "/") + "]")
            at = end + 1
        elif body[at] == "{" and (end := body.find("}", at)) > 0:
            out.append("(?:" + "|".join(re.escape(o) for o in body[at + 1 : end].split(",")) + ")")
            at = end + 1
        else:
            out.append(re.escape(body[at]))
            at += 1
    return out
