"""What both vCenters answer to a bare pyvmomi: collectors, views, names, folders, sessions, fields, power, checks."""

from __future__ import annotations

import threading

import pytest
from pyVmomi import vim, vmodl

from tests.vsphere.raw import PC, Raw, name_of, outcome


@pytest.fixture
def says(peer):
    return peer.says


async def test_what_a_property_read_refuses(raw, says, in_thread):
    def go():
        vm = raw.vm
        assert set(raw.read(vm, "name", "runtime.question")) == {"name"}  # what is unset is left out
        assert name_of(raw.read(vm, "config.hardware.device[4000]").popitem()[1]).startswith("Virtual")
        assert outcome(lambda: raw.ghost.name) == "ManagedObjectNotFound"
        assert outcome(lambda: raw.read(raw.ghost, "name")) == "ManagedObjectNotFound"
        base = PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=vm)], propSet=[PC.PropertySpec(type=vim.ManagedEntity, pathSet=["name"])]
        )
        (row,) = raw.content.propertyCollector.RetrieveContents([base])  # a property set of a base type counts too
        assert [prop.name for prop in row.propSet] == ["name"]
        for path in ("nonsense", "runtime.nonsense"):
            about = raw.about(vm, path)
            answer = outcome(lambda about=about: raw.content.propertyCollector.RetrieveContents([about]))
            expected = says("an unknown property")
            if isinstance(expected, str):
                assert answer == expected
            else:
                assert [name_of(miss.fault) for miss in answer[0].missingSet] == ["InvalidProperty"]
        answer = outcome(lambda: raw.content.propertyCollector.CreateFilter(raw.about(vm, "nonsense"), True))
        assert (answer if isinstance(answer, str) else "accepted") == says("a filter on an unknown property")

    await in_thread(go)


async def test_what_is_met_on_the_way_and_not_asked_for_is_not_told(raw, peer, in_thread):
    def go():
        top = raw.find(f"/{peer.source.datacenter}")
        down = PC.TraversalSpec(name="down", type=vim.Folder, path="childEntity", skip=False)
        down.selectSet = [PC.SelectionSpec(name="down")]
        walk = PC.TraversalSpec(name="walk", type=vim.Datacenter, path="vmFolder", skip=False, selectSet=[down])
        start = PC.ObjectSpec(obj=top, skip=False, selectSet=[walk])
        wanted = [PC.PropertySpec(type=vim.Folder, pathSet=["name"])]
        rows = raw.content.propertyCollector.RetrieveContents([PC.FilterSpec(objectSet=[start], propSet=wanted)])
        assert "vm" in [row.propSet[0].val for row in rows]
        assert {type(row.obj) for row in rows} == {vim.Folder}

    await in_thread(go)


async def test_bulk_reads_come_in_pages(raw, says, in_thread):
    def go():
        pc, spec = raw.content.propertyCollector, raw.members(raw.view(vim.HostSystem), vim.HostSystem, "name")
        page, names = pc.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=1)), []
        while True:
            assert len(page.objects) == 1
            names.append(page.objects[0].propSet[0].val)
            if not page.token:
                break
            page = pc.ContinueRetrievePropertiesEx(page.token)
        assert len(names) == len(set(names)) == 4
        assert outcome(lambda: pc.ContinueRetrievePropertiesEx("nonsense")) == says("a page's token of nobody")
        assert list(pc.RetrieveContents([raw.members(raw.view(vim.VirtualApp), vim.VirtualApp, "name")])) == []

    await in_thread(go)


async def test_container_views(raw, in_thread):
    def go():
        def kinds(view):
            return {name_of(thing) for thing in view.view}

        assert kinds(raw.view(recursive=False)) == {"Datacenter"}
        assert kinds(raw.view(vim.Network)) == {"Network", "DistributedVirtualPortgroup"}
        assert kinds(raw.view(vim.ManagedEntity)) >= {"Folder", "HostSystem", "VirtualMachine", "Datastore"}
        inside = raw.view(vim.VirtualMachine, container=raw.vm.parent, recursive=False)
        assert raw.vm in inside.view
        assert outcome(lambda: raw.view(vim.VirtualMachine, container=raw.vm)) == "InvalidArgument"
        inside.Destroy()
        assert outcome(lambda: list(inside.view)) == "ManagedObjectNotFound"

    await in_thread(go)


