"""`coldmigrate link canary`: the same verb as in Slack. Whoever has the config and its Redis may do everything here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.ledger import me

if TYPE_CHECKING:
    from bot.operations.counter import Counter
    from bot.settings import Settings
    from bot.store.client import Store


def sent(config: Path | None, ends: tuple[str, str], *, host: str | None, channel: str) -> Sequence[str]:
    """What came of it, in lines. UserError and RefusedError as the verb has them."""
    from bot import settings
    from bot.compose import store_of
    from bot.operations.canary import send_canary
    from bot.operations.port import Person

    loaded, who = settings.load(config), Person(user_id=me(), channel=channel)

    async def asked() -> Sequence[str]:
        async with store_of(loaded) as store:
            answer = await send_canary(_counter(loaded, store), who, channel, ends, host=host, dedupe="")
            return [answer.text, *answer.lines]

    return asyncio.run(asked())


class _NoWorkspace:
    """Slack is not asked: whether the bot is in the channel shows when the card is posted."""

    async def require_member(self, channel: str) -> None:
        """Nobody knows here."""

    async def require_person(self, channel: str, user_id: str) -> None:
        """Nor that."""

    async def members(self, group: str) -> frozenset[str]:  # noqa: ARG002 - of a group nobody is let in by here
        return frozenset()


def _counter(settings: Settings, store: Store) -> Counter:
    from bot.compose import allow_of, calendar_of, queue_of, site_specs
    from bot.migration.request import SiteName, VCenterName
    from bot.operations.counter import Counter
    from bot.operations.rights import EVERYWHERE, Grant, Rights, Verb
    from bot.slack.outbox import RedisOutbox
    from bot.store import blobs
    from bot.vsphere.inventory_store import RedisInventory

    workspace = _NoWorkspace()
    return Counter(
        queue=queue_of(settings, store),
        outbox=RedisOutbox(store),
        inventory=RedisInventory(store, [VCenterName(name) for name in settings.vcenters]),
        rights=Rights([Grant((f"user:{me()}",), frozenset({Verb.MIGRATE}), (EVERYWHERE,))], workspace),
        channels=workspace,
        sites=site_specs(settings),
        approvals={},
        shelve=partial(blobs.put, store),
        calendar=calendar_of(settings),
        allow=allow_of(settings),
        strict=frozenset(SiteName(name) for name, site in settings.sites.items() if site.warnings == "force"),
        canaries=settings.canaries(),
    )
