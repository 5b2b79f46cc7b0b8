"""Where a VM is, by its files and its host; a halfway VM is never called either."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.migration.plan import FarVCenter
from bot.migration.request import VCenterName
from bot.operations.conclude import fits
from bot.operations.far_faults import changed_vcenter, what_it_means
from bot.operations.find_out import same_user
from bot.operations.record import TaskEnd
from bot.operations.verify import Sighting, Whereabouts, whereabouts
from bot.vsphere.port import VmPlace
from tests.migration.conftest import plan_of

SOURCE = VmPlace(
    host="esx-01.site1",
    host_moid="host-1",
    folder_moid=None,
    vm_path_name="[ds-c1-01] web01/web01.vmx",
    disk_paths=("[ds-c1-01] web01/web01_1.vmdk", "[ds-c1-01] web01/web01.vmdk"),
    datastores=("ds-c1-01",),
    datastore_moids=("datastore-1",),
    networks=("dvpg-app",),
)
TARGET = replace(
    SOURCE,
    host="esx-02.site2",
    host_moid="host-4",
    vm_path_name="[ds-c2-01] web01/web01.vmx",
    disk_paths=("[ds-c2-01] web01/web01.vmdk", "[ds-c2-01] web01/web01_1.vmdk"),
    datastores=("ds-c2-01",),
    networks=("dvpg-app-dr",),
)


@pytest.mark.parametrize(
    ("place", "where"),
    [
        (SOURCE, Whereabouts.AT_SOURCE),
        (TARGET, Whereabouts.AT_TARGET),
        (replace(SOURCE, host="esx-02.site1"), Whereabouts.AT_SOURCE),  # somebody moved it among its own hosts
        (replace(TARGET, disk_paths=(TARGET.disk_paths[0], SOURCE.disk_paths[0])), Whereabouts.ELSEWHERE),
        (replace(TARGET, vm_path_name=SOURCE.vm_path_name), Whereabouts.ELSEWHERE),
        (replace(TARGET, host="esx-01.site1"), Whereabouts.ELSEWHERE),
        (replace(SOURCE, disk_paths=SOURCE.disk_paths[:1]), Whereabouts.ELSEWHERE),
    ],
)
def test_whereabouts(place, where):
    assert whereabouts(place, plan_of()) is where


def test_the_disks_behind_snapshots_are_in_no_plan_and_belong_to_the_vm():
    def at(datastore: str) -> VmPlace:
        return replace(SOURCE, disk_paths=(*SOURCE.disk_paths, f"[{datastore}] web01/web01-base.vmdk"))

    assert whereabouts(at("ds-c1-01"), plan_of()) is Whereabouts.AT_SOURCE
    assert whereabouts(at("ds-of-templates"), plan_of()) is Whereabouts.AT_SOURCE
    assert whereabouts(at("ds-c2-01"), plan_of()) is Whereabouts.ELSEWHERE


def test_one_datastore_for_both_sites_is_told_apart_by_the_host():
    plan = plan_of()
    plan = replace(plan, target=replace(plan.target, datastore="ds-c1-01"))
    assert whereabouts(SOURCE, plan) is Whereabouts.AT_SOURCE
    assert whereabouts(replace(SOURCE, host="esx-02.site2"), plan) is Whereabouts.AT_TARGET
    assert whereabouts(replace(SOURCE, host="esx-09"), plan) is Whereabouts.ELSEWHERE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("VSPHERE.LOCAL\\svc", "svc@vsphere.local", True),
        ("VSPHERE.LOCAL\\svc", "vsphere.local\\SVC", True),
        ("user", "user", True),
        ("VSPHERE.LOCAL\\svc", "CORP\\svc", False),
        ("VSPHERE.LOCAL\\svc", "", False),
    ],
)
def test_two_spellings_of_one_account(one, other, same):
    assert same_user(one, other) is same


@pytest.mark.parametrize(
    ("where", "end", "expected"),
    [
        (Whereabouts.AT_TARGET, TaskEnd(None, "", cancelled=False), True),
        (Whereabouts.AT_SOURCE, TaskEnd(None, "", cancelled=False), False),
        (Whereabouts.AT_SOURCE, TaskEnd("vim.fault.Timedout", "", cancelled=False), True),
        (Whereabouts.AT_TARGET, TaskEnd("vim.fault.Timedout", "", cancelled=False), False),
        (Whereabouts.ELSEWHERE, TaskEnd("vim.fault.Timedout", "", cancelled=False), False),
        (Whereabouts.AT_TARGET, None, True),
        (Whereabouts.AT_SOURCE, None, True),
        (Whereabouts.ELSEWHERE, None, False),
    ],
)
def test_a_place_that_contradicts_the_task_is_looked_at_again(where, end, expected):
    assert fits(where, end) is expected


FAR = FarVCenter(VCenterName("west"), "https://vc-west.example.net", "uuid-of-west", "AB:CD")


@pytest.mark.parametrize(
    ("here", "there", "where", "says"),
    [
        (SOURCE, None, Whereabouts.AT_SOURCE, "in vCenter east"),
        (None, TARGET, Whereabouts.AT_TARGET, "in vCenter west"),
        (None, None, Whereabouts.GONE, "neither in vCenter east nor in west"),
        (SOURCE, TARGET, Whereabouts.TWICE, "is in both vCenters: in east on host esx-01.site1"),
        (None, replace(TARGET, host="esx-09"), Whereabouts.ELSEWHERE, "host esx-09"),
        (None, replace(TARGET, vm_path_name=SOURCE.vm_path_name), Whereabouts.ELSEWHERE, "in vCenter west"),
        (TARGET, None, Whereabouts.ELSEWHERE, "in vCenter east"),  # by name at its target, and in the wrong vCenter
        (None, SOURCE, Whereabouts.ELSEWHERE, "in vCenter west"),
    ],
)
def test_between_two_vcenters_a_place_counts_where_it_was_read(here, there, where, says):
    seen = Sighting(replace(plan_of(), far=FAR), here, there)
    assert seen.where is where
    assert says in seen.in_words()


def test_two_vcenters_may_call_everything_the_same():
    """Only the UUID and the vCenter tell then: the VM that has not left is whole at its source."""
    same = replace(plan_of(), far=FAR)
    same = replace(same, target=replace(same.target, host=same.source.host, datastore=same.source.datastore))
    assert Sighting(same, SOURCE, None).where is Whereabouts.AT_SOURCE
    assert Sighting(same, None, SOURCE).where is Whereabouts.AT_TARGET


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("vim.fault.SSLVerifyFault", "its thumbprint is AB:CD"),
        ("vim.fault.InvalidLogin", "vCenter west did not let east log in"),
        ("vim.fault.HostConnectFault", "does not reach west at https://vc-west.example.net"),
        ("vim.fault.NoDiskSpace", ""),
    ],
)
def test_what_a_fault_means_between_two_vcenters(fault, says):
    end = TaskEnd(fault, "text", cancelled=False)
    meant = what_it_means(end, replace(plan_of(), far=FAR))
    assert says in meant
    assert bool(meant) is bool(says)
    assert what_it_means(end, plan_of()) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"version": "8.0.4"}, ""),
        ({"thumbprint": "EF:01"}, "the thumbprint was AB:CD, it is EF:01"),
        ({"instance_uuid": "other"}, "has become another one"),
        ({"url": "https://vc2.example.net"}, "it is https://vc2.example.net"),
    ],
)
def test_what_changed_about_the_other_vcenter_since_the_approval(changes, says):
    approved, fresh = (replace(plan_of(), far=far) for far in (FAR, replace(FAR, **changes)))
    changed = changed_vcenter(approved, fresh)
    assert says in changed
    assert bool(changed) is bool(says)
    assert changed_vcenter(plan_of(), plan_of()) == ""