async def test_list_views(raw, says, in_thread):
    def go():
        view = raw.content.viewManager.CreateListView([raw.vm])
        unresolved = view.ModifyListView([raw.ghost, raw.vm.runtime.host], [raw.vm])
        assert [thing._moId for thing in unresolved] == ["vm-4711"]
        assert [name_of(thing) for thing in view.view] == says("what ModifyListView removes")
        view.ResetListView([raw.vm.runtime.host])
        assert [name_of(thing) for thing in view.view] == ["HostSystem"]

    await in_thread(go)


async def test_polls_wait_end_and_refuse(raw, says, in_thread):
    def go():
        pc, version = raw.collector(raw.about(raw.vm, "name"))
        assert pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=1)) is None
        stop = threading.Timer(0.3, pc.CancelWaitForUpdates)
        stop.start()
        assert outcome(lambda: pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=10))) == "RequestCanceled"
        stop.join()
        stale = outcome(lambda: pc.WaitForUpdatesEx("4711", PC.WaitOptions(maxWaitSeconds=1)))
        assert stale == says("a version that was never handed out")
        checked = outcome(lambda: pc.CheckForUpdates("").filterSet[0].objectSet[0].kind)
        assert checked == says("CheckForUpdates")
        (filter_,) = pc.filter
        filter_.Destroy()
        assert outcome(filter_.Destroy) == "ManagedObjectNotFound"
        nothing = pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1))
        assert (nothing and "an empty update") == says("a wait without a filter")
        pc.Destroy()
        assert outcome(lambda: pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1))) == "ManagedObjectNotFound"

    await in_thread(go)


async def test_a_filter_reports_what_is_missing(raw, says, in_thread):
    def go():
        pc = raw.content.propertyCollector.CreatePropertyCollector()
        pc.CreateFilter(raw.about(raw.ghost, "name", report=True), True)
        update = pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1))
        pc.Destroy()
        missing = [name_of(miss.fault) for told in (update.filterSet if update else ()) for miss in told.missingSet]
        assert missing == says("a missing object that a filter is to report")

    await in_thread(go)


async def test_a_rename_wakes_who_waits(raw, says, in_thread):
    def go():
        folder = raw.vm.parent.CreateFolder("asleep")
        pc, version = raw.collector(raw.about(folder, "name"))
        assert raw.finish(folder.Rename_Task("awake")).state == "success"
        update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=5))
        (told,) = update.filterSet[0].objectSet
        assert (told.kind, [(change.name, change.op, change.val) for change in told.changeSet]) == (
            "modify", [("name", "assign", "awake")],
        )  # fmt: skip
        pc.Destroy()
        raw.vm.parent.CreateFolder("taken")
        assert name_of(raw.finish(folder.Rename_Task("taken")).error) == says("renaming a folder to a taken name")

    await in_thread(go)


async def test_searches(raw, peer, says, in_thread):
    def go():
        index, vm = raw.content.searchIndex, raw.vm
        for path in ("/nobody", "", "DC9/vm/x", f"{peer.vm_path}/x"):
            assert raw.find(path) is None
        assert raw.find(peer.vm_path.strip("/")) == vm
        assert index.FindChild(vm.parent, vm.name) == vm
        assert index.FindChild(vm.parent, "nobody") is None
        cluster = raw.find(f"/{peer.target.datacenter}/host/{peer.target.cluster}")
        assert raw.find(f"/{peer.target.datacenter}/host/{cluster.name}/{cluster.host[0].name}") == cluster.host[0]
        uuid = vm.config.instanceUuid
        assert index.FindByUuid(None, uuid, True, True) == vm
        assert list(index.FindAllByUuid(None, uuid, True, True)) == [vm]
        assert (index.FindByUuid(None, uuid.upper(), True, True) == vm) is says("an upper-case UUID is found")
        assert index.FindByUuid(None, uuid.replace(uuid[-1], "0" if uuid[-1] != "0" else "1"), True, True) is None

    await in_thread(go)


