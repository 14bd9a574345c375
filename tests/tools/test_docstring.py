"""Descriptions come out of docstrings, whatever the style."""

from __future__ import annotations

import pytest

from forgewright.tools.docstring import parse

GOOGLE = """Finds things.

    More about it.

    Args:
        query: What to look for:
            anything.
        limit (int, optional): How many.
        **rest: The rest.

    Returns:
        The things.
    """
NUMPY = """Finds things.

    More about it.

    Parameters
    ----------
    query : str
        What to look for:
        anything.
    limit, rest : int
        How many.

    Returns
    -------
    list
        The things.
    """
REST = """Finds things.

    More about it.

    :param query: What to look for:
        anything.
    :type query: str
    :param int limit: How many.
    :returns: The things.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, REST])
def test_all_three_styles(text: str) -> None:
    description, parameters = parse(text)
    assert description.startswith("Finds things.\n\nMore about it.")
    assert "What to look for" not in description
    assert "The things." in description
    assert parameters["query"] == "What to look for: anything."
    assert parameters["limit"] == "How many."


@pytest.mark.parametrize(
    "text", ["", "One line.", "Args:", "Args:\n\n", ":param", "Parameters\n----------\n"]
)
def test_odd_ones_do_no_harm(text: str) -> None:
    description, parameters = parse(text)
    assert parameters == {}
    assert description in ("", "One line.", ":param")


def test_a_colon_in_prose_is_no_section() -> None:
    description, parameters = parse("Does this: and that.\n\nNote:\n    careful: it bites.\n")
    assert parameters == {}
    assert "careful: it bites." in description
