"""1,000 hosts that send 20 lines a second each into one watcher's syslog receiver: nothing missed, and what it costs.

Receiver, hosts and Valkey are processes of their own. The generator's truth judges what is in the fleet's stream: each
line that matters exactly once, with its neighbours, in order. CPU is that of the receiving process alone, while lines
come; beside it stand an asyncio server that only counts bytes, and the plain way of a look at each line. Lag is from
when a line was sent, by its own stamp, until it was in the stream.

`make bench` measures for seconds. The long form is `python -m tests.bench.parts.watch 5`, in minutes, for TCP.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from bot.hostlog.line import LogLine
from bot.logs.port import Watched
from bot.logs.stream import RedisWatchedLines
from bot.playground.vcenter.certificates import Authority
from bot.store import embedded
from bot.store.client import connect
from tests.bench.children import child
from tests.bench.figures import Figure, percentile, save, table
from tests.bench.parts.followers import cpu_seconds
from tests.bench.run import FILE
from tests.bench.watch_lines import name_of, wanted_of

NAME: Final = "watch"

HOSTS: Final = 1000
RATE: Final = 20
SECONDS: Final = {"tcp": 40, "udp": 20, "tls": 20}
PEER_SECONDS: Final = 15
SETTLED: Final = timedelta(seconds=3)
MOST_CPU: Final = 10.0
LONGEST_LAG: Final = 500.0

_KEY: Final = re.compile(r"k(\d+)-\d+\.$")


async def measure() -> list[Figure]:
    return await _measured(SECONDS, PEER_SECONDS)


async def _measured(seconds: Mapping[str, int], peer_seconds: int) -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        peers = {which: await _peer(which, peer_seconds, folder) for which in ("noop", "lines")}
        figures = _peers_figures(peers)
        for how, lasting in seconds.items():
            valkey = stack.enter_context(embedded.start(folder / f"valkey-{how}"))
            taken = await _ours(how, lasting, folder, valkey.url)
            figures += _figures(taken, peers["noop"])
        return figures


@dataclass(slots=True)
class Cost:
    """CPU in percent of a core, and memory in MiB."""

    cpu: float
    rss: float


@dataclass(slots=True)
class Taken:
    """What one round gave."""

    how: str
    cost: Cost
    sent: int
    worst_of_sender: float
    counts: Mapping[str, int]
    missed: int = 0
    doubled: int = 0
    disordered: int = 0
    candidates: int = 0
    lags: list[float] = field(default_factory=list)


async def _peer(which: str, seconds: int, folder: Path) -> Cost:
    async with child(
        which, "tests.bench.watch_receivers", which, folder=folder, stdin=asyncio.subprocess.PIPE
    ) as receiver:
        ports = json.loads(await _said(receiver))
        async with _sender("tcp", ports["tcp"], seconds, folder) as sender:
            cost, _ = await _while_sent(receiver, sender)
    return cost


async def _ours(how: str, seconds: int, folder: Path, redis_url: str) -> Taken:
    Authority(folder, name="bench").server_context("127.0.0.1")
    words = ("ours", redis_url, str(folder / "bench-server.pem"), str(HOSTS))
    async with (
        child(
            "receiver", "tests.bench.watch_receivers", *words, folder=folder, stdin=asyncio.subprocess.PIPE
        ) as receiver,
        connect(redis_url) as store,
    ):
        ports = json.loads(await _said(receiver))
        following = asyncio.create_task(_followed(RedisWatchedLines(store)))
        async with _sender(how, ports[how], seconds, folder) as sender:
            cost, (rounds, worst) = await _while_sent(receiver, sender)
            await asyncio.sleep(SETTLED.total_seconds())
        counts = json.loads(await _asked(receiver))
        following.cancel()
        entries = (await asyncio.gather(following, return_exceptions=True))[0]
        await _told(receiver)
    taken = Taken(how, cost, int(rounds) * HOSTS, float(worst), counts)
    _judge(taken, entries, int(rounds))
    return taken


async def _followed(lines: RedisWatchedLines) -> list[Watched]:
    """Everything that comes into the stream, until it is enough."""
    entries: list[Watched] = []
    last = "0-0"
    try:
        while True:
            if some := await lines.read(last, within=timedelta(milliseconds=500), limit=1000):
                entries += some
                last = some[-1].id
    except asyncio.CancelledError:
        return entries


def _judge(taken: Taken, entries: Sequence[Watched], rounds: int) -> None:
    """Compare what arrived with what was said."""
    arrived: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in entries:
        for item in entry.items:
            if isinstance(item, LogLine) and (key := _KEY.search(item.text)):
                arrived[entry.host, entry.log].append(key[0])
                sent_at = datetime.fromisoformat(item.text.partition(" ")[0])
                if "NFC" in item.text:
                    taken.lags.append((entry.at.astimezone(UTC) - sent_at).total_seconds() * 1000)
    for host in range(HOSTS):
        for log, wanted in wanted_of(host, rounds).items():
            got = arrived.get((f"east/{name_of(host)}", log), [])
            taken.candidates += len(wanted)
            taken.missed += len(set(wanted) - set(got))
            taken.doubled += len(got) - len(set(got)) + len(set(got) - set(wanted))
            taken.disordered += got != wanted and set(got) == set(wanted) and len(got) == len(wanted)


@asynccontextmanager
async def _sender(how: str, port: int, seconds: int, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    words = (how, str(port), str(HOSTS), str(RATE), str(seconds))
    async with child(
        f"sender-{how}", "tests.bench.watch_sender", *words, folder=folder, stdin=asyncio.subprocess.PIPE
    ) as sender:
        assert await _said(sender) == "ready"
        await asyncio.sleep(SETTLED.total_seconds() / 2)
        yield sender
        await _told(sender)


async def _while_sent(
    receiver: asyncio.subprocess.Process, sender: asyncio.subprocess.Process
) -> tuple[Cost, Sequence[str]]:
    """What the receiver uses from the first line to the last."""
    before, began = cpu_seconds(receiver.pid), monotonic()
    said = await _asked(sender)
    cpu = 100 * (cpu_seconds(receiver.pid) - before) / (monotonic() - began)
    return Cost(cpu, _memory(receiver.pid)), said.split()


async def _asked(process: asyncio.subprocess.Process) -> str:
    await _told(process)
    return await _said(process)


async def _told(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    await process.stdin.drain()


async def _said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def _peers_figures(peers: Mapping[str, Cost]) -> list[Figure]:
    names = {"noop": "asyncio that only counts bytes", "lines": "a look at each line"}
    return [
        figure
        for which, cost in peers.items()
        for figure in (
            Figure(name=f"{NAME}.{names[which]}.cpu", value=cost.cpu, unit="% of a core"),
            Figure(name=f"{NAME}.{names[which]}.memory", value=cost.rss, unit="MiB"),
        )
    ]


def _figures(taken: Taken, noop: Cost) -> list[Figure]:
    def named(what: str, value: float, unit: str) -> Figure:
        return Figure(name=f"{NAME}.{taken.how}.{what}", value=value, unit=unit)

    print(
        f"{NAME}: {taken.how}: {dict(taken.counts)}, {taken.sent} lines sent, late by {taken.worst_of_sender} s",
        file=sys.stderr,
    )
    cpu = named("cpu", taken.cost.cpu, "% of a core").against("only counting bytes", noop.cpu)
    return [
        cpu.below(MOST_CPU) if taken.how == "tcp" else cpu,
        named("memory", taken.cost.rss, "MiB").against("only counting bytes", noop.rss),
        named("lines", taken.counts["lines"], "lines"),
        named("not counted", taken.sent - taken.counts["lines"] - taken.counts["dropped"], "lines").none(),
        named("dropped by the kernel", taken.counts["dropped"], "datagrams"),
        named("wanted", taken.candidates, "lines"),
        named("missed", taken.missed, "lines").none(),
        named("too often", taken.doubled, "lines").none(),
        named("out of order", taken.disordered, "logs").none(),
        named("lag.p99", percentile(taken.lags, 0.99), "ms").below(LONGEST_LAG),
    ]  # fmt: skip


async def _long_form(minutes: float) -> None:
    figures = await _measured({"tcp": round(60 * minutes), "udp": 60, "tls": 60}, 60)
    save(figures, FILE, keep_others_than=[NAME])
    print(table(figures))


if __name__ == "__main__":
    asyncio.run(_long_form(float(sys.argv[1])))
