"""What is written at each occurrence of a renamed name: the name, or more where one word stands for two."""

from __future__ import annotations

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.meaning import Meanings
from forgewright.code.javascript.names import STRINGS
from forgewright.code.javascript.search import Hit
from forgewright.code.project import Splice
from forgewright.code.scopes.tree import Node


class Shapes:
    """Turns hits into splices. `shorthand`: `{ x }` is expanded; `keep`: public names are kept by `as`."""

    def __init__(self, meanings: Meanings, new_name: str, *, shorthand: bool, keep: bool) -> None:
        self.meanings = meanings
        self.new = new_name
        self.shorthand = shorthand
        self.keep = keep

    def splice(self, hit: Hit, origin: Node, start: Entity) -> Splice:
        node = hit.node
        old, new = node.text, self.new
        parent = node.up
        if node.type in STRINGS:
            return Splice(node.path, node.start + 1, node.end - 1, new.encode())
        if node.type == "number":
            quoted = f'"{new}"' if parent.type == "subscript_expression" and self.keep else new
            return Splice(node.path, node.start, node.end, quoted.encode())
        if node.type == "private_property_identifier" or old.startswith("#"):
            new = new if new.startswith("#") else "#" + new
        text = new
        if (
            node.type in ("shorthand_property_identifier", "shorthand_property_identifier_pattern")
            and self.shorthand
        ):
            text = self._shorthand(hit, old, new)
        elif (
            parent.type == "import_specifier"
            and parent.get("alias") is None
            and (self.keep or self._from_outside(node))
        ):
            if not self.keep or parent in start.nodes:
                text = f"{old} as {new}"
        elif parent.type == "export_specifier" and parent.get("alias") is None and self.keep:
            same = origin is node or self.meanings.at(origin) is self.meanings.at(node)
            text = f"{old} as {new}" if same else f"{new} as {old}"
        return Splice(node.path, node.start, node.end, text.encode())

    def _shorthand(self, hit: Hit, old: str, new: str) -> str:
        """`{ x }` becomes `{ new: x }` where the property is renamed, `{ x: new }` where the variable is."""
        if hit.found == "property for local":
            return f"{old}: {new}"
        if hit.found == "local for property":
            return f"{new}: {old}"
        declared = hit.node.type != "shorthand_property_identifier" and not self.meanings.assigns(hit.node)
        return f"{old}: {new}" if declared or self._of_exports(hit.node) else f"{new}: {old}"

    def _from_outside(self, node: Node) -> bool:
        """Whether what is imported here is not of the project, or not to be found: it keeps its name there."""
        unit = self.meanings.program.unit(node.path)
        entity = unit.decl.get(node) if unit is not None else None
        return entity is not None and self.meanings.program.immediate(entity) is None

    @staticmethod
    def _of_exports(node: Node) -> bool:
        assignment = node.up.up
        left = assignment.get("left") if assignment.type == "assignment_expression" else None
        return left is not None and left.text == "module.exports"
