"""Takes secrets out of text, leaving which kind stood there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import log2
from typing import TYPE_CHECKING

import msgspec

from forgewright.journal.redact.keywords import Keywords
from forgewright.journal.redact.rules import Rule, rules

if TYPE_CHECKING:
    from re import Pattern

MARK = "[redacted:"
KNOWN_CHARS_MIN = 8
"""Shorter values of this machine are words that stand in any text."""
ASSIGNED_CHARS_MIN = 10
"""Of what stands under a name like `password`, shorter values are left alone."""

_HARMLESS = re.compile(
    r"(?i)^(?:x+|\*+|\.+|0+|none|null|true|false|changeme|example.*|your[-_].*|.*placeholder.*|sha256:.*|"
    r"[a-z_]+(?:\.[a-z_]+)+|\$\{?.*|%.*%|[a-z]+(?:[_-][a-z]+)*)$"
)
"""Values that stand where a secret would in documentation and code: words, names, variables."""


class Finding(msgspec.Struct, frozen=True):
    rule: str
    start: int
    end: int
    """In the text as it was given; never the secret itself."""


class Redacted(msgspec.Struct, frozen=True):
    text: str
    findings: tuple[Finding, ...]


class Redactor:
    """Looks for the rules' keywords in one pass, and tries a rule only around its own.

    `known` are secrets of this machine (API keys from the environment, say), which are taken out wherever they
    stand. `kinds` are what is taken out: `secrets`, and where a policy asks for it `email`, `phone`, `card` …
    """

    def __init__(self, known: Iterable[str] = (), *, kinds: Sequence[str] = ("secrets",)) -> None:
        chosen = [rule for rule in rules() if rule.kind in kinds]
        self._rules: dict[str, list[Rule]] = {}
        for rule in chosen:
            for keyword in rule.keywords:
                self._rules.setdefault(keyword, []).append(rule)
        self._keywords = Keywords(self._rules)
        self._occurs = self._keywords.first
        self._patterns: dict[str, tuple[Pattern[str], int]] = {}
        self._known = tuple(
            sorted({value for value in known if len(value) >= KNOWN_CHARS_MIN}, key=len, reverse=True)
        )
        self._hints = {value.split("\\")[0].split('"')[0] or value for value in self._known}

    def clean(self, text: str) -> str:
        """The text with each secret replaced by `[redacted:RULE]`; the very same where there is none."""
        return self.redact(text).text if self.suspects(text) else text

    def suspects(self, text: str) -> bool:
        """Whether it is worth a closer look; also of encoded JSON, in which no keyword is escaped."""
        return self._occurs(text.lower()) is not None or any(value in text for value in self._hints)

    def assigned(self, name: str, value: str) -> str:
        """The value, cleaned as what stands under that name."""
        if len(value) < ASSIGNED_CHARS_MIN or not self._occurs(name.lower()):
            return self.clean(value)
        start = len(name) + 2
        findings = [f for f in self.redact(f'{name}="{value}"').findings if f.start >= start]
        for finding in reversed(findings):
            value = f"{value[: finding.start - start]}{MARK}{finding.rule}]{value[finding.end - start :]}"
        return value

    def redact(self, text: str) -> Redacted:
        """The same, and what was found where."""
        findings = self._find(text)
        if not findings:
            return Redacted(text, ())
        parts, at = [], 0
        for finding in findings:
            parts += [text[at : finding.start], f"{MARK}{finding.rule}]"]
            at = finding.end
        return Redacted("".join([*parts, text[at:]]), tuple(findings))

    def _find(self, text: str) -> list[Finding]:
        """From the left, none overlapping another; where two do, the one that starts first stays."""
        found = [
            Finding("known", start, start + len(value))
            for value in self._known
            for start in _all(text, value)
        ]
        lower = text.lower()
        if len(lower) != len(text):  # a few letters grow when they are made small
            lower = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
        places: dict[str, tuple[Rule, list[int]]] = {}
        for keyword, at in self._keywords.places(lower).items():
            for rule in self._rules[keyword]:
                places.setdefault(rule.id, (rule, []))[1].extend(at)
        for rule, at in places.values():
            found += self._matches(rule, text, at)
        kept: list[Finding] = []
        for finding in sorted(found, key=lambda f: (f.start, -f.end)):
            if not kept or finding.start >= kept[-1].end:
                kept.append(finding)
        return kept

    def _matches(self, rule: Rule, text: str, places: list[int]) -> Iterable[Finding]:
        pattern, reach = self._patterns.get(rule.id) or self._compile(rule)
        for start, end in _windows(places, reach, len(text)):
            for match in pattern.finditer(text, start, end):
                group = match.lastindex or 0
                secret = match[group]
                if rule.entropy and (entropy(secret) < rule.entropy or _HARMLESS.match(secret)):
                    continue
                if MARK in secret or any(word in secret.lower() for word in rule.harmless):
                    continue
                if rule.luhn and not luhn(secret):
                    continue
                yield Finding(rule.id, *match.span(group))

    def _compile(self, rule: Rule) -> tuple[Pattern[str], int]:
        """The pattern, and how long a match can be: nothing further from a keyword can belong to one."""
        from re import _parser  # type: ignore[attr-defined]  # what `re` itself measures patterns with

        pattern = re.compile(rule.pattern)
        _, longest = _parser.parse(rule.pattern).getwidth()
        self._patterns[rule.id] = (pattern, min(int(longest), 1 << 20) + rule.near + 2)
        return self._patterns[rule.id]


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    size = len(text)
    return -sum((n := text.count(c)) / size * log2(n / size) for c in set(text)) if size else 0.0


def luhn(text: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B, on the digits of a card's number."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _windows(places: list[int], reach: int, size: int) -> Iterable[tuple[int, int]]:
    """What lies at most `reach` from one of the places, joined where it overlaps."""
    begin = end = -1
    for place in sorted(places):
        if place - reach > end:
            if end >= 0:
                yield begin, end
            begin = max(0, place - reach)
        end = min(size, place + reach)
    if end >= 0:
        yield begin, end


def _all(text: str, value: str) -> Iterable[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + len(value))
