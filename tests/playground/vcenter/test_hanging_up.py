"""Clients die in the middle of a request: that is nothing to complain about."""

import asyncio
import ssl
from urllib.parse import urlsplit


async def test_a_client_that_dies_while_it_asks_leaves_no_error_behind(player, client, in_thread, caplog):
    where = urlsplit(player.url)
    tls = ssl.create_default_context(cafile=player.ca_file)
    _, writer = await asyncio.open_connection(where.hostname, where.port, ssl=tls)
    writer.write(b"POST /sdk HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<?xml")
    await writer.drain()
    await in_thread(client.si.CurrentTime)  # the head has been read by then, and the rest is waited for
    writer.transport.abort()
    await in_thread(client.si.CurrentTime)
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
