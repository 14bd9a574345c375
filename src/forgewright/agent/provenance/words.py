"""Values as they are compared: normalised text, its words, and the words that name something outside (addresses)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

_BREAK = re.compile(r"[\s\"'`“”‘’«»<>(){}\[\],;|*]+")
_EDGE = ".:!?…#-–—_=&"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}\Z")
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+\Z")
_DOMAIN = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:com|org|net|io|co|info|biz|dev|app|ai|me|ly|gg|xyz|top|site|online|ru|cn|eu|uk|de|fr|ch|us|in)"
    r"(?:[/:?#]\S*)?\Z"
)
_ACCOUNT = re.compile(r"[a-z]{2}\d{2}[a-z0-9]{8,30}\Z")
_TIME = re.compile(r"\d{1,2}:\d\d(?::\d\d)?\Z")
_ORDINAL = re.compile(r"\d{1,4}-?(?:st|nd|rd|th)\Z")
_SENTENCE = re.compile(r"(?<=[a-z0-9])\.(?=[A-Z][a-z])")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?\Z")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sep", "sept"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        1,
    )
    for name in names
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?=\D|$)"),
    re.compile(
        rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?:of )?(?P<year>\d{{4}}))?"
    ),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b\.?(?:,? (?P<year>\d{{4}}))?"
    ),
)


def normal(text: str) -> str:
    """Compatibility form, without case, spaces made one: what is equal so means the same to a reader."""
    return " ".join(normalize("NFKC", text).casefold().split())


def typed(text: str) -> str:
    """What a person typed, with the space that was forgotten after a full stop: `www.example.com.They sent`."""
    return _SENTENCE.sub(". ", text)


def words(text: str) -> Iterator[str]:
    """The words of normalised text. An e-mail address, a link, a date, an account number is one word."""
    for part in _BREAK.split(text):
        word = part.strip(_EDGE)
        if word:
            yield word


def is_address(word: str) -> bool:
    """Whether it leads somewhere: a link, a domain, an e-mail address, an account number."""
    return any(kind.match(word) for kind in (_EMAIL, _LINK, _DOMAIN, _ACCOUNT))


def is_name(word: str) -> bool:
    """Whether it names one thing, so that it can be neither worded nor computed: addresses, and codes such as
    `463820` or `HGK137803`. Times, dates and amounts (`98.70`) are none."""
    if is_address(word):
        return True
    if len(word) < 4 or not any(map(str.isdigit, word)):
        return False
    if _TIME.match(word) or _ORDINAL.match(word) or any(dates(word)):
        return False
    return number(word) is None or "." not in word


def number(word: str) -> float | None:
    """The number that a word is; without a currency sign or a unit of percent."""
    word = word.strip("$€£¥%").replace(",", "")
    return float(word) if len(word) <= 30 and _NUMBER.match(word) else None


def dates(text: str) -> Iterator[str]:
    """The dates that normalised text names, as `2025-01-02`, or `--01-02` where it names no year."""
    for pattern in _DATES:
        for found in pattern.finditer(text):
            month = found["month"]
            year = f"{found['year']}-" if found["year"] else "--"
            yield f"{year}{int(_MONTHS.get(month, 0) or month):02}-{int(found['day']):02}"


def stands_in(value: str, text: str) -> bool:
    """Whether `value` stands in `text` between the ends of words, both normalised."""
    at = text.find(value)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(value) : at + len(value) + 2]
        if not (before and (before.isalnum() or before in "@-_/.+")) and not _goes_on(after):
            return True
        at = text.find(value, at + 1)
    return False


def _goes_on(after: str) -> bool:
    if not after:
        return False
    if after[0].isalnum() or after[0] in "@_/":
        return True
    return after[0] in ".-:+" and after[1:].isalnum()
