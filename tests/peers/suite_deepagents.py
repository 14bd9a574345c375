"""Deep Agents' own suite against our backend, by both contracts. Run by tests/integrations/test_peers.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_tests.integration_tests import SandboxIntegrationTests

from forgewright.integrations.deepagents import ForgewrightBackend
from forgewright.sandbox import Mount, SandboxSpec


@pytest.fixture(scope="session")
def spec(tmp_path_factory: pytest.TempPathFactory) -> SandboxSpec:
    """A container in which Python is called `python`, as the suite calls it."""
    folder: Path = tmp_path_factory.mktemp("bin")
    (folder / "python").symlink_to("/usr/bin/python3")
    return SandboxSpec(
        workdir="/home/sandbox",
        mounts=(Mount(str(folder), "/opt/bin"),),
        environment={"PATH": "/opt/bin:/usr/bin:/bin"},
    )


class TestContract07(SandboxIntegrationTests):
    @pytest.fixture(scope="class")
    def sandbox(self, spec: SandboxSpec) -> Iterator[ForgewrightBackend]:
        with ForgewrightBackend(spec) as backend:
            yield backend


class TestContract06(SandboxIntegrationTests):
    @pytest.fixture(scope="class")
    def sandbox(self, spec: SandboxSpec) -> Iterator[ForgewrightBackend]:
        with ForgewrightBackend(spec, contract="0.6") as backend:
            yield backend
