"""Plans, commits, conflicts, nesting, undo: what the engine promises to its callers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.code.operations.restore import Piece, Restore
from forgewright.code.project import FileChange
from forgewright.code.syntax.program import parse_undo
from forgewright.code.undo import undo_program
from forgewright.core.errors import Conflict, EditRefused, ProgramError
from forgewright.core.ids import digest


@pytest.fixture
def engine(tmp_path: Path) -> CodeEngine:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    return CodeEngine(tmp_path)


def test_a_plan_changes_nothing_and_knows_all(engine: CodeEngine) -> None:
    plan = engine.plan("(replace-node target: 'number' code: '2') ; why not")
    assert (engine.root / "a.py").read_text() == "x = 1\n"
    assert plan.before == {"a.py": digest(b"x = 1\n")}
    assert plan.after == {"a.py": digest(b"x = 2\n")}
    assert plan.program == "(replace-node target: 'number' code: '2')\n"
    assert plan.diff() == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    assert [result.op for result in plan.results] == ["replace-node"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(engine: CodeEngine) -> None:
    plan = engine.plan("(replace-node target: 'number' code: '2') (create-file path: 'b.py')")
    (engine.root / "a.py").write_text("x = 3\n")
    with pytest.raises(Conflict, match=r"a\.py was changed since it was read"):
        engine.commit(plan)
    assert (engine.root / "a.py").read_text() == "x = 3\n"
    assert not (engine.root / "b.py").exists()


def test_later_operations_see_the_earlier_ones(engine: CodeEngine) -> None:
    program = """
    (create-file path: 'b.py' content: 'def f():\\n    return 1')
    (replace-body target: 'function#f' code: 'return 2')
    (move-file path: 'b.py' to: 'pkg/c.py')
    (read target: 'pkg/c.py')
    """
    plan = engine.plan(program)
    assert "2     return 2" in plan.text()
    committed = engine.commit(plan)
    assert (engine.root / "pkg" / "c.py").read_text() == "def f():\n    return 2\n"
    assert not (engine.root / "b.py").exists()
    engine.commit(engine.plan(committed.undo))
    assert not (engine.root / "pkg").exists()


def test_one_plan_after_another(engine: CodeEngine) -> None:
    first = engine.plan("(replace-node target: 'number' code: '2')")
    second = engine.plan("(insert-last target: 'a.py::module' code: 'y = x')", after=first)
    assert (engine.root / "a.py").read_text() == "x = 1\n"
    engine.commit(second)
    assert (engine.root / "a.py").read_text() == "x = 2\ny = x\n"
    with pytest.raises(Conflict):
        engine.plan("(outline)", after=first)


def test_undo_is_refused_after_another_change(engine: CodeEngine) -> None:
    undo = engine.commit(engine.plan("(replace-node target: 'number' code: '2')")).undo
    (engine.root / "a.py").write_text("x = 4\n")
    with pytest.raises(EditRefused, match="is not as the undo program left it"):
        engine.plan(undo)


def test_a_moved_file_keeps_its_permissions(engine: CodeEngine) -> None:
    engine.commit(engine.plan("(move-file path: 'run.sh' to: 'bin/run.sh')"))
    assert (engine.root / "bin" / "run.sh").stat().st_mode & 0o777 == 0o755


def test_only_allowed_operations(engine: CodeEngine) -> None:
    reader = CodeEngine(engine.root, allow={"read", "find"})
    assert "x = 1" in reader.plan("(read target: 'a.py')").text()
    with pytest.raises(ProgramError, match="'delete-file' is not allowed here"):
        reader.plan("(delete-file path: 'a.py')")
    assert [
        o["properties"]["op"]["enum"] for o in reader.schema()["properties"]["operations"]["items"]["anyOf"]
    ] == [
        ["find"],
        ["read"],
    ]
    assert "(delete-file" not in reader.prompt()


def test_all_mistakes_at_once(engine: CodeEngine) -> None:
    with pytest.raises(ProgramError) as caught:
        engine.plan("(replace-node target: 'function#a')\n(fnd)\n(find pattern: 'x' limit: 'y' lmit: 3)")
    message = str(caught.value)
    assert "1:1: (1 replace-node) 'code' is missing" in message
    assert "2:1: (2) 'fnd' is no operation" in message
    assert "3:20: (3 find) limit: expected `int`, got `str`" in message
    assert "3:31: (3 find) there is no argument 'lmit'" in message
    assert "did you mean 'limit'?" in message


def test_all_selectors_that_name_nothing_at_once(engine: CodeEngine) -> None:
    with pytest.raises(ProgramError) as caught:
        engine.plan("(read target: 'function#a') (delete-node target: 'class#B')")
    assert "(1 read) 'function#a' names nothing" in str(caught.value)
    assert "(2 delete-node) 'class#B' names nothing" in str(caught.value)


def test_null_means_not_given_and_mappings_may_be_pairs(engine: CodeEngine) -> None:
    program = '{"operations": [{"op": "find", "selector": null, "pattern": "x = $V", "in": null, "inside": null, "limit": null}]}'
    assert "1 match" in engine.plan(program).text()


@pytest.mark.skipif(sys.version_info < (3, 13), reason="type parameter defaults need Python 3.13")
def test_code_that_python_takes_and_the_grammar_does_not(engine: CodeEngine) -> None:
    odd = "type A[T = int] = list[T]\n"
    (engine.root / "new.py").write_text(odd)
    engine.commit(engine.plan("(insert-last target: 'new.py::module' code: 'y = 1')"))
    assert (engine.root / "new.py").read_text() == odd + "y = 1\n"


def test_what_was_long_is_given_back(engine: CodeEngine) -> None:
    """More characters than a program may have."""
    (engine.root / "long.py").write_text("gone = 1  # and more\n" * 60_000)
    before = {path.name: path.read_bytes() for path in engine.root.glob("*.py")}
    committed = engine.commit(
        engine.plan("(delete-file path: 'long.py') (replace-node target: 'number' in: 'a.py' code: '2')")
    )
    with pytest.raises(ProgramError, match="expected a program of at most"):
        engine.plan(committed.undo)
    engine.commit(engine.undo(committed.undo))
    assert {path.name: path.read_bytes() for path in engine.root.glob("*.py")} == before


def test_what_stood_in_many_files_is_given_back() -> None:
    """More operations than a program may have."""
    changes = [
        FileChange(f"m{number}.py", b"old\n" * 9, b"old\nnew\n" + b"old\n" * 7) for number in range(1200)
    ]
    operations = parse_undo(undo_program(changes))
    assert len(operations) == 1200
    assert isinstance(operations[7], Restore)
    assert operations[7].pieces == (Piece(start=4, end=7, text="old"),)


def test_an_undo_program_only_restores(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    with pytest.raises(ProgramError, match="delete-file"):
        CodeEngine(tmp_path).undo("(delete-file path: 'a.py')")


@pytest.mark.parametrize(
    ("path", "text", "refused"),
    [
        ("a.py", "for y in z:\n    for x in y:\n        if x:\n            break\n        a()\n", True),
        ("a.py", "for y in z:\n    for x in y:\n        for b in x:\n            break\n", False),
        ("a.ts", "for (const y of z) {\n  for (const x of y) {\n    if (x) continue;\n  }\n}\n", True),
        (
            "a.ts",
            "for (const y of z) {\n  for (const x of y) {\n    x(() => { return 1; });\n  }\n}\n",
            False,
        ),
    ],
)
def test_a_loop_that_its_body_leaves_stays(tmp_path: Path, path: str, text: str, refused: bool) -> None:
    (tmp_path / path).write_text(text)
    engine = CodeEngine(tmp_path)
    if refused:
        with pytest.raises(EditRefused, match=r"leaves the for"):
            engine.plan(f"(unwrap target: '{path}:2')")
    else:
        assert engine.plan(f"(unwrap target: '{path}:2') (allow what: [lost])").changes
