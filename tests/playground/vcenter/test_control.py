"""The control port and the process form: what other processes see and may do."""

import asyncio
import json

import httpx
import pytest

from bot.playground.vcenter.player import PLAYERS_FILE, main
from bot.playground.world import demo_world_path


@pytest.fixture
async def control(player):
    async with httpx.AsyncClient(base_url=player.control_url + "/") as http:
        yield http


async def test_a_referee_reads_what_happened(player, client, control, in_thread):
    task = await in_thread(lambda: client.relocate(client.find("DC1/vm/thick01"), client.spec()))
    await in_thread(client.watch, task)
    record = (await control.get("relocations")).json()[0]
    assert (record["vm"], record["outcome"], record["task"]) == ("thick01", "success", task._moId)
    assert (await control.get("placement", params={"vm": "thick01"})).json()["site"] == "site2"
    assert (await control.get("calls")).json()["RelocateVM_Task"] == 1
    assert ["RelocateVM_Task", "cm-ab12cd34-a1"] in (await control.get("op-ids")).json()
    assert (await control.get("state")).json()["tasks"][task._moId] == "success"
    assert (await control.get("datastore", params={"name": "ds-c2-01"})).json()["orphans"] == []
    log = (await control.get("log", params={"host": "esx-site1-01.example.net", "log": "vpxa"})).json()
    assert len(log) >= 1


async def test_orders_change_the_world(player, control):
    orders = {
        "link": {"between": ["site1", "site2"], "loss": 0.04, "rate": 1000},
        "block": {"from": "site1", "to": "site2"},
        "power": {"vm": "db01", "on": True},
        "host": {"host": "esx-site2-01.example.net", "connected": False},
        "rotate": {"host": "esx-site1-01.example.net"},
        "syslog": {"target": "udp://127.0.0.1:9", "site": "site1"},
        "cap": {"host": "esx-site1-01.example.net", "bytes_per_second": 1000},
        "client": {"site": "site1"},
        "drop": {"what": "reply", "nth": 2},
        "delay": {"method": "CurrentTime", "seconds": 0.5},
        "expire-sessions": {},
        "down": {},
        "up": {},
    }
    for name, order in orders.items():
        answer = await control.post(name, json=order)
        assert answer.status_code == 200, (name, answer.text)
    assert player.estate.universe.links.find("site1", "site2").loss == 0.04
    assert player.estate.vm("db01").power == "poweredOn"
    assert not player.estate.host("esx-site2-01.example.net").connected


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("link", {"between": ["site1", "mars"], "loss": 0.1}),
        ("link", {"between": ["site1", "site2"], "loss": 4}),
        ("syslog", {"target": "gopher://127.0.0.1"}),
        ("syslog", {"target": "udp://127.0.0.1", "host": "nobody"}),
        ("power", {"vm": "nobody", "on": True}),
        ("rotate", {"host": "nobody"}),
        ("cap", {"host": "nobody", "bytes_per_second": 1}),
        ("cap", {"host": "esx-site1-01.example.net", "bytes_per_second": -1}),
        ("client", {"site": "mars"}),
        ("drop", {"when": "never"}),
    ],
)
async def test_wrong_orders_are_refused_with_a_sentence(control, name, order):
    answer = await control.post(name, json=order)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_a_twin_must_be_named_with_its_folder(control):
    params = {"vm": "twin & <co>"}
    assert (await control.get("placement", params=params)).status_code == 400
    assert (await control.get("placement", params={**params, "folder": "B"})).json()["folder"] == "B"


async def test_the_process_form_tells_where_it_plays(tmp_path):
    ready, file = asyncio.Event(), tmp_path / PLAYERS_FILE
    play = asyncio.create_task(main(demo_world_path(), tmp_path, ready=ready))
    async with asyncio.timeout(20):
        await ready.wait()
        east = json.loads(file.read_text())["vcenters"]["east"]
        async with httpx.AsyncClient() as http:
            state = (await http.get(f"{east['control_url']}/state")).json()
            assert (await http.get(f"{east['control_url']}/hosts")).json() == east["hosts"]
    assert state["url"] == east["url"]
    assert list(east["hosts"]) == state["hosts"]
    assert set(east) == {"url", "ca_file", "user", "password", "control_url", "hosts"}
    assert all(url.startswith("https://127.0.0.1:") for url in east["hosts"].values())
    assert file.stat().st_mode & 0o077 == 0
    play.cancel()
    with pytest.raises(asyncio.CancelledError):
        await play


async def test_room_is_made_only_of_what_others_had(player):
    """A filled datastore gives back what strangers took; what VMs take stays taken."""
    store = player.datastore("ds-c1-01")
    held = store.capacity - store.free - store.strangers
    assert held > 2 * 2**30  # thick01 is one of those
    player.switches.fill_datastore("ds-c1-01", free=0)
    assert (store.free, store.strangers) == (0, store.capacity - held)
    player.switches.fill_datastore("ds-c1-01", free=2 * store.capacity)
    assert (store.free, store.strangers) == (store.capacity - held, 0)
