"""Where a VM is, by its files and its host; a halfway VM is never called either."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.operations.conclude import fits
from bot.operations.find_out import same_user
from bot.operations.record import TaskEnd
from bot.operations.verify import Whereabouts, whereabouts
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
