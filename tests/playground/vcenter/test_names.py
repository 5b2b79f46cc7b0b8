"""Names as vCenter keeps them: percent, slash and backslash are escaped, everywhere alike; and names that change."""

import pytest
from pyVmomi import vim

from bot.playground.vcenter.naming import escaped, unescaped

ODD = "50% a/b \\ Ünï 🚀 <&>"
KEPT = "50%25 a%2fb %5c Ünï 🚀 <&>"


@pytest.fixture
def world_text(world_text):
    return f"""{world_text}
[[vms]]
name = '{ODD}'
site = "site1"
folder = "Web"
"""


@pytest.mark.parametrize("name", [ODD, "plain", "%2f", "%252f", "100%", "/", "\\", "a%5cb", "%", "%%"])
def test_escaping_is_undone_by_unescaping(name):
    assert unescaped(escaped(name)) == name
    assert not set(escaped(name)) & set("/\\")


async def test_every_place_spells_a_name_alike(player, client, in_thread):
    def go():
        vm = client.find(f"DC1/vm/Web/{KEPT}")
        assert vm == client.find(f"/DC1/vm/Web/{KEPT.replace('%2f', '%2F').replace('%5c', '%5C')}")
        assert vm == client.content.searchIndex.FindChild(client.find("DC1/vm/Web"), KEPT)
        assert client.find(f"DC1/vm/Web/{ODD}") is None  # an unescaped slash separates
        assert {vm.name, vm.config.name, vm.summary.config.name} == {KEPT}
        task = client.relocate(vm, client.spec())
        client.watch(task)
        event = client.content.eventManager.latestEvent
        return task.info.entityName, event.vm.name, event.fullFormattedMessage, vm.config.files.vmPathName

    entity, in_event, message, path = await in_thread(go)
    assert (entity, in_event) == (KEPT, KEPT)
    assert KEPT in message
    assert path.count("/") == 1
    assert player.placement(ODD).site == "site2"


async def test_names_are_given_escaped_or_not(player, client, in_thread):
    def go():
        web = client.find("DC1/vm/Web")
        made = web.CreateFolder("A%2fB 100%")
        assert made.name == "A%2fB 100%25"
        with pytest.raises(vim.fault.DuplicateName):
            web.CreateFolder("A%2FB 100%25")
        for wrong in ("", "x" * 81):
            with pytest.raises(vim.fault.InvalidName):
                web.CreateFolder(wrong)
        vm = client.find("DC1/vm/db01")
        files = vm.config.files.vmPathName
        client.watch(vm.Rename_Task("db/01"))
        assert (vm.name, client.find("DC1/vm/db%2f01")) == ("db%2f01", vm)
        assert vm.config.files.vmPathName == files  # a rename leaves the files alone
        _, error = client.watch(vm.Rename_Task("on01"))
        assert isinstance(error, vim.fault.DuplicateName)

    await in_thread(go)


async def test_vms_move_between_folders_of_their_datacenter(player, client, in_thread):
    def go():
        vm, web, far = client.find("DC1/vm/db01"), client.find("DC1/vm/Web"), client.find("DC2/vm/Migrated")
        assert client.watch(web.MoveIntoFolder_Task([vm]))[1] is None
        assert (vm.parent, client.find("DC1/vm/Web/db01")) == (web, vm)
        assert isinstance(client.watch(far.MoveIntoFolder_Task([vm]))[1], vim.fault.InvalidFolder)
        below = web.CreateFolder("Below")
        assert isinstance(client.watch(below.MoveIntoFolder_Task([web]))[1], vim.fault.InvalidFolder)
        twin = client.find("DC1/vm/A%2fB/twin & <co>") or client.find("DC1/vm/A/B/twin & <co>")
        clash = client.watch(client.find("DC1/vm").MoveIntoFolder_Task([twin]))[1]
        assert isinstance(clash, vim.fault.DuplicateName)

    await in_thread(go)
