"""Every example of every operation runs: what the reference page shows is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.code.operations import registry
from forgewright.code.operations.base import Example
from forgewright.core.errors import ForgewrightError

EXAMPLES = [
    pytest.param(example, id=f"{name}-{number}")
    for name in registry.names()
    for number, example in enumerate(registry.load(name).examples, 1)
]


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".forgewright" not in path.parts
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example: Example, tmp_path: Path) -> None:
    for path, text in example.before.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    before = contents(tmp_path)
    engine = CodeEngine(tmp_path)
    if example.refused:
        with pytest.raises(ForgewrightError) as caught:
            engine.plan(example.program)
        assert example.refused in str(caught.value)
        assert contents(tmp_path) == before
        return
    plan = engine.plan(example.program)
    assert contents(tmp_path) == before
    if example.result:
        assert example.result in plan.text()
    committed = engine.commit(plan)
    wanted = dict(before)
    for path, text in example.after.items():
        if text is None:
            wanted.pop(path, None)
        else:
            wanted[path] = text.encode()
    assert {k: v.decode() for k, v in contents(tmp_path).items()} == {
        k: v.decode() for k, v in wanted.items()
    }
    if plan.changes:
        engine.commit(engine.plan(committed.undo))
    assert contents(tmp_path) == before


def test_every_operation_has_an_example() -> None:
    bare = [name for name in registry.names() if not registry.load(name).examples]
    assert bare == []


def test_names_are_tags() -> None:
    for name in registry.names():
        assert registry.load(name).__struct_config__.tag == name
