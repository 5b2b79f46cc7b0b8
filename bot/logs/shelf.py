"""A log as its host keeps it: the file that grows and the older ones, newest first; and the one way through them.

What is promised, whichever way the bytes come: every line is delivered once and in order, over breaks, restarts and any
number of rotations, as long as the host still has the file that was read last. Where it does not, that is told as a
gap and reading goes on at the start of the current file. A file is known again by what stands before the place in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from datetime import timedelta
from typing import Final, Protocol

from bot.errors import OutsideError
from bot.hostlog.cursor import Line
from bot.logs.place import LineCutter, Place
from bot.logs.port import Batch

PAGE: Final = 64 * 1024
OLDEST: Final = 16
LATELY: Final = 4 * 1024 * 1024
SETTLE: Final = timedelta(seconds=1)
_TRIES: Final = 4
_TELLING: Final = 24
LOST: Final = "the log was rotated, and the file that was read last is not there any more"
OTHER_WAY: Final = "the log was read in another way until now; it is read from its end on"
CUT: Final = "the log was cut while it was read; what was written just before that may be missing"

Pages = Callable[[], Awaitable[bytes]]
"""The next bytes, at most a page; empty at the end of what there is now."""


class GoneError(OutsideError):
    """There is no such file."""

    def __init__(self, message: str) -> None:
        super().__init__(message, transient=True)


class UnfinishedError(OutsideError):
    """A packed file ends too early. `settles`: it may be whole in a moment, because it is being packed just now."""

    def __init__(self, message: str, *, settles: bool = False) -> None:
        super().__init__(message, transient=settles)
        self.settles = settles


class Shelf(Protocol):
    """One log on one host. Failures are OutsideErrors whose text an operator can act on."""

    async def size(self) -> int:
        """How many bytes the current file has now. GoneError."""
        ...

    async def older(self) -> int:
        """How many older files there are."""
        ...

    def open(self, age: int, start: int) -> AbstractAsyncContextManager[Pages]:
        """Read the file of that age, 0 for the current one, from `start` on. GoneError; UnfinishedError."""
        ...


class Reader:
    """Goes through a shelf from a cursor on, and keeps its place over failures.

    An empty cursor is the end of the current file; so is one of another kind of source, and then a gap is told.
    """

    def __init__(self, shelf: Shelf, cursor: str = "", *, settle: timedelta = SETTLE) -> None:
        place = Place.from_cursor(cursor)
        self._shelf = shelf
        self._cutter = None if place is None else LineCutter(place)
        self._other_way = OTHER_WAY if cursor else ""
        self._settle = settle.total_seconds()
        self._waited = 0

    @property
    def cutter(self) -> LineCutter:
        """For who reads on from here by itself."""
        if self._cutter is None:
            self._cutter = LineCutter(Place())
        return self._cutter

    def batch(self, lines: list[Line], gap: str = "") -> Batch:
        """What was read up to here."""
        return Batch(lines, self.cutter.place.to_cursor(), gap, read=len(lines))

    async def catch_up(self) -> AsyncGenerator[Batch, None]:
        """Deliver all there is now. GoneError when there is no file at all."""
        if self._cutter is None:
            self._cutter = LineCutter(await self._end())
            yield self.batch([], self._other_way)
        age = -1
        while age:
            async with AsyncExitStack() as stack:
                age, rest = await self._find(stack)
                if rest is None:
                    yield await self._lose()
                    continue
                async for batch in self._older_rest(rest) if age else self._deliver(rest):
                    yield batch
            if age and self._settling:
                await asyncio.sleep(self._settle)
            elif age:
                moved = False
                async with aclosing(self._move_on(age)) as batches:
                    async for batch in batches:
                        moved = True
                        yield batch
                if not moved:
                    return

    async def _end(self) -> Place:
        """The place behind the last whole line of the current file; the start of one that is still to come."""
        try:
            size = await self._shelf.size()
        except GoneError:
            return Place()
        start = max(0, size - PAGE)
        cutter = LineCutter(Place(start))
        async with self._shelf.open(0, start) as pages:
            while page := await pages():
                cutter.take(page)
        return Place(cutter.place.offset, cutter.place.mark)

    async def _find(self, stack: AsyncExitStack) -> tuple[int, Pages | None]:
        """Find the file that was read last, and return its age and what comes behind the place.

        While a host rotates, the file may have no name for a moment, or be packed just now.
        """
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(self._settle)
            if (rest := await self._resume(stack, 0)) is not None:
                return 0, rest
            for age in range(1, min(OLDEST, await self._shelf.older()) + 1):
                if (rest := await self._resume(stack, age)) is not None:
                    return age, rest
        return -1, None

    async def _resume(self, stack: AsyncExitStack, age: int) -> Pages | None:
        """Open a file behind the place, if it is the one that was read."""
        place = self.cutter.place
        async with AsyncExitStack() as attempt:
            rest = await self._behind_mark(attempt, age, place)
            if rest is not None:
                self.cutter.forget()
                stack.push_async_exit(attempt.pop_all())
        return rest

    async def _behind_mark(self, stack: AsyncExitStack, age: int, place: Place) -> Pages | None:
        try:
            pages = await stack.enter_async_context(self._shelf.open(age, place.start))
            begin = await _at_least(pages, len(place.mark))
        except UnfinishedError:
            return None
        except GoneError:
            if age or place.mark:
                return None
            raise
        return _first(begin[len(place.mark) :], pages) if begin.startswith(place.mark) else None

    async def _move_on(self, age: int) -> AsyncGenerator[Batch, None]:
        """Deliver the file after the one of that age, and before it what was written to the older one meanwhile.

        Only if the older one has its age before and after the newer one is opened, the newer one is what follows it.
        Nothing is yielded where nothing stands in the newer one yet.
        """
        async with AsyncExitStack() as stack:
            newer = await self._begun(stack, age)
            if newer is None:
                return
            rest = await self._resume(stack, age)
            if rest is None:
                yield self.batch([])
                return
            async for batch in self._older_rest(rest):
                yield batch
            if self._settling:
                yield self.batch([])
                return
            async for batch in self._begin_file(newer):
                yield batch

    async def _begin_file(self, pages: Pages) -> AsyncIterator[Batch]:
        """Deliver a file from its start. Until a whole line of it has come, the place stays at the end of the last one.

        What that one ended with is a line, whole or not.
        """
        if last := self.cutter.finish():
            yield self.batch(last)
        self._waited = 0
        cutter = LineCutter(self.cutter.place.at_start())
        while page := await pages():
            if lines := cutter.take(page):
                self._cutter = cutter
                yield self.batch(lines)

    async def _begun(self, stack: AsyncExitStack, age: int) -> Pages | None:
        """Open the next newer file from its start. One that was put aside with nothing in it is passed over."""
        for newer in range(age - 1, -1, -1):
            async with AsyncExitStack() as attempt:
                try:
                    pages = await attempt.enter_async_context(self._shelf.open(newer, 0))
                    begin = await pages()
                except GoneError:
                    return None
                if begin:
                    stack.push_async_exit(attempt.pop_all())
                    return _first(begin, pages)
        return None

    async def _older_rest(self, pages: Pages) -> AsyncIterator[Batch]:
        """Deliver the rest of an older file. One that ends too early is tried again, a few times."""
        try:
            async for batch in self._deliver(pages):
                yield batch
            self._waited = 0
        except UnfinishedError as error:
            given_up = self._waited >= _TRIES
            self._waited = self._waited + 1 if error.settles else _TRIES
            if self._waited >= _TRIES and not given_up:
                yield self.batch([], str(error))

    @property
    def _settling(self) -> bool:
        return 0 < self._waited < _TRIES

    async def _deliver(self, pages: Pages) -> AsyncIterator[Batch]:
        while page := await pages():
            if lines := self.cutter.take(page):
                yield self.batch(lines)

    async def _lose(self) -> Batch:
        """Give up the place: behind its last line if that stands in the current file, else to the start of that."""
        place = await self._place_by_last_line()
        self._cutter = LineCutter(place or self.cutter.place.at_start())
        return self.batch([], CUT if place else LOST)

    async def _place_by_last_line(self) -> Place | None:
        line, number = self.cutter.place.last_line, self.cutter.place.number
        if len(line) < _TELLING:
            return None
        seen, before = b"", 0
        async with self._shelf.open(0, 0) as pages:
            while page := await pages():
                seen += page
                if (at := seen.find(line)) >= 0:
                    return Place(before + at + len(line), line, number)
                before, seen = before + max(0, len(seen) - len(line)), seen[-len(line) :]
        return None


async def read_lately(shelf: Shelf, *, most: int = LATELY) -> AsyncIterator[Batch]:
    """Deliver about the last `most` bytes that were written, whenever that was; who asks looks at the lines' times."""
    size = await shelf.size()
    if size < most and await shelf.older():
        lines = await _end_of_older(shelf, most - size)
        yield Batch(lines, "", read=len(lines))
    start = max(0, size - most)
    cutter = LineCutter(Place(start))
    first = start > 0
    async with shelf.open(0, start) as pages:
        while page := await pages():
            lines = cutter.take(page)[1 if first else 0 :]
            first = first and not lines
            yield Batch(lines, cutter.place.to_cursor(), read=len(lines))


async def _end_of_older(shelf: Shelf, most: int) -> list[Line]:
    kept, before = b"", 0
    try:
        async with shelf.open(1, 0) as pages:
            while page := await pages():
                before += max(0, len(kept) + len(page) - most)
                kept = (kept + page)[-most:]
    except (GoneError, UnfinishedError):
        return []
    cutter = LineCutter(Place())
    lines = [*cutter.take(kept), *cutter.finish()]
    return lines[1:] if before else lines


async def _at_least(pages: Pages, count: int) -> bytes:
    """Read so much, less only at the end."""
    seen = b""
    while len(seen) < count and (page := await pages()):
        seen += page
    return seen


def _first(begin: bytes, pages: Pages) -> Pages:
    """What was read ahead, then the rest."""
    ahead = [begin] if begin else []

    async def read() -> bytes:
        return ahead.pop() if ahead else await pages()

    return read


def skipping(pages: Pages, count: int) -> Pages:
    """Leave out the first `count` bytes."""
    left = count

    async def read() -> bytes:
        nonlocal left
        while page := await pages():
            passed = min(left, len(page))
            left -= passed
            if passed < len(page):
                return page[passed:]
        return b""

    return read
