"""Secrets are taken out, whatever they stand in; code, digests and names are left alone."""

from __future__ import annotations

import random
import re
import string
import time
from pathlib import Path

import pytest

from forgewright.journal.redact.redactor import Redactor, entropy
from forgewright.journal.redact.rules import rules

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def rand(rng: random.Random, alphabet: str, n: int) -> str:
    """A value that looks random: so that no real secret, and nothing that looks like one, stands in this file."""
    return "".join(rng.choices(alphabet, k=n))


def samples(rng: random.Random) -> dict[str, str]:
    """Rule → a secret of its form."""
    a, h = (lambda n: rand(rng, ALNUM, n)), (lambda n: rand(rng, HEX, n))
    upper = string.ascii_uppercase + "234567"
    return {
        "private-key": "-----BEGIN RSA PRIVATE "
        + f"KEY-----\n{a(64)}\n{a(64)}\n-----END RSA PRIVATE KEY-----",
        "age-key": "AGE-SECRET-KEY-1" + rand(rng, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
        "forgewright-key": f"PRIVATE+KEY+forgewright-x+{h(8)}+{a(44)}",
        "aws-access-key-id": "AKIA" + rand(rng, upper, 16),
        "github-token": "ghp_" + a(36),
        "github-fine-grained-token": f"github_pat_{a(22)}_{a(59)}",
        "gitlab-token": "glpat-" + a(20),
        "openai-key": f"sk-proj-{a(40)}T3BlbkFJ{a(40)}",
        "anthropic-key": "sk-ant-api03-" + a(93),
        "openrouter-key": "sk-or-v1-" + h(64),
        "google-api-key": "AIza" + a(35),
        "google-oauth-token": "ya29." + a(60),
        "google-oauth-secret": "GOCSPX-" + a(28),
        "huggingface-token": "hf_" + rand(rng, string.ascii_letters, 34),
        "replicate-token": "r8_" + a(37),
        "groq-key": "gsk_" + a(52),
        "slack-token": f"xoxb-{rand(rng, string.digits, 11)}-{rand(rng, string.digits, 11)}-{a(24)}",
        "slack-webhook": f"https://hooks.slack.com/services/{a(9)}/{a(10)}/{a(24)}",
        "discord-webhook": f"https://discord.com/api/webhooks/{rand(rng, string.digits, 18)}/{a(68)}",
        "telegram-bot-token": f"bot {rand(rng, '123456789', 10)}:AA{a(33)}",
        "stripe-key": "sk_live_" + a(24),
        "shopify-token": "shpat_" + h(32),
        "sendgrid-key": f"SG.{a(22)}.{a(43)}",
        "mailgun-key": "key-" + h(32),
        "twilio-key": "SK" + h(32),
        "npm-token": "npm_" + a(36),
        "pypi-token": "pypi-AgEIcHlwaS5vcmc" + a(80),
        "rubygems-key": "rubygems_" + h(48),
        "docker-token": "dckr_pat_" + a(27),
        "digitalocean-token": "dop_v1_" + h(64),
        "databricks-token": "dapi" + h(32),
        "hashicorp-vault-token": "hvs." + a(90),
        "grafana-token": f"glsa_{a(32)}_{h(8)}",
        "newrelic-key": "NRAK-" + rand(rng, string.ascii_uppercase + string.digits, 27),
        "linear-key": "lin_api_" + a(40),
        "postman-key": f"PMAK-{h(24)}-{h(34)}",
        "supabase-token": "sbp_" + h(40),
        "json-web-token": f"eyJ{a(30)}.eyJ{a(60)}.{a(43)}",
    }


FRAMES = [
    "{}",
    "key: {}",
    'token = "{}"',
    '{{"a":"{}"}}',
    "x={} y",
    "line\n{}\nline",
    "https://h/?k={}&b=1",
    "({})",
]


@pytest.mark.parametrize("rule", sorted(samples(random.Random(0))))
def test_a_secret_is_taken_out_wherever_it_stands(rule: str) -> None:
    redactor = Redactor()
    for seed in range(5):
        secret = samples(random.Random(f"{rule}{seed}"))[rule]
        body = secret.removeprefix("bot ")
        for frame in FRAMES:
            found = redactor.redact(frame.format(secret))
            assert body not in found.text, (frame, secret)
            assert "[redacted:" in found.text
            assert all(frame.format(secret)[f.start : f.end] not in found.text for f in found.findings)


def test_values_are_taken_by_the_name_they_are_assigned_to() -> None:
    redactor = Redactor()
    rng = random.Random(5)
    for frame in (
        'password = "{}"', "API_KEY={}", "client_secret: {}", '{{"access_key": "{}"}}', r'{{\"token\":\"{}\"}}',
        "postgres://user:{}@db.example.com/x", "Authorization: Bearer {}", "aws_secret_access_key = {}",
    ):  # fmt: skip
        secret = rand(rng, ALNUM, 40)
        found = redactor.redact(frame.format(secret))
        assert secret not in found.text, frame
        assert found.text.startswith(frame[:5].replace("{{", "{"))


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + "ab12" * 16,
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "token = os.environ['GITHUB_TOKEN']",
        "password: str = settings.database.password",
        'api_key = "your-api-key-goes-here"',
        "def get_access_token(self, refresh_token_lifetime_seconds=3600):",
        "secret = get_secret_value_from_manager(name)",
        "max_tokens=4096, total_tokens=1234567890",
        "https://user@example.com/path:8080",
        "https://example.com:8080/a@b",
        "skeleton sk-learn task-force risk-averse-management-style",
        "AKIA is the prefix of an access key id",
        "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
        "the password must have at least sixteen characters",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert Redactor().redact(text).text == text


def test_this_projects_own_code_is_left_alone() -> None:
    """Every source file of the project goes through unchanged."""
    redactor = Redactor()
    root = Path(__file__).parents[2] / "src"
    for path in sorted(root.rglob("*.py")):
        assert redactor.redact(path.read_text()).findings == (), path


def test_known_values_are_taken_out() -> None:
    redactor = Redactor(known=["hunter2-hunter2", "short", "hunter2-hunter2-more"])
    found = redactor.redact("a hunter2-hunter2-more b hunter2-hunter2 c short")
    assert found.text == "a [redacted:known] b [redacted:known] c short"


def test_redacting_twice_changes_nothing() -> None:
    redactor = Redactor()
    for secret in samples(random.Random(3)).values():
        once = redactor.redact(f"value: {secret}").text
        assert redactor.redact(once).text == once


def test_every_rule_is_sound() -> None:
    found = rules()
    assert len({rule.id for rule in found}) == len(found) > 50
    for rule in found:
        re.compile(rule.pattern)
        assert rule.keywords
        assert all(keyword == keyword.lower() for keyword in rule.keywords)
        assert rule.source
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


def test_hostile_text_takes_no_long_time() -> None:
    """A megabyte of what the rules' frames begin with: no rule may take more than linear time."""
    redactor = Redactor()
    for piece in (
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "aws secret ",
        "eyJa.",
        "http://a:",
        "sk-proj-",
        "token:'",
    ):
        text = piece * (300_000 // len(piece))
        start = time.process_time()
        redactor.redact(text)
        assert time.process_time() - start < 5, piece
