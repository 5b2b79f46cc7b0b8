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
    Vmk,
)
from bot.migration.measured import PathMeasurement, Pings, When
from bot.migration.plan import FarVCenter, Plan
from bot.migration.planning import make_plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName, VmRef
from bot.migration.survey import Survey

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


FAR = FarVCenter(VCenterName("west"), "https://vc-west.example.net", "9c11-uuid", "AA:BB")


def vmk(device: str, address: str, *services: str, **more: object) -> Vmk:
    return Vmk(device, address, "255.255.255.0", services=services, **more)


def provisioned(site: int, *, gateway: str = "") -> tuple[Vmk, ...]:
    """The interfaces of a host as they should be: management, vMotion, provisioning with a way out."""
    return (
        vmk("vmk0", f"10.{site}.0.11", "management"),
        vmk("vmk1", f"10.{site}.1.11", "vmotion"),
        vmk("vmk2", f"10.{site}.2.11", "vSphereProvisioning", gateway=gateway or f"10.{site}.2.1"),
    )


SOURCE_HOST = HostFacts(
    "esx-01.site1", "host-1", "connected", False, "8.0.3", "resgroup-1", (), (), 3, interfaces=provisioned(1), copies=0
)
MEASURED = PathMeasurement(
    at=SITE.read_at,
    when=When.BEFORE,
    link="site1~site2",
    source_host="esx-01.site1",
    target_host="esx-02.site2",
    path=None,
    small=Pings(200, 200, 84, whole=False),
    full=Pings(5, 5, 1500, whole=True),
    listening={902: True, 8000: True},
    resolves={"esx-01.site1": True, "esx-02.site2": True},
)
SURVEY = Survey(
    missing_privileges=(),
    advice=(),
    clock_offsets={"esx-01.site1": timedelta(), "esx-02.site2": timedelta(seconds=-1)},
    nfc_sessions={"esx-01.site1": 0, "esx-02.site2": 3},
    measured=MEASURED,
)


def plan_of(
    *,
    request: MigrationRequest = REQUEST,
    vm: VmFacts = VM,
    site: SiteFacts = SITE,
    source: str | None = "site1",
    outlook: Outlook | None = OUTLOOK,
    **more: object,
) -> Plan:
    return make_plan(request, vm, site, source_site=SiteName(source) if source else None, outlook=outlook, **more)


class Bench:
    """The fitting pair and the way to bend it."""

    vm, site, request, now, far = VM, SITE, REQUEST, NOW, FAR
    survey, measured, source_host = SURVEY, MEASURED, SOURCE_HOST
    plan = staticmethod(plan_of)
    provisioned = staticmethod(provisioned)

    @classmethod
    def full(cls, *, request: object = None, site: SiteFacts = SITE, survey: object = None, **more: object) -> Plan:
        """As `plan`, with all of it known: interfaces at both ends and a clean survey; changes of each by name.

        `request` and `survey` are what is changed of them; `on` and `host` of the hosts, `max_loss` and `far` as they
        are, and anything else is of the VM.
        """
        on = replace(SOURCE_HOST, **more.pop("on", {}))
        hosts = tuple(
            replace(host, **{"interfaces": provisioned(2), "crypto_safe": True, "copies": 0, **more.get("host", {})})
            for host in site.hosts
        )
        more.pop("host", None)
        options = {name: more.pop(name) for name in ("max_loss", "far", "busy", "outlook", "source") if name in more}
        return plan_of(
            request=replace(REQUEST, **(request or {})),
            vm=replace(VM, on=on, **more),
            site=replace(site, hosts=hosts),
            survey=replace(SURVEY, **(survey or {})),
            **options,
        )

    @classmethod
    def look(cls, **measured: object) -> Plan:
        """A plan whose path was measured so."""
        return cls.full(survey={"measured": replace(MEASURED, **measured)}, max_loss=0.001)

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
