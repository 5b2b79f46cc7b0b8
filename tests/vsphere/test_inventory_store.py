"""The inventory that workers publish and the bot reads, on a real Valkey."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.migration.request import VCenterName, VmRef
from bot.store.client import connect
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
