"""Finds the few lines that matter in a stream of bytes, without parsing the others and in constant memory.

The needles of the whole catalogue are sought in big blocks at once; only a line with a hit is cut out. The lines of the
first block are all handed out, hit or not, so that the reader can say whether it knows the format of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.diagnosis.event import LINE_LIMIT
from bot.diagnosis.patterns import BytePattern

BLOCK = 256 * 1024
_OVERLONG = 4 * LINE_LIMIT  # a longer line without an end is cut, and the rest of it skipped
_TAIL = 4096  # kept of the block before, to find the entry that a continuation belongs to
_OWNER_LINES = 64
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class ByteStream(Protocol):
    """Anything that can be read from front to back."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class Tally:
    """What a scan went through, counted while it runs."""

    bytes: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A line cut out of the stream. `owner` is the entry above that a continuation line belongs to."""

    number: int
    raw: bytes
    hit: bool
    owner: bytes | None = None


def scan(stream: ByteStream, needles: BytePattern, tally: Tally) -> Iterator[Found]:
    """Yield all lines of the first block and, of the rest, those with a needle; `tally` is complete at the end."""
    tail = b""
    for position, block in enumerate(_whole_lines(stream, tally)):
        yield from _every_line(block, needles) if position == 0 else _hits(block, needles, tally.lines, tail)
        tally.lines += block.count(b"\n")
        tail = block[-_TAIL:]


def text_of(raw: bytes) -> str:
    """Return the text of a line; bytes that are not UTF-8 stay visible as escapes."""
    return raw[:LINE_LIMIT].rstrip(b"\r\n").decode("utf-8", "backslashreplace")


def is_continuation(raw: bytes) -> bool:
    """Tell whether a line continues the entry above: an arrow, alone or behind a header with time and process."""
    head = raw[:160]
    return head.lstrip().startswith(b"-->") or b"]: -->" in head


def _whole_lines(stream: ByteStream, tally: Tally) -> Iterator[bytes]:
    """Yield blocks that end with a newline, without NULs: a crash leaves those in a log, UTF-16 between letters."""
    carry = b""
    skipping = False
    while raw := stream.read(BLOCK):
        chunk = raw.replace(b"\0", b"") if tally.bytes else _without_mark(raw).replace(b"\0", b"")
        tally.bytes += len(raw)
        if skipping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            chunk, skipping = chunk[end:], False
        carry += chunk
        cut = carry.rfind(b"\n") + 1
        if cut:
            yield carry[:cut]
            carry = carry[cut:]
        if len(carry) > _OVERLONG:
            carry, skipping = carry[:LINE_LIMIT], True
    if carry:
        yield carry + b"\n"


def _without_mark(start: bytes) -> bytes:
    return next((start.removeprefix(mark) for mark in _BYTE_ORDER_MARKS if start.startswith(mark)), start)


def _every_line(block: bytes, needles: BytePattern) -> Iterator[Found]:
    owner: bytes | None = None
    for number, line in enumerate(block.split(b"\n")[:-1], 1):
        raw = line[:LINE_LIMIT]
        continues = is_continuation(raw)
        yield Found(number, raw, needles.search(raw) is not None, owner if continues else None)
        owner = owner if continues else raw


def _hits(block: bytes, needles: BytePattern, before: int, tail: bytes) -> Iterator[Found]:
    position = counted = 0
    number = before
    while hit := needles.search(block, position):
        start = block.rfind(b"\n", 0, hit.start()) + 1
        position = block.find(b"\n", hit.start()) + 1
        number += block.count(b"\n", counted, start)
        counted = start
        raw = block[start : min(position - 1, start + LINE_LIMIT)]
        yield Found(number + 1, raw, hit=True, owner=_owner(tail, block, start) if is_continuation(raw) else None)


def _owner(tail: bytes, block: bytes, start: int) -> bytes | None:
    above = (tail + block[max(0, start - _TAIL) : start] if start < _TAIL else block[start - _TAIL : start]).split(
        b"\n"
    )[1:-1]
    return next((line for line in reversed(above[-_OWNER_LINES:]) if not is_continuation(line)), None)
