"""When a migration starts: after its window opened, at the time that was asked for, not in a freeze; whatever dies.

The sites' tables are written around the present, and then the clock is moved.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import settings as config
from bot.settings import with_environment
from tests import warm
from tests.end_to_end.plant import buttons, plant, text_of

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TO_COME = timedelta(hours=3)


def clock(ahead: timedelta) -> str:
    return f"{datetime.now(UTC) + ahead:%H:%M}"


def window(start: timedelta, end: timedelta) -> str:
    """Every day, and so many hours from now: in UTC, which is the config's zone."""
    return f'windows = ["Mon-Sun {clock(start)}-{clock(end)} UTC"]\n'


def freeze(start: timedelta, end: timedelta) -> str:
    now = datetime.now(UTC)
    return f'[[freezes]]\nfrom = "{now + start:%Y-%m-%d %H:%M}"\nto = "{now + end:%Y-%m-%d %H:%M}"\nwhy = "inventory"\n'


@pytest.fixture
def stage_with(tmp_path, target, valkey_url):
    """A stage whose config ends with these lines: keys of site2, then tables."""

    @asynccontextmanager
    async def stage_with(lines: str):
        async with plant(tmp_path, replace(target, sites=target.sites + lines), valkey_url) as running:
            await running.start_bot()
            stop = await running.start_worker()
            await running.inventory()
            yield running, stop

    return stage_with


async def approved(stage, line: str, number: int = 0) -> dict:
    await stage.type(f"/coldmigrate {line}")
    card = await stage.card(showing="waiting for approval", number=number)
    await stage.click(card, "cm.approve")
    return card


async def test_outside_of_its_window_it_waits_and_then_it_starts(stage_with, vcenter, skew_clock):
    async with stage_with(window(TO_COME, TO_COME + HOUR)) as (stage, _):
        planned = await approved(stage, "web01 site2")
        assert "The window of site2 is closed until" in text_of(planned)
        assert "Lifted by: whoever keeps coldmigrate.toml (sites.site2.windows)" in text_of(planned)
        card = await stage.card(showing="Waits. The window of site2 is closed until")
        assert "queued" in text_of(card)
        assert buttons(card) == {"cm.cancel"}

        skew_clock(TO_COME - 2 * MINUTE)
        await approved(stage, '"list" site2', number=1)
        await stage.card(showing="Waits. The window of site2", number=1)  # the worker looks, and starts neither
        assert vcenter.relocations == []

        skew_clock(TO_COME + MINUTE)
        await stage.card(showing="done")
        await stage.card(showing="done", number=1)
        assert len(vcenter.relocations) == 2


async def test_at_a_time_that_was_asked_for(stage_with, vcenter, skew_clock):
    async with stage_with("") as (stage, _):
        said = await stage.type(f"/coldmigrate web01 site2 --at {clock(TO_COME)}")
        assert "It does not start before" in said
        assert f"{clock(TO_COME)} UTC" in said
        card = await stage.card(showing="waiting for approval")
        assert f"{clock(TO_COME)} UTC" in text_of(card)
        await stage.click(card, "cm.approve")
        await stage.card(showing="queued")
        assert "not before" in await stage.type("/coldmigrate list")

        skew_clock(TO_COME - 2 * MINUTE)
        await approved(stage, '"list" site2', number=1)
        await stage.card(showing="done", number=1)  # others go before it meanwhile
        assert len(vcenter.relocations) == 1

        skew_clock(TO_COME + MINUTE)
        await stage.card(showing="done")
        assert vcenter.placement("web01").site == "site2"


async def test_a_time_outside_of_the_window_is_told_of_and_waits_for_it(stage_with, vcenter, skew_clock):
    async with stage_with(window(5 * HOUR, 6 * HOUR)) as (stage, _):
        card = await approved(stage, f"web01 site2 --at {clock(TO_COME)}")
        assert "At the time that was asked for: The window of site2 is closed" in text_of(card)
        skew_clock(TO_COME + MINUTE)
        await stage.card(showing="Waits. The window of site2 is closed")
        assert vcenter.relocations == []
        skew_clock(5 * HOUR + MINUTE)
        await stage.card(showing="done")


async def test_the_next_window_as_a_time(stage_with, vcenter, skew_clock):
    async with stage_with(window(TO_COME, TO_COME + HOUR)) as (stage, _):
        said = await stage.type("/coldmigrate web01 site2 --at window")
        assert f"{clock(TO_COME)} UTC" in said
        await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
        await stage.card(showing="queued")
        skew_clock(TO_COME + MINUTE)
        await stage.card(showing="done")
        assert len(vcenter.relocations) == 1


