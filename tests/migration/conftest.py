"""A VM and a site that fit together; tests change one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.migration.calendar import Calendar, Freeze, Window
from bot.migration.choice import Outlook
from bot.migration.facts import (
    DatastoreFacts,
    Disk,
    HostFacts,
    NetworkFacts,
    Nic,
    SiteFacts,
    SiteSpec,
    VmFacts,
)
from bot.migration.plan import Plan
from bot.migration.planning import make_plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName, VmRef

GIB = 2**30
VM = VmFacts(
    ref=VmRef(VCenterName("east"), "5011-uuid", "web01"),
    moid="vm-1",
    path="/DC1/vm/Apps/web01",
    datacenter="DC1",
    folder="Apps",
    host="esx-01.site1",
    host_moid="host-1",
    vm_path_name="[ds-c1-01] web01/web01.vmx",
    datastores=("ds-c1-01",),
    power="poweredOff",
    connection="connected",
    template=False,
    disks=(
        Disk(2000, "Hard disk 1", "[ds-c1-01] web01/web01.vmdk", 40 * GIB, 12 * GIB, thin=True),
        Disk(2001, "Hard disk 2", "[ds-c1-01] web01/web01_1.vmdk", 10 * GIB, 10 * GIB, thin=False),
    ),
    nics=(Nic(4000, "Network adapter 1", "00:50:56:00:00:01", "dvpg-app"),),
    committed=23 * GIB,
    disabled_methods=(),
    running_tasks=(),
    question=None,
    has_snapshots=False,
)
SITE = SiteFacts(
    spec=SiteSpec(
        name=SiteName("site2"),
        vcenter=VCenterName("east"),
        datacenter="DC2",
        cluster="C2",
        host=None,
        datastore="ds-c2-01",
        folder="Migrated",
        networks={"dvpg-app": "dvpg-app-dr"},
    ),
    hosts=(
        HostFacts(
            "esx-01.site2",
            "host-3",
            "connected",
            False,
            "8.0.3",
            "resgroup-2",
            ("ds-c2-01",),
            ("dvpg-app-dr", "VM Network"),
            7,
        ),
        HostFacts(
            "esx-02.site2",
            "host-4",
            "connected",
            False,
            "8.0.3",
            "resgroup-2",
            ("ds-c2-01",),
            ("dvpg-app-dr", "VM Network"),
            2,
        ),
    ),
    datastores=(
        DatastoreFacts(
            "ds-c2-01", "datastore-2", "VMFS", 4096 * GIB, 2048 * GIB, accessible=True, maintenance="normal"
        ),
    ),
    networks=(
        NetworkFacts("dvpg-app-dr", "dvportgroup-2", "dvportgroup-2", "50 11 aa"),
        NetworkFacts("VM Network", "network-2", None, None),
    ),
    folder="Migrated",
    folder_moid="group-v9",
    names_in_folder=("other",),
    read_at=datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
)
NOW = SITE.read_at
OUTLOOK = Outlook(NOW, Calendar())
REQUEST = MigrationRequest(vm=VM.ref, site=SiteName("site2"))


def plan_of(
    *,
    request: MigrationRequest = REQUEST,
    vm: VmFacts = VM,
    site: SiteFacts = SITE,
    source: str | None = "site1",
    outlook: Outlook | None = OUTLOOK,
) -> Plan:
    return make_plan(request, vm, site, source_site=SiteName(source) if source else None, outlook=outlook)


class Bench:
    """The fitting pair and the way to bend it."""

    vm, site, request, now = VM, SITE, REQUEST, NOW
    plan = staticmethod(plan_of)

    @staticmethod
    def with_host(**change: object) -> SiteFacts:
        return replace(SITE, hosts=(replace(SITE.hosts[0], **change),))

    @staticmethod
    def at_night(
        window: str = "Mon-Fri 20:00-06:00 UTC", *, source: str = "", rate: float | None = None, frozen: int = 0
    ) -> Outlook:
        """A Monday, 04:00 UTC; site2 has a window, site1 perhaps too, and everything may be frozen for some days."""
        windows = {"site2": [Window.read(window)]} | ({"site1": [Window.read(source)]} if source else {})
        freezes = [Freeze(NOW, NOW + timedelta(days=frozen), frozenset({"*"}), "inventory")] if frozen else []
        return Outlook(NOW, Calendar(windows, freezes), {"site1~site2": rate} if rate else {})

    @staticmethod
    def with_datastore(**change: object) -> SiteFacts:
        return replace(SITE, datastores=(replace(SITE.datastores[0], **change),))


@pytest.fixture
def bench() -> type[Bench]:
    return Bench
