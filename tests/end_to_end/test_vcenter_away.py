"""vCenter goes away in each phase of a job: the card says what is awaited, and the job goes on by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.end_to_end.plant import CHANNEL, plant, text_of

PAST_RETRY = timedelta(minutes=2)
DAY = timedelta(days=1)


async def planned(stage, vm: str = "web01"):
    await stage.type(f"/coldmigrate {vm} site2")
    return await stage.card(showing="waiting for approval")


async def test_away_when_an_approved_job_is_to_start(stage, vcenter, skew_clock):
    card = await planned(stage)
    await vcenter.go_down()
    await stage.click(card, "cm.approve")
    said = text_of(await stage.card(showing="refuses connections"))
    assert "Nothing was started. It is tried again" in said
    assert "Waits for a free slot" not in said
    await vcenter.come_up()
    skew_clock(PAST_RETRY)
    card = await stage.card(showing="done")
    assert "refuses connections" not in text_of(card)
    assert len(vcenter.relocations) == 1


async def test_away_while_it_copies(tmp_path, target, valkey_url, vcenter):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker(silence=timedelta(seconds=0.2))
        await stage.inventory()
        vcenter.set_link("site1", "site2", rate=1_000_000)
        await stage.click(await planned(stage), "cm.approve")
        await stage.card(showing="copying")
        await vcenter.go_down()
        said = text_of(await stage.card(showing="refuses connections"))
        assert "followed again as soon as vCenter answers" in said
        assert "left" not in said  # no rate and no hour of arrival while nobody looks
        vcenter.set_link("site1", "site2", rate=8_000_000_000)
        await vcenter.come_up()
        await stage.card(showing="done")
        assert len(vcenter.relocations) == 1


async def test_away_while_it_is_not_known_whether_it_started(stage, vcenter):
    card = await planned(stage)
    under_way = vcenter.hold_back("RelocateVM_Task")
    await stage.click(card, "cm.approve")
    await vcenter.until_called("RelocateVM_Task")
    await vcenter.go_down()
    said = text_of(await stage.card(showing="refuses connections"))
    assert "Whether the copy started is not known" in said
    under_way.set()
    await vcenter.come_up()
    await stage.card(showing="done")
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a1")


@pytest.fixture
async def patient(tmp_path, target, valkey_url):
    """A stage on which a worker keeps its lease while the clock is moved by hours."""
    async with plant(tmp_path, target, valkey_url) as stage:
        worker = stage.settings.worker.model_copy(update={"lease_seconds": DAY.total_seconds()})
        stage.settings = stage.settings.model_copy(update={"worker": worker})
        await stage.start_bot()
        await stage.start_worker()
        await stage.inventory()
        yield stage


async def test_away_for_hours_while_it_is_not_known_whether_it_started(patient, vcenter, skew_clock):
    """An upgrade of vCenter takes an evening; what it knows afterwards decides, and nobody has to."""
    card = await planned(patient)
    under_way = vcenter.hold_back("RelocateVM_Task")
    await patient.click(card, "cm.approve")
    await vcenter.until_called("RelocateVM_Task")
    await vcenter.go_down()
    await patient.card(showing="refuses connections")
    for hours in (2, 4):
        skew_clock(timedelta(hours=hours))
        said = text_of(await patient.reply(card, saying="is away for long"))
    assert "Please do not start it by hand" in said
    assert "Whether the copy started is not known" in text_of(await patient.card(showing="refuses connections"))
    under_way.set()
    await vcenter.come_up()
    await patient.card(showing="done")
    told = [m for m in patient.slack.person.thread(CHANNEL, card["ts"]) if "is away for long" in text_of(m)]
    assert len(told) == 1
    assert len(vcenter.relocations) == 1


async def test_refused_for_an_hour_while_it_is_not_known_whether_it_started(patient, vcenter, skew_clock):
    """It answers, and nobody mends what it says: that is for a person."""
    card = await planned(patient)
    vcenter.drop_request("RelocateVM_Task")
    await patient.click(card, "cm.approve")
    await patient.card(showing="finding out")
    vcenter.estate.sessions._accounts = ()  # the password was changed
    vcenter.expire_sessions()
    await patient.card(showing="does not accept the password")
    skew_clock(timedelta(hours=2))
    await patient.card(showing="needs a person")


async def test_a_cancel_says_no_more_than_what_was_heard(tmp_path, target, valkey_url, vcenter):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker(silence=timedelta(seconds=0.2))
        await stage.inventory()
        await stage.click(await planned(stage, "big01"), "cm.approve")
        card = await stage.card(showing="copying")
        await vcenter.go_down()
        await stage.click(card, "cm.cancel")
        said = text_of(await stage.card(showing="is being asked to stop"))
        assert "was asked to stop" not in said
        await vcenter.come_up()
        card = await stage.card(showing="cancelled")
        assert "big01 is at its source, whole" in stage.thread_text(card)
