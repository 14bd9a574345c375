"""The reference page says what the declarations say."""

from __future__ import annotations

from pathlib import Path

from forgewright.policy.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policy.md"


def test_the_page_is_what_the_declarations_make() -> None:
    assert PAGE.read_text() == page(), (
        "write it anew: forgewright policy reference > docs/reference/policy.md"
    )
