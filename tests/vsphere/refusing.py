"""A vCenter that refuses what it is told to refuse: a TLS door before the player, which answers one method itself.

The player has reasons of its own for the faults that it gives; here any fault of the API can be had, over a real wire.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.playground.vcenter.certificates import Authority
from tests.vsphere.conftest import Peer

FAULT = """\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>It is refused.</faultstring><detail>
<{name}Fault xmlns="urn:vim25" xsi:type="{name}">{fields}</{name}Fault></detail></soapenv:Fault>
</soapenv:Body></soapenv:Envelope>"""

METHOD = re.compile(r"<soapenv:Body><(\w+) ")


class Door:
    """Answers `method` with `answer`, a fault or a bare HTTP status; passes everything else on, and counts."""

    def __init__(self, url: str, ca_file: Path) -> None:
        self.url = url
        self.ca_file = ca_file
        self.method = ""
        self.answer: web.Response | None = None
        self.refused = 0

    def refuse(self, method: str, name: str, fields: str = "") -> None:
        """Answer this method with a fault from now on."""
        self.method = method
        self.answer = web.Response(status=500, text=FAULT.format(name=name, fields=fields), content_type="text/xml")

    def fail(self, method: str, status: int) -> None:
        """Answer this method as a proxy before a vCenter does that is just starting."""
        self.method, self.answer = method, web.Response(status=status, text="no healthy upstream")


@asynccontextmanager
async def door_before(peer: Peer, directory: Path) -> AsyncIterator[Door]:
    """A door to the player, open while the block runs."""
    directory.mkdir()
    authority = Authority(directory, name="door")
    client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))

    async def handle(http: web.Request) -> web.Response:
        body = await http.text()
        found = METHOD.search(body)
        if door.answer is not None and found and found[1] == door.method:
            door.refused += 1
            return web.Response(status=door.answer.status, text=door.answer.text, content_type="text/xml")
        headers = {
            name: http.headers[name] for name in ("SOAPAction", "Cookie", "Content-Type") if name in http.headers
        }
        async with client.request(http.method, peer.url + http.path, data=body.encode(), headers=headers) as reply:
            kept = {name: value for name, value in reply.headers.items() if name in {"Set-Cookie", "Content-Type"}}
            return web.Response(status=reply.status, body=await reply.read(), headers=kept)

    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context("127.0.0.1"))
    await site.start()
    door = Door(f"https://127.0.0.1:{runner.addresses[0][1]}", authority.file)
    try:
        yield door
    finally:
        await runner.cleanup()
        await client.close()
