"""Policies of a home, from the key to being in force, by the commands; and what the gate then says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from forgewright.cli import policy as cli
from forgewright.core.errors import ConfigError, IntegrityError, Refused, UsageError
from forgewright.core.ids import digest
from forgewright.journal.journal import open_journal
from forgewright.policy import Attempt, CedarGate
from forgewright.policy.registry.gate import RegisteredGate
from forgewright.wiring.registry import policies_in_force, read_registry

POLICY = '@id("only-models") permit (principal, action == Action::"model", resource);'


class Shell:
    """The commands, each as its own process would do it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.home = folder / "home"

    def __call__(self, *argv: str, by: str | None = None) -> str:
        parser = argparse.ArgumentParser()
        parser.add_argument("--home", type=Path)
        parser.add_argument("--json", action="store_true")
        cli.register(parser.add_subparsers())
        signing = ("--as", by, "--key", str(self.folder / f"{by}.key")) if by else ()
        self.capsys.readouterr()
        assert cli.run(parser.parse_args(["--home", str(self.home), "policy", *argv, *signing])) == 0
        return self.capsys.readouterr().out.strip()

    def state(self) -> dict[str, Any]:
        parser = argparse.ArgumentParser()
        parser.add_argument("--home", type=Path)
        parser.add_argument("--json", action="store_true")
        cli.register(parser.add_subparsers())
        cli.run(parser.parse_args(["--home", str(self.home), "--json", "policy", "versions"]))
        found: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return found


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(tmp_path, capsys)
    people = [f"{name}={made('key', str(tmp_path / f'{name}.key'))}" for name in ("ada", "bo", "cy")]
    made("establish", *people, by="ada")
    return made


def put_in_force(shell: Shell, *what: str) -> None:
    proposal = shell("propose", *what, by="ada")
    shell("review", proposal, by="bo")
    shell("approve", proposal, by="bo")
    shell("approve", proposal, by="cy")
    shell("enact", proposal, by="ada")


def test_a_policy_set_from_proposal_to_in_force(shell: Shell, tmp_path: Path) -> None:
    import asyncio

    file = tmp_path / "own.cedar"
    file.write_text(POLICY)
    put_in_force(shell, str(file))
    [version] = shell.state()["versions"]
    assert (version["subject"], version["number"], version["state"]) == ("policy", 1, "in force")

    async def gate() -> CedarGate:
        journal = await open_journal(shell.home)
        try:
            content = await policies_in_force(journal)
            assert content is not None
            return content.gate()
        finally:
            await journal.close()

    found = asyncio.run(gate())
    assert found.decide(Attempt("coder", "model", "m")).policies == ("only-models",)
    assert not found.decide(Attempt("coder", "edit", "a.py")).permit


def test_what_is_in_force_holds_for_the_homes_runs(shell: Shell, tmp_path: Path) -> None:
    import asyncio

    from forgewright.wiring.engine import open_engine

    async def permits(action: str, policies: Any = "default") -> bool:
        async with open_engine(shell.home, policies=policies) as engine:
            return engine.gate.decide(Attempt("coder", action, "a.py")).permit  # type: ignore[arg-type]

    assert asyncio.run(permits("edit"))
    file = tmp_path / "own.cedar"
    file.write_text(POLICY)
    put_in_force(shell, str(file))
    assert asyncio.run(permits("model"))
    assert not asyncio.run(permits("edit"))
    assert not asyncio.run(permits("edit", [file]))
    with pytest.raises(Refused, match="version 1 of this home's policies is in force"):
        asyncio.run(permits("edit", ["default", file]))
    assert not asyncio.run(permits("edit")), "the refused engine left the home usable"


