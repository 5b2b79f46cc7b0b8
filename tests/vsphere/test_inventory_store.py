"""The inventory that workers publish and the bot reads, on a real Valkey."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from bot.migration.request import VCenterName, VmRef
from bot.store import keys
from bot.store.client import connect
from bot.vsphere.inventory_line import decoded, encoded, line_of
from bot.vsphere.inventory_shelf import CHANGES_KEPT, LEASE, Shelf
from bot.vsphere.inventory_store import RedisInventory, publish
from bot.vsphere.port import Inventory, InventoryVm

EAST, WEST = VCenterName("east"), VCenterName("west")


def vm(name, *, vcenter=EAST, folder="Web", number=1):
    uuid = f"00000000-0000-4000-8000-{number:012}"
    return InventoryVm(VmRef(vcenter, uuid, name), f"/DC1/vm/{folder}/{name}", "esx-1", "DC1", "poweredOff")


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def inventory(store):
    return RedisInventory(store, [EAST, WEST])


async def test_there_is_nothing_at_first(inventory):
    door: Inventory = inventory
    assert await door.age() is None
    assert list(await door.trouble()) == []
    assert list(await door.find("web01")) == []
    assert list(await door.suggest("web01")) == []


async def test_names_paths_and_uuids_are_found_across_vcenters(store, inventory):
    east, west = vm("web01"), vm("web01", vcenter=WEST, number=2)
    await publish(store, EAST, [east, vm("web02", number=3)])
    await publish(store, WEST, [west])
    assert list(await inventory.find("web01")) == [east, west]
    assert list(await inventory.find(" web01 ")) == [east, west]
    assert list(await inventory.find(west.ref.uuid)) == [west]
    assert list(await inventory.find(west.ref.uuid.upper())) == [west]
    assert list(await inventory.find("/DC1/vm/Web/web02")) == [vm("web02", number=3)]


async def test_case_counts_only_where_it_must(store, inventory):
    await publish(store, EAST, [vm("Web01"), vm("web01", number=2), vm("DB01", number=3)])
    assert [found.ref.name for found in await inventory.find("web01")] == ["web01"]
    assert [found.ref.name for found in await inventory.find("db01")] == ["DB01"]
    assert [found.ref.name for found in await inventory.find("WEB01")] == ["Web01", "web01"]


async def test_names_of_any_kind_survive(store, inventory):
    odd = vm('Weekly "report" 🚀 <!channel> \\ (do not touch)')
    await publish(store, EAST, [odd])
    assert list(await inventory.find(odd.ref.name)) == [odd]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Pr\u00fcfstand", "Pru\u0308fstand"),  # a Mac types it in two characters
        ("Bob\u2019s VM", "bob's vm"),  # quotes are made plain while a command is read
        ("dev \U0001f469\u200d\U0001f4bb", "dev \U0001f469\U0001f4bb"),  # and what is invisible is taken out
    ],
)
async def test_a_name_is_found_however_it_is_written(store, inventory, name, typed):
    await publish(store, EAST, [vm(name), vm("other", number=2)])
    assert [found.ref.name for found in await inventory.find(typed)] == [name]
    assert [found.ref.name for found in await inventory.find(f"/dc1/vm/web/{typed}")] == [name]


async def test_a_new_inventory_replaces_the_old_one(store, inventory):
    await publish(store, EAST, [vm("old01")])
    assert await inventory.find("old01")
    await publish(store, EAST, [vm("new01")])
    assert not await inventory.find("old01")
    assert await inventory.find("new01")
    await publish(store, EAST, [])
    assert not await inventory.find("new01")


async def test_near_misses_are_suggested(store, inventory):
    names = ["web01", "web02", "old-web01", "db01", "mail01"]
    await publish(store, EAST, [vm(name, number=n) for n, name in enumerate(names)])
    assert "web01" in [found.ref.name for found in await inventory.suggest("web0l")]
    assert [found.ref.name for found in await inventory.suggest("WEB01")][:2] == ["web01", "old-web01"]
    assert len(await inventory.suggest("web", limit=2)) == 2
    assert list(await inventory.suggest("xyzzy")) == []
    assert [found.ref.name for found in await inventory.suggest("", limit=2)] == ["db01", "mail01"]


async def test_its_age_is_that_of_the_oldest(store, inventory, skew_clock):
    await publish(store, EAST, [vm("web01")])
    skew_clock(timedelta(seconds=60))
    await publish(store, WEST, [vm("web02", vcenter=WEST)])
    assert 60 <= await inventory.age() < 65
    await publish(store, EAST, [vm("web01")])  # nothing changed, but it is true now
    assert await inventory.age() < 5


def line(name, number=1):
    return line_of(vm(name, number=number))


@pytest.fixture
async def shelf(store):
    shelf = Shelf(store, EAST)
    assert await shelf.take()
    return shelf


async def test_what_changes_is_followed_and_not_read_again(store, inventory, shelf):
    await shelf.replace({f"vm-{n}": line(f"web{n:02}", n) for n in range(40)})
    assert await inventory.find("web01")
    await store.delete(keys.inventory_rows(EAST))  # whoever read them again would find no more than what changed
    await shelf.change({"vm-1": line("renamed", 1), "vm-2": None})
    assert await inventory.find("renamed")
    assert await inventory.find("web03")
    assert not await inventory.find("web01")
    assert not await inventory.find("web02")


async def test_who_missed_changes_reads_all_rows(store, inventory, shelf):
    await shelf.replace({"vm-1": line("web01")})
    assert await inventory.find("web01")
    for number in range(CHANGES_KEPT + 2):
        await shelf.change({f"vm-{number}": line(f"app{number}", number)})
    assert await store.xlen(keys.inventory_changes(EAST)) == CHANGES_KEPT
    assert await inventory.find("app0")
    assert await inventory.find(f"app{CHANGES_KEPT}")
    assert not await inventory.find("web01")


async def test_a_redis_that_went_back_in_time_is_noticed_by_who_writes_and_who_reads(store, inventory, shelf):
    """As when an old replica takes over: what was published last is gone, and something else comes after it."""
    await shelf.change({"vm-1": line("web01")})
    before = await store.hgetall(keys.inventory(EAST))
    await shelf.change({"vm-2": line("lost", 2)})
    assert await inventory.find("lost")
    (last, _), *_ = await store.xrevrange(keys.inventory_changes(EAST), count=1)
    await store.xdel(keys.inventory_changes(EAST), last)
    await store.hdel(keys.inventory_rows(EAST), "vm-2")
    await store.hset(keys.inventory(EAST), mapping=before)
    assert not await shelf.change({"vm-3": line("web03", 3)})
    assert await shelf.take()
    assert await shelf.replace({"vm-1": line("web01"), "vm-3": line("web03", 3)})
    assert await inventory.find("web03")
    assert not await inventory.find("lost")


async def test_only_what_differs_is_written(store, shelf):
    rows = {f"vm-{n}": line(f"web{n:02}", n) for n in range(300)}
    await shelf.replace(rows)
    before = await store.xlen(keys.inventory_changes(EAST))
    await shelf.replace(rows)
    assert await store.xlen(keys.inventory_changes(EAST)) == before
    await shelf.replace({**rows, "vm-7": line("renamed", 7)})
    ((_, told),) = await store.xrevrange(keys.inventory_changes(EAST), count=1)
    assert set(told) == {"after", "state", "vm-7"}


async def test_who_does_not_keep_it_any_more_publishes_nothing(store, inventory, shelf, skew_clock):
    await shelf.change({"vm-1": line("web01")})
    other = Shelf(store, EAST)
    assert not await other.take()
    skew_clock(2 * LEASE)
    assert await other.take()
    assert not await shelf.change({"vm-2": line("zombie", 2)})
    await shelf.release(trouble="a zombie's")
    assert list(await inventory.trouble()) == []
    assert await other.change({"vm-3": line("web03", 3)})
    assert [found.ref.name for found in await inventory.suggest("")] == ["web01", "web03"]


async def test_a_clock_that_is_set_back_makes_no_lease_longer(store, shelf, skew_clock):
    skew_clock(-timedelta(hours=1))
    assert await Shelf(store, EAST).take()


async def test_rows_of_another_version_are_read_as_far_as_they_are_known(store, inventory, shelf):
    newer = json.dumps([*line("newer", 2), "00:50:56:00:00:01", {"more": 1}])
    await shelf.change({"vm-1": line("web01")})
    await store.hset(keys.inventory_rows(EAST), mapping={"vm-2": newer, "vm-3": "[1]", "vm-4": "no JSON"})
    assert [found.ref.name for found in await inventory.suggest("")] == ["newer", "web01"]
    assert decoded(encoded(line("web01"))) == line("web01")


async def test_what_an_earlier_version_left_is_cleared_away(store, inventory):
    await store.hset(keys.inventory(EAST), mapping={"rows": "[]", "version": "1", "next": "9", "at": "1"})
    assert not await inventory.find("web01")
    await publish(store, EAST, [vm("web01")])
    assert await inventory.find("web01")
    assert not {"rows", "version", "next"} & set(await store.hgetall(keys.inventory(EAST)))


async def test_while_all_is_read_again_the_former_copy_answers(store, shelf):
    """Nobody who types waits for twenty thousand rows."""
    inventory = RedisInventory(store, [EAST])
    await shelf.replace({f"vm-{n}": line(f"web{n:05}", n) for n in range(3000)})
    assert await inventory.find("web00001")
    await store.delete(keys.inventory_changes(EAST))
    await shelf.change({"vm-1": line("renamed", 1)})
    await store.xtrim(keys.inventory_changes(EAST), maxlen=0)
    asked = {asyncio.create_task(inventory.find("web00002")) for _ in range(2)}
    (first,), reading = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert first.result()
    assert all([await other for other in reading])
    assert await inventory.find("renamed")
