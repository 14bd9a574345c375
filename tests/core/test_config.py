"""The configuration file: strict, all mistakes at once, each with its line."""

from __future__ import annotations

import pytest

from forgewright.core.config import Config, descriptions, memory_bytes, parse_config, sections
from forgewright.core.errors import ConfigError

GOOD = b"""
[run]
model = "anthropic:claude-x"
models = { coder = "openai:gpt-x" }
fallback = ["ollama:qwen"]
max_attempts = 2

[budget]
money_usd = 2
wall_seconds = 600

[tests]
command = "python3 -m unittest"

[[sandbox.mounts]]
source = "/data"
target = "/data"
"""

BAD = b"""[run]
modle = "a:b"
model = "gpt"
max_attempts = "x"
base_url = "ftp://x"
fallback = ["openai:x", "bad"]
[run.models]
codr = "a:b"
[sandbox]
memory = "lots"
tier = "none"
mounts = [{source="/a", traget="/b"}]
[budgte]
tokens = 1
[budget]
tokens = -1
money_usd = "1"
[tests]
command = [1]
"""


def test_values_are_bound() -> None:
    config = parse_config(GOOD)
    assert config.run.model == "anthropic:claude-x"
    assert config.run.models == {"coder": "openai:gpt-x"}
    assert config.budget.money_usd == 2.0
    assert config.tests.command == "python3 -m unittest"
    assert config.sandbox.mounts[0].mode == "ro"


def test_an_empty_file_sets_nothing() -> None:
    assert parse_config(b"") == Config()


def test_all_mistakes_are_told_at_once_each_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(BAD, "f.toml")
    lines = caught.value.message.split("\n")
    assert [line.partition(": ")[0] for line in lines] == [
        f"f.toml:{number}" for number in (2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 19)
    ]
    assert "did you mean model?" in lines[0]
    assert "expected a model as provider:name" in lines[1]
    assert "did you mean budget?" in caught.value.message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[run\n", "f.toml:1"),
        (b"a = 1\n[run]\nmodel = \n", "f.toml:3"),
        (b"\n\xff", "f.toml:2: not UTF-8"),
        (b"run = 1\n", "f.toml:1: run has to be a section"),
        (b"#" * (1 << 20) + b"#", "at most"),
    ],
)
def test_what_is_no_configuration_at_all(data: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(data, "f.toml")
    assert says in caught.value.message


def test_one_file_lies_over_another() -> None:
    user = parse_config(b'[run]\nmodel = "openai:a"\nmax_attempts = 5\n[budget]\ntokens = 10\n')
    project = parse_config(b'[run]\nmodel = "ollama:b"\n')
    both = project.over(user)
    assert (both.run.model, both.run.max_attempts, both.budget.tokens) == ("ollama:b", 5, 10)


@pytest.mark.parametrize(
    ("data", "reaching"),
    [
        (b'[run]\nmodel = "openai:a"\n[tests]\nenvironment = ".venv"\n', ()),
        (b'[run]\nbase_url = "http://evil.example"\n', ("run.base_url",)),
        (b'[tests]\nenvironment = "../../.ssh"\n', ("tests.environment",)),
        (b'[policy]\nfiles = ["p.cedar"]\n[home]\npath = "/h"\n', ("policy.files", "home.path")),
        (b'[[sandbox.mounts]]\nsource = "/root"\ntarget = "/x"\n', ("sandbox.mounts",)),
    ],
)
def test_what_reaches_beyond_the_repository_is_known(data: bytes, reaching: tuple[str, ...]) -> None:
    assert parse_config(data).reaching() == reaching


def test_each_key_has_its_sentence() -> None:
    for _, section in sections():
        for key, sentence in descriptions(section).items():
            assert sentence.endswith("."), key


def test_sizes() -> None:
    assert memory_bytes("512MiB") == 512 << 20
    assert memory_bytes("2 GiB") == 2 << 30
