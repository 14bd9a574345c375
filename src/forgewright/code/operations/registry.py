"""Every operation by its name. A module is imported when one of its operations is used, not before."""

from __future__ import annotations

from forgewright.code.operations.base import Operation

STRUCTURE = "forgewright.code.operations"

TABLE: dict[str, str] = {
    # query, insert, replace, delete, wrap, files, rewrite
    # rename, signature, move, extract, inline, imports (each line: "name": "module:Class")
    "rename": f"{STRUCTURE}.rename:Rename",
    "rename-module": f"{STRUCTURE}.rename:RenameModule",
    "add-parameter": f"{STRUCTURE}.signature:AddParameter",
    "remove-parameter": f"{STRUCTURE}.signature:RemoveParameter",
    "reorder-parameters": f"{STRUCTURE}.signature:ReorderParameters",
    "keyword-only": f"{STRUCTURE}.signature:KeywordOnly",
    "normalise-calls": f"{STRUCTURE}.signature:NormaliseCalls",
    "inline-default": f"{STRUCTURE}.signature:InlineDefault",
    "introduce-parameter": f"{STRUCTURE}.signature:IntroduceParameter",
    "inline-parameter": f"{STRUCTURE}.signature:InlineParameter",
    "move-symbol": f"{STRUCTURE}.move:MoveSymbol",
    "copy-symbol": f"{STRUCTURE}.move:CopySymbol",
    "move-module": f"{STRUCTURE}.move:MoveModule",
    "move-method": f"{STRUCTURE}.move:MoveMethod",
    "extract-function": f"{STRUCTURE}.extract:ExtractFunction",
    "extract-variable": f"{STRUCTURE}.extract:ExtractVariable",
    "extract-constant": f"{STRUCTURE}.extract:ExtractConstant",
    "inline": f"{STRUCTURE}.inline:Inline",
    "add-import": f"{STRUCTURE}.imports:AddImport",
    "remove-unused-imports": f"{STRUCTURE}.imports:RemoveUnusedImports",
    "remove-duplicate-imports": f"{STRUCTURE}.imports:RemoveDuplicateImports",
    "sort-imports": f"{STRUCTURE}.imports:SortImports",
    "organise-imports": f"{STRUCTURE}.imports:OrganiseImports",
    "expand-star-import": f"{STRUCTURE}.imports:ExpandStarImport",
    "absolute-imports": f"{STRUCTURE}.imports:AbsoluteImports",
    "relative-imports": f"{STRUCTURE}.imports:RelativeImports",
    "froms-to-imports": f"{STRUCTURE}.imports:FromsToImports",
    "shorten-imports": f"{STRUCTURE}.imports:ShortenImports",
}


def names() -> tuple[str, ...]:
    """All operations, in the table's order."""
    return tuple(TABLE)


def load(name: str) -> type[Operation]:
    """The class of an operation. Raises `KeyError` for an unknown name."""
    from importlib import import_module

    module, _, attribute = TABLE[name].partition(":")
    found = getattr(import_module(module), attribute)
    assert isinstance(found, type)
    assert issubclass(found, Operation)
    return found
