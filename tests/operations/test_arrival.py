"""A VM that has arrived is compared with its plan card by card and disk by disk."""

from __future__ import annotations

import dataclasses

from bot.migration.plan import DiskMove
from bot.operations.arrival import differences
from tests.operations.test_verify import TARGET, plan_of

ARRIVED = dataclasses.replace(
    TARGET,
    folder_moid=plan_of().target.folder_moid,
    nics=tuple((nic.label, nic.target_network) for nic in plan_of().nics),
    disks=tuple((disk.key, f"[{plan_of().target.datastore}] web01/{disk.key}.vmdk") for disk in plan_of().disks),
)


def test_as_planned():
    assert differences(ARRIVED, plan_of()) == []


def test_a_card_on_another_network():
    label = plan_of().nics[0].label
    place = dataclasses.replace(ARRIVED, nics=((label, "VM Network"),))
    assert differences(place, plan_of()) == [
        f"{label} is on 'VM Network', not on 'dvpg-app-dr': mend that before it is powered on."
    ]
    assert "is on no network" in differences(dataclasses.replace(ARRIVED, nics=((label, ""),)), plan_of())[0]
    assert "It has no" in differences(dataclasses.replace(ARRIVED, nics=()), plan_of())[0]


def test_a_disk_elsewhere_or_gone():
    key, label = plan_of().disks[0].key, plan_of().disks[0].label
    elsewhere = dataclasses.replace(ARRIVED, disks=((key, "[other] web01/web01.vmdk"),))
    assert f"{label} is on datastore other, not on {plan_of().target.datastore}." in differences(elsewhere, plan_of())
    assert f"It has no {label} any more." in differences(dataclasses.replace(ARRIVED, disks=()), plan_of())


def test_a_disk_that_was_to_become_thin():
    disk, target = plan_of().disks[0], plan_of().target
    move = DiskMove(disk.key, disk.label, target.datastore, target.datastore_moid, thin=True)
    plan = dataclasses.replace(plan_of(), disk_moves=(move,))
    assert differences(ARRIVED, plan) == [f"{disk.label} is not thin."]
    assert differences(dataclasses.replace(ARRIVED, thin=(disk.key,)), plan) == []


def test_another_folder():
    place = dataclasses.replace(ARRIVED, folder_moid="group-v999")
    assert differences(place, plan_of()) == [f"It is not in the folder {plan_of().target.folder}."]
