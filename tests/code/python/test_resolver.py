# ruff: noqa: E501 - each source stands on one line
"""From places to symbols and back."""

from __future__ import annotations

import pytest

from forgewright.code.binding import RenameOptions, Symbol
from forgewright.code.python.resolver import PythonResolver
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import EditRefused, NotFound
from tests.code.python.places import renamed

FILES = {
    "app/__init__.py": "from .store import Store\n",
    "app/store.py": "import os\n\nLIMIT = 3\n\n\nclass Store:\n    size = 1\n\n    def load(self, path):\n        self.path = path\n        return os.sep\n",
    "main.py": "from app import Store\n\ns = Store()\ns.load('x')\n",
}


def resolver(files: dict[str, str] | None = None) -> PythonResolver:
    return PythonResolver(MemoryProject(files or FILES))


def test_symbol_follows_imports_to_the_definition() -> None:
    found = resolver().symbol_at("main.py", FILES["main.py"].index("Store()"))
    assert found is not None
    assert (found.name, found.kind, found.path) == ("Store", "class", "app/store.py")
    assert FILES["app/store.py"][found.start : found.end] == "Store"


def test_symbol_of_a_member() -> None:
    found = resolver().symbol_at("main.py", FILES["main.py"].index("load"))
    assert found is not None
    assert (found.kind, found.container) == ("method", "Store")


def test_nothing_at_white_space_or_in_strings() -> None:
    text = "x = 'word'\n\n\ny = 1\n"
    one = resolver({"m.py": text})
    assert one.symbol_at("m.py", text.index("word")) is None
    assert one.symbol_at("m.py", text.index("\n\n") + 2) is None


def test_definitions_of_a_file() -> None:
    names = [
        (symbol.name, symbol.kind, symbol.container) for symbol in resolver().definitions("app/store.py")
    ]
    assert names == [
        ("LIMIT", "variable", ""),
        ("Store", "class", ""),
        ("size", "field", "Store"),
        ("load", "method", "Store"),
        ("path", "field", "Store"),
    ]


def test_names_that_are_visible() -> None:
    text = "import os\nA = 1\n\n\ndef f(b):\n    c = 2\n    return b\n\n\nclass K:\n    d = 1\n    def g(self):\n        return A\n"
    one = resolver({"m.py": text})
    assert set(one.names_at("m.py", text.index("return b"))) == {"os", "A", "f", "K", "b", "c"}
    assert set(one.names_at("m.py", text.index("return A"))) == {"os", "A", "f", "K", "self"}


def test_uncertain_places_are_listed_and_left() -> None:
    text = "class A:\n    def load(self): pass\n\n\ndef f(x):\n    x.load()\n    getattr(A(), 'load')\n"
    one = resolver({"m.py": text})
    symbol = one.symbol_at("m.py", text.index("load"))
    assert symbol is not None
    found = one.rename(symbol, "read")
    assert [splice.start for splice in found.splices] == [text.index("load")]
    assert sorted(text[: place.start].count("\n") + 1 for place in found.uncertain) == [6, 7]
    assert all(place.note for place in found.uncertain)
    everything = one.rename(symbol, "read", options=RenameOptions(uncertain=True))
    assert len(everything.splices) == 3


def test_leftover_is_classified() -> None:
    text = "def load(): pass\n\n\ndef g(load):\n    return load  # load\n\n\nprint('load')\n"
    one = resolver({"m.py": text})
    symbol = one.symbol_at("m.py", 4)
    assert symbol is not None
    found = one.rename(symbol, "read")
    assert sorted(place.role for place in found.leftover) == ["comment", "reference", "reference", "string"]


def test_prose_on_request() -> None:
    text = 'def load():\n    """load it"""\n\n\n# load\nprint("load")\n'
    one = resolver({"m.py": text})
    symbol = one.symbol_at("m.py", 4)
    assert symbol is not None
    docs = one.rename(symbol, "read", options=RenameOptions(docs="all"))
    assert len(docs.splices) == 3
    strings = one.rename(symbol, "read", options=RenameOptions(strings="all"))
    assert len(strings.splices) == 2


def test_an_alias_keeps_the_old_name() -> None:
    one = resolver({"m.py": "def load():\n    pass\n"})
    symbol = one.symbol_at("m.py", 4)
    assert symbol is not None
    found = one.rename(symbol, "read", options=RenameOptions(aliases=True))
    assert any(splice.text.strip() == b"load = read" for splice in found.splices)


def test_modules_move_with_their_name() -> None:
    files = {
        "p/__init__.py": "",
        "p/a.py": "x = 1\n",
        "b.py": "import p.a\nfrom p import a\nfrom p.a import x\np.a.x, a.x\n",
    }
    found = resolver(files).rename(Symbol("a", "module", "p/a.py", 0, 0), "z")
    assert found.moves == (("p/a.py", "p/z.py"),)
    assert len([splice for splice in found.splices if splice.path == "b.py"]) == 5


REFUSED = {
    "keyword": ("x = 1\n", "class", "identifier"),
    "no identifier": ("x = 1\n", "1x", "identifier"),
    "same name": ("x = 1\n", "x", "already has that name"),
    "clash": ("x = 1\ny = 2\n", "y", "already bound"),
    "captured by a local": ("x = 1\ndef f(y):\n    return x\n", "y", "would mean"),
    "captures an outer name": ("y = 1\ndef f():\n    x = 1\n    return x, y\n", "y", "would mean"),
    "captures a builtin": ("def f():\n    x = 1\n    return x, len([])\n", "len", "would mean"),
    "clash of members": ("class A:\n    x = 1\n    y = 2\n", "y", "already has a member"),
    "outside the project": ("from os import x\nx\n", "y", "outside the project"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    text, new, message = REFUSED[name]
    one = resolver({"m.py": text})
    symbol = one.symbol_at("m.py", text.index("x"))
    assert symbol is not None
    with pytest.raises(EditRefused, match=message):
        one.rename(symbol, new)


def test_a_symbol_that_is_gone() -> None:
    with pytest.raises(NotFound):
        resolver().occurrences(Symbol("nothing", "function", "main.py", 0, 7))


def test_a_method_without_its_hierarchy() -> None:
    text = "class A:\n    def «|f»(self): pass\nclass B(A):\n    def f(self):\n        super().«f»()\n"
    found, wanted = renamed({"main.py": text}, RenameOptions(hierarchy=False))
    assert found == wanted


def test_a_clash_beyond_the_class_is_none() -> None:
    found, wanted = renamed({"main.py": "class A:\n    «|x» = 1\nclass B:\n    renamed_thing = 2\nA.«x»\n"})
    assert found == wanted
