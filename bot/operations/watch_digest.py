"""Once a day: what the watch saw, in one message. Whoever judges at that time says it; said twice it is one message."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from bot.errors import OutsideError
from bot.hostlog.line import Gap
from bot.incidents.digest import COLUMNS, Digest, digest
from bot.incidents.policy import Loudness
from bot.incidents.port import AlertPlace, Incidents
from bot.logs.port import WatchedLines
from bot.migration.calendar import moment_of
from bot.migration.request import JobId
from bot.operations.alert_card import host_name, title_of
from bot.slack.port import AlertCard, AlertLook, Outbox

DAY: Final = timedelta(days=1)
LATE: Final = timedelta(hours=12)
"""A digest that nobody could post for so long is not posted any more: the next one is near."""

_MOST_HOSTS: Final = 5
_A_MOMENT: Final = timedelta(microseconds=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTools:
    """What a digest needs. `at` is its time of day in `zone`; `place` where the config has alerts go."""

    incidents: Incidents
    outbox: Outbox
    lines: WatchedLines
    place: AlertPlace
    loudness: Loudness
    at: time
    zone: tzinfo


class DailyDigest:
    """Remembers which day it has posted; nothing is lost with that."""

    def __init__(self, tools: DigestTools) -> None:
        self._tools = tools
        self._posted: datetime | None = None

    async def post_if_due(self, now: datetime) -> None:
        """Post the digest of the day that ended at the last digest time, unless this process has."""
        due = last_due(now, self._tools.at, self._tools.zone)
        if due == self._posted or now - due > LATE:
            return
        place = await self._tools.incidents.place() or self._tools.place
        if place.channel:
            await self._post(place.channel, due)
        self._posted = due

    async def _post(self, channel: str, due: datetime) -> None:
        try:
            await self._tools.outbox.show_alert(await self._card(channel, due))
            log.info("The digest of the day until %s is posted in %s.", due, channel)
        except OutsideError:
            raise
        except Exception:  # there is another one tomorrow, and incidents have to be told until then
            log.exception("The digest of the day until %s cannot be made.", due)

    async def _card(self, channel: str, end: datetime) -> AlertCard:
        begin = last_due(end - _A_MOMENT, self._tools.at, self._tools.zone)  # not every day has 24 hours
        cases = await self._tools.incidents.ended_since(begin)
        mutes = await self._tools.incidents.mutes()
        told = digest(cases, title=title_of, loudness=self._tools.loudness, mutes=mutes, begin=begin, end=end)
        return digest_card(told, channel, end, gaps=await self._gaps(begin, end))

    async def _gaps(self, begin: datetime, end: datetime) -> Sequence[str]:
        """The hosts of which something was not read, those with most gaps first."""
        entries = await self._tools.lines.since(begin)
        count = Counter(
            host_name(entry.host)
            for entry in entries
            for item in entry.items
            if isinstance(item, Gap) and entry.at < end
        )
        return [host for host, _ in count.most_common()]


def digest_card(told: Digest, channel: str, end: datetime, *, gaps: Sequence[str] = ()) -> AlertCard:
    """The message of a digest."""
    return AlertCard(
        subject=JobId(f"{end:%Y%m%d}"),
        channel=channel,
        title=told.title,
        look=AlertLook.DIGEST,
        state="the digest of a day",
        verdict="\n".join([*told.sentences, *_of_gaps(gaps)]),
        columns=COLUMNS if told.rows else (),
        rows=told.rows,
        note=f"And {told.left_out} more." if told.left_out else "",
        ended=True,
    )


def last_due(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The latest moment, not after `now`, at which a digest is due."""
    today = now.astimezone(zone).date()
    days: Iterator[datetime] = (moment_of(datetime.combine(today - back * DAY, at), zone) for back in range(3))
    return next(moment for moment in days if moment <= now)


def _of_gaps(hosts: Sequence[str]) -> list[str]:
    if not hosts:
        return []
    more = f" and {len(hosts) - _MOST_HOSTS} more" if len(hosts) > _MOST_HOSTS else ""
    return [f"Not everything could be read of {', '.join(hosts[:_MOST_HOSTS])}{more}: see /nfcalerts status."]
