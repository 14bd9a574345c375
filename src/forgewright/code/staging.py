"""Several steps on one project in memory, and what they come to in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.sources import Overlay

if TYPE_CHECKING:
    from forgewright.code.project import Project


class Staging:
    """A project with the steps so far laid over it."""

    def __init__(self, project: Project) -> None:
        self.base = project
        self.overlay = Overlay(project)
        self.touched: dict[str, None] = {}

    def forget(self) -> None:
        """What was known of the project is not true any more."""

    def apply(self, splices: Iterable[Splice]) -> None:
        by_path: dict[str, list[Splice]] = {}
        for splice in splices:
            by_path.setdefault(splice.path, []).append(splice)
        for path, edits in by_path.items():
            data = spliced(self.overlay.source(path).data, edits)
            if data != self.overlay.source(path).data:
                self.overlay.put(path, data)
                self.touched[path] = None
                self.forget()

    def create(self, files: Mapping[str, bytes]) -> None:
        """New files, which the next steps see."""
        for path, data in files.items():
            self.overlay.put(path, data)
            self.touched[path] = None
            self.forget()

    def delete(self, path: str) -> None:
        """A file that the next steps do not see any more."""
        self.overlay.put(path, None)
        self.touched[path] = None
        self.forget()

    def settle(self, path: str) -> None:
        """Let a file end as it did: with one line break, if that is how it ended."""
        before, now = self.base.source(path).data, self.overlay.source(path).data
        end = b"\r\n" if before.endswith(b"\r\n") else b"\n"
        if before.endswith(end) and not before.endswith(end * 2) and now.strip():
            self.overlay.put(path, now.rstrip() + end)

    def splices(self) -> list[Splice]:
        """The changes of files that are there before and after: one splice for each stretch of changed lines."""
        found: list[Splice] = []
        for path in self.touched:
            if self.base.exists(path) and self.overlay.exists(path):
                found += difference(path, self.base.source(path).data, self.overlay.source(path).data)
        return found

    def created(self) -> dict[str, bytes]:
        """Path → content of the files that were not there."""
        return {
            path: self.overlay.source(path).data
            for path in self.touched
            if self.overlay.exists(path) and not self.base.exists(path)
        }

    def deleted(self) -> tuple[str, ...]:
        """The files that are gone."""
        return tuple(
            path for path in self.touched if self.base.exists(path) and not self.overlay.exists(path)
        )


def spliced(data: bytes, splices: Iterable[Splice]) -> bytes:
    """`data` with all splices done; insertions at one place in their order, one overlapped by another dropped."""
    out: list[bytes] = []
    at = 0
    for splice in sorted(dict.fromkeys(splices), key=lambda s: (s.start, s.end)):
        if splice.start < at:
            continue
        out += [data[at : splice.start], splice.text]
        at = splice.end
    return b"".join([*out, data[at:]])


def difference(path: str, before: bytes, after: bytes) -> list[Splice]:
    """Splices that turn `before` into `after`, by lines."""
    from difflib import SequenceMatcher

    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    offsets = [0]
    for line in old:
        offsets.append(offsets[-1] + len(line))
    found: list[Splice] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found.append(Splice(path, offsets[i1], offsets[i2], b"".join(new[j1:j2])))
    return found
