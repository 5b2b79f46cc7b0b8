"""From a line that a host writes to the message in the channel: over syslog, over SSH, and through vCenter's API.

The whole product runs, against a played vCenter, a real sshd and a real Valkey, all in one process: what the sharing of
it costs is counted to the product. Each sample is an incident of its own, for what belongs to one that is known edits a
message. The limits are the peers: two seconds, and for the API its interval and two seconds.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from bot.compose import store_of
from bot.ssh.port import Address
from bot.store import embedded, keys
from tests.bench.figures import Figure, percentile
from tests.end_to_end.plant import POLL_LOGS
from tests.end_to_end.test_watch import DEAD_LINK, Watch, on_watch, sent
from tests.fixtures_sshd import Sshd
from tests.ports import free_port

NAME: Final = "alerts"

SAMPLES: Final = 40
LIMIT: Final = 2.0
PATIENCE: Final = 20.0
HOST: Final = "esx-site1-01.example.net"
PEER: Final = "esx-site2-01.example.net"

Write = Callable[[list[str]], Awaitable[None]]


async def measure() -> list[Figure]:
    figures = []
    for how, stage, interval in (("syslog", _syslog, 0.0), ("ssh", _ssh, 0.0), ("api", _api, _interval())):
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            valkey = stack.enter_context(embedded.start(folder / "valkey"))
            watch, write = await stack.enter_async_context(stage(folder, valkey.url))
            waits = [await _sample(watch, write, number) for number in range(SAMPLES + 1)]
        figures += _figures(how, waits[1:], LIMIT + interval)  # the first finds everything cold
    return figures


def _interval() -> float:
    return POLL_LOGS.total_seconds()


def _figures(how: str, waits: list[float], limit: float) -> list[Figure]:
    return [
        Figure(name=f"{NAME}.{how}.p50", value=percentile(waits, 0.5), unit="s"),
        Figure(name=f"{NAME}.{how}.p99", value=percentile(waits, 0.99), unit="s").below(limit),
    ]


async def _sample(watch: Watch, write: Write, number: int) -> float:
    """The seconds from when the lines were written until the channel shows a new message."""
    known = {message["ts"] for message in watch.alerts()}
    op_id = f"{number:08X}-0000024D"
    begin = monotonic()
    await write([text.format(op=op_id, peer=PEER) for text in DEAD_LINK])

    async with asyncio.timeout(PATIENCE):
        while not any(message["ts"] not in known for message in watch.alerts()):
            await asyncio.sleep(0.01)
    waited = monotonic() - begin
    await _forget_incidents(watch)
    await asyncio.sleep(1.1)  # Slack takes a message a second in one channel
    return waited


async def _forget_incidents(watch: Watch) -> None:
    async with store_of(watch.plant.settings) as store:
        for name in (keys.INCIDENTS, keys.INCIDENTS_ENDED):
            await store.execute_command("DEL", name)


@asynccontextmanager
async def _syslog(folder: Path, redis_url: str) -> AsyncIterator[tuple[Watch, Write]]:
    port = free_port()
    table = f'[syslog]\naddress = "127.0.0.1"\ntcp = {port}'
    async with on_watch(folder, redis_url, watch=table) as watch:

        async def write(texts: list[str]) -> None:
            await sent(port, *(f"<166>{_stamp()} {HOST} Vpxa: error vpxa[21] {text}\n".encode() for text in texts))

        yield watch, write


@asynccontextmanager
async def _ssh(folder: Path, redis_url: str) -> AsyncIterator[tuple[Watch, Write]]:
    host = Sshd(folder / "sshd")
    log = host.folder / "vpxa.log"
    for name in ("vpxa", "hostd"):
        (host.folder / f"{name}.log").write_text("")
    table = (
        f'[[sources]]\nkind = "ssh"\nhosts = ["{HOST}"]\nuser = "{host.user}"\nkey_file = "{host.key_file}"\n'
        f'known_hosts_file = "{host.known_hosts}"\npath = "{host.folder}"\n'
        '[[sources]]\nkind = "none"\nsites = ["site1", "site2"]'
    )
    options = {"addresses": lambda _port: lambda _host: Address("127.0.0.1", host.port)}
    try:
        async with on_watch(folder, redis_url, watch=table, **options) as watch:

            async def write(texts: list[str]) -> None:
                with log.open("a") as file:
                    file.writelines(f"{_stamp()} error vpxa[21] {text}\n" for text in texts)

            async with asyncio.timeout(PATIENCE):
                while not host.sessions():
                    await asyncio.sleep(0.05)
            await asyncio.sleep(2)  # until tail stands
            yield watch, write
    finally:
        host.go_down()


@asynccontextmanager
async def _api(folder: Path, redis_url: str) -> AsyncIterator[tuple[Watch, Write]]:
    async with on_watch(folder, redis_url) as watch:
        host = watch.vcenter.estate.host(HOST)

        async def write(texts: list[str]) -> None:
            lines = [f"{_stamp()} error vpxa[21] {text}" for text in texts]
            host.logs.append("vpxa", lines, at=datetime.now(UTC))

        await watch.all_read()
        yield watch, write


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
