"""Which modules run before a module does: the imports that stay when the types are gone, read without binding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.javascript.modules import Modules
from forgewright.core.errors import NotFound, UnsafePath

if TYPE_CHECKING:
    from forgewright.code.project import Project

_FROM = re.compile(
    rb"""^[ \t]*(?:import|export)\b([^;'"`=()]*?)\bfrom\s*['"]([^'"\n]+)['"]|^[ \t]*import\s*['"]([^'"\n]+)['"]""",
    re.MULTILINE,
)
_REQUIRE = re.compile(rb"""\brequire\(\s*['"]([^'"\n]+)['"]\s*\)""")
_BRACES = re.compile(rb"\s*\{([^}]*)\}\s*")
_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/", re.DOTALL)
FILES_MAX = 5_000
"""Modules that are followed; beyond that no circle is looked for."""


def targets(project: Project, modules: Modules, path: str) -> set[str]:
    """The files whose values a file imports."""
    try:
        data = project.source(path).data
    except (NotFound, UnsafePath):
        return set()
    if path.endswith((".d.ts", ".d.mts", ".d.cts")):
        return set()
    found: set[str] = set()
    sources = [m[3] or m[2] for m in _FROM.finditer(data) if m[3] or not _typed(m[1])]
    if path.endswith((".js", ".cjs", ".jsx")):
        sources += _REQUIRE.findall(data)
    for source in sources:
        target = modules.resolve(path, source.decode("utf-8", "replace"))
        if target is not None and "node_modules/" not in target:
            found.add(target)
    return found


def _typed(clause: bytes) -> bool:
    """Whether nothing of `import …` is left once types are gone."""
    clause = _COMMENT.sub(b" ", clause)
    if re.match(rb"\s*type\b(?!\s*,|\s*$)", clause):
        return True
    braces = _BRACES.fullmatch(clause)
    if braces is None:
        return False
    names = [name.strip() for name in braces[1].split(b",") if name.strip()]
    return bool(names) and all(name.startswith((b"type ", b"typeof ")) for name in names)


def circle(
    project: Project, path: str, elided: frozenset[tuple[str, str]] | set[tuple[str, str]] = frozenset()
) -> dict[str, str]:
    """The files that import `path` and that it needs itself, each with the one through which it is reached."""
    modules = Modules(project)
    came: dict[str, str] = {path: ""}
    fresh = [path]
    found: dict[str, str] = {}
    while fresh and len(came) < FILES_MAX:
        current = fresh.pop()
        for target in sorted(targets(project, modules, current)):
            if (current, target) in elided:
                continue
            if target == path and current != path:
                found[current] = came[current]
            if target not in came:
                came[target] = current
                fresh.append(target)
    return found
