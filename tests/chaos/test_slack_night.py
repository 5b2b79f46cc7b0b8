"""The bot is killed at every point of its work while Slack throttles it, replaces its connections and repeats itself.

At the end each job has one card, and each reply and each file is there once. The control runs the same kills with the
look-up by metadata switched off, and must then see something twice: a checker that cannot see that proves nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta

import pytest

from bot.playground.vcenter.inventory import Vm
from tests.chaos.roles import PATIENCE
from tests.chaos.slack_night import rude, slack_night

POINTS = (
    *("claimed", "before-card", "after-card", "found", "unsaved-card", "saved-card"),
    *("before-reply", "after-reply", "unsaved-reply", "saved-reply", "before-edit", "after-edit"),
    *("file-reserved", "file-uploaded", "after-file", "saved-file"),
    *("begun-order", "done-order", "kept-order", "before-ack", "acked"),
    *("begun-click", "done-click", "kept-click"),
)
CHANNELS = ("#night-one", "#night-two", "#night-three")

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.fixture
def rounds(request) -> int:
    """One round of all points in CI; `pytest -m chaos` runs three, and kills at random moments as well."""
    return 3 if request.config.option.markexpr == "chaos" else 1


async def test_a_night_at_slacks_edge_leaves_every_message_once(tmp_path, vcenter, valkey_url, skew_clock, rounds):
    dice = random.Random(7)
    names = [channel.removeprefix("#") for channel in CHANNELS]
    async with slack_night(tmp_path, vcenter, valkey_url, skew_clock, names) as night, night.steady("worker"):
        async with night.steady("bot"):
            await night.inventory()
        night.slack.switches.deliver_each(3)
        night.slack.switches.disconnect_every(timedelta(seconds=10))
        enough = asyncio.Event()
        people = [asyncio.create_task(_person(night, vms, CHANNELS[n], enough)) for n, vms in enumerate(_vms(vcenter))]
        for point in itertools.chain.from_iterable(itertools.repeat(POINTS, rounds)):
            rude(night, dice)
            await night.bot_dies_at(point)
        for _ in range(10 * (rounds - 1)):
            rude(night, dice)
            await night.bot_dies_after(dice.randint(3, 30))
        enough.set()
        async with night.steady("bot"):
            await asyncio.wait_for(asyncio.gather(*people), PATIENCE.total_seconds())
            await night.slack.person.wait_for(lambda: _complete(night), PATIENCE)
            await night.outbox_is_empty()

        assert sum(night.deaths.values()) >= 20
        assert sum(night.slack.tally.throttled.values()) >= 50
        wanted = {(job, what): 1 for job in night.jobs for what in ("card", "end", "evidence", "file")}
        assert {thing: count for thing, count in night.said(CHANNELS).items() if wanted.get(thing, 1) != count} == {}
        assert set(wanted) <= set(night.said(CHANNELS))
        assert {card["text"].split(": ")[1][:4] for channel in CHANNELS for card in night.cards(channel)} == {"done"}
        assert night.pointers(CHANNELS) == 0  # no second card was ever there
        assert night.wrongly_told == []


async def test_without_the_look_up_the_same_kills_say_something_twice(tmp_path, vcenter, valkey_url, skew_clock):
    async with slack_night(tmp_path, vcenter, valkey_url, skew_clock, []) as night, night.steady("worker"):
        async with night.steady("bot"):
            await night.inventory()
        asked = asyncio.create_task(night.migrate("vm01", "site2", "#migrations"))
        await night.bot_dies_at("before-card", "--no-look-up")
        await night.planned()  # so that there is a button on the first card, whichever of them came first
        await night.bot_dies_at("after-card", "--no-look-up")
        await night.bot_dies_at("after-reply", "--no-look-up")
        async with night.steady("bot", "--no-look-up"):
            await asked
            await night.outbox_is_empty()
        assert night.pointers(["#migrations"]) == 1, "the second card, which the click on it gave away"
        assert max(night.said(["#migrations"]).values()) > 1


async def _person(night, vms, channel, enough) -> None:
    """One migration after the other: all there, and then all back."""
    for site in itertools.cycle(("site2", "site1")):
        for vm in vms:
            if enough.is_set():
                return
            await night.migrate(vm, site, channel)


def _vms(vcenter) -> list[list[str]]:
    names = sorted(vm.name for vm in vcenter.estate.inventory.each(Vm))
    return [names[n :: len(CHANNELS)] for n in range(len(CHANNELS))]


def _complete(night) -> bool:
    said = night.said(CHANNELS)
    return all(said[job, what] for job in night.jobs for what in ("card", "end", "evidence", "file"))
