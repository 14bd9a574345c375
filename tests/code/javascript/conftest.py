"""What the tests of scripts share."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture
def node() -> str:
    """Node's program. Where there is none the test is skipped, and fails in CI."""
    found = shutil.which("node")
    if found is None:
        message = "node is not installed; run: apt-get install nodejs"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    assert found is not None
    return found
