"""Which files and definitions a goal is about: BM25 over their words, their names and paths, and the names that it spells out.

A goal such as a changelog's entry or an issue names things in three ways: by a path or a dotted name (`app.util.parse`), by
an identifier (`parse_header`), and by words that also stand in comments, messages and names. The first say most.
BM25: Robertson and Zaragoza (2009), with a file's length counted less than usual, since long files are about many things.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping

from forgewright.code.query.goal import Goal
from forgewright.code.query.index import Definition, Tags
from forgewright.code.query.ranking import ranked
from forgewright.code.query.words import words

CANDIDATES_MAX = 400
"""Files whose definitions are looked at, best by their words."""
_K1, _B = 1.2, 0.4
_PATH_WEIGHT, _NAME_WEIGHT, _EXACT_WEIGHT, _MODULE_WEIGHT = 1.0, 0.6, 2.5, 2.0
_TEST_WEIGHT, _SIDE_WEIGHT = 0.2, 0.5
_TESTS = frozenset(("tests", "test", "testing", "testdata", "__tests__", "spec"))
_SIDE = frozenset(("vendor", "_vendor", "vendored", "third_party", "migrations", "locale", "node_modules"))


FILES_MIN = 12
"""Files that a map for a goal has room for at least."""


def for_goal(
    tags: Mapping[str, Tags], goal: Goal, focus: Collection[str], chars: int
) -> Iterator[tuple[float, str, Definition]]:
    """Definitions of the files that the goal is about, best file first; so many of each that at least `FILES_MIN` files fit
    into `chars`. For a goal about nothing here: as without one."""
    scores = relevance(tags, goal)
    for path in focus:
        if path in tags:
            scores[path] = scores.get(path, 0.0) + max(scores.values(), default=1.0)
    order = sorted(scores, key=lambda path: (-scores[path], path))
    for path in order:
        room = chars // FILES_MIN - len(path)
        best = sorted(tags[path].definitions, key=lambda d: (-relevant(d, goal), d.line))
        for definition in best:
            room -= 2 * len(definition.signature) + 12  # with its class, which is shown as well
            if room < 0 and definition is not best[0]:
                break
            yield scores[path], path, definition
    if not order:
        yield from ranked(tags, focus)


def relevance(tags: Mapping[str, Tags], goal: Goal) -> dict[str, float]:
    """Path → how much the goal is about the file. Files it is not about at all are left out."""
    scores, idf = _words(tags, goal)
    for path in tags:
        said = _PATH_WEIGHT * sum(idf[word] for word in set(words(path)) & idf.keys())
        if said:
            scores[path] = scores.get(path, 0.0) + said
    best = sorted(scores, key=lambda path: -scores[path])[:CANDIDATES_MAX]
    for path in best:
        named = {word for d in tags[path].definitions for word in words(d.name)}
        scores[path] += _NAME_WEIGHT * sum(idf[word] for word in named & idf.keys())
    for path, said in _spelled_out(tags, goal):
        scores[path] = scores.get(path, 0.0) + said
    return {path: score * _kind(path, goal) for path, score in scores.items()}


def relevant(definition: Definition, goal: Goal) -> float:
    """How much the goal is about one definition of a file."""
    outer, _, short = definition.name.rpartition(".")
    exact = 3.0 * (short in goal.names) + 1.0 * (outer in goal.names)
    said = words(short)
    return exact + sum(word in goal.terms for word in said) / (1 + len(said)) + 0.1 / definition.depth


def _words(tags: Mapping[str, Tags], goal: Goal) -> tuple[dict[str, float], dict[str, float]]:
    """BM25 of each file, and how much each word of the goal tells files apart."""
    mean = sum(len(tag.words) for tag in tags.values()) / (len(tags) or 1) or 1.0
    scores: dict[str, float] = {}
    idf: dict[str, float] = {}
    for term, times in goal.terms.items():
        wanted = f" {term} "
        counts = {path: count for path, tag in tags.items() if (count := tag.words.count(wanted))}
        idf[term] = math.log(1 + (len(tags) - len(counts) + 0.5) / (len(counts) + 0.5))
        weight = idf[term] * (1 + math.log(times))
        for path, count in counts.items():
            spread = _K1 * (1 - _B + _B * len(tags[path].words) / mean)
            scores[path] = scores.get(path, 0.0) + weight * count * (_K1 + 1) / (count + spread)
    return scores, idf


def _spelled_out(tags: Mapping[str, Tags], goal: Goal) -> Iterable[tuple[str, float]]:
    """What names in the goal add: to the files that define them, and to the modules that dotted names lead to."""
    definers: dict[str, list[str]] = {}
    for path, tag in tags.items():
        for name in {d.name.rpartition(".")[2] for d in tag.definitions} & goal.names:
            definers.setdefault(name, []).append(path)
    for paths in definers.values():
        code = [path for path in paths if not _is_test(path)] or paths
        for path in code:
            yield path, _EXACT_WEIGHT * math.log(1 + len(tags) / len(code)) / math.sqrt(len(code))
    modules: dict[str, list[str]] = {}
    for path in tags if goal.dotted else ():
        modules.setdefault(_module(path), []).append(path)
    for dotted in goal.dotted:
        parts = dotted.split(".")
        for length in range(len(parts), 1, -1):
            wanted = ".".join(parts[:length])
            found = [
                path for name, paths in modules.items() if f".{name}".endswith(f".{wanted}") for path in paths
            ]
            if found:
                for path in found:
                    yield path, _MODULE_WEIGHT * math.log(1 + len(tags) / len(found))
                break
    for said in goal.paths:
        for path in tags:
            if path == said or path.endswith("/" + said):
                yield path, _MODULE_WEIGHT * math.log(1 + len(tags))


def _module(path: str) -> str:
    stem, dot, _ = path.rpartition(".")
    module = (stem if dot else path).replace("/", ".")
    for name in (".__init__", ".index", ".mod"):
        module = module.removesuffix(name)
    return module


def _is_test(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return (
        not _TESTS.isdisjoint(folder.split("/"))
        or name.startswith(("test_", "tests.", "conftest."))
        or "_test." in name
        or ".test." in name
    )


def _kind(path: str, goal: Goal) -> float:
    if _is_test(path) and not goal.tests:
        return _TEST_WEIGHT
    return _SIDE_WEIGHT if not _SIDE.isdisjoint(path.split("/")) or ".min." in path else 1.0
