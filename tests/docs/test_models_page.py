"""The examples of docs/models.md run, and its recorded session is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forgewright.models import make_model
from forgewright.models.drivers.replay import load_session
from forgewright.models.registry import providers

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_python_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "k")
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    names: dict[str, object] = {}
    found = blocks("python")
    assert found
    for block in found:
        exec(compile(block, "docs/models.md", "exec"), names)
    assert names["model"].name == "anthropic:claude-opus-5-5 | openai:gpt-6-sol"


def test_the_recorded_session_is_one(tmp_path: Path) -> None:
    (block,) = blocks("json")
    file = tmp_path / "session.jsonl"
    file.write_text(block)
    session = load_session(str(file))
    assert [len(step) for step in session["coder"]] == [1, 2]


def test_every_provider_and_key_is_on_the_page() -> None:
    for prefix, provider in providers().items():
        assert f"`{prefix}:" in PAGE
        assert provider.key in PAGE
        assert provider.base_url_key in PAGE


@pytest.mark.parametrize("name", re.findall(r"^\| `((?:anthropic|openai|ollama):[^`]+)`", PAGE, re.MULTILINE))
def test_the_names_in_the_table_are_models(name: str) -> None:
    make_model(name, environ={"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})