async def test_windows_that_never_meet_block_the_plan(tmp_path, target, valkey_url):
    sites = target.sites.replace('cluster = "C1"\n', 'cluster = "C1"\n' + window(-HOUR, HOUR))
    async with plant(tmp_path, replace(target, sites=sites + window(TO_COME, TO_COME + HOUR)), valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker()
        await stage.inventory()
        said = await stage.type("/coldmigrate web01 site2 --at window")
        assert "site1 and site2 are never open at the same time. Only a change of coldmigrate.toml" in said
        await stage.type("/coldmigrate web01 site2")
        card = await stage.card(showing="This cannot start as it is")
        assert "site1 and site2 are never open at the same time" in text_of(card)
        assert buttons(card) == {"cm.cancel"}


async def test_in_a_freeze_nothing_starts(stage_with, vcenter, skew_clock):
    async with stage_with(freeze(-HOUR, TO_COME)) as (stage, _):
        planned = await approved(stage, "web01 site2")
        assert "site1 and site2 are frozen until" in text_of(planned)
        await stage.card(showing="are frozen until")
        await stage.card(showing="Waits. site1 and site2 are frozen")
        assert vcenter.relocations == []
        skew_clock(TO_COME + MINUTE)
        await stage.card(showing="done")


async def test_what_waits_can_be_cancelled(stage_with, vcenter):
    async with stage_with(freeze(-HOUR, TO_COME)) as (stage, _):
        await approved(stage, "web01 site2")
        await stage.click(await stage.card(showing="Waits. "), "cm.cancel")
        await stage.card(showing="cancelled")
        assert vcenter.relocations == []


async def test_a_window_that_closes_while_the_job_is_queued(stage_with, vcenter, skew_clock):
    async with stage_with(window(-HOUR, HOUR)) as (stage, stop):
        await stage.type("/coldmigrate web01 site2")
        card = await stage.card(showing="waiting for approval")
        assert "closed until" not in text_of(card)
        await stop()
        await stage.click(card, "cm.approve")
        await stage.card(showing="queued")
        skew_clock(2 * HOUR)
        await stage.start_worker()
        await stage.card(showing="Waits. The window of site2 is closed until")
        assert vcenter.relocations == []
        skew_clock(timedelta(days=1))
        await stage.card(showing="done")


async def test_a_config_that_was_changed_counts_within_a_quarter_of_an_hour(stage_with, vcenter, skew_clock, tmp_path):
    async with stage_with(closed := window(TO_COME, TO_COME + HOUR)) as (stage, stop):
        await approved(stage, "web01 site2")
        await stage.card(showing="Waits. The window of site2")
        await stop()
        path = tmp_path / "coldmigrate.toml"
        path.write_text(path.read_text().replace(closed, ""))
        stage.settings = config.load(path, stage.settings._environ)
        await stage.start_worker()
        skew_clock(16 * MINUTE)
        await stage.card(showing="done")


async def test_workers_that_are_killed_meanwhile_change_nothing(stage_with, vcenter, skew_clock, tmp_path):
    async with stage_with(window(TO_COME, TO_COME + HOUR)) as (stage, stop):
        await approved(stage, "web01 site2")
        await stage.card(showing="Waits. The window of site2")
        await stop()
        command = [*warm.bot(), "worker", "--config", str(tmp_path / "coldmigrate.toml")]
        with (tmp_path / "workers.log").open("wb") as log:
            environment = with_environment(stage.settings._environ)
            first = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment)
            try:
                await approved_by_process(stage)
            finally:
                first.kill()
                await first.wait()
            skew_clock(TO_COME + MINUTE)
            await stage.start_worker()
            await stage.card(showing="done")
            await stage.card(showing="done", number=1)
    assert len(vcenter.relocations) == 2


async def approved_by_process(stage) -> None:
    """The worker that is about to be killed has put off a job of its own as well."""
    await approved(stage, '"list" site2', number=1)
    await stage.card(showing="Waits. The window of site2", number=1)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ('"2020-01-01 22:00"', "is past: it is"),
        ('"2099-01-01 22:00"', "more than 90 days ahead"),
        ('"22:00 Berlin"', "Did you mean Europe/Berlin?"),
        ("“22:00 Mars/Olympus”", "no time zone 'Mars/Olympus'"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_with_a_sentence(stage, at, said):
    assert said in await stage.type(f"/coldmigrate web01 site2 --at {at}")
    assert stage.cards() == []


async def test_what_was_in_the_way_last_night_is_waited_for_anew_tonight(stage_with, vcenter, skew_clock):
    """A backup at the end of one window and another one at the beginning of the next are no backup of a day."""
    async with stage_with(window(-HOUR, HOUR)) as (stage, _):
        await stage.type("/coldmigrate web01 site2")
        card = await stage.card(showing="waiting for approval")
        tasks = vcenter.estate.tasks
        tasks.start(tasks.create("CreateSnapshot_Task", entity=vcenter.estate.vm("web01"), user="backup", op_id="b"))
        await stage.click(card, "cm.approve")
        await stage.card(showing="vCenter is running 'CreateSnapshot_Task' on web01")
        skew_clock(HOUR + MINUTE)
        await stage.card(showing="Waits. The window of site2 is closed until")
        skew_clock(23 * HOUR + 30 * MINUTE)
        said = text_of(await stage.card(showing="vCenter is running 'CreateSnapshot_Task' on web01"))
        assert "Queued" in said
