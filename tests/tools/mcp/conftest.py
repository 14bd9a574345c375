"""These tests need the extra `mcp`; where it is missing they fail in CI and are left out elsewhere."""

from __future__ import annotations

import os
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("mcp") or os.environ.get("CI") else ["test_*.py"]
