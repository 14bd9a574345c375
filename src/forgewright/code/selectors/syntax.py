"""The grammar of selectors, read into a small tree.

selector  = [globs "::"] (position | choice)
globs     = glob ("," glob)*
choice    = complex ("," complex)*
complex   = compound ((" " | ">" | "+" | "~") compound)*       inside · child · next sibling · later sibling
compound  = (kind | node-type | "*")? ("#" dotted-name)? ("[" predicate "]" | pseudo)*  |  "`" pattern "`"
predicate = key (("=" | "!=" | "^=" | "$=" | "*=" | "~=") value)?
pseudo    = ":has(" choice ")" | ":not(" choice ")" | ":is(" choice ")" | ":inside(" choice ")"
          | ":first" | ":last" | ":nth(" number ")"
position  = path ":" line [":" column]
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from forgewright.code.selectors.kinds import KINDS
from forgewright.code.syntax.diagnostics import SelectorError, nearest

SELECTOR_CHARS_MAX = 4000
DEPTH_MAX = 12

_POSITION = re.compile(r"(?:at:)?(?P<path>[^\s\[\]`]+?):(?P<line>\d+)(?::(?P<column>\d+))?\Z")
_TYPE = re.compile(r"\*|[A-Za-z_][A-Za-z0-9_-]*")
_DOTTED = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_OPERATOR = re.compile(r"[!^$*~]?=")
_BARE = re.compile(r"[^\]\s'\"][^\]]*")
_GLOBS = re.compile(r"(?P<globs>[^\s\[\]`()#'\"]+?(?:,\s*[^\s\[\]`()#'\"]+?)*)\s*::\s*")

_COMMA = re.compile(r",(?![^{]*\})")

Combinator = Literal["", " ", ">", "+", "~"]


class Predicate(NamedTuple):
    key: str
    operator: str
    """`=`, `!=`, `^=`, `$=`, `*=`, `~=`; empty: the key must be there."""
    value: str
    pattern: re.Pattern[str] | None = None


class Pseudo(NamedTuple):
    name: str
    """`has`, `not`, `is`, `inside`, `nth`."""
    choice: tuple[Complex, ...]
    number: int = 0


class Compound(NamedTuple):
    kind: str
    """A language-neutral kind, a node type of the grammar, or `*`; empty: what has a name of its own."""
    dotted: str
    predicates: tuple[Predicate, ...]
    pseudos: tuple[Pseudo, ...]
    pattern: str = ""


class Complex(NamedTuple):
    """Compounds from left to right, each with the combinator that stands before it."""

    steps: tuple[tuple[Combinator, Compound], ...]


class Selector(NamedTuple):
    globs: tuple[str, ...]
    choice: tuple[Complex, ...]
    position: str
    """`path:line[:column]`; then `choice` is empty."""


@lru_cache(1024)
def parse(text: str) -> Selector:
    """Raises `SelectorError` with the place of the mistake."""
    if len(text) > SELECTOR_CHARS_MAX:
        raise SelectorError(f"expected a selector of at most {SELECTOR_CHARS_MAX} characters")
    stripped = text.strip()
    if _POSITION.match(stripped):
        return Selector((), (), stripped.removeprefix("at:"))
    globs: tuple[str, ...] = ()
    reader = _Reader(text)
    reader.space()
    found = _GLOBS.match(text, reader.at)
    if found:
        globs = tuple(part.strip() for part in _COMMA.split(found["globs"]))
        reader.at = found.end()
    choice = reader.choice("")
    return Selector(globs, choice, "")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def fail(self, expected: str, hint: str = "") -> SelectorError:
        found = self.text[self.at : self.at + 12]
        what = repr(found) if found else "its end"
        return SelectorError(
            f"selector {self.text!r}, column {self.at + 1}: expected {expected}, found {what}",
            hint=hint or "for example: class[name=Cache] > method[name^=get]",
        )

    def space(self) -> bool:
        start = self.at
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at > start

    def take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def choice(self, close: str) -> tuple[Complex, ...]:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self.fail(f"at most {DEPTH_MAX} levels of brackets")
        found = []
        while True:
            found.append(self.complex(close))
            if not self.take(","):
                break
        if close and not self.take(close):
            raise self.fail(repr(close))
        if not close and self.at < len(self.text):
            raise self.fail("the end of the selector")
        self.depth -= 1
        return tuple(found)

    def complex(self, close: str) -> Complex:
        self.space()
        steps: list[tuple[Combinator, Compound]] = []
        combinator: Combinator = ""
        if close and self.text[self.at : self.at + 1] == ">":
            combinator = ">"
            self.at += 1
            self.space()
        while True:
            steps.append((combinator, self.compound()))
            spaced = self.space()
            following = self.text[self.at : self.at + 1]
            if following in (">", "+", "~"):
                combinator = ">" if following == ">" else "+" if following == "+" else "~"
                self.at += 1
                self.space()
            elif following in ("", ",", ")"):
                return Complex(tuple(steps))
            elif spaced:
                combinator = " "
            else:
                raise self.fail("a predicate, a combinator or the end")

    def compound(self) -> Compound:
        if self.take("`"):
            end = self.text.find("`", self.at)
            if end < 0:
                raise self.fail("a closing `")
            pattern = self.text[self.at : end]
            self.at = end + 1
            predicates, pseudos = self.tests()
            return Compound("*", "", predicates, pseudos, pattern)
        start = self.at
        found = _TYPE.match(self.text, self.at)
        kind = found.group() if found else ""
        self.at = found.end() if found else self.at
        dotted = ""
        if self.take("#"):
            name = _DOTTED.match(self.text, self.at)
            if name is None:
                raise self.fail("a name")
            dotted = name.group()
            self.at = name.end()
        predicates, pseudos = self.tests()
        if self.at == start:
            raise self.fail("a kind, a node type, '*', '#name' or `pattern`", f"kinds: {', '.join(KINDS)}")
        return Compound(kind, dotted, predicates, pseudos)

    def tests(self) -> tuple[tuple[Predicate, ...], tuple[Pseudo, ...]]:
        predicates: list[Predicate] = []
        pseudos: list[Pseudo] = []
        while True:
            if self.take("["):
                predicates.append(self.predicate())
            elif self.text.startswith(":", self.at) and not self.text.startswith("::", self.at):
                self.at += 1
                pseudos.append(self.pseudo())
            else:
                return tuple(predicates), tuple(pseudos)

    def predicate(self) -> Predicate:
        self.space()
        key = _KEY.match(self.text, self.at)
        if key is None:
            raise self.fail(
                "a key", "keys: name, text, type, index, or a field of the grammar (as function, operator)"
            )
        self.at = key.end()
        self.space()
        if self.take("]"):
            return Predicate(key.group(), "", "")
        operator = _OPERATOR.match(self.text, self.at)
        if operator is None:
            raise self.fail("one of = != ^= $= *= ~= or ']'")
        self.at = operator.end()
        self.space()
        value = self.value()
        self.space()
        if not self.take("]"):
            raise self.fail("']'")
        if operator.group() == "~=":
            try:
                return Predicate(key.group(), "~=", value, re.compile(value))
            except re.error as error:
                raise self.fail(f"a regular expression ({error})") from None
        return Predicate(key.group(), operator.group(), value)

    def value(self) -> str:
        for quote in ("'", '"'):
            if self.take(quote):
                end = self.text.find(quote, self.at)
                if end < 0:
                    raise self.fail(f"a closing {quote}")
                found = self.text[self.at : end]
                self.at = end + 1
                return found
        bare = _BARE.match(self.text, self.at)
        if bare is None:
            raise self.fail("a value")
        self.at = bare.end()
        return bare.group().rstrip()

    def pseudo(self) -> Pseudo:
        name = _KEY.match(self.text, self.at)
        word = name.group() if name else ""
        if word in ("first", "last"):
            self.at += len(word)
            return Pseudo("nth", (), 1 if word == "first" else -1)
        if word not in ("has", "not", "is", "inside", "nth"):
            known = ("has", "not", "is", "inside", "first", "last", "nth")
            raise self.fail("one of :has( :not( :is( :inside( :first :last :nth(", nearest(word, known))
        self.at += len(word)
        if not self.take("("):
            raise self.fail("'('")
        if word != "nth":
            return Pseudo(word, self.choice(")"))
        number = re.compile(r"\s*(-?\d{1,6})\s*\)").match(self.text, self.at)
        if number is None or int(number.group(1)) == 0:
            raise self.fail("a number from 1, or from -1 backwards, and ')'")
        self.at = number.end()
        return Pseudo("nth", (), int(number.group(1)))
