"""Two vCenters: a VM leaves one and arrives at the other, or stays whole where it was; only the source has the task."""

import hashlib
import ssl

import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

WORLD = """
seed = 3
[play]
nfc_patience = "100 ms"
connect_patience = "50 ms"
history_lines = 5
noise_every = "1 h"
[[vcenters]]
name = "east"
accounts = [{ user = "svc@east.local", password = "right" }]
[[vcenters]]
name = "west"
accounts = [
  { user = "svc@west.local", password = "far right" },
  { user = "guest@west.local", password = "far right", privileges = ["System.View", "System.Read"] },
]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
[[sites]]
name = "site2"
vcenter = "west"
hosts = 2
portgroups = ["dvpg-west"]
datastores = [{ name = "ds-w-01", capacity = "4 TiB", free = "2 TiB" }]
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "40 Gbit/s"
rtt = "0 ms"
[[vms]]
name = "web01"
site = "site1"
disks = ["16 GiB thin 200 MiB"]
networks = ["VM Network", "dvpg-app"]
[[vms]]
name = "db01"
site = "site1"
disks = ["40 GiB thin 300 MiB"]
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
"""


class Pair:
    """A client at each vCenter. Every method blocks."""

    def __init__(self, world, client_of):
        self.world = world
        self.east = client_of(world["east"], user="svc@east.local")
        self.west = client_of(world["west"], user="svc@west.local", password="far right")

    def thumbprint(self):
        port = int(self.world["west"].url.rpartition(":")[2])
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()  # noqa: S324 - what vSphere asks for
        return ":".join(digest[at : at + 2] for at in range(0, 40, 2))

    def service(self, *, user="svc@west.local", password="far right", thumbprint=None, **changes):  # noqa: S107 - of a play
        values = {
            "instanceUuid": self.west.content.about.instanceUuid,
            "url": self.world["west"].url,
            "credential": vim.ServiceLocator.NamePassword(username=user, password=password),
            "sslThumbprint": thumbprint or self.thumbprint(),
        }
        return vim.ServiceLocator(**{**values, **changes})

    def spec(self, vm, *, service=None, **changes):
        """A full spec to the far vCenter: every reference is one of its objects."""
        host = self.west.find("DC2/host/C2").host[1]
        group = next(net for net in host.network if net.name == "dvpg-west")
        edits = []
        for device in vm.config.hardware.device:
            if hasattr(device, "macAddress") and hasattr(device.backing, "port"):
                device.backing.port = vim.dvs.PortConnection(
                    portgroupKey=group.key, switchUuid=group.config.distributedVirtualSwitch.uuid
                )
                edits.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=device))
        spec = vim.vm.RelocateSpec(
            service=service or self.service(),
            host=host,
            pool=host.parent.resourcePool,
            folder=self.west.find("DC2/vm/Migrated"),
            datastore=host.datastore[0],
            deviceChange=edits,
        )
        for name, value in changes.items():
            setattr(spec, name, value)
        return spec

    def move(self, name="web01", **options):
        """Relocate a VM to its end; the TaskInfo."""
        vm = self.east.find(f"DC1/vm/{name}")
        task = self.east.relocate(vm, self.spec(vm, **options))
        self.east.watch(task)
        return task.info


@pytest.fixture
async def world(tmp_path):
    async with await play_world(parse_world(WORLD), tmp_path) as running:
        yield running


@pytest.fixture
async def pair(world, client_of, in_thread):
    return await in_thread(Pair, world, client_of)


def events(client, *types):
    found = client.content.eventManager.QueryEvents(vim.event.EventFilterSpec(eventTypeId=list(types)))
    return [getattr(event, "eventTypeId", type(event).__name__.rpartition(".")[2]) for event in found[::-1]]


