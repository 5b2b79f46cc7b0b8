"""The one waiting read of a process: it ends in peace when the last reader leaves, at whatever moment."""

from __future__ import annotations

from datetime import timedelta

from bot.hostlog.line import HostKey
from bot.logs.consumers import Consumers, Subscription
from bot.logs.journal import Journal, LogName
from bot.store.client import connect


async def test_the_last_reader_leaves_while_its_log_is_said_to_be_wanted(valkey_url):
    async with connect(valkey_url) as store:
        minute = timedelta(minutes=1)
        journal = Journal(store, owner="test", lease=minute, wanted=minute, kept=100)
        reader = Subscription(LogName(HostKey("east/esx-01"), "vpxa"), "0-0")
        consumers = Consumers(store, journal, refresh=timedelta(0), wanted=lambda _: consumers.remove(reader))
        consumers.add(reader)
        await consumers.run()
        assert [item async for item in reader] == []
