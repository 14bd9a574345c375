"""What editors and other tools call the operations, so that whoever knows those finds these.

Names of commands and refactorings as JetBrains' IDEs, Eclipse, VS Code, the Language Server Protocol, rope, ast-grep,
comby and Fowler's catalogue ("Refactoring", second edition) use them, written in lower case with hyphens.
"""

from __future__ import annotations

KNOWN_AS: dict[str, tuple[str, ...]] = {
    "outline": ("document-symbols", "file-structure", "structure", "symbols", "workspace-symbols", "list-symbols"),
    "find": ("query", "structural-search", "ast-grep", "sg-run", "match", "select"),
    "read": ("go-to-definition", "definition", "hover", "peek", "show", "view", "cat", "signature-help"),
    "search": ("grep", "find-text", "find-in-files", "rg", "search-text"),
    "references": (
        "find-usages", "find-references", "find-all-references", "usages", "callers", "call-hierarchy",
        "who-calls", "go-to-references",
    ),
    "repo-map": ("map", "overview", "project-structure"),
    "rename": (
        "rename-symbol", "rename-variable", "rename-function", "rename-method", "rename-class", "rename-parameter",
        "rename-field", "rename-attribute", "rename-constant", "change-occurrences",
    ),
    "rename-module": ("rename-package", "rename-file", "rename-import"),
    "replace-uses": ("migrate-usages", "replace-references", "replace-usages"),
    "add-parameter": ("change-signature", "change-function-declaration", "add-argument", "argument-adder"),
    "remove-parameter": ("change-signature", "remove-argument", "argument-remover"),
    "reorder-parameters": ("change-signature", "argument-reorderer", "swap-parameters"),
    "normalise-calls": ("normalize-calls", "argument-normalizer", "positional-to-keyword"),
    "inline-default": ("argument-default-inliner",),
    "introduce-parameter": ("extract-parameter", "parameterize-function"),
    "introduce-parameter-object": ("extract-parameter-object", "extract-class-from-parameters"),
    "set-types": ("type-migration", "add-type-hints", "annotate", "change-type", "set-return-type"),
    "insert-last": ("add-member", "add-method", "add-function", "append"),
    "insert-first": ("prepend",),
    "replace-node": ("replace", "substitute", "set-value", "change-value"),
    "replace-body": ("change-body", "rewrite-function", "substitute-algorithm", "replace-function"),
    "replace-text": ("str-replace", "search-and-replace", "edit", "sed"),
    "set-docstring": ("add-docstring", "add-documentation", "document"),
    "delete-node": ("delete", "remove", "remove-node", "remove-statement"),
    "safe-delete": ("remove-function", "remove-class", "remove-symbol", "delete-symbol", "remove-dead-code"),
    "delete-unused": ("unused-declaration", "dead-code"),
    "wrap": ("surround-with", "surround", "try-catch", "wrap-with"),
    "unwrap": ("remove-surrounding", "unwrap-block"),
    "move-symbol": ("move-function", "move-class", "move-global", "move-to-file", "move-to-a-new-file", "move"),
    "move-symbols": ("move-members", "move-several"),
    "move-module": ("move-package",),
    "make-top-level": ("convert-to-top-level-function", "move-to-module-level", "make-toplevel"),
    "pull-up": ("pull-members-up", "pull-up-method", "pull-up-field"),
    "push-down": ("push-members-down", "push-down-method", "push-down-field"),
    "extract-function": ("extract-method", "introduce-function"),
    "extract-variable": ("introduce-variable", "extract-local-variable", "introduce-explaining-variable"),
    "extract-constant": ("introduce-constant",),
    "extract-field": ("introduce-field", "introduce-member-variable"),
    "extract-superclass": ("extract-base-class",),
    "extract-interface": ("extract-protocol",),
    "use-function": ("replace-inline-code-with-function-call",),
    "inline": (
        "inline-variable", "inline-function", "inline-method", "inline-constant", "inline-local", "inline-temp",
    ),
    "method-object": ("replace-method-with-method-object", "replace-function-with-command", "extract-method-object"),
    "functions-to-class": ("combine-functions-into-class",),
    "method-to-function": ("convert-method-to-function",),
    "function-to-method": ("convert-function-to-method",),
    "encapsulate-field": ("encapsulate-fields", "encapsulate-variable", "self-encapsulate-field", "generate-accessors"),
    "local-to-field": ("promote-local-variable-to-field", "convert-local-variable-to-field"),
    "introduce-factory": ("replace-constructor-with-factory-method", "replace-constructor-with-factory-function"),
    "invert-boolean": ("negate-boolean",),
    "organise-imports": ("organize-imports", "optimize-imports", "optimise-imports", "isort", "clean-imports"),
    "remove-unused-imports": ("unused-imports", "autoflake"),
    "expand-star-import": ("expand-star-imports", "expand-wildcard-import"),
    "froms-to-imports": ("convert-from-import", "from-import-to-import"),
    "relative-imports": ("absolutes-to-relatives", "convert-to-relative-import"),
    "absolute-imports": ("relatives-to-absolutes", "convert-to-absolute-import"),
    "shorten-imports": ("handle-long-imports",),
    "set-modifiers": ("make-async", "add-async", "convert-to-async", "change-visibility", "make-public", "make-private",
                      "export", "unexport"),
    "add-base": ("add-superclass", "implement-interface", "add-interface", "extend"),
    "to-f-string": ("convert-to-f-string", "convert-to-template-string", "pyupgrade"),
    "guard-clause": ("invert-if", "replace-nested-conditional-with-guard-clauses", "early-return"),
    "if-to-match": ("convert-if-to-switch", "replace-if-with-switch", "convert-to-match"),
    "match-to-if": ("convert-switch-to-if", "replace-switch-with-if"),
    "rewrite": ("structural-replace", "structural-search-and-replace", "ssr", "ast-grep-rewrite", "comby", "codemod",
                "replace-pattern", "rewrite-pattern"),
    "create-file": ("new-file", "write-file", "add-file"),
    "restore": ("undo", "revert"),
}  # fmt: skip


def named_here(name: str) -> list[str]:
    """The operations that others call `name`, in whatever case and with whatever between its words."""
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    return [ours for ours, theirs in KNOWN_AS.items() if wanted in theirs]
