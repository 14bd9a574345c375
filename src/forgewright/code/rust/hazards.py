"""What a Rust rename would break: invalid names, two items of one name, captured locals."""

from __future__ import annotations

import re

from forgewright.code.rust.items import KEYWORDS, TYPES, VALUES, Item, Module, Scope, plain
from forgewright.code.rust.search import Search
from forgewright.code.scopes.tree import Node
from forgewright.core.errors import EditRefused

_IDENTIFIER = re.compile(r"(r#)?[^\W\d]\w*")
_UNRAW = ("crate", "self", "super", "Self", "_")


def refuse(message: str, hint: str = "choose another name") -> EditRefused:
    return EditRefused(message, hint=hint)


def check_name(item: Item, new: str, hits: int) -> None:
    if item.kind in ("lifetime", "label"):
        word = new.removeprefix("'")
        if _IDENTIFIER.fullmatch(word) is None or word == "_" or word in KEYWORDS - {"static"}:
            raise refuse(f"Invalid name `{new}`: not a lifetime identifier")
        return
    if new == "_" and item.kind in ("local", "parameter"):
        if hits > 1:
            raise refuse("Cannot rename reference to `_` as it is being referenced multiple times")
        return
    valid = _IDENTIFIER.fullmatch(new) is not None
    if not valid or new in KEYWORDS or new == "_" or (new.startswith("r#") and plain(new) in _UNRAW):
        what = "cannot rename module to" if item.kind == "mod" else "not an identifier:"
        raise refuse(f"Invalid name `{new}`: {what} {new}", "use an identifier that is no keyword")


def check(search: Search, items: list[Item], new: str) -> None:
    name = plain(new)
    for item in items:
        if item.kind in ("lifetime", "label"):
            _same_scope(item, name)
        elif item.local:
            _same_scope(item, name) if item.kind == "type_parameter" else None
            _captures(search, item, name)
        elif item.owner is not None:
            _member(search, item, name)
        elif item.scope is not None:
            _same_item(item, name)
    _shadowed(search, items, name)


def _same_scope(item: Item, name: str) -> None:
    for other in item.scope.table.get(name, ()) if item.scope is not None else ():
        if other is not item and other.kind == item.kind:
            raise refuse(f"{name!r} is already declared there, at {where(other)}")


def _same_item(item: Item, name: str) -> None:
    spaces = [space for space in (TYPES, VALUES) if item.fits(space)]
    for other in item.scope.table.get(name, ()) if item.scope is not None else ():
        if other is not item and any(other.fits(space) and other.kind != "local" for space in spaces):
            raise refuse(f"{name!r} is already declared in the same module or block, at {where(other)}")


def _member(search: Search, item: Item, name: str) -> None:
    assert item.owner is not None
    other = search.paths.members(item.owner).get(name)
    if other is None and item.kind in ("method", "const", "associated_type"):
        owner = search.paths.owner_of(item)
        found = search.paths.associated_of(owner, name) if isinstance(owner, Item) else None
        other = found if found is not None and search.paths.owner_of(found) is owner else None
    if other is not None and other is not item:
        raise refuse(f"the type already has {name!r}, at {where(other)}")


def _captures(search: Search, item: Item, name: str) -> None:
    """Uses of the new name, where the renamed local is seen, that mean something further out."""
    file = search.crates.file(item.names[0].path)
    if file is None or item.scope is None:
        return
    for node in search.nodes(file, name):
        if (
            node.type not in ("identifier", "type_identifier")
            or node in file.decl
            or not node.within(item.scope.node)
        ):
            continue
        if not item.since <= node.start <= item.until or node.field in ("name", "field"):
            continue
        if node.up.type in ("lifetime", "label", "scoped_identifier", "use_declaration"):
            continue
        found = search.meanings.at(node)
        if found is None or (found.fits(VALUES) != item.fits(VALUES)):
            continue
        inner = found.scope is not None and _below(found.scope, item.scope)
        if not inner or (found.scope is item.scope and found.since < item.since):
            raise refuse(f"{name!r} at {place(node)} would then mean the renamed {item.name!r}")


def _below(scope: Scope, outer: Scope) -> bool:
    here: Scope | None = scope
    while here is not None and not isinstance(here, Module):
        if here is outer:
            return True
        here = here.parent
    return scope is outer


def _shadowed(search: Search, items: list[Item], name: str) -> None:
    """Uses of the renamed thing that would find a nearer local of the new name."""
    for node in search.hits:
        file = search.crates.file(node.path)
        if file is None or node in file.decl or node.type != "identifier" or node.field in ("name", "field"):
            continue
        if node.up.type in ("lifetime", "label") or any(a.type == "use_declaration" for a in node.above()):
            continue
        scope: Scope | None = file.scope_at(node)
        while scope is not None and scope is not items[0].scope and not isinstance(scope, Module):
            other = scope.find(name, node.start, VALUES)
            if other is not None and other not in items:
                raise refuse(f"the use at {place(node)} would then mean the {name!r} of {where(other)}")
            scope = scope.parent
        if scope is items[0].scope and scope is not None and items[0].local:
            later = scope.find(name, node.start, VALUES)
            if later is not None and later not in items and later.since > items[0].since:
                raise refuse(f"the use at {place(node)} would then mean the {name!r} of {where(later)}")


def where(item: Item) -> str:
    return place(item.names[0]) if item.names else item.node.path


def place(node: Node) -> str:
    line = node.data.count(b"\n", 0, node.start) + 1
    return f"{node.path}:{line}"
