"""A reader of logs whose session has ended logs in again; of the account that reads, a missing privilege is named."""

from __future__ import annotations

import pytest

from bot.vsphere.port import FaultError

HOST = "esx-site1-01.example.net"


async def test_a_session_that_ended_is_no_missing_privilege(player_peer, played):
    last = await played.last_line(HOST, "vpxa")
    await player_peer.end_all_sessions()
    assert await played.last_line(HOST, "vpxa") >= last
    await player_peer.end_all_sessions()
    assert (await played.read(HOST, "vpxa", start=1, lines=1))[1]


async def test_a_missing_privilege_is_named(player_peer):
    with pytest.raises(FaultError, match=r"Global\.Diagnostics"):
        await player_peer.connect(user="viewer@vsphere.local").last_line(HOST, "vpxa")
