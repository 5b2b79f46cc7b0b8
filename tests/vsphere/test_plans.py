"""A whole plan's reading: how often vCenter is asked, what the account lacks, and what CheckRelocate says."""

from __future__ import annotations

from collections import Counter


MOST = 12


async def test_a_plan_in_at_most_twelve_round_trips(player_peer, played, player):
    (found,) = await played.find_vms(player_peer.vm)
    before = Counter(player.calls)
    facts = await played.read_vm(found.ref.uuid)
    site = await played.read_site(player_peer.target)
    plan = player_peer.plan_of(facts, site)
    await played.missing_privileges(plan)
    await played.check_relocate(plan)
    asked = Counter(player.calls) - before
    assert facts.on is not None
    assert facts.on.interfaces
    assert asked.total() <= MOST


async def test_nothing_is_missing_for_who_may_do_everything(peer, vcenter):
    assert list(await vcenter.missing_privileges(await peer.plan(vcenter))) == []


async def test_a_check_that_finds_nothing(peer, vcenter):
    assert list(await vcenter.check_relocate(await peer.plan(vcenter))) == []
