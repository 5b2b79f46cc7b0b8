"""The judge of the watch: reads what all hosts complain of, says what belongs together, and has it told once.

One process of the fleet judges at a time. What it found is kept together with how far it read, under its epoch, before
anything of it is shown; all that it shows may be shown again. So whoever takes over goes on, and nothing comes twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from bot.diagnosis.engine import Engine
from bot.diagnosis.event import SourceLine
from bot.errors import OutsideError
from bot.hostlog.roll import Roll
from bot.incidents.failures import failure_of
from bot.incidents.grouping import GroupingRules, judge, silent
from bot.incidents.incident import Case, Change, Client, Failure, IncidentId
from bot.incidents.port import Incidents
from bot.logs.port import Watched, WatchedLines
from bot.operations.watch_digest import DailyDigest
from bot.operations.watch_memory import SPAN, WatchMemory
from bot.operations.watch_outcomes import Outcomes
from bot.operations.watch_speak import Speaker

TURN: Final = timedelta(seconds=1)
"""How long it waits for lines before it looks at what time alone changes: mutes, quiet hours, silence."""

BREATH: Final = timedelta(milliseconds=200)
"""Between two judgements: what many hosts say at once is judged at once."""

MOST_JUDGED: Final = 2_000
"""Failures that are remembered as they were judged last; one that is forgotten may be judged again harmlessly."""

_BEGINNING: Final = "0-0"
_UNJUDGED: Final = (
    "Judging is so far behind that lines of hosts from before %s were dropped unread: failures of that time may have "
    "no message. 'coldmigrate diagnose' on the hosts' own logs finds them."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTools:
    """What a judge is given. `now` tells the time by Redis' clock, as all stamps here do."""

    lines: WatchedLines
    incidents: Incidents
    engine: Engine
    roll: Callable[[], Roll]
    outcomes: Callable[[], Outcomes]
    speaker: Speaker
    digest: DailyDigest | None
    new_id: Callable[[], str]
    knows_job: Callable[[str], Awaitable[bool]]
    now: Callable[[], Awaitable[datetime]]
    rules: GroupingRules = field(default_factory=GroupingRules)
    resolve_after: timedelta = timedelta(hours=1)
    breath: timedelta = BREATH


