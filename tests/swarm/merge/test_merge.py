"""A merge loses nothing, does not depend on which side is which, and agrees with git where that is clear."""

from __future__ import annotations

import subprocess
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgewright.swarm.merge import Clash, Entry, merge_files, merge_text
from forgewright.swarm.merge.lines import hunks
from forgewright.swarm.merge.structure import resolve
from forgewright.swarm.merge.text import split

LINES = st.sampled_from([b"a\n", b"b\n", b"c\n", b"{\n", b"}\n", b"\n"])
TEXTS = st.builds(
    lambda lines, end: b"".join(lines) + end,
    st.lists(LINES, max_size=14),
    st.sampled_from([b"", b"z"]),
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A text whose lines all differ, and two edits of it: what was changed is plain to see."""
    base = [b"line %d\n" % n for n in range(draw(st.integers(0, 20)))]

    def edit(name: str) -> bytes:
        out: list[bytes] = []
        for number, line in enumerate(base):
            what = draw(st.sampled_from(["keep"] * 6 + ["drop", "change", "insert"]))
            if what == "insert":
                out.append(b"%s new %d\n" % (name.encode(), number))
            if what in ("keep", "insert"):
                out.append(line)
            elif what == "change":
                out.append(b"%s changed %d\n" % (draw(st.sampled_from([name, "both"])).encode(), number))
        return b"".join(out)

    return b"".join(base), edit("a"), edit("b")


@given(TEXTS, TEXTS)
def test_the_edit_script_makes_one_text_from_the_other(base: bytes, other: bytes) -> None:
    lines, wanted = split(base), split(other)
    out: list[bytes] = []
    at = 0
    for b0, b1, o0, o1 in hunks(lines, wanted):
        assert b0 >= at
        assert (b0, o0) != (b1, o1), "a hunk changes something"
        out += lines[at:b0] + wanted[o0:o1]
        at = b1
    assert out + lines[at:] == wanted


@given(TEXTS, TEXTS)
def test_what_one_side_alone_changed_is_taken(base: bytes, one: bytes) -> None:
    for merged in (merge_text(base, one, base), merge_text(base, base, one), merge_text(base, one, one)):
        assert (merged.text, merged.conflicts) == (one, ())


@given(TEXTS, TEXTS, TEXTS)
def test_sides_may_be_exchanged(base: bytes, ours: bytes, theirs: bytes) -> None:
    one, other = merge_text(base, ours, theirs), merge_text(base, theirs, ours)
    assert [(c.base, c.ours, c.theirs) for c in one.conflicts] == [
        (c.base, c.theirs, c.ours) for c in other.conflicts
    ]
    if not one.conflicts:
        assert one.text == other.text


@given(TEXTS, TEXTS, TEXTS)
def test_no_line_is_lost(base: bytes, ours: bytes, theirs: bytes) -> None:
    """Each line that a side added, and each that no side removed, is in the text or in a conflict."""
    merged = merge_text(base, ours, theirs)
    there = Counter(split(merged.text))
    for place in merged.conflicts:
        there += Counter(split(place.theirs))
        for line in split(place.base):
            there[line] += 1
    before, mine, other = Counter(split(base)), Counter(split(ours)), Counter(split(theirs))
    for line in {*before, *mine, *other}:
        kept = min(before[line], mine[line], other[line])
        added = max(0, mine[line] - before[line], other[line] - before[line])
        assert there[line] >= kept
        assert there[line] >= added


@given(TEXTS, TEXTS, TEXTS)
def test_conflicts_stand_where_they_say_and_markers_hold_both_sides(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    merged = merge_text(base, ours, theirs)
    lines = split(merged.text)
    for place in merged.conflicts:
        mine = split(place.ours)
        assert lines[place.line - 1 : place.line - 1 + len(mine)] == mine
    marked = merged.with_markers()
    assert marked.count(b"<<<<<<< ours\n") == marked.count(b">>>>>>> theirs\n") == len(merged.conflicts)
    if not merged.conflicts:
        assert marked == merged.text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edited())
def test_it_agrees_with_git(
    tmp_path_factory: pytest.TempPathFactory, sides: tuple[bytes, bytes, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    for name, text in zip(("base", "ours", "theirs"), sides, strict=True):
        (folder / name).write_bytes(text)
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=folder, capture_output=True, timeout=30, check=False
    )  # fmt: skip
    merged = merge_text(*sides)
    assert bool(merged.conflicts) == (done.returncode != 0)
    if not merged.conflicts:
        assert merged.text == done.stdout


# ── structure ────────────────────────────────────────────────────────────────────────────────────────


def files(text: str, path: str = "app.py") -> dict[str, Entry]:
    return {path: Entry("100644", text.encode())}


def merged(base: str, ours: str, theirs: str, path: str = "app.py") -> tuple[str, list[Clash]]:
    """The merge both ways round, which has to be the same."""
    tree, clashes = merge_files(files(base, path), files(ours, path), files(theirs, path))
    again, other = merge_files(files(base, path), files(theirs, path), files(ours, path))
    assert len(clashes) == len(other)
    if not clashes:
        assert tree == again
    return tree[path].data.decode(), clashes


def test_both_sides_add_an_import() -> None:
    base = "import os\nimport sys\n\nprint(os, sys)\n"
    text, clashes = merged(base, "import ast\n" + base, "import abc\n" + base)
    assert not clashes
    assert text == "import abc\nimport ast\n" + base
    ours, theirs = (f"from a import b, {x}\n\nb()\n" for x in "cd")
    text, clashes = merged("from a import b\n\nb()\n", ours, theirs)
    assert not clashes
    assert text == "from a import b, c\nfrom a import b, d\n\nb()\n"


@pytest.mark.parametrize(
    ("path", "base", "one", "two", "wanted"),
    [
        (
            "app.py",
            "def a():\n    return 1\n",
            "\n\ndef b():\n    return 2\n",
            "\n\ndef c():\n    return 3\n",
            "def a():\n    return 1\n\n\ndef b():\n    return 2\n\n\ndef c():\n    return 3\n",
        ),
        (
            "app.py",
            "class A:\n    def a(self):\n        return 1\n",
            "\n    def b(self):\n        return 2\n",
            "\n    @property\n    def c(self):\n        return 3\n",
            "class A:\n    def a(self):\n        return 1\n\n    @property\n    def c(self):\n        return 3\n"
            "\n    def b(self):\n        return 2\n",
        ),
        (
            "app.go",
            "package app\n\nfunc A() int { return 1 }\n",
            "\nfunc (t T) B() int { return 2 }\n",
            "\nfunc (u U) B() int { return 3 }\n",
            "package app\n\nfunc A() int { return 1 }\n\nfunc (t T) B() int { return 2 }\n"
            "\nfunc (u U) B() int { return 3 }\n",
        ),
        (
            "app.ts",
            "export function a() { return 1; }\n",
            "\nexport function b() { return 2; }\n",
            "\nexport const c = () => 3;\n",
            "export function a() { return 1; }\n\nexport const c = () => 3;\n\nexport function b() { return 2; }\n",
        ),
        (
            "app.rs",
            "fn a() -> i32 { 1 }\n",
            "\nfn b() -> i32 { 2 }\n",
            "\nfn c() -> i32 { 3 }\n",
            "fn a() -> i32 { 1 }\n\nfn b() -> i32 { 2 }\n\nfn c() -> i32 { 3 }\n",
        ),
    ],
)
def test_both_sides_add_a_definition_at_one_place(
    path: str, base: str, one: str, two: str, wanted: str
) -> None:
    text, clashes = merged(base, base + one, base + two, path)
    assert not clashes, clashes
    assert sorted(text.split("\n")) == sorted(wanted.split("\n"))
    assert text in (wanted, base + two + one)


def test_definitions_of_one_name_are_a_conflict() -> None:
    base = "def a():\n    return 1\n"
    ours, theirs = (f"{base}\n\ndef b():\n    return {n}\n" for n in (2, 3))
    text, clashes = merged(base, ours, theirs)
    assert text == ours
    (clash,) = clashes
    assert (clash.kind, clash.theirs) == ("content", theirs.encode())
    (place,) = clash.places
    assert (place.ours, place.theirs) == (b"    return 2\n", b"    return 3\n")


def test_a_name_defined_on_both_sides_in_different_places_is_a_conflict() -> None:
    base = "def a():\n    return 1\n\n\ndef z():\n    return 26\n"
    _, clashes = merged(base, "def b():\n    return 2\n\n\n" + base, base + "\n\ndef b():\n    return 3\n")
    assert [(c.kind, c.why) for c in clashes] == [("broken", "b is defined twice")]


def test_a_merge_that_does_not_parse_is_a_conflict() -> None:
    base = "x = [\n    1,\n    2,\n    3,\n    4,\n]\n"
    ours = "x = (\n    1,\n    2,\n    3,\n    4,\n)\n"
    theirs = base.replace("4,\n]", "4,\n    5,\n]").replace("    2,\n", "    2,\n    [\n    20],\n")
    _, clashes = merged(base, ours, theirs)
    assert clashes
    base = "if a:\n    b()\nc()\nd()\ne()\n"
    _, clashes = merged(base, "b()\nc()\nd()\ne()\n".replace("b()\n", ""), base.replace("b()", "bb()"))
    assert clashes


@given(edited())
@settings(max_examples=60, deadline=None)
def test_structure_is_asked_only_where_lines_do_not_decide(sides: tuple[bytes, bytes, bytes]) -> None:
    plain = merge_text(*sides)
    shaped = merge_text(*sides, partial(resolve, "notes.txt"))
    assert plain == shaped


# ── files ────────────────────────────────────────────────────────────────────────────────────────────


def test_files_are_added_deleted_and_changed_by_either_side() -> None:
    base = {"keep": Entry("100644", b"k\n"), "gone": Entry("100644", b"g\n"), "run": Entry("100644", b"r\n")}
    ours = {**base, "mine": Entry("100644", b"m\n"), "run": Entry("100755", b"r\n")}
    theirs = {
        "keep": Entry("100644", b"kk\n"),
        "run": Entry("100644", b"rr\n"),
        "yours": Entry("100644", b"y\n"),
    }
    tree, clashes = merge_files(base, ours, theirs)
    assert not clashes
    assert tree == {
        "keep": Entry("100644", b"kk\n"),
        "mine": Entry("100644", b"m\n"),
        "run": Entry("100755", b"rr\n"),
        "yours": Entry("100644", b"y\n"),
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (None, Entry("100644", b"changed\n"), "deleted"),
        (Entry("100644", b"changed\n"), None, "deleted"),
        (Entry("100644", b"a\0b"), Entry("100644", b"a\0c"), "binary"),
        (Entry("120000", b"there"), Entry("120000", b"elsewhere"), "binary"),
        (Entry("100755", b"x\n"), Entry("120000", b"y"), "mode"),
        (Entry("100644", b"one\n"), Entry("100644", b"two\n"), "content"),
    ],
)
def test_what_nobody_can_decide_is_named_and_both_sides_are_kept(
    ours: Entry | None, theirs: Entry | None, kind: str
) -> None:
    def tree(entry: Entry | None) -> dict[str, Entry]:
        return {} if entry is None else {"f": entry}

    base = {"f": Entry("100644", b"base\n")}
    out, (clash,) = merge_files(base, tree(ours), tree(theirs))
    assert (clash.path, clash.kind) == ("f", kind)
    assert out["f"] == (ours or theirs)
    assert clash.theirs == (theirs.data if theirs else None)


@pytest.mark.soak
def test_real_histories_merge_as_git_merges_them(tmp_path: Path) -> None:
    """Each merge commit of this project's own history, merged again: what git could, we can."""
    root = Path(__file__).parents[3]

    def git(*argv: str) -> bytes:
        return subprocess.run(["git", *argv], cwd=root, capture_output=True, timeout=60, check=True).stdout

    commits = git("rev-list", "--merges", "--max-count=40", "HEAD").decode().split()
    compared = 0
    for commit in commits:
        one, two = git("rev-parse", f"{commit}^1", f"{commit}^2").decode().split()
        base = git("merge-base", one, two).decode().strip()
        changed = set(git("diff", "--name-only", base, one).split()) & set(
            git("diff", "--name-only", base, two).split()
        )
        for name in sorted(changed):
            try:
                texts = [git("show", f"{at}:{name.decode()}") for at in (base, one, two)]
            except subprocess.CalledProcessError:
                continue
            for side, text in zip(("base", "ours", "theirs"), texts, strict=True):
                (tmp_path / side).write_bytes(text)
            done = subprocess.run(
                ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, timeout=30, check=False
            )  # fmt: skip
            ours = merge_text(*texts)
            compared += 1
            if done.returncode == 0:
                assert ours.text == done.stdout, (commit, name)
    assert compared or not commits
