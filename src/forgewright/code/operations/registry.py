"""Every operation by its name. A module is imported when one of its operations is used, not before."""

from __future__ import annotations

from forgewright.code.operations.base import Operation

_HERE = "forgewright.code.operations"

TABLE: dict[str, str] = {
    "outline": f"{_HERE}.query:Outline",
    "find": f"{_HERE}.query:Find",
    "read": f"{_HERE}.query:Read",
    "search": f"{_HERE}.query:Search",
    "references": f"{_HERE}.query:References",
    "insert-before": f"{_HERE}.edit:InsertBefore",
    "insert-after": f"{_HERE}.edit:InsertAfter",
    "insert-first": f"{_HERE}.edit:InsertFirst",
    "insert-last": f"{_HERE}.edit:InsertLast",
    "replace-node": f"{_HERE}.edit:ReplaceNode",
    "replace-body": f"{_HERE}.edit:ReplaceBody",
    "replace-text": f"{_HERE}.text:ReplaceText",
    "set-docstring": f"{_HERE}.members:SetDocstring",
    "delete-node": f"{_HERE}.edit:DeleteNode",
    "wrap": f"{_HERE}.wrap:Wrap",
    "unwrap": f"{_HERE}.wrap:Unwrap",
    "rewrite": f"{_HERE}.rewrite:Rewrite",
    "add-import": f"{_HERE}.members:AddImport",
    "add-decorator": f"{_HERE}.members:AddDecorator",
    "remove-decorator": f"{_HERE}.members:RemoveDecorator",
    "add-base": f"{_HERE}.members:AddBase",
    "create-file": f"{_HERE}.files:CreateFile",
    "delete-file": f"{_HERE}.files:DeleteFile",
    "move-file": f"{_HERE}.files:MoveFile",
    "restore": f"{_HERE}.restore:Restore",
    "rename": f"{_HERE}.rename:Rename",
    "rename-module": f"{_HERE}.rename:RenameModule",
}
"""Name → module:Class, in the order of the reference page."""


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
