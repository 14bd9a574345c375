"""The engine of the language of code: a program is planned, looked at, committed, and can be undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from forgewright.code.binding import Occurrence
from forgewright.code.deadline import limited
from forgewright.code.operations.base import Operation
from forgewright.code.project import FileChange
from forgewright.code.scene import Stage
from forgewright.code.sharing import processes, shared
from forgewright.code.sources import DiskProject, SourceFile
from forgewright.code.syntax.diagnostics import InvalidProgram, Problem
from forgewright.code.syntax.program import name_of, parse, parse_undo, unparse
from forgewright.code.transaction import Entry, Transaction
from forgewright.code.validity import mistake
from forgewright.core.errors import Conflict, EditRefused, ForgewrightError
from forgewright.core.ids import Digest, digest
from forgewright.core.limits import SOURCE_BYTES_MAX


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one operation has to say."""

    op: str
    text: str = ""
    data: Any = None
    uncertain: tuple[Occurrence, ...] = ()
    notes: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """A program's effect, computed and checked; nothing on disk has changed."""

    program: str
    """Canonical text."""
    changes: tuple[FileChange, ...]
    results: tuple[Result, ...]
    moves: tuple[tuple[str, str], ...] = ()
    """Files that were moved, as (from, to)."""

    @property
    def before(self) -> Mapping[str, Digest | None]:
        return {c.path: digest(c.before) if c.before is not None else None for c in self.changes}

    @property
    def after(self) -> Mapping[str, Digest | None]:
        return {c.path: digest(c.after) if c.after is not None else None for c in self.changes}

    def diff(self) -> str:
        """Unified diff of all changes."""
        from forgewright.code.diff import unified

        return "".join(unified(change) for change in self.changes)

    def text(self) -> str:
        """The results for a reader or a model, in order."""
        parts = []
        for number, result in enumerate(self.results, 1):
            body = [result.text] if result.text else []
            body.extend(f"note: {note}" for note in result.notes)
            label = f"{number} {result.op}: " if len(self.results) > 1 else ""
            if body:
                parts.append(label + "\n".join(body))
        if self.changes:
            parts.append(summary(self.changes))
        return "\n".join(parts)


class Committed(msgspec.Struct, frozen=True):
    """A plan that was carried out."""

    diff: str
    before: Mapping[str, Digest | None]
    after: Mapping[str, Digest | None]
    undo: str
    """A program that gives back the exact bytes: for `CodeEngine.undo`, and for `plan` if it is short."""


