"""Nine ways in which copies fail in life: what the plan says beforehand, what the verdict says afterwards and rests on.

Every verdict that is called measured is judged once more with the same lines and looks at a clean path: then it must
fall back to what the logs say. So no probe is credited with what only a log knew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.elimination import Part, State
from bot.diagnosis.engine import load_engine
from bot.migration.measured import PathMeasurement
from bot.migration.path import PathKind
from bot.migration.plan import Plan
from bot.operations.elimination import elimination_section
from tests.end_to_end.nine_worlds import Failed, Stage, clean, staged, warned
from tests.worlds import TWO_SITES

SOURCE, DESTINATION = "esx-site1-01.example.net", "esx-site2-01.example.net"
BASE = (
    TWO_SITES
    + """
[play]
nfc_patience = "300 ms"
connect_patience = "1500 ms"
history_lines = 40
noise_every = "60 s"
[[vms]]
name = "db01"
site = "site1"
host = 1
disks = ["16 GiB thin 700 MiB"]
"""
)
PROVISIONED = BASE
for _site, _other in (("site1", "site2"), ("site2", "site1")):
    PROVISIONED = PROVISIONED.replace(
        f'name = "{_site}"\n', f'name = "{_site}"\nprovisioning = "interface"\nroutes = ["{_other}"]\n', 1
    )
BLOCKED = 'blocked = [{{ from = "site1", to = "site2", port = {port}, how = "{how}" }}]'


def linked(world: str, line: str) -> str:
    return world.replace("mtu = 1500\n", f"mtu = 1500\n{line}\n", 1)


@pytest.fixture(scope="module")
def engine():
    return load_engine()


@pytest.fixture
def world(tmp_path, valkey_url, engine):
    @asynccontextmanager
    async def begin(text: str):
        async with staged(tmp_path, valkey_url, engine, text) as stage:
            yield stage

    return begin


async def knocking(stage: Stage, plan: Plan) -> Sequence[PathMeasurement]:
    """Look at the copy's connections until the source waits for an answer."""
    while True:
        look = await stage.glanced(plan)
        if any(one.state == "SYN_SENT" for one in look.connections):
            return (look,)
        await asyncio.sleep(0.02)


async def without_the_probes(failed: Failed) -> Basis:
    """What the verdict rests on when the same lines are judged beside looks at a clean path."""
    verdict = await failed.verdict([clean(look) for look in failed.measured])
    return verdict.basis


def told(incident) -> str:
    return " ".join((*incident.known, *incident.ruled_out, incident.explanation))


async def test_loss_of_three_percent(world):
    async with world(BASE.replace('loss = "0 %"', 'loss = "3 %"')) as stage:
        assert warned(await stage.planned(thoroughly=True), "path-loss")  # 20 packets may miss 3 %, 200 hardly do
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.PACKET_LOSS, Basis.MEASURED)
        assert verdict.confidence > 0.85
        assert "of 200 lost" in told(verdict)
        assert "95 % CI" in told(verdict)
        assert "Loss on the path was not measured." not in verdict.unreadable
        assert await without_the_probes(failed) is not Basis.MEASURED
        table = await failed.table()
        assert [row.part for row in table.dirty] == [Part.PATH], elimination_section(table)
        assert table.of(Part.DESTINATION_HOST).state is State.CLEAN


async def test_a_path_that_takes_1400_bytes(world):
    async with world(BASE.replace("mtu = 1500\n", "mtu = 1400\npmtud = false\n", 1)) as stage:
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.MTU_MISMATCH, Basis.MEASURED)
        assert warned(failed.plan, "path-mtu")
        assert "1400 bytes is the largest tried that passes whole" in told(verdict)
        assert await without_the_probes(failed) is not Basis.MEASURED
        assert (await failed.verdict([clean(look) for look in failed.measured])).cause is not Cause.MTU_MISMATCH


async def test_902_refused_because_nothing_listens(world):
    async with world(BASE) as stage:
        stage.player.switches.stop_nfcd(DESTINATION)
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.PORT_BLOCKED, Basis.MEASURED)
        assert warned(failed.plan, "path-port")
        assert "nothing listens there on TCP 902" in told(verdict)
        assert await without_the_probes(failed) is not Basis.MEASURED