async def test_a_vm_leaves_one_vcenter_and_arrives_at_the_other(world, pair, in_thread):
    east, west = world["east"], world["west"]
    free = {"ds-c1-01": east.datastore("ds-c1-01").free, "ds-w-01": west.datastore("ds-w-01").free}

    def before():
        vm = pair.east.find("DC1/vm/web01")
        return vm.config.instanceUuid, vm.summary.storage.committed, [nic.mac for nic in east.estate.vm("web01").nics]

    uuid, size, macs = await in_thread(before)
    info = await in_thread(pair.move)
    assert info.state == "success", info.error

    def after():
        search = pair.west.content.searchIndex
        assert pair.east.content.searchIndex.FindByUuid(None, uuid, True, True) is None
        assert pair.east.find("DC1/vm/web01") is None
        vm = search.FindByUuid(None, uuid, True, True)
        assert vm == pair.west.find("DC2/vm/Migrated/web01")
        assert vm in vm.runtime.host.vm
        assert vm in vm.datastore[0].vm
        devices = [device for device in vm.config.hardware.device if hasattr(device, "macAddress")]
        return vm.runtime.host.name, vm.config.files.vmPathName, [net.name for net in vm.network], devices

    host, path, networks, devices = await in_thread(after)
    assert host == "esx-site2-02.example.net"
    assert path == "[ds-w-01] web01/web01.vmx"
    assert networks == ["VM Network", "dvpg-west"]
    assert [device.macAddress for device in devices] == macs
    assert east.datastore("ds-c1-01").free == free["ds-c1-01"] + size
    assert west.datastore("ds-w-01").free == free["ds-w-01"] - size
    assert [record.outcome for record in east.relocations] == ["success"]
    assert west.relocations == []
    assert await in_thread(events, pair.west, "EventEx") == ["com.vmware.vc.vm.DstVmMigratedEvent"]
    told = await in_thread(events, pair.east, "VmBeingMigratedEvent", "EventEx")
    assert told == ["VmBeingMigratedEvent", "com.vmware.vc.vm.SrcVmMigratedEvent"]


async def test_each_hosts_log_has_its_own_end_of_the_copy(world, pair, in_thread):
    def written(vcenter, host):
        return [line for line in world[vcenter].log_lines(host) if "cm-ab12cd34-a1" in line]

    assert (await in_thread(pair.move)).state == "success"
    source, destination = written("east", "esx-site1-01.example.net"), written("west", "esx-site2-02.example.net")
    assert source
    assert destination
    assert set(source).isdisjoint(destination)
    assert written("east", "esx-site1-02.example.net") == []
    assert written("west", "esx-site2-01.example.net") == []


async def test_a_copy_that_dies_leaves_both_sides_truthful(world, pair, in_thread):
    info = await in_thread(pair.move, "db01")
    assert isinstance(info.error, vim.fault.VimFault)
    assert world["east"].placement("db01").host == "esx-site1-02.example.net"
    assert world["west"].estate.vms("db01") == []
    assert await in_thread(events, pair.east, "EventEx") == ["com.vmware.vc.vm.SrcVmMigrateFailedEvent"]
    store = world["west"].datastore("ds-w-01")
    assert store.free == store.capacity // 2 - sum(orphan.size for orphan in store.orphans)


