"""After a program no name has lost its meaning or got another one, unless the program says so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from forgewright.code.languages import language_of
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.project import Project
    from forgewright.code.python.bindings import Bindings
    from forgewright.code.scene import Stage
    from forgewright.code.sources import SourceFile

PYTHON = ("python",)
SCRIPTS = ("javascript", "typescript", "tsx")
FILES_MAX = 100
BYTES_MAX = 2 << 20
"""What more than this has changed is not looked through: the check is bounded in time and memory."""
SHOWN_MAX = 10
STARTS_MAX = 8
"""Modules at which a program may begin that are tried for each file with new imports."""


def check(project: Project, stage: Stage, allowed: Iterable[str]) -> None:
    """Raises `EditRefused` with the places; says in a note where it could not look."""
    allowed = set(allowed)
    if {"lost", "captured"} <= allowed:
        return
    problems: list[str] = []
    for languages, judge in ((PYTHON, _python), (SCRIPTS, _scripts)):
        found = _changed(project, stage, languages)
        if found is not None:
            problems += judge(project, stage, *found, allowed)
    if problems:
        shown = "\n".join("  " + problem for problem in problems[:SHOWN_MAX])
        more = f"\n  and {len(problems) - SHOWN_MAX} more" if len(problems) > SHOWN_MAX else ""
        raise EditRefused(
            f"names would lose their meaning:\n{shown}{more}",
            hint="change these places in the same program too",
        )


def _changed(
    project: Project, stage: Stage, languages: Collection[str]
) -> tuple[dict[str, str | None], set[str]] | None:
    """Files after the program with those that they were, and files that are gone; None if none is to be judged."""
    changed = {
        path: source
        for path, source in stage.overlay.changed().items()
        if language_of(path) in languages and _differs(project, path, source)
    }
    known = [path for path in changed if stage.sound.get(path) is not None]
    if len(known) == len(changed) and not _lost(project, stage, changed):
        return None
    if _many(changed) and not _lost(project, stage, known):
        changed = {path: source for path, source in changed.items() if path not in known}
    if _many(changed):
        stage.report(
            f"names were not compared before and after: more than {FILES_MAX} files or {BYTES_MAX >> 20} MiB"
        )
        return None
    moved = {new: old for old, new in stage.moves}
    before = {
        path: moved.get(path, path) if project.exists(moved.get(path, path)) else None
        for path, source in changed.items()
        if source is not None
    }
    gone = {path for path, source in changed.items() if source is None and project.exists(path)}
    return before, gone


def _python(
    project: Project, stage: Stage, before: dict[str, str | None], gone: set[str], allowed: set[str]
) -> list[str]:
    from forgewright.code.python.bindings import Bindings
    from forgewright.code.python.resolver import PythonResolver

    bindings = Bindings(PythonResolver(project), PythonResolver(stage.overlay), before, gone)
    problems = [] if "lost" in allowed else list(bindings.lost())
    if "captured" not in allowed:
        problems += bindings.captured(stage.captures)
    if "lost" not in allowed:
        problems += not_ready(bindings, circles="circles" not in allowed)
    return problems


def _scripts(
    project: Project, stage: Stage, before: dict[str, str | None], gone: set[str], allowed: set[str]
) -> list[str]:
    from forgewright.code.javascript.bindings import ScriptBindings
    from forgewright.code.javascript.program import Program

    bindings = ScriptBindings(Program(project), Program(stage.overlay), before, gone)
    problems = [] if "lost" in allowed else list(bindings.lost())
    if "captured" not in allowed:
        problems += bindings.captured()
    return problems


def not_ready(bindings: Bindings, *, circles: bool) -> list[str]:
    """`path:line name: why` of what is not there yet when a changed module is imported, and was before."""
    from forgewright.code.python.startup import Failure, Startup

    before, after = Startup(bindings.before), Startup(bindings.after)
    found: dict[tuple[str, str, str], Failure] = {}
    for path, old in bindings.changed.items():
        had = {f.key[1:] for f in before.play(old, alone=True)} if old is not None else set()
        for failure in after.play(path, alone=True):
            if failure.key[1:] not in had:
                found.setdefault(failure.key, failure)
        fresh = after.targets(path) - (before.targets(old) if old is not None else set())
        if not fresh and old is not None:
            order = after.sequence(path)
            if order != [module for module in before.sequence(old) if module in order]:
                fresh = set(order)
        if not fresh or not circles:
            continue
        starts = [
            path,
            *(file for module in sorted(fresh) for file in after.resolver.modules.files(module)[:1]),
        ]
        for start in starts[:STARTS_MAX]:
            was = bindings.changed.get(start, start)
            known = was is not None and before.resolver.modules.files(before.resolver.modules.module_of(was))
            had = {f.key[1:] for f in before.play(was)} if was is not None and known else set()
            for failure in after.play(start):
                if failure.key[1:] not in had:
                    found.setdefault(failure.key, failure)
    return [
        f"{f.path}:{f.line} {f.name}: {f.why}" for f in found.values() if bindings.was_bound(f.path, f.name)
    ]


def _many(changed: Mapping[str, SourceFile | None]) -> bool:
    size = sum(len(source.data) for source in changed.values() if source is not None)
    return len(changed) > FILES_MAX or size > BYTES_MAX


def _lost(project: Project, stage: Stage, known: Iterable[str]) -> bool:
    """Whether names could be lost in files of which it is known that nothing else happens to names.

    A name that is put where it did not stand is lost only if it meant something in one of these files before.
    """
    new = {name.encode() for path in known for name in stage.sound[path] or ()}
    return any(name in project.source(path).data for path in known for name in new)


def _differs(project: Project, path: str, source: SourceFile | None) -> bool:
    if not project.exists(path):
        return source is not None
    return source is None or project.source(path).data != source.data


def allowances(operations: Iterable[object]) -> Mapping[str, None]:
    """What the program allows, from its `allow` operations."""
    from forgewright.code.operations.allow import Allow

    found: dict[str, None] = {}
    for one in operations:
        if isinstance(one, Allow):
            found.update(dict.fromkeys(one.what))
        if getattr(one, "allow_cycle", False):
            found["circles"] = None
    return found
