"""The hosts' own HTTPS addresses, asked with a real httpx that verifies their certificates."""

import asyncio
import gzip
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter

import httpx
import pytest
from aiohttp import web

from bot.playground.esxi.https import MACHINE, HostEndpoints, for_account
from tests.playground.esxi.wires import ESX1, ESX2

ROOT = ("root", "bare-metal-of-a-play")


@asynccontextmanager
async def asking(player, host=ESX1, *, auth=ROOT):
    context = ssl.create_default_context(cafile=player.ca_file)
    async with httpx.AsyncClient(base_url=player.host_url(host), verify=context, auth=auth, timeout=10) as client:
        yield client


async def test_a_log_is_served_as_it_is_and_grows(player):
    async with asking(player) as client:
        before = await client.get("/host/vpxa.log")
        player.machine(ESX1).logs.append("vpxa", ["one more"], at=player.estate.universe.clock())
        after = await client.get("/host/vpxa.log")
    assert before.headers["content-type"].startswith("text/plain")
    assert before.text.splitlines() == player.log_lines(ESX1)[:-1]
    assert after.text == before.text + "one more\n"


async def test_rotated_files_are_listed_and_packed(player):
    before = player.log_lines(ESX1, "hostd")
    player.rotate_log(ESX1, "hostd")
    async with asking(player) as client:
        page = (await client.get("/host")).text
        packed = await client.get("/host/hostd.0.gz")
    for name in ("hostd.log", "hostd.0.gz", "vpxa.log", "vmkernel.log", "vobd.log"):
        assert f'href="/host/{name}"' in page
    assert gzip.decompress(packed.content).decode().splitlines() == before


async def test_a_range_is_served_and_one_beyond_the_end_refused(player):
    async with asking(player) as client:
        whole = (await client.get("/host/vpxa.log")).content
        tail = await client.get("/host/vpxa.log", headers={"Range": f"bytes={len(whole) - 20}-"})
        middle = await client.get("/host/vpxa.log", headers={"Range": "bytes=5-9"})
        beyond = await client.get("/host/vpxa.log", headers={"Range": f"bytes={len(whole)}-"})
        size = await client.head("/host/vpxa.log")
    assert (tail.status_code, tail.content) == (206, whole[-20:])
    assert tail.headers["content-range"] == f"bytes {len(whole) - 20}-{len(whole) - 1}/{len(whole)}"
    assert middle.content == whole[5:10]
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert int(size.headers["content-length"]) == len(whole)


@pytest.mark.parametrize("auth", [None, ("root", "wrong"), ("svc@vsphere.local", "right")])
async def test_only_the_hosts_own_user_is_let_in(player, auth):
    async with asking(player, auth=auth) as client:
        refused = await client.get("/host/vpxa.log")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")


async def test_each_site_has_an_account_of_its_own(player):
    async with asking(player, ESX2, auth=("keeper", "of the second site")) as client:
        assert (await client.get("/host")).status_code == 200
    async with asking(player, ESX2) as client:
        assert (await client.get("/host")).status_code == 401


async def test_lockdown_mode_shuts_even_the_right_user_out(player):
    player.machine(ESX1).lockdown = True
    async with asking(player) as client:
        assert (await client.get("/host/vpxa.log")).status_code == 403


async def test_a_host_whose_agent_restarts_says_503(player):
    player.machine(ESX1).restarting = True
    async with asking(player) as client:
        assert (await client.get("/host/vpxa.log")).status_code == 503
    player.machine(ESX1).restarting = False
    async with asking(player) as client:
        assert (await client.get("/host/vpxa.log")).status_code == 200


async def test_a_file_that_there_is_not_and_a_way_out_of_the_folder_are_not_found(player):
    async with asking(player) as client:
        for path in ("/host/shadow", "/host/vpxa.7.gz", "/host/..%2f..%2fetc%2fpasswd", "/folder/x"):
            assert (await client.get(path)).status_code == 404


async def test_a_host_under_strain_answers_late(player):
    player.machine(ESX1).answers_after = timedelta(milliseconds=150)
    begun = perf_counter()
    async with asking(player) as client:
        assert (await client.get("/host")).status_code == 200
    assert perf_counter() - begun >= 0.15


async def test_certificates_name_the_host_and_strangers_do_not_trust_them(player):
    host, port = player.host_url(ESX2).removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=player.ca_file)
    _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=ESX2)
    names = writer.get_extra_info("peercert")["subjectAltName"]
    writer.close()
    assert ("DNS", ESX2) in names
    async with httpx.AsyncClient() as stranger:
        with pytest.raises(httpx.ConnectError):
            await stranger.get(f"{player.host_url(ESX2)}/host")


async def test_other_rooms_bring_routes_of_their_own(player):
    async def hello(request):
        return web.Response(text=request[MACHINE].name)

    routes = [web.get("/open", hello), web.get("/closed", for_account(hello))]
    machines = [player.machine(ESX1), player.machine(ESX2)]
    endpoints = HostEndpoints(machines, routes, address="127.0.0.1", tls=None)
    await endpoints.up()
    try:
        async with httpx.AsyncClient() as client:
            said = [(await client.get(f"{endpoints.url(host)}/open")).text for host in (ESX1, ESX2)]
            refused = await client.get(f"{endpoints.url(ESX1)}/closed")
    finally:
        await endpoints.down()
    assert said == [ESX1, ESX2]
    assert refused.status_code == 401


async def test_other_processes_turn_the_same_switches(player):
    async with httpx.AsyncClient(base_url=player.control_url) as control:
        locked = await control.post("/agent", json={"host": ESX1, "lockdown": True, "answers_after": 0.05})
        pulled = await control.post("/nic", json={"host": ESX1, "nic": "vmnic1", "up": False})
        unknown = await control.post("/nic", json={"host": ESX1, "nic": "vmnic9", "up": False})
    assert (locked.status_code, pulled.status_code, unknown.status_code) == (200, 200, 400)
    assert player.machine(ESX1).answers_after == timedelta(milliseconds=50)
    assert any("linkstate down" in line for line in player.log_lines(ESX1, "vobd"))
    async with asking(player) as client:
        assert (await client.get("/host")).status_code == 403
