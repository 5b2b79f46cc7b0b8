"""How folders, datacenters, clusters, pools, hosts, datastores and networks look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.playground.vcenter import custom_fields
from bot.playground.vcenter.inventory import (
    Cluster,
    Datacenter,
    Datastore,
    Entity,
    Host,
    Network,
    Portgroup,
    Vm,
)
from bot.playground.vcenter.properties_doors import browser, clock_of
from bot.playground.vcenter.properties_network import network_config, vnic_services
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.privileges import Held
    from bot.playground.vcenter.properties import Maker, Reader

_MAX_FILE = 62 * 2**40


def _refs(entities: Sequence[Entity]) -> list[Ref]:
    return [entity.ref for entity in entities]


def _hosts(reader: Reader, thing: Datastore | Network) -> list[Host]:
    return [host for host in reader.estate.inventory.each(Host) if thing in (*host.datastores, *host.networks)]


def _vms_on(reader: Reader, host: Host) -> list[Ref]:
    return _refs([vm for vm in reader.estate.inventory.each(Vm) if vm.host is host])


def _about(host: Host) -> Data:
    return Data(
        "AboutInfo",
        name="VMware ESXi",
        fullName=f"VMware ESXi {host.version} build-24022510",
        vendor="VMware, Inc.",
        version=host.version,
        build="24022510",
        osType="vmnix-x86",
        productLineId="embeddedEsx",
        apiType="HostAgent",
        apiVersion=f"{host.version}.0",
    )


def _host_runtime(reader: Reader, host: Host) -> Data:
    site = reader.estate.machine(host).site
    return Data(
        "HostRuntimeInfo",
        connectionState="connected" if host.connected else "notResponding",
        powerState="poweredOn" if host.connected else "unknown",
        inMaintenanceMode=host.maintenance,
        inQuarantineMode=_number(host) in site.quarantined,
        cryptoState="safe" if site.crypto_safe else "incapable",
    )


def _number(host: Host) -> int:
    """Return the host's place in its site, counted from 1."""
    cluster = host.parent
    return cluster.hosts.index(host) + 1 if isinstance(cluster, Cluster) else 0


def _host_config(reader: Reader, host: Host) -> Data:
    machine = reader.estate.machine(host)
    return Data(
        "HostConfigInfo",
        host=host.ref,
        product=_about(host),
        network=network_config(machine),
        virtualNicManagerInfo=vnic_services(machine),
    )


def _host_summary(reader: Reader, host: Host) -> Data:
    return Data(
        "HostListSummary",
        host=host.ref,
        runtime=_host_runtime(reader, host),
        config=Data(
            "HostConfigSummary",
            name=host.name,
            port=443,
            product=_about(host),
            vmotionEnabled=True,
            faultToleranceEnabled=False,
        ),
        quickStats=Data("HostListSummaryQuickStats"),
        overallStatus="green" if host.connected else "red",
        rebootRequired=False,
        maxEVCModeKey=reader.estate.machine(host).site.max_evc,
        currentEVCModeKey=reader.estate.machine(host).site.evc or None,
    )


def _datastore_summary(reader: Reader, store: Datastore) -> Data:
    return Data(
        "DatastoreSummary",
        datastore=store.ref,
        name=store.name,
        url=store.url,
        capacity=store.capacity,
        freeSpace=store.free,
        uncommitted=_promised(reader, store),
        accessible=any(_reaches(reader, host, store) for host in _hosts(reader, store)),
        multipleHostAccess=True,
        type_="VMFS",
        maintenanceMode="normal",
    )


def _promised(reader: Reader, store: Datastore) -> int:
    """Return by how much thin disks on a datastore may still grow."""
    disks = (disk for vm in reader.estate.inventory.each(Vm) for disk in vm.disks if disk.datastore is store)
    return sum(disk.capacity - disk.used for disk in disks if disk.thin and not disk.raw)


def _datastore_info(reader: Reader, store: Datastore) -> Data:
    return Data(
        "DatastoreInfo",
        name=store.name,
        url=store.url,
        freeSpace=store.free,
        maxFileSize=_MAX_FILE,
        maxMemoryFileSize=_MAX_FILE,
        timestamp=reader.estate.universe.clock(),
    )


def _mounts(reader: Reader, store: Datastore) -> list[Data]:
    path = f"/vmfs/volumes/{store.uuid}"
    return [
        Data(
            "DatastoreHostMount",
            key=host.ref,
            mountInfo=Data("HostMountInfo", path=path, accessMode="readWrite", mounted=True, accessible=reached),
        )
        for host in _hosts(reader, store)
        for reached in [_reaches(reader, host, store)]
    ]


def _reaches(reader: Reader, host: Host, store: Datastore) -> bool:
    return host.connected and not reader.estate.universe.conditions.is_lost(store)


def _cluster_summary(_reader: Reader, cluster: Cluster) -> Data:
    working = sum(host.connected and not host.maintenance for host in cluster.hosts)
    return Data(
        "ClusterComputeResourceSummary",
        totalCpu=40_000 * len(cluster.hosts),
        totalMemory=2**38 * len(cluster.hosts),
        numCpuCores=16 * len(cluster.hosts),
        numCpuThreads=32 * len(cluster.hosts),
        effectiveCpu=40_000 * working,
        effectiveMemory=2**18 * working,
        numHosts=len(cluster.hosts),
        numEffectiveHosts=working,
        overallStatus="green",
        currentFailoverLevel=0,
        numVmotions=0,
    )


