"""What can be typed to send a canary, and what a mistake is told."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.operations.port import MigrateOrder
from bot.operations.request_migration import as_typed
from handlers.slack.parse import Migrate, SendCanary, parse


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("canary site1 site2", SendCanary(("site1", "site2"))),
        ("Canary site2 site1 --host esx-1.example.net", SendCanary(("site2", "site1"), "esx-1.example.net")),
        ("canary --host=esx-1 site1 site2", SendCanary(("site1", "site2"), "esx-1")),
        ('"canary" site2', Migrate(MigrateOrder("canary", "site2"))),
        ("canary01 site2", Migrate(MigrateOrder("canary01", "site2"))),
    ],
)
def test_canaries(text, request_):
    assert parse(text) == request_


@pytest.mark.parametrize(
    "options", ["", "site1", "a b c", '"" site2', "a b --thin", "a b --network x=y", "a b --disk 1=d", "a b --at 22:00"]
)
def test_mistakes_name_the_command_and_the_way_to_a_vm_of_that_name(options):
    with pytest.raises(UserError, match=r"takes the two sites of a link.*goes in quotes") as told:
        parse(f"canary {options}")
    assert '/coldmigrate "canary" site2' in told.value.example


def test_a_vm_of_that_name_is_shown_as_it_has_to_be_typed():
    assert as_typed("Canary") == '"Canary"'
