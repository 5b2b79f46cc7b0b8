"""Incidents in a real Valkey, as a judge would have left them, and a counter that serves people about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.diagnosis.causes import Basis, Cause
from bot.hostlog.line import HostKey
from bot.incidents.incident import Case, Change, Client, HostCount, Incident, IncidentId, Standing, Verdict
from bot.incidents.kept import RedisIncidents
from bot.migration.request import SiteName, VCenterName
from bot.operations.counter import Counter
from bot.operations.port import Person
from bot.store import keys
from bot.store.client import Store
from bot.vsphere.inventory_store import RedisInventory
from tests.migration.conftest import SITE
from tests.operations.counter_stage import counter_for

INCIDENT = IncidentId("n2fcalrt")
EPOCH = "7"
FIRST = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
ALICE = Person(user_id="U1", channel="C1")
BOB = Person(user_id="U2", channel="C1")
SPECS = {
    SiteName(name): replace(SITE.spec, name=SiteName(name), vcenter=VCenterName(vcenter), datacenter=f"DC-{name}")
    for name, vcenter in (("site1", "east"), ("site2", "west"))
}


def an_incident(**changes) -> Incident:
    plain = Incident(
        id=INCIDENT,
        cause=Cause.PACKET_LOSS,
        confidence=0.6,
        basis=Basis.LOG,
        client=Client.BACKUP,
        first=FIRST,
        last=FIRST + timedelta(minutes=16),
        count=7,
        lines=41,
        hosts={
            HostKey("east/esx-01.example.net"): a_count(4, "web01"),
            HostKey("east/esx-02.example.net"): a_count(2),
            HostKey("west/esx-11.example.net"): a_count(1, "db01"),
        },
        verdict=Verdict(
            headline="NFC sessions died while data was flowing.",
            next_checks=("Measure the loss between the sites.",),
            lines=("vpxa.log [decisive] bWritten: -1",),
        ),
        sites=("site1", "site2"),
        vms=("web01", "db01"),
        op_ids=("C65743A5-0000024D",),
        failed=3,
    )
    return replace(plain, **changes)


def a_count(failures: int, *vms: str) -> HostCount:
    return HostCount(failures=failures, lines=failures * 6, last=FIRST + timedelta(minutes=16), vms=vms)


async def keep(store: Store, *incidents: Incident, channel: str = "C1") -> RedisIncidents:
    """As a judge does; with a message in that channel, if one is named."""
    await store.hset(keys.shard("judge"), "epoch", EPOCH)
    kept = RedisIncidents(store)
    changes = [Change(incident, Standing(opened_at=FIRST)) for incident in incidents]
    assert await kept.commit(EPOCH, after="1-0", changes=changes)
    for incident in incidents:
        if channel:
            await kept.spoken(incident.id, channel)
    return kept


def alert_counter(store: Store, *may, sites: tuple[str, ...] = ("*",), **more) -> Counter:
    """For ALICE, who may do this much at these of two sites."""
    counter = counter_for(store, *may, sites=sites, incidents=RedisIncidents(store), **more)
    inventory = RedisInventory(store, [VCenterName("east"), VCenterName("west")])
    return replace(counter, sites=SPECS, inventory=inventory)


async def standing(store: Store) -> Standing:
    case = await RedisIncidents(store).get(INCIDENT)
    assert isinstance(case, Case)
    return case.standing
