"""What people do in the vSphere Client, without the product: they move a VM to another site.

The destination is what a hurried person takes: the first host that can, its first datastore, the networks of the same
name or the first there is.
"""

from __future__ import annotations

import secrets
from typing import Final

from bot.playground.vcenter.inventory import Cluster, Host, Network, Nic, Vm
from bot.playground.vcenter.relocate_spec import Plan
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.stories import RelocationStory
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.universe import Estate, RelocationRecord

SOMEBODY: Final = "VSPHERE.LOCAL\\dave"
_SESSION: Final = "vsphere-client"


def relocate_by_hand(estate: Estate, works: Works, vm: Vm, *, site: str, user: str = SOMEBODY) -> Task:
    """Let `user` move a VM to a site. KeyError if no host there can take it."""
    plan = _hurried(estate, vm, site)
    task = estate.tasks.create("RelocateVM_Task", entity=vm, user=user, op_id=_op_id())
    record = RelocationRecord(vm.name, vm.instance_uuid, task.op_id, _SESSION, task.id, task.queued)
    estate.relocations.append(record)
    task.story = RelocationStory(estate.events, estate.events, vm, plan, task)
    works.start(vm, plan, task=task, record=record)
    return task


def _hurried(estate: Estate, vm: Vm, site: str) -> Plan:
    able = (host for host in estate.inventory.each(Host) if host.site == site and host.connected)
    for host in able:
        cluster, datacenter = host.parent, host.datacenter
        if host.maintenance or not host.datastores or datacenter is None:
            continue
        if isinstance(cluster, Cluster) and cluster.pool is not None:
            store = host.datastores[0]
            disks = {disk.key: (store, disk.thin) for disk in vm.disks}
            nics = {nic.key: _network(nic, host) for nic in vm.nics}
            return Plan(host, cluster.pool, datacenter.folders["vm"], store, disks, nics)
    raise KeyError(f"no host at {site!r} that could take a VM")


def _network(nic: Nic, host: Host) -> Network:
    return next((network for network in host.networks if network.name == nic.network.name), host.networks[0])


def _op_id() -> str:
    """As the Client of vSphere 5 made them."""
    return f"{secrets.token_hex(4).upper()}-{secrets.randbelow(0x1000):08X}"
