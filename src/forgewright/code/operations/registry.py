"""Every operation by its name. A module is imported when one of its operations is used, not before."""

from __future__ import annotations

from forgewright.code.operations.base import Operation

STRUCTURE = "forgewright.code.operations"

TABLE: dict[str, str] = {
    "outline": f"{STRUCTURE}.query:Outline",
    "find": f"{STRUCTURE}.query:Find",
    "read": f"{STRUCTURE}.query:Read",
    "search": f"{STRUCTURE}.query:Search",
    "references": f"{STRUCTURE}.query:References",
    "repo-map": f"{STRUCTURE}.repo_map:RepoMap",
    "insert-before": f"{STRUCTURE}.edit:InsertBefore",
    "insert-after": f"{STRUCTURE}.edit:InsertAfter",
    "insert-first": f"{STRUCTURE}.edit:InsertFirst",
    "insert-last": f"{STRUCTURE}.edit:InsertLast",
    "replace-node": f"{STRUCTURE}.edit:ReplaceNode",
    "replace-body": f"{STRUCTURE}.edit:ReplaceBody",
    "replace-text": f"{STRUCTURE}.text:ReplaceText",
    "set-docstring": f"{STRUCTURE}.members:SetDocstring",
    "delete-node": f"{STRUCTURE}.edit:DeleteNode",
    "safe-delete": f"{STRUCTURE}.safe_delete:SafeDelete",
    "wrap": f"{STRUCTURE}.wrap:Wrap",
    "unwrap": f"{STRUCTURE}.wrap:Unwrap",
    "rewrite": f"{STRUCTURE}.rewrite:Rewrite",
    "to-f-string": f"{STRUCTURE}.conversions:ToFString",
    "guard-clause": f"{STRUCTURE}.conversions:GuardClause",
    "if-to-match": f"{STRUCTURE}.matching:IfToMatch",
    "match-to-if": f"{STRUCTURE}.matching:MatchToIf",
    "add-import": f"{STRUCTURE}.members:AddImport",
    "add-decorator": f"{STRUCTURE}.members:AddDecorator",
    "remove-decorator": f"{STRUCTURE}.members:RemoveDecorator",
    "add-base": f"{STRUCTURE}.members:AddBase",
    "remove-base": f"{STRUCTURE}.modifiers:RemoveBase",
    "set-modifiers": f"{STRUCTURE}.modifiers:SetModifiers",
    "make-static": f"{STRUCTURE}.modifiers:MakeStatic",
    "create-file": f"{STRUCTURE}.files:CreateFile",
    "create-files": f"{STRUCTURE}.files:CreateFiles",
    "delete-file": f"{STRUCTURE}.files:DeleteFile",
    "move-file": f"{STRUCTURE}.files:MoveFile",
    "restore": f"{STRUCTURE}.restore:Restore",
    "allow": f"{STRUCTURE}.allow:Allow",
    # rename, signature, move, extract, inline, imports
    "rename": f"{STRUCTURE}.rename:Rename",
    "rename-module": f"{STRUCTURE}.rename:RenameModule",
    "add-parameter": f"{STRUCTURE}.signature:AddParameter",
    "remove-parameter": f"{STRUCTURE}.signature:RemoveParameter",
    "reorder-parameters": f"{STRUCTURE}.signature:ReorderParameters",
    "keyword-only": f"{STRUCTURE}.signature:KeywordOnly",
    "normalise-calls": f"{STRUCTURE}.signature:NormaliseCalls",
    "inline-default": f"{STRUCTURE}.parameters:InlineDefault",
    "introduce-parameter": f"{STRUCTURE}.parameters:IntroduceParameter",
    "introduce-parameter-object": f"{STRUCTURE}.parameters:IntroduceParameterObject",
    "set-types": f"{STRUCTURE}.parameters:SetTypes",
    "inline-parameter": f"{STRUCTURE}.parameters:InlineParameter",
    "move-symbol": f"{STRUCTURE}.move:MoveSymbol",
    "move-symbols": f"{STRUCTURE}.modules:MoveSymbols",
    "copy-symbol": f"{STRUCTURE}.move:CopySymbol",
    "move-module": f"{STRUCTURE}.move:MoveModule",
    "merge-modules": f"{STRUCTURE}.modules:MergeModules",
    "split-module": f"{STRUCTURE}.modules:SplitModule",
    "move-method": f"{STRUCTURE}.move:MoveMethod",
    "method-to-function": f"{STRUCTURE}.move:MethodToFunction",
    "function-to-method": f"{STRUCTURE}.move:FunctionToMethod",
    "extract-function": f"{STRUCTURE}.extract:ExtractFunction",
    "extract-variable": f"{STRUCTURE}.extract:ExtractVariable",
    "extract-constant": f"{STRUCTURE}.extract:ExtractConstant",
    "inline": f"{STRUCTURE}.inline:Inline",
    "encapsulate-field": f"{STRUCTURE}.classes:EncapsulateField",
    "local-to-field": f"{STRUCTURE}.classes:LocalToField",
    "extract-field": f"{STRUCTURE}.classes:ExtractField",
    "invert-boolean": f"{STRUCTURE}.classes:InvertBoolean",
    "introduce-factory": f"{STRUCTURE}.classes:IntroduceFactory",
    "extract-superclass": f"{STRUCTURE}.hierarchy:ExtractSuperclass",
    "extract-interface": f"{STRUCTURE}.hierarchy:ExtractInterface",
    "pull-up": f"{STRUCTURE}.hierarchy:PullUp",
    "push-down": f"{STRUCTURE}.hierarchy:PushDown",
    "make-top-level": f"{STRUCTURE}.hierarchy:MakeTopLevel",
    "delete-unused": f"{STRUCTURE}.hierarchy:DeleteUnused",
    "use-function": f"{STRUCTURE}.classes:UseFunction",
    "functions-to-class": f"{STRUCTURE}.modules:FunctionsToClass",
    "method-object": f"{STRUCTURE}.classes:MethodObject",
    "replace-uses": f"{STRUCTURE}.classes:ReplaceUses",
    "module-to-package": f"{STRUCTURE}.classes:ModuleToPackage",
    "restructure": f"{STRUCTURE}.restructure:Restructure",
    "add-import-statement": f"{STRUCTURE}.imports:AddImportStatement",
    "remove-import": f"{STRUCTURE}.imports:RemoveImport",
    "remove-unused-imports": f"{STRUCTURE}.imports:RemoveUnusedImports",
    "remove-duplicate-imports": f"{STRUCTURE}.imports:RemoveDuplicateImports",
    "sort-imports": f"{STRUCTURE}.imports:SortImports",
    "organise-imports": f"{STRUCTURE}.imports:OrganiseImports",
    "expand-star-import": f"{STRUCTURE}.import_shapes:ExpandStarImport",
    "absolute-imports": f"{STRUCTURE}.import_shapes:AbsoluteImports",
    "relative-imports": f"{STRUCTURE}.import_shapes:RelativeImports",
    "froms-to-imports": f"{STRUCTURE}.import_shapes:FromsToImports",
    "shorten-imports": f"{STRUCTURE}.import_shapes:ShortenImports",
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
