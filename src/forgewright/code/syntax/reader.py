"""Reads s-expressions into forms: names, keyword arguments, values, with the place of each.

program   = form*
form      = "(" name (key value)* ")"
key       = name ":"
value     = string | number | "true" | "false" | "null" | word | "[" value* "]" | "{" (key value | string ":" value)* "}"
string    = "'" … "'" | '"' … '"'       escapes: \\n \\t \\r \\\\ \\' \\" \\0 \\xNN \\uNNNN \\UNNNNNNNN
          | "r'" … "'"                   raw
          | "'''" … "'''"                raw text block; after a line break at its start the common
                                         indentation is taken off (also with double quotes)
comment   = ";" … end of line            commas count as white space
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from forgewright.code.syntax.diagnostics import Problem

GRAMMAR_VERSION = 1

PROGRAM_CHARS_MAX = 1 << 20
DEPTH_MAX = 16

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(?![^\s'\"\[{\]}(),\d\-A-Za-z_.*$/@#])")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?=[\s\]})(,;]|$)")
_WORD = re.compile(r"[A-Za-z_.*$/@#][^\s()\[\]{}'\",;]*")
_SKIP = re.compile(r"[\s,]*")
_ESCAPE = re.compile(r"\\(?:([ntr0\\'\"])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(\n)|(.)|$)")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", "'": "'", '"': '"'}


class Argument(NamedTuple):
    key: str
    value: Any
    offset: int
    comments: tuple[str, ...]


class Form(NamedTuple):
    """One operation as written."""

    name: str
    arguments: tuple[Argument, ...]
    offset: int
    comments: tuple[str, ...]
    """Comment lines above it, with their `;`."""
    end_comments: tuple[str, ...]
    """Comment lines before its closing parenthesis."""


class Document(NamedTuple):
    forms: tuple[Form, ...]
    comments: tuple[str, ...]
    """Comment lines after the last form."""


class _Stop(Exception):
    """A mistake after which this form cannot be read on."""


class Reader(msgspec.Struct):
    """Reads one text. Mistakes are gathered in `problems`, and reading goes on at the next form."""

    text: str
    problems: list[Problem] = []
    at: int = 0
    pending: list[str] = []
    chars_max: int = PROGRAM_CHARS_MAX

    def read(self) -> Document:
        if len(self.text) > self.chars_max:
            self.problem(
                0, f"expected a program of at most {self.chars_max} characters, found {len(self.text)}"
            )
            return Document((), ())
        forms: list[Form] = []
        while True:
            self.skip()
            if self.at >= len(self.text):
                return Document(tuple(forms), self.taken())
            start = self.at
            try:
                forms.append(self.form())
            except _Stop:
                self.resume(start)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - (self.text.rfind("\n", 0, offset) + 1) + 1

    def problem(self, offset: int, message: str, hint: str = "") -> None:
        line, column = self.place(offset)
        self.problems.append(Problem(message, hint=hint, line=line, column=column))

    def resume(self, start: int) -> None:
        """Go on at the next line that begins with `(`."""
        found = self.text.find("\n(", max(self.at, start + 1) - 1)
        self.at = len(self.text) if found < 0 else found + 1

    def skip(self) -> None:
        while True:
            match = _SKIP.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            if not self.text.startswith(";", self.at):
                return
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            self.pending.append(self.text[self.at : end].rstrip())
            self.at = end

    def taken(self) -> tuple[str, ...]:
        comments = tuple(self.pending)
        self.pending = []
        return comments

    def form(self) -> Form:
        start = self.at
        comments = self.taken()
        if self.text[self.at] != "(":
            self.problem(
                self.at, f"expected '(', found {self.glimpse()}", "an operation is (name key: value …)"
            )
            raise _Stop
        self.at += 1
        self.skip()
        name = _NAME.match(self.text, self.at)
        if name is None:
            self.problem(self.at, f"expected the name of an operation, found {self.glimpse()}")
            raise _Stop
        self.at = name.end()
        if self.text.startswith(":", self.at):
            self.problem(start, "expected the name of an operation, found a key", "(name key: value …)")
            raise _Stop
        arguments = tuple(self.arguments(")", start))
        return Form(name.group(), arguments, start, comments, self.taken())

    def arguments(self, close: str, start: int, depth: int = 0) -> list[Argument]:
        found: list[Argument] = []
        while True:
            self.skip()
            if self.at >= len(self.text):
                self.problem(
                    start, f"expected {close!r} for the bracket opened here, found the end of the program"
                )
                raise _Stop
            if self.text[self.at] == close:
                self.at += 1
                return found
            offset = self.at
            comments = self.taken()
            name = self.key(close)
            self.skip()
            found.append(Argument(name, self.value(depth + 1), offset, comments))

    def key(self, close: str) -> str:
        """The name before a value; in a mapping it may be a string, which need not look like a name."""
        if close == "}" and self.text[self.at] in "'\"":
            name = self.string()
            self.skip()
            if self.text.startswith(":", self.at):
                self.at += 1
                return name
            self.problem(self.at, f"expected ':' after the key, found {self.glimpse()}", "{'key': value}")
            raise _Stop
        key = _KEY.match(self.text, self.at)
        if key is None:
            self.problem(
                self.at,
                f"expected 'key:' or {close!r}, found {self.glimpse()}",
                "every argument is named: key: value",
            )
            raise _Stop
        self.at = key.end()
        return key.group(1).replace("-", "_")

    def value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            self.problem(self.at, f"expected at most {DEPTH_MAX} levels of brackets")
            raise _Stop
        if self.at >= len(self.text):
            self.problem(self.at, "expected a value, found the end of the program")
            raise _Stop
        start = self.at
        char = self.text[start]
        if char in "'\"":
            return self.string()
        if char == "r" and self.text[start + 1 : start + 2] in ("'", '"'):
            return self.raw()
        if char == "[":
            self.at += 1
            return self.items(start, depth)
        if char == "{":
            self.at += 1
            return {a.key: a.value for a in self.arguments("}", start, depth)}
        number = _NUMBER.match(self.text, start)
        if number is not None:
            self.at = number.end()
            return float(number.group()) if number.group(1) or number.group(2) else int(number.group())
        word = _WORD.match(self.text, start)
        if word is None:
            self.problem(start, f"expected a value, found {self.glimpse()}", "text stands in quotes")
            raise _Stop
        self.at = word.end()
        return {"true": True, "false": False, "null": None}.get(word.group(), word.group())

    def items(self, start: int, depth: int) -> list[Any]:
        found: list[Any] = []
        while True:
            self.skip()
            if self.at >= len(self.text):
                self.problem(start, "expected ']' for the bracket opened here, found the end of the program")
                raise _Stop
            if self.text[self.at] == "]":
                self.at += 1
                return found
            found.append(self.value(depth + 1))

    def raw(self) -> str:
        start = self.at
        quote = self.text[start + 1]
        end = self.text.find(quote, start + 2)
        if end < 0:
            self.problem(start, f"expected a closing {quote}, found the end of the program")
            raise _Stop
        self.at = end + 1
        return self.text[start + 2 : end]

    def string(self) -> str:
        start = self.at
        quote = self.text[start]
        if self.text.startswith(quote * 3, start):
            end = self.text.find(quote * 3, start + 3)
            if end < 0:
                self.problem(start, f"expected a closing {quote * 3}, found the end of the program")
                raise _Stop
            while self.text.startswith(quote, end + 3):  # a quote that is the block's last character
                end += 1
            self.at = end + 3
            return block(self.text[start + 3 : end])
        out: list[str] = []
        at = start + 1
        while True:
            stop = at
            while stop < len(self.text) and self.text[stop] not in (quote, "\\"):
                stop += 1
            if stop >= len(self.text):
                self.problem(start, f"expected a closing {quote}, found the end of the program")
                raise _Stop
            out.append(self.text[at:stop])
            if self.text[stop] == quote:
                self.at = stop + 1
                return "".join(out)
            at = self.escape(stop, out)

    def escape(self, at: int, out: list[str]) -> int:
        match = _ESCAPE.match(self.text, at)
        assert match is not None
        simple, two, four, eight, line, other = match.groups()
        if simple:
            out.append(_SIMPLE[simple])
        elif two or four or (eight and int(eight, 16) <= 0x10FFFF):
            out.append(chr(int(two or four or eight, 16)))
        elif not line:
            self.problem(
                at,
                f"expected one of \\n \\t \\r \\\\ \\' \\\" \\xNN \\uNNNN, found \\{other or eight or ''}",
                "write \\\\ for a backslash, or the raw form r'…'",
            )
        return match.end()

    def glimpse(self) -> str:
        rest = self.text[self.at : self.at + 20].split("\n")[0]
        return (
            repr(rest)
            if rest
            else "the end of the line"
            if self.at < len(self.text)
            else "the end of the program"
        )


def block(text: str) -> str:
    """A text block's content: as it stands, without its common indentation if it begins with a line break."""
    text = text.replace("\r\n", "\n")
    head, line_break, body = text.partition("\n")
    if not line_break or head.strip():
        return text
    lines = body.split("\n")
    margin = min(
        (
            len(line) - len(line.lstrip(" \t"))
            for at, line in enumerate(lines)
            if line.strip() or at == len(lines) - 1
        ),
        default=0,
    )
    return "\n".join(line[margin:] for line in lines)
