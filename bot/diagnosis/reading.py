"""Reads units: their members one after the other, scanned for lines that may matter; several files at once if it pays.

Nothing is understood here. What comes out is in the order of the units, whoever read it, and takes little memory
however large the units are: a child that is ahead of its turn waits until its pipe is emptied.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from bot.diagnosis.inputs.member import Limits, Member, Note, UnreadableError
from bot.diagnosis.inputs.opening import members
from bot.diagnosis.inputs.unit import Unit
from bot.diagnosis.needles import Needles
from bot.diagnosis.records import dataclass
from bot.diagnosis.scan import ByteStream, Found, Tally, scan
from bot.diagnosis.verdict import Trouble

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

WORTH_A_PROCESS = 2 << 20  # bytes of input; reading less takes no longer than starting somebody to read it
WORTH_A_THREAD = 1 << 20
_PACKED = (".gz", ".tgz", ".xz", ".txz", ".bz2", ".zip", ".zst")
_BATCH = 256
_TICK = 2 << 20  # bytes between two words of how far it is


@dataclass(frozen=True, slots=True)
class Opened:
    """A member begins; the lines that follow are its own."""

    name: str
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The member ended."""

    tally: Tally


@dataclass(frozen=True, slots=True)
class Read:
    """So many more bytes of the inputs were read."""

    bytes: int


Item: TypeAlias = Opened | Found | Closed | Read | Trouble | Note


def read(
    units: Sequence[Unit], needles: Needles, *, processes: int | None = None, stdin: BinaryIO | None, limits: Limits
) -> Iterator[Item]:
    """Yield what the units hold. Raises nothing of its own: what cannot be read is a Trouble.

    `processes` bounds how many units are read at a time, one for each core by default. Only a program of one thread on
    Linux is doubled; elsewhere, and for few bytes, this process reads by itself, with a thread that unpacks ahead of it
    unless `processes` is 1.
    """
    most = processes or os.cpu_count() or 1
    portions = _portions(units)
    if most == 1 or len(portions) == 1 or not _can_double():
        for unit in units:
            yield from _unit(unit, needles, stdin, limits, ahead=most > 1 and unit.size > WORTH_A_THREAD)
    else:
        yield from _side_by_side(portions, needles, min(most, len(portions)), limits)


def _can_double() -> bool:
    import threading  # noqa: PLC0415 - a single log needs no thread

    return sys.platform == "linux" and threading.active_count() == 1


def _portions(units: Sequence[Unit]) -> list[list[Unit]]:
    """Return the units in portions that are worth a process each; all in one where standard input is among them."""
    portions: list[list[Unit]] = [[]]
    size = 0
    for unit in units:
        if size >= WORTH_A_PROCESS:
            portions.append([])
            size = 0
        portions[-1].append(unit)
        size += unit.size
    return portions if all(unit.path for unit in units) else [list(units)]


def _unit(
    unit: Unit, needles: Needles, stdin: BinaryIO | None, limits: Limits, *, ahead: bool = False
) -> Iterator[Item]:
    ahead = ahead and unit.name.lower().endswith(_PACKED)  # a plain file is read faster than handed over
    told = 0
    for item in members(unit, stdin=stdin, limits=limits):
        if not isinstance(item, Member):
            yield item
            continue
        for part in _member(item, needles, ahead=ahead):
            if isinstance(part, Read):
                part = Read(max(0, min(part.bytes, unit.size - told)))  # noqa: PLW2901 - unpacked, it is more
                told += part.bytes
            yield part
    yield Read(unit.size - told)


def _member(member: Member, needles: Needles, *, ahead: bool) -> Iterator[Item]:
    tally = Tally()
    told = 0
    yield Opened(member.name, member.modified)
    try:
        with _stream(member, ahead=ahead) as stream:
            for found in scan(stream, needles, tally):
                yield found
                if tally.bytes - told >= _TICK:
                    yield Read(tally.bytes - told)
                    told = tally.bytes
    except UnreadableError as refusal:
        yield Trouble(member.name, str(refusal))
    yield Closed(tally)


def _stream(member: Member, *, ahead: bool) -> AbstractContextManager[ByteStream]:
    if not ahead:
        return nullcontext(member)
    from bot.diagnosis.ahead import ahead_of  # noqa: PLC0415 - a small log needs no thread

    return ahead_of(member)


def _side_by_side(portions: Sequence[list[Unit]], needles: Needles, most: int, limits: Limits) -> Iterator[Item]:
    needles.prepare()  # once, before the process is doubled
    waiting = list(reversed(portions))
    running: list[_Child] = []
    try:
        while waiting or running:
            while waiting and len(running) < most:
                running.append(_Child(waiting.pop(), needles, limits, heard=[child.pipe for child in running]))
            yield from running[0].items()
            running.pop(0)
    finally:
        for child in running:
            child.end()


class _Child:
    """A copy of this process that reads a portion and sends what it finds."""

    def __init__(self, portion: list[Unit], needles: Needles, limits: Limits, *, heard: list[Connection]) -> None:
        import multiprocessing  # noqa: PLC0415 - a single log needs none of it

        context = multiprocessing.get_context("fork")
        self._portion = portion
        self.pipe, sending = context.Pipe(duplex=False)
        work = (portion, needles, limits, sending, [*heard, self.pipe])
        self._process: ForkProcess = context.Process(target=_send, args=work, daemon=True)
        self._process.start()
        sending.close()

    def items(self) -> Iterator[Item]:
        """Yield what the child sends, to the end; a Trouble if it died before."""
        try:
            while batch := self.pipe.recv():
                yield from batch
        except (EOFError, OSError):
            names = self._portion[0].name if len(self._portion) == 1 else f"{self._portion[0].name} and its neighbours"
            yield Trouble(names, "the process that read this was ended from outside; not all of it was read")
        finally:
            self.end()

    def end(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()


def _send(portion: list[Unit], needles: Needles, limits: Limits, pipe: Connection, foreign: list[Connection]) -> None:
    """Run in the child: read, and send in batches; an empty one is the end. A parent that is gone is no news."""
    import signal  # noqa: PLC0415 - only children need it

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its children
    for other in foreign:
        other.close()
    batch: list[Item] = []
    try:
        for unit in portion:
            for item in _unit(unit, needles, None, limits):
                batch.append(item)
                if len(batch) >= _BATCH or isinstance(item, Read):
                    pipe.send(batch)
                    batch = []
        pipe.send(batch)
        if batch:
            pipe.send([])
    except BrokenPipeError:
        return
