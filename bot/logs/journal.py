"""What the fleet knows of each host log, in Redis: who reads it, how far, and what was found. Scripts decide.

A reader is elected by a lease and proves its right with an epoch: once somebody else was elected, nothing it still
sends is taken. So lines come once and in order, whoever dies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from time import monotonic
from typing import Final

from bot.hostlog.candidates import Vicinity
from bot.hostlog.cursor import Cursor, Line
from bot.hostlog.line import HostKey
from bot.store.client import Store
from bot.store.scripts import Argument, Script, load

LINE: Final = "line"
GAP: Final = "gap"
LONGEST_TEXT: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class LogName:
    """One log of one host of one vCenter."""

    host: HostKey
    log: str

    @property
    def vcenter(self) -> str:
        return self.host.partition("/")[0]

    @property
    def host_name(self) -> str:
        return self.host.partition("/")[2]

    @property
    def arguments(self) -> tuple[str, str, str]:
        return self.vcenter, self.host_name, self.log


@dataclass(frozen=True, slots=True)
class Standing:
    """How a log stands for one who wants it. `last_id` is where its stream ends; `skew` tests alone make non-zero.

    `placed`: there is a place to go on from. `every` is the time between its last two looks.
    """

    stands: bool
    blind: str
    blind_for: timedelta
    last_id: str
    skew: timedelta
    placed: bool
    every: timedelta


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on. `cursor` is None when the end of the log has yet to be sought."""

    cursor: Cursor | None
    vicinity: Vicinity
    blind: str = ""


@dataclass(frozen=True, slots=True)
class Elected:
    epoch: str
    place: Place


class Denied(StrEnum):
    UNWANTED = "unwanted"  # nobody reads this log any more
    HELD = "held"  # somebody else reads it for everybody
    YIELDED = "yielded"  # it was left to somebody who reads fewer logs


class Want(StrEnum):
    """How somebody comes to want a log. RESUME: the watch, which goes on where it was unless that is too long ago."""

    OPEN = "open"
    RESUME = "resume"
    STAY = "stay"


class Verdict(StrEnum):
    GO_ON = "go on"
    AT_LEISURE = "at leisure"  # nobody is in a hurry for it
    YIELD = "yield"  # another process reads fewer logs and would take this one
    UNWANTED = "unwanted"
    FENCED = "fenced"


class Ration:
    """An eighth of what a process reads may be moved in a while, and one log always."""

    def __init__(self, span: timedelta) -> None:
        self._span = span.total_seconds()
        self._begun = 0.0
        self._taken = 0

    def left(self, of: int) -> bool:
        now = monotonic()
        if now - self._begun > self._span:
            self._begun, self._taken = now, 0
        return self._taken < max(1, of // 8)

    def take(self) -> None:
        self._taken += 1


class Journal:
    """The scripts as methods. UnreachableError when Redis does not answer."""

    def __init__(self, store: Store, *, owner: str, lease: timedelta, wanted: timedelta, kept: int) -> None:
        self._store = store
        self._owner = owner
        self._lease = lease
        self._wanted = wanted
        self._kept = kept
        self._reading = 0
        self._yields = Ration(lease / 2)

    async def want(self, log: LogName, mode: Want, *, hurry: bool = True) -> Standing:
        """Say that somebody here reads this log; in a `hurry`: not only for the watch."""
        hurried = self._wanted if hurry else timedelta(0)
        answer = await _WANT(self._store, *log.arguments, self._wanted, mode, hurried, repeatable=True, together=True)
        stands, blind, blind_for, last_id, skew, placed, every = answer
        spans = (timedelta(milliseconds=int(span)) for span in (blind_for, skew, every))
        blind_span, skew_span, every_span = spans
        return Standing(bool(stands), blind, blind_span, last_id, skew_span, bool(placed), every_span)

    async def elect(self, log: LogName) -> Elected | Denied:
        """Ask for the right to read this log for everybody."""
        words = (*log.arguments, self._owner, self._lease, self._reading)
        answer: list[str] = await _ELECT(self._store, *words, repeatable=True)
        if answer[0] != "elected":
            return Denied(answer[0])
        self._reading += 1
        _, epoch, following, mark, near, blind = answer
        if not following:
            return Elected(epoch, Place(None, Vicinity(), blind))
        return Elected(epoch, Place(_cursor(following, mark), Vicinity.from_json(near), blind))

    async def deliver(
        self,
        log: LogName,
        epoch: str,
        place: Place,
        *,
        lines: Iterable[Line] = (),
        gap: str = "",
        every: timedelta = timedelta(0),
        may_yield: bool = False,
    ) -> Verdict:
        """Write what was read, with the place after it. Not repeatable: the lines would come twice.

        `every` is the time since the look before, where this is one. `may_yield`: the answer may be YIELD, and no more
        often than readers can be moved without haste.
        """
        entries: list[str | int] = [word for line in lines for word in (LINE, line.number, line.text[:LONGEST_TEXT])]
        told: list[str | int] = [GAP, 0, gap] if gap else []
        where = _where(place)
        mine = self._reading if may_yield and self._yields.left(self._reading) else 0
        words: list[Argument] = [*log.arguments, epoch, self._lease, self._kept, *where, place.blind, every, mine]
        verdict = Verdict(await _DELIVER(self._store, *words, *told, *entries))
        if verdict is Verdict.YIELD:
            self._yields.take()
        return verdict

    async def release(self, log: LogName, epoch: str) -> None:
        """Give the right back. To be called once for each election, however it ended."""
        self._reading -= 1
        await _RELEASE(self._store, *log.arguments, epoch, repeatable=True)


def _where(place: Place) -> Sequence[str]:
    if place.cursor is None:
        return "", "", ""
    mark = "" if place.cursor.mark is None else f"={place.cursor.mark}"  # no mark and an empty line must differ
    return str(place.cursor.next), mark, place.vicinity.to_json()


def _cursor(following: str, mark: str) -> Cursor:
    return Cursor(int(following), mark.removeprefix("=") if mark else None)


def _script(name: str) -> Script:
    return load("bot.logs", f"scripts/{name}", libraries=("scripts/log",))


_WANT: Final = _script("want")
_ELECT: Final = _script("elect")
_DELIVER: Final = _script("deliver")
_RELEASE: Final = _script("release")
