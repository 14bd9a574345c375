"""What a selected piece of code reads and writes, and what is needed of it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.infer import Inference
from forgewright.code.python.known import BUILTINS
from forgewright.code.python.narrowing import LOOPS
from forgewright.code.python.refactor.region import DEFINITIONS, Region
from forgewright.code.python.refactor.text import BLOCKS, ancestors
from forgewright.code.python.scopes import Binding, FileIndex, Scope

if TYPE_CHECKING:
    from tree_sitter import Node


class Flow:
    """What a region reads and writes of the names that are bound outside it."""

    def __init__(self, types: Inference, region: Region) -> None:
        self.types = types
        self.region = region
        self.file = region.file
        self.inner = {
            scope
            for scope in self.file.scopes
            if region.start <= scope.node.start_byte and scope.node.end_byte <= region.end
        }
        self.reads: dict[str, int] = {}
        """Name → where it is read first."""
        self.bindings: dict[str, Binding] = {}
        self.writes: dict[str, list[int]] = {}
        self.unbound: dict[str, int] = {}
        """Names that are bound nowhere, and where they are read first."""
        self._collect()

    def _collect(self) -> None:
        region, file = self.region, self.file
        events: list[tuple[int, str, Scope]] = []
        for name, refs in file.names.items():
            events += [(ref.start, name, ref.scope) for ref in refs if region.contains(ref.start)]
        for start, name, scope in sorted(events, key=lambda event: event[0]):
            binding = file.lookup(scope, name, start)
            if binding is None:
                if name not in BUILTINS and self.types.starred(file, name) is None:
                    self.unbound.setdefault(name, start)
                continue
            if binding.scope not in self.inner:
                self._read(name, start, binding)
        for scope in file.scopes:
            for name, binding in scope.bindings.items():
                if scope in self.inner:
                    continue
                for site in binding.sites:
                    if region.contains(site.start):
                        self.bindings[name] = binding
                        self.writes.setdefault(name, []).append(site.start)
                        if site.kind == "augmented":
                            self._read(name, site.start, binding)

    def _read(self, name: str, start: int, binding: Binding) -> None:
        if self._declaration(start):
            return
        self.bindings[name] = binding
        self.reads[name] = min(start, self.reads.get(name, start))

    def _declaration(self, start: int) -> bool:
        node = self.file.root.descendant_for_byte_range(start, start + 1)
        return (
            node is not None
            and node.parent is not None
            and node.parent.type
            in (
                "global_statement",
                "nonlocal_statement",
            )
        )

    def read_first(self, name: str) -> bool:
        """Whether the region reads the name before it has surely written it."""
        if name not in self.reads:
            return False
        written = self.surely_written(name)
        return written is None or self.reads[name] < written

    def surely_written(self, name: str) -> int | None:
        """From which byte on the name is certainly written in the region; None if that is not certain."""
        binding = self.bindings.get(name)
        if binding is None or self.region.expression is not None:
            return None
        tops = {(s.start_byte, s.end_byte) for s in self.region.statements}
        best: int | None = None
        for site in binding.sites:
            if not self.region.contains(site.start) or site.kind in ("augmented", "del"):
                continue
            if site.kind not in ("function", "class", "import", "from") and site.node is None:
                continue
            if unconditional(self.file, site.start, tops):
                live = max(site.live, site.end)
                best = live if best is None else min(best, live)
        return best

    def written_before(self, name: str) -> bool:
        """Whether something may have bound the name before the region runs."""
        binding = self.bindings.get(name)
        if binding is None:
            return False
        if binding.scope is not self.region.host:
            return True
        loop = self.loop()
        return any(
            site.start < self.region.start
            or (loop is not None and loop.start_byte <= site.start < loop.end_byte)
            for site in binding.sites
            if not self.region.contains(site.start) or loop is not None
        )

    def loop(self) -> Node | None:
        """The outermost loop around the region in its function."""
        found = None
        for node in ancestors(self.region.first):
            if node.type in DEFINITIONS:
                break
            if node.type in LOOPS:
                found = node
        return found

    def live_after(self, name: str) -> bool:
        """Whether the value that the region gives the name may be read after it."""
        binding = self.bindings[name]
        events: list[tuple[int, bool, int]] = []
        for refs_name, refs in self.file.names.items():
            if refs_name != name:
                continue
            for ref in refs:
                if (
                    not self._declaration(ref.start)
                    and self.file.lookup(ref.scope, name, ref.start) is binding
                ):
                    events.append((ref.start, True, ref.start))
        for site in binding.sites:
            if site.kind == "augmented":
                events.append((site.start, True, site.start))
            elif site.kind != "parameter":
                events.append((max(site.live, site.end), False, site.start))
        events.sort()
        blocks = self._around()
        for _, read, start in events:
            if start < self.region.end:
                continue
            if read:
                if not self._exclusive(start):
                    return True
                continue
            if unconditional(self.file, start, blocks):
                return False
        loop = self.loop()
        if loop is not None:
            for _, read, start in events:
                if not loop.start_byte <= start < self.region.end:
                    continue
                if self.region.contains(start):
                    return self.read_first(name)
                if read:
                    return True
                if unconditional(self.file, start, {(c.start_byte, c.end_byte) for c in loop.named_children}):
                    return False
            return self.read_first(name)
        return False

    def _exclusive(self, start: int) -> bool:
        """Whether `start` is in another branch of an `if` that the region is in."""
        chain = list(ancestors(self.region.first))
        loops = [node for node in chain if node.type in LOOPS]
        for node in chain:
            if node.type == "if_statement" and node.start_byte <= start < node.end_byte:
                condition = node.child_by_field_name("condition")
                if condition is not None and condition.start_byte <= self.region.start < condition.end_byte:
                    continue
                for branch in node.named_children:
                    if branch == condition or not branch.start_byte <= start < branch.end_byte:
                        continue
                    if not branch.start_byte <= self.region.start < branch.end_byte and not loops:
                        return True
            if node.type in DEFINITIONS:
                break
        return False

    def _around(self) -> set[tuple[int, int]]:
        """The statements after the region in its block and in the blocks around it."""
        found: set[tuple[int, int]] = set()
        node: Node | None = self.region.first
        while node is not None and node.type not in DEFINITIONS:
            if node.parent is not None and node.parent.type in BLOCKS:
                for sibling in node.parent.named_children:
                    if sibling.start_byte >= self.region.end:
                        found.add((sibling.start_byte, sibling.end_byte))
            node = node.parent
        return found


def unconditional(file: FileIndex, at: int, tops: set[tuple[int, int]]) -> bool:
    """Whether what stands at `at` is sure to run when one of the statements `tops` runs."""
    node: Node | None = file.root.descendant_for_byte_range(at, at + 1)
    while node is not None:
        if (node.start_byte, node.end_byte) in tops:
            return node.type not in ("while_statement", "for_statement") or _in_header(node, at)
        parent = node.parent
        if parent is not None and node.type in (
            "block",
            "else_clause",
            "elif_clause",
            "except_clause",
            "case_clause",
        ):
            if parent.type not in (
                "with_statement",
                "function_definition",
                "class_definition",
                "finally_clause",
            ):
                return False
        if node.type in DEFINITIONS and (node.start_byte, node.end_byte) not in tops:
            name = node.child_by_field_name("name")
            if name is None or not name.start_byte <= at < name.end_byte:
                return False
        if node.type in ("boolean_operator", "conditional_expression"):
            return False
        node = parent
    return False


def _in_header(node: Node, at: int) -> bool:
    condition = node.child_by_field_name("condition")
    return condition is not None and condition.start_byte <= at < condition.end_byte
