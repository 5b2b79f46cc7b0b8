"""Two vCenters that were not made by each other: our player, and govmomi's simulator. See `differences`."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.migration.facts import SiteFacts, SiteSpec, VmFacts
from bot.migration.plan import NicMove, Place, Plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import parse_world
from bot.vsphere.session import Reader
from bot.vsphere.vcenter import PyvmomiVCenter
from bot.vsphere.wire import Endpoint, Trust
from tests.vcsim.vcsim import Vcsim, VcsimError, find_binary
from tests.vsphere.differences import DIFFERENCES
from tests.vsphere.raw import Raw

EAST = VCenterName("east")
QUICK = (timedelta(milliseconds=1),) * 3

WORLD = """
seed = 11
[play]
nfc_patience = "100 ms"
history_lines = 520
noise_every = "1 h"
[[vcenters]]
name = "east"
accounts = [
  { user = "svc@vsphere.local", password = "correct horse" },
  { user = "viewer@vsphere.local", password = "correct horse", privileges = ["System.View", "System.Read"] },
]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
portgroups = ["dvpg-app"]
folders = ["Web", "Old"]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c2-01", capacity = "4 TiB", free = "3 TiB" }]
portgroups = ["dvpg-app-dr"]
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
networks = ["dvpg-app", "VM Network"]
[[vms]]                      # takes minutes: for whatever has to happen while it runs
name = "slow01"
site = "site1"
disks = ["900 GiB thin 800 GiB"]
[[vms]]
name = "db01"
site = "site1"
disks = ["40 GiB thin 300 MiB"]
[[vms]]
name = "app01"
site = "site1"
power = "on"
[[vms]]
name = "files01"
site = "site1"
snapshots = true
running_task = "CreateSnapshot_Task"
disabled_methods = ["RelocateVM_Task"]
[[vms]]
name = "twin"
site = "site1"
folder = "Web"
[[vms]]
name = "twin"
site = "site1"
folder = "Old"
[[vms]]
name = "50% a-b \\\\ Ünï 🚀"
site = "site1"
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
"""


@dataclass
class Peer:
    """A vCenter to test against, and the names of what is in it."""

    url: str
    user: str
    password: str
    ca_file: Path
    vm: str
    vm_path: str
    host: str
    source: SiteSpec
    target: SiteSpec
    cards: dict[str, str]  # each network of the VM, and where it is to be connected at the target
    target_path: str
    name: Literal["player", "vcsim"]
    player: VCenterPlayer | None = None
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    def says(self, what: str) -> Any:
        """Return what this peer answers where both differ. Tests ask here, never for a peer's name."""
        return getattr(DIFFERENCES[what], self.name)

    def endpoint(self, **changes: Any) -> Endpoint:
        values = {"url": self.url, "user": self.user, "password": self.password, "ca_file": self.ca_file, **changes}
        trust = Trust(values["ca_file"], values.get("thumbprint"))
        return Endpoint(EAST, values["url"], values["user"], lambda: values["password"], trust)

    def connect(self, **changes: Any) -> PyvmomiVCenter:
        values: dict[str, Any] = {
            "url": self.url,
            "user": self.user,
            "password": self.password,
            "ca_file": self.ca_file,
            "read_pauses": QUICK,
            **changes,
        }
        word = values.pop("password")
        vcenter = PyvmomiVCenter(EAST, password=word if callable(word) else lambda: word, **values)
        self.opened.push_async_callback(vcenter.close)
        return vcenter

    async def plan(self, vcenter: PyvmomiVCenter, name: str | None = None, **changes: Any) -> Plan:
        """Plan the move of a VM to the target as the product would, but without its opinions."""
        (found,) = await vcenter.find_vms(name or self.vm_path)
        return self.plan_of(await vcenter.read_vm(found.ref.uuid), await vcenter.read_site(self.target), **changes)

    def plan_of(self, facts: VmFacts, site: SiteFacts, **changes: Any) -> Plan:
        """Make that plan of what was read."""
        host = site.hosts[0]
        store = next(store for store in site.datastores if store.name == self.target.datastore)
        networks = {network.name: network for network in site.networks}
        moves = tuple(
            NicMove(nic.key, nic.label, nic.network, to.name, to.portgroup_key, to.switch_uuid)
            for nic in facts.nics
            for to in [networks[self.cards[nic.network]]]
        )
        target = Place(
            site.spec.name, site.spec.datacenter, host.name, host.moid, store.name, store.moid,
            site.folder, site.folder_moid, host.pool_moid,
        )  # fmt: skip
        origin = Place(
            SiteName("site1"), facts.datacenter, facts.host, facts.host_moid, facts.datastores[0], None,
            facts.folder, None, None,
        )  # fmt: skip
        values = {
            "request": MigrationRequest(facts.ref, site.spec.name),
            "vm_moid": facts.moid,
            "vm_path_name": facts.vm_path_name,
            "source": origin,
            "target": target,
            "disks": facts.disks,
            "nics": moves,
            "size": sum(disk.used for disk in facts.disks),
            "link": "site1~site2",
            "concerns": (),
            "made_at": datetime.now(UTC),
            **changes,
        }
        return Plan(**values)

    async def end_all_sessions(self) -> int:
        """End every session but the one that this takes, as an administrator would."""
        return await asyncio.to_thread(self._end_all_sessions)

    def _end_all_sessions(self) -> int:
        administrator = Reader(self.endpoint())
        session = administrator.open()
        manager = session.content.sessionManager
        others = [entry.key for entry in manager.sessionList if entry.key != session.key]
        if others:
            manager.TerminateSession(others)
        administrator.close()
        return len(others)


