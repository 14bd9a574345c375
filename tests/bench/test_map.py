"""The set of changes that bench/map asks about is what its page says it is."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PATH = Path(__file__).parents[2] / "bench" / "map" / "run.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_map", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_map"] = module
    spec.loader.exec_module(module)
    return module


NOTES = {
    "4.2": "* A feature release is none.\n",
    "4.2.1": "Bugfixes\n========\n\n* Fixed one thing (:ticket:`1`).\n\n* Fixed another.\n",
    "4.2.2": "Bugfixes\n========\n\n* Fixed a crash of :meth:`.QuerySet.alias` in\n  ``wrap()`` (:ticket:`35012`).\n",
    "4.2.3": "CVE-2024-1: Denial of service in ``wrap()``\n===========================================\n\nLong words.\n",
    "5.0.3": "CVE-2024-1: Denial of service in ``wrap()``\n===========================================\n\nLong words.\n",
}


def test_releases_with_a_single_entry_each_entry_once(bench: ModuleType, tmp_path: Path) -> None:
    for version, text in NOTES.items():
        (tmp_path / f"{version}.txt").write_text(text)
    found = [(c.version, c.before, c.goal) for c in bench.changes(tmp_path)]
    assert found == [
        ("4.2.2", "4.2.1", "Fixed a crash of `QuerySet.alias` in ``wrap()`` ()."),
        ("5.0.3", "5.0.2", "CVE-2024-1: Denial of service in ``wrap()``. Long words."),
    ]


def test_what_a_release_touched(bench: ModuleType, tmp_path: Path) -> None:
    for version, number in (("1", 1), ("2", 2)):
        for path in ("django/a.py", "django/__init__.py", "tests/b.py", "django/conf/locale/de/formats.py"):
            file = tmp_path / version / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"x = {number}\ny = 0\n")
    (tmp_path / "2" / "django" / "new.py").write_text("")
    assert bench.touched(tmp_path / "1", tmp_path / "2") == {"django/a.py": 2}
