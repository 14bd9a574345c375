"""The map of a repository: what matters most for a focus, within a budget of tokens."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code.operations.base import Example, Operation, Outcome, Scene
from forgewright.code.operations.fields import Glob
from forgewright.code.query.goal import Goal
from forgewright.code.query.index import Definition, index, source_paths
from forgewright.code.query.outline import Entry, short
from forgewright.code.query.ranking import ranked
from forgewright.code.query.relevance import for_goal
from forgewright.code.syntax.diagnostics import SelectorError

CHARS_PER_TOKEN = 4


class RepoMap(Operation, frozen=True, kw_only=True):
    """The most important definitions of a project, by who uses them, as far as a budget of tokens goes."""

    focus: Annotated[
        tuple[str, ...], Meta(description="Paths, folders or names of symbols that the map is wanted for.")
    ] = ()
    goal: Annotated[
        str,
        Meta(
            description="What is to be done, in words (an issue, a changelog's entry): its files come first."
        ),
    ] = ""
    tokens: Annotated[
        int, Meta(ge=50, le=100_000, description="Size of the map, in tokens of about 4 characters.")
    ] = 1500
    in_: Glob = msgspec.field(default="", name="in")

    group: ClassVar[str] = "query"
    writes: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(repo-map focus: [main.py] tokens: 60)",
            before={
                "store.py": "class Store:\n    def save(self, row): ...\n\n\nclass Other: ...\n",
                "main.py": "from store import Store\n\n\ndef main():\n    Store().save(1)\n",
            },
            result="store.py\n  1 class Store\n    2 method save(self, row)",
        ),
        Example(
            program="(repo-map goal: 'Let Cache.get take a default' tokens: 60)",
            before={
                "cache.py": "class Cache:\n    def get(self, key): ...\n",
                "main.py": "from cache import Cache\n\n\ndef main():\n    Cache().get(1)\n",
            },
            result="cache.py\n  1 class Cache\n    2 method get(self, key)\nmain.py\n  4 function main()",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        tags = index(scene.project, source_paths(scene.project, self.in_ or None))
        if not tags:
            raise SelectorError(f"no source files match {self.in_!r}", hint="look first: (outline)")
        budget = self.tokens * CHARS_PER_TOKEN
        chosen: dict[str, dict[int, Definition]] = {}
        by_name: dict[str, dict[str, Definition]] = {}
        spent = 0
        goal = Goal(self.goal)
        rows = for_goal(tags, goal, self.focus, budget) if goal else ranked(tags, self.focus)
        for _, path, definition in rows:
            wanted = [definition]
            if path not in by_name:
                by_name[path] = {d.name: d for d in tags[path].definitions}
            container = by_name[path].get(definition.name.rpartition(".")[0])
            if container is not None:
                wanted.insert(0, container)
            cost = 0 if path in chosen else len(path) + 1
            new = [d for d in wanted if d.line not in chosen.get(path, {})]
            cost += sum(len(_line(path, d)) + 1 for d in new)
            if spent + cost > budget:
                break
            spent += cost
            chosen.setdefault(path, {}).update({d.line: d for d in new})
        lines: list[str] = []
        for path, found in chosen.items():
            lines.append(path)
            lines.extend(_line(path, found[line]) for line in sorted(found))
        total = sum(len(tag.definitions) for tag in tags.values())
        shown = sum(map(len, chosen.values()))
        notes = (f"{shown} of {total} definitions in {len(tags)} files",) if shown < total else ()
        return Outcome(text="\n".join(lines), data={"files": list(chosen), "definitions": shown}, notes=notes)


def _line(path: str, definition: Definition) -> str:
    entry = Entry(
        path, definition.kind, definition.name, definition.line, 0, definition.depth, definition.signature
    )
    return f"{'  ' * definition.depth}{definition.line} {short(entry)}"
