"""What a retry would cost, and by which rate that was worked out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.migration.calendar import Calendar
from bot.operations.retry_cost import cost_in_words
from tests.migration.conftest import NOW, plan_of

MIB = 2**20


@pytest.mark.parametrize("whose", ["the usual rate of the link", "the best rate that this copy had"])
def test_it_says_by_which_rate(whose):
    plan = replace(plan_of(), size=3600 * MIB)
    said = cost_in_words(plan, Calendar(), rate=1.0 * MIB, whose=whose, now=NOW)
    assert said == f"A retry starts at 0 %: 1 h 00 min at {whose}."


def test_without_a_rate_nothing_is_guessed():
    assert cost_in_words(plan_of(), Calendar(), rate=None, whose="-", now=NOW) == "A retry starts at 0 %."
