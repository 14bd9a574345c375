"""Random renames of real code: the program stays the same but for the name, and the way back is exact."""

from __future__ import annotations

import ast
import email
import json
import logging
import random
from pathlib import Path

import pytest

from forgewright.code.python.refactor.staged import spliced
from forgewright.code.python.resolver import PythonResolver
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import EditRefused

NEW = "a_name_of_its_own"


def package(module: object) -> dict[str, bytes]:
    """A package of the standard library as files."""
    folder = Path(module.__file__ or "").parent  # type: ignore[attr-defined]  # every package has one
    return {f"{folder.name}/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.py"))}


@pytest.mark.parametrize("module", [json, email, logging], ids=lambda m: m.__name__)
def test_only_the_name_changes(module: object) -> None:
    files = package(module)
    project = MemoryProject(files)
    resolver = PythonResolver(project)
    pick = random.Random(7)
    done = 0
    for _ in range(60):
        path = pick.choice(sorted(files))
        sites = [
            (name, binding.sites[0].start)
            for scope in resolver.file(path).scopes
            for name, binding in scope.bindings.items()
            if not name.startswith("__")
        ]
        if not sites:
            continue
        name, start = pick.choice(sites)
        symbol = resolver.symbol_at(path, start)
        if symbol is None or symbol.kind == "module":
            continue
        try:
            found = resolver.rename(symbol, NEW)
        except EditRefused:
            continue
        after = dict(files)
        for changed in {splice.path for splice in found.splices}:
            edits = [splice for splice in found.splices if splice.path == changed]
            after[changed] = spliced(files[changed], edits)
            before = ast.dump(ast.parse(files[changed]))
            assert ast.dump(ast.parse(after[changed])).replace(NEW, name) == before, (path, name)
        shift = sum(
            len(splice.text) - (splice.end - splice.start)
            for splice in found.splices
            if splice.path == symbol.path and splice.start < symbol.start
        )
        back = PythonResolver(MemoryProject(after))
        again = back.symbol_at(symbol.path, symbol.start + shift)
        assert again is not None
        reverted = dict(after)
        for splices in [back.rename(again, name).splices]:
            for changed in {splice.path for splice in splices}:
                reverted[changed] = spliced(after[changed], [s for s in splices if s.path == changed])
        assert reverted == files, (path, name)
        done += 1
    assert done > 20
