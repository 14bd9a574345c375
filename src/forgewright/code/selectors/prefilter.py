"""Which files can hold what a selector names: told by glob, language, words that must occur and a look at the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from forgewright.code.globs import matcher
from forgewright.code.languages import FAMILIES, GRAMMARS, language_of
from forgewright.code.patterns.compiled import NoCode, compiled, literal_words
from forgewright.code.selectors.syntax import Complex, Compound, Selector

if TYPE_CHECKING:
    from forgewright.code.project import Project

_FAMILIES = tuple(dict.fromkeys(FAMILIES.get(language, (language,))[0] for language in GRAMMARS))
"""One language of each family: files in no language are not read."""


def files(project: Project, selector: Selector, within: str | Sequence[str] | None) -> Iterator[str]:
    """The files that can hold a match: by glob, by language, by words that must occur and a look at the text."""
    tests = [matcher(globs) for globs in (selector.globs, within) if globs]
    words = _words(selector)
    named = _plain_paths(selector.globs) or _plain_paths(
        [within] if isinstance(within, str) else within or ()
    )
    if named is not None:
        found: Iterator[str] = (path for path in named if _readable(project, path))
    elif words is None:
        found = project.paths()
    else:
        found = iter(sorted({path for group in words for path in _holding(project, group)}))
    patterns = any(compound.pattern for one in selector.choice for _, compound in one.steps)
    for path in found:
        if language_of(path) in GRAMMARS and all(test(path) for test in tests):
            if not patterns or any(_seen(project, path, one) for one in selector.choice):
                yield path


def _seen(project: Project, path: str, alternative: Complex) -> bool:
    """Whether a file's text can hold what the patterns of an alternative match."""
    language = language_of(path)
    data = project.source(path).data
    try:
        return all(
            compiled(compound.pattern, language).seen(data)
            for _, compound in alternative.steps
            if compound.pattern
        )
    except NoCode:
        return False


def _holding(project: Project, words: Sequence[bytes]) -> Iterator[str]:
    """The files in which all of these words occur."""
    ordered = sorted(set(words), key=len, reverse=True)
    for language in _FAMILIES:
        for path in project.containing(ordered[0], language):
            if len(ordered) == 1 or all(word in project.source(path).data for word in ordered[1:]):
                yield path


def _readable(project: Project, path: str) -> bool:
    return project.exists(path) and project.source(path) is not None


def _plain_paths(globs: Sequence[str]) -> list[str] | None:
    """The globs themselves if they are plain paths of source files: then no search is needed."""
    if not globs or any(set(g) & set("*?[{!") or "/" not in g or language_of(g) == "text" for g in globs):
        return None
    return list(globs)


def _words(selector: Selector) -> list[list[bytes]] | None:
    """Of each alternative the words that a file with a match holds; None if one has no such word."""
    found = []
    for alternative in selector.choice:
        words = [word for _, compound in alternative.steps for word in _compound_words(compound)]
        if not words:
            return None
        found.append(words)
    return found


def _compound_words(compound: Compound) -> Iterator[bytes]:
    for predicate in compound.predicates:
        if predicate.operator in ("=", "^=", "$=", "*=") and predicate.key not in (
            "index",
            "type",
            "qualified",
        ):
            word = predicate.value.rpartition(".")[2] if predicate.key == "name" else predicate.value
            if word and word.isidentifier():
                yield word.encode()
    if compound.dotted:
        yield compound.dotted.rpartition(".")[2].encode()
    if compound.pattern:
        yield from literal_words(compound.pattern)
