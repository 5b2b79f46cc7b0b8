"""What hosts write reaches a syslog server, and says there what it says in the host's own file."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import pytest

from bot.logs.syslog_header import own_text, read_header
from bot.playground.esxi.phrases import Phrase
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

WORLD = """
[play]
noise_every = "1 h"
history_lines = 3
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
version = "VERSION"
"""
SAID = tuple(
    Phrase(log, "warning", "Libs", text, "invented") for log in ("vpxa", "hostd") for text in ("one", "two\nmore")
)


class Heard:
    """A server that keeps what it hears."""

    def __init__(self):
        self.lines = []
        self.change = asyncio.Condition()

    async def hear(self, *frames):
        async with self.change:
            self.lines += [frame.decode() for frame in frames]
            self.change.notify_all()

    async def until(self, count):
        async with asyncio.timeout(10), self.change:
            await self.change.wait_for(lambda: len(self.lines) >= count)
            return list(self.lines)


@asynccontextmanager
async def over_tcp(heard):
    async def served(reader, writer):
        async for line in reader:
            await heard.hear(line.rstrip(b"\n"))
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def over_udp(heard):
    tasks = set()

    class Protocol(asyncio.DatagramProtocol):
        def datagram_received(self, data, _address):
            tasks.add(asyncio.create_task(heard.hear(data)))

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
    yield f"udp://127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    transport.close()


async def played(folder, version):
    return await play_world(parse_world(WORLD.replace("VERSION", version)), folder, tls=False)


def write(player, host, *phrases):
    estate = player.estate
    found = estate.host(host)
    before = {log: len(found.logs.lines(log)) for log in found.logs.keys}
    estate.diary(found).write(phrases, at=estate.universe.clock(), op_id="abc")
    return [line for log, count in before.items() for line in found.logs.lines(log)[count:]]


@pytest.mark.parametrize("way", [over_tcp, over_udp])
@pytest.mark.parametrize("version", ["8.0.3", "7.0.3", "6.5.0", "5.5.0", "4.1.0"])
async def test_lines_arrive_as_they_were_written(tmp_path, version, way):
    heard = Heard()
    async with way(heard) as target, await played(tmp_path, version) as world:
        player = world["east"]
        one, other = player.hosts()
        player.switches.send_syslog(target, host=one)
        assert write(player, other, *SAID)
        written = write(player, one, *SAID)
        lines = await heard.until(len(written))
        player.switches.send_syslog(host=one)
    assert [
        line for line in lines if not re.match(rf"<\d+>\S.{{0,40}} {re.escape(one)} (Vpxa|Hostd|vmkernel)\b", line)
    ] == []
    told = [own_text(line.encode(), read_header(line.encode())) for line in lines if " vmkernel: " not in line]
    assert sorted(told) == sorted(re.sub(r"^.*: (?=--> )", "", line) for line in written if " cpu" not in line)


async def test_a_server_that_comes_back_hears_what_is_said_then(tmp_path):
    heard = Heard()
    async with await played(tmp_path, "8.0.3") as world:
        player = world["east"]
        host = player.hosts()[0]
        async with over_tcp(Heard()) as target:
            player.switches.send_syslog(target)
        write(player, host, SAID[0])
        async with over_tcp(heard) as target:
            player.switches.send_syslog(target)
            written = write(player, host, SAID[1])
            assert len(await heard.until(len(written))) == len(written)
