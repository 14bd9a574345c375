"""LangGraph's conformance suite of checkpoint savers against ours: each of its tests is a test here."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability
from langgraph.checkpoint.conformance.report import ProgressCallbacks

from forgewright.integrations.langgraph import ForgewrightSaver


@checkpointer_test(name="forgewright")
async def saver() -> AsyncIterator[ForgewrightSaver]:
    with tempfile.TemporaryDirectory() as home, ForgewrightSaver(home) as made:
        yield made


@pytest.mark.parametrize("capability", [one.value for one in Capability])
async def test_conformance(capability: str, record_property: Any) -> None:
    passed: list[str] = []
    failed: list[str] = []

    def on_test_result(_: str, name: str, good: bool, error: str | None) -> None:
        passed.append(name) if good else failed.append(f"{name}: {error}")

    report = await validate(
        saver, capabilities={capability}, progress=ProgressCallbacks(on_test_result=on_test_result)
    )
    record_property("passed", len(passed))
    assert report.results[capability].detected
    assert not failed
