"""Service tickets of the played vCenter: one request, one URL, not for long."""

from datetime import timedelta

import pytest
from pyVmomi import vim, vmodl

from tests.playground.vcenter.disks import ESX1, ESX2, HERE, WORLD, browsing

PATH = "/folder/web01/web01.vmx"
ON_HOST = {"dsName": "ds-c1-01"}


@pytest.fixture
def world_text():
    return WORLD


@pytest.fixture
def ticket_for(client, in_thread):
    async def acquire(url, method="httpGet", who=client):
        spec = vim.SessionManager.HttpServiceRequestSpec(method=method, url=url)
        return await in_thread(who.sessions.AcquireGenericServiceTicket, spec)

    return acquire


def cookie(ticket):
    return {"Cookie": f"vmware_cgi_ticket={ticket.id}"}


async def test_a_ticket_opens_one_url_of_a_host_once(player, ticket_for):
    url = player.host_url(ESX1)
    ticket = await ticket_for(f"{url}{PATH}?dsName=ds-c1-01")
    assert (ticket.hostName, ticket.sslThumbprint) == (ESX1, player.estate.doors.thumbprint(player.estate.host(ESX1)))
    async with browsing(player, url, auth=None) as browser:
        assert (await browser.get(PATH, params=ON_HOST, headers=cookie(ticket))).status_code == 200
        assert (await browser.get(PATH, params=ON_HOST, headers=cookie(ticket))).status_code == 401


@pytest.mark.parametrize(
    ("verb", "path", "params"),
    [
        ("PUT", PATH, ON_HOST),
        ("DELETE", PATH, ON_HOST),
        ("GET", "/folder/web01/web01.vmdk", ON_HOST),
        ("GET", PATH, {"dsName": "other"}),
    ],
)
async def test_a_ticket_is_good_for_nothing_else(player, ticket_for, verb, path, params):
    ticket = await ticket_for(f"https://{ESX1}{PATH}?dsName=ds-c1-01")
    async with browsing(player, player.host_url(ESX1), auth=None) as browser:
        assert (await browser.request(verb, path, params=params, headers=cookie(ticket))).status_code == 401
        assert (await browser.get(PATH, params=ON_HOST, headers=cookie(ticket))).status_code == 401  # it is used up


async def test_a_ticket_to_write_carries_the_rights_of_who_asked(player, ticket_for, client_of, in_thread):
    url = f"{player.host_url(ESX1)}/folder/new?dsName=ds-c1-01"
    reader = await in_thread(lambda: client_of(player, user="reader@vsphere.local"))
    async with browsing(player, player.host_url(ESX1), auth=None) as browser:
        for who, status in ((None, 201), (reader, 403)):
            ticket = await (ticket_for(url, "httpPut", who) if who else ticket_for(url, "httpPut"))
            put = await browser.put("/folder/new", params=ON_HOST, content=b"x", headers=cookie(ticket))
            assert put.status_code == status


async def test_tickets_grow_old(player, ticket_for):
    ticket = await ticket_for(f"{player.url}{PATH}?dcPath=DC1&dsName=ds-c1-01")
    player.estate.universe.clock.advance(timedelta(minutes=2))
    async with browsing(player, auth=None) as browser:
        assert (await browser.get(PATH, params=HERE, headers=cookie(ticket))).status_code == 401


async def test_vcenter_takes_its_own_tickets_too(player, ticket_for):
    ticket = await ticket_for(f"{player.url}{PATH}?dcPath=DC1&dsName=ds-c1-01")
    assert (ticket.hostName, ticket.sslThumbprint) == (None, player.estate.presence.thumbprint)
    async with browsing(player, auth=None) as browser:
        assert (await browser.head(PATH, params=HERE, headers=cookie(ticket))).status_code == 200


async def test_a_ticket_is_for_servers_of_this_vcenter(player, ticket_for):
    for url in ("https://elsewhere.example.net/folder/x?dsName=y", "nonsense"):
        with pytest.raises(vmodl.fault.InvalidArgument):
            await ticket_for(url)
    with pytest.raises(vmodl.fault.InvalidArgument):
        await ticket_for(f"{player.host_url(ESX2)}/folder/x", "httpBrew")
