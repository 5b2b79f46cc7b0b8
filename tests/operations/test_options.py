"""Options beyond a move take the config's leave and a right, and are offered to those alone who may use them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import RefusedError
from bot.migration.machine import Phase
from bot.migration.request import SiteName
from bot.operations.option import Option, disk_label
from bot.operations.option_words import options_in_words
from bot.operations.options import offered_options, require_options
from bot.operations.record import with_request
from bot.operations.report import WIDE, help_for
from bot.operations.retry import request_again
from bot.operations.rights import Verb
from bot.operations.tools import Allow
from bot.store.client import connect
from tests.migration.conftest import NOW, REQUEST
from tests.operations.counter_stage import ALICE, counter_for
from tests.operations.test_cards import job

EVERYTHING = Allow(shutdown=True, power_off=True, power_on=True, drives=True, consolidate=True, delete_leftovers=True)
SITE1, SITE2 = SiteName("site1"), SiteName("site2")


async def asked(store, may, *, allow=EVERYTHING, sites=("*",), **options) -> None:
    counter = counter_for(store, *may, sites=sites, allow=allow)
    await require_options(counter, ALICE, replace(REQUEST, **options), source=SITE1)


@pytest.mark.parametrize(
    ("option", "typed", "key"),
    [
        ("shutdown", "--shutdown", "shutdown"),
        ("power_on", "--power-on", "power_on"),
        ("disconnect_drives", "--disconnect-iso", "drives"),
        ("consolidate", "--consolidate", "consolidate"),
    ],
)
async def test_what_the_config_does_not_allow_is_refused_with_the_key_to_set(valkey_url, option, typed, key):
    async with connect(valkey_url) as store:
        with pytest.raises(RefusedError, match=f"^{typed} is not allowed here") as refused:
            await asked(store, Verb, allow=replace(EVERYTHING, **{key: False}), **{option: True})
        assert f"{key} = true in [allow]" in refused.value.lifted_by
        await asked(store, Verb, allow=replace(Allow(), **{key: True}), **{option: True})


@pytest.mark.parametrize(
    ("option", "right", "site"),
    [("shutdown", Verb.POWER, "site1"), ("power_on", Verb.POWER, "site2"), ("force", Verb.FORCE, "site2")],
)
async def test_each_takes_its_right_where_it_is_done(valkey_url, option, right, site):
    async with connect(valkey_url) as store:
        await asked(store, [right], sites=(site,), **{option: True})
        other = "site2" if site == "site1" else "site1"
        with pytest.raises(RefusedError, match=f"no .* entry gives you '{right}'"):
            await asked(store, [right], sites=(other,), **{option: True})
        with pytest.raises(RefusedError, match=f"no .* entry gives you '{right}'"):
            await asked(store, set(Verb) - {right}, **{option: True})


async def test_a_plain_move_and_its_own_options_take_no_more(valkey_url):
    async with connect(valkey_url) as store:
        await asked(store, [], allow=Allow(), thin=True, when_clean=True, disk_datastores={"Hard disk 2": "ds"})


async def test_what_is_offered_is_what_would_pass(valkey_url):
    async with connect(valkey_url) as store:
        assert list(await offered_options(counter_for(store, *Verb, allow=EVERYTHING), ALICE)) == list(Option)
        few = await offered_options(counter_for(store, Verb.MIGRATE), ALICE)
        assert few == [Option.THIN, Option.WHEN_CLEAN]


async def test_help_names_what_may_be_used_and_nothing_else(valkey_url):
    async with connect(valkey_url) as store:
        told = "\n".join((await help_for(counter_for(store, Verb.MIGRATE), ALICE)).lines)
        assert '    --disk "Hard disk 2=<datastore>"  --thin  --when-clean\n' in told
        assert not any(word in told for word in ("--shutdown", "--force", "Power", "leftovers", "{"))
        told = "\n".join((await help_for(counter_for(store, *Verb, allow=EVERYTHING), ALICE)).lines)
        assert all(option.typed in told.split() for option in Option)
        assert "Wait on, Power off, Power on at source" in told
        assert "a second click deletes them" in told
        assert max(map(len, told.splitlines())) <= WIDE  # a wider line is torn apart in Slack


def test_a_retry_lifts_no_warnings_by_itself():
    forced = replace(REQUEST, force=True, thin=True, when_clean=False, not_before=NOW + timedelta(hours=1))
    tried = job(Phase.FAILED, **with_request(forced))
    again = request_again(tried, now=NOW)
    assert (again.force, again.thin, again.when_clean, again.not_before) == (False, True, False, forced.not_before)
    assert request_again(tried, now=NOW, when_clean=True).when_clean


def test_options_in_words_come_in_the_order_of_what_is_done():
    asked = replace(REQUEST, power_on=True, shutdown=True, thin=True, disk_datastores={"Hard disk 2": "ds-2"})
    assert options_in_words(asked) == "shut down before, thin, Hard disk 2 to ds-2, power on after"
    assert options_in_words(REQUEST) == ""


@pytest.mark.parametrize(
    ("typed", "label"),
    [("2", "Hard disk 2"), ("disk 02", "Hard disk 2"), ("HARD disk 12", "Hard disk 12"), ("²", "²"), ("a 2", "a 2")],
)
def test_disks_are_called_by_their_number(typed, label):
    assert disk_label(f" {typed} ") == label
