"""Exact text inside a node or file: for what is no node of its own, and for files that are no code."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code import layout
from forgewright.code.operations.base import Example, Operation, Outcome, Scene
from forgewright.code.operations.fields import Glob, one_file
from forgewright.code.project import Source, Splice
from forgewright.code.selectors import nodes, positions
from forgewright.code.syntax.diagnostics import SelectorError


class ReplaceText(Operation, frozen=True, kw_only=True):
    """Replace exact text inside a node, or anywhere in one file.

    `old` must occur exactly once there (or `every: true`). A block whose indentation differs as a
    whole is found too, and the new text is indented alike.
    """

    old: Annotated[str, Meta(description="The text that stands there.", min_length=1)]
    new: Annotated[str, Meta(description="The text to put in its place.")]
    target: Annotated[str, Meta(description="Selector of the node to look in; default the whole file.")] = ""
    in_: Glob = msgspec.field(default="", name="in")
    every: Annotated[bool, Meta(description="Replace all occurrences.")] = False

    group: ClassVar[str] = "replace"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(replace-text target: 'function#f' old: 'retries' new: 'attempts' every: true)",
            before={"a.py": "retries = 1\n\n\ndef f(retries):\n    return retries  # retries\n"},
            after={"a.py": "retries = 1\n\n\ndef f(attempts):\n    return attempts  # attempts\n"},
        ),
        Example(
            program="(replace-text in: 'README.md' old: 'v1' new: 'v2')",
            before={"README.md": "# Tool v1\n"},
            after={"README.md": "# Tool v2\n"},
        ),
        Example(
            program="(replace-text in: 'a.py' old: 'if x:\\n    go()' new: 'if y:\\n    run()\\n    go()')",
            before={"a.py": "def f():\n    if x:\n        go()\n"},
            after={"a.py": "def f():\n    if y:\n        run()\n        go()\n"},
        ),
        Example(
            program="(replace-text in: 'a.py' old: 'return totl' new: 'return total')",
            before={"a.py": "def f(total):\n    return total\n"},
            refused="a.py:2:     return total",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        if self.target:
            match = scene.one(self.target, within=self.in_ or None)
            node = nodes.whole(match.node)
            source, start, end = match.source, node.start_byte, node.end_byte
        else:
            source = scene.project.source(one_file(scene, self.in_))
            start, end = 0, len(source.data)
        return Outcome(splices=self._splices(source, start, end))

    def _splices(self, source: Source, start: int, end: int) -> tuple[Splice, ...]:
        data = source.data
        line_end = layout.line_end(data)
        old = self.old.replace("\r\n", "\n").replace("\n", line_end.decode()).encode("utf-8", "surrogatepass")
        new = self.new.replace("\r\n", "\n").replace("\n", line_end.decode()).encode("utf-8", "surrogatepass")
        places = _find(data, old, start, end)
        if not places:
            found = _shifted(data, self.old, start, end)
            if len(found) == 1:
                at, stop, indent = found[0]
                return (Splice(source.path, at, stop, layout.fit(self.new, source, indent)),)
            raise SelectorError(
                f"the text to replace does not occur in {source.path}" + (" there" if self.target else ""),
                hint="these lines are nearest to it" if data else "the file is empty",
                candidates=_nearest(source, self.old, start, end),
            )
        if len(places) > 1 and not self.every:
            raise SelectorError(
                f"the text to replace occurs {len(places)} times in {source.path}, expected once",
                hint="make it longer, name the node in `target`, or say every: true",
                candidates=[positions.place(source, at) for at in places],
            )
        return tuple(Splice(source.path, at, at + len(old), new) for at in places)


def _find(data: bytes, old: bytes, start: int, end: int) -> list[int]:
    found = []
    at = data.find(old, start, end)
    while at >= 0:
        found.append(at)
        at = data.find(old, at + len(old), end)
    return found


def _shifted(data: bytes, old: str, start: int, end: int) -> list[tuple[int, int, bytes]]:
    """Where `old` stands with another common indentation: (start, end, indentation), whole lines."""
    wanted = [line.rstrip() for line in old.strip("\n").split("\n")]
    if not wanted or not any(wanted):
        return []
    margin = min(len(line) - len(line.lstrip()) for line in wanted if line)
    wanted = [line[margin:] for line in wanted]
    found = []
    at = layout.line_start(data, start)
    starts = []
    while at < end:
        starts.append(at)
        at = layout.after_line(data, at)
    lines = [data[s : layout.line_stop(data, s)].decode("utf-8", "replace").rstrip() for s in starts]
    for first in range(len(lines) - len(wanted) + 1):
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        if lines[first].lstrip() != wanted[0].lstrip() or wanted[0] != wanted[0].lstrip():
            continue
        if all(lines[first + i] == (indent + row if row else "") for i, row in enumerate(wanted)):
            stop = layout.line_stop(data, starts[first + len(wanted) - 1])
            found.append((starts[first], stop, indent.encode()))
    return found


def _nearest(source: Source, old: str, start: int, end: int) -> list[str]:
    """The lines that look most like the first lines of `old`."""
    wanted = next((line.strip() for line in old.split("\n") if line.strip()), old.strip())
    first = source.data.count(b"\n", 0, start) + 1
    lines = source.data[start:end].decode("utf-8", "replace").split("\n")[:5000]
    scored = []
    for number, line in enumerate(lines, first):
        if line.strip():
            matcher = SequenceMatcher(None, wanted, line.strip()[:300])
            if matcher.real_quick_ratio() > 0.5 and matcher.quick_ratio() > 0.5:
                scored.append((matcher.ratio(), number, line.rstrip()[:160]))
    best = sorted(scored, key=lambda row: -row[0])[:5]
    return [f"{source.path}:{number}: {line}" for _, number, line in sorted(best, key=lambda row: row[1])]