async def test_folders(raw, peer, says, in_thread):
    def go():
        top = raw.vm.parent
        first = top.CreateFolder("first")
        second = first.CreateFolder("second")
        path = peer.vm_path.rpartition("/")[0]
        assert (raw.find(f"{path}/first/second"), second.parent, list(first.childEntity)) == (second, first, [second])
        assert outcome(lambda: top.CreateFolder("first")) == "DuplicateName"
        assert top.CreateFolder("sl%2fash 100%25").name == says("a folder name that comes escaped")
        assert top.CreateFolder("raw/slash").name == "raw%2fslash"
        moved = raw.finish(first.MoveIntoFolder_Task([raw.vm]))
        assert (moved.state, moved.descriptionId) == ("success", says("descriptionId of a folder move"))
        vm = raw.find(f"{path}/first/{peer.vm}")
        assert vm.parent == first
        raw.finish(top.MoveIntoFolder_Task([vm]))
        assert raw.vm.parent == top

    await in_thread(go)


async def test_a_folder_of_another_datacenter(raw, peer, says, in_thread):
    def go():
        far = raw.find(peer.target_path.rpartition("/")[0])
        ended = raw.finish(far.MoveIntoFolder_Task([raw.vm]))
        where = "stayed" if raw.vm is not None else "moved"
        said = (ended.state, name_of(ended.error) if ended.error else None, where)
        assert said == says("moving a VM into a folder of another datacenter")

    await in_thread(go)


async def test_sessions(raw, peer, says, in_thread):
    def go():
        assert raw.sessions.currentSession.key == raw.session.key
        assert raw.session.key in [session.key for session in raw.sessions.sessionList]
        assert outcome(lambda: raw.sessions.TerminateSession([raw.session.key])) == "InvalidArgument"
        assert outcome(lambda: raw.sessions.TerminateSession(["nonsense"])) == "NotFound"
        assert outcome(lambda: raw.sessions.Login(peer.user, peer.password, None)) == "InvalidLogin"
        stranger = Raw(peer, login=False)
        assert outcome(lambda: stranger.sessions.Login(peer.user, "wrong", None)) == "InvalidLogin"
        stranger.close()
        for end in (lambda other: other.sessions.Logout(), lambda o: raw.sessions.TerminateSession([o.session.key])):
            other = Raw(peer)
            view = other.view(vim.VirtualMachine)
            theirs = vim.view.ContainerView(view._moId, raw.stub)
            assert outcome(lambda theirs=theirs: list(theirs.view)) == "ManagedObjectNotFound"  # another session's
            end(other)
            assert outcome(other.si.CurrentTime) == "NotAuthenticated"
            assert outcome(lambda other=other: other.content.rootFolder.name) == "NotAuthenticated"
            current = outcome(lambda other=other: other.sessions.currentSession)
            assert current == says("currentSession without a session")
            other.sessions.Login(peer.user, peer.password, None)
            assert outcome(lambda view=view: list(view.view)) == "ManagedObjectNotFound"  # it died with its session
            other.sessions.Logout()
            other.close()

    await in_thread(go)


async def test_rights(raw, peer, says, in_thread):
    def go():
        manager, vm, asked = raw.content.authorizationManager, raw.vm, ["Resource.ColdMigrate", "Global.Diagnostics"]
        (row,) = manager.HasUserPrivilegeOnEntities([vm], peer.user, asked)
        assert row.entity == vm
        assert [(entry.privId, entry.isGranted) for entry in row.privAvailability] == [(name, True) for name in asked]
        (row,) = manager.HasUserPrivilegeOnEntities([vm], "nobody", asked)
        assert row.privAvailability[0].isGranted is says("privileges of an unknown user")
        assert "Resource.ColdMigrate" in manager.FetchUserPrivilegeOnEntities([vm], peer.user)[0].privileges
        assert [role.name for role in manager.roleList if role.roleId == -1] == ["Admin"]
        assert list(vm.effectiveRole) == [-1]
        assert {permission.roleId for permission in manager.RetrieveRolePermissions(-1)} == {-1}
        unknown = outcome(lambda: manager.RetrieveRolePermissions(4711))
        assert (unknown if isinstance(unknown, str) else len(unknown)) == says("permissions of an unknown role")

    await in_thread(go)