WRONG = {
    "a wrong password": ({"password": "wrong"}, vim.fault.InvalidLogin),
    "an unknown user": ({"user": "nobody@west.local"}, vim.fault.InvalidLogin),
    "another certificate": ({"thumbprint": ":".join(["AB"] * 20)}, vim.fault.SSLVerifyFault),
    "a url of nobody": ({"url": "https://192.0.2.1"}, vim.fault.HostConnectFault),
    "another instance": ({"instanceUuid": "0000"}, vmodl.fault.InvalidArgument),
    "too few privileges there": ({"user": "guest@west.local"}, vim.fault.NoPermission),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_wrong_with_the_far_side_ends_the_task(world, pair, in_thread, case):
    changes, fault = WRONG[case]

    def go():
        return pair.move(service=pair.service(**changes))

    info = await in_thread(go)
    assert isinstance(info.error, fault)
    if isinstance(info.error, vim.fault.SSLVerifyFault):
        assert info.error.thumbprint == await in_thread(pair.thumbprint)
    if isinstance(info.error, vim.fault.NoPermission):
        assert info.error.privilegeId == "Resource.AssignVMToPool"
    assert world["east"].placement("web01").site == "site1"
    assert world["west"].estate.vms("web01") == []
    assert [record.outcome for record in world["east"].relocations] == [fault.__name__.rpartition(".")[2]]


@pytest.mark.parametrize("gap", ["host", "pool", "datastore"])
async def test_nothing_about_the_destination_may_be_left_open(pair, in_thread, gap):
    def go():
        return pair.move(**{gap: None})

    info = await in_thread(go)
    assert isinstance(info.error, vmodl.fault.InvalidArgument)
    assert info.error.invalidProperty == f"spec.{gap}"


async def test_objects_of_the_near_side_are_unknown_at_the_far_one(pair, in_thread):
    def go():
        return pair.move(folder=vim.Folder("group-v4711", pair.east.stub))

    assert isinstance((await in_thread(go)).error, vmodl.fault.InvalidArgument)


async def test_a_far_side_that_is_down_is_not_reached(world, pair, in_thread):
    spec = await in_thread(lambda: pair.spec(pair.east.find("DC1/vm/web01")))
    await world["west"].switches.go_down()

    def go():
        task = pair.east.relocate(pair.east.find("DC1/vm/web01"), spec)
        pair.east.watch(task)
        return task.info.error

    assert isinstance(await in_thread(go), vim.fault.HostConnectFault)


async def test_a_lost_reply_of_a_far_move_is_still_one_move(world, pair, in_thread):
    def go():
        vm = pair.east.find("DC1/vm/web01")
        spec = pair.spec(vm)
        world["east"].switches.drop_reply()
        with pytest.raises(Exception):  # noqa: B017 - how a client words a broken connection is its own affair
            pair.east.relocate(vm, spec)

    await in_thread(go)
    assert [record.vm for record in world["east"].relocations] == ["web01"]


async def test_cancelling_cleans_the_far_side(world, pair, in_thread):
    world["east"].switches.set_link("site1", "site2", rate=8_000_000)

    def go():
        vm = pair.east.find("DC1/vm/web01")
        task = pair.east.relocate(vm, pair.spec(vm))
        pair.east.watch(task, until=("running",))
        task.CancelTask()
        pair.east.watch(task)
        return task.info

    free = world["west"].datastore("ds-w-01").free
    info = await in_thread(go)
    assert isinstance(info.error, vmodl.fault.RequestCanceled)
    assert world["west"].datastore("ds-w-01").free == free
    assert world["east"].placement("web01").site == "site1"


async def test_a_check_of_a_far_move_looks_at_the_far_side(world, pair, in_thread):
    def go():
        vm = pair.east.find("DC1/vm/web01")
        task = pair.east.content.vmProvisioningChecker.CheckRelocate_Task(vm, pair.spec(vm), None)
        pair.east.watch(task)
        return task.info

    assert list((await in_thread(go)).result[0].error) == []
    world["west"].switches.fill_datastore("ds-w-01")
    (found,) = (await in_thread(go)).result[0].error
    assert isinstance(found, vim.fault.NoDiskSpace)


async def test_a_renewed_certificate_is_another_one_for_whoever_pinned_the_old(world, pair, in_thread):
    old = await in_thread(pair.thumbprint)
    world["west"].switches.renew_certificate()
    assert world["west"].estate.presence.thumbprint == await in_thread(pair.thumbprint) != old
    info = await in_thread(lambda: pair.move(service=pair.service(thumbprint=old)))
    assert isinstance(info.error, vim.fault.SSLVerifyFault)
    assert (await in_thread(pair.move)).state == "success"


async def test_somebody_between_the_two_is_seen_by_them_alone(world, pair, in_thread):
    world["west"].switches.stand_between()
    info = await in_thread(pair.move)
    assert isinstance(info.error, vim.fault.SSLVerifyFault)
    assert info.error.thumbprint != await in_thread(pair.thumbprint)
    world["west"].switches.stand_between(standing=False)
    assert (await in_thread(pair.move)).state == "success"


async def test_a_changed_password_is_asked_for_at_the_next_login(world, pair, in_thread):
    world["west"].switches.change_password("svc@west.local", "newer")
    assert isinstance((await in_thread(pair.move)).error, vim.fault.InvalidLogin)
    assert await in_thread(lambda: pair.west.find("DC2/vm/Migrated"))  # whoever is logged in stays so
    with pytest.raises(KeyError):
        world["west"].switches.change_password("nobody", "newer")


@pytest.mark.parametrize(
    ("arrival", "here", "there"), [("never", 1, 0), ("nowhere", 0, 0), ("twice", 1, 1), ("laden", 0, 1)]
)
async def test_a_task_may_succeed_whatever_becomes_of_the_vm(world, pair, in_thread, arrival, here, there):
    east, west = world["east"], world["west"]
    free = west.datastore("ds-w-01").free

    def mark():
        vm, fields = pair.east.find("DC1/vm/web01"), pair.east.content.customFieldsManager
        fields.SetField(vm, fields.AddCustomFieldDef("job", vim.VirtualMachine).key, "abcd")

    await in_thread(mark)
    west.switches.set_arrivals(arrival)
    info = await in_thread(pair.move)
    assert info.state == "success"
    found = east.estate.vms("web01"), west.estate.vms("web01")
    assert tuple(map(len, found)) == (here, there)
    assert {tuple(vm.custom.values()) for vm in found[1]} == (
        {("abcd",)} if arrival == "laden" else {()} if there else set()
    )
    if arrival == "never":
        assert west.datastore("ds-w-01").free == free
    if arrival == "twice":
        assert {disk.datastore.name for disk in found[0][0].disks} == {"ds-c1-01"}
        assert found[0][0].instance_uuid == found[1][0].instance_uuid


def test_no_password_shows_in_what_the_player_keeps():
    account = parse_world(WORLD).vcenters[1].accounts[0]
    assert "far right" not in repr(account)
