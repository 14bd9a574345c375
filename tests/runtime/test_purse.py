"""Shares of a budget: set aside before they are spent, given back when they are not."""

from __future__ import annotations

import asyncio
import random

import pytest

from forgewright.runtime.budget import Budget
from forgewright.runtime.purse import COST, STEPS, TOKENS, Purse


def test_a_share_is_set_aside_and_what_is_left_of_it_goes_back() -> None:
    run = Purse(Budget(tokens=1000, steps=10))
    child = Purse(Budget(tokens=600), run)
    assert child.fits()
    child.open()
    assert (run.free(TOKENS), run.free(STEPS), run.free(COST)) == (400, 10, None)
    assert not Purse(Budget(tokens=500), run).fits()
    assert Purse(Budget(tokens=500), run).could_fit()
    assert not Purse(Budget(tokens=1001), run).could_fit()
    child.debit(TOKENS, 250)
    assert (run.free(TOKENS), run.spent[TOKENS], child.free(TOKENS)) == (400, 250, 350)
    child.debit(STEPS, 3)
    assert run.free(STEPS) == 7
    child.close()
    assert (run.free(TOKENS), run.held[TOKENS]) == (750, 0)


def test_spending_past_a_share_is_spent_above_too() -> None:
    run = Purse(Budget(tokens=1000))
    child = Purse(Budget(tokens=100), run)
    child.open()
    child.debit(TOKENS, 130)  # an answer longer than was thought
    assert (run.free(TOKENS), run.held[TOKENS]) == (870, 0)
    assert child.reached() is child
    assert "130 of 100 tokens" in child.in_words()
    child.close()
    assert (run.free(TOKENS), run.held[TOKENS]) == (870, 0)


def test_what_an_earlier_session_spent_of_a_share_is_not_set_aside_twice() -> None:
    run = Purse(Budget(tokens=1000), spent=(700, 0, 0))
    child = Purse(Budget(tokens=800), run, spent=(700, 0, 0))
    assert child.fits()
    child.open()
    assert run.free(TOKENS) == 200
    child.close()
    assert run.free(TOKENS) == 300


def test_shares_of_shares() -> None:
    run = Purse(Budget(tokens=1000))
    middle = Purse(Budget(), run)
    child = Purse(Budget(tokens=300), middle)
    grandchild = Purse(Budget(tokens=200), child)
    child.open()
    grandchild.open()
    assert (run.free(TOKENS), child.free(TOKENS)) == (700, 100)
    grandchild.debit(TOKENS, 150)
    assert [p.spent[TOKENS] for p in (run, middle, child, grandchild)] == [150] * 4
    grandchild.close()
    assert (run.free(TOKENS), child.free(TOKENS)) == (700, 150)
    child.close()
    assert run.free(TOKENS) == 850


@pytest.mark.parametrize("seed", range(20))
async def test_a_crowd_never_spends_more_than_there_is(seed: int) -> None:
    """Requests of any size, in any order, from any depth: none is sent whose cost is not free at that moment."""
    chance = random.Random(seed)
    run = Purse(Budget(tokens=20_000))
    shares = [Purse(Budget(tokens=chance.choice([None, 2_000])), run) for _ in range(8)]
    for share in shares:
        share.open()
    asked = 0

    async def work(purse: Purse) -> None:
        nonlocal asked
        while True:
            tokens = chance.randint(50, 400)
            while (when := purse.may_ask(tokens, 0)) == "later":
                async with asyncio.timeout(20):
                    await purse.turn(asyncio.get_running_loop().create_future())
            if when == "never":
                return
            with purse.asking(tokens, 0):
                await asyncio.sleep(0)
                if chance.random() < 0.1:
                    await asyncio.sleep(0.001)
                purse.debit(TOKENS, chance.randint(tokens // 2, tokens))
            asked += 1

    async def crew(share: Purse) -> None:
        await asyncio.gather(*(work(share) for _ in range(chance.randint(1, 12))))
        share.close()

    await asyncio.gather(*map(crew, shares))
    assert run.held[TOKENS] == 0
    # One request alone may begin while anything is left, so the last one may be larger than the rest.
    assert run.spent[TOKENS] <= 20_000 + 400
    assert asked > 30
