"""Takes secrets out of text, leaving which kind stood there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import log2
from typing import TYPE_CHECKING

import msgspec

from forgewright.journal.redact.rules import Rule, rules

if TYPE_CHECKING:
    from re import Pattern

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
    """Compiles a rule when its keyword first occurs. `known` are secrets of this machine (API keys from the
    environment, say), which are taken out wherever they stand."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._rules = rules()
        self._patterns: dict[str, Pattern[str]] = {}
        self._known = tuple(sorted({value for value in known if len(value) >= 8}, key=len, reverse=True))

    def redact(self, text: str) -> Redacted:
        """The text with each secret replaced by `[redacted:RULE]`."""
        findings = self._find(text)
        if not findings:
            return Redacted(text, ())
        parts, at = [], 0
        for finding in findings:
            parts += [text[at : finding.start], f"[redacted:{finding.rule}]"]
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
        for rule in self._rules:
            if any(keyword in lower for keyword in rule.keywords):
                found += self._matches(rule, text)
        kept: list[Finding] = []
        for finding in sorted(found, key=lambda f: (f.start, -f.end)):
            if not kept or finding.start >= kept[-1].end:
                kept.append(finding)
        return kept

    def _matches(self, rule: Rule, text: str) -> Iterable[Finding]:
        pattern = self._patterns.get(rule.id)
        if pattern is None:
            pattern = self._patterns[rule.id] = re.compile(rule.pattern)
        group = 1 if pattern.groups else 0
        for match in pattern.finditer(text):
            secret = match[group]
            if rule.entropy and (entropy(secret) < rule.entropy or _HARMLESS.match(secret)):
                continue
            yield Finding(rule.id, *match.span(group))


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    size = len(text)
    return -sum((n := text.count(c)) / size * log2(n / size) for c in set(text)) if size else 0.0


def _all(text: str, value: str) -> Iterable[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + len(value))
