"""A wire of some length: what a TCP server would be at the end of a WAN. It delays and does nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

CHUNK = 2**16


@asynccontextmanager
async def far_away(port: int, round_trip: timedelta) -> AsyncIterator[int]:
    """A loopback port that leads to another one, each way in half of the round trip."""
    wires: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = [
            asyncio.create_task(_delayed(source, sink, round_trip / 2))
            for source, sink in ((reader, back), (there, writer))
        ]
        wires.update(ways)
        with suppress(asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way, sink in zip(ways, (back, writer), strict=True):
            way.cancel()
            wires.discard(way)
            sink.close()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for wire in wires:
            wire.cancel()


async def _delayed(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: timedelta) -> None:
    """Pass on what comes, in order, each piece so long after it came; until one of both ends is closed."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def hand_out() -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                return
            sink.write(piece)

    async with asyncio.TaskGroup() as group:
        group.create_task(hand_out())
        piece = b"begun"
        while piece:
            piece = await _read(source)
            pieces.put_nowait((loop.time() + delay.total_seconds(), piece))


async def _read(source: asyncio.StreamReader) -> bytes:
    try:
        return await source.read(CHUNK)
    except OSError:
        return b""
