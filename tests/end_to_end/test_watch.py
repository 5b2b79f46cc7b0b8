"""Failures that nobody asked about: the real watcher against played hosts, judged on what the channel shows."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.compose import fleet_of, store_of
from bot.compose_watch import WatchRole
from bot.logs.tallies import read_tallies
from bot.migration.request import MigrationRequest, SiteName
from bot.operations.plan_migration import plan_migration, resolve_vm
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from bot.store import keys
from tests.end_to_end.plant import ALICE, SITES, Json, Plant, Target, plant, text_of
from tests.operations.on_call_stage import STRANGERS_OP_ID, WORLD
from tests.ports import free_port

ALERTS = "#nfc-alerts"
SOURCE = "esx-site1-01.example.net"
LEASE = timedelta(seconds=2)
RIGHTS = f'who = ["user:{ALICE}"]\nmay = ["alerts", "diagnose"]\n[[rights]]\nwho = ["user:{ALICE}"]'
ALERTING = """
[alerts]
channel = "C0NFCALERT"
mode = "{mode}"
[watch]
logs = ["vpxa", "hostd"]
api_calls_per_second = 50
{watch}
"""


@dataclass
class Watch:
    """Bot and watcher run."""

    plant: Plant
    vcenter: VCenterPlayer
    watcher: WatchRole

    def alerts(self) -> list[Json]:
        return [message for message in self.plant.slack.person.history(ALERTS) if message.get("blocks")]

    def thread(self, alert: Json) -> str:
        return "\n".join(text_of(m) for m in self.plant.slack.person.thread(ALERTS, alert["ts"])[1:])

    def replies(self, alert: Json) -> list[Json]:
        return self.plant.slack.person.thread(ALERTS, alert["ts"])[1:]

    async def alert(self, *, showing: str, number: int = 0) -> Json:
        def seen() -> Json | None:
            alerts = self.alerts()
            return alerts[number] if len(alerts) > number and showing in text_of(alerts[number]) else None

        found: Json = await self.plant.until(seen)
        return found

    async def fail_by_hand(self, vm: str = "db01", *, op_id: str = STRANGERS_OP_ID) -> str:
        """Have somebody else relocate the VM into the loss; the task's id."""
        async with fleet_of(self.plant.settings) as fleet:
            ref = await resolve_vm(fleet, vm)
            plan = await plan_migration(fleet, MigrationRequest(ref, SiteName("site2")))
            vcenter = fleet.vcenter(ref.vcenter)
            task = await vcenter.relocate(plan, op_id=op_id)
            last = [snapshot async for snapshot in vcenter.follow(task)][-1]
            assert last.fault, "the copy was to die"
        return task

    async def all_read(self) -> None:
        """Until every log of every host is being read."""

        async def reads() -> bool:
            async with store_of(self.plant.settings) as store:
                return len(await read_tallies(store)) >= len(self.vcenter.estate.universe.paths.sites) * 2

        await self.plant.until_true(reads)


@asynccontextmanager
async def on_watch(
    folder: Path, redis_url: str, *, mode: str = "alert", watch: str = "", world: str = WORLD, **options: Any
) -> AsyncIterator[Watch]:
    async with await play_world(World.model_validate(tomllib.loads(world)), folder / "world") as running:
        east = running["east"]
        target = Target(east.url, east.ca_file or "", east.user, east.password, SITES.format(approval="requester"))
        besides = ALERTING.format(mode=mode, watch=watch)
        async with plant(folder, target, redis_url, rights=RIGHTS, besides=besides) as stage:
            await stage.start_bot()
            watcher = await stage.start_watcher(lease=LEASE, **options)
            yield Watch(stage, east, watcher)


@pytest.fixture
def syslog_port() -> int:
    return free_port()


async def test_somebody_elses_copy_dies_and_the_channel_hears_of_it_once(tmp_path, valkey_url, syslog_port):
    syslog = f'[syslog]\naddress = "127.0.0.1"\ntcp = {syslog_port}'
    async with on_watch(tmp_path, valkey_url, watch=syslog) as stage:
        stage.vcenter.switches.send_syslog(f"tcp://127.0.0.1:{syslog_port}")
        await stage.fail_by_hand()
        alert = await stage.alert(showing="db01")  # which vCenter's events tell, and no line does
        said = text_of(alert)
        assert "Packet loss between site1 and site2" in said
        assert "a migration that I did not start" in said
        assert SOURCE in said
        assert len(stage.alerts()) == 1
        await stage.plant.click(alert, "cm.acknowledge", channel=ALERTS)
        await stage.alert(showing="Acknowledged by")
        await stage.plant.click(alert, "cm.lines", channel=ALERTS)
        await stage.plant.until(lambda: "NfcNetTcpWrite" in stage.thread(alert))


