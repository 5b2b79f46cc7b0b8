"""The reply of RelocateVM_Task is lost: it is looked up, and repeated only when it surely was never carried out."""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.plant import plant, text_of

PAST_SETTLE = timedelta(seconds=60)  # submit time-out 5 s and the margin of 30 s


async def approved(stage, vm: str) -> None:
    await stage.type(f"/coldmigrate {vm} site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")


async def test_carried_out_and_the_reply_lost(stage, vcenter):
    vcenter.drop_reply("RelocateVM_Task")
    await approved(stage, "web01")
    await stage.card(showing="done")
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a1")
    assert vcenter.placement("web01").site == "site2"


async def test_never_carried_out_is_repeated_after_the_settle_time_and_not_before(stage, vcenter, skew_clock):
    vcenter.drop_request("RelocateVM_Task")
    await approved(stage, "web01")
    await stage.card(showing="finding out")
    calls = vcenter.calls.get("CreateCollectorForTasks", 0)
    await vcenter.until_called("CreateCollectorForTasks", calls + 2)  # it looks more than once
    assert vcenter.relocations == []

    skew_clock(PAST_SETTLE)
    await stage.card(showing="done")
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a2")


async def test_a_cancel_while_nobody_knows_starts_nothing(stage, vcenter, skew_clock):
    vcenter.drop_request("RelocateVM_Task")
    await approved(stage, "web01")
    await stage.click(await stage.card(showing="finding out"), "cm.cancel")
    await vcenter.until_called("CreateCollectorForTasks")  # the session is ended by then, and its time runs
    skew_clock(PAST_SETTLE)
    card = await stage.card(showing="cancelled")
    assert "had not started" in text_of(card)
    assert vcenter.relocations == []


async def test_vcenter_away_while_it_copies(stage, vcenter):
    """The task goes on without us; it is followed again when vCenter is back."""
    await approved(stage, "web01")
    await stage.card(showing="copying")
    await vcenter.go_down()
    await vcenter.come_up()
    await stage.card(showing="done")
    assert len(vcenter.relocations) == 1


async def test_the_session_expires_while_it_copies(stage, vcenter):
    await approved(stage, "web01")
    await stage.card(showing="copying")
    assert vcenter.expire_sessions() > 0
    await stage.card(showing="done")
    assert len(vcenter.relocations) == 1


async def test_a_worker_that_is_told_to_stop_hands_its_job_over(tmp_path, target, valkey_url, vcenter):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        await approved(stage, "web01")
        await stage.card(showing="copying")
        await stop()
        await stage.start_worker()
        await stage.card(showing="done")
        assert len(vcenter.relocations) == 1


async def test_the_session_ends_between_intent_and_call(tmp_path, target, valkey_url, vcenter):
    """A definite refusal: a new intent, with the session that really calls."""
    expired: list[int] = []

    def reached(point: str) -> None:
        if point == "after-intent" and not expired:
            expired.append(vcenter.expire_sessions())

    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker(reached=reached)
        await stage.inventory()
        await approved(stage, "web01")
        await stage.card(showing="done")
    assert expired
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a2")


async def test_a_cancel_is_told_again_when_the_session_had_ended(stage, vcenter):
    await approved(stage, "big01")
    card = await stage.card(showing="copying")
    vcenter.expire_sessions()
    await stage.click(card, "cm.cancel")
    await stage.card(showing="cancelled")
    assert vcenter.placement("big01").site == "site1"
