"""`--when-clean` from the first key to the last reply: it waits while packets are lost, and starts by itself after."""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.plant import text_of


async def test_a_migration_waits_until_its_link_is_clean(stage, vcenter, skew_clock):
    vcenter.set_link("site1", "site2", loss=0.5)
    await stage.type("/coldmigrate web01 site2 --when-clean")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    card = await stage.card(showing="It starts when site1~site2 is clean")
    assert "of 750 lost" in text_of(card)
    assert vcenter.relocations == []
    vcenter.set_link("site1", "site2", loss=0.0)
    hour = timedelta(hours=1)
    for look in range(4):
        skew_clock(hour + look * timedelta(minutes=4))
        if look < 3:
            await stage.card(showing=f"0 of {750 * (look + 1)} lost")
    await stage.card(showing="done")
    assert vcenter.placement("web01").site == "site2"
