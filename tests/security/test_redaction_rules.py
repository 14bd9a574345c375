"""Every rule by itself: a secret of its form, made from its pattern, is found in several frames; one that is cut short,
or that lacks the rule's keyword, is none of that rule."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]  # the parse tree of a pattern
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import msgspec
import pytest

from forgewright.journal.redact import rules as module
from forgewright.journal.redact.cleaner import Cleaner
from forgewright.journal.redact.redactor import Redactor, luhn
from forgewright.journal.redact.rules import KINDS, Rule, rules

PRINTABLE = [chr(n) for n in range(33, 127)]


def sample(tree: Any, rng: random.Random) -> str:
    """A text that the parsed pattern matches; assertions are left to chance, and tried again."""
    out = ""
    for op, value in tree:
        match op:
            case c.LITERAL:
                out += chr(value)
            case c.NOT_LITERAL:
                out += rng.choice([ch for ch in PRINTABLE if ord(ch) != value])
            case c.IN:
                out += rng.choice(
                    [ch for ch in PRINTABLE if _in(value, ch)] or [ch for ch in " \n\t" if _in(value, ch)]
                )
            case c.MAX_REPEAT | c.MIN_REPEAT:
                low, high, inner = value
                times = min(
                    high, max(low, 0 if low == 0 and op is c.MIN_REPEAT else low + (rng.random() < 0.5))
                )
                out += "".join(sample(inner, rng) for _ in range(times))
            case c.BRANCH:
                out += sample(rng.choice(value[1]), rng)
            case c.SUBPATTERN:
                out += sample(value[3], rng)
            case c.ASSERT | c.ASSERT_NOT | c.AT:
                pass
            case _:
                raise AssertionError(op)
    return out


def _in(items: Any, character: str) -> bool:
    code, found, negated = ord(character), False, False
    for op, value in items:
        match op:
            case c.NEGATE:
                negated = True
            case c.LITERAL:
                found |= value == code
            case c.RANGE:
                found |= value[0] <= code <= value[1]
            case c.CATEGORY:
                kind = str(value)
                inside = {
                    "SPACE": character.isspace(),
                    "DIGIT": character.isdigit(),
                    "WORD": character.isalnum(),
                }
                name = kind.removeprefix("CATEGORY_").removeprefix("NOT_")
                found |= inside[name] != ("NOT_" in kind)
    return found != negated


def positive(rule: Rule, rng: random.Random) -> tuple[str, str]:
    """A text with a secret of that rule, and the secret."""
    tree = _parser.parse(rule.pattern)
    for _ in range(2_000):
        text = sample(tree, rng)
        if rule.near:
            text = f"{rng.choice(rule.keywords)} {text}"
        found = [f for f in Redactor(kinds=[rule.kind]).redact(text).findings if f.rule == rule.id]
        if found and (not rule.luhn or luhn(text)):
            return text, text[found[0].start : found[0].end]
    raise AssertionError(f"no sample of {rule.id} is found by it")


LINES = ["{}", "line\n{}\nline", "```\n{}\n```"]
FRAMES = [*LINES, "see {} .", "a\r\n{}\r\nb"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_a_rule_finds_its_form_and_not_what_lacks_it(rule: Rule) -> None:
    rng = random.Random(rule.id)
    alone = Redactor(kinds=[rule.kind])
    for _ in range(2):
        text, secret = positive(rule, rng)
        for frame in LINES if "(?m)" in rule.pattern else FRAMES:
            clean = alone.redact(frame.format(text))
            assert secret not in clean.text, (frame, text)
            assert alone.redact(clean.text).text == clean.text
        cut = text.replace(secret, secret[: min(4, len(secret) // 3)])
        assert rule.id not in {f.rule for f in alone.redact(cut).findings}, cut
        blunt = re.sub("|".join(map(re.escape, rule.keywords)), lambda m: "#" * len(m[0]), text, flags=re.I)
        assert rule.id not in {f.rule for f in alone.redact(blunt).findings}, blunt


def test_the_file_is_toml_and_is_read_as_such() -> None:
    path = Path(module.__file__).with_name("rules.toml")
    whole = msgspec.convert(tomllib.loads(path.read_text("utf-8"))["rule"], type=tuple[Rule, ...])
    assert whole == rules()
    assert len({rule.id for rule in whole}) == len(whole) >= 200
    assert {rule.kind for rule in whole} == set(KINDS)
    assert not any(
        set(word) & set("\\\n") for rule in whole for word in rule.keywords
    )  # what JSON would escape


def test_secrets_inside_encoded_json_and_under_telling_names() -> None:
    cleaner = Cleaner(["own-secret-of-this-machine"])
    pem = (
        "-----BEGIN PRIVATE KEY-----\n"
        + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" * 3
        + "\n-----END PRIVATE KEY-----"
    )
    tree = {
        "log": ["fine", f"x\n{pem}\ny", "own-secret-of-this-machine"],
        "password": "vK9-qLz2-mXw8RtY4pd",
        "opaque": pem,
        "n": 7,
    }
    data = msgspec.json.encode(tree)
    clean = msgspec.json.decode(cleaner.json(data))
    assert clean == {
        "log": ["fine", "x\n[redacted:private-key]\ny", "[redacted:known]"],
        "password": "[redacted:assigned-secret]",
        "opaque": pem,
        "n": 7,
    }
    assert cleaner.json(cleaner.json(data)) == cleaner.json(data)
    fine = b'{"a":[1,"two",null]}'
    assert cleaner.json(fine) is fine


def test_persons_are_left_alone_unless_a_policy_asks() -> None:
    text = "write to ada@example.com or +49 30 901820, card 4111 1111 1111 1111, from 192.0.2.17, DE89 3704 0044 0532 0130 00"
    assert Cleaner().text(text) == text
    everything = Cleaner().with_kinds(KINDS).text(text)
    assert everything == (
        "write to [redacted:email] or [redacted:phone], card [redacted:card], from [redacted:ip], [redacted:iban]"
    )
    assert Cleaner().with_kinds(["email"]).text(text) == text.replace("ada@example.com", "[redacted:email]")
