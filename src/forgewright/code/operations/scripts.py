"""Operations on whole files of JavaScript and TypeScript, beside the same operations on Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.code.operations.base import Outcome, Scene
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.project import Splice

Step = Callable[["Program", "Unit"], "list[Splice]"]
LANGUAGES = ("javascript", "typescript", "tsx")


def script_files(scene: Scene, glob: str) -> list[str]:
    """The files of JavaScript and TypeScript that a path or glob names."""
    return [path for language in LANGUAGES for path in scene.project.paths(glob, language)]


def tidied(
    scene: Scene, glob: str, python: Callable[[], Outcome], *steps: Step, python_only: str = ""
) -> Outcome:
    """Run `python` for the Python files of a glob, and the steps one after the other on each script of it.

    `python_only` names an option that was given and that scripts have not. Raises `EditRefused`.
    """
    from forgewright.code.javascript.program import Program
    from forgewright.code.staging import Staging

    paths = script_files(scene, glob)
    if not paths:
        return python()
    if python_only:
        raise EditRefused(
            f"{python_only} is an option for Python, {paths[0]} is a script",
            hint=f"leave {python_only} out: imports of a script are run first wherever they stand",
        )
    staged = Staging(scene.project)
    program = Program(staged.overlay)
    for path in paths:
        for step in steps:
            unit = program.unit(path)
            splices = step(program, unit) if unit is not None else []
            if splices:
                staged.apply(splices)
                program = Program(staged.overlay)
    other = python() if any(scene.project.paths(glob, "python")) else Outcome()
    splices = [*staged.splices(), *other.splices]
    changed = sorted({splice.path for splice in splices})
    return Outcome(
        splices=tuple(splices),
        text=f"imports changed in {', '.join(changed)}" if changed else "nothing to do",
    )
