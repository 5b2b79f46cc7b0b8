"""A Valkey of the part's own, to be killed and started again on its data; and how soon its clients are back.

Who is back is heard at the server itself (MONITOR), by the names that workers claim jobs with.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.store import embedded
from tests.chaos.fleet import Fleet
from tests.chaos.ring import Ring

BACK_WITHIN: Final = 5.0
_LONGEST_LINE: Final = 2**24


class OwnRedis:
    """One server that keeps its data (AOF, everysec) whatever happens to it. Call it from the main thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = embedded.start(folder)
        self.url = self._server.url

    def kill(self) -> None:
        """SIGKILL; nothing more is written."""
        process = self._server.process
        assert process is not None
        process.kill()
        process.wait()

    def come_back(self) -> float:
        """Start again on what is there. When it answered, by this machine's clock."""
        self._server = embedded.start(self._folder)
        return time.time()

    def set_largest_file(self, size: int | None) -> None:
        """Nothing that it writes may grow beyond this, as on a disk that is full; None lifts that."""
        process = self._server.process
        assert process is not None
        most = resource.RLIM_INFINITY if size is None else size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def stop(self) -> None:
        self._server.stop()


@contextlib.contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    """The server during the block."""
    server = OwnRedis(folder)
    try:
        yield server
    finally:
        server.stop()


async def heard_again(server: str | int, fleet: Fleet, *, since: float, within: float = 4 * BACK_WITHIN) -> list[float]:
    """For each living worker, the seconds until it asked the queue for something. Who stays silent counts `inf`.

    `server` is a URL of a socket, or a port of this machine.
    """
    silent = set(fleet.living)
    back: list[float] = []
    reader, writer = await _dial(server)
    try:
        writer.write(b"MONITOR\r\n")
        async with asyncio.timeout(within):
            while silent:
                line = (await reader.readline()).decode(errors="replace")
                for worker in [one for one in silent if one.is_called(line)]:
                    silent.discard(worker)
                    back.append(time.time() - since)
    except TimeoutError:
        back += [float("inf")] * len(silent)
    finally:
        writer.close()
    return back


async def _dial(server: str | int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(server, int):
        return await asyncio.open_connection("127.0.0.1", server, limit=_LONGEST_LINE)
    return await asyncio.open_unix_connection(server.removeprefix("unix://"), limit=_LONGEST_LINE)


async def really_ended(night: Ring) -> None:
    """Once the record of every order says so: what an event told may have been taken back with a lost server."""
    while True:
        jobs = [await night.queue.get(order.job) for order in list(night.people.orders.values())]
        if all(job is None or job.state.ended for job in jobs):
            return
        await asyncio.sleep(0.2)


def late(back: list[float], whom: str = "a worker") -> list[str]:
    """What there is to say of those who took too long."""
    return [
        f"{whom} was back {seconds:.1f} s after Redis, and {BACK_WITHIN:.0f} s are promised"
        for seconds in back
        if seconds > BACK_WITHIN
    ]
