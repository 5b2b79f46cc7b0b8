"""A played vCenter and a real pyvmomi client against it, over real TLS."""

import asyncio
import ssl
from contextlib import contextmanager

import pytest
from pyVim.connect import SmartStubAdapter
from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetRequestContext

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

WORLD = """
seed = 7
[play]
nfc_patience = "100 ms"
connect_patience = "50 ms"
history_lines = 30
noise_every = "1 h"
[[vcenters]]
name = "east"
version = "8.0.3"
accounts = [
  { user = "svc@vsphere.local", password = "right" },
  { user = "reader@vsphere.local", password = "right", privileges = ["System.View", "System.Read"] },
  { user = "viewer@vsphere.local", password = "right", privileges = ["System.View"] },
]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
folders = ["Web"]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
portgroups = ["dvpg-app-dr"]
datastores = [
  { name = "ds-c2-01", capacity = "1 TiB", free = "100 GiB" },
  { name = "tiny", capacity = "1 GiB", free = "1 MiB" },
]
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "40 Gbit/s"
rtt = "0 ms"
[[vms]]
name = "web01"
site = "site1"
folder = "Web"
disks = ["16 GiB thin 200 MiB"]
networks = ["VM Network", "dvpg-app"]
host = 1
[[vms]]
name = "db01"
site = "site1"
disks = ["40 GiB thin 300 MiB"]
host = 2
[[vms]]
name = "on01"
site = "site1"
power = "on"
[[vms]]
name = "thick01"
site = "site1"
disks = ["2 GiB"]
snapshots = true
[[vms]]
name = "busy01"
site = "site1"
running_task = "CreateSnapshot_Task"
[[vms]]
name = "held01"
site = "site1"
disabled_methods = ["RelocateVM_Task"]
question = "Was it moved or copied?"
[[vms]]
name = "twin & <co>"
site = "site1"
folder = "A/B"
[[vms]]
name = "twin & <co>"
site = "site1"
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
"""

PC = vmodl.query.PropertyCollector


def view_spec(view, kind, paths=None):
    """Return a FilterSpec over the members of a view."""
    members = PC.TraversalSpec(name="members", path="view", skip=False, type=type(view))
    return PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=view, skip=True, selectSet=[members])],
        propSet=[PC.PropertySpec(type=kind, pathSet=paths, all=paths is None)],
    )


class Client:
    """pyvmomi as a migration tool uses it. Every method blocks: call it through `asyncio.to_thread`."""

    def __init__(self, player, *, user="svc@vsphere.local", password="right", login=True):  # noqa: S107 - of a play
        context = ssl.create_default_context(cafile=player.ca_file)
        self.stub = SmartStubAdapter(
            host="127.0.0.1", port=int(player.url.rpartition(":")[2]), sslContext=context, httpConnectionTimeout=30
        )
        self.si = vim.ServiceInstance("ServiceInstance", self.stub)
        self.sessions = vim.SessionManager("SessionManager", self.stub)
        self.session = self.sessions.Login(user, password, None) if login else None

    @property
    def content(self):
        return self.si.RetrieveContent()

    def list_of(self, view, kind, paths):
        """Return a FilterSpec over a view of one's own."""
        return view_spec(view, kind, paths)

    def close(self):
        self.stub.DropConnections()

    def find(self, path):
        return self.content.searchIndex.FindByInventoryPath(path)

    def all_of(self, kind, paths=None):
        """Return a FilterSpec over all objects of a type; without paths it asks for every property."""
        content = self.content
        view = content.viewManager.CreateContainerView(content.rootFolder, [kind], recursive=True)
        return view_spec(view, kind, paths)

    def read(self, kind, paths=None):
        """Return [(object, {path: value})] of all objects of a type."""
        found = self.content.propertyCollector.RetrieveContents([self.all_of(kind, paths)])
        return [(thing.obj, {prop.name: prop.val for prop in thing.propSet}) for thing in found]

    def spec(self, *, thin=None, **changes):
        """Return a full RelocateSpec to site2."""
        host = self.find("DC2/host/C2").host[0]
        spec = vim.vm.RelocateSpec(
            host=host,
            pool=host.parent.resourcePool,
            folder=self.find("DC2/vm/Migrated"),
            datastore=next(store for store in host.datastore if store.name == "ds-c2-01"),
        )
        for name, value in changes.items():
            setattr(spec, name, value)
        return spec

    def relocate(self, vm, spec, op_id="cm-ab12cd34-a1"):
        with op_id_of_this_thread(op_id):
            return vm.RelocateVM_Task(spec)

    def network_map(self, vm):
        """Edit every distributed NIC of a VM to site2's portgroup."""
        pg = next(net for net in self.find("DC2/host/C2").host[0].network if net.name == "dvpg-app-dr")
        edits = []
        for device in vm.config.hardware.device:
            if isinstance(device, vim.vm.device.VirtualEthernetCard) and hasattr(device.backing, "port"):
                device.backing = vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo(
                    port=vim.dvs.PortConnection(portgroupKey=pg.key, switchUuid=pg.config.distributedVirtualSwitch.uuid)
                )
                edits.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=device))
        return edits

    def watch(self, task, *, until=("success", "error")):
        """Follow a task by long polls to one of the states; returns [(state, progress)] and the last error."""
        pc = self.content.propertyCollector.CreatePropertyCollector()
        paths = ["info.state", "info.progress", "info.error", "info.cancelable"]
        pc.CreateFilter(
            PC.FilterSpec(
                objectSet=[PC.ObjectSpec(obj=task, skip=False)], propSet=[PC.PropertySpec(type=vim.Task, pathSet=paths)]
            ),
            True,
        )
        version, seen, now = "", [], {}
        while now.get("info.state") not in until:
            update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=20))
            assert update is not None, f"nothing happened for 20 s after {seen[-3:]}"
            version = update.version
            for filter_set in update.filterSet:
                for thing in filter_set.objectSet:
                    now.update({change.name: change.val for change in thing.changeSet})
            seen.append((now.get("info.state"), now.get("info.progress")))
        pc.Destroy()
        return seen, now.get("info.error")


@contextmanager
def op_id_of_this_thread(value):
    context = GetRequestContext()
    context["operationID"] = value
    try:
        yield
    finally:
        context.pop("operationID", None)


@pytest.fixture
def in_thread():
    return asyncio.to_thread


@pytest.fixture
def world_text():
    return WORLD


@pytest.fixture
async def player(world_text, tmp_path):
    async with await play_world(parse_world(world_text), tmp_path) as running:
        yield running["east"]


@pytest.fixture
def client_of():
    clients = []

    def connect(player, **options):
        clients.append(Client(player, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
async def client(player, client_of):
    return await asyncio.to_thread(client_of, player)
