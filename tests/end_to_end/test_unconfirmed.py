"""An intent that no replica confirms: vCenter is not asked on the strength of it, and nothing is lost by waiting."""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.plant import plant, text_of


async def test_nothing_is_called_until_the_intent_is_confirmed(tmp_path, target, valkey_url, vcenter, skew_clock):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        usual = stage.settings
        lonely = usual.redis.model_copy(update={"confirm_replicas": 1})  # of which this Redis has none
        stage.settings = usual.model_copy(update={"redis": lonely})
        stop = await stage.start_worker()
        stage.settings = usual
        await stage.inventory()
        await stage.type("/coldmigrate web01 site2")
        await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
        card = await stage.card(showing="only 0 of 1 replicas confirmed it")
        assert "Queued" in text_of(card)
        assert "Nothing was started" in text_of(card)
        assert vcenter.relocations == []

        await stop()
        await stage.start_worker()
        skew_clock(timedelta(minutes=2))
        await stage.card(showing="done")
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a1")
