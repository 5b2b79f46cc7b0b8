"""What the reading of inputs hands out: members, notes, refusals, and the limits that all of it keeps.

Only types live here; nothing is opened. `Trouble` is the report's own (`verdict.py`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.diagnosis.records import dataclass

_MIB = 1 << 20
_GIB = 1 << 30


class UnreadableError(Exception):
    """This input, or the rest of it, cannot be read; the message is for people."""


class Stream(Protocol):
    """Bytes from front to back, into a buffer of the caller's. Raises UnreadableError, also in the middle.

    What raised once raises the same again: there is no way past damage.
    """

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the front of `buffer` and return how many bytes that are; 0 at the end, and only there."""

    def skip(self, count: int, /) -> None:
        """Go `count` bytes ahead, which must be there."""


@dataclass(frozen=True, slots=True)
class Note:
    """A gap: something that was left out for a good reason, which is told to people."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Member:
    """One text to read: a file, or a file in an archive. Valid until the next one is asked for.

    `named` tells what somebody typed from what was found in a folder or an archive. `modified` is when the text was
    last written, as far as the input says, and None where it does not.
    """

    name: str
    named: bool
    modified: datetime | None
    _stream: Stream

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the front of `buffer`; 0 at the end. UTF-8 without a mark, whatever the file was written in.

        Raises UnreadableError, after everything before the damage was handed out.
        """
        return self._stream.readinto(buffer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is unpacked before it is refused. The defaults suit a person with a terminal and bundles of their own.

    Nothing here bounds a plain file, which costs no more than its own size.
    """

    unpacked: int = 256 * _GIB
    """Bytes that come out of one input, those of inner archives counted again."""
    member: int = 64 * _GIB
    """Bytes that come out of one file in an archive, or of one compressed file."""
    ratio: int = 250
    """Unpacked bytes for each byte of the input, once more than `ratio_from` bytes were unpacked."""
    ratio_from: int = 256 * _MIB
    members: int = 250_000
    """Entries of one input, logs or not."""
    depth: int = 6
    """Archives inside archives; the outermost is the first."""
    name: int = 4096
    """Characters of a name within an archive; what is longer is shown shortened."""
    spool: int = 8 * _GIB
    """Bytes laid down in an anonymous temporary file at a time: an inner zip archive, or the fragments of one file."""
    dictionary: int = 96 * _MIB
    """Memory that an xz file may ask for."""


STRICT = Limits(
    unpacked=2 * _GIB,
    member=_GIB,
    ratio=150,
    ratio_from=32 * _MIB,
    members=20_000,
    depth=4,
    name=512,
    spool=256 * _MIB,
    dictionary=20 * _MIB,
)
"""For files that somebody uploads."""
