"""A bare pyvmomi client for the contract tests: nothing of ours between the test and the wire. Every method blocks."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyVim.connect import SmartStubAdapter
from pyVmomi import vim, vmodl

if TYPE_CHECKING:
    from tests.vsphere.conftest import Peer

PC = vmodl.query.PropertyCollector
E = vim.event
EventFilter = vim.event.EventFilterSpec


def name_of(thing: object) -> str:
    """Return the last part of a VMODL type's name."""
    return (thing if isinstance(thing, type) else type(thing)).__name__.rpartition(".")[2]


def outcome(call: Any) -> Any:
    """Return what a call answers, or the name of what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - which one it is, is what is asked
        return name_of(error)


class Raw:
    """One session of a bare client."""

    def __init__(self, peer: Peer, *, login: bool = True) -> None:
        self.peer = peer
        self.stub = SmartStubAdapter(
            host="127.0.0.1",
            port=urlsplit(peer.url).port,
            sslContext=ssl.create_default_context(cafile=str(peer.ca_file)),
            httpConnectionTimeout=20,
        )
        self.si = vim.ServiceInstance("ServiceInstance", self.stub)
        self.content = self.si.RetrieveContent()
        self.sessions = self.content.sessionManager
        self.session = self.sessions.Login(peer.user, peer.password, None) if login else None

    def close(self) -> None:
        self.stub.DropConnections()

    def find(self, path: str) -> Any:
        return self.content.searchIndex.FindByInventoryPath(path)

    @property
    def vm(self) -> Any:
        return self.find(self.peer.vm_path)

    @property
    def ghost(self) -> Any:
        """A machine that does not exist."""
        return vim.VirtualMachine("vm-4711", self.stub)

    def read(self, thing: Any, *paths: str) -> Any:
        """Read properties of one object through the default collector."""
        (row,) = self.content.propertyCollector.RetrieveContents([self.about(thing, *paths)])
        return {prop.name: prop.val for prop in row.propSet}

    def about(self, thing: Any, *paths: str, report: bool | None = None) -> Any:
        return PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=thing)],
            propSet=[PC.PropertySpec(type=type(thing), pathSet=list(paths))],
            reportMissingObjectsInResults=report,
        )

    def view(self, *kinds: type, container: Any = None, recursive: bool = True) -> Any:
        top = container or self.content.rootFolder
        return self.content.viewManager.CreateContainerView(top, list(kinds), recursive)

    def members(self, view: Any, kind: type, *paths: str) -> Any:
        """Return a FilterSpec over the members of a view."""
        step = PC.TraversalSpec(name="members", path="view", skip=False, type=type(view))
        return PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=view, skip=True, selectSet=[step])],
            propSet=[PC.PropertySpec(type=kind, pathSet=list(paths))],
        )

    def collector(self, *specs: Any) -> tuple[Any, str]:
        """Return a collector of its own with filters, and the version after its first update."""
        pc = self.content.propertyCollector.CreatePropertyCollector()
        for spec in specs:
            pc.CreateFilter(spec, True)
        update = pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=5))
        return pc, update.version

    def finish(self, task: Any) -> Any:
        """Wait for a task's end; its TaskInfo."""
        pc = self.content.propertyCollector.CreatePropertyCollector()
        pc.CreateFilter(self.about(task, "info.state"), True)
        version, state = "", None
        while state not in {"success", "error"}:
            update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=20))
            assert update is not None, "the task did not end within 20 s"
            version, state = update.version, update.filterSet[0].objectSet[0].changeSet[0].val
        pc.Destroy()
        return task.info

    def spec(self, vm: Any) -> Any:
        """Return a RelocateSpec to the peer's target."""
        target, folder, _ = self.peer.target, *self.peer.target_path.rpartition("/")[::2]
        host = self.find(f"/{target.datacenter}/host/{target.cluster}").host[0]
        return vim.vm.RelocateSpec(
            host=host,
            pool=host.parent.resourcePool,
            datastore=next(store for store in host.datastore if store.name == target.datastore),
            folder=self.find(folder),
            deviceChange=list(self._edits(vm, host)),
        )

    def _edits(self, vm: Any, host: Any) -> Any:
        groups = {net.name: net for net in host.network if isinstance(net, vim.dvs.DistributedVirtualPortgroup)}
        for device in vm.config.hardware.device:
            if isinstance(device, vim.vm.device.VirtualEthernetCard) and hasattr(device.backing, "port"):
                here = vim.dvs.DistributedVirtualPortgroup(device.backing.port.portgroupKey, self.stub)
                group = groups[self.peer.cards[here.name]]
                port = vim.dvs.PortConnection(
                    portgroupKey=group.key, switchUuid=group.config.distributedVirtualSwitch.uuid
                )
                device.backing = vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo(port=port)
                yield vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)

    def relocate(self) -> tuple[Any, Any]:
        """Move the peer's machine to its target; the machine and the TaskInfo."""
        vm = self.vm
        return vm, self.finish(vm.RelocateVM_Task(self.spec(vm)))

    def events(self, entity: Any = None, recursion: str = "self", **more: Any) -> list[Any]:
        if entity is not None:
            more["entity"] = EventFilter.ByEntity(entity=entity, recursion=recursion)
        return list(self.content.eventManager.QueryEvents(EventFilter(**more)))
