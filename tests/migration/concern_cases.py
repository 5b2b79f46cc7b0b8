"""For every concern: what makes it speak, by weight and words, and what comes near and does not.

That it says so when it cannot tell is tested of every fact that it declares, in test_concerns.py; `UNKNOWN` has what a
guard finds out only while it looks. Each case bends the fitting pair of conftest.py in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.migration.facts import Device, NetworkFacts, RunningTask, Snapshots
from bot.migration.measured import Pings
from bot.migration.plan import Plan, Severity
from bot.migration.request import VCenterName
from bot.migration.survey import Advice, MissingPrivilege, VCenters

GIB = 2**30
BLOCK, WARN, NOTE = Severity.BLOCK, Severity.WARN, Severity.NOTE
Bend = Callable[..., Plan]


def disk(b, **change):
    """The first disk of two, changed."""
    return {"disks": (replace(b.vm.disks[0], **change), b.vm.disks[1])}


def device(kind, label="a device", detail="", *, connected=True):
    return {"devices": (Device(12000, kind, label, detail, connected),)}


def snapshots(**change):
    return Snapshots(**{"count": 3, "depth": 2, "size": 5 * GIB, "oldest": datetime(2026, 1, 2, tzinfo=UTC), **change})


def store(b, **change):
    return replace(b.site, datastores=(replace(b.site.datastores[0], **change),))


def two_stores(b, **change):
    """A second datastore, which the hosts mount."""
    second = replace(b.site.datastores[0], name="ds-c2-02", moid="datastore-3", **change)
    hosts = tuple(replace(host, datastores=("ds-c2-01", "ds-c2-02")) for host in b.site.hosts)
    return replace(b.site, datastores=(*b.site.datastores, second), hosts=hosts)


def elsewhere(b):
    """The site is in another vCenter."""
    return replace(b.site, spec=replace(b.site.spec, vcenter=VCenterName("west")))


def lacking(*, needed):
    privilege = MissingPrivilege("Network.Assign", "network", "dvpg-app-dr", "to connect its card", needed)
    return {"missing_privileges": (privilege,)}


def advice(*, is_error):
    return {"advice": (Advice(is_error, "vim.fault.CannotAccessNetwork", "Network is not accessible."),)}


def opaque(b, target="VM Network"):
    networks = (*b.site.networks[:1], NetworkFacts("VM Network", "network-2", None, None, opaque_id="seg-1"))
    return b.full(site=replace(b.site, networks=networks), request={"networks": {"dvpg-app": target}})


def vcenters(here="8.0.3", there="8.0.3", ahead=0):
    return {"survey": {"vcenters": VCenters(here, there, timedelta(seconds=ahead))}}


SECOND = {"disk_datastores": {"Hard disk 2": "ds-c2-02"}}
LATER = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)

YES: dict[str, list[tuple[Severity, str, Bend]]] = {
    "power-state": [
        (BLOCK, "powered on", lambda b: b.full(power="poweredOn")),
        (BLOCK, "suspended", lambda b: b.full(power="suspended", request={"shutdown": True})),
        (WARN, "VMware Tools do not run", lambda b: b.full(power="poweredOn", request={"shutdown": True})),
        (
            NOTE,
            "shut down when its turn comes",
            lambda b: b.full(power="poweredOn", tools_running=True, request={"shutdown": True}),
        ),
    ],
    "same-place": [(BLOCK, "already is at site2", lambda b: b.full(source="site2"))],
    "cross-vcenter": [
        (BLOCK, "in vCenter west, which has not told", lambda b: b.full(site=elsewhere(b))),
        (NOTE, "stay at east", lambda b: b.full(site=elsewhere(b), far=b.far)),
    ],
    "vcenters-apart": [
        (
            WARN,
            "is 8.0.3 and west is 7.0.3",
            lambda b: b.full(site=elsewhere(b), far=b.far, **vcenters("8.0.3", "7.0.3")),
        ),
        (WARN, "is 6.7.0 and west", lambda b: b.full(site=elsewhere(b), far=b.far, **vcenters("6.7.0", "8.0.3"))),
        (WARN, "is 6.0.0 and west", lambda b: b.full(site=elsewhere(b), far=b.far, **vcenters("6.0.0", "6.5.0"))),
        (WARN, "west is 2 s ahead of", lambda b: b.full(site=elsewhere(b), far=b.far, **vcenters(ahead=2))),
        (WARN, "behind that of east", lambda b: b.full(site=elsewhere(b), far=b.far, **vcenters(ahead=-90))),
        (NOTE, "Enterprise Plus", lambda b: b.full(site=elsewhere(b), far=b.far)),
    ],
    "connection-state": [(BLOCK, "orphaned", lambda b: b.full(connection="orphaned"))],
    "template": [(BLOCK, "template", lambda b: b.full(template=True))],
    "question": [(BLOCK, "msg.uuid", lambda b: b.full(question="msg.uuid.altered"))],
    "running-task": [
        (BLOCK, "'backup' on web01 for veeam", lambda b: b.full(running_tasks=(RunningTask("backup", "veeam"),)))
    ],
    "disabled-method": [(BLOCK, "RelocateVM_Task", lambda b: b.full(disabled_methods=("RelocateVM_Task",)))],
    "fault-tolerance": [(BLOCK, "Fault Tolerance", lambda b: b.full(fault_tolerance=True))],
    "replication": [(BLOCK, "vSphere Replication", lambda b: b.full(replication=True))],
    "managed-by": [(WARN, "com.vmware.vcDr", lambda b: b.full(managed_by="com.vmware.vcDr"))],
    "vapp": [(BLOCK, "the vApp shop", lambda b: b.full(vapp="shop"))],
    "linked-clone": [(BLOCK, "linked clone", lambda b: b.full(linked_clone=True))],
    "rdm": [
        (BLOCK, "Hard disk 1 of web01 is a raw device (physical", lambda b: b.full(**disk(b, rdm="physicalMode"))),
        (BLOCK, "(virtual", lambda b: b.full(**disk(b, rdm="virtualMode"))),
    ],
    "shared-disks": [
        (BLOCK, "sharingMultiWriter", lambda b: b.full(**disk(b, sharing="sharingMultiWriter"))),
        (BLOCK, "physicalSharing", lambda b: b.full(bus_sharing=("physicalSharing",))),
    ],
    "persistent-memory": [
        (BLOCK, "NVDIMM 1", lambda b: b.full(**device("nvdimm", "NVDIMM 1"))),
        (BLOCK, "Hard disk 1", lambda b: b.full(**disk(b, form="pmem"))),
    ],
    "passthrough": [
        (WARN, "PCI device 0 of web01 is a PCI device of host", lambda b: b.full(**device("pci", "PCI device 0"))),
        (BLOCK, "cannot be powered on at site2", lambda b: b.full(**device("pci"), request={"power_on": True})),
    ],
    "vgpu": [(WARN, "(grid_p40-2q)", lambda b: b.full(**device("vgpu", "PCI device 1", "grid_p40-2q")))],
    "encryption": [
        (BLOCK, "crypto-safe", lambda b: b.full(encrypted=True, host={"crypto_safe": False})),
        (
            WARN,
            "needs the key provider kms-1",
            lambda b: b.full(encrypted=True, key_provider="kms-1", site=elsewhere(b), far=b.far),
        ),
        (NOTE, "encrypted with its key provider", lambda b: b.full(**disk(b, encrypted=True))),
    ],
    "virtual-tpm": [
        (WARN, "cannot be unlocked", lambda b: b.full(**device("tpm"), site=elsewhere(b), far=b.far)),
        (NOTE, "virtual TPM", lambda b: b.full(**device("tpm"))),
    ],
    "privileges": [
        (BLOCK, "lacks Network.Assign on the network dvpg-app-dr", lambda b: b.full(survey=lacking(needed=True))),
        (NOTE, "lacks Network.Assign", lambda b: b.full(survey=lacking(needed=False))),
    ],
    "host-state": [
        (BLOCK, "esx-01.site2, esx-02.site2", lambda b: b.full(request={"host": "nope"})),
        (BLOCK, "notResponding", lambda b: b.full(host={"connection": "notResponding"})),
        (BLOCK, "maintenance", lambda b: b.full(host={"in_maintenance": True})),
        (BLOCK, "its hosts: none", lambda b: b.full(site=replace(b.site, hosts=()))),
        (WARN, "quarantine", lambda b: b.full(host={"quarantined": True})),
    ],
    "host-datastore": [
        (BLOCK, "does not mount datastore ds-c2-01", lambda b: b.full(host={"datastores": ()})),
        (
            BLOCK,
            "does not mount datastore ds-c2-02",
            lambda b: b.full(request=SECOND, site=two_stores(b), host={"datastores": ("ds-c2-01",)}),
        ),
    ],
    "hardware-version": [
        (
            BLOCK,
            "hardware 21; host esx-02.site2 (7.0.3) runs 19 at most, and 21 needs ESXi 8.0.2 or newer",
            lambda b: b.full(hardware_version=21, host={"version": "7.0.3"}),
        ),
        (WARN, "Update 2", lambda b: b.full(hardware_version=15, host={"version": "6.7.0"})),
    ],
    "evc": [
        (
            WARN,
            "needs intel-icelake, and host esx-02.site2 offers intel-skylake",
            lambda b: b.full(min_evc="intel-icelake", host={"evc": "intel-skylake", "max_evc": "intel-icelake"}),
        ),
        (WARN, "another maker", lambda b: b.full(min_evc="intel-skylake", host={"max_evc": "amd-zen3"})),
    ],
    "datastore-state": [
        (BLOCK, "it has: ds-c2-01", lambda b: b.full(request={"datastore": "nope"})),
        (BLOCK, "not accessible", lambda b: b.full(site=store(b, accessible=False))),
        (BLOCK, "inMaintenance", lambda b: b.full(site=store(b, maintenance="inMaintenance"))),
        (BLOCK, "ds-c2-02 is not", lambda b: b.full(request=SECOND, site=two_stores(b, accessible=False))),
    ],
    "disk-moves": [
        (
            BLOCK,
            "no disk 'Disk 9'; it has: Hard disk 1",
            lambda b: b.full(request={"disk_datastores": {"Disk 9": "ds-c2-01"}}),
        ),
        (
            BLOCK,
            "datastore nope, which site2 does not have",
            lambda b: b.full(request={"disk_datastores": {"Hard disk 1": "nope"}}),
        ),
        (
            NOTE,
            "stays as it is",
            lambda b: b.full(request={"thin": True}, **disk(b, thin=False, form="delta")),
        ),
    ],
    "free-space": [
        (BLOCK, "needs 23.0 GiB", lambda b: b.full(site=store(b, free=22 * GIB, capacity=30 * GIB))),
        (WARN, "reserve", lambda b: b.full(site=store(b, free=400 * GIB))),
        (
            BLOCK,
            "which has 400.0 GiB free, of which 380.0 GiB are for k3x7abcd",
            lambda b: b.full(site=store(b, free=400 * GIB), survey={"claimed": {"k3x7abcd": 380 * GIB}}),
        ),
        (BLOCK, "needs 10.0 GiB on ds-c2-02", lambda b: b.full(request=SECOND, site=two_stores(b, free=9 * GIB))),
        (
            WARN,
            "swap file takes 12.0 GiB",
            lambda b: b.full(memory=16 * GIB, memory_reservation=4 * GIB, site=store(b, free=30 * GIB)),
        ),
        (
            BLOCK,
            "cannot be powered on there",
            lambda b: b.full(memory=16 * GIB, site=store(b, free=30 * GIB), request={"power_on": True}),
        ),
        (WARN, "mirrors, web01 takes 46.0 GiB", lambda b: b.full(site=store(b, free=45 * GIB, kind="vsan"))),
    ],
    "largest-file": [
        (
            BLOCK,
            "Hard disk 1 of web01 is 40.0 GiB; ds-c2-01 takes files of 39.0 GiB",
            lambda b: b.full(site=store(b, max_file=39 * GIB)),
        )
    ],
    "network-map": [
        (BLOCK, "no network 'x'", lambda b: b.full(request={"networks": {"dvpg-app": "x"}})),
        (BLOCK, "does not offer", lambda b: b.full(host={"networks": ()})),
        (WARN, "has no card", lambda b: b.full(request={"networks": {"typo": "VM Network"}})),
        (WARN, "opaque network", opaque),
    ],
    "mac-clash": [
        (
            WARN,
            "00:50:56:00:00:01, and so has old01",
            lambda b: b.full(site=replace(b.site, macs={"00:50:56:00:00:01": "old01"})),
        )
    ],
    "folder": [(BLOCK, "no VM folder 'Migrated'", lambda b: b.full(site=replace(b.site, folder_moid=None)))],
    "name-clash": [
        (BLOCK, "already has a VM named web01", lambda b: b.full(site=replace(b.site, names_in_folder=("web01",))))
    ],
    "snapshots": [
        (WARN, "chain", lambda b: b.full(has_snapshots=True)),
        (
            WARN,
            "has 3 snapshots, 2 deep, 5.0 GiB of deltas and memory, the oldest of 2026-01-02",
            lambda b: b.full(has_snapshots=True, snapshots=snapshots()),
        ),
    ],
    "consolidation": [
        (WARN, "need consolidation", lambda b: b.full(snapshots=snapshots(count=0, needs_consolidation=True))),
        (
            NOTE,
            "as was asked for",
            lambda b: b.full(snapshots=snapshots(count=0, needs_consolidation=True), request={"consolidate": True}),
        ),
    ],
    "drives": [
        (
            WARN,
            "(x.iso), which site2 may not reach",
            lambda b: b.full(**device("cdrom-iso", detail="x.iso", connected=False)),
        ),
        (WARN, "drive of its host", lambda b: b.full(**device("cdrom-host"))),
        (NOTE, "disconnected before", lambda b: b.full(**device("floppy"), request={"disconnect_drives": True})),
    ],
    "host-devices": [
        (
            WARN,
            "serial port (/dev/ttyS0) of host esx-01.site1",
            lambda b: b.full(**device("serial", detail="/dev/ttyS0")),
        ),
        (WARN, "USB device", lambda b: b.full(**device("usb"))),
    ],
    "independent-disks": [
        (NOTE, "is independent", lambda b: b.full(**disk(b, mode="independent_persistent"))),
        (WARN, "nonpersistent", lambda b: b.full(**disk(b, mode="independent_nonpersistent"))),
    ],
    "change-tracking": [(NOTE, "full backup of 2 disks", lambda b: b.full(change_tracking=True))],
    "check-relocate": [
        (WARN, "Network is not accessible (CannotAccessNetwork)", lambda b: b.full(survey=advice(is_error=True))),
        (NOTE, "vCenter's check says", lambda b: b.full(survey=advice(is_error=False))),
    ],
    "data-path": [
        (NOTE, "UDT via vmk1 (10.1.1.11 to 10.2.1.11, TCP 8000; control on TCP 902)", lambda b: b.full()),
        (NOTE, "NFC via vmk2", lambda b: b.full(on={"version": "7.0.3"})),
        (
            NOTE,
            "NFC via vmk0 (10.1.0.11 to 10.2.0.11, TCP 902): neither host has a provisioning interface",
            lambda b: b.full(on={"interfaces": b.provisioned(1)[:2]}, host={"interfaces": b.provisioned(2)[:2]}),
        ),
        (
            WARN,
            "falls back to vmk0",
            lambda b: b.full(on={"version": "7.0.3", "interfaces": b.provisioned(1, gateway="10.1.0.1")}),
        ),
    ],
    "path-port": [
        (WARN, "no listener on TCP 902 (NFC", lambda b: b.look(listening={902: False, 8000: True})),
        (WARN, "on the path of NFC's control", lambda b: b.look(control=Pings(20, 0, 84, whole=False))),
        (WARN, "answers no echo request", lambda b: b.look(small=Pings(200, 0, 84, whole=False))),
    ],
    "path-loss": [
        (
            WARN,
            "host esx-01.site1 to esx-02.site2 12 of 200 lost, 6 %, 95 % CI 3.5 to 10 %; site1~site2 may lose 0.1 %.",
            lambda b: b.look(small=Pings(200, 188, 84, whole=False)),
        ),
        (NOTE, "1 of 2000", lambda b: b.look(small=Pings(2000, 1999, 84, whole=False))),
        (NOTE, "1 of 20 lost", lambda b: b.look(small=Pings(20, 19, 84, whole=False))),
        (WARN, "2 of 20 lost", lambda b: b.look(small=Pings(20, 18, 84, whole=False))),
        (
            WARN,
            "2 of 2000",
            lambda b: b.full(survey={"measured": replace(b.measured, small=Pings(2000, 1998, 84, whole=False))}),
        ),
    ],
    "path-mtu": [
        (
            WARN,
            "1500 bytes do not pass whole from host esx-01.site1 to esx-02.site2 (0 of 5 came back); the largest",
            lambda b: b.look(full=Pings(5, 0, 1500, whole=True), sizes=(Pings(2, 2, 1400, whole=True),)),
        ),
        (WARN, "refused to send", lambda b: b.look(full=Pings(5, 0, 9000, whole=True, too_long=True))),
    ],
    "path-names": [
        (
            WARN,
            "esx-01.site1 does not resolve the name esx-02.site2",
            lambda b: b.look(resolves={"esx-01.site1": False}),
        )
    ],
    "provisioning-slots": [
        (WARN, "esx-01.site1 has 8 copies under way", lambda b: b.full(on={"copies": 8})),
        (WARN, "esx-02.site2 has 9 copies", lambda b: b.full(host={"copies": 9})),
    ],
    "nfc-buffers": [
        (WARN, "Too few are left for web01", lambda b: b.full(survey={"nfc_sessions": {"esx-01.site1": 47}})),
        (
            NOTE,
            "20 NFC sessions of others (backups, replication) and 4 copies",
            lambda b: b.full(survey={"nfc_sessions": {"esx-02.site2": 20}}, host={"copies": 4}),
        ),
    ],
    "clock-offsets": [
        (WARN, "is 2 min ahead of", lambda b: b.full(survey={"clock_offsets": {"esx-01.site1": timedelta(minutes=2)}})),
        (NOTE, "is 3 s behind", lambda b: b.full(survey={"clock_offsets": {"esx-01.site1": timedelta(seconds=-3)}})),
    ],
    "start-time": [
        (NOTE, "does not start before Mon 2026-11-23 22:00 UTC", lambda b: b.full(request={"not_before": LATER}))
    ],
    "opening": [
        (WARN, "is closed until Mon 2026-11-23 20:00 UTC. Approved, it waits", lambda b: b.full(outlook=b.at_night())),
        (
            WARN,
            "At the time that was asked for: The window of site2 is closed until Tue 2026-11-24 20:00 UTC.",
            lambda b: b.full(
                request={"not_before": b.now + timedelta(hours=30)}, outlook=b.at_night("Tue-Fri 20:00-06:00 UTC")
            ),
        ),
        (
            WARN,
            "site1 and site2 are frozen until Thu 2026-11-26 04:00 UTC: inventory.",
            lambda b: b.full(outlook=b.at_night("Mon-Sun 00:00-24:00 UTC", frozen=3)),
        ),
        (
            BLOCK,
            "site1 and site2 are never open at the same time",
            lambda b: b.full(outlook=b.at_night("Mon 20:00-22:00 UTC", source="Tue 20:00-22:00 UTC")),
        ),
    ],
    "window-fit": [
        (
            WARN,
            "it takes 6 h 15 min, and of the window that closes Mon 2026-11-23 06:00 UTC there are 2 h 00 min",
            lambda b: b.full(outlook=b.at_night("Mon-Sun 20:00-06:00 UTC", rate=22 * GIB / 22_500)),
        ),
        (WARN, "there are 10 h 00 min", lambda b: b.full(outlook=b.at_night(rate=22 * GIB / 40_000))),
    ],
}
"""What makes each concern speak."""

NO: dict[str, list[Bend]] = {
    "power-state": [lambda b: b.full(request={"shutdown": True})],
    "same-place": [lambda b: b.full(source=None)],
    "cross-vcenter": [lambda b: b.full(far=b.far)],
    "vcenters-apart": [lambda b: b.full(**vcenters("6.0.0", "8.0.3", ahead=90))],
    "name-clash": [lambda b: b.full(source="site2", site=replace(b.site, names_in_folder=("web01",)))],
    "disabled-method": [
        lambda b: b.full(disabled_methods=("PowerOnVM_Task",)),
        lambda b: b.full(disabled_methods=("RelocateVM_Task",), running_tasks=(RunningTask("backup", ""),)),
    ],
    "rdm": [lambda b: b.full(**disk(b, mode="independent_persistent"))],
    "shared-disks": [lambda b: b.full(**disk(b, sharing=""))],
    "vgpu": [lambda b: b.full(**device("pci"))],
    "passthrough": [lambda b: b.full(**device("vgpu"), request={"power_on": True})],
    "encryption": [lambda b: b.full(host={"crypto_safe": False})],
    "host-datastore": [lambda b: b.full(request=SECOND, site=two_stores(b))],
    "hardware-version": [
        lambda b: b.full(hardware_version=21),
        lambda b: b.full(hardware_version=14, host={"version": "6.7.0"}),
        lambda b: b.full(hardware_version=21, site=replace(b.site, hosts=())),
    ],
    "evc": [
        lambda b: b.full(min_evc="intel-skylake", host={"evc": "intel-skylake"}),
        lambda b: b.full(min_evc="intel-skylake"),
    ],
    "disk-moves": [lambda b: b.full(request={"thin": True} | SECOND, site=two_stores(b))],
    "free-space": [
        lambda b: b.full(memory=16 * GIB, survey={"claimed": {"k3x7abcd": 400 * GIB}}),
        lambda b: b.full(site=store(b, kind="vsan")),
    ],
    "largest-file": [
        lambda b: b.full(site=store(b, max_file=40 * GIB)),
        lambda b: b.full(request=SECOND, site=two_stores(b, max_file=10 * GIB)),
    ],
    "network-map": [lambda b: b.full(nics=(replace(b.vm.nics[0], network=""),))],
    "mac-clash": [lambda b: b.full(source="site2", site=replace(b.site, macs={"00:50:56:00:00:01": "web01"}))],
    "snapshots": [lambda b: b.full(snapshots=snapshots(count=0, needs_consolidation=True))],
    "consolidation": [lambda b: b.full(snapshots=snapshots(), request={"consolidate": True})],
    "drives": [lambda b: b.full(**device("cdrom-host", connected=False))],
    "host-devices": [lambda b: b.full(**device("serial", connected=False))],
    "data-path": [lambda b: b.plan()],
    "path-mtu": [
        lambda b: b.look(full=Pings(5, 0, 1500, whole=True), small=Pings(200, 0, 84, whole=False)),
        lambda b: b.look(full=None, small=None),
    ],
    "path-port": [lambda b: b.look(listening={902: True, 8000: True, 443: False}), lambda b: b.look(listening={})],
    "provisioning-slots": [lambda b: b.full(on={"copies": 7})],
    "nfc-buffers": [lambda b: b.full(survey={"nfc_sessions": {"esx-09": 99}})],
    "start-time": [lambda b: b.full(request={"not_before": b.now}), lambda b: b.full(outlook=None)],
    "opening": [lambda b: b.full(outlook=None)],
    "window-fit": [
        lambda b: b.full(outlook=b.at_night("Mon-Sun 20:00-06:00 UTC", rate=22 * GIB / 7000)),
        lambda b: b.full(outlook=b.at_night("Mon-Sun 00:00-24:00 UTC", rate=1.0)),
        lambda b: b.full(outlook=b.at_night("Mon 20:00-22:00 UTC", source="Tue 20:00-22:00 UTC", rate=1.0)),
        lambda b: b.full(outlook=None),
    ],
}
"""What comes near. Of every other concern the fitting pair itself is its no; of all of them it is one more."""

UNKNOWN: dict[str, list[tuple[str, Bend]]] = {
    "encryption": [
        ("whether host esx-02.site2 can hold", lambda b: b.full(encrypted=True, host={"crypto_safe": None})),
    ],
    "hardware-version": [
        ("release 10.0.0 of host esx-02.site2", lambda b: b.full(hardware_version=21, host={"version": "10.0.0"})),
        ("(none told)", lambda b: b.full(hardware_version=21, host={"version": ""})),
    ],
    "vcenters-apart": [
        ("which releases", lambda b: b.full(site=elsewhere(b), far=b.far, **vcenters("", "8.0.3"))),
    ],
    "evc": [("intel-moonlake", lambda b: b.full(min_evc="intel-moonlake", host={"evc": "intel-skylake"}))],
    "snapshots": [("how many bytes", lambda b: b.full(snapshots=snapshots(size=None)))],
    "data-path": [
        (
            "which way data takes",
            lambda b: b.full(host={"interfaces": tuple(replace(v, address="") for v in b.provisioned(2))}),
        )
    ],
    "path-loss": [
        ("no echo requests", lambda b: b.look(small=None)),
        ("Small packets: esxcli", lambda b: b.look(small=None, unread=("Small packets: esxcli may not be used.",))),
    ],
    "path-mtu": [("full size", lambda b: b.look(full=None))],
    "path-port": [("listens on TCP 902", lambda b: b.look(listening={8000: True}))],
    "window-fit": [
        ("no copy over site1~site2 has told a rate", lambda b: b.full(outlook=b.at_night("Mon-Sun 20:00-06:00 UTC")))
    ],
}
"""What a guard cannot tell although all that it declares was read."""

ASKED_FOR: frozenset[str] = frozenset({"cross-vcenter", "start-time", "opening"})
"""These rest on the request and the config alone, which are always there."""
