"""What a docstring says: the description, and a sentence for each parameter (Google, numpy or reST style)."""

from __future__ import annotations

import re

_GOOGLE = re.compile(
    r"^(args|arguments|parameters|params|keyword args|keyword arguments):\s*$", re.IGNORECASE
)
_SECTION = re.compile(r"^[A-Z][A-Za-z ]*:\s*$")
_GOOGLE_ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY = re.compile(r"^(other )?parameters$", re.IGNORECASE)
_UNDERLINE = re.compile(r"^-{3,}$")
_NUMPY_ITEM = re.compile(r"^\*{0,2}(\w+(?:\s*,\s*\w+)*)\s*(?::.*)?$")
_REST_ITEM = re.compile(r"^:(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?\*{0,2}(\w+):\s*(.*)$")


def parse(text: str) -> tuple[str, dict[str, str]]:
    """The description without the parameters' section, and parameter → sentence."""
    lines = _dedent(text)
    kept: list[str] = []
    found: dict[str, str] = {}
    at = 0
    while at < len(lines):
        line = lines[at]
        if _GOOGLE.match(line):
            at = _google(lines, at + 1, found)
        elif _NUMPY.match(line) and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]):
            at = _numpy(lines, at + 2, found)
        elif (match := _REST_ITEM.match(line)) is not None:
            parts = [match[2]]
            at += 1
            while at < len(lines) and lines[at][:1].isspace() and lines[at].strip():
                parts.append(lines[at].strip())
                at += 1
            found[match[1]] = " ".join(part for part in parts if part)
        elif re.match(r"^:type\s", line):
            at += 1
        else:
            kept.append(line)
            at += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip(), {k: v for k, v in found.items() if v}


def _dedent(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.expandtabs().strip("\n").split("\n")]
    rest = [len(line) - len(line.lstrip()) for line in lines[1:] if line]
    margin = min(rest, default=0)
    return [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]


def _google(lines: list[str], at: int, found: dict[str, str]) -> int:
    indent: int | None = None
    name: str | None = None
    while at < len(lines):
        line = lines[at]
        here = len(line) - len(line.lstrip())
        if line and (here == 0 or _SECTION.match(line)):
            break
        if line:
            indent = here if indent is None else indent
            match = _GOOGLE_ITEM.match(line.strip()) if here <= indent else None
            if match is not None:
                name = match[1]
                found[name] = match[2]
            elif name is not None:
                found[name] = f"{found[name]} {line.strip()}".strip()
        at += 1
    return at


def _numpy(lines: list[str], at: int, found: dict[str, str]) -> int:
    names: list[str] = []
    while at < len(lines):
        line = lines[at]
        if line and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]):
            break
        if line and not line[0].isspace():
            match = _NUMPY_ITEM.match(line)
            if match is None:
                break
            names = [part.strip() for part in match[1].split(",")]
            found.update(dict.fromkeys(names, ""))
        elif line:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
        at += 1
    return at
