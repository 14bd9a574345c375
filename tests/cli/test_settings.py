"""Configuration in layers: arguments over the project's file over the user's, and what a stranger may not set."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from forgewright.cli import settings as cfg
from forgewright.core.errors import ConfigError, NotFound, Refused
from forgewright.policy.gate import CedarGate
from forgewright.policy.types import Attempt
from forgewright.sandbox.types import Tier

NOTHING: dict[str, object] = {"json": False, "home": None, "config": None}


@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("FORGEWRIGHT_HOME", raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo" / "deep").mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    return tmp_path / "repo"


def args(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**(NOTHING | given))


def user(text: str) -> None:
    file = cfg.user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_project_s_file_lies_over_the_user_s_and_arguments_over_both(repo: Path) -> None:
    user('[run]\nmodel = "openai:a"\nfallback = ["openai:f"]\n[budget]\ntokens = 10\nsteps = 5\n')
    (repo / "forgewright.toml").write_text('[run]\nmodel = "openai:b"\n[budget]\ntokens = 20\n')
    found = cfg.load_settings(args(), repo / "deep")
    assert found.file == repo / "forgewright.toml"
    assert cfg.models_of(found.config, args()) == {"default": "openai:b"}
    assert cfg.models_of(found.config, args(model="openai:c", models=["coder=openai:d"])) == {
        "default": "openai:c",
        "coder": "openai:d",
    }
    assert cfg.fallback_of(found.config, args()) == ("openai:f",)
    budget = cfg.budget_of(found.config, args(steps=7, money_usd=0.5))
    assert budget is not None
    assert (budget.tokens, budget.steps, budget.cost_microdollars) == (20, 7, 500_000)


def test_a_file_above_the_repository_is_not_taken(repo: Path) -> None:
    (repo.parent / "forgewright.toml").write_text('[run]\nmodel = "openai:stranger"\n')
    assert cfg.load_settings(args(), repo).file is None


@pytest.mark.parametrize(
    "text",
    [
        '[run]\nbase_url = "https://evil.example"\n',
        '[[sandbox.mounts]]\nsource = "/root/.ssh"\ntarget = "/keys"\n',
        '[policy]\nfiles = ["permit-everything.cedar"]\n',
        '[home]\npath = "/tmp/elsewhere"\n',
    ],
)
def test_a_repository_s_file_may_not_reach_beyond_it_unless_it_is_named(repo: Path, text: str) -> None:
    file = repo / "forgewright.toml"
    file.write_text(text)
    with pytest.raises(Refused, match="reaches beyond"):
        cfg.load_settings(args(), repo)
    assert cfg.load_settings(args(config=str(file)), repo).config.reaching()
    file.unlink()
    user(text)
    assert cfg.load_settings(args(), repo).config.reaching()


def test_homes(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cfg.load_settings(args(), repo).home == tmp_path / "data" / "forgewright"
    user('[home]\npath = "~/fw"\n')
    assert cfg.load_settings(args(), repo).home == Path.home() / "fw"
    monkeypatch.setenv("FORGEWRIGHT_HOME", "/env/home")
    assert cfg.load_settings(args(), repo).home == Path("/env/home")
    assert cfg.load_settings(args(home="/given"), repo).home == Path("/given")


def test_policies_are_found_beside_their_file_and_by_name(repo: Path) -> None:
    (repo / "mine.cedar").write_text(
        '@id("no-edits")\n@description("nothing is edited")\nforbid (principal, action == Action::"edit", resource);\n'
    )
    file = repo / "forgewright.toml"
    file.write_text('[policy]\nfiles = ["default", "mine.cedar"]\n')
    policies = cfg.policies_of(cfg.load_settings(args(config=str(file)), repo))
    gate = CedarGate.load(policies)
    verdict = gate.decide(
        Attempt("coder", "edit", "worktree", {"paths": ("a.py",), "operations": (), "lines": 1})
    )
    assert not verdict.permit
    assert "no-edits" in verdict.policies
    assert gate.decide(Attempt("coder", "model", "openai:x")).permit
    assert cfg.policies_of(cfg.load_settings(args(), repo.parent)) == "default"


def test_sandbox_and_tests(repo: Path) -> None:
    (repo / "data").mkdir()
    file = repo / "forgewright.toml"
    file.write_text(
        '[tests]\ncommand = "make check"\ntimeout_seconds = 5\n[sandbox]\ntier = "microvm"\nmemory = "2GiB"\ncpus = 2\n'
        'mounts = [{ source = "data", target = "/data" }]\n'
    )
    found = cfg.load_settings(args(config=str(file)), repo)
    assert cfg.tier_of(found.config) is Tier.MICROVM
    assert cfg.sandbox_limits_of(found.config).memory_bytes == 2 << 30
    (mount,) = cfg.mounts_of(found)
    assert (mount.source, mount.target, mount.mode) == (str(repo / "data"), "/data", "ro")
    tests = cfg.tests_of(found.config, args())
    assert (tests.command, tests.timeout_seconds) == (("make", "check"), 5)
    assert cfg.tests_of(found.config, args(tests="pytest -q")).command == ("pytest", "-q")
    (repo / "data").rmdir()
    with pytest.raises(NotFound, match="mounts"):
        cfg.mounts_of(found)


def test_a_mistake_names_the_file_and_the_line(repo: Path) -> None:
    (repo / "forgewright.toml").write_text("[run]\nmodle = 1\n")
    with pytest.raises(
        ConfigError, match=r"forgewright\.toml:2: unknown key run\.modle; did you mean model\?"
    ):
        cfg.load_settings(args(), repo)
