"""What the text of a file shows of a pattern before it is parsed: most files are known to hold no match by it.

The literal leaves of a pattern that stand beside one another are a run (`.get(`, `None)`): every match has all of
them, in order. Between two runs stand metavariables, each of which is code whose brackets close; so from the end of
the one the other is met outside of all brackets that were opened since. Where the text cannot be told apart with
certainty without parsing (strings that hold code, regular expressions), everything is taken for possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol

WORD = re.compile(r"[^\W\d]\w{2,}")
TOKENS_MAX = 20_000
"""Of one file, on the way from one run to the next; more are not looked through."""

_LOOSE = frozenset(("import_from_statement",))
"""Between whose leaves there can be brackets that the pattern does not have."""
_PLAIN = re.compile(rb"[A-Za-z_0-9]+|[.()\[\]:=]")
_BRACKET = re.compile(rb"[()\[\]{}]")

_SIMPLE = rb""""(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'"""
_SKIPPED = {
    "python": rb"""#[^\n]*+|(?<![fFtTrR])(?:'''(?:[^\\']|\\.|'(?!''))*+'''|\"""(?:[^\\"]|\\.|"(?!""))*+\"""|(?!'''|\""")(?:"""
    + _SIMPLE
    + rb"))",
    "java": rb'(?!""")(?:' + _SIMPLE + rb")",
    "go": _SIMPLE,
}
"""Comments and strings of which the end is sure; in other languages none is."""
_UNSURE = {"python": rb"""['"]""", "java": rb"""['"/]""", "go": rb"""['"/`]"""}
_UNSURE_ELSEWHERE = rb"""['"/`<#$]"""


class Leaf(Protocol):
    """What is asked of a pattern's nodes."""

    @property
    def node_type(self) -> str: ...
    @property
    def text(self) -> bytes: ...
    @property
    def variable(self) -> tuple[bool, str] | None: ...
    @property
    def parts(self) -> Sequence[Leaf]: ...


class Sights:
    """The runs of one pattern."""

    def __init__(self, root: Leaf, language: str) -> None:
        found = list(_runs(root))
        self._runs = tuple(re.compile(_run(leaves, language)) for leaves, _ in found)
        self._token = _token(language)
        self._pairs = tuple(
            (before, after)
            for before, after, (_, linked) in zip(self._runs, self._runs[1:], found[1:], strict=False)
            if linked
        )

    def seen(self, data: bytes) -> bool:
        """Whether a file can hold a match."""
        return all(run.search(data) is not None for run in self._runs) and all(
            _met(data, before, after, self._token) for before, after in self._pairs
        )


@cache
def _token(language: str) -> re.Pattern[bytes]:
    skipped, unsure = _SKIPPED.get(language, rb"(?!)"), _UNSURE.get(language, _UNSURE_ELSEWHERE)
    return re.compile(
        b"(?P<skipped>" + skipped + rb")|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<unsure>" + unsure + b")", re.S
    )


def _runs(root: Leaf) -> Iterator[tuple[list[bytes], bool]]:
    """The leaves of each run with a word among them, and whether no literal bracket stands between it and the last."""
    run: list[bytes] = []
    linked = False
    stack = [root]
    while stack or run:
        shape = stack.pop() if stack else None
        loose = shape is not None and shape.node_type in _LOOSE
        if shape is not None and shape.variable is None and shape.parts and not loose:
            stack.extend(reversed(shape.parts))
            continue
        if shape is not None and shape.variable is None and _PLAIN.fullmatch(shape.text):
            run.append(shape.text)
            continue
        if len(run) > 1 and any(WORD.fullmatch(text.decode()) for text in run):
            yield run, linked
            linked = True
        elif any(_BRACKET.search(text) for text in run):
            linked = False
        run = []
        if loose or (shape is not None and shape.variable is None and _BRACKET.search(shape.text)):
            linked = False


def _run(leaves: Sequence[bytes], language: str) -> bytes:
    """Some comments between the leaves are passed over; what comes behind more is taken for granted: so the search
    takes no longer than the text is long."""
    mark = b"#" if language == "python" else b"//"
    between = rb"(?:[\s,;\\]*+" + mark + rb"[^\n]{0,300}+\n){0,20}+[\s,;\\]*+"
    granted = b"#" if language == "python" else rb"//|/\*|<!--"
    expression = re.escape(leaves[-1])
    for leaf in reversed(leaves[:-1]):
        expression = re.escape(leaf) + between + b"(?:" + expression + b"|" + granted + b")"
    return expression


def _met(data: bytes, before: re.Pattern[bytes], after: re.Pattern[bytes], token: re.Pattern[bytes]) -> bool:
    """Whether from the end of some `before` an `after` is met where no bracket opened since is open."""
    found = before.search(data)
    met: re.Match[bytes] | None = None
    tokens = 0
    while found is not None:
        at = found.end()
        if found.group()[-1:] in (b"#", b"/", b"*", b"-"):
            return True
        depth = 0
        while depth >= 0:
            tokens += 1
            if met is None or met.start() < at:
                met = after.search(data, at)
                if met is None:
                    return False
            one = token.search(data, at)
            if depth == 0 and (one is None or met.start() <= one.start()):
                return True
            if one is None:
                break
            if one.lastgroup == "unsure" or tokens > TOKENS_MAX:
                return True
            depth += (one.lastgroup == "open") - (one.lastgroup == "close")
            at = one.end()
        found = before.search(data, found.start() + 1)
    return False