async def test_902_refused_on_the_way(world):
    async with world(linked(BASE, BLOCKED.format(port=902, how="refused"))) as stage:
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.PORT_BLOCKED, Basis.BOTH_ENDS)
        assert "itself listens on TCP 902" in told(verdict)
        bare = await failed.verdict([replace(look, listening={}) for look in failed.measured])
        assert bare.basis is Basis.LOG


async def test_902_silent_one_way(world):
    async with world(linked(BASE, BLOCKED.format(port=902, how="silent"))) as stage:
        failed = await stage.fails(meanwhile=knocking)
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.PORT_BLOCKED, Basis.MEASURED)
        assert "was waiting for an answer from" in told(verdict)
        assert await without_the_probes(failed) is not Basis.MEASURED


async def test_8000_blocked_under_udt(world):
    async with world(linked(PROVISIONED, BLOCKED.format(port=8000, how="silent"))) as stage:
        failed = await stage.fails(meanwhile=knocking)
        assert failed.plan.path is not None
        assert failed.plan.path.kind is PathKind.UDT
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.UDT_PATH, Basis.MEASURED)
        assert ":8000 (SYN_SENT" in told(verdict)
        assert await without_the_probes(failed) is not Basis.MEASURED


async def test_a_datastore_that_fills_up_meanwhile(world):
    filling = BASE + '[[events]]\nat = "40 % of db01"\ndatastore = "ds-c2-01"\nfree = "100 MiB"\n'
    async with world(filling) as stage:
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.DEST_FULL, Basis.MEASURED)
        assert "ds-c2-01 has" in told(verdict)
        stage.player.switches.fill_datastore("ds-c2-01", free=3 * 2**40)
        assert (await failed.verdict()).basis is Basis.BOTH_ENDS
        assert (await failed.table()).of(Part.DESTINATION_STORAGE).state is State.DIRTY


async def test_provisioning_at_one_end_that_leads_nowhere(world):
    lopsided = linked(BASE, "provisioning_routed = false").replace(
        'name = "site2"\n', 'name = "site2"\nprovisioning = "interface"\n', 1
    )
    async with world(lopsided) as stage:
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.PROVISIONING_PATH, Basis.MEASURED)
        assert "Nothing passes on the predicted path" in told(verdict)
        assert await without_the_probes(failed) is not Basis.MEASURED
        assert warned(failed.plan, "data-path")
        assert warned(failed.plan, "path-port")


async def test_a_firewall_that_forgets_after_an_hour(world):
    slow = linked(PROVISIONED, 'idle_timeout = "3600 s"').replace('rate = "8 Gbit/s"', 'rate = "4 Mbit/s"')

    async def an_hour_later(stage: Stage, _plan: Plan) -> Sequence[PathMeasurement]:
        while not any(move.bytes_per_second for move in stage.player.witness.moves()):
            await asyncio.sleep(0.02)
        stage.player.switches.advance_time(timedelta(seconds=3605))
        return ()

    async with world(slow) as stage:
        failed = await stage.fails(meanwhile=an_hour_later)
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.IDLE_TIMEOUT_RESET, Basis.BOTH_ENDS)
        assert verdict.confidence <= 0.7
        assert "had been silent since it began" in told(verdict)
        assert (await failed.verdict([])).cause is Cause.PACKET_LOSS  # an age alone is a coincidence


async def test_an_agent_of_the_destination_that_restarts(world):
    restarting = BASE + f'[[events]]\nat = "40 % of db01"\nhost = "{DESTINATION}"\nrestart = "vpxa"\n'
    async with world(restarting) as stage:
        failed = await stage.fails()
        verdict = await failed.verdict()
        assert (verdict.cause, verdict.basis) == (Cause.HOST_AGENT_DOWN, Basis.BOTH_ENDS)
        assert verdict.confidence > 0.7  # that something listens again speaks not against it
        table = await failed.table()
        assert [row.part for row in table.dirty] == [Part.DESTINATION_HOST], table
        assert table.of(Part.PATH).state is State.CLEAN
