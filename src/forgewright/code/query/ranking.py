"""Which definitions matter most for a focus: PageRank over the graph of who uses whose names.

The rank flows from a file to the files that define the names it uses (Page et al. 1999, with a
personalised restart: Haveliwala 2002). A name that many files define says little, and counts little.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set

from forgewright.code.query.index import Definition, Tags
from forgewright.code.uncollected import uncollected

DAMPING = 0.85
ROUNDS = 25
DEFINERS_MAX = 12
"""Names defined in more files than this carry no edge: `get`, `__init__` …"""


Edges = Mapping[str, list[tuple[str, str, float]]]
"""Path → (path of the definition, name, weight)."""


def ranked(tags: Mapping[str, Tags], focus: Collection[str]) -> list[tuple[float, str, Definition]]:
    """All definitions, the most important first. `focus`: paths, and names of symbols."""
    with uncollected():
        return _ranked(tags, focus)


def _ranked(tags: Mapping[str, Tags], focus: Collection[str]) -> list[tuple[float, str, Definition]]:
    words = {word.rpartition(".")[2] for word in focus}
    shorts = {path: [d.name.rpartition(".")[2] for d in tag.definitions] for path, tag in tags.items()}
    start = _restart(tags, shorts, focus, words)
    edges = _edges(tags, _definers(shorts), words)
    ranks = _pagerank(list(tags), edges, start)
    inflow = _inflow(edges, ranks)
    found: list[tuple[float, str, Definition]] = []
    for path, tag in tags.items():
        floor = ranks[path] / (10 * (len(tag.definitions) or 1))
        near = start.get(path, 0.0) * 0.1 if path in focus else 0.0
        into = inflow[path]
        for definition, short in zip(tag.definitions, shorts[path], strict=True):
            score = into.get(short, 0.0) + (floor + near) / definition.depth
            if definition.name in focus or short in words:
                score += 1.0
            found.append((score, path, definition))
    found.sort(key=lambda row: (-row[0], row[1], row[2].line))
    return found


def _inflow(edges: Edges, ranks: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Path → name → the rank that flows to it."""
    inflow: dict[str, dict[str, float]] = {path: {} for path in edges}
    for path, outgoing in edges.items():
        share = ranks[path] / (sum([weight for _, _, weight in outgoing]) or 1.0)
        if not share:
            continue
        for target, name, weight in outgoing:
            into = inflow[target]
            into[name] = into.get(name, 0.0) + weight * share
    return inflow


def _definers(shorts: Mapping[str, list[str]]) -> dict[str, list[str]]:
    definers: dict[str, list[str]] = {}
    for path, names in shorts.items():
        for name in set(names):
            definers.setdefault(name, []).append(path)
    return {name: paths for name, paths in definers.items() if len(paths) <= DEFINERS_MAX}


def _edges(tags: Mapping[str, Tags], definers: Mapping[str, list[str]], words: Set[str]) -> Edges:
    edges: dict[str, list[tuple[str, str, float]]] = {}
    for path, tag in tags.items():
        outgoing = edges[path] = []
        uses = tag.uses
        for name in [name for name in uses if name in definers]:
            targets = definers[name]
            weight = uses[name] ** 0.5 / len(targets)
            weight *= 0.1 if name.startswith("_") else 1.0
            weight *= 10.0 if name in words else 1.0
            for target in targets:
                if target != path:
                    outgoing.append((target, name, weight))
    return edges


def _restart(
    tags: Mapping[str, Tags],
    shorts: Mapping[str, list[str]],
    focus: Collection[str],
    words: Set[str],
) -> dict[str, float]:
    folders = tuple(f.rstrip("/") + "/" for f in focus)
    start = {path: 1.0 for path in tags if path in focus or path.startswith(folders)}
    if words:
        for path, tag in tags.items():
            if not words.isdisjoint(shorts[path]) or any(d.name in focus for d in tag.definitions):
                start[path] = start.get(path, 0.0) + 1.0
    start = start or dict.fromkeys(tags, 1.0)
    total = sum(start.values()) or 1.0
    return {path: weight / total for path, weight in start.items()}


def _pagerank(paths: list[str], edges: Edges, start: Mapping[str, float]) -> dict[str, float]:
    number = {path: at for at, path in enumerate(paths)}
    restart = [start.get(path, 0.0) for path in paths]
    outgoing: list[list[tuple[int, float]]] = []
    for path in paths:
        merged: dict[int, float] = {}
        for target, _, weight in edges[path]:
            merged[number[target]] = merged.get(number[target], 0.0) + weight
        total = sum(merged.values())
        outgoing.append([(target, DAMPING * weight / total) for target, weight in merged.items()])
    ranks = list(restart)
    for _ in range(ROUNDS):
        fresh: list[float] = [0.0] * len(paths)
        lost = 0.0
        for at, rank in enumerate(ranks):
            if not rank:
                continue
            if not outgoing[at]:
                lost += rank
                continue
            lost += (1 - DAMPING) * rank
            for to, share in outgoing[at]:
                fresh[to] += share * rank
        moved = sum(abs(fresh[at] + lost * restart[at] - ranks[at]) for at in range(len(paths)))
        ranks = [fresh[at] + lost * restart[at] for at in range(len(paths))]
        if moved < 1e-6:
            break
    return dict(zip(paths, ranks, strict=True))