async def test_custom_fields(raw, says, in_thread):
    def go():
        manager, vm = raw.content.customFieldsManager, raw.vm
        field = manager.AddFieldDefinition("ours", vim.VirtualMachine, None, None)
        again = outcome(lambda: manager.AddFieldDefinition("ours", vim.VirtualMachine, None, None))
        assert again == "DuplicateName"
        manager.SetField(vm, field.key, "first")
        assert [(value.key, value.value) for value in vm.customValue] == [(field.key, "first")]
        vm.SetCustomValue("ours", "second")
        assert [value.value for value in vm.value] == ["second"]
        assert [found.name for found in vm.availableField] == ["ours"]
        assert outcome(lambda: manager.SetField(vm, 4711, "x")) == "InvalidArgument"
        wrong = outcome(lambda: manager.SetField(vm.parent, field.key, "x"))
        assert wrong == says("a field for machines set on a folder")
        manager.RemoveFieldDefinition(field.key)
        assert list(vm.customValue) == []

    await in_thread(go)


async def test_power(raw, in_thread):
    def go():
        vm = raw.vm
        assert outcome(vm.ShutdownGuest) == "InvalidPowerState"
        done = raw.finish(vm.PowerOnVM_Task())
        assert (done.state, done.descriptionId) == ("success", "VirtualMachine.powerOn")
        assert vm.runtime.powerState == vm.summary.runtime.powerState == "poweredOn"
        assert name_of(raw.finish(vm.PowerOnVM_Task()).error) == "InvalidPowerState"
        assert raw.finish(vm.PowerOffVM_Task()).state == "success"
        assert vm.runtime.powerState == "poweredOff"

    await in_thread(go)


async def test_a_check_of_a_relocation(raw, says, in_thread):
    def go():
        def check():
            vm = raw.vm
            spec = raw.spec(vm)
            task = raw.content.vmProvisioningChecker.CheckRelocate_Task(vm, spec, None)
            told = raw.read(task, "info.state", "info.result")  # not `info`: vcsim's has an entity that pyvmomi refuses
            (result,) = told["info.result"]
            assert (told["info.state"], result.vm) == ("success", vm)
            assert (result.host == spec.host) is says("CheckRelocate names the host it looked at")
            return [name_of(fault) for fault in result.error]

        assert check() == []
        raw.finish(raw.vm.PowerOnVM_Task())
        assert check() == says("CheckRelocate finds that a machine is on")

    await in_thread(go)


async def test_a_relocation_tells_its_progress(raw, says, in_thread):
    def go():
        vm = raw.vm
        task, seen, version, state = vm.RelocateVM_Task(raw.spec(vm)), [], "", None
        pc = raw.content.propertyCollector.CreatePropertyCollector()
        pc.CreateFilter(raw.about(task, "info.state", "info.progress"), True)
        while state not in {"success", "error"}:
            update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=20))
            version = update.version
            for change in update.filterSet[0].objectSet[0].changeSet:
                state = change.val if change.name == "info.state" else state
                seen += [change.val] if change.name == "info.progress" and change.val else []
        pc.Destroy()
        assert state == "success"
        assert seen == sorted(seen)
        assert bool(seen) is says("a running relocation tells percents")

    await in_thread(go)


async def test_host_logs(raw, says, in_thread):
    def go():
        host = raw.vm.runtime.host
        return outcome(lambda: [entry.key for entry in raw.content.diagnosticManager.QueryDescriptions(host)])

    keys = await in_thread(go)
    assert (isinstance(keys, list) and {"vpxa", "hostd", "vmkernel"} <= set(keys)) is says("host logs can be browsed")


def test_a_fault_is_called_alike_here_and_there():
    assert name_of(vmodl.fault.InvalidArgument) == name_of(vmodl.fault.InvalidArgument()) == "InvalidArgument"
