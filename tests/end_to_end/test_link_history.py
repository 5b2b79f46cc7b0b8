"""What a migration leaves in the history of its link, and where people see it."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.compose import store_of
from bot.links.history import RedisLinkHistory
from bot.migration.measured import SampleKind
from tests.end_to_end.plant import text_of

LINK = "site1~site2"
EVER = datetime(2000, 1, 1, tzinfo=UTC)


async def test_a_copy_that_went_well_is_a_sample_and_home_tells_of_its_link(stage):
    await stage.type("/coldmigrate web01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    await stage.card(showing="done")
    async with store_of(stage.settings) as store:
        samples = await RedisLinkHistory(store).samples(LINK, since=EVER)
    (copy,) = [sample for sample in samples if sample.kind is SampleKind.COPY]
    assert copy.source_host.startswith("esx-site1")
    assert copy.target_host.startswith("esx-site2")
    looks = [sample for sample in samples if sample.kind is SampleKind.PROBE]
    assert sum(look.sent for look in looks) > 0
    assert sum(look.lost for look in looks) == 0

    def told() -> bool:
        return any(LINK in text_of(view) for view in stage.slack.person.views("alice") if view["type"] == "home")

    stage.slack.person.open_home("alice")
    await stage.until(told)
