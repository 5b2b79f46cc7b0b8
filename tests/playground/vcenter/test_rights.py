"""Privileges object by object: the nearest permission counts, each call says what was missing and where."""

import pytest
from pyVmomi import vim, vmodl

from bot.errors import UserError
from bot.playground.vcenter import methods_esxcli
from bot.playground.vcenter.calls import METHODS
from bot.playground.vcenter.player import play_world
from bot.playground.vcenter.privileges import KNOWN
from bot.playground.world import parse_world

PC = vmodl.query.PropertyCollector
VM = "DC1/vm/Web/web01"
SYSTEM = ["System.Anonymous", "System.View", "System.Read"]
MOVER = [*SYSTEM, "Resource.ColdMigrate", "VirtualMachine.Inventory.Move", "Resource.AssignVMToPool",
         "Datastore.AllocateSpace", "Network.Assign", "Resource.HotMigrate"]  # fmt: skip


def account(user, privileges, *permissions):
    rows = ", ".join(f'{{ on = "{on}", privileges = {held}{extra} }}' for on, held, extra in permissions)
    return f'  {{ user = "{user}", password = "right", privileges = {privileges}, permissions = [{rows}] }},\n'


@pytest.fixture
def world_text(world_text):
    accounts = (
        account("web@vsphere.local", SYSTEM, ("/DC1/vm/Web", MOVER, ""), ("/DC2", MOVER, ""))
        + account("narrow@vsphere.local", SYSTEM, ("/DC1/vm/Web", MOVER, ""), ("/DC2", MOVER, ""),
                  ("/DC2/datastore/ds-c2-01", SYSTEM, ""))
        + account("shallow@vsphere.local", SYSTEM, ("/DC1/vm/Web", MOVER, ", propagate = false"))
        + account("keyhole@vsphere.local", [], ("/DC1/vm/Web/web01", SYSTEM, ""))
        + account("walker@vsphere.local", [*SYSTEM, "Resource.ColdMigrate"])
        + account("admin@vsphere.local", '"all"')
    )  # fmt: skip
    return world_text.replace("accounts = [\n", "accounts = [\n" + accounts, 1)


def refusal(client, call):
    with pytest.raises(vim.fault.NoPermission) as refused:
        call()
    return refused.value.privilegeId, refused.value.object


async def test_a_permission_on_a_folder_holds_below_it_and_nowhere_else(player, client_of, in_thread):
    web = await in_thread(client_of, player, user="web@vsphere.local")

    def go():
        vm = web.find(VM)
        task = web.relocate(vm, web.spec(deviceChange=web.network_map(vm)))
        web.watch(task)
        other = web.find("DC1/vm/on01")
        return task.info.state, refusal(web, lambda: web.relocate(other, web.spec())), other

    state, refused, other = await in_thread(go)
    assert state == "success"
    assert refused == ("Resource.HotMigrate", other)  # it is on: moving it would be hot


async def test_the_nearest_permission_counts_alone(player, client_of, in_thread):
    narrow = await in_thread(client_of, player, user="narrow@vsphere.local")
    store = await in_thread(narrow.find, "DC2/datastore/ds-c2-01")

    def go():
        return refusal(narrow, lambda: narrow.relocate(narrow.find(VM), narrow.spec()))

    assert await in_thread(go) == ("Datastore.AllocateSpace", store)
    assert player.relocations == []


async def test_a_permission_that_does_not_propagate_stops_at_its_object(player, client_of, in_thread):
    shallow = await in_thread(client_of, player, user="shallow@vsphere.local")

    def go():
        vm = shallow.find(VM)
        return refusal(shallow, lambda: shallow.relocate(vm, shallow.spec())), vm

    refused, vm = await in_thread(go)
    assert refused == ("Resource.ColdMigrate", vm)


