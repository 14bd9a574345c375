"""The walk at definitions: functions, classes, parameters, type parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.scopes import Parameter, Scope, Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.build import Builder


PARAMETERS = {
    "identifier",
    "default_parameter",
    "typed_parameter",
    "typed_default_parameter",
    "list_splat_pattern",
    "dictionary_splat_pattern",
    "tuple_pattern",
}


def decorated(walk: Builder, node: Node, scope: Scope) -> None:
    decorators = [child for child in node.named_children if child.type == "decorator"]
    definition = node.child_by_field_name("definition")
    todo: list[tuple[Node | None, Scope]] = [(child, scope) for child in decorators]
    before = len(walk.stack)
    if definition is not None:
        if definition.type == "class_definition":
            class_(walk, definition, scope, decorators)
        else:
            function(walk, definition, scope, decorators)
    pending = walk.stack[before:]
    del walk.stack[before:]
    walk.stack.extend(pending)
    walk.later(todo)


def function(walk: Builder, node: Node, scope: Scope, decorators: list[Node] | None = None) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    site = walk.keep(name, scope, Site(0, 0, "function", scope, node, live=node.end_byte))
    outer = type_parameters(walk, node, scope)
    inner = Scope(walk.file, "function", node, outer, walk.text(name))
    inner.decorators = decorators or []
    inner.is_async = node.children[0].type == "async"
    inner.site = site
    site.scope = inner
    declared = node.child_by_field_name("parameters")
    todo: list[tuple[Node | None, Scope]] = []
    if declared is not None:
        todo += parameters(walk, declared, inner, outer)
    static = any(walk.text(d).lstrip("@").strip() == "staticmethod" for d in inner.decorators)
    if inner.method_of is not None and inner.parameters and not static:
        first = inner.parameters[0]
        if first.kind in ("positional", "normal"):
            inner.self_name = first.name
    todo.append((node.child_by_field_name("return_type"), outer))
    todo.append((node.child_by_field_name("body"), inner))
    todo[-1:-1] = [(child, inner) for child in node.children if child.type == "comment"]
    walk.later(todo)


def class_(walk: Builder, node: Node, scope: Scope, decorators: list[Node] | None = None) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    site = walk.keep(name, scope, Site(0, 0, "class", scope, node, live=node.end_byte))
    outer = type_parameters(walk, node, scope)
    inner = Scope(walk.file, "class", node, outer, walk.text(name))
    inner.decorators = decorators or []
    inner.site = site
    site.scope = inner
    bases = node.child_by_field_name("superclasses")
    todo: list[tuple[Node | None, Scope]] = []
    if bases is not None:
        for child in bases.named_children:
            if child.type == "keyword_argument":
                todo.append((child.child_by_field_name("value"), outer))
            else:
                if child.type != "comment":
                    inner.bases.append(child)
                todo.append((child, outer))
    todo.append((node.child_by_field_name("body"), inner))
    walk.later(todo)


def type_parameters(walk: Builder, node: Node, scope: Scope) -> Scope:
    declared = node.child_by_field_name("type_parameters")
    return scope if declared is None else type_scope(walk, declared, scope)


def type_scope(walk: Builder, parameters: Node, scope: Scope) -> Scope:
    inner = Scope(walk.file, "typeparams", parameters, scope)
    for child in parameters.named_children:
        binder: Node | None = child
        while binder is not None and binder.type != "identifier":
            children = binder.named_children
            if binder.type == "constrained_type":
                walk.later([(part, inner) for part in children[1:]])
            binder = children[0] if children else None
        if binder is not None:
            walk.keep(binder, inner, Site(0, 0, "typeparam", inner, binder))
    return inner


def parameters(walk: Builder, node: Node, inner: Scope, outer: Scope) -> list[tuple[Node | None, Scope]]:
    todo: list[tuple[Node | None, Scope]] = []
    keyword_only = False
    for child in node.named_children:
        if child.type == "positional_separator":
            for earlier in inner.parameters:
                earlier.kind = "positional"
            continue
        if child.type == "keyword_separator":
            keyword_only = True
            continue
        if child.type not in PARAMETERS:
            todo.append((child, inner))
            continue
        annotation = child.child_by_field_name("type")
        default = child.child_by_field_name("value")
        name = child.child_by_field_name("name") or child
        if child.type == "typed_parameter":
            name = child.named_children[0]
        kind = "keyword" if keyword_only else "normal"
        if name.type == "list_splat_pattern":
            kind, keyword_only = "star", True
        elif name.type == "dictionary_splat_pattern":
            kind = "kwargs"
        todo += [(annotation, outer), (default, outer)]
        if name.type == "tuple_pattern":
            walk.target(name, inner, "parameter", None)
            continue
        if name.type != "identifier":
            if not name.named_children:
                continue
            name = name.named_children[0]
        walk.keep(name, inner, Site(0, 0, "parameter", inner, child, default, annotation))
        inner.parameters.append(
            Parameter(walk.text(name), name.start_byte, name.end_byte, kind, child, default, annotation)
        )
    return todo
