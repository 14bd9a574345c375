"""Which definitions matter most for a focus: PageRank over the graph of who uses whose names.

The rank flows from a file to the files that define the names it uses (Page et al. 1999, with a
personalised restart: Haveliwala 2002). A name that many files define says little, and counts little.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from forgewright.code.query.index import Definition, Tags

DAMPING = 0.85
ROUNDS = 25
DEFINERS_MAX = 12
"""Names defined in more files than this carry no edge: `get`, `__init__` …"""


def ranked(tags: Mapping[str, Tags], focus: Collection[str]) -> list[tuple[float, str, Definition]]:
    """All definitions, the most important first. `focus`: paths, and names of symbols."""
    words = {word.rpartition(".")[2] for word in focus}
    definers = _definers(tags)
    start = _restart(tags, focus, words)
    edges = _edges(tags, definers, words)
    ranks = _pagerank(list(tags), edges, start)
    found: list[tuple[float, str, Definition]] = []
    inflow: dict[tuple[str, str], float] = {}
    for path, outgoing in edges.items():
        total = sum(weight for _, _, weight in outgoing) or 1.0
        for target, name, weight in outgoing:
            inflow[target, name] = inflow.get((target, name), 0.0) + ranks[path] * weight / total
    for path, tag in tags.items():
        floor = ranks[path] / (10 * (len(tag.definitions) or 1))
        for definition in tag.definitions:
            short = definition.name.rpartition(".")[2]
            score = inflow.get((path, short), 0.0) + floor / definition.depth
            if path in focus:
                score += start.get(path, 0.0) * 0.1 / definition.depth
            if definition.name in focus or short in words:
                score += 1.0
            found.append((score, path, definition))
    found.sort(key=lambda row: (-row[0], row[1], row[2].line))
    return found


def _definers(tags: Mapping[str, Tags]) -> dict[str, list[str]]:
    definers: dict[str, list[str]] = {}
    for path, tag in tags.items():
        for name in {definition.name.rpartition(".")[2] for definition in tag.definitions}:
            definers.setdefault(name, []).append(path)
    return {name: paths for name, paths in definers.items() if len(paths) <= DEFINERS_MAX}


def _edges(
    tags: Mapping[str, Tags], definers: Mapping[str, list[str]], words: Collection[str]
) -> dict[str, list[tuple[str, str, float]]]:
    """Path → (path of the definition, name, weight)."""
    edges: dict[str, list[tuple[str, str, float]]] = {}
    for path, tag in tags.items():
        outgoing = []
        for name, count in tag.uses.items():
            for target in definers.get(name, ()):
                if target != path:
                    weight = count**0.5 / len(definers[name])
                    weight *= 0.1 if name.startswith("_") else 1.0
                    weight *= 10.0 if name in words else 1.0
                    outgoing.append((target, name, weight))
        edges[path] = outgoing
    return edges


def _restart(tags: Mapping[str, Tags], focus: Collection[str], words: Collection[str]) -> dict[str, float]:
    start = {
        path: 1.0
        for path in tags
        if path in focus or any(path.startswith(f.rstrip("/") + "/") for f in focus)
    }
    for path, tag in tags.items():
        if any(d.name in focus or d.name.rpartition(".")[2] in words for d in tag.definitions):
            start[path] = start.get(path, 0.0) + 1.0
    start = start or dict.fromkeys(tags, 1.0)
    total = sum(start.values()) or 1.0
    return {path: weight / total for path, weight in start.items()}


def _pagerank(
    paths: list[str], edges: Mapping[str, list[tuple[str, str, float]]], start: Mapping[str, float]
) -> dict[str, float]:
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
