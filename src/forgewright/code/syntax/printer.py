"""Prints operations back as text: the canonical form of a program, and the formatter that keeps comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forgewright.code.syntax.diagnostics import InvalidProgram
from forgewright.code.syntax.reader import Document, Reader, block

WIDTH = 100

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_UNPRINTABLE = re.compile(r"[\\'\n\t\r\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")


def print_form(name: str, arguments: Iterable[tuple[str, Any]]) -> str:
    """`(name key: value …)` on one line where it fits, else one argument a line."""
    pairs = [f"{key}: {print_value(value)}" for key, value in arguments]
    line = f"({' '.join([name, *pairs])})"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return f"({name}\n" + "\n".join("  " + pair for pair in pairs) + ")"


def print_value(value: Any) -> str:
    """A value as the reader reads it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return print_string(value)
    if isinstance(value, Mapping):
        return "{" + " ".join(f"{print_key(key)}: {print_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + " ".join(print_value(item) for item in value) + "]"
    raise TypeError(f"no value of the language: {value!r}")


def print_key(key: str) -> str:
    """A mapping's key: bare where it is a name, else quoted."""
    return key if _KEY.match(key) else "'" + _UNPRINTABLE.sub(_escape, key) + "'"


def print_string(text: str) -> str:
    """Quoted; a text block where it has several lines and can be one."""
    if "\n" in text and len(text) > 20:
        for quote in ("'''", '"""'):
            lines = "\n".join("    " + line if line else "" for line in text.split("\n")[:-1])
            last = text.rpartition("\n")[2]
            body = f"\n{lines}\n    {last}"
            if quote not in text and not text.endswith(quote[0]) and block(body) == text and _plain(text):
                return quote + body + quote
    return "'" + _UNPRINTABLE.sub(_escape, text) + "'"


def format_text(text: str) -> str:
    """The program in canonical layout, comments kept. Raises `InvalidProgram` if it cannot be read."""
    reader = Reader(text)
    document = reader.read()
    if reader.problems:
        raise InvalidProgram(reader.problems)
    return print_document(document)


def print_document(document: Document) -> str:
    out: list[str] = []
    for form in document.forms:
        out.extend(form.comments)
        if form.end_comments or any(argument.comments for argument in form.arguments):
            out.append(f"({form.name}")
            for argument in form.arguments:
                out.extend("  " + comment for comment in argument.comments)
                out.append(f"  {argument.key}: {print_value(argument.value)}")
            out.extend("  " + comment for comment in form.end_comments)
            out.append(")")
        else:
            out.append(print_form(form.name, ((a.key, a.value) for a in form.arguments)))
    out.extend(document.comments)
    return "".join(line + "\n" for line in out)


def _plain(text: str) -> bool:
    return not any(match.group() not in "\\'\n\t" for match in _UNPRINTABLE.finditer(text))


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPES:
        return _ESCAPES[char]
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
