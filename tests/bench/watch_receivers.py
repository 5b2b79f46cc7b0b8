"""Receivers for the benchmark of the watch: `python -m tests.bench.watch_receivers WHICH …`.

`ours` is the product's, with a real Redis behind it; `noop` only counts bytes as asyncio hands them over; `lines` is
the plain way, a reader for each connection and a look at each line. Each says its ports as JSON, and runs until ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bot.diagnosis.engine import load_engine
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.intake import RedisIntake
from bot.logs.syslog import SyslogReceiver, tls_context
from bot.store.client import connect
from tests.bench.watch_lines import WATCHED, address_of, name_of


def roll_of(hosts: int) -> Roll:
    return Roll(
        WatchedHost(
            HostKey(f"east/{name_of(host)}"), "site1", SourceKind.SYSLOG, addresses=frozenset({address_of(host)})
        )
        for host in range(hosts)
    )


async def ours(redis_url: str, pem: str, hosts: str) -> None:
    engine = load_engine()
    engine.catalogue.needles.prepare()
    roll = roll_of(int(hosts))
    async with connect(redis_url) as store:
        intake = RedisIntake(store, keep=engine.is_candidate, watcher="bench")
        receiver = SyslogReceiver(
            intake,
            lambda: roll,
            finder=engine.catalogue.needles.finder(),
            logs=WATCHED,
            lines_per_second=2000,
            address="127.0.0.1",
            udp=0,
            tcp=0,
            tls=0,
            tls_context=tls_context(Path(pem), Path(pem)),
        )
        async with receiver, asyncio.TaskGroup() as group:
            group.create_task(intake.run())
            say(dict(receiver.ports))
            words = await words_from_stdin()
            await words.readline()
            counts = receiver.counts()
            say(
                {
                    "lines": sum(tally.lines for tally in receiver.tallies()),
                    "gaps": sum(tally.gaps for tally in receiver.tallies()),
                    "throttled": sum(tally.throttled for tally in receiver.tallies()),
                    "dropped": counts.dropped,
                    "buffer": counts.buffer,
                }
            )
            await words.readline()


async def noop() -> None:
    class Counting(asyncio.Protocol):
        bytes = 0

        def data_received(self, data):
            Counting.bytes += len(data)

    await served(Counting)


async def lines() -> None:
    needles = load_engine().catalogue.needles
    found = []

    async def read(reader, _writer):
        while line := await reader.readline():
            if needles.held_by(line):
                found.append(line)

    server = await asyncio.start_server(read, "127.0.0.1", 0, backlog=1024)
    say({"tcp": server.sockets[0].getsockname()[1]})
    await (await words_from_stdin()).readline()


async def served(protocol) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=1024)
    say({"tcp": server.sockets[0].getsockname()[1]})
    await (await words_from_stdin()).readline()


async def words_from_stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def say(what) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run({"ours": ours, "noop": noop, "lines": lines}[sys.argv[1]](*sys.argv[2:]))
