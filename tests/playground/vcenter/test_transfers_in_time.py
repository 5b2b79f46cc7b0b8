"""Transfers that last: they keep their session, they are as slow as somebody ordered, and break when it says so."""

import asyncio
import time
from datetime import timedelta

import httpx
import pytest
from pyVmomi import vim

from tests.playground.vcenter.disks import ESX1, HERE, MIB, WORLD, browsing

FLAT = "/folder/web01/web01-flat.vmdk"
IDLE = timedelta(minutes=31)


@pytest.fixture
def world_text():
    return WORLD


def cookies(client):
    name, _, value = client.stub.cookie.partition(";")[0].partition("=")
    return {name: value.strip('"')}


def logged_in(player):
    return len(player.estate.sessions.all())


async def until(player, count):
    """Wait until so many calls of sessions are under way."""
    async with asyncio.timeout(5):
        while sum(session.under_way for session in player.estate.sessions.all()) != count:
            await asyncio.sleep(0)


async def test_a_download_keeps_its_session_while_it_lasts(player, client):
    clock, cookie = player.estate.universe.clock, cookies(client)
    player.switches.cap_traffic(ESX1, 100_000)
    async with (
        browsing(player, auth=None, cookies=cookie) as browser,
        browser.stream("GET", FLAT, params=HERE) as reply,
    ):
        assert reply.status_code == 200
        await until(player, 1)
        clock.advance(IDLE)
        assert logged_in(player) == 1
    await until(player, 0)
    assert logged_in(player) == 1  # what has just ended was activity
    clock.advance(IDLE)
    assert logged_in(player) == 0


async def test_an_upload_keeps_its_session_while_it_lasts(player, client):
    clock, go_on = player.estate.universe.clock, asyncio.Event()

    async def slowly():
        yield b"x" * 1000
        await go_on.wait()
        yield b"y" * 1000

    async with browsing(player, auth=None, cookies=cookies(client)) as browser:
        sending = asyncio.create_task(browser.put("/folder/web01/new.bin", params=HERE, content=slowly()))
        await until(player, 1)
        clock.advance(IDLE)
        assert logged_in(player) == 1
        go_on.set()
        assert (await sending).status_code == 201
    clock.advance(IDLE)
    assert logged_in(player) == 0


async def test_the_bytes_of_a_lease_keep_the_session_that_holds_it(player, client, in_thread):
    clock = player.estate.universe.clock

    def lease():
        held = client.find("DC1/vm/Web/web01").ExportVm()
        while (state := held.state) != vim.HttpNfcLease.State.ready:
            assert state == vim.HttpNfcLease.State.initializing
        return held.info.deviceUrl[0].url

    url = await in_thread(lease)
    player.switches.cap_traffic(ESX1, 20_000)
    async with browsing(player, auth=None) as browser, browser.stream("GET", url) as reply:
        assert reply.status_code == 200
        await until(player, 1)
        clock.advance(IDLE)
        assert logged_in(player) == 1
    await until(player, 0)
    clock.advance(IDLE)
    assert logged_in(player) == 0


async def test_a_cap_slows_a_transfer_and_is_lifted(player):
    async with httpx.AsyncClient(base_url=player.control_url + "/") as control, browsing(player) as browser:
        order = {"host": ESX1, "bytes_per_second": 4 * MIB}
        assert (await control.post("cap", json=order)).status_code == 200
        begun = time.monotonic()
        await browser.get("/folder/web01/web01_1-flat.vmdk", params=HERE)
        assert time.monotonic() - begun >= 0.4
        assert (await control.post("cap", json={"host": ESX1, "bytes_per_second": 0})).status_code == 200
        with pytest.raises(httpx.HTTPError):
            await browser.get("/folder/web01/web01_1-flat.vmdk", params=HERE)
        assert (await control.post("cap", json={"host": ESX1})).status_code == 200
        assert len((await browser.get("/folder/web01/web01_1-flat.vmdk", params=HERE)).content) == 2 * MIB


async def test_the_link_stands_between_a_client_and_hosts_elsewhere(player):
    async with httpx.AsyncClient(base_url=player.control_url + "/") as control, browsing(player) as browser:
        assert (await control.post("client", json={"site": "site2"})).status_code == 200
        player.set_link("site1", "site2", rate=0)
        with pytest.raises(httpx.HTTPError):
            await browser.get("/folder/web01/web01_1-flat.vmdk", params=HERE)
        assert (await control.post("client", json={})).status_code == 200
        assert (await browser.get("/folder/web01/web01_1-flat.vmdk", params=HERE)).status_code == 200
