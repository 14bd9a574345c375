"""Sandboxes for tests, of the weakest tier that runs commands."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from forgewright.sandbox import Sandbox, SandboxSpec, open_sandbox

INSTALL = "apt-get install crun"


def need_crun() -> None:
    """Skips the test where there is no OCI runtime; in CI that is a failure."""
    if not (shutil.which("crun") or shutil.which("runc")):
        message = f"crun is not installed; run: {INSTALL}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


@asynccontextmanager
async def a_sandbox(spec: SandboxSpec | None = None) -> AsyncIterator[Sandbox]:
    need_crun()
    sandbox = await open_sandbox(spec or SandboxSpec())
    try:
        yield sandbox
    finally:
        await sandbox.close()
