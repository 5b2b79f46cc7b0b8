"""esxcli through both vCenters: one knows pings, the other the executer as govmomi's authors saw it on real ones."""

from __future__ import annotations

import pytest

from bot.migration.facts import Vmk
from bot.migration.path import Leg
from bot.vsphere.esxcli import KIND
from bot.vsphere.port import FaultError


async def test_listeners_are_listed_and_udp_is_not_among_them(peer, vcenter):
    found = await vcenter.connections(peer.host, ports=(443, 123))
    assert [(one.host, one.local, one.state) for one in found] == [(peer.host, "0.0.0.0:443", "LISTEN")]


async def test_what_a_host_refuses_is_told_in_its_words(peer, vcenter):
    with pytest.raises(FaultError) as refused:
        await vcenter.ping(peer.host, Leg(Vmk("vmk9", ""), Vmk("vmk0", "192.0.2.1"), 902), count=1, size=84, whole=True)
    assert refused.value.kind == KIND
    assert str(refused.value).startswith(f"{peer.host}: esxcli network diag ping: ")


async def test_a_session_that_ended_is_opened_again_with_a_new_executer(peer, vcenter):
    assert await vcenter.connections(peer.host, ports=(443,))
    await peer.end_all_sessions()
    assert await vcenter.connections(peer.host, ports=(443,))