class Judge:
    """One term of office. `serve` is what a `Turn` runs."""

    def __init__(self, tools: JudgeTools, epoch: str) -> None:
        self._tools = tools
        self._epoch = epoch
        self._memory = WatchMemory()
        self._outcomes = tools.outcomes()
        self._judged: dict[str, Failure] = {}
        """The failures as they were judged last."""
        self._kept = ""
        """Up to which entry everything is kept."""

    async def serve(self) -> None:
        """Until somebody else judges. OutsideError when Redis is away."""
        try:
            after: str | None = await self._begin()
            while after is not None:
                after = await self._take(after)
                await asyncio.sleep(self._tools.breath.total_seconds())
        finally:
            await self._outcomes.close()

    async def _begin(self) -> str:
        """Take up where the last judge left off. The very first one begins with what came before it could."""
        after = self._kept = await self._tools.incidents.begin(self._epoch)
        if not after:
            return _BEGINNING
        known = await self._tools.lines.since(await self._tools.now() - SPAN, until=after)
        self._memory.take(known)
        await self._recall(self._memory.everything())
        await self._speak(anew=True)
        return after

    async def _recall(self, lines: Sequence[SourceLine]) -> None:
        """What these tell was judged and counted, though a large incident names it no more; vCenter may know more."""
        now = await self._tools.now()
        try:
            for failure in await self._failures(lines, now):
                self._note(failure)
        except Exception:
            log.exception("Some lines that were judged cannot be recalled.")

    async def _take(self, after: str) -> str | None:
        """Judge what came after that entry, and what time changed. None: another judge has taken over."""
        entries = await self._read(after)
        touched = self._memory.take(entries)
        read = entries[-1].id if entries else after
        if entries and after != _BEGINNING and not await self._tools.lines.keeps(after):
            log.error(_UNJUDGED, entries[0].at)
        if not await self._judge_all(read, touched):
            return None
        await self._speak()
        return read

    async def _read(self, after: str) -> Sequence[Watched]:
        """Wait for lines, or for the news of how an operation ended."""
        reading = asyncio.ensure_future(self._tools.lines.read(after, within=TURN))
        told = asyncio.ensure_future(self._outcomes.told.wait())
        try:
            await asyncio.wait({reading, told}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else ()
        finally:
            for waiting in (reading, told):
                waiting.cancel()
            await asyncio.gather(reading, told, return_exceptions=True)

    async def _judge_all(self, after: str, touched: Sequence[SourceLine]) -> bool:
        """Judge these lines; by a defect of ours no more is lost than the lines of the hosts that show it."""
        try:
            return await self._judge(after, touched)
        except OutsideError:
            raise
        except Exception:
            log.exception("Some lines cannot be judged; those of each host are tried by themselves.")
        for host, lines in groupby(sorted(touched, key=_host), key=_host):
            try:
                if not await self._judge(self._kept, list(lines)):
                    return False
            except OutsideError:
                raise
            except Exception:
                log.exception("Lines of %s cannot be judged and are left out.", host)
        return await self._judge(after, ())

    async def _judge(self, after: str, touched: Sequence[SourceLine]) -> bool:
        now = await self._tools.now()
        found = [*self._outcomes.found(self._tools.roll()), *await self._failures(touched, now)]
        whole = [await self._rightly_ours(failure) for failure in map(self._whole, found)]
        fresh = [failure for failure in whole if self._is_news(failure)]
        changes = self._changes(fresh, await self._tools.incidents.live(), now)
        if changes or after != self._kept:  # else that the turn was lost is noticed by the turn
            if not await self._tools.incidents.commit(self._epoch, after=after, changes=changes):
                return False
            self._kept = after
        for failure in fresh:
            self._note(failure)
        for old in list(self._judged)[:-MOST_JUDGED]:
            del self._judged[old]
        return True

    def _note(self, failure: Failure) -> None:
        self._judged.pop(failure.id, None)
        self._judged[failure.id] = failure  # the last is the newest
        self._outcomes.ask(failure)

    async def _rightly_ours(self, failure: Failure) -> Failure:
        """An opID in our form whose job nobody here knows is another installation's, or borrowed: it is told."""
        if failure.client is not Client.OURS or (failure.job and await self._tools.knows_job(failure.job)):
            return failure
        return replace(failure, client=Client.MIGRATION, job=None)

    async def _failures(self, lines: Sequence[SourceLine], now: datetime) -> list[Failure]:
        """On a thread: a storm's lines take a while, and those who listen to hosts must not wait for that."""
        if not lines:
            return []
        return await asyncio.to_thread(self._diagnose, lines, now)

    def _diagnose(self, lines: Sequence[SourceLine], now: datetime) -> list[Failure]:
        roll = self._tools.roll()
        report = self._tools.engine.diagnose_lines(lines)
        found = (failure_of(incident, roll=roll, now=now) for incident in report.incidents)
        return [self._outcomes.with_known(failure, roll) for failure in found]

    def _whole(self, failure: Failure) -> Failure:
        """The failure by all the lines that were judged, with what vCenter said of it meanwhile.

        Some lines may be forgotten by now, or came while vCenter was asked; and who saw both ends knows more.
        """
        before = self._judged.get(failure.id)
        if before is None or failure.lines >= before.lines:
            return failure
        return self._outcomes.with_known(before, self._tools.roll())

    def _is_news(self, failure: Failure) -> bool:
        """Whether more is known of it than was judged."""
        before = self._judged.get(failure.id)
        if before is None or failure.lines > before.lines:
            return True
        return (failure.failed, failure.vm, failure.link) != (before.failed, before.vm, before.link)

    def _changes(self, failures: Sequence[Failure], cases: Sequence[Case], now: datetime) -> Sequence[Change]:
        found = judge(failures, cases, now=now, rules=self._tools.rules, new_id=self._new_id) if failures else []
        touched = {change.incident.id for change in found}
        rest = [case for case in cases if case.incident.id not in touched]
        return [*found, *silent(rest, now=now, after=self._tools.resolve_after)]

    async def _speak(self, *, anew: bool = False) -> None:
        now = await self._tools.now()
        await self._tools.speaker.speak(await self._tools.incidents.live(), now=now, anew=anew)
        if self._tools.digest is not None:
            await self._tools.digest.post_if_due(now)

    def _new_id(self) -> IncidentId:
        return IncidentId(self._tools.new_id())


def _host(line: SourceLine) -> str:
    return line.host or ""


async def judge_on(tools: JudgeTools, epoch: str) -> None:
    """What a `Turn` is given: judge as long as it lasts."""
    log.info("This watcher judges now.")
    try:
        await Judge(tools, epoch).serve()
    except OutsideError as error:
        log.warning("Host logs are not judged at the moment: %s", error)
        raise
