"""Where a role's standard output and error go: into a file, or line by line to ours, saying whose line it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Final

Said = Callable[[], str]
"""What a role has said in this life, if it was kept."""

LONGEST_LINE: Final = 2**20
LAST_WORDS: Final = 1.0
"""Seconds that a pipe may stay open after its role ended: a grandchild may hold it."""


@contextlib.asynccontextmanager
async def to_file(path: Path) -> AsyncIterator[tuple[BinaryIO, Said]]:
    """Add to a file; what is new in it is what was said."""
    with path.open("ab") as file:
        begin = file.tell()

        def said() -> str:
            with path.open("rb") as again:
                again.seek(begin)
                return again.read(LONGEST_LINE).decode(errors="replace")

        yield file, said


@contextlib.asynccontextmanager
async def onto_standard_error(name: str) -> AsyncIterator[tuple[BinaryIO, Said]]:
    """Pass every line on as it comes."""
    reading, writing = os.pipe()
    stream = asyncio.StreamReader(limit=LONGEST_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb")
    )
    relay = asyncio.create_task(_relay(stream, name))
    try:
        with os.fdopen(writing, "wb") as file:
            yield file, lambda: ""
        await asyncio.wait([relay], timeout=LAST_WORDS)
    finally:
        relay.cancel()
        transport.close()


async def _relay(stream: asyncio.StreamReader, name: str) -> None:
    while line := await _line(stream):
        sys.stderr.write(labelled(line.decode(errors="replace"), name))
        sys.stderr.flush()


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overlong:
        return await stream.readexactly(overlong.consumed)


def labelled(line: str, name: str) -> str:
    """The line with the role's name: as a field if it is an object of JSON, else in front."""
    if line.startswith('{"'):
        return f'{{"role": "{name}", {line[1:]}'
    return f"{name:6} | {line}"