def test_wrong_policies_cannot_be_proposed(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "own.cedar"
    file.write_text("permit (principal, action, resource);")
    with pytest.raises(ConfigError):
        shell("propose", str(file), by="ada")


def test_somebody_elses_key_is_refused_and_leaves_no_trace(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "own.cedar"
    file.write_text(POLICY)
    proposal = shell("propose", str(file), by="ada")
    (tmp_path / "bo.key").rename(tmp_path / "coder.key")
    (tmp_path / "cy.key").rename(tmp_path / "bo.key")
    with pytest.raises(Refused):
        shell("review", proposal, by="coder")
    with pytest.raises(IntegrityError):
        shell("review", proposal, by="bo")
    assert [p["state"] for p in shell.state()["proposals"]] == ["proposed"]


def test_keys_are_private_and_never_overwritten(shell: Shell, tmp_path: Path) -> None:
    key = tmp_path / "ada.key"
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="overwritten"):
        shell("key", str(key))
    key.chmod(0o644)
    (tmp_path / "own.cedar").write_text(POLICY)
    with pytest.raises(UsageError, match="chmod 600"):
        shell("propose", str(tmp_path / "own.cedar"), by="ada")


def test_what_the_registry_knows_reaches_the_policies(shell: Shell, tmp_path: Path) -> None:
    import asyncio

    wheel = tmp_path / "requests.whl"
    wheel.write_bytes(b"the wheel")
    put_in_force(shell, str(wheel), "--subject", "dependency", "--name", "pypi:requests")

    async def gate() -> RegisteredGate:
        journal = await open_journal(shell.home)
        try:
            return RegisteredGate(CedarGate.load(), (await read_registry(journal))[0])
        finally:
            await journal.close()

    def tier(name: str, content: bytes) -> str | None:
        facts = {"digest": digest(content), "pinned": True}
        return asyncio.run(gate()).decide(Attempt("coder", "install", name, facts)).tier

    assert tier("pypi:requests", b"the wheel") == "container"
    assert tier("pypi:requests", b"another wheel") is None
    assert tier("pypi:other", b"the wheel") == "microvm"
    shell("stop", "dependency", "pypi:requests", "--reason", "CVE", by="cy")
    assert tier("pypi:requests", b"the wheel") is None
    assert asyncio.run(gate()).decide(Attempt("coder", "tool", "search")).permit


def test_an_image_is_used_while_its_digest_is_approved(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from forgewright.sandbox.images import fetch

    monkeypatch.setenv("FORGEWRIGHT_IMAGES", str(tmp_path / "images"))
    root = tmp_path / "root"
    root.mkdir()
    (root / "version").write_text("1")
    name = f"dir:{root}"
    approved = fetch(name)
    assert approved is not None
    put_in_force(shell, name, "--subject", "image")

    async def gate() -> RegisteredGate:
        journal = await open_journal(shell.home)
        try:
            return RegisteredGate(CedarGate.load("strict"), (await read_registry(journal))[0])
        finally:
            await journal.close()

    def decided(image: str, digest: str) -> tuple[bool, tuple[str, ...]]:
        facts = {"image": image, "image_digest": digest, "argv": ["true"]}
        verdict = asyncio.run(gate()).decide(Attempt("tester", "exec", "tests", facts))
        return verdict.permit, verdict.policies

    assert decided("host", "")[0]
    assert decided(name, approved.digest)[0]
    assert decided(approved.digest, approved.digest)[0], "by its digest, whatever it is called"
    (root / "version").write_text("2")
    changed = fetch(name)
    assert changed is not None
    assert decided(name, changed.digest) == (False, ("approved-images",))
    assert decided(changed.digest, changed.digest) == (False, ("approved-images",))
    assert decided("oci:registry.example/app:1", "") == (False, ("approved-images",))
    shell("stop", "image", name, "--reason", "CVE", by="cy")
    assert decided(name, approved.digest) == (False, ("approved-images",))


def test_another_servers_tool_is_approved_in_its_present_form(shell: Shell, tmp_path: Path) -> None:
    import asyncio
    import sys

    pytest.importorskip("mcp", reason="pip install 'forgewright[mcp]'")
    from forgewright.cli.main import main
    from forgewright.tools.mcp import McpClient
    from forgewright.wiring.registry import approved_tools

    server = [sys.executable, str(Path(__file__).parents[2] / "tools" / "mcp" / "everything.py")]
    assert main(["mcp", "list", "--name", "suite", "--write", str(tmp_path / "told"), *server]) == 0
    file = tmp_path / "told" / "suite_test_simple_text.json"
    put_in_force(shell, str(file), "--subject", "tool", "--name", "mcp:suite/test_simple_text")

    async def suspended() -> dict[str, str]:
        journal = await open_journal(shell.home)
        try:
            approved = approved_tools((await read_registry(journal))[0], "suite")
        finally:
            await journal.close()
        async with McpClient("suite", server, approved=approved) as client:
            return {item.remote_name: item.suspended for item in client.tools}

    found = asyncio.run(suspended())
    assert found["test_simple_text"] == ""
    assert found["test_image_content"] == "nobody approved it"
    shell("stop", "tool", "mcp:suite/test_simple_text", by="bo")
    assert asyncio.run(suspended())["test_simple_text"] == "nobody approved it"