def _portgroup_config(_reader: Reader, portgroup: Portgroup) -> Data:
    return Data(
        "DVPortgroupConfigInfo",
        key=portgroup.id,
        name=portgroup.name,
        numPorts=128,
        distributedVirtualSwitch=portgroup.switch.ref,
        type_="earlyBinding",
        autoExpand=True,
    )


def _network_summary(reader: Reader, network: Network) -> Data:
    reached = any(network in host.networks for host in reader.estate.inventory.each(Host))
    return Data("NetworkSummary", network=network.ref, name=network.name, accessible=reached, ipPoolName="")


def _datacenter_things(reader: Reader, datacenter: Datacenter, kind: type[Entity]) -> list[Ref]:
    return [entity.ref for entity in reader.estate.inventory.each(kind) if datacenter in entity.ancestors]


def _held(reader: Reader, entity: Entity) -> Held:
    return reader.estate.rights.held(reader.session.account, entity) if reader.session else frozenset()


def _permissions(reader: Reader, entity: Entity) -> list[Data]:
    rights = reader.estate.rights
    return [rights.permission(grant) for grant in rights.grants if grant.entity is entity]


ENTITY: dict[str, Maker] = {
    "name": lambda _reader, entity: entity.wire_name,
    "parent": lambda _reader, entity: entity.parent.ref if entity.parent else None,
    "overallStatus": lambda _reader, _entity: "green",
    "configStatus": lambda _reader, _entity: "green",
    "recentTask": lambda reader, entity: [task.ref for task in reader.estate.tasks.recent(entity)],
    "effectiveRole": lambda reader, entity: [reader.estate.rights.role(_held(reader, entity))],
    "permission": _permissions,
    "customValue": lambda _reader, entity: custom_fields.values(entity),
    "value": lambda _reader, entity: custom_fields.values(entity),
    "availableField": lambda reader, entity: [found.data for found in reader.estate.custom_fields.of(entity)],
    "alarmActionsEnabled": lambda _reader, _entity: True,
}

FOLDER: dict[str, Maker] = {
    "childType": lambda _reader, folder: list(folder.child_types),
    "childEntity": lambda _reader, folder: _refs(folder.children),
}

DATACENTER: dict[str, Maker] = {
    "vmFolder": lambda _reader, dc: dc.folders["vm"].ref,
    "hostFolder": lambda _reader, dc: dc.folders["host"].ref,
    "datastoreFolder": lambda _reader, dc: dc.folders["datastore"].ref,
    "networkFolder": lambda _reader, dc: dc.folders["network"].ref,
    "datastore": lambda reader, dc: _datacenter_things(reader, dc, Datastore),
    "network": lambda reader, dc: _datacenter_things(reader, dc, Network),
}

CLUSTER: dict[str, Maker] = {
    "resourcePool": lambda _reader, cluster: cluster.pool.ref,
    "host": lambda _reader, cluster: _refs(cluster.hosts),
    "datastore": lambda _reader, cluster: [store.ref for store in cluster.hosts[0].datastores],
    "network": lambda _reader, cluster: [network.ref for network in cluster.hosts[0].networks],
    "summary": _cluster_summary,
}

POOL: dict[str, Maker] = {
    "owner": lambda _reader, pool: pool.parent.ref,
    "resourcePool": lambda _reader, _pool: [],
    "vm": lambda reader, pool: _refs([vm for vm in reader.estate.inventory.each(Vm) if vm.pool is pool]),
}

VAPP: dict[str, Maker] = {
    "parent": lambda _reader, vapp: vapp.pool.ref,
    "parentFolder": lambda _reader, vapp: vapp.parent.ref,
    "owner": lambda _reader, vapp: vapp.pool.parent.ref,
    "vm": lambda _reader, vapp: _refs(vapp.children),
}

HOST: dict[str, Maker] = {
    "runtime": _host_runtime,
    "summary": _host_summary,
    "config": _host_config,
    "configManager": lambda _reader, host: Data("HostConfigManager", dateTimeSystem=clock_of(host)),
    "vm": _vms_on,
    "datastore": lambda _reader, host: [store.ref for store in host.datastores],
    "network": lambda _reader, host: [network.ref for network in host.networks],
}

DATASTORE: dict[str, Maker] = {
    "browser": lambda _reader, store: browser(store),
    "info": _datastore_info,
    "summary": _datastore_summary,
    "host": _mounts,
    "vm": lambda reader, store: _refs([vm for vm in reader.estate.inventory.each(Vm) if store in vm.datastores]),
}

NETWORK: dict[str, Maker] = {
    "summary": _network_summary,
    "host": lambda reader, network: _refs(_hosts(reader, network)),
    "vm": lambda reader, network: _refs([vm for vm in reader.estate.inventory.each(Vm) if network in vm.networks]),
}

PORTGROUP: dict[str, Maker] = {"key": lambda _reader, portgroup: portgroup.id, "config": _portgroup_config}

SWITCH: dict[str, Maker] = {
    "uuid": lambda _reader, switch: switch.uuid,
    "portgroup": lambda reader, switch: [
        group.ref for group in reader.estate.inventory.each(Portgroup) if group.switch is switch
    ],
}
