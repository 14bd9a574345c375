"""A driver is never weaker than what was asked for, and what is missing is named with its install command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from forgewright.core.errors import MissingProgram, UsageError
from forgewright.sandbox import SandboxSpec, Tier, choose, driver, open_sandbox, registry


async def test_unknown_driver() -> None:
    with pytest.raises(UsageError, match="no sandbox driver"):
        driver("chroot")


async def test_a_weaker_driver_is_refused() -> None:
    with pytest.raises(UsageError, match="weaker"):
        await open_sandbox(SandboxSpec(tier=Tier.MICROVM), "container")


async def test_choice_is_never_weaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "DRIVERS", {"container": registry.DRIVERS["container"]})
    assert (await choose(Tier.CONTAINER)).name == "container"
    for tier in (Tier.GVISOR, Tier.MICROVM):
        with pytest.raises(MissingProgram) as caught:
            await choose(tier)
        assert caught.value.install


async def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("forgewright.sandbox.drivers.container.RUNTIMES", ("no-such-runtime",))
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(registry, "_chosen", {})
    monkeypatch.setattr(registry, "DRIVERS", {"container": registry.DRIVERS["container"]})
    with pytest.raises(MissingProgram, match="crun") as caught:
        await choose(Tier.CONTAINER)
    assert caught.value.install == "apt-get install crun"


def test_importing_the_part_imports_no_event_loop() -> None:
    code = "import sys, forgewright.sandbox; print('asyncio' in sys.modules, 'subprocess' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
