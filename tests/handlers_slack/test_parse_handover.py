"""`/coldmigrate handover`, alone or with the two sites of a link; a VM of that name goes in quotes."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from handlers.slack.parse import HandOver, Migrate, parse


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("handover", HandOver()), ("HandOver", HandOver()), ("handover site1 site2", HandOver(("site1", "site2")))],
)
def test_understood(typed, asked):
    assert parse(typed) == asked


@pytest.mark.parametrize("typed", ["handover site1", "handover a b c", 'handover "" site2'])
def test_refused_with_an_example(typed):
    with pytest.raises(UserError, match="two sites of a link") as refused:
        parse(typed)
    assert "handover site1 site2" in str(refused.value.example)


def test_a_vm_of_that_name():
    asked = parse('"handover" site2')
    assert isinstance(asked, Migrate)
    assert asked.order.vm == "handover"
