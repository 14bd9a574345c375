"""A file's import statements: what each brings in, how to add one, and how to take one out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.project import Splice
from forgewright.code.python.refactor.text import indent_at, line_end, line_start, newline
from forgewright.code.python.scopes import FileIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

STATEMENTS = ("import_statement", "import_from_statement", "future_import_statement")
GUARD = "if TYPE_CHECKING: "
"""Stands before the text of an import that only type checkers are to see."""


class Item:
    """One name in an import statement: `a.b as c` of `import`, or `n as c` of `from m import`."""

    __slots__ = ("alias", "level", "module", "name", "node", "statement")

    def __init__(
        self, statement: Node, node: Node, level: int, module: str, name: str | None, alias: str | None
    ) -> None:
        self.statement = statement
        self.node = node
        self.level = level
        self.module = module
        """As written, without the dots of a relative import."""
        self.name = name
        """None for `import`; `*` for a star."""
        self.alias = alias

    @property
    def bound(self) -> str:
        """The name that it binds; empty for a star."""
        if self.name == "*":
            return ""
        return self.alias or self.name or self.module.partition(".")[0]

    def text(self) -> str:
        """A statement of its own."""
        alias = f" as {self.alias}" if self.alias else ""
        if self.name is None:
            return f"import {self.module}{alias}"
        return f"from {'.' * self.level}{self.module} import {self.name}{alias}"

    @property
    def guard(self) -> Node | None:
        """The `if TYPE_CHECKING:` at the top of the module that the statement stands in."""
        block = self.statement.parent
        found = block.parent if block is not None and block.type == "block" else None
        if found is None or found.type != "if_statement" or found.parent is None:
            return None
        condition = found.child_by_field_name("condition")
        text = condition.text if condition is not None else None
        typing = text in (b"TYPE_CHECKING", b"typing.TYPE_CHECKING", b"t.TYPE_CHECKING")
        return found if typing and found.parent.type == "module" else None

    def part(self) -> str:
        alias = f" as {self.alias}" if self.alias else ""
        return f"{self.module if self.name is None else self.name}{alias}"


class Imports:
    """The import statements of a file, in order."""

    def __init__(self, file: FileIndex) -> None:
        self.file = file
        self.items: list[Item] = []
        self.statements: list[Node] = []
        self._collect()

    def _collect(self) -> None:
        stack = [self.file.root]
        while stack:
            node = stack.pop()
            if node.type in STATEMENTS:
                self.statements.append(node)
                self.items += items_of(self.file, node)
                continue
            if node.type in ("module", "block") or node.type.endswith(
                ("_statement", "_clause", "_definition")
            ):
                stack.extend(reversed(node.named_children))

    def top(self) -> list[Node]:
        """Those that stand at the top of the module, not within another statement."""
        return [node for node in self.statements if node.parent is not None and node.parent.type == "module"]

    # adding -----------------------------------------------------------------------------------

    def has(self, text: str) -> bool:
        return any(item.text() == text and item.statement.parent == self.file.root for item in self.items)

    def add(self, texts: Iterable[str], skipped: Iterable[Item] = (), *, last: bool = False) -> list[Splice]:
        """Splices that add these statements (`import a.b`, `from a import b as c`); known ones are not repeated.

        `skipped` are items that are being removed: nothing is merged into their statements.
        """
        gone = {item.node.start_byte for item in skipped}
        new: list[str] = []
        merged: dict[int, list[str]] = {}
        found, plain = self._guarded(list(dict.fromkeys(texts)), gone)
        for text in plain:
            if any(
                item.text() == text and item.statement.parent == self.file.root
                for item in self.items
                if item.node.start_byte not in gone
            ):
                continue
            home = self._mergeable(text, gone)
            if home is not None:
                merged.setdefault(home.start_byte, []).append(text.partition(" import ")[2])
            else:
                new.append(text)
        for start, parts in merged.items():
            node = next(node for node in self.statements if node.start_byte == start)
            at = max(item.node.end_byte for item in self.items if item.statement == node)
            found.append(Splice(self.file.path, at, at, ", ".join(["", *parts]).encode()))
        if new:
            found.insert(0, self._insertion(grouped(new), gone, last))
        return found

    def _guarded(self, texts: list[str], gone: set[int]) -> tuple[list[Splice], list[str]]:
        """The splices of those for type checkers only, and the other texts."""
        plain = [text for text in texts if not text.startswith(GUARD)]
        kept = [item for item in self.items if item.node.start_byte not in gone]
        known = {
            item.text() for item in kept if item.guard is not None or item.statement.parent == self.file.root
        }
        wanted = [text.removeprefix(GUARD) for text in texts if text.startswith(GUARD)]
        wanted = [text for text in wanted if text not in known and text not in plain]
        if not wanted:
            return [], plain
        data, end = self.file.data, newline(self.file.data)
        guards = [item for item in kept if item.guard is not None]
        if guards:
            last = guards[-1].statement
            at = line_end(data, last.end_byte)
            indent = indent_at(data, last.start_byte)
            text = b"".join(indent + one.encode() + end for one in grouped(wanted))
            return [
                Splice(self.file.path, at, at, (b"" if data[at - 1 : at] == b"\n" else end) + text)
            ], plain
        at, had = self.place()
        block = end + end.join(one.encode() for one in guard_block(wanted)) + end
        if not had and data[at:].strip():
            block = block.removeprefix(end) + end
        if at and data[at - 1 : at] != b"\n":
            block = end + block
        return [Splice(self.file.path, at, at, block)], ["from typing import TYPE_CHECKING", *plain]

    def _mergeable(self, text: str, gone: set[int]) -> Node | None:
        if not text.startswith("from ") or text.endswith("import *") or " __future__ " in text:
            return None
        head = text.partition(" import ")[0]
        for node in self.top():
            items = [item for item in self.items if item.statement == node]
            if not items or items[0].name in (None, "*") or any(i.node.start_byte in gone for i in items):
                continue
            if f"from {'.' * items[0].level}{items[0].module}" == head:
                return node
        return None

    def _insertion(self, new: list[str], gone: set[int], last: bool) -> Splice:
        data, end = self.file.data, newline(self.file.data)
        text = end.join(one.encode() for one in new)
        at, had_imports = self.place(last)
        lead = b""
        if at and data[at - 1 : at] != b"\n":
            lead = end
        tail = end
        if not had_imports and data[at:].strip():
            following = data[at:]
            blank = following.startswith((b"\n", b"\r\n"))
            tail = end if blank else end * 2
            if at and not blank and not data[:at].endswith((b"\n\n", b"\r\n\r\n")) and data[:at].strip():
                lead += end
        return Splice(self.file.path, at, at, lead + text + tail)

    def place(self, last: bool = False) -> tuple[int, bool]:
        """Where a new import goes, and whether it follows another import."""
        found: Node | None = None
        docs: Node | None = None
        for child in self.file.root.named_children:
            if child.type in STATEMENTS:
                found = child
            elif child.type == "comment":
                continue
            elif found is None and docs is None and _is_string(child):
                docs = child
            elif not last:
                break
        if found is not None:
            return line_end(self.file.data, found.end_byte), True
        if docs is not None:
            return line_end(self.file.data, docs.end_byte), False
        at = 0
        for child in self.file.root.named_children:
            if child.type != "comment" or self.file.data[child.start_byte : child.start_byte + 2] not in (
                b"#!",
                b"# ",
            ):
                break
            head = self.file.data[child.start_byte : child.end_byte]
            if head.startswith(b"#!") or b"coding" in head:
                at = line_end(self.file.data, child.end_byte)
            else:
                break
        return at, False

    # removing ---------------------------------------------------------------------------------

    def remove(self, items: Iterable[Item]) -> list[Splice]:
        """Splices that take items out, and statements of which nothing is left."""
        wanted = {(item.node.start_byte, item.node.end_byte) for item in items}
        found: list[Splice] = []
        for statement in self.statements:
            own = [item for item in self.items if item.statement == statement]
            left = [item for item in own if (item.node.start_byte, item.node.end_byte) not in wanted]
            if len(left) == len(own):
                continue
            if left:
                found += self._cut(own, left)
            else:
                found.append(remove_statement(self.file, self._whole(statement, own[0], wanted)))
        return list(dict.fromkeys(found))

    def _whole(self, statement: Node, item: Item, gone: set[tuple[int, int]]) -> Node:
        """The `if TYPE_CHECKING:` around a statement, where nothing of it is left."""
        guard = item.guard
        if guard is None or guard.child_by_field_name("alternative") is not None:
            return statement
        body = guard.child_by_field_name("consequence")
        assert body is not None
        inside = [one for one in self.items if one.statement.parent == body]
        imports = all(child.type in STATEMENTS for child in body.named_children)
        return (
            guard
            if imports and all((i.node.start_byte, i.node.end_byte) in gone for i in inside)
            else statement
        )

    def _cut(self, own: list[Item], left: list[Item]) -> list[Splice]:
        """Remove list elements together with their comma."""
        found: list[Splice] = []
        for index, item in enumerate(own):
            if item in left:
                continue
            if index + 1 < len(own):
                span = (item.node.start_byte, own[index + 1].node.start_byte)
            else:
                before = [other for other in own[:index] if other in left]
                span = (before[-1].node.end_byte, item.node.end_byte)
            found.append(Splice(self.file.path, span[0], span[1], b""))
        return merged_deletions(found)


def replaced(imports: Imports, item: Item, module: str) -> list[Splice]:
    """Let a name of a `from` within a block come from another module: in its place, since that is when it is imported."""
    file, statement = imports.file, item.statement
    data, end = file.data, newline(file.data)
    text = f"from {module} import {item.part()}"
    own = [other for other in imports.items if other.statement == statement]
    for other in imports.items:
        head = f"{'.' * other.level}{other.module}"
        if other.statement.parent == statement.parent and head == module and other.name not in (None, "*"):
            last = max(i.node.end_byte for i in imports.items if i.statement == other.statement)
            return [*imports.remove([item]), Splice(file.path, last, last, f", {item.part()}".encode())]
    if len(own) == 1:
        return [Splice(file.path, statement.start_byte, statement.end_byte, text.encode())]
    begin = line_start(data, statement.start_byte)
    if data[begin : statement.start_byte].strip():
        return [
            *imports.remove([item]),
            Splice(file.path, statement.end_byte, statement.end_byte, f"; {text}".encode()),
        ]
    indent = data[begin : statement.start_byte]
    return [*imports.remove([item]), Splice(file.path, begin, begin, indent + text.encode() + end)]


def merged_deletions(splices: list[Splice]) -> list[Splice]:
    """Overlapping deletions joined."""
    found: list[Splice] = []
    for splice in sorted(splices):
        same = found and splice.path == found[-1].path and splice.start <= found[-1].end
        if same and not splice.text and not found[-1].text:
            found[-1] = Splice(splice.path, found[-1].start, max(splice.end, found[-1].end), b"")
        else:
            found.append(splice)
    return found


def guard_block(texts: list[str]) -> list[str]:
    """The lines of an `if TYPE_CHECKING:` with these imports."""
    return ["if TYPE_CHECKING:", *("    " + text for text in grouped(texts))]


def whole_block(texts: list[str]) -> list[str]:
    """The lines of all the imports of a new file, those for type checkers last."""
    guarded = [text.removeprefix(GUARD) for text in texts if text.startswith(GUARD)]
    plain = [text for text in texts if not text.startswith(GUARD)]
    if not guarded:
        return grouped(plain)
    return [*grouped(plain), "from typing import TYPE_CHECKING", "", *guard_block(guarded)]


def grouped(texts: list[str]) -> list[str]:
    """Several `from m import …` of one module become one."""
    found: list[str] = []
    by_head: dict[str, int] = {}
    for text in texts:
        head, _, part = text.partition(" import ")
        if text.startswith("from ") and part != "*":
            if head in by_head:
                found[by_head[head]] += f", {part}"
                continue
            by_head[head] = len(found)
        found.append(text)
    return found


def items_of(file: FileIndex, statement: Node) -> list[Item]:
    """The items of one import statement."""
    found: list[Item] = []
    level, module = 0, ""
    origin = statement.child_by_field_name("module_name")
    if statement.type == "future_import_statement":
        module = "__future__"
    elif origin is not None:
        module = file.text(origin)
        level = len(module) - len(module.lstrip("."))
        module = module.lstrip(".").replace(" ", "")
    plain = statement.type == "import_statement"
    for child in statement.named_children:
        if child == origin or child.type == "comment":
            continue
        if child.type == "wildcard_import":
            found.append(Item(statement, child, level, module, "*", None))
            continue
        name, alias = child, None
        if child.type == "aliased_import":
            inner, other = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if inner is None or other is None:
                continue
            name, alias = inner, file.text(other)
        text = file.text(name).replace(" ", "")
        if plain:
            found.append(Item(statement, child, 0, text, None, alias))
        else:
            found.append(Item(statement, child, level, module, text, alias))
    return found


_DIRECTIVE = re.compile(rb"#\s*(?:type:|noqa|pragma|pylint:|pyright:|mypy:|isort:|nosec|ruff:)")
"""A comment for a tool, which goes with the statement that it speaks of."""


def remove_statement(file: FileIndex, node: Node) -> Splice:
    """Take a statement out with its line; `pass` stays where a block would be empty."""
    data = file.data
    parent = node.parent
    siblings = [c for c in parent.named_children if c.type != "comment"] if parent is not None else []
    if parent is not None and parent.type == "block" and len(siblings) == 1:
        return Splice(file.path, node.start_byte, node.end_byte, b"pass")
    begin, stop = line_start(data, node.start_byte), line_end(data, node.end_byte)
    before = data[begin : node.start_byte]
    after = data[node.end_byte : stop]
    if before.strip():
        cut = node.start_byte - len(before) + len(before.rstrip())
        if before.rstrip().endswith(b";"):
            cut -= 1
        return Splice(file.path, cut, node.end_byte, b"")
    rest = after.lstrip(b" \t")
    if rest.startswith(b";"):
        extra = len(after) - len(rest) + 1
        while data[node.end_byte + extra : node.end_byte + extra + 1] in (b" ", b"\t"):
            extra += 1
        return Splice(file.path, node.start_byte, node.end_byte + extra, b"")
    if (rest.startswith(b"#") or rest.strip()) and not _DIRECTIVE.match(rest):
        return Splice(file.path, node.start_byte, node.end_byte, b"")
    return Splice(file.path, begin, stop, b"")


def _is_string(node: Node) -> bool:
    return (
        node.type == "expression_statement"
        and len(node.named_children) == 1
        and node.named_children[0].type in ("string", "concatenated_string")
    )


__all__ = [
    "Imports",
    "Item",
    "grouped",
    "indent_at",
    "items_of",
    "merged_deletions",
    "remove_statement",
    "replaced",
]
