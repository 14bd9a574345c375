"""Finds what a selector names: files by prefilter, candidates by type, then tests from right to left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forgewright.code.globs import matcher
from forgewright.code.languages import GRAMMARS, Unparsable, grammar, language_of
from forgewright.code.operations.base import Match
from forgewright.code.patterns.compiled import NoCode, compiled
from forgewright.code.selectors import kinds, nodes
from forgewright.code.selectors.prefilter import files
from forgewright.code.selectors.syntax import Complex, Compound, Predicate, Pseudo, Selector, parse
from forgewright.code.syntax.diagnostics import SelectorError, nearest

if TYPE_CHECKING:
    from tree_sitter import Node, Query

    from forgewright.code.project import Project, Source

MATCHES_MAX = 100_000
NAMED = ("definition", "variable", "field", "parameter")
"""What a compound without a kind means, as `#Cache` or `[name=get]`."""


def select(project: Project, text: str, within: str | Sequence[str] | None = None) -> Iterator[Match]:
    """All matches in the project, by path and position. Raises `SelectorError`."""
    selector = parse(text)
    if selector.position:
        from forgewright.code.selectors.positions import node_at

        yield node_at(project, selector.position)
        return
    check(selector)
    count = 0
    for path in files(project, selector, within):
        for match in matches_in(project, path, selector):
            count += 1
            if count > MATCHES_MAX:
                raise SelectorError(f"{text!r} matches more than {MATCHES_MAX} nodes", hint="narrow it")
            yield match
    if not count:
        check_patterns(project, selector, within)


def check_patterns(project: Project, selector: Selector, within: str | Sequence[str] | None) -> None:
    """Raises `SelectorError` for a pattern that is no code in any language of the files it is looked for in."""
    patterns = [c.pattern for alternative in selector.choice for _, c in alternative.steps if c.pattern]
    if not patterns:
        return
    tests = [matcher(globs) for globs in (selector.globs, within) if globs]
    languages = {language_of(path) for path in project.paths() if all(test(path) for test in tests)}
    for pattern in patterns:
        failures = []
        for language in sorted(languages & GRAMMARS.keys()):
            try:
                compiled(pattern, language)
            except SelectorError as error:
                failures.append(error)
        if failures and len(failures) == len(languages & GRAMMARS.keys()):
            raise failures[0]


def matches_in(project: Project, path: str, selector: Selector) -> list[Match]:
    """The matches in one file, none if a pattern is no code of its language.

    A tree that was parsed for nothing is not kept.
    """
    source = project.source(path)
    parsed = source.parsed
    try:
        found = in_source(source, selector)
    except (Unparsable, NoCode):
        found = []
    if not found and not parsed:
        source.forget_tree()
    return found


def in_source(source: Source, selector: Selector) -> list[Match]:
    """The matches in one file, in order."""
    found: dict[int, Match] = {}
    for alternative in selector.choice:
        for node, captures in _candidates(source, alternative):
            if node.id not in found:
                found[node.id] = Match(source, node, captures)
    return sorted(found.values(), key=lambda match: (match.start, -match.end))


def _candidates(source: Source, alternative: Complex) -> Iterator[tuple[Node, dict[str, Sequence[Node]]]]:
    compound = alternative.steps[-1][1]
    position = next((p.number for p in compound.pseudos if p.name == "nth"), 0)
    found = _fitting(source, source.tree.root_node, alternative)
    if not position:
        yield from found
        return
    ordered = list(found)
    at = position - 1 if position > 0 else len(ordered) + position
    if 0 <= at < len(ordered):
        yield ordered[at]


def _fitting(
    source: Source, root: Node, alternative: Complex
) -> Iterator[tuple[Node, dict[str, Sequence[Node]]]]:
    compound = alternative.steps[-1][1]
    for node in _of_kind(source, root, compound):
        captures: dict[str, Sequence[Node]] = {}
        if _fits(source, node, compound, captures) and _context(
            source, node, alternative, len(alternative.steps) - 1
        ):
            yield node, captures


def _of_kind(source: Source, root: Node, compound: Compound) -> Iterator[Node]:
    """All nodes below `root` that can be of the compound's kind."""
    language = source.language
    if compound.pattern:
        pattern = compiled(compound.pattern, language)
        candidates = pattern.candidates(source) if root.parent is None else None
        if candidates is not None:
            yield from candidates
            return
        types = pattern.root_types
    elif not compound.kind:
        types = tuple(sorted({t for kind in NAMED for t, _ in kinds.entries(language, kind)}))
    elif compound.kind == "*" or compound.kind in kinds.BY_CONDITION:
        types = None
    elif compound.kind in kinds.KINDS:
        types = tuple(sorted({node_type for node_type, _ in kinds.entries(language, compound.kind)}))
        if not types:
            return
    else:
        types = (compound.kind,)
    if types is None:
        yield from descendants(root)
        return
    query = _query(language, types)
    if query is None:
        return
    from tree_sitter import QueryCursor

    yield from sorted(
        QueryCursor(query).captures(root).get("m", ()), key=lambda node: (node.start_byte, -node.end_byte)
    )


