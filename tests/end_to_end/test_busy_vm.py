"""Something else works on the VM when its migration is to start: it is waited for, and nothing is lost meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.compose import queue_of, store_of
from bot.migration.machine import Phase
from tests.end_to_end.plant import text_of

A_MINUTE = timedelta(seconds=61)


@pytest.fixture
def backup(vcenter):
    """A snapshot that somebody else takes, begun and ended as the test says."""

    class Backup:
        def begin(self):
            tasks = vcenter.estate.tasks
            self.task = tasks.create(
                "CreateSnapshot_Task", entity=vcenter.estate.vm("web01"), user="backup@vsphere.local", op_id="veeam"
            )
            tasks.start(self.task)

        def end(self):
            vcenter.estate.tasks.finish(self.task)

    return Backup()


async def planned(stage):
    await stage.type("/coldmigrate web01 site2")
    return await stage.card(showing="waiting for approval")


async def test_a_backup_is_waited_for(stage, vcenter, backup, skew_clock):
    card = await planned(stage)
    backup.begin()
    await stage.click(card, "cm.approve")
    said = text_of(await stage.card(showing="vCenter is running 'CreateSnapshot_Task' on web01"))
    assert "Nothing was started. It is tried again, at least once a minute." in said
    assert vcenter.calls.get("RelocateVM_Task", 0) == 0
    backup.end()
    skew_clock(A_MINUTE)
    await stage.card(showing="done")
    assert len(vcenter.relocations) == 1


async def test_but_not_for_ever(stage, vcenter, backup, skew_clock):
    card = await planned(stage)
    backup.begin()
    await stage.click(card, "cm.approve")
    await stage.card(showing="vCenter is running 'CreateSnapshot_Task' on web01")
    skew_clock(timedelta(minutes=61))
    assert "Nothing was started." in text_of(await stage.card(showing="failed"))
    assert vcenter.calls.get("RelocateVM_Task", 0) == 0


async def test_begun_between_the_last_look_and_the_call(stage, vcenter, backup, skew_clock):
    card = await planned(stage)
    under_way = vcenter.hold_back("SetField")  # the trace, which is written between the two
    await stage.click(card, "cm.approve")
    async with asyncio.timeout(20):
        await vcenter.until_called("SetField")
        backup.begin()
        under_way.set()
    await stage.card(showing="vCenter cannot start it at the moment")
    async with store_of(stage.settings) as store:
        (job,) = await queue_of(stage.settings, store).recent()
    assert (job.state, job.attempt) == (Phase.QUEUED, 1)
    backup.end()
    skew_clock(A_MINUTE)
    await stage.card(showing="done")
    assert [(one.op_id[-2:], one.outcome) for one in vcenter.relocations if not one.outcome.endswith("InProgress")] == [
        ("a2", "success")
    ]


async def test_a_vcenter_that_lets_nobody_in_for_a_while_ends_nothing(stage, vcenter, skew_clock):
    """As while it starts, or between the change of a password there and here."""
    card = await planned(stage)
    sessions = vcenter.estate.sessions
    accounts, sessions._accounts = sessions._accounts, ()
    vcenter.expire_sessions()
    await stage.click(card, "cm.approve")
    said = text_of(await stage.card(showing="does not accept the password"))
    assert "Queued" in said
    sessions._accounts = accounts
    skew_clock(A_MINUTE)
    await stage.card(showing="done")
    assert len(vcenter.relocations) == 1
