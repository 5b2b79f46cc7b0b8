"""How the hosts are watched: by which source, how far behind, and whose logs cannot be read, flood or fell silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.hostlog.roll import SourceKind
from bot.logs.port import HostTally
from bot.migration.eta import in_words as span_in_words
from bot.operations.alert_card import host_name
from bot.operations.alerts_list import NOWHERE, alert_channel
from bot.operations.alerts_rights import incidents_of, may_at
from bot.operations.counter import Counter
from bot.operations.port import Answer, Person
from bot.operations.rights import EVERYWHERE, Verb

LISTED: Final = 8
"""Hosts that are named of each kind of trouble; the others are counted."""

SILENT: Final = timedelta(minutes=15)
"""A host that said nothing for so long is named: idle hosts say something every few minutes."""

_TROUBLE: Final = 80
_SOURCES: Final = {
    SourceKind.SYSLOG: "syslog",
    SourceKind.SSH: "SSH",
    SourceKind.HTTPS: "HTTPS",
    SourceKind.API: "vCenter",
    SourceKind.FILES: "files",
    SourceKind.NONE: "not read, by the config",
}


async def alerts_status(counter: Counter, who: Person) -> Answer:
    """A line for each source, then what is wrong; of hosts that may be at sites which they see."""
    await counter.rights.require(who, Verb.SEE, None)
    incidents_of(counter)
    every = await counter.tallies() if counter.tallies is not None else ()
    seen = await _visible(counter, who, every)
    hosts = [one for one in seen if not _is_stranger(one)]
    channel = await alert_channel(counter)
    place = f"{_aloud(counter, channel)} {await _judged(counter)}".rstrip()
    if not hosts:
        none = "No host is watched at the moment: no watcher runs, or it has not found any host yet."
        return Answer(f"{none}\n{place}", people=[channel])
    now = await counter.queue.now()
    strangers = sorted((one for one in seen if _is_stranger(one)), key=lambda one: -one.lines)
    unknown = _named("Senders that are no host of a vCenter", [(one, f"{one.lines:,} lines") for one in strangers])
    lines = [*_by_source(hosts), *_wrong(hosts, now), *unknown]
    count = f"{len(hosts):,} host{'s are' if len(hosts) != 1 else ' is'} watched."
    return Answer(f"{count}\n{place}", lines, people=[channel])


def _aloud(counter: Counter, channel: str) -> str:
    if not channel:
        return NOWHERE
    said = "Mode 'alert': messages go to" if counter.alerting.speaks else "Mode 'observe': one digest a day goes to"
    return f"{said} {channel}."


async def _judged(counter: Counter) -> str:
    """Which process to look at when lines come and nothing is said of them."""
    if counter.judging is None:
        return ""
    watcher = await counter.judging()
    return f"Watcher {watcher} judges." if watcher else "No watcher judges at the moment: what hosts say waits."


def _is_stranger(tally: HostTally) -> bool:
    return not tally.host.partition("/")[0]


async def _visible(counter: Counter, who: Person, tallies: Iterable[HostTally]) -> list[HostTally]:
    """A host may be at any site of its vCenter; what is of no vCenter that we know is for those who see everything."""
    may = await may_at(counter, who, Verb.SEE)
    seen = {site.vcenter for site in counter.sites.values() if may(site.name)}
    return [one for one in tallies if may(EVERYWHERE) or one.host.partition("/")[0] in seen]


def _by_source(tallies: Iterable[HostTally]) -> list[str]:
    found: dict[SourceKind, list[HostTally]] = defaultdict(list)
    for one in tallies:
        found[one.kind].append(one)
    return [_source(kind, found[kind]) for kind in SourceKind if kind in found]


def _source(kind: SourceKind, tallies: Sequence[HostTally]) -> str:
    lines, gaps = sum(one.lines for one in tallies), sum(one.gaps for one in tallies)
    behind = max((one.behind for one in tallies if one.behind is not None), default=None)
    late = f", at most {_precise(behind)} behind" if behind is not None else ""
    lost = f", {gaps:,} gap{'s' if gaps != 1 else ''}" if gaps else ""
    read = f", {lines:,} lines" if kind is not SourceKind.NONE else ""
    return f"{_SOURCES[kind]}: {len(tallies):,} host{'s' if len(tallies) != 1 else ''}{read}{late}{lost}"


def _wrong(tallies: Sequence[HostTally], now: datetime) -> list[str]:
    read = [one for one in tallies if one.kind is not SourceKind.NONE]
    silent = [one for one in read if not one.trouble and one.heard_at is not None and now - one.heard_at > SILENT]
    return [
        *_named("Cannot be read", [(one, one.trouble[:_TROUBLE]) for one in read if one.trouble]),
        *_named("Silent", [(one, _ago(one, now)) for one in sorted(silent, key=_heard)]),
        *_named("Flooding", [(one, f"{one.throttled:,} lines not looked at") for one in _worst(read)]),
    ]


def _named(what: str, hosts: Sequence[tuple[HostTally, str]]) -> list[str]:
    if not hosts:
        return []
    more = len(hosts) - LISTED
    shown = [f"  {host_name(one.host)}: {why}" for one, why in hosts[:LISTED]]
    return [f"{what}: {len(hosts):,}", *shown, *([f"  and {more:,} more"] if more > 0 else [])]


def _worst(tallies: Iterable[HostTally]) -> list[HostTally]:
    return sorted((one for one in tallies if one.throttled), key=lambda one: -one.throttled)


def _heard(one: HostTally) -> str:
    return one.heard_at.isoformat() if one.heard_at is not None else ""


def _ago(one: HostTally, now: datetime) -> str:
    return f"for {span_in_words(now - one.heard_at)}" if one.heard_at is not None else "since it is watched"


def _precise(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:.1f} s" if seconds < 10 else span_in_words(span)  # noqa: PLR2004 - as people say it