def descendants(root: Node) -> Iterator[Node]:
    """The named nodes below and including `root`, in order."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and node.is_named:
            yield node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


@lru_cache(512)
def _query(language: str, types: tuple[str, ...]) -> Query | None:
    from tree_sitter import Query

    known = [name for name in types if grammar(language).id_for_node_kind(name, True)]
    return Query(grammar(language), "[" + " ".join(f"({name})" for name in known) + "] @m") if known else None


def _fits(source: Source, node: Node, compound: Compound, captures: dict[str, Any]) -> bool:
    language = source.language
    if compound.pattern:
        found = compiled(compound.pattern, language).match(node, source.data)
        if found is None:
            return False
        captures.update(found)
    elif not compound.kind:
        if not any(nodes.is_kind(node, kind, language) for kind in NAMED):
            return False
    elif compound.kind != "*" and not nodes.is_kind(node, compound.kind, language):
        return False
    if compound.dotted and not _dotted(node, compound.dotted, language):
        return False
    return all(_holds(node, predicate, language) for predicate in compound.predicates) and all(
        _pseudo(source, node, pseudo) for pseudo in compound.pseudos
    )


def _dotted(node: Node, dotted: str, language: str) -> bool:
    if not (
        nodes.is_kind(node, "definition", language) or nodes.kind_of(node, language) in ("variable", "field")
    ):
        return False
    found = nodes.qualified(node, language)
    return found == dotted or found.endswith("." + dotted)


def _context(source: Source, node: Node, alternative: Complex, at: int) -> bool:
    """Whether what stands left of step `at` fits around `node`."""
    if at == 0:
        return True
    combinator = alternative.steps[at][0]
    compound = alternative.steps[at - 1][1]
    for near in _related(node, combinator):
        if _fits(source, near, compound, {}) and _context(source, near, alternative, at - 1):
            return True
    return False


def _related(node: Node, combinator: str) -> Iterator[Node]:
    if combinator in ("+", "~"):
        before = nodes.whole(node).prev_named_sibling
        while before is not None:
            yield before
            if before.type in nodes.WRAPPERS:
                yield before.named_children[-1]
            before = before.prev_named_sibling if combinator == "~" else None
        return
    up = node.parent
    while up is not None:
        yield up
        if combinator == ">" and up.type not in TRANSPARENT:
            return
        up = up.parent


TRANSPARENT = nodes.WRAPPERS | frozenset(
    (
        "block",
        "statement_block",
        "class_body",
        "declaration_list",
        "interface_body",
        "enum_body",
        "expression_statement",
        "lexical_declaration",
        "variable_declaration",
        "variable_declarator",
        "parameters",
        "formal_parameters",
        "lambda_parameters",
        "argument_list",
        "arguments",
        "statement_list",
        "field_declaration_list",
        "parameter_list",
        "object_type",
    )
)
"""Nodes that are only the grammar's way of writing lists: `class > method` looks through them."""


def _holds(node: Node, predicate: Predicate, language: str) -> bool:
    key = predicate.key
    if key == "name":
        values: Sequence[str] = nodes.names(node)
    elif key == "text":
        values = (nodes.text(node),)
    elif key == "type":
        values = (node.type,)
    elif key == "index":
        values = (str(_index(node, language)),)
    elif key == "qualified":
        values = (nodes.qualified(node, language),)
    else:
        children = node.children_by_field_name(key) or [c for c in node.children if c.type == key]
        if not predicate.operator:
            return bool(children)
        values = tuple(nodes.text(child) for child in children)
        if not values:
            return predicate.operator == "!="
    if not predicate.operator:
        return any(values)
    if predicate.operator == "!=":
        return predicate.value not in values
    return any(_compare(predicate, value) for value in values)


def _compare(predicate: Predicate, value: str) -> bool:
    match predicate.operator:
        case "=":
            return value == predicate.value
        case "^=":
            return value.startswith(predicate.value)
        case "$=":
            return value.endswith(predicate.value)
        case "*=":
            return predicate.value in value
        case _:
            assert predicate.pattern is not None
            return predicate.pattern.search(value[:10_000]) is not None


def _index(node: Node, language: str) -> int:
    """Place among the siblings of the same kind, from 0."""
    node = nodes.whole(node)
    kind = nodes.kind_of(node, language)
    index = 0
    sibling = node.prev_named_sibling
    while sibling is not None:
        index += nodes.kind_of(sibling, language) == kind or (kind == node.type and sibling.type != "comment")
        sibling = sibling.prev_named_sibling
    return index


def _pseudo(source: Source, node: Node, pseudo: Pseudo) -> bool:
    match pseudo.name:
        case "nth":
            return True
        case "is":
            return any(_matches(source, node, alternative) for alternative in pseudo.choice)
        case "not":
            return not any(_matches(source, node, alternative) for alternative in pseudo.choice)
        case "inside":
            return any(
                _matches(source, up, alternative)
                for up in _related(node, " ")
                for alternative in pseudo.choice
            )
        case _:
            return any(_has(source, node, alternative) for alternative in pseudo.choice)


def _matches(source: Source, node: Node, alternative: Complex) -> bool:
    last = len(alternative.steps) - 1
    return _fits(source, node, alternative.steps[last][1], {}) and _context(source, node, alternative, last)


def _has(source: Source, node: Node, alternative: Complex) -> bool:
    direct = alternative.steps[0][0] == ">"
    for found, _ in _fitting(source, node, alternative):
        if found != node and (not direct or any(up == node for up in _related(found, ">"))):
            return True
    return False


def check(selector: Selector) -> None:
    """Raises `SelectorError` for a kind or node type that no grammar knows."""
    for alternative in selector.choice:
        for _, compound in alternative.steps:
            kind = compound.kind
            if kind not in ("", "*") and kind not in kinds.KINDS and not _known_type(kind):
                hint = (
                    nearest(kind, kinds.KINDS)
                    or f"a name is written #{kind}; kinds: {', '.join(kinds.KINDS)}"
                )
                raise SelectorError(f"there is no kind or node type {kind!r}", hint=hint)
            for pseudo in compound.pseudos:
                check(Selector((), pseudo.choice, ""))


@lru_cache(512)
def _known_type(name: str) -> bool:
    return any(grammar(language).id_for_node_kind(name, True) for language in GRAMMARS)
