"""The map shows what others use most, near its focus, within its budget; its index is read from disk again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.code.query import index as indexing
from forgewright.code.query.index import index, source_paths, tags
from forgewright.code.query.words import words
from forgewright.code.sources import DiskProject, SourceFile


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "core.py").write_text("class Engine:\n    def start(self): ...\n\n\ndef unused(): ...\n")
    for number in range(6):
        text = f"from core import Engine\n\n\ndef user{number}():\n    Engine().start()\n"
        (tmp_path / f"user{number}.py").write_text(text)
    (tmp_path / "island.py").write_text("def alone(): ...\n\n\ndef more():\n    alone()\n")
    return tmp_path


def test_what_many_use_comes_first(root: Path) -> None:
    text = CodeEngine(root).plan("(repo-map tokens: 50)").results[0].text
    assert text.startswith("core.py\n  1 class Engine\n    2 method start(self)")
    assert "island" not in text


def test_the_focus_pulls(root: Path) -> None:
    text = CodeEngine(root).plan("(repo-map focus: [island.py] tokens: 50)").results[0].text
    assert "island.py\n  1 function alone()" in text


def test_the_budget_holds(root: Path) -> None:
    for tokens in (50, 80, 200):
        result = CodeEngine(root).plan(f"(repo-map tokens: {tokens})").results[0]
        assert len(result.text) <= tokens * 4
    assert result.notes == ()


def test_the_index_is_kept_and_brought_up_to_date(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = indexing.tags

    def counted(source: SourceFile, stamp: tuple[int, int, int]) -> indexing.Tags:
        read.append(source.path)
        return real(source, stamp)

    monkeypatch.setattr(indexing, "tags", counted)
    first = index(DiskProject(root), source_paths(DiskProject(root)))
    assert len(read) == 8
    read.clear()
    assert index(DiskProject(root), source_paths(DiskProject(root))) == first
    assert read == []
    (root / "island.py").write_text("def other(): ...\n")
    found = index(DiskProject(root), source_paths(DiskProject(root)))
    assert read == ["island.py"]
    assert [d.name for d in found["island.py"].definitions] == ["other"]


@pytest.mark.parametrize("damage", [b"", b"\x00" * 100, b"not a cache"])
def test_a_damaged_index_is_made_anew(root: Path, damage: bytes) -> None:
    paths = list(source_paths(DiskProject(root)))
    first = index(DiskProject(root), paths)
    (root / indexing.FOLDER / "tags").write_bytes(damage)
    assert index(DiskProject(root), paths) == first


def test_names_in_comments_and_strings_are_no_uses() -> None:
    source = SourceFile("a.py", b"# gone\nx = 'also gone'\nstays(1)\n")
    assert tags(source, (0, 0, 0)).uses == {"stays": 1}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "shop/orders.py": "class Order:\n    def total(self): ...\n\n\ndef find_order(number): ...\n",
        "shop/util/text.py": "def truncate(text, length):\n    '''Shorten what is too long.'''\n",
        "shop/http/headers.py": "def parse_header(line):\n    raise ValueError('malformed cookie')\n",
        "shop/web.py": "from shop.orders import find_order\n\n\ndef show(n):\n    return find_order(n).total()\n",
        "tests/test_text.py": "from shop.util.text import truncate\n\n\ndef test_truncate_shortens():\n    truncate('', 1)\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("goal", "first"),
    [
        ("`find_order` raises KeyError for numbers nobody has", "shop/orders.py"),
        ("Denial of service in shop.util.text", "shop/util/text.py"),
        ("Requests with malformed cookies end with an error 500", "shop/http/headers.py"),
        ("Long titles are not shortened", "shop/util/text.py"),
        ("the test of truncate should also test an empty text", "tests/test_text.py"),
        ("look at shop/web.py", "shop/web.py"),
    ],
)
def test_a_goal_brings_its_files_to_the_front(project: Path, goal: str, first: str) -> None:
    result = CodeEngine(project).plan(f"(repo-map goal: {json.dumps(goal)} tokens: 200)").results[0]
    assert result.data["files"][0] == first


def test_a_goal_about_nothing_here_gives_the_map_without_one(root: Path) -> None:
    text = CodeEngine(root).plan("(repo-map goal: 'xyzzy plugh' tokens: 50)").results[0].text
    assert text.startswith("core.py")


def test_words_of_names_and_prose_are_compared_in_one_form() -> None:
    assert words("HTTPResponses serializeUser_name2 Serialization a") == [
        "http", "respons", "seriali", "user", "name", "seriali",
    ]  # fmt: skip
