"""Older logs are packed: gzip as a stream of pages, bounded in what it may unpack to."""

from __future__ import annotations

import zlib
from typing import Final

from bot.logs.shelf import PAGE, Pages, UnfinishedError

MOST_UNPACKED: Final = 64 * 1024 * 1024
_GZIP: Final = 31


def unpacked(pages: Pages, name: str, *, most: int = MOST_UNPACKED) -> Pages:
    """Unpack page by page. UnfinishedError where it ends too early, is no gzip, or unpacks to more than that."""
    unpacker = zlib.decompressobj(_GZIP)
    waiting, total, begun = b"", 0, False

    async def read() -> bytes:
        nonlocal unpacker, waiting, total, begun
        while True:
            if unpacker.eof:
                waiting, unpacker, begun = unpacker.unused_data, zlib.decompressobj(_GZIP), False
            if not waiting and not (waiting := await pages()):
                if begun:
                    words = f"{name} ends in the middle; what came after that is lost."
                    raise UnfinishedError(words, settles=True)
                return b""
            try:
                page, begun = unpacker.decompress(waiting, PAGE), True
            except zlib.error as error:
                raise UnfinishedError(f"{name} is damaged; what comes after the damage is lost.") from error
            waiting = unpacker.unconsumed_tail
            total += len(page)
            if total > most:
                raise UnfinishedError(f"{name} unpacks to more than {most >> 20} MiB; the rest of it was not read.")
            if page:
                return page

    return read
