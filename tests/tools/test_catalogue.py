"""Of many tools the right one is found, by its words or its name."""

from __future__ import annotations

import pytest
from tests.tools import thousand

from forgewright.core.errors import NotFound, UsageError
from forgewright.tools import Catalogue, SchemaTool, tool


async def run(arguments: dict[str, object], _: object) -> str:
    return ""


def make(name: str, description: str, *parameters: str) -> SchemaTool:
    properties = {parameter: {"type": "string"} for parameter in parameters}
    return SchemaTool(name, description, {"type": "object", "properties": properties}, run)


TOOLS = [
    make("send_email", "Sends an email to somebody", "recipient", "subject", "body"),
    make("listInvoices", "All invoices of a customer, newest first", "customer"),
    make("weather_now", "Temperature and rain at a place", "place"),
    make("create_invoice", "Makes a new invoice", "customer", "amount"),
    *(make(f"filler_{n}", f"Does thing number {n} for the customer") for n in range(500)),
]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("mail somebody an email", "send_email"),
        ("list the invoices", "listInvoices"),
        ("make an invoice", "create_invoice"),
        ("is it raining? rain", "weather_now"),
        ("listInvoices", "listInvoices"),
        ("recipients", "send_email"),
    ],
)
def test_the_right_tool_comes_first(query: str, first: str) -> None:
    assert Catalogue(TOOLS).search(query)[0].name == first


def test_nothing_fits_and_bounds_hold() -> None:
    catalogue = Catalogue(TOOLS)
    assert catalogue.search("xylophone") == []
    assert catalogue.search("") == []
    assert len(catalogue.search("customer thing", limit=1000)) == 10
    assert len(catalogue.search("customer thing", limit=-1)) == 1
    assert Catalogue([]).search("anything") == []


def test_tools_by_name() -> None:
    catalogue = Catalogue(TOOLS)
    assert catalogue.get("send_email") is TOOLS[0]
    with pytest.raises(NotFound, match="send_email"):
        catalogue.get("send_mail")
    with pytest.raises(UsageError):
        Catalogue([TOOLS[0], TOOLS[0]])


async def test_a_model_searches_with_a_tool() -> None:
    search = Catalogue(TOOLS).search_tool()
    said = (await search.call(search.bind('{"query": "send email", "limit": 1}'))).text
    assert said.startswith("send_email: Sends an email")
    assert '"recipient"' in said
    assert "fits" in (await search.call(search.bind('{"query": "xylophone"}'))).text


def test_it_is_a_tool_like_any_other() -> None:
    @tool
    def other() -> None: ...

    assert len(Catalogue([other, Catalogue(TOOLS).search_tool()])) == 2


def test_of_a_thousand_tools_the_right_one_is_among_five() -> None:
    catalogue = Catalogue(thousand.tools())
    assert len(catalogue) == 1000
    found = {
        question: [one.name for one in catalogue.search(question, limit=5)] for question in thousand.QUESTIONS
    }
    among_five = sum(wanted in found[question] for question, wanted in thousand.QUESTIONS.items())
    first = sum(found[question][:1] == [wanted] for question, wanted in thousand.QUESTIONS.items())
    assert among_five / len(found) >= 0.95, [q for q, w in thousand.QUESTIONS.items() if w not in found[q]]
    assert first / len(found) >= 0.65
