"""Naming an elided lifetime: `&'_ str` becomes `&'a str`, with `'a` declared by the function."""

from __future__ import annotations

from forgewright.code.binding import Renaming
from forgewright.code.project import Splice
from forgewright.code.rust.hazards import refuse
from forgewright.code.scopes.tree import Node


def name_elided(node: Node, new_name: str) -> Renaming:
    """`node` is the `_` of `'_`. Raises `EditRefused` outside of a function's parameters."""
    word = new_name.removeprefix("'")
    function = next((a for a in node.above() if a.type in ("function_item", "function_signature_item")), None)
    listed = function.get("parameters") if function is not None else None
    if function is None or listed is None or not node.within(listed):
        raise refuse("an elided lifetime can be named in a function's parameters only", "declare it by hand")
    if not word.isidentifier() or word in ("_", "static"):
        raise refuse(f"Invalid name `{new_name}`: not a lifetime identifier")
    generics = function.get("type_parameters")
    if generics is not None:
        if any(item.text == f"'{word}" for item in generics.items):
            raise refuse(f"the lifetime '{word} is already declared by the function")
        declared = Splice(node.path, generics.start + 1, generics.start + 1, f"'{word}, ".encode())
    else:
        declared = Splice(node.path, listed.start, listed.start, f"<'{word}>".encode())
    return Renaming((declared, Splice(node.path, node.start, node.end, word.encode())))
