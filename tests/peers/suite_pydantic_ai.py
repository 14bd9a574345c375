"""Pydantic AI's own suite of workspace backends against ours, with the optional rules of attaching and destroying."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pydantic_ai.workspaces.conformance import WorkspaceBackendSuite

from forgewright.integrations.pydantic_ai import ForgewrightWorkspace


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TestWorkspace(WorkspaceBackendSuite):
    @pytest.fixture
    async def backend(self) -> AsyncIterator[ForgewrightWorkspace]:
        made = ForgewrightWorkspace()
        yield made
        await made.destroy()

    @pytest.fixture
    def fresh_backend(self) -> Callable[[], ForgewrightWorkspace]:
        return ForgewrightWorkspace

    @pytest.fixture
    def attach_backend(self) -> Callable[[Any], ForgewrightWorkspace]:
        return lambda ref: ForgewrightWorkspace(ref=ref)

    @pytest.fixture
    def destroy_environment(self) -> Callable[[ForgewrightWorkspace], Awaitable[None]]:
        return lambda backend: backend.destroy()
