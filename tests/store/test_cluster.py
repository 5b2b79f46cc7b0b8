"""A cluster of three real nodes: our slot is found, followed when it moves, and waited for while it is moving."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from redis.crc import key_slot

from bot.errors import OutsideError, UnreachableError
from bot.store import keys
from bot.store.client import connect
from bot.store.following import OUR_SLOT
from bot.store.schema import check_schema
from bot.store.scripts import load
from tests.store.cluster_fleet import cluster_fleet
from tests.store.processes import free_ports, on_free_ports, valkey

FOUND_WITHIN = 40
NOW = load("bot.jobs", "scripts/now")


@pytest.fixture
def fleet(tmp_path):
    with cluster_fleet(tmp_path) as fleet:
        yield fleet


def test_every_key_is_in_the_one_slot():
    assert {key_slot(name.encode()) for name in (keys.SCHEMA, keys.job("x"), keys.vm("e:{y}"))} == {OUR_SLOT}


async def test_the_owner_of_our_slot_is_found_by_asking_others(fleet):
    async with connect(fleet.url) as store:
        await check_schema(store)
        assert await NOW(store)
        assert fleet.owner.ask("GET", keys.SCHEMA)
        await asyncio.gather(*(store.incr(keys.job("n")) for _ in range(200)))
        assert await store.text(keys.job("n")) == "200"
        assert await store.tail(keys.EVENTS, "0-0", block=timedelta(0)) == []


async def test_a_slot_that_moved_is_followed_at_the_next_try(fleet):
    async with connect(fleet.url) as store:
        await asyncio.gather(*(store.hset(keys.job(str(number)), "n", "1") for number in range(100)))
        await NOW(store)
        to = next(node for node in fleet.nodes if node is not fleet.owner)
        fleet.move_slot(to)
        assert fleet.owner is to
        assert await NOW(store, repeatable=True)
        found = await asyncio.gather(*(store.hash(keys.job(str(number))) for number in range(100)))
        assert found == [{"n": "1"}] * 100
        await store.set(keys.SCHEMA, "9")
        assert to.ask("GET", keys.SCHEMA) == "9"


async def test_no_script_is_done_by_half_while_keys_are_moved_one_by_one(fleet):
    async with connect(fleet.url) as store:
        await store.set(keys.SCHEMA, "1")
        await store.set(keys.job("a"), "0")
        half = load("tests.store", "half")
        assert await half(store) == 1
        to = next(node for node in fleet.nodes if node is not fleet.owner)
        await store.delete(keys.job("b"))
        fleet.half_move_slot(to)
        with pytest.raises(UnreachableError, match="our slot is on its way to another node"):
            await half(store)
        fleet.leave_slot(to)
        assert await store.text(keys.job("a")) == "1"  # and not 2, which would be half of it
        assert await half(store) == 1


async def test_the_owner_dies_and_its_replica_is_found(tmp_path):
    with cluster_fleet(tmp_path, replicas=1) as fleet:
        async with connect(fleet.url) as store:
            await store.set(keys.job("a"), "1")
            dead = fleet.owner
            dead.kill()
            with pytest.raises(UnreachableError):
                await store.set(keys.job("a"), "2")
            next_one = await asyncio.to_thread(fleet.wait_for_failover, dead)
            async with asyncio.timeout(FOUND_WITHIN):
                while True:
                    try:
                        await store.set(keys.job("a"), "3")
                        break
                    except UnreachableError:
                        await asyncio.sleep(0.05)
            assert next_one.ask("GET", keys.job("a")) == "3"


async def test_the_wrong_form_of_url_is_told_the_right_one(fleet):
    other = next(node for node in fleet.nodes if node is not fleet.owner)
    async with connect(f"redis://127.0.0.1:{other.port}") as store:
        with pytest.raises(OutsideError, match=r"one node of a cluster; its URL begins with redis\+cluster://"):
            await store.set(keys.SCHEMA, "1")


async def test_no_cluster_says_so(tmp_path):
    with on_free_ports(lambda: valkey(tmp_path, free_ports(1)[0])) as server:
        async with connect(f"redis+cluster://127.0.0.1:{server.port}") as store:
            with pytest.raises(OutsideError, match=r"is no cluster; its URL begins with redis://"):
                await store.ping()


async def test_nobody_there(unused_tcp_port_factory):
    one, other = unused_tcp_port_factory(), unused_tcp_port_factory()
    async with connect(f"redis+cluster://u:hunter2@127.0.0.1:{one},127.0.0.1:{other}") as store:
        with pytest.raises(UnreachableError, match=f"{one}.*{other}.*no node says") as failed:
            await store.ping()
        assert "hunter2" not in str(failed.value)


def test_operators_are_told_the_slot():
    page = Path(__file__).parents[2] / "docs" / "operating.md"
    assert re.findall(r"owns slot\s+(\d+)", page.read_text(encoding="utf-8")) == [str(OUR_SLOT)]
