"""Every esxcli command that the player knows, called with real pyvmomi through vCenter."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.links import Closed
from tests.playground.esxi.wires import ESX1, ESX2, ESX3, CommandRefusedError

HOME, AWAY, NEAR = "10.1.0.11", "10.2.0.11", "10.1.0.12"
MTU_OF_THE_LINK = 1400


def loss_of(rows):
    return int(rows[0]["Summary"]["PacketLost"])


async def test_a_ping_over_a_clean_link_comes_back_in_its_round_trip_time(esxcli):
    (answer,) = await esxcli("network diag ping", host=AWAY, count=5)
    summary = answer["Summary"]
    assert (summary["HostAddr"], summary["Transmitted"], summary["Recieved"]) == (AWAY, "5", "5")
    assert summary["PacketLost"] == "0"
    assert 20_000 <= int(summary["RoundtripMinMS"]) <= int(summary["RoundtripAvgMS"]) <= int(summary["RoundtripMaxMS"])
    assert [echo["ICMPSeq"] for echo in answer["Trace"]] == ["0", "1", "2", "3", "4"]
    neighbour = await esxcli("network diag ping", host=NEAR)
    assert 0 < int(neighbour[0]["Summary"]["RoundtripAvgMS"]) < 1000


async def test_names_are_pinged_too_and_nobody_answers_for_a_stranger(esxcli):
    assert loss_of(await esxcli("network diag ping", host=ESX2)) == 0
    assert loss_of(await esxcli("network diag ping", host="10.9.9.9")) == 100


async def test_loss_of_the_link_is_drawn_per_packet(player, esxcli):
    player.set_link("site1", "site2", loss=0.06)
    (answer,) = await esxcli("network diag ping", host=AWAY, count=1000)
    assert 35 <= 1000 - int(answer["Summary"]["Recieved"]) <= 90
    player.set_link("site1", "site2", loss=1.0)
    assert loss_of(await esxcli("network diag ping", host=AWAY)) == 100


async def test_a_whole_packet_larger_than_the_interface_is_refused_at_home(esxcli):
    with pytest.raises(CommandRefusedError) as refused:
        await esxcli("network diag ping", host=AWAY, size=8972, df=True)
    assert str(refused.value) == "EsxCLI.CLIFault.summary"
    assert "sendto() failed (Message too long)" in refused.value.said


async def test_a_whole_packet_larger_than_the_link_vanishes_without_a_word(esxcli):
    fits = MTU_OF_THE_LINK - 28
    assert loss_of(await esxcli("network diag ping", host=AWAY, size=fits, df=True)) == 0
    assert loss_of(await esxcli("network diag ping", host=AWAY, size=fits + 1, df=True)) == 100
    assert loss_of(await esxcli("network diag ping", host=AWAY, size=fits + 1)) == 0


async def test_a_ping_stays_in_its_stack(content, host_of, esxcli, in_thread):
    with pytest.raises(CommandRefusedError) as refused:
        await esxcli("network diag ping", host=AWAY, interface="vmk9")
    assert "Unknown interface 'vmk9': Invalid argument" in refused.value.said
    with pytest.raises(CommandRefusedError, match="summary"):
        await esxcli("network diag ping", host=AWAY, netstack="vSphereProvisioning")
    other = await in_thread(host_of, content, ESX2)
    with pytest.raises(CommandRefusedError) as refused:  # it exists, in another stack
        await in_thread(lambda: other.esxcli("network diag ping", host="10.1.2.11", interface="vmk2"))
    assert "vmk2" in refused.value.said
    stack = {"netstack": "vSphereProvisioning", "interface": "vmk2"}
    assert loss_of(await in_thread(lambda: other.esxcli("network diag ping", host="10.1.2.11", **stack))) == 0


async def test_provisioning_interfaces_need_their_routes(player, esxcli):
    way = {"interface": "vmk2", "host": "10.2.2.11"}
    assert loss_of(await esxcli("network diag ping", **way)) == 0
    player.estate.universe.paths.sites["site1"].routes = frozenset()
    assert loss_of(await esxcli("network diag ping", **way)) == 100


async def test_hosts_that_are_away_answer_no_ping(player, esxcli):
    player.switches.set_host(ESX2, connected=False)
    assert loss_of(await esxcli("network diag ping", host=AWAY)) == 100


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "host"), ({"host": AWAY, "count": "many"}, "count"), ({"host": AWAY, "speed": 1}, "speed")],
)
async def test_bad_parameters_are_named(esxcli, given, said):
    with pytest.raises(CommandRefusedError) as refused:
        await esxcli("network diag ping", **given)
    assert said in refused.value.said


async def test_a_command_or_a_handler_that_there_is_not_is_not_found(esxcli):
    with pytest.raises(CommandRefusedError, match="could not be found"):
        await esxcli("network diag traceroute", host=AWAY)
    with pytest.raises(CommandRefusedError, match="could not be found"):
        await esxcli("network diag ping", moid="ha-cli-handler-network-nic", host=AWAY)


async def relocate(content, player, in_thread, site):
    def go():
        number = site.removeprefix("site")
        host = content.searchIndex.FindByInventoryPath(f"DC{number}/host/C{number}").host[0]
        vm = content.searchIndex.FindByInventoryPath("DC1/vm/web01")
        folder, pool = host.parent.parent.parent.vmFolder, host.parent.resourcePool
        return vm.RelocateVM_Task(vim.vm.RelocateSpec(host=host, pool=pool, folder=folder, datastore=host.datastore[0]))

    await in_thread(go)
    changes = player.estate.universe.links.find("site1", site).changes
    async with asyncio.timeout(10):
        while not any(move.bytes_per_second for move in player.witness.moves()):
            await changes.wait(beyond=changes.revision, seconds=10)


async def test_a_running_copy_is_an_open_connection_whose_queue_grows_on_a_lossy_link(
    player, content, host_of, esxcli, in_thread
):
    await relocate(content, player, in_thread, "site3")

    async def copies():
        rows = await esxcli("network ip connection list", type="tcp")
        return [row for row in rows if row["ForeignAddress"] == "10.3.0.11:902"]

    (row,) = await copies()
    assert (row["State"], row["SendQ"], row["RecvQ"], row["Proto"]) == ("ESTABLISHED", "0", "0", "tcp")
    player.set_link("site1", "site3", loss=0.05)
    first = int((await copies())[0]["SendQ"])
    player.estate.universe.clock.advance(timedelta(seconds=2))
    later = int((await copies())[0]["SendQ"])
    assert 0 < first < later <= 262_144
    there = await in_thread(host_of, content, ESX3)
    rows = await in_thread(lambda: there.esxcli("network ip connection list"))
    (mirror,) = [one for one in rows if one["ForeignAddress"] == row["LocalAddress"]]
    assert (mirror["LocalAddress"], mirror["SendQ"]) == ("10.3.0.11:902", "0")


async def test_a_copy_over_udt_has_a_second_connection_for_its_data(player, content, esxcli, in_thread):
    player.switches.set_link("site1", "site2", mtu=1500)
    await relocate(content, player, in_thread, "site2")
    rows = await esxcli("network ip connection list", type="tcp")
    ends = {row["ForeignAddress"]: row["LocalAddress"] for row in rows if row["State"] == "ESTABLISHED"}
    assert ends["10.2.2.11:902"].startswith("10.1.2.11:")
    assert ends["10.2.1.11:8000"].startswith("10.1.1.11:")


@pytest.mark.parametrize(
    ("port", "how", "states"),
    [
        (902, Closed.SILENT, {"10.2.2.11:902": "SYN_SENT"}),
        (902, Closed.REFUSED, {}),
        (8000, Closed.SILENT, {"10.2.2.11:902": "ESTABLISHED", "10.2.1.11:8000": "SYN_SENT"}),
    ],
)
async def test_a_copy_that_knocks_where_nobody_answers_is_half_open(
    player, content, esxcli, in_thread, port, how, states
):
    player.switches.block_port("site1", "site2", port=port, how=how)

    def go():
        host = content.searchIndex.FindByInventoryPath("DC2/host/C2").host[0]
        spec = vim.vm.RelocateSpec(host=host, pool=host.parent.resourcePool, datastore=host.datastore[0])
        return content.searchIndex.FindByInventoryPath("DC1/vm/web01").RelocateVM_Task(spec)

    await in_thread(go)
    async with asyncio.timeout(10):
        while True:
            rows = await esxcli("network ip connection list", type="tcp")
            found = {row["ForeignAddress"]: row["State"] for row in rows if row["ForeignAddress"].startswith("10.2.")}
            if found == states:
                break


async def test_names_are_looked_up_by_who_can(player, esxcli):
    player.switches.break_dns(ESX1)
    with pytest.raises(CommandRefusedError) as refused:
        await esxcli("network diag ping", host=ESX2)
    assert f"Unknown host {ESX2}" in refused.value.said
    assert loss_of(await esxcli("network diag ping", host=AWAY)) == 0


async def test_connections_of_visitors_and_listeners_are_listed_by_type(esxcli):
    rows = await esxcli("network ip connection list")
    assert {"LISTEN", "ESTABLISHED", ""} == {row["State"] for row in rows}
    assert any(row["ForeignAddress"].startswith("10.99.0.20:") and ":902" in row["LocalAddress"] for row in rows)
    assert any(row["ForeignAddress"] == "10.99.0.21:31031" for row in rows)
    assert next(row["WorldName"] for row in rows if row["LocalAddress"] == "0.0.0.0:902") == "nfcd"
    assert {row["Proto"] for row in await esxcli("network ip connection list", type="udp")} == {"udp"}
    with pytest.raises(CommandRefusedError) as refused:
        await esxcli("network ip connection list", type="sctp")
    assert "'type'" in refused.value.said


async def test_902_is_not_listened_on_when_nfcd_is_stopped(player, content, host_of, esxcli, in_thread):
    player.switches.stop_nfcd(ESX1)
    player.switches.stop_nfcd(ESX3)
    ports = [row["LocalAddress"] for row in await esxcli("network ip connection list") if row["State"] == "LISTEN"]
    assert "0.0.0.0:443" in ports
    assert "0.0.0.0:902" not in ports
    older = await in_thread(host_of, content, ESX3)  # a stopped nfcd is normal on 7.x, others serve 902 there
    rows = await in_thread(lambda: older.esxcli("network ip connection list"))
    assert "0.0.0.0:902" in [row["LocalAddress"] for row in rows]


async def test_nic_counters_stand_still_for_a_lossy_wan_and_move_for_a_sick_cable(player, esxcli):
    nics = await esxcli("network nic list")
    assert [(nic["Name"], nic["Link"], nic["Speed"]) for nic in nics] == [
        ("vmnic0", "Up", "10000"),
        ("vmnic1", "Up", "10000"),
    ]
    clock = player.estate.universe.clock

    async def counters():
        clock.advance(timedelta(minutes=1))
        (row,) = await esxcli("network nic stats get", nicname="vmnic0")
        return {name: int(row[name]) for name in ("Packetsreceived", "ReceiveCRCerrors", "Receivepacketsdropped")}

    player.set_link("site1", "site2", loss=0.3)
    clean = [await counters(), await counters()]
    assert clean[0]["Packetsreceived"] < clean[1]["Packetsreceived"]
    assert clean[0]["ReceiveCRCerrors"] == clean[1]["ReceiveCRCerrors"] == 0
    player.machine(ESX1).set_nic("vmnic0", at=clock(), crc_share=0.01)
    sick = await counters()
    assert sick["ReceiveCRCerrors"] > 100
    assert sick["Receivepacketsdropped"] > 0
    with pytest.raises(CommandRefusedError) as refused:
        await esxcli("network nic stats get", nicname="vmnic7")
    assert "vmnic7" in refused.value.said


async def test_a_pulled_cable_shows_in_the_list_and_in_vobd(player, esxcli):
    player.machine(ESX1).set_nic("vmnic1", at=player.estate.universe.clock(), up=False)
    nics = await esxcli("network nic list")
    assert [(nic["Name"], nic["LinkStatus"], nic["Speed"]) for nic in nics][1] == ("vmnic1", "Down", "0")
    assert any("vmnic vmnic1 linkstate down" in line for line in player.log_lines(ESX1, "vobd"))


async def test_interfaces_addresses_stacks_and_routes(content, host_of, esxcli, in_thread):
    rows = await esxcli("network ip interface list")
    assert [(row["Name"], row["NetstackInstance"], row["MTU"]) for row in rows] == [
        ("vmk0", "defaultTcpipStack", "1500"),
        ("vmk1", "defaultTcpipStack", "1500"),
        ("vmk2", "defaultTcpipStack", "1500"),
    ]
    addresses = await esxcli("network ip interface ipv4 get")
    assert [row["IPv4Address"] for row in addresses] == [HOME, "10.1.1.11", "10.1.2.11"]
    (one,) = await esxcli("network ip interface ipv4 get", interfacename="vmk2")
    assert (one["IPv4Netmask"], one["IPv4Broadcast"], one["AddressType"]) == ("255.255.255.0", "10.1.2.255", "STATIC")
    other = await in_thread(host_of, content, ESX2)
    stacks = await in_thread(lambda: other.esxcli("network ip netstack list"))
    assert [row["Key"] for row in stacks] == ["defaultTcpipStack", "vSphereProvisioning"]
    routes = {row["Network"]: row for row in await esxcli("network ip route ipv4 list")}
    assert routes["default"]["Interface"] == "vmk0"
    assert routes["10.2.2.0"]["Interface"] == "vmk2"
    own = await in_thread(lambda: other.esxcli("network ip route ipv4 list", netstack="vSphereProvisioning"))
    assert {row["Interface"] for row in own} == {"vmk2"}


async def test_the_firewall_lets_nfc_out_and_ssh_not(esxcli):
    rules = {row["Name"]: row["Enabled"] for row in await esxcli("network firewall ruleset list")}
    assert (rules["NFC"], rules["vMotion"], rules["sshClient"]) == ("true", "true", "false")
    assert await esxcli("network firewall ruleset list", rulesetid="NFC") == [{"Enabled": "true", "Name": "NFC"}]


async def test_the_time_is_that_of_the_hosts_own_clock(player, esxcli):
    told = datetime.fromisoformat(await esxcli("system time get"))
    ahead = told - datetime.now(UTC)
    assert timedelta(seconds=85) < ahead < timedelta(seconds=95)
    player.machine(ESX1).set_nic("vmnic1", at=player.estate.universe.clock(), up=False)
    stamp = datetime.fromisoformat(player.log_lines(ESX1, "vobd")[0].partition(" ")[0])
    assert timedelta(seconds=80) < stamp - datetime.now(UTC) < timedelta(seconds=95)


async def test_version_and_file_systems(esxcli):
    (version,) = await esxcli("system version get")
    assert (version["Product"], version["Version"], version["Update"]) == ("VMware ESXi", "8.0.3", "3")
    (volume,) = await esxcli("storage filesystem list")
    assert (volume["VolumeName"], volume["Size"]) == ("ds-c1-01", str(4 * 2**40))
    assert volume["MountPoint"] == f"/vmfs/volumes/{volume['UUID']}"


async def test_a_privilege_is_asked_for(log_in, host_of, in_thread):
    reader = await in_thread(log_in, "reader@vsphere.local")
    host = await in_thread(host_of, reader)
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(lambda: host.esxcli("network nic list"))
    assert refused.value.privilegeId == "Host.Config.Network"


async def test_a_disconnected_host_runs_no_commands(player, esxcli):
    player.switches.set_host(ESX1, connected=False)
    with pytest.raises(vmodl.fault.HostNotConnected):
        await esxcli("network nic list")


async def test_config_shows_the_same_wires(esx1, content, host_of, in_thread):
    config = await in_thread(lambda: esx1.mo.config)
    assert [vnic.device for vnic in config.network.vnic] == ["vmk0", "vmk1", "vmk2"]
    services = {net.nicType: list(net.selectedVnic or []) for net in config.virtualNicManagerInfo.netConfig}
    assert services["vSphereProvisioning"] == ["vSphereProvisioning.key-vim.host.VirtualNic-vmk2"]
    assert services["vmotion"] == ["vmotion.key-vim.host.VirtualNic-vmk1"]
    other = await in_thread(host_of, content, ESX2)
    stacks = await in_thread(lambda: other.mo.config.network.netStackInstance)
    assert [stack.key for stack in stacks] == ["defaultTcpipStack", "vSphereProvisioning"]
    third = await in_thread(host_of, content, ESX3)
    plain = await in_thread(lambda: third.mo.config.virtualNicManagerInfo.netConfig)
    assert not next(net for net in plain if net.nicType == "vSphereProvisioning").selectedVnic
