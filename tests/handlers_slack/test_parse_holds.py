"""What can be typed to hold and release a link, and what each mistake is told."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.operations.port import MigrateOrder
from bot.operations.request_migration import as_typed
from handlers.slack.parse import HoldLink, Migrate, ReleaseLink, parse


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("hold site1 site2", HoldLink(("site1", "site2"), "")),
        ("Hold site1 site2 the provider works on it", HoldLink(("site1", "site2"), "the provider works on it")),
        ('hold "site 1" site2', HoldLink(("site 1", "site2"), "")),
        ("release site2 site1", ReleaseLink(("site2", "site1"))),
        ('"hold" site2', Migrate(MigrateOrder("hold", "site2"))),
        ("'release' site2", Migrate(MigrateOrder("release", "site2"))),
    ],
)
def test_holds(text, request_):
    assert parse(text) == request_


@pytest.mark.parametrize("text", ["hold", "hold site2", 'hold "" site2', "release", "release site2", "release a b c"])
def test_mistakes_name_the_command_and_the_way_to_a_vm_of_that_name(text):
    with pytest.raises(UserError, match=r"takes the two sites of a link.*goes in quotes") as told:
        parse(text)
    verb = text.partition(" ")[0]
    assert f'/coldmigrate "{verb}" site2' in told.value.example


@pytest.mark.parametrize("name", ["hold", "Release"])
def test_a_vm_of_that_name_is_shown_as_it_has_to_be_typed(name):
    assert as_typed(name) == f'"{name}"'
