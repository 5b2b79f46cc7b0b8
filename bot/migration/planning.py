"""Makes a plan from what a person asked for and what was read. Pure: same facts, same plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.migration.choice import Choice, Outlook
from bot.migration.concerns.catalogue import concerns_of
from bot.migration.facts import DatastoreFacts, Disk, HostFacts, NetworkFacts, SiteFacts, VmFacts
from bot.migration.path import DataPath, predict_path
from bot.migration.plan import DiskMove, FarVCenter, NicMove, Place, Plan, fingerprint, link_name
from bot.migration.request import MigrationRequest, SiteName
from bot.migration.survey import Survey

_Named = TypeVar("_Named", HostFacts, DatastoreFacts, NetworkFacts)


def make_plan(
    request: MigrationRequest,
    vm: VmFacts,
    site: SiteFacts,
    *,
    source_site: SiteName | None,
    link: str | None = None,
    outlook: Outlook | None = None,
    survey: Survey | None = None,
    path: DataPath | None = None,
    far: FarVCenter | None = None,
    max_loss: float | None = None,
    busy: Mapping[str, int] | None = None,
) -> Plan:
    """The plan with all its concerns. It may be unsafe (`plan.safe`): then it is shown, and cannot be approved.

    Without an `outlook` nothing is said of when it starts, and without a `survey` nothing of what that looks at.
    `path`: the way of the data, if it is known; else it is predicted. `far`: the site's vCenter, where that is another
    one. `max_loss`: the share of packets that the link may lose. `busy`: our own queued and running jobs by host.
    """
    link = link or link_name(source_site or vm.datacenter, site.spec.name)
    datastore = _named(site.datastores, request.datastore or site.spec.datastore)
    host = choose_host(
        request.host, site, avoid=request.avoid, datastore=request.datastore or site.spec.datastore, busy=busy or {}
    )
    choice = Choice(
        request=request,
        vm=vm,
        source_site=source_site,
        site=site,
        host=host,
        datastore=datastore,
        nics=map_networks(request, vm, site),
        size=copied_bytes(vm),
        link=link,
        outlook=outlook,
        survey=survey,
        path=path or (predict_path(vm.on, host) if vm.on and host else None),
        far=far,
        disk_moves=move_disks(request, vm, site),
        max_loss=max_loss,
    )
    plan = Plan(
        request=request,
        vm_moid=vm.moid,
        vm_path_name=vm.vm_path_name,
        source=_source(vm, source_site),
        target=_target(choice),
        disks=vm.disks,
        nics=choice.nics,
        size=choice.size,
        link=link,
        concerns=concerns_of(choice),
        made_at=site.read_at,
        path=choice.path,
        far=far,
        disk_moves=choice.disk_moves,
    )
    return replace(plan, fingerprint=fingerprint(plan))


def copied_bytes(vm: VmFacts) -> int:
    """What the copy moves: of a thin disk what it occupies, of a thick one its capacity."""
    return sum(disk.used if disk.thin else disk.capacity for disk in vm.disks)


def choose_host(
    wanted: str | None,
    site: SiteFacts,
    *,
    avoid: Collection[str] = (),
    datastore: str | None = None,
    busy: Mapping[str, int] | None = None,
) -> HostFacts | None:
    """The host that was asked for; else the usable one with the datastore that is the freest.

    That is: the fewest of our own jobs (`busy`), then the fewest copies by whomever, then the fewest running VMs. One
    in quarantine comes last. We choose instead of leaving it to vCenter, because the logs of exactly this host must be
    open beforehand. A host to `avoid` is never chosen, whatever else there is.
    """
    if wanted is not None:
        return _named(site.hosts, wanted)
    jobs = busy or {}
    allowed = [h for h in site.hosts if h.name not in avoid]
    usable = [h for h in allowed if _is_usable(h)]
    mounted = [h for h in usable if (datastore or site.spec.datastore) in h.datastores]
    return min(
        mounted or usable or allowed,
        key=lambda h: (h.quarantined, jobs.get(h.name, 0), h.copies or 0, h.running_vms, h.name),
        default=None,
    )


def other_hosts(site: SiteFacts, *, than: str, datastore: str) -> tuple[str, ...]:
    """The hosts of the site that could take what was meant for the host `than`, by name."""
    fit = (h.name for h in site.hosts if h.name != than and _is_usable(h) and datastore in h.datastores)
    return tuple(sorted(fit))


def _is_usable(host: HostFacts) -> bool:
    return host.connection == "connected" and not host.in_maintenance


def map_networks(request: MigrationRequest, vm: VmFacts, site: SiteFacts) -> tuple[NicMove, ...]:
    """Each card's network at the site: as asked for, else as the site's map says, else the network of the same name."""
    moves = []
    for nic in vm.nics:
        wanted = request.networks.get(nic.network) or site.spec.networks.get(nic.network) or nic.network
        found = _named(site.networks, wanted)
        moves.append(
            NicMove(
                key=nic.key,
                label=nic.label,
                source_network=nic.network,
                target_network=wanted,
                portgroup_key=found.portgroup_key if found else None,
                switch_uuid=found.switch_uuid if found else None,
                opaque_id=found.opaque_id if found else None,
            )
        )
    return tuple(moves)


def move_disks(request: MigrationRequest, vm: VmFacts, site: SiteFacts) -> tuple[DiskMove, ...]:
    """The disks that go to a datastore of their own, or become thin. One that is thin already does not become it."""
    home = request.datastore or site.spec.datastore
    moves = []
    for disk in vm.disks:
        wanted = request.disk_datastores.get(disk.label, home)
        thin = True if request.thin and can_become_thin(disk) else None
        if wanted != home or thin:
            found = _named(site.datastores, wanted)
            moves.append(DiskMove(disk.key, disk.label, wanted, found.moid if found else None, thin))
    return tuple(moves)


def can_become_thin(disk: Disk) -> bool:
    """Whether the form of its copy is ours to choose. Chains of deltas and what is not a flat file stay as is."""
    return not disk.thin and disk.form == "flat" and not disk.parents


def _named(things: tuple[_Named, ...], name: str) -> _Named | None:
    return next((thing for thing in things if thing.name == name), None)


def _source(vm: VmFacts, site: SiteName | None) -> Place:
    return Place(
        site=site,
        datacenter=vm.datacenter,
        host=vm.host,
        host_moid=vm.host_moid,
        datastore=datastore_of(vm.vm_path_name),
        datastore_moid=None,
        folder=vm.folder,
        folder_moid=None,
        pool_moid=None,
        vcenter=vm.ref.vcenter,
    )


def _target(choice: Choice) -> Place:
    return Place(
        site=choice.site.spec.name,
        datacenter=choice.site.spec.datacenter,
        host=choice.host_name,
        host_moid=choice.host.moid if choice.host else "",
        datastore=choice.datastore_name,
        datastore_moid=choice.datastore.moid if choice.datastore else None,
        folder=choice.site.folder,
        folder_moid=choice.site.folder_moid,
        pool_moid=choice.host.pool_moid if choice.host else None,
        vcenter=choice.site.spec.vcenter,
    )


def datastore_of(path: str) -> str:
    """The datastore's name in a datastore path: `[ds-c1-01] web01/web01.vmx` gives `ds-c1-01`."""
    return path.partition("[")[2].partition("]")[0]