class CodeEngine:
    """Plans and commits programs on the files below `root`."""

    def __init__(
        self,
        root: Path,
        *,
        allow: Collection[str] | None = None,
        servers: bool = False,
        processes: int | None = None,
    ) -> None:
        """`allow`: the operations that programs may use; None: all. Raises `NotFound` without the folder.

        `servers`: renames ask a language server for a second opinion. It runs on this host, outside of any
        sandbox, and reads the project: for a person's own code.

        `processes`: how many may work on a program that concerns many files, this one among them; None: as many as
        there are processors, at most four. A process with several threads works alone, whatever is said here.
        """
        self.project = DiskProject(root)
        self.root = self.project.root
        self.allow = None if allow is None else frozenset(allow)
        self._servers = self.root if servers else None
        self._processes = processes
        self._transaction = Transaction(self.root)

    def plan(self, program: str, *, after: Plan | None = None) -> Plan:
        """The effect of a program, s-expressions or JSON.

        `after` is a plan that was not committed: this one goes on from it, and holds the changes of both.
        Raises `ProgramError` (all mistakes, positions, candidates), `EditRefused`, `NotFound`, `UnsafePath`.
        """
        if self._transaction.pending:
            self._transaction.recover()
        self.project.refresh()
        return self._planned(parse(program, allow=self.allow), after)

    def undo(self, program: str) -> Plan:
        """The effect of an undo program as `commit` gives it, however long it is. Raises what `plan` raises."""
        if self._transaction.pending:
            self._transaction.recover()
        self.project.refresh()
        return self._planned(parse_undo(program), None)

    def _planned(self, operations: tuple[Operation, ...], after: Plan | None) -> Plan:
        stage = Stage(self.project, self._servers)
        for change in after.changes if after is not None else ():
            if self._bytes(change.path) != change.before:
                raise Conflict(
                    f"{change.path} was changed since it was read", hint="plan both programs again"
                )
            stage.overlay.put(change.path, change.after)
        stage.moves.extend(after.moves if after is not None else ())
        check = any(operation.checked for operation in operations)
        with processes(self._processes):
            with limited():
                results = self._run(operations, stage)
                if any(o.writes and o.binds and o.checked for o in operations):
                    results = [*results, *self._bound(operations, stage)]
            changes = self._changes(stage, check)
        return Plan(unparse(operations), changes, tuple(results), tuple(stage.moves))

    def commit(self, plan: Plan) -> Committed:
        """Write a plan to disk, all files or none. Raises `Conflict` if a file changed since it was read."""
        from forgewright.code.undo import undo_program

        sources = {new: old for old, new in plan.moves}
        entries = [
            Entry(
                c.path,
                c.before,
                c.after,
                self._transaction.mode_of(sources[c.path]) if c.path in sources else None,
            )
            for c in plan.changes
        ]
        if entries:
            self._transaction.commit(entries)
        return Committed(plan.diff(), plan.before, plan.after, undo_program(plan.changes))

    def recover(self) -> None:
        """Finish or roll back a transaction that a killed process left behind."""
        self._transaction.recover()

    def schema(self) -> dict[str, Any]:
        """Strict JSON Schema of a tool call's argument: `{"operations": [{"op": …}, …]}`."""
        from forgewright.code.schema import tool_schema

        return tool_schema(self.allow)

    def prompt(self) -> str:
        """The section of a system prompt that teaches the allowed operations."""
        from forgewright.code.prompt import prompt

        return prompt(self.allow)

    def _run(self, operations: tuple[Operation, ...], stage: Stage) -> list[Result]:
        results: list[Result] = []
        problems: list[Problem] = []
        refused: ForgewrightError | None = None
        for number, operation in enumerate(operations, 1):
            name = name_of(type(operation))
            label = f"{number} {name}" if len(operations) > 1 else name
            try:
                outcome = stage.apply(operation.plan(stage))
            except InvalidProgram as error:
                problems.extend(
                    msgspec.structs.replace(p, operation=p.operation or label) for p in error.problems
                )
                continue
            except (ForgewrightError, RecursionError) as error:
                refused = refused or _named(error, label)
                continue
            notes = (*outcome.notes, *stage.notes)
            stage.notes.clear()
            results.append(Result(name, outcome.text, outcome.data, outcome.uncertain, notes))
        if problems:
            raise InvalidProgram(problems)
        if refused is not None:
            raise refused
        return results

    def _bound(self, operations: tuple[Operation, ...], stage: Stage) -> list[Result]:
        """Raises `EditRefused` where names would lose their meaning; says so where that is not known."""
        from forgewright.code.integrity import allowances, check

        check(self.project, stage, allowances(operations))
        notes = tuple(stage.notes)
        stage.notes.clear()
        return [Result("check", notes=notes)] if notes else []

    def _changes(self, stage: Stage, check: bool) -> tuple[FileChange, ...]:
        changes: list[FileChange] = []
        mistakes: list[str] = []
        checked: list[tuple[SourceFile | None, SourceFile]] = []
        moved = {new: old for old, new in stage.moves}
        for path, source in sorted(stage.overlay.changed().items()):
            before = self._before(path)
            if (before.data if before else None) == (source.data if source else None):
                continue
            if source is not None and (before is None or before.data != source.data):
                mistakes.extend(_unfit(source))
            if source is not None and check and path not in stage.sound:
                checked.append((before or self._before(moved.get(path, path)), source))
            changes.append(FileChange(path, before.data if before else None, source.data if source else None))
        wrong = shared(checked, lambda pair: mistake(*pair), str, [len(after.data) for _, after in checked])
        mistakes.extend(filter(None, wrong))
        if mistakes:
            raise EditRefused(
                "the result would not parse:\n" + "\n".join("  " + m for m in mistakes[:10]),
                hint="nothing was changed; correct the code in the program",
            )
        return tuple(changes)

    def _bytes(self, path: str) -> bytes | None:
        before = self._before(path)
        return before.data if before is not None else None

    def _before(self, path: str) -> SourceFile | None:
        return self.project.source(path) if self.project.exists(path) else None


def _unfit(source: SourceFile) -> list[str]:
    """What would make of a file one that is left alone from then on, also by the undo."""
    if b"\0" in source.data:
        return [f"{source.path}: a NUL byte, as in a binary file"]
    if len(source.data) > SOURCE_BYTES_MAX:
        return [f"{source.path}: larger than {SOURCE_BYTES_MAX >> 20} MiB"]
    return []


def _named(error: ForgewrightError | RecursionError, label: str) -> ForgewrightError:
    if isinstance(error, RecursionError):
        return EditRefused(f"({label}) the code is nested too deeply")
    if not error.message.startswith("("):
        error.message = f"({label}) {error.message}"
        error.args = (error.message,)
    return error


def summary(changes: tuple[FileChange, ...]) -> str:
    """`3 files: a.py, b.py created, c.py deleted`."""
    words = []
    for change in changes:
        state = " created" if change.before is None else " deleted" if change.after is None else ""
        words.append(change.path + state)
    shown = ", ".join(words[:20]) + (f" and {len(words) - 20} more" if len(words) > 20 else "")
    return f"{len(words)} file{'s' if len(words) != 1 else ''} changed: {shown}"


__all__ = ["CodeEngine", "Committed", "Plan", "Result", "summary"]
