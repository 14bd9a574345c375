"""Whether two texts are the same program, whatever their layout."""

from __future__ import annotations

import ast

from forgewright.code.languages import parse


def trees(one: str, other: str, language: str) -> bool:
    """The same syntax tree: for Python of `ast` where it parses, else of tree-sitter without layout."""
    if language == "python":
        try:
            return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other)) and _comments(one) == _comments(
                other
            )
        except (SyntaxError, ValueError):
            pass
    if language == "text":
        return one.split() == other.split()
    return _leaves(one, language) == _leaves(other, language)


def _comments(text: str) -> list[str]:
    found: list[str] = []
    todo = [parse("python", text.encode()).root_node]
    while todo:
        node = todo.pop()
        if node.type == "comment" and node.text is not None:
            found.append(node.text.decode())
        todo.extend(node.children)
    return sorted(found)


def _leaves(text: str, language: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    todo = [parse(language, text.encode()).root_node]
    while todo:
        node = todo.pop()
        if not node.children:
            found.append((node.type, (node.text or b"").strip()))
        todo.extend(reversed(node.children))
    return [leaf for leaf in found if leaf[1]]
