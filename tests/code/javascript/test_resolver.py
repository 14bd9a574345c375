"""What the resolver says about symbols: where they are defined, where they occur, what is visible."""

from __future__ import annotations

import pytest
from tests.code.renames import marked, opened

from forgewright.code.binding import Symbol
from forgewright.code.languages import language_of, make_resolver
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import EditRefused


def test_symbol_at_follows_imports_to_the_definition() -> None:
    files = {
        "a.ts": "export const value = 1;\n",
        "b.ts": "export { value as v } from './a';\n",
        "c.ts": "import { v } from './b';\n<|>v;\n",
    }
    resolver, path, offset, _ = opened(files)
    assert resolver.symbol_at(path, offset) == Symbol("value", "variable", "a.ts", 13, 18)


def test_keywords_mean_what_they_declare() -> None:
    resolver, path, offset, _ = opened({"a.ts": "export async <|>function load() {}\n"})
    symbol = resolver.symbol_at(path, offset)
    assert symbol is not None
    assert (symbol.name, symbol.kind) == ("load", "function")


def test_nothing_is_meant_in_comments_and_blanks() -> None:
    resolver, path, offset, _ = opened({"a.ts": "// a <|>comment\nlet a;\n"})
    assert resolver.symbol_at(path, offset) is None


def test_definitions_in_order_with_their_containers() -> None:
    text = (
        "class A { x = 1; m(p) { const q = p; } }\nfunction f() { function g() {} }\nimport b from './b';\n"
    )
    resolver = make_resolver("javascript", MemoryProject({"a.js": text}))
    assert [(s.name, s.kind, s.container) for s in resolver.definitions("a.js")] == [
        ("A", "class", ""),
        ("x", "property", "A"),
        ("m", "method", "A"),
        ("p", "parameter", "A.m"),
        ("q", "variable", "A.m"),
        ("f", "function", ""),
        ("g", "function", "f"),
    ]


def test_occurrences_across_files_with_uncertain_ones_marked() -> None:
    files = {
        "a.ts": "export class A { <|>go() { this.go(); } }\n",
        "b.ts": "import { A } from './a';\nnew A().go();\nfunction f(x: any) { x.go(); }\n",
    }
    assert marked(files) == {
        "a.ts": "export class A { ⟨go⟩() { this.⟨go⟩(); } }\n",
        "b.ts": "import { A } from './a';\nnew A().⟨go⟩();\nfunction f(x: any) { x.⟨?go⟩(); }\n",
    }


def test_roles() -> None:
    files = {"a.js": "let <|>x = 1;\nx = 2;\nx++;\nf(x);\nexport { x };\n"}
    resolver, path, offset, _ = opened(files)
    symbol = resolver.symbol_at(path, offset)
    assert symbol is not None
    roles = [occurrence.role for occurrence in resolver.occurrences(symbol)]
    assert roles == ["definition", "write", "write", "reference", "export"]


def test_names_at_are_those_visible_there() -> None:
    text = (
        "import { a as b } from './x';\nconst top = 1;\n"
        "function f(p) { let inner; { let deep; /*here*/ } }\nlet late;\n"
    )
    resolver = make_resolver("javascript", MemoryProject({"a.js": text}))
    names = resolver.names_at("a.js", text.index("/*here*/"))
    assert {"b", "top", "f", "p", "inner", "deep", "late"} <= set(names)
    assert set(resolver.names_at("a.js", 0)) == {"b", "top", "f", "late"}


def test_damaged_files_are_answered_as_far_as_they_go() -> None:
    files = {"a.ts": "const <|>ok = 1;\nclass { ((\nok;\nfunction (\n"}
    assert "⟨ok⟩ = 1" in marked(files)["a.ts"]


def test_recursive_types_end() -> None:
    files = {
        "a.ts": "type T = T[];\ninterface A extends B { <|>x: A }\ninterface B extends A { y: B }\n"
        "declare const a: A;\na.x.x.y;\nfunction f() { return g(); }\nfunction g() { return f(); }\nf().x;\n"
    }
    assert "a.⟨x⟩.⟨x⟩.y" in marked(files)["a.ts"]


@pytest.mark.parametrize("suffix", ["js", "ts", "go", "rs"])
@pytest.mark.parametrize(
    "text", ["a" + ".b" * 5000, "(" * 3000 + "1" + ")" * 3000, "{a:" * 1000, "f" + "(g)" * 3000, "<|" * 500]
)
def test_deep_nesting_is_answered_or_refused(suffix: str, text: str) -> None:
    path = f"a.{suffix}"
    resolver = make_resolver(language_of(path), MemoryProject({path: text}))
    for offset in (0, len(text) // 2, len(text) - 1):
        try:
            symbol = resolver.symbol_at(path, offset)
            if symbol is not None:
                resolver.occurrences(symbol)
        except EditRefused as refused:
            assert refused.hint is not None


def test_names_of_other_files_are_refused_with_the_languages_that_are_resolved() -> None:
    with pytest.raises(EditRefused, match="text") as caught:
        make_resolver("text", MemoryProject({}))
    assert "java" in str(caught.value)