async def test_who_may_see_one_vm_sees_the_way_to_it_and_nothing_else(player, client_of, in_thread):
    keyhole = await in_thread(client_of, player, user="keyhole@vsphere.local")

    def go():
        assert [values["name"] for _, values in keyhole.read(vim.VirtualMachine, ["name"])] == ["web01"]
        assert [values["name"] for _, values in keyhole.read(vim.Datacenter, ["name"])] == ["DC1"]
        objects = [PC.ObjectSpec(obj=vim.VirtualMachine(id_, keyhole.stub)) for id_ in player_vms.values()]
        wanted = [PC.PropertySpec(type=vim.VirtualMachine, pathSet=["name", "runtime"])]
        return keyhole.content.propertyCollector.RetrieveContents([PC.FilterSpec(objectSet=objects, propSet=wanted)])

    player_vms = {vm.name: vm.id for name in ("web01", "db01") for vm in player.estate.vms(name)}
    found = {thing.obj._moId: thing for thing in await in_thread(go)}
    seen, hidden = found[player_vms["web01"]], found[player_vms["db01"]]
    assert {prop.name for prop in seen.propSet} == {"name", "runtime"}
    assert [(miss.path, miss.fault.privilegeId) for miss in hidden.missingSet] == [
        ("name", "System.View"), ("runtime", "System.Read"),
    ]  # fmt: skip


async def test_privileges_are_told_per_object(player, client, in_thread):
    def go():
        manager = client.content.authorizationManager
        vm, other = client.find(VM), client.find("DC1/vm/on01")
        asked = ["Resource.ColdMigrate", "System.Read"]
        answers = {}
        for user in ("web@vsphere.local", "VSPHERE.LOCAL\\web", "shallow@vsphere.local", "nobody@x"):
            rows = manager.HasUserPrivilegeOnEntities([vm, other], user, asked)
            answers[user] = [[entry.isGranted for entry in row.privAvailability] for row in rows]
        held = manager.FetchUserPrivilegeOnEntities([vm, other], "web@vsphere.local")
        return answers, [sorted(row.privileges) for row in held]

    answers, held = await in_thread(go)
    assert answers["web@vsphere.local"] == answers["VSPHERE.LOCAL\\web"] == [[True, True], [False, True]]
    assert answers["shallow@vsphere.local"] == [[False, True], [False, True]]
    assert answers["nobody@x"] == [[False, False], [False, False]]
    assert held == [sorted(MOVER), sorted(SYSTEM)]


async def test_roles_and_permissions_can_be_read(player, client, in_thread):
    def go():
        manager, folder = client.content.authorizationManager, client.find("DC1/vm/Web")
        roles = {role.roleId: list(role.privilege) for role in manager.roleList}
        (mover,) = [id_ for id_, held in roles.items() if held == sorted(MOVER)]
        on_folder = manager.RetrieveEntityPermissions(folder, False)
        assert {(p.principal, p.propagate) for p in on_folder} == {
            ("VSPHERE.LOCAL\\web", True), ("VSPHERE.LOCAL\\narrow", True), ("VSPHERE.LOCAL\\shallow", False),
        }  # fmt: skip
        assert {p.entity for p in manager.RetrieveRolePermissions(mover)} >= {folder, client.find("DC2")}
        assert len(manager.RetrieveEntityPermissions(folder, True)) > len(on_folder)
        assert len(manager.RetrieveAllPermissions()) == len(player.estate.rights.grants)
        assert "Resource.ColdMigrate" in roles[-1]
        with pytest.raises(vim.fault.NotFound):
            manager.RetrieveRolePermissions(4711)
        return folder.effectiveRole

    assert await in_thread(go) == [-1]


async def test_a_permission_on_nothing_is_a_mistake_of_the_world(tmp_path, world_text):
    wrong = world_text.replace('"/DC1/vm/Web"', '"/DC1/vm/Wob"')
    with pytest.raises(UserError, match="Wob"):
        await play_world(parse_world(wrong), tmp_path / "wrong")


def test_every_privilege_that_is_asked_for_is_one_that_a_role_can_hold():
    asked = {method.privilege for method in METHODS.values()} - {""}
    assert asked | set(methods_esxcli.PRIVILEGES.values()) <= set(KNOWN)


async def test_a_move_to_another_host_of_the_cluster_needs_no_space_and_no_pool(player, client_of, in_thread):
    walker = await in_thread(lambda: client_of(player, user="walker@vsphere.local"))

    def go():
        host = walker.find("DC1/host/C1").host[1]
        return walker.watch(walker.relocate(walker.find(VM), vim.vm.RelocateSpec(host=host)))[1]

    assert await in_thread(go) is None
    assert player.placement("web01").host == "esx-site1-02.example.net"