DEAD_LINK = (
    "[Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR] NfcNetTcpWrite: bWritten: -1",
    "[Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes",
    "[Originator@6876 sub=vpxNfcClient opID={op}-5c] [VpxNfcClient] File transfer  failed: Failed to send to {peer}",
)
REFUSED = (
    "[Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR]NfcNewAuthdConnectionEx: Failed to connect to {peer}:902",
    "[Originator@6876 sub=vpxNfcClient opID={op}-5c] [VpxNfcClient] File transfer  failed: {peer}",
)


def told(host: str, texts: tuple[str, ...], *, op: str, peer: str) -> bytes:
    """What a host of ESXi 8 sends of a copy that died."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    lines = (text.format(op=op, peer=peer) for text in texts)
    return b"".join(f"<166>{stamp} {host} Vpxa: error vpxa[2098914] {line}\n".encode() for line in lines)


async def sent(port: int, *messages: bytes) -> None:
    """Through one relay, as a log collector sends what it took in."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in messages:
        writer.write(message)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


def of_many_hosts(count: int) -> str:
    return WORLD.replace("hosts = 2", f"hosts = {count // 2}").replace("history_lines = 60", "history_lines = 1")


async def test_one_dead_link_and_many_hosts_are_one_message_with_a_table_and_a_file(tmp_path, valkey_url, syslog_port):
    many = 60
    syslog = f'[syslog]\naddress = "127.0.0.1"\ntcp = {syslog_port}'
    async with on_watch(tmp_path, valkey_url, watch=syslog, world=of_many_hosts(many)) as stage:
        names = [[f"esx-site{site}-{number:02}.example.net" for number in range(1, many // 2 + 1)] for site in (1, 2)]
        pairs = [pair for here, there in zip(*names, strict=True) for pair in ((here, there), (there, here))]
        dying = [
            told(here, DEAD_LINK if number % 3 else REFUSED, op=f"{number:08X}-0000024D", peer=there)
            for number, (here, there) in enumerate(pairs)
        ]
        await sent(syslog_port, dying[0])  # which has its message before the others die
        await stage.alert(showing="1 failure")
        await sent(syslog_port, *dying[1:])
        alert = await stage.alert(showing=f"{many} hosts, {many} failures")
        assert "between site1 and site2" in text_of(alert)
        assert [text_of(message) for message in stage.alerts() if "Acknowledge" in text_of(message)] == [text_of(alert)]
        assert len(stage.alerts()) == 1
        await stage.plant.until(lambda: any(m.get("files") for m in stage.replies(alert)))


async def test_a_migration_of_ours_is_told_in_its_own_thread_alone(tmp_path, valkey_url, syslog_port):
    syslog = f'[syslog]\naddress = "127.0.0.1"\ntcp = {syslog_port}'
    async with on_watch(tmp_path, valkey_url, watch=syslog) as stage:
        stage.vcenter.switches.send_syslog(f"tcp://127.0.0.1:{syslog_port}")
        await stage.plant.start_worker()
        await stage.plant.inventory()
        await stage.plant.type("/coldmigrate db01 site2")
        await stage.plant.click(await stage.plant.card(showing="waiting for approval"), "cm.approve")
        card = await stage.plant.card(showing=": failed")
        await stage.plant.reply(card, saying="The watch sees NFC errors of this migration")
        assert stage.alerts() == []


async def test_observing_is_a_digest_a_day_and_not_a_word_more(tmp_path, valkey_url):
    async with on_watch(tmp_path, valkey_url, mode="observe") as stage, store_of(stage.plant.settings) as store:
        await stage.all_read()
        await stage.fail_by_hand()
        await stage.plant.until_true(lambda: _found(stage))
        assert [m for m in stage.alerts() if "db01" in text_of(m)] == []
        now = datetime.now(UTC)
        today = datetime.combine(now.date(), time(8), UTC)
        morning = (today if now < today else today + timedelta(days=1)) + timedelta(minutes=1)
        await store.set(keys.CLOCK_SKEW, round((morning - now).total_seconds() * 1000))
        digest = await stage.plant.until(lambda: _newest(stage, "would have been posted"))
        assert "Packet loss between site1 and site2" in text_of(digest)


async def _found(stage: Watch) -> bool:
    return "between site1 and site2" in await stage.plant.type("/nfcalerts list", channel=ALERTS)


def _newest(stage: Watch, saying: str) -> Json | None:
    return next((message for message in reversed(stage.alerts()) if saying in text_of(message)), None)
