"""All occurrences of a Rust item: in code, in macros' arguments and in format strings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from forgewright.code.rust.items import NAMES, VALUES, File, Item
from forgewright.code.rust.meaning import Meanings
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds, places

FORMATS = kinds(
    "format format_args print println eprint eprintln write writeln panic assert assert_eq assert_ne "
    "debug_assert todo unimplemented unreachable debug info warn error trace log bail anyhow ensure"
)
_PLACEHOLDER = re.compile(rb"(?<!\{)(?:\{\{)*\{([A-Za-z_]\w*)(?=[:}])|:[^{}]*?([A-Za-z_]\w*)\$")


class Search:
    def __init__(self, meanings: Meanings) -> None:
        self.meanings = meanings
        self.paths = meanings.paths
        self.crates = meanings.crates
        self.hits: list[Node] = []
        self.inline: list[tuple[str, int]] = []
        """Names in the braces of format strings."""
        self.unknown: list[Node] = []

    def run(self, items: list[Item]) -> None:
        name = items[0].name
        for file in self._files(items):
            for node in self.nodes(file, name):
                found = self.meanings.at(node)
                if found in items or self._second(node) in items:
                    self.hits.append(node)
                elif found is None and self._unknown(node):
                    self.unknown.append(node)
            if items[0].kind in ("local", "parameter", "const", "static", "const_parameter"):
                self.inline += [(file.path, offset) for offset in self._formatted(file, items)]

    def _second(self, node: Node) -> Item | None:
        """The other meaning of a name that has two: a field in shorthand, a use of several spaces."""
        if node.up.type == "shorthand_field_initializer":
            return self.meanings.initialised(node)
        if node.type == "shorthand_field_identifier":
            return self.meanings.matched(node)
        return None

    def _unknown(self, node: Node) -> bool:
        return node.type == "field_identifier" and node.up.type == "field_expression"

    def _files(self, items: list[Item]) -> list[File]:
        if items[0].local:
            file = self.crates.file(items[0].names[0].path)
            return [file] if file is not None else []
        return self.crates.containing(items[0].name)

    def nodes(self, file: File, name: str) -> Iterator[Node]:
        for offset in places(file.root.data, name, dollar=False):
            node = file.root.at(offset)
            raw = node.type in NAMES and node.text == "r#" + name
            if node.type in NAMES and (node.text == name or raw):
                yield node

    def _formatted(self, file: File, items: list[Item]) -> Iterator[int]:
        """`{name}` in the first string of a formatting macro."""
        for offset in places(file.root.data, items[0].name, dollar=False):
            node = file.root.at(offset)
            if node.type != "string_content":
                continue
            tree = node.up.up
            invocation = tree.up
            macro = invocation.get("macro") if invocation.type == "macro_invocation" else None
            if macro is None or macro.text.rpartition("::")[2] not in FORMATS:
                continue
            for match in _PLACEHOLDER.finditer(file.root.data, node.start, node.end):
                start = match.start(1) if match.group(1) else match.start(2)
                given = start != offset or self._argument(tree, items[0].name)
                if not given and self.paths.lookup(tree, VALUES, items[0].name) in items:
                    yield offset

    @staticmethod
    def _argument(tree: Node, name: str) -> bool:
        """Whether the macro is given `name = …` itself."""
        children = tree.children
        return any(one.text == name and other.text == "=" for one, other in pairwise(children))

    def family(self, item: Item) -> list[Item]:
        """An associated item with the trait's declaration and all implementations of it."""
        if item.owner is None or item.owner.type not in ("trait_item", "impl_item"):
            return [item]
        written = self.paths.impl_trait(item)
        trait = self.meanings.item(self.paths.written(written)) if written is not None else None
        if item.owner.type == "trait_item":
            owner = self.paths.owner_of(item)
            trait = owner if isinstance(owner, Item) else None
        if trait is None:
            return [item]
        found = [item]
        for other in self.paths.associated(item.name):
            node = self.paths.impl_trait(other)
            belongs = (
                self.paths.owner_of(other) is trait if node is None else self.paths.written(node) is trait
            )
            if belongs and other not in found and (node is not None or other.owner is trait.node):
                found.append(other)
        return found