@pytest.fixture
def world_text():
    return WORLD


@pytest.fixture
async def player_peer(tmp_path, world_text):
    async with await play_world(parse_world(world_text), tmp_path / "player") as running:
        player = running["east"]
        peer = Peer(
            url=player.url,
            user="svc@vsphere.local",
            password="correct horse",
            ca_file=player.ca_file,
            vm="web01",
            vm_path="/DC1/vm/Web/web01",
            host="esx-site1-01.example.net",
            source=SiteSpec(SiteName("site1"), EAST, "DC1", "C1", None, "ds-c1-01", None, {}),
            target=SiteSpec(SiteName("site2"), EAST, "DC2", "C2", None, "ds-c2-01", "Migrated", {}),
            cards={"dvpg-app": "dvpg-app-dr", "VM Network": "VM Network"},
            target_path="/DC2/vm/Migrated/web01",
            name="player",
            player=player,
        )
        async with peer.opened:
            yield peer


@pytest.fixture
async def vcsim_peer():
    try:
        find_binary()
    except VcsimError as missing:
        if os.environ.get("CI") == "true":  # noqa: TID251 - what a test skips is no setting
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    async with Vcsim() as vcsim:
        peer = Peer(
            url=vcsim.url,
            user=vcsim.user,
            password=vcsim.password,
            ca_file=vcsim.cert,
            vm="DC0_C0_RP0_VM0",
            vm_path="/DC0/vm/DC0_C0_RP0_VM0",
            host="DC0_C0_H0",
            source=SiteSpec(SiteName("site1"), EAST, "DC0", "DC0_C0", None, "LocalDS_0", None, {}),
            target=SiteSpec(SiteName("site2"), EAST, "DC1", "DC1_C0", None, "LocalDS_1", None, {}),
            cards={"DVPG0": "DVPG0"},
            target_path="/DC1/vm/DC0_C0_RP0_VM0",
            name="vcsim",
        )
        async with peer.opened:
            yield peer


@pytest.fixture(params=["player", "vcsim"])
def peer(request):
    """Each of both vCenters in turn."""
    return request.getfixturevalue(f"{request.param}_peer")


@pytest.fixture
def vcenter(peer):
    """Our machine, connected to the peer."""
    return peer.connect()


@pytest.fixture
def in_thread():
    return asyncio.to_thread


@pytest.fixture
async def raw(peer):
    """A bare pyvmomi client of the peer; its methods block."""
    raw = await asyncio.to_thread(Raw, peer)
    yield raw
    await asyncio.to_thread(raw.close)


@pytest.fixture
def played(player_peer):
    """Our machine, connected to the player, for what only it can be made to do."""
    return player_peer.connect()


@pytest.fixture
def player(player_peer):
    return player_peer.player


@pytest.fixture
async def reader(player_peer):
    reader = Reader(player_peer.endpoint(), pauses=QUICK)
    yield reader
    await asyncio.to_thread(reader.close)  # the player lives in this loop
