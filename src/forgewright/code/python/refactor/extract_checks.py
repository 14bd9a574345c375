"""What stands in the way of taking code out into a function: names that may be unbound, closures, frames, exceptions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forgewright.code.python.narrowing import LOOPS
from forgewright.code.python.refactor.certain import certainly_bound, surely_binds
from forgewright.code.python.refactor.flow import Flow, unconditional
from forgewright.code.python.refactor.listed import check_frames, frames_in
from forgewright.code.python.refactor.order import Place
from forgewright.code.python.refactor.region import DEFINITIONS, Region, walk_here
from forgewright.code.python.refactor.text import ancestors, has_docstring
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.resolver import PythonResolver
    from forgewright.code.python.scopes import Binding, Scope

SWALLOWING = re.compile(r"\b(?:suppress|raises|ignor\w*|catch\w*|swallow\w*)\b")


def check_selection(region: Region) -> None:
    """Refuse what is no code that runs, or means something by where it stands."""
    file = region.file
    if region.expression is not None:
        place = Place(region.expression)
        if place.target:
            raise EditRefused("the selection is bound, deleted or matched there", hint="select a value")
        if place.typed:
            raise EditRefused("the selection is an annotation", hint="select a value")
        if place.lazy == "part of a case" and "pattern" in _part(region.expression).type:
            raise EditRefused("the selection is a pattern", hint="select a value")
    else:
        block = region.statements[0].parent
        docs = has_docstring(block) if block is not None else None
        if docs is not None and docs in region.statements:
            raise EditRefused("the selection has a docstring in it", hint="select what comes behind it")
    word = frames_in(file, region.nodes())
    if word is not None:
        raise EditRefused(
            f"the selection has {word} in it, which is about the function it stands in", hint="leave it out"
        )


def _part(node: Node) -> Node:
    return next((p for p in ancestors(node) if p.parent is not None and p.parent.type == "case_clause"), node)


def check_names(region: Region, flow: Flow, parameters: list[str], outputs: list[str]) -> None:
    """Refuse where a name that goes in or out may have no value, or another one by then."""
    host = region.host
    if host.kind == "class" and (host.bases or host.decorators):
        _refuse_lost(host, [n for n in flow.writes if n not in outputs and region.expression is None])
    if host.kind != "function":
        return
    if flow.writes:
        check_frames(region.file, host, "the names that would go")
    for name in parameters:
        _check_given(region, flow, name)
    for name in outputs:
        sure = name in parameters or surely_binds(region.statements, flow.bindings[name], region.file)
        if not sure and not _read_at_once(region, flow, name):
            raise EditRefused(
                f"{name} may not be assigned in the selection, and is read afterwards",
                hint="assign it before, or select up to its last use",
            )
    own = [name for name in flow.writes if flow.bindings[name].scope is host]
    for name in own:
        _check_caught(region, flow.bindings[name], name)
        _check_declared(region, name)
    for name in {*own, *parameters}:
        binding = flow.bindings.get(name)
        if binding is not None and binding.scope is host:
            _check_closures(region, binding, name, written=name in own)


def _refuse_lost(host: Scope, lost: list[str]) -> None:
    if lost:
        raise EditRefused(
            f"{host.name} would have no {lost[0]} any more", hint="extract what is behind the = instead"
        )


def check_members(resolver: PythonResolver, region: Region, flow: Flow, outputs: list[str]) -> None:
    """Refuse to take attributes out of a class body that something reads."""
    if region.host.kind != "class" or region.expression is not None:
        return
    for name in flow.writes:
        used = re.compile(rb"\." + re.escape(name.encode()) + rb"\b")
        if name not in outputs and any(
            used.search(resolver.project.source(path).data)
            for path in resolver.project.containing(name.encode(), "python")
        ):
            _refuse_lost(region.host, [name])


def _read_at_once(region: Region, flow: Flow, name: str) -> bool:
    """Whether what comes next reads the name in any case, so that it fails there as it would here."""
    binding, after = flow.bindings[name], region.statements[-1].next_named_sibling
    while after is not None and after.type == "comment":
        after = after.next_named_sibling
    if after is None:
        return False
    tops = {(after.start_byte, after.end_byte)}
    return any(
        unconditional(region.file, ref.start, tops)
        and region.file.lookup(ref.scope, name, ref.start) is binding
        and not any(n.type in ("block", "lambda") for n in _between(region, ref.start, after))
        for ref in region.file.names.get(name, ())
        if after.start_byte <= ref.start < after.end_byte
    )


def _between(region: Region, start: int, top: Node) -> list[Node]:
    node = region.file.root.descendant_for_byte_range(start, start + 1)
    found = []
    while node is not None and node != top:
        found.append(node)
        node = node.parent
    return found


def _check_given(region: Region, flow: Flow, name: str) -> None:
    binding = flow.bindings.get(name)
    if binding is None or binding.scope is not region.host:
        return
    if certainly_bound(region.file, region.host, binding, region.first):
        return
    start = flow.reads.get(name)
    if start is not None and _always(region, start):
        return
    raise EditRefused(
        f"{name} may have no value before the selection", hint="assign it before, or select more"
    )


def _always(region: Region, start: int) -> bool:
    """Whether what stands at `start` in the region is computed whenever the region is."""
    node = region.file.root.descendant_for_byte_range(start, start + 1)
    if node is None:
        return False
    if region.expression is not None:
        return not Place(node, region.expression).lazy
    tops = {(s.start_byte, s.end_byte) for s in region.statements}
    return unconditional(region.file, start, tops) and not Place(node).lazy


def _check_caught(region: Region, binding: Binding, name: str) -> None:
    """Refuse where an exception would keep what was assigned from who reads it afterwards."""
    body = _guarded(region)
    if body is None or region.expression is not None:
        return
    last = [s for s in region.statements if s.type != "comment"][-1]
    sites = [s for s in binding.sites if region.contains(s.start)]
    simple = last.type == "expression_statement" and last.named_children[0].type == "assignment"
    if simple and all(last.start_byte <= s.start for s in sites):
        return
    looped = any(p.type in LOOPS for p in _up(region.first))
    for ref in region.file.names.get(name, ()):
        if region.file.lookup(ref.scope, name, ref.start) is not binding or region.contains(ref.start):
            continue
        if ref.start >= body.end_byte or (looped and ref.start < region.start):
            raise EditRefused(
                f"{name} is read after an exception, too",
                hint="select up to its assignment, or the whole try",
            )


def _up(node: Node) -> list[Node]:
    found = []
    for parent in ancestors(node):
        if parent.type in DEFINITIONS:
            break
        found.append(parent)
    return found


def _guarded(region: Region) -> Node | None:
    """The outermost body around the region out of which an exception is caught, or seen, in its function."""
    found: Node | None = None
    child: Node = region.first
    for parent in _up(region.first):
        if parent.type == "try_statement" and child == parent.child_by_field_name("body"):
            found = child
        elif parent.type == "with_statement" and child.type == "block":
            head = next((c for c in parent.named_children if c.type == "with_clause"), None)
            if head is not None and SWALLOWING.search(region.file.text(head)):
                found = child
        child = parent
    return found


def _check_declared(region: Region, name: str) -> None:
    for top in region.nodes():
        for node in walk_here(top):
            if node.type == "delete_statement" and any(
                child.type == "identifier" and region.file.text(child) == name
                for child in [
                    *node.named_children,
                    *(g for c in node.named_children for g in c.named_children),
                ]
            ):
                spots = [s for s in region.host.bindings[name].sites if not region.contains(s.start)]
                if spots:
                    raise EditRefused(f"the selection deletes {name}", hint="leave that out")


def check_declarations(region: Region) -> None:
    """Refuse to take a `global` or `nonlocal` away from the code around the selection."""
    file = region.file
    for top in region.nodes():
        for node in walk_here(top):
            if node.type not in ("global_statement", "nonlocal_statement"):
                continue
            for child in node.named_children:
                name = file.text(child)
                spots = [ref.start for ref in file.names.get(name, ())]
                for scope in file.scopes:
                    binding = scope.bindings.get(name)
                    spots += [site.start for site in binding.sites] if binding is not None else []
                own = region.host.node
                if any(own.start_byte <= s < own.end_byte and not region.contains(s) for s in spots):
                    raise EditRefused(
                        f"{name} is declared {node.type.split('_')[0]} in the selection, and used outside of it",
                        hint="leave the declaration out",
                    )


def _check_closures(region: Region, binding: Binding, name: str, *, written: bool) -> None:
    """Refuse where a function within the function would see another variable than before."""
    file, host = region.file, region.host
    if any(site.where is not host and _deferred(site.where) for site in binding.sites):
        raise EditRefused(f"{name} is assigned by a function within {host.name}", hint="extract less")
    inside = outside = False
    for ref in file.names.get(name, ()):
        if file.lookup(ref.scope, name, ref.start) is not binding or not later(ref.scope, host):
            continue
        if region.contains(ref.start):
            inside = True
        else:
            outside = True
    if outside and written:
        raise EditRefused(
            f"{name} is read by a function within {host.name}", hint="extract less, or that too"
        )
    if inside:
        loop = next((p for p in reversed(_up(region.first)) if p.type in LOOPS), None)
        for site in binding.sites:
            looped = loop is not None and loop.start_byte <= site.start < loop.end_byte
            if (site.start >= region.end or looped) and not region.contains(site.start):
                raise EditRefused(
                    f"{name} is assigned again, which a function in the selection sees", hint="extract less"
                )


def _deferred(scope: Scope) -> bool:
    return scope.kind in ("function", "lambda") or scope.node.type == "generator_expression"


def later(scope: Scope, host: Scope) -> bool:
    """Whether code of `scope` may run later than where it stands in `host`."""
    current: Scope | None = scope
    while current is not None and current is not host:
        if _deferred(current):
            parent = current.node.parent
            if current.node.type != "generator_expression" or parent is None or parent.type != "call":
                return True
        current = current.parent
    return False
