"""Code whose meaning hangs on where it stands: on its frame, its local names, or the module around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.refactor.text import walk
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.scopes import FileIndex

LOCAL = frozenset(("locals", "eval", "exec"))
"""Built-in functions that see the local names of who calls them."""
BARE = frozenset(("vars", "dir"))
"""Those that do so without an argument."""
FRAMES = frozenset(("_getframe", "currentframe", "stack", "stacklevel", "extract_stack", "__tracebackhide__"))
MODULE = ("__name__", "__file__", "__package__", "__spec__", "__loader__", "__path__")
_WORDS = re.compile(
    rb"\b(?:locals|eval|exec|vars|dir|globals|_getframe|currentframe|stack|stacklevel|extract_stack|__tracebackhide__|__\w+__)\b"
)


def sees_names(node: Node) -> Node | None:
    """Where code looks at its own local names: by `locals()`, `eval`, or an f-string's `{x=}`."""
    text = node.text or b""
    interpolated = b"=}" in text or b"=!" in text or b"=:" in text
    if not interpolated and not _WORDS.search(text):
        return None
    for inner in walk(node):
        if inner.type == "interpolation" and any(child.type == "=" for child in inner.children):
            return inner
        if inner.type != "call":
            continue
        function, given = inner.child_by_field_name("function"), inner.child_by_field_name("arguments")
        if function is None or function.type != "identifier" or given is None:
            continue
        word = (function.text or b"").decode("utf-8", "replace")
        count = given.named_child_count
        if (word in LOCAL and (word == "locals" or count == 1)) or (word in BARE and not count):
            return inner
    return None


def sees_callers(node: Node) -> Node | None:
    """Where code looks at the frames that called it, or counts them for a warning."""
    if not _WORDS.search(node.text or b""):
        return None
    for inner in walk(node):
        if inner.type != "identifier" or (inner.text or b"").decode("utf-8", "replace") not in FRAMES:
            continue
        parent = inner.parent
        method = parent is not None and parent.type == "attribute"
        keyword = parent is not None and parent.type == "keyword_argument"
        assigned = (
            (inner.text or b"").startswith(b"__") and parent is not None and parent.type == "assignment"
        )
        named = parent is not None and parent.type == "call" and inner.text != b"stack"
        if method and inner.text == b"stack" and parent is not None:
            owner = parent.child_by_field_name("object")
            method = owner is not None and owner.text == b"inspect"
        if method or keyword or assigned or named:
            return inner
    return None


def sees_module(node: Node, words: tuple[str, ...] = MODULE) -> Node | None:
    """Where code asks for the module that it stands in: `__name__`, `globals()`, `eval` of a text."""
    if not _WORDS.search(node.text or b""):
        return None
    for inner in walk(node):
        if inner.type != "identifier":
            continue
        word = (inner.text or b"").decode("utf-8", "replace")
        parent = inner.parent
        bare = parent is None or parent.type != "attribute" or parent.child_by_field_name("object") == inner
        bare = bare and (parent is None or parent.type != "keyword_argument" or parent.children[0] != inner)
        if bare and word in words:
            return inner
        if word in ("globals", "eval", "exec") and parent is not None and parent.type == "call" and bare:
            given = parent.child_by_field_name("arguments")
            if parent.child_by_field_name("function") == inner and given is not None:
                if word == "globals" or given.named_child_count == 1:
                    return inner
    return None


def row(file: FileIndex, node: Node) -> str:
    return f"{file.path}:{node.start_point[0] + 1}"


def check_names(file: FileIndex, node: Node, what: str) -> None:
    """Refuse to take a local name away from code that looks at all of them."""
    found = sees_names(node)
    if found is not None:
        text = file.text(found).splitlines()[0][:40]
        raise EditRefused(
            f"{what} looks at its own names: {text} in {row(file, found)}", hint="change that first"
        )


def check_depth(file: FileIndex, node: Node, what: str) -> None:
    """Refuse to put another frame between code that looks at frames and who calls it."""
    found = sees_callers(node)
    if found is not None:
        raise EditRefused(
            f"{what} looks at who calls it: {file.text(found)} in {row(file, found)}",
            hint="one more call would lie between; change that first",
        )
